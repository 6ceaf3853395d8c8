//! The state format of Terraform since 0.12 and of OpenTofu: version 4.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Flaw, Parsed, draft, flat};
use crate::state::address::{Key, ModuleStep, parse_module};
use crate::state::draft::{Draft, Found, Kind};
use crate::state::inventory::Naming;
use crate::state::path::AttributePath;

/// Instances are worked off in batches of this many bytes of attributes, so that a large state
/// keeps all cores busy while its outer shape is still being read.
const BATCH: usize = 256 * 1024;

/// What stands beside the resources, and whatever tells another format.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub(super) version: Option<Value>,
    pub(super) terraform_version: Option<String>,
    pub(super) serial: Option<u64>,
    pub(super) lineage: Option<String>,
    pub(super) has_resources: bool,
    /// Members by which other formats are known, unparsed.
    pub(super) others: HashMap<&'static str, &'a RawValue>,
}

/// Members of the outermost object by which other formats are known.
const OTHERS: [&str; 9] = [
    "modules",
    "backend",
    "values",
    "prior_state",
    "planned_values",
    "resource_drift",
    "timestamp",
    "encrypted_data",
    "encryption_version",
];

/// Reads the outermost object, and the resources of a state of version 4.
///
/// # Errors
///
/// When the text is no JSON, or not of a shape that can hold a state.
pub(super) fn read<'a>(
    text: &'a str,
    naming: &dyn Naming,
) -> Result<(Head<'a>, Parsed), serde_json::Error> {
    let done = Mutex::new(Vec::new());
    let (head, flaws) = rayon::in_place_scope(|scope| {
        let mut sink = Sink {
            scope,
            naming,
            done: &done,
            batch: Vec::new(),
            weight: 0,
            batches: 0,
            kinds: HashMap::new(),
            modules: HashMap::new(),
            texts: HashMap::new(),
            flaws: Vec::new(),
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        let head = reader.deserialize_map(Document { sink: &mut sink })?;
        reader.end()?;
        sink.work_off_the_rest();
        Ok::<_, serde_json::Error>((head, sink.flaws))
    })?;

    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|batch| batch.number);
    let mut parsed = Parsed {
        flaws,
        ..Parsed::default()
    };
    for batch in done {
        parsed.drafts.extend(batch.drafts);
        parsed.flaws.extend(batch.flaws);
    }
    Ok((head, parsed))
}

struct Batch {
    number: usize,
    drafts: Vec<Draft>,
    flaws: Vec<Flaw>,
}

/// Takes resources as they are read and hands their instances to other threads.
struct Sink<'r, 'w, 'a> {
    scope: &'r rayon::Scope<'w>,
    naming: &'w dyn Naming,
    done: &'w Mutex<Vec<Batch>>,
    batch: Vec<Pending<'a>>,
    weight: usize,
    batches: usize,
    kinds: HashMap<Cow<'a, str>, Arc<Kind>>,
    modules: HashMap<Cow<'a, str>, Arc<[ModuleStep]>>,
    texts: HashMap<Cow<'a, str>, Arc<str>>,
    flaws: Vec<Flaw>,
}

struct Pending<'a> {
    found: Found<'a>,
    sensitive: Option<&'a str>,
}

impl<'w, 'a: 'w> Sink<'_, 'w, 'a> {
    fn add(&mut self, resource: Resource<'a>) {
        if resource.mode != "managed" {
            return;
        }
        let module = match self.modules.get(&resource.module) {
            Some(module) => Arc::clone(module),
            None => match parse_module(&resource.module) {
                Ok(module) => {
                    self.modules.insert(resource.module, Arc::clone(&module));
                    module
                }
                Err(error) => {
                    let place = format!("resource `{}.{}`", resource.kind, resource.name);
                    let problem = format!("its module address is malformed: {error}");
                    self.flaws.push(Flaw { place, problem });
                    return;
                }
            },
        };
        let naming = self.naming;
        let kind = self
            .kinds
            .entry(resource.kind)
            .or_insert_with_key(|name| Arc::new(Kind::new(name, naming)));
        let kind = Arc::clone(kind);
        let name = self.text(resource.name);
        let provider = self.text(resource.provider);
        for instance in resource.instances {
            if instance.deposed.is_some() {
                continue;
            }
            let attributes = match (instance.attributes, instance.attributes_flat) {
                (Some(attributes), _) => Cow::Borrowed(attributes.get()),
                (None, Some(flat)) => Value::Object(flat::expand(&flat)).to_string().into(),
                (None, None) => Cow::Borrowed("{}"),
            };
            self.weight += attributes.len();
            self.batch.push(Pending {
                found: Found {
                    module: Arc::clone(&module),
                    kind: Arc::clone(&kind),
                    name: Arc::clone(&name),
                    key: instance.index_key.and_then(key_of),
                    provider: Arc::clone(&provider),
                    tainted: instance.status == "tainted",
                    attributes,
                    sensitive: Vec::new(),
                },
                sensitive: instance.sensitive_attributes.map(RawValue::get),
            });
            if self.weight > BATCH {
                let (number, batch) = self.next_batch();
                let (naming, done) = (self.naming, self.done);
                self.scope
                    .spawn(move |_| work_off(number, batch, naming, done));
            }
        }
    }

    fn text(&mut self, text: Cow<'a, str>) -> Arc<str> {
        let shared = self
            .texts
            .entry(text)
            .or_insert_with_key(|text| text.as_ref().into());
        Arc::clone(shared)
    }

    fn next_batch(&mut self) -> (usize, Vec<Pending<'a>>) {
        self.weight = 0;
        self.batches += 1;
        (self.batches, std::mem::take(&mut self.batch))
    }

    fn work_off_the_rest(&mut self) {
        let (number, batch) = self.next_batch();
        work_off(number, batch, self.naming, self.done);
    }
}

fn work_off(number: usize, batch: Vec<Pending<'_>>, naming: &dyn Naming, done: &Mutex<Vec<Batch>>) {
    let mut drafts = Vec::with_capacity(batch.len());
    let mut flaws = Vec::new();
    let mut buffer = String::new();
    for Pending {
        mut found,
        sensitive,
    } in batch
    {
        if let Some(paths) = sensitive.filter(|paths| *paths != "[]") {
            let paths = serde_json::from_str(paths).unwrap_or_default();
            found.sensitive = AttributePath::from_sensitive_attributes(&paths);
        }
        match draft(found, naming, &mut buffer) {
            Ok(draft) => drafts.push(draft),
            Err(flaw) => flaws.push(flaw),
        }
    }
    let batch = Batch {
        number,
        drafts,
        flaws,
    };
    done.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(batch);
}

/// The index of an instance, a number or a text; anything else is as good as none.
fn key_of(key: Value) -> Option<Key> {
    match key {
        Value::Number(number) => number.as_u64().map(Key::Number),
        Value::String(text) => Some(Key::Text(text.into())),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    module: Cow<'a, str>,
    #[serde(borrow, default)]
    mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    provider: Cow<'a, str>,
    #[serde(borrow, default)]
    instances: Vec<Instance<'a>>,
}

#[derive(Deserialize)]
struct Instance<'a> {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(borrow, default)]
    status: Cow<'a, str>,
    #[serde(default)]
    deposed: Option<IgnoredAny>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
    /// As providers before 0.12 left them, until the next apply.
    #[serde(default)]
    attributes_flat: Option<BTreeMap<String, String>>,
    #[serde(borrow, default)]
    sensitive_attributes: Option<&'a RawValue>,
}

struct Document<'s, 'r, 'w, 'a> {
    sink: &'s mut Sink<'r, 'w, 'a>,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'w, 'a: 'w> Visitor<'a> for Document<'_, '_, 'w, 'a> {
    type Value = Head<'a>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the object that a Terraform state is")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Head<'a>, A::Error> {
        let mut head = Head::default();
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "version" => head.version = Some(map.next_value()?),
                "terraform_version" => head.terraform_version = map.next_value()?,
                "serial" => head.serial = map.next_value()?,
                "lineage" => head.lineage = map.next_value()?,
                "resources" => {
                    head.has_resources = true;
                    map.next_value_seed(Resources {
                        sink: &mut *self.sink,
                    })?;
                }
                other => match OTHERS.iter().find(|known| **known == other) {
                    Some(known) => {
                        head.others.insert(known, map.next_value()?);
                    }
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(head)
    }
}

/// The list of resources, each handed over as soon as it is read.
struct Resources<'s, 'r, 'w, 'a> {
    sink: &'s mut Sink<'r, 'w, 'a>,
}

impl<'w, 'a: 'w> DeserializeSeed<'a> for Resources<'_, '_, 'w, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'w, 'a: 'w> Visitor<'a> for Resources<'_, '_, 'w, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'a>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(resource) = list.next_element::<Resource<'a>>()? {
            self.sink.add(resource);
        }
        Ok(())
    }
}
