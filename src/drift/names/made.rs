//! What a call makes, by the names that it gives it.

use serde_json::Value;

use super::Found;
use crate::catalogue::aws::identifier;
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{Operation, Target};
use crate::catalogue::value::Given;
use crate::drift::effect::Created;
use crate::drift::model::{Attribute, Certainty};
use crate::state::inventory::InstanceId;

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
