//! Finds the managed resources that a call names.

mod anywhere;
mod made;
mod naming;

use serde_json::Value;

pub(super) use anywhere::collect_texts;
pub use anywhere::{by_resources, named_anywhere};
pub use made::created;
pub use naming::AwsNaming;
pub(super) use naming::ShortOnly;

use super::compare::is_empty;
use super::effect::Resolver;
use crate::audit::call::Call;
use crate::catalogue::aws::{identifier, shape};
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{Pair, Parent, ResourceType, Scope, Target};
use crate::catalogue::schema;
use crate::catalogue::schema::Type;
use crate::catalogue::text::Text;
use crate::state::inventory::InstanceId;

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
