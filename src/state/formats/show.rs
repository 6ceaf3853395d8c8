//! What `terraform show -json` prints of a state or of a plan.
//!
//! Of a plan the state is taken that it started from. Terraform refreshes that first: where it
//! says so (`resource_drift`), the values before the refresh are what it believed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Flaw, Parsed, draft_all};
use crate::state::address::Address;
use crate::state::draft::{Found, Kind};
use crate::state::inventory::{self, Naming, Plan};
use crate::state::path::{AttributePath, Step};

#[derive(Deserialize)]
struct Prior<'a> {
    #[serde(borrow)]
    values: Option<Values<'a>>,
}

#[derive(Deserialize)]
struct Values<'a> {
    #[serde(borrow)]
    root_module: Option<Module<'a>>,
}

#[derive(Deserialize)]
struct Module<'a> {
    #[serde(borrow, default)]
    resources: Vec<Resource<'a>>,
    #[serde(borrow, default)]
    child_modules: Vec<Module<'a>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    address: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    provider_name: String,
    #[serde(default)]
    deposed_key: Option<String>,
    #[serde(default)]
    tainted: bool,
    #[serde(borrow)]
    values: Option<&'a RawValue>,
    #[serde(default)]
    sensitive_values: Value,
}

#[derive(Deserialize)]
struct Refreshed<'a> {
    address: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    provider_name: String,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(borrow)]
    change: Change<'a>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    before: Option<&'a RawValue>,
    #[serde(borrow)]
    after: Option<&'a RawValue>,
    #[serde(default)]
    before_sensitive: Value,
}

/// Reads the `values` of a state.
///
/// # Errors
///
/// When they are of another shape.
pub(super) fn read_state(values: &str, naming: &dyn Naming) -> Result<Parsed, serde_json::Error> {
    let values: Values<'_> = serde_json::from_str(values)?;
    let mut collected = Collected::new(naming);
    collected.add_module(values.root_module, &HashMap::new());
    Ok(collected.finish())
}

/// Reads a plan: its `prior_state`, with its `resource_drift` taken back.
///
/// # Errors
///
/// When they are of another shape.
pub(super) fn read_plan(
    prior: Option<&str>,
    refreshed: Option<&str>,
    naming: &dyn Naming,
) -> Result<Parsed, serde_json::Error> {
    let refreshed: Vec<Refreshed<'_>> = refreshed.map_or(Ok(Vec::new()), serde_json::from_str)?;
    let believed: HashMap<_, _> = refreshed
        .iter()
        .filter(|refreshed| refreshed.deposed.is_none() && refreshed.mode != "data")
        .filter_map(|refreshed| Some((&*refreshed.address, (refreshed, refreshed.change.before?))))
        .collect();
    let mut collected = Collected::new(naming);
    if let Some(prior) = prior {
        let prior: Prior<'_> = serde_json::from_str(prior)?;
        collected.add_module(
            prior.values.and_then(|values| values.root_module),
            &believed,
        );
    }
    // What the refresh found gone is in the prior state no more.
    for refreshed in &refreshed {
        let gone = believed.get(&*refreshed.address);
        if let Some((_, before)) = gone.filter(|_| !collected.seen.contains(&refreshed.address)) {
            collected.add(&Known {
                address: &refreshed.address,
                provider: &refreshed.provider_name,
                tainted: false,
                values: before,
                marks: &refreshed.change.before_sensitive,
            });
        }
    }
    let mut parsed = collected.finish();
    parsed.is_plan = true;
    parsed.file.plan = Some(Plan {
        made: None,
        refreshed: refreshed.iter().filter_map(found_changed).collect(),
    });
    Ok(parsed)
}

/// What the refresh found of one instance; none when it is no drift of a managed one.
fn found_changed(refreshed: &Refreshed<'_>) -> Option<inventory::Refreshed> {
    if refreshed.deposed.is_some() || refreshed.mode == "data" {
        return None;
    }
    let value = |text: &RawValue| serde_json::from_str::<Value>(text.get()).unwrap_or_default();
    let before = value(refreshed.change.before?);
    let after = refreshed.change.after.map(value).unwrap_or_default();
    let paths = if after.is_null() {
        Vec::new()
    } else {
        let mut paths = AttributePath::differences(&before, &after);
        // With `tags` there is no news in `tags_all`.
        let is = |path: &AttributePath, wanted: &str| match path.steps().first() {
            Some(Step::Name(name)) => &**name == wanted,
            _ => false,
        };
        if paths.iter().any(|path| is(path, "tags")) {
            paths.retain(|path| !is(path, "tags_all"));
        }
        paths
    };
    let is_gone = after.is_null();
    (is_gone || !paths.is_empty()).then(|| inventory::Refreshed {
        address: refreshed.address.clone(),
        is_gone,
        paths,
    })
}

/// A managed instance, whichever part of the text it stands in.
struct Known<'a, 'k> {
    address: &'k str,
    provider: &'k str,
    tainted: bool,
    values: &'a RawValue,
    marks: &'k Value,
}

type Believed<'a, 'k> = HashMap<&'k str, (&'k Refreshed<'a>, &'a RawValue)>;

struct Collected<'a, 'n> {
    naming: &'n dyn Naming,
    kinds: HashMap<Arc<str>, Arc<Kind>>,
    seen: HashSet<String>,
    found: Vec<Found<'a>>,
    flaws: Vec<Flaw>,
}

impl<'a, 'n> Collected<'a, 'n> {
    fn new(naming: &'n dyn Naming) -> Self {
        Self {
            naming,
            kinds: HashMap::new(),
            seen: HashSet::new(),
            found: Vec::new(),
            flaws: Vec::new(),
        }
    }

    fn add_module(&mut self, module: Option<Module<'a>>, believed: &Believed<'a, '_>) {
        let mut modules: Vec<_> = module.into_iter().collect();
        while let Some(module) = modules.pop() {
            for resource in &module.resources {
                let is_managed = resource.mode == "managed" && resource.deposed_key.is_none();
                if !is_managed || self.seen.contains(&resource.address) {
                    continue;
                }
                let before = believed.get(&*resource.address);
                let values = before.map(|(_, before)| *before).or(resource.values);
                if let Some(values) = values {
                    self.add(&Known {
                        address: &resource.address,
                        provider: &resource.provider_name,
                        tainted: resource.tainted,
                        values,
                        marks: before.map_or(&resource.sensitive_values, |(refreshed, _)| {
                            &refreshed.change.before_sensitive
                        }),
                    });
                }
            }
            // The last is taken first: this keeps the order of the text.
            modules.extend(module.child_modules.into_iter().rev());
        }
    }

    fn add(&mut self, known: &Known<'a, '_>) {
        self.seen.insert(known.address.to_owned());
        let address = match parse_address(known.address) {
            Ok(address) => address,
            Err(problem) => {
                let place = format!("resource `{}`", known.address);
                self.flaws.push(Flaw { place, problem });
                return;
            }
        };
        let naming = self.naming;
        let kind = self
            .kinds
            .entry(address.resource_type)
            .or_insert_with_key(|name| Arc::new(Kind::new(name, naming)));
        self.found.push(Found {
            module: address.module,
            kind: Arc::clone(kind),
            name: address.name,
            key: address.key,
            provider: known.provider.into(),
            tainted: known.tainted,
            attributes: known.values.get().into(),
            sensitive: AttributePath::from_sensitive_values(known.marks),
        });
    }

    fn finish(self) -> Parsed {
        let mut parsed = draft_all(self.found, self.naming);
        parsed.flaws.extend(self.flaws);
        parsed
    }
}

fn parse_address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|error| format!("its address is malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use crate::state::testing::inventory_of;
    use serde_json::{Value, json};

    fn resource(address: &str, values: &Value) -> Value {
        json!({"address": address, "mode": "managed", "type": "aws_instance", "name": "x", "values": values,
               "provider_name": "registry.terraform.io/hashicorp/aws", "sensitive_values": {"password": true}})
    }

    /// Address, attributes and secrets of each instance.
    fn shown(text: &Value) -> Vec<(String, Value, String)> {
        let inventory = inventory_of(&[&text.to_string()]);
        let instances = inventory.instances().map(|(_, instance)| {
            let secrets: Vec<_> = instance
                .sensitive()
                .iter()
                .map(ToString::to_string)
                .collect();
            (
                instance.address().to_string(),
                Value::Object(instance.attributes()),
                secrets.join(" "),
            )
        });
        instances.collect()
    }

    #[test]
    fn a_shown_state_gives_the_instances_of_all_its_modules() {
        let mut deposed = resource("aws_instance.a", &json!({"id": "i-0"}));
        deposed["deposed_key"] = json!("b2f6a1c0");
        let data = json!({"address": "data.aws_ami.x", "mode": "data", "values": {}});
        let inner = "module.m[\"a.b\"].module.n.aws_instance.c[2]";
        let found = shown(
            &json!({"format_version": "1.0", "terraform_version": "1.9.5", "values": {
            "outputs": {},
            "root_module": {
                "resources": [deposed, resource("aws_instance.a", &json!({"id": "i-1"})), data],
                "child_modules": [
                    {"address": "module.m[\"a.b\"]", "child_modules": [
                        {"resources": [resource(inner, &json!({"id": "i-2"}))]}]},
                    {"address": "module.z", "resources": [resource("module.z.aws_instance.d", &json!({"id": "i-3"}))]}]
            }}}),
        );
        let instance = |address: &str, id: &str| {
            (address.to_owned(), json!({"id": id}), "password".to_owned())
        };
        assert_eq!(
            found,
            [
                instance("aws_instance.a", "i-1"),
                instance(inner, "i-2"),
                instance("module.z.aws_instance.d", "i-3")
            ]
        );
    }

    #[test]
    fn a_plan_gives_what_terraform_believed_before_it_refreshed() {
        let drift = |address: &str, before: &Value, after: &Value| {
            json!({"address": address, "mode": "managed", "change": {
                "actions": ["update"], "before": before, "after": after, "before_sensitive": {"key": true}}})
        };
        let found = shown(&json!({
            "format_version": "1.2", "planned_values": {"root_module": {}},
            "resource_drift": [
                drift("aws_instance.b", &json!({"id": "i-2", "size": 1}), &json!({"id": "i-2", "size": 2})),
                drift("aws_instance.gone", &json!({"id": "i-3"}), &Value::Null)],
            "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": [
                resource("aws_instance.a", &json!({"id": "i-1"})),
                resource("aws_instance.b", &json!({"id": "i-2", "size": 2}))]}}}
        }));
        assert_eq!(
            found,
            [
                (
                    "aws_instance.a".into(),
                    json!({"id": "i-1"}),
                    "password".into()
                ),
                (
                    "aws_instance.b".into(),
                    json!({"id": "i-2", "size": 1}),
                    "key".into()
                ),
                (
                    "aws_instance.gone".into(),
                    json!({"id": "i-3"}),
                    "key".into()
                ),
            ]
        );
    }

    #[test]
    fn a_plan_tells_when_it_was_made_and_what_its_refresh_found() {
        let drift = |address: &str, mode: &str, after: &Value| {
            json!({"address": address, "mode": mode, "change": {"actions": ["update"], "after": after,
                "before": {"size": 1, "tags": {"a": "b"}, "tags_all": {"a": "b"}}}})
        };
        let inventory = inventory_of(&[&json!({
            "format_version": "1.2", "planned_values": {}, "timestamp": "2026-01-15T10:30:00Z",
            "resource_drift": [
                drift("aws_instance.a", "managed", &json!({"size": 2, "tags": {}, "tags_all": {}})),
                drift("aws_instance.gone", "managed", &Value::Null),
                drift("aws_instance.same", "managed", &json!({"size": 1, "tags": {"a": "b"}, "tags_all": {"a": "b"}})),
                drift("data.aws_ami.x", "data", &json!({"size": 2}))]
        }).to_string()]);
        let plan = inventory.states()[0].plan.clone().expect("a plan");
        assert_eq!(plan.made, "2026-01-15T10:30:00Z".parse().ok());
        let found: Vec<_> = plan
            .refreshed
            .iter()
            .map(|found| {
                let paths: Vec<_> = found.paths.iter().map(ToString::to_string).collect();
                (&*found.address, found.is_gone, paths.join(" "))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("aws_instance.a", false, "size tags.a".to_owned()),
                ("aws_instance.gone", true, String::new()),
            ]
        );
    }

    #[test]
    fn a_first_plan_has_an_empty_state() {
        assert!(shown(&json!({"format_version": "1.2", "planned_values": {}})).is_empty());
    }
}
