//! Finds the managed resources that a call names.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::compare::is_empty;
use super::effect::{Created, Resolver};
use super::model::{Attribute, Certainty};
use crate::audit::call::Call;
use crate::catalogue::aws::{identifier, shape};
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{Operation, Pair, Parent, ResourceType, Scope, Target};
use crate::catalogue::schema::Type;
use crate::catalogue::text::Text;
use crate::catalogue::value::Given;
use crate::catalogue::{Catalogue, schema};
use crate::state::inventory::{self, InstanceId, Naming};

/// The catalogue's knowledge of names, as the inventory asks for it.
pub struct AwsNaming<'a> {
    catalogue: &'a Catalogue,
    keys: HashMap<&'static str, OnceLock<Option<Vec<String>>>>,
}

impl<'a> AwsNaming<'a> {
    /// Naming of all the provider's types; those met are looked up in the catalogue once.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            keys: schema::types()
                .map(|name| (name, OnceLock::new()))
                .collect(),
        }
    }
}

impl Naming for AwsNaming<'_> {
    fn keys(&self, resource_type: &str) -> Option<&[String]> {
        let keys = self
            .keys
            .get(resource_type)?
            .get_or_init(|| self.catalogue.keys(resource_type));
        keys.as_deref()
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier::short(identifier)
    }

    fn scope(&self, identifier: &str) -> Option<inventory::Scope> {
        let arn = identifier::Arn::parse(identifier)?;
        // What AWS itself owns, as its managed policies, lies in no account.
        let some = |text: &str| (!text.is_empty() && text != "aws").then(|| text.to_owned());
        Some(inventory::Scope {
            account: some(arn.account),
            region: some(arn.region),
        })
    }
}

/// What a target's `find` led to.
#[derive(Debug, Default, Clone)]
pub struct Found {
    /// Managed resources.
    pub instances: Vec<InstanceId>,
    /// The names that the call gives, one list per resource it names.
    pub names: Vec<Vec<(String, String)>>,
}

/// Finds what a target names.
#[must_use]
pub fn find(
    resolver: &Resolver<'_>,
    target: &Target,
    view: &View<'_>,
    call: &Call,
    scope: Scope,
) -> Found {
    let mut found = Found::default();
    if let (true, ResourceType::Named(name)) =
        (target.only && target.find.is_empty(), &target.resource_type)
    {
        found.instances = resolver.inventory.of_type(name).to_vec();
        found
            .instances
            .retain(|instance| lies_in(resolver, *instance, std::iter::empty(), call, scope));
        return found;
    }
    for alternative in &target.find {
        let Some(given) = view.names(alternative) else {
            continue;
        };
        if found.names.is_empty() {
            found.names = one_each(&given);
        }
        found.instances = match &target.resource_type {
            ResourceType::Named(name) => matching(resolver, name, &given, call, scope),
            ResourceType::AnyTagged => tagged(resolver, &given, call, scope),
        };
        if !found.instances.is_empty() || is_exact(&given) {
            break;
        }
    }
    found
}

/// Whether a call gives a full ARN: what that does not match, looser names must not.
fn is_exact(given: &[(&Pair, Vec<String>)]) -> bool {
    given.iter().any(|(pair, values)| {
        pair.attribute == "arn"
            && values
                .iter()
                .any(|value| identifier::Arn::parse(value).is_some())
    })
}

/// Splits names into one list per resource, where one part has several values.
fn one_each(given: &[(&Pair, Vec<String>)]) -> Vec<Vec<(String, String)>> {
    let count = given
        .iter()
        .map(|(_, values)| values.len())
        .max()
        .unwrap_or_default();
    (0..count)
        .map(|at| {
            given
                .iter()
                .filter(|(pair, _)| !pair.other)
                .filter_map(|(pair, values)| {
                    let value = values.get(at).or_else(|| values.first())?;
                    Some((pair.attribute.to_string(), value.clone()))
                })
                .collect()
        })
        .collect()
}

fn matching(
    resolver: &Resolver<'_>,
    resource_type: &str,
    given: &[(&Pair, Vec<String>)],
    call: &Call,
    scope: Scope,
) -> Vec<InstanceId> {
    // The part with the fewest candidates is looked up, the others only verified. Truths, and the 0
    // that may stand for a port left empty, are in no index, unless a state holds them as text.
    let naming = ShortOnly;
    let indexed = |pair: &Pair, value: &String| {
        !matches!(value.as_str(), "true" | "false" | "0")
            || is_textual(resource_type, &pair.attribute)
    };
    let mut best: Option<Vec<InstanceId>> = None;
    for (pair, values) in given.iter().filter(|(pair, values)| {
        !pair.optional
            && !pair.other
            && !values.is_empty()
            && values.iter().all(|value| indexed(pair, value))
    }) {
        let mut candidates: Vec<InstanceId> = values
            .iter()
            .flat_map(|value| {
                resolver
                    .inventory
                    .candidates(resource_type, &pair.attribute, value, &naming)
            })
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        if best
            .as_ref()
            .is_none_or(|best| candidates.len() < best.len())
        {
            best = Some(candidates);
        }
    }
    let names_something = given
        .iter()
        .any(|(pair, values)| !pair.other && !values.is_empty());
    let mut instances = match best {
        Some(best) => best,
        None if names_something => resolver.inventory.of_type(resource_type).to_vec(),
        None => Vec::new(),
    };
    instances.retain(|instance| {
        lies_in(
            resolver,
            *instance,
            given.iter().flat_map(|(_, values)| values),
            call,
            scope,
        ) && given.iter().all(|(pair, values)| {
            let held = values_at(resolver, *instance, &pair.attribute);
            if values.is_empty() {
                return held.iter().all(|value| is_empty(value));
            }
            let named = held
                .iter()
                .any(|value| values.iter().any(|name| means(value, name)));
            named != pair.other
        })
    });
    instances
}

/// Whether states hold texts at an attribute, and nothing else: all of them are in the index.
pub(super) fn is_textual(resource_type: &str, attribute: &str) -> bool {
    let place = schema::resource(resource_type).and_then(|body| body.at(attribute));
    let Some(schema::Leaf::Attribute(_, attribute)) = place.map(|place| place.leaf) else {
        return false;
    };
    match &attribute.ty {
        Type::String => true,
        Type::List(member) | Type::Set(member) => **member == Type::String,
        _ => false,
    }
}

fn means(held: &Value, name: &str) -> bool {
    match held {
        Value::String(text) => identifier::same(text, name),
        Value::Number(number) => name.parse::<f64>().ok() == number.as_f64(),
        Value::Bool(truth) => name.parse::<bool>().ok() == Some(*truth),
        // A port left empty in the state is the 0 of a rule for all ports.
        Value::Null => name == "0",
        _ => false,
    }
}

/// The values at a dotted path of an instance's attributes; lists are passed through.
pub(super) fn values_at<'r>(
    resolver: &'r Resolver<'_>,
    instance: InstanceId,
    dotted: &str,
) -> Vec<&'r Value> {
    static NULL: Value = Value::Null;
    let attributes = resolver.attributes(instance);
    let mut names = dotted.split('.');
    let first = names.next().and_then(|name| attributes.get(name));
    let mut values = open(first.unwrap_or(&NULL));
    for name in names {
        values = values
            .into_iter()
            .flat_map(|value| open(value.get(name).unwrap_or(&NULL)))
            .collect();
    }
    if values.is_empty() {
        vec![&NULL]
    } else {
        values
    }
}

fn open(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(open).collect(),
        value => vec![value],
    }
}

/// Whether an instance lies in the account and region that a call is about.
pub(super) fn lies_in<'n>(
    resolver: &Resolver<'_>,
    instance: InstanceId,
    names: impl Iterator<Item = &'n String>,
    call: &Call,
    scope: Scope,
) -> bool {
    if scope == Scope::Partition {
        return true;
    }
    let arn = names
        .filter_map(|name| identifier::Arn::parse(name))
        .find(|arn| !arn.account.is_empty() && arn.account != "aws");
    let account = arn.map_or(call.account.as_str(), |arn| arn.account);
    let region = arn
        .map(|arn| arn.region)
        .filter(|region| !region.is_empty())
        .unwrap_or(&call.region);
    let instance = resolver.inventory.get(instance);
    let fits =
        |own: Option<&str>, asked: &str| own.is_none_or(|own| asked.is_empty() || own == asked);
    fits(instance.account(), account) && (scope == Scope::Global || fits(instance.region(), region))
}

/// Finds any resource with tags that has this id or ARN, among the types of the service.
fn tagged(
    resolver: &Resolver<'_>,
    given: &[(&Pair, Vec<String>)],
    call: &Call,
    scope: Scope,
) -> Vec<InstanceId> {
    let mut instances = Vec::new();
    for name in given.iter().flat_map(|(_, values)| values) {
        for instance in resolver.inventory.naming(name, &ShortOnly) {
            let resource_type = resolver.inventory.get(*instance).resource_type();
            let has_tags = schema::resource(resource_type)
                .is_some_and(|body| body.attributes.contains_key("tags"));
            let of_service = shape::tags_for_others(&call.service)
                || resolver
                    .catalogue
                    .services_of(resource_type)
                    .any(|rules| rules.service == call.service);
            let named = ["id", "arn"].iter().any(|key| {
                values_at(resolver, *instance, key)
                    .iter()
                    .any(|value| value.as_str() == Some(name.as_str()))
            });
            if has_tags
                && of_service
                && named
                && lies_in(resolver, *instance, std::iter::once(name), call, scope)
            {
                instances.push(*instance);
            }
        }
    }
    instances.sort_unstable();
    instances.dedup();
    instances
}

/// The managed resource that a created one hangs on.
#[must_use]
pub fn parent(
    resolver: &Resolver<'_>,
    parent: &Parent,
    view: &View<'_>,
    call: &Call,
    scope: Scope,
) -> Option<InstanceId> {
    let given = view.names(&parent.find)?;
    matching(resolver, &parent.resource_type, &given, call, scope)
        .first()
        .copied()
}

/// Whether the state holds a narrower owner that names this instance.
#[must_use]
pub fn has_dependants(
    resolver: &Resolver<'_>,
    instance: InstanceId,
    yields: &[(Text, Text)],
) -> bool {
    let own: Vec<String> = ["id", "arn", "name"]
        .iter()
        .flat_map(|key| values_at(resolver, instance, key))
        .filter_map(|value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        })
        .collect();
    let state = resolver.inventory.get(instance);
    yields.iter().any(|(resource_type, attribute)| {
        own.iter().any(|name| {
            resolver
                .inventory
                .candidates(resource_type, attribute, name, &ShortOnly)
                .iter()
                .any(|candidate| {
                    let other = resolver.inventory.get(*candidate);
                    let together = |one: Option<&str>, other: Option<&str>| {
                        one.is_none() || other.is_none() || one == other
                    };
                    together(state.account(), other.account())
                        && together(state.region(), other.region())
                        && values_at(resolver, *candidate, attribute)
                            .iter()
                            .any(|value| {
                                value
                                    .as_str()
                                    .is_some_and(|text| identifier::same(text, name))
                            })
                })
        })
    })
}

/// What a call makes, one entry for each resource it makes.
#[must_use]
pub fn created(
    target: &Target,
    resource_type: &str,
    found: &Found,
    view: &View<'_>,
    parent: Option<InstanceId>,
) -> Vec<Created> {
    let ids = target
        .id
        .as_ref()
        .map(|source| view.texts(source))
        .unwrap_or_default();
    let arn = target
        .arn
        .as_ref()
        .and_then(|source| view.texts(source).into_iter().next());
    let count = ids.len().max(found.names.len());
    let made_with = |path: &str, value: Value| Attribute {
        path: path.to_owned(),
        before: None,
        after: Some(value),
        certainty: Certainty::Exact,
        sensitive: false,
        added: None,
        removed: None,
        by: Vec::new(),
    };
    let given =
        view.changes(&target.changes)
            .into_iter()
            .filter_map(|(change, given)| match given {
                Given::Value(value) => Some(made_with(&change.path, value)),
                _ => None,
            });
    let given: Vec<Attribute> = given.collect();
    let grows: Vec<String> = target
        .changes
        .iter()
        .filter(|change| change.operation == Operation::Add)
        .map(|change| change.path.to_string())
        .collect();
    (0..count)
        .map(|at| {
            let names = found
                .names
                .get(at)
                .or_else(|| found.names.first())
                .cloned()
                .unwrap_or_default();
            let id = ids.get(at).cloned().or_else(|| own_id(&names));
            let arn = arn
                .clone()
                .or_else(|| id.clone().filter(|id| identifier::Arn::parse(id).is_some()));
            let named = names
                .iter()
                .map(|(path, value)| made_with(path, Value::String(value.clone())));
            let attributes = named.chain(given.iter().cloned()).collect();
            Created {
                resource_type: resource_type.to_owned(),
                id,
                arn,
                names,
                parent,
                attributes,
                grows: grows.clone(),
            }
        })
        .collect()
}

/// The id among names, or all of them joined.
fn own_id(names: &[(String, String)]) -> Option<String> {
    let id = names
        .iter()
        .find(|(attribute, _)| attribute == "id")
        .map(|(_, value)| value.clone());
    id.or_else(|| {
        let parts: Vec<&str> = names.iter().map(|(_, value)| value.as_str()).collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    })
}

/// Finds what the ARNs beside an omitted request mean.
#[must_use]
pub fn by_resources(
    resolver: &Resolver<'_>,
    target: &Target,
    resources: &Value,
    call: &Call,
    scope: Scope,
) -> Vec<InstanceId> {
    let ResourceType::Named(resource_type) = &target.resource_type else {
        return Vec::new();
    };
    let arns: Vec<String> = resources
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|text| !matches!(*text, "true" | "false" | "0"))
        .map(str::to_owned)
        .collect();
    for alternative in &target.find {
        let required: Vec<&Pair> = alternative.iter().filter(|pair| !pair.optional).collect();
        if let [pair] = required.as_slice()
            && !pair.other
            && !arns.is_empty()
        {
            let instances = matching(
                resolver,
                resource_type,
                &[(*pair, arns.clone())],
                call,
                scope,
            );
            if !instances.is_empty() {
                return instances;
            }
        }
    }
    Vec::new()
}

/// Managed resources that a call of an unknown kind names, by id or ARN, among types of its service.
#[must_use]
pub fn named_anywhere(
    resolver: &Resolver<'_>,
    request: &Value,
    resources: &Value,
    call: &Call,
) -> Vec<InstanceId> {
    let mut texts = Vec::new();
    collect_texts(request, 0, &mut texts);
    collect_texts(resources, 0, &mut texts);
    let mut instances = Vec::new();
    for text in texts {
        for instance in resolver.inventory.naming(text, &ShortOnly) {
            let resource_type = resolver.inventory.get(*instance).resource_type();
            let of_service = resolver
                .catalogue
                .services_of(resource_type)
                .any(|rules| rules.service == call.service);
            let named = of_service
                && ["id", "arn"].iter().any(|key| {
                    values_at(resolver, *instance, key).iter().any(|value| {
                        value
                            .as_str()
                            .is_some_and(|own| identifier::same(own, text))
                    })
                });
            if named
                && lies_in(
                    resolver,
                    *instance,
                    std::iter::once(&text.to_owned()),
                    call,
                    Scope::Regional,
                )
            {
                instances.push(*instance);
            }
        }
    }
    instances.sort_unstable();
    instances.dedup();
    instances
}

/// Texts that could be identifiers; a log may nest deeply to tire a reader out.
pub(super) fn collect_texts<'v>(value: &'v Value, depth: usize, out: &mut Vec<&'v str>) {
    const DEEPEST: usize = 6;
    const MOST: usize = 256;
    if depth > DEEPEST || out.len() > MOST {
        return;
    }
    match value {
        Value::String(text)
            if (3..2048).contains(&text.len()) && !text.contains(char::is_whitespace) =>
        {
            out.push(text);
        }
        Value::Array(list) => list
            .iter()
            .for_each(|member| collect_texts(member, depth + 1, out)),
        Value::Object(map) => map
            .values()
            .for_each(|member| collect_texts(member, depth + 1, out)),
        _ => {}
    }
}

/// Only the short form is needed to look up what is already indexed.
pub(super) struct ShortOnly;

impl Naming for ShortOnly {
    fn keys(&self, _: &str) -> Option<&[String]> {
        None
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier::short(identifier)
    }

    fn scope(&self, _: &str) -> Option<inventory::Scope> {
        None
    }
}
