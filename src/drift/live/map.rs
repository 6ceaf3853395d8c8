//! Maps of a resource: where their keys stand, and which of them a call names.

use serde_json::{Map, Value};

use crate::catalogue::path::{members, pair_key, pair_value};

/// Terraform's path of a map's key: `tags.Owner`, `tags["kubernetes.io/role"]`.
#[must_use]
pub fn map_path(map: &str, key: &str) -> String {
    let mut characters = key.chars();
    let plain = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain {
        format!("{map}.{key}")
    } else {
        format!("{map}[{}]", Value::String(key.to_owned()))
    }
}

/// The key of a path that lies in a map; `prefix` is the map's path and a dot.
pub(super) fn key_below(path: &str, map: &str, prefix: &str) -> Option<String> {
    if let Some(key) = path.strip_prefix(prefix) {
        return Some(key.to_owned());
    }
    let quoted = path
        .strip_prefix(map)?
        .strip_prefix('[')?
        .strip_suffix(']')?;
    serde_json::from_str(quoted).ok()
}

/// A map of the state; `tags` with what the provider's default tags add to them.
pub(super) fn held_map(attributes: &Map<String, Value>, path: &str) -> Map<String, Value> {
    let mut held = Map::new();
    let names = if path == "tags" {
        vec!["tags_all", "tags"]
    } else {
        vec![path]
    };
    for name in names {
        if let Value::Object(map) = at(attributes, name) {
            held.extend(map);
        }
    }
    held
}

/// The value at one of Terraform's paths.
#[must_use]
pub fn at(attributes: &Map<String, Value>, path: &str) -> Value {
    let mut names = path.split('.');
    let step = |value: Option<&Value>, index: bool| -> Option<Value> {
        match value {
            Some(Value::Array(list)) if index => list.first().cloned(),
            other => other.cloned(),
        }
    };
    let Some(first) = names.next() else {
        return Value::Null;
    };
    let split = |name: &str| {
        name.strip_suffix("[0]")
            .map(str::to_owned)
            .map_or((name.to_owned(), false), |name| (name, true))
    };
    let (name, index) = split(first);
    let mut value = step(attributes.get(&name), index);
    for name in names {
        let (name, index) = split(name);
        value = step(value.as_ref().and_then(|value| value.get(&name)), index);
    }
    value.unwrap_or(Value::Null)
}

/// The keys that a removal names. One with a value goes only if it has that value (Amazon EC2 API
/// Reference, *DeleteTags*; AWS Certificate Manager, *RemoveTagsFromCertificate*).
pub(super) fn keys_of(value: &Value, there: &dyn Fn(&str) -> Option<Value>) -> Vec<String> {
    let members = members(value);
    if let ([only], Value::Object(map)) = (members.as_slice(), value)
        && std::ptr::eq(*only, value)
        && pair_key(value).is_none()
    {
        return map.keys().cloned().collect();
    }
    members
        .into_iter()
        .filter(|member| match (pair_key(member), pair_value(member)) {
            (Some(key), Some(Value::String(named))) if !named.is_empty() => {
                there(key).is_none_or(|found| found.as_str() == Some(named.as_str()))
            }
            _ => true,
        })
        .filter_map(|member| {
            member
                .as_str()
                .or_else(|| pair_key(member))
                .map(str::to_owned)
        })
        .collect()
}
