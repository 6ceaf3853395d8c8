//! Values as a log gives them, turned into values as Terraform's schema has them.

use serde_json::{Map, Number, Value};

use super::path::{members, pair_key, pair_value};
use super::schema::Type;

/// What a call says of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Nothing.
    Absent,
    /// That it changes, but not to what.
    Hidden,
    /// A value in the log's own spelling, which can only be told to be the same or not.
    Alike(Value),
    /// The value.
    Value(Value),
}

/// Texts that stand where a log hides a value (CloudTrail, *Security best practices*, and as seen in records).
const HIDDEN: [&str; 9] = [
    "HIDDEN_DUE_TO_SECURITY_REASONS",
    "<sensitiveDataRemoved>",
    "**-redacted-**",
    "****",
    "***",
    "*****",
    "***REDACTED***",
    "[REDACTED]",
    "[PROTECTED]",
];

/// Whether a log hides the value that should stand here.
#[must_use]
pub fn is_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => HIDDEN.contains(&text.as_str()),
        _ => is_omitted(value),
    }
}

/// Whether a log left out a whole object because of its size.
#[must_use]
pub fn is_omitted(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        map.contains_key("omitted")
            && (map.contains_key("reason") || map.contains_key("originalSize"))
    })
}

/// Whether anything in a value is hidden.
#[must_use]
pub fn holds_hidden(value: &Value) -> bool {
    is_hidden(value)
        || match value {
            Value::Array(list) => list.iter().any(holds_hidden),
            Value::Object(map) => map.values().any(holds_hidden),
            _ => false,
        }
}

/// Whether a value says nothing: null, empty text, empty object.
#[must_use]
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Turns a logged value into one of the schema's type. None when it cannot be one.
#[must_use]
pub fn coerce(value: &Value, ty: &Type) -> Option<Value> {
    match ty {
        Type::Any => Some(value.clone()),
        Type::String | Type::Typed => match single(value) {
            Value::String(text) => Some(Value::String(text.clone())),
            Value::Null => Some(Value::Null),
            scalar @ (Value::Bool(_) | Value::Number(_)) => Some(Value::String(scalar.to_string())),
            document => Some(Value::String(document.to_string())),
        },
        Type::Bool => boolean(single(value)),
        Type::Number => number(single(value)),
        Type::List(inner) | Type::Set(inner) => members(value)
            .into_iter()
            .map(|member| coerce(member, inner))
            .collect::<Option<_>>()
            .map(Value::Array),
        Type::Map(inner) => map(value, inner),
    }
}

fn boolean(value: &Value) -> Option<Value> {
    let truth = match value {
        Value::Bool(truth) => *truth,
        Value::Null => return Some(Value::Null),
        Value::Number(number) => number.as_f64()? != 0.0,
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "enabled" | "enable" | "on" | "yes" | "1" | "active" => true,
            "false" | "disabled" | "disable" | "off" | "no" | "0" | "suspended" | "inactive" => {
                false
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(Value::Bool(truth))
}

fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) | Value::Null => Some(value.clone()),
        Value::String(text) => text
            .parse::<i64>()
            .map(Number::from)
            .ok()
            .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
            .map(Value::Number),
        _ => None,
    }
}

/// A map, from an object or from a list of key/value pairs.
fn map(value: &Value, inner: &Type) -> Option<Value> {
    let pairs = members(value);
    let paired = match pairs.as_slice() {
        [only] if std::ptr::eq(*only, value) => is_lone_pair(value),
        pairs => pairs.iter().any(|pair| pair_key(pair).is_some()),
    };
    if paired {
        let mut map = Map::new();
        for pair in pairs {
            let value = pair_value(pair).unwrap_or(&Value::Null);
            map.insert(pair_key(pair)?.to_owned(), coerce(value, inner)?);
        }
        return Some(Value::Object(map));
    }
    match value {
        Value::Object(given) => given
            .iter()
            .map(|(key, value)| Some((key.clone(), coerce(value, inner)?)))
            .collect::<Option<Map<_, _>>>()
            .map(Value::Object),
        Value::Array(given) if given.is_empty() => Some(Value::Object(Map::new())),
        Value::Null => Some(Value::Null),
        _ => None,
    }
}

/// Whether an object is one key/value pair that stands for a list of one, and no map: a map of tags
/// may well have a key `Name`, `Path` or `Id`.
fn is_lone_pair(value: &Value) -> bool {
    let Some(map) = value.as_object() else {
        return false;
    };
    let keyed = map
        .keys()
        .any(|key| key.eq_ignore_ascii_case("key") || key.eq_ignore_ascii_case("tagKey"));
    let others = map.keys().filter(|key| *key != "tag").count();
    pair_key(value).is_some()
        && (pair_value(value).is_some() && (keyed || others == 2) || keyed && others == 1)
}

/// Sees `x`, `[x]`, `{value: x}`, `{content: x}`, `{items: [x]}` as `x`.
#[must_use]
pub fn single(value: &Value) -> &Value {
    match value {
        Value::Array(list) if list.len() == 1 => single(&list[0]),
        Value::Object(map) => {
            let inner = [
                "value",
                "Value",
                "content",
                "item",
                "items",
                "attributeValue",
            ]
            .iter()
            .find_map(|key| map.get(*key))
            .filter(|_| {
                map.len() == 1
                    || (map.len() == 2 && (map.contains_key("tag") || map.contains_key("quantity")))
            });
            inner.map_or(value, single)
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn logged_spellings_become_schema_types() {
        let strings = Type::Map(Box::new(Type::String));
        let cases = [
            (json!("5"), Type::Number, json!(5)),
            (json!(5), Type::String, json!("5")),
            (json!({"value": "true"}), Type::Bool, json!(true)),
            (json!("Suspended"), Type::Bool, json!(false)),
            (
                json!({"items": ["a", "b"]}),
                Type::Set(Box::new(Type::String)),
                json!(["a", "b"]),
            ),
            (json!("a"), Type::List(Box::new(Type::String)), json!(["a"])),
            (
                json!([{"key": "a", "value": "b"}]),
                strings.clone(),
                json!({"a": "b"}),
            ),
            (
                json!({"Tag": {"Key": "a", "Value": true}})["Tag"].clone(),
                strings.clone(),
                json!({"a": "true"}),
            ),
            (
                json!([{"tagKey": "a"}]),
                strings.clone(),
                json!({"a": null}),
            ),
            (
                json!({"Name": "api", "Owner": "eve"}),
                strings.clone(),
                json!({"Name": "api", "Owner": "eve"}),
            ),
            (json!({"Id": "7"}), strings.clone(), json!({"Id": "7"})),
            (
                json!({"tag": 1, "Key": "a", "Value": "b"}),
                strings,
                json!({"a": "b"}),
            ),
            (
                json!({"Statement": []}),
                Type::String,
                json!("{\"Statement\":[]}"),
            ),
        ];
        for (value, ty, want) in cases {
            assert_eq!(coerce(&value, &ty), Some(want), "{value}");
        }
    }

    #[test]
    fn a_text_that_is_no_number_is_not_guessed() {
        assert_eq!(coerce(&json!("five"), &Type::Number), None);
    }
}
