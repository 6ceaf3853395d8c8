//! JSON documents compared by meaning: any JSON as JSON, IAM policies with IAM's equivalences.

use serde_json::{Map, Value};

use crate::catalogue::aws::identifier::Arn;

/// Whether two texts are JSON documents of the same meaning.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => agree(&canonical(one), &canonical(other), &alike),
        _ => false,
    }
}

/// Whether two texts are JSON documents of the same meaning to who tells a number from its text.
#[must_use]
pub fn same_typed(one: &str, other: &str) -> bool {
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => agree(&one, &other, &identical),
        _ => false,
    }
}

/// Whether two values have the same shape, whatever the order of keys, and plain values in it agree.
fn agree(one: &Value, other: &Value, plain: &dyn Fn(&Value, &Value) -> bool) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut members = one.iter();
            one.len() == other.len()
                && members.all(|(key, value)| {
                    let found = other.get(key);
                    found.is_some_and(|found| agree(value, found, plain))
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| agree(one, other, plain))
        }
        _ => plain(one, other),
    }
}

/// Equal but for 5 and 5.0.
fn identical(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Reads a text that holds a JSON object or list, percent-encoded or not.
#[must_use]
pub fn parse(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.starts_with(['{', '[']) {
        return serde_json::from_str(text).ok();
    }
    if text.starts_with("%7B") || text.starts_with("%5B") {
        let decoded = percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .ok()?;
        return serde_json::from_str(&decoded).ok();
    }
    None
}

/// One spelling for all documents of one meaning. Policies are those that have a `Statement`
/// (IAM, *JSON policy element reference*).
#[must_use]
pub fn canonical(document: Value) -> Value {
    match document {
        Value::Object(map) if map.contains_key("Statement") => policy(map),
        other => plain(other),
    }
}

/// Equal but for numbers and truths written as text (`"maxReceiveCount": "5"`), which services read
/// as what they are.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(text), scalar @ (Value::Number(_) | Value::Bool(_)))
        | (scalar @ (Value::Number(_) | Value::Bool(_)), Value::String(text)) => {
            let written = scalar.to_string();
            *text == written
        }
        _ => one == other,
    }
}

/// Any JSON: keys sorted, nulls left out, whole numbers alike.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, plain(value)))
                .collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::Number(number) => match number.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and small"
            )]
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => {
                Value::String((float as i64).to_string())
            }
            _ => Value::String(number.to_string()),
        },
        Value::Bool(truth) => Value::String(truth.to_string()),
        other => other,
    }
}

fn policy(map: Map<String, Value>) -> Value {
    let mut out = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Statement" => unordered(list(value).into_iter().map(statement).collect()),
            _ => plain(value),
        };
        out.insert(key, value);
    }
    plain(Value::Object(out))
}

fn statement(value: Value) -> Value {
    let Value::Object(map) = value else {
        return plain(value);
    };
    let mut out = Map::new();
    for (key, value) in map {
        let value = match key.as_str() {
            "Action" | "NotAction" => unordered(
                list(value)
                    .into_iter()
                    .map(|action| lower(&action))
                    .collect(),
            ),
            "Resource" | "NotResource" => unordered(list(value)),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            // An empty statement id is none.
            "Sid" if value.as_str() == Some("") => continue,
            _ => plain(value),
        };
        out.insert(key, value);
    }
    plain(Value::Object(out))
}

/// `"*"` and `{"AWS": "*"}` are one, as are an account's number and its root ARN.
fn principal(value: Value) -> Value {
    let map = match value {
        Value::Object(map) => map,
        everyone => {
            return Value::Object(Map::from_iter([(
                String::from("AWS"),
                unordered(list(everyone)),
            )]));
        }
    };
    let kinds = map.into_iter().map(|(kind, who)| {
        let who = list(who)
            .into_iter()
            .map(|who| match who.as_str().and_then(account_of) {
                Some(account) => Value::String(account),
                None => who,
            });
        (kind, unordered(who.collect()))
    });
    plain(Value::Object(kinds.collect()))
}

fn account_of(principal: &str) -> Option<String> {
    let arn = Arn::parse(principal)?;
    (arn.service == "iam" && arn.resource == "root").then(|| arn.account.to_owned())
}

/// Names of condition keys have no case; their values may be one or a list.
fn condition(value: Value) -> Value {
    let Value::Object(operators) = value else {
        return plain(value);
    };
    let operators = operators.into_iter().map(|(operator, keys)| {
        let keys = match keys {
            Value::Object(keys) => Value::Object(
                keys.into_iter()
                    .map(|(key, values)| {
                        let values = list(values).iter().map(text).collect();
                        (key.to_ascii_lowercase(), unordered(values))
                    })
                    .collect(),
            ),
            other => other,
        };
        (operator, plain(keys))
    });
    plain(Value::Object(operators.collect()))
}

/// A value, or a list of values, as a list.
fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn unordered(mut list: Vec<Value>) -> Value {
    list.sort_by_cached_key(Value::to_string);
    list.dedup();
    Value::Array(list)
}

fn lower(value: &Value) -> Value {
    value.as_str().map_or_else(
        || value.clone(),
        |text| Value::String(text.to_ascii_lowercase()),
    )
}

fn text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_of_one_meaning_are_the_same() {
        let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":"*"}}"#;
        let cases = [
            (
                r#"{"Statement":[{"Principal":{"AWS":["*"]},"Resource":["*"],"Action":["s3:getobject"],"Effect":"Allow"}],"Version":"2012-10-17"}"#,
                true,
            ),
            (
                r#"{"Statement":[{"Principal":{"AWS":"*"},"Resource":"*","Action":["s3:GetObject","s3:PutObject"],"Effect":"Allow"}],"Version":"2012-10-17"}"#,
                false,
            ),
            (
                r#"{"Statement":[{"Principal":{"AWS":"*"},"Resource":"*","Action":"s3:GetObject","Effect":"Deny"}],"Version":"2012-10-17"}"#,
                false,
            ),
        ];
        for (other, want) in cases {
            assert_eq!(same(one, other), want, "{other}");
        }
        let account = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:SecureTransport":true}}}]}"#;
        let root = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root"]},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:SecureTransport":["true"]}}}]}"#;
        assert!(same(account, root));
        let key = account.replace("aws:SecureTransport", "AWS:securetransport");
        assert!(same(&key, root));
        assert!(!same(&account.replace("true", "false"), root));
    }

    #[test]
    fn other_documents_keep_the_order_of_their_lists() {
        assert!(same(
            r#"{"a":1,"b":[1,2],"c":null}"#,
            r#"{"b":[1.0,"2"],"a":"1"}"#
        ));
        assert!(!same(r#"{"a":"3"}"#, r#"{"a":4}"#));
        assert!(!same(r#"{"b":[2,1]}"#, r#"{"b":[1,2]}"#));
        assert!(!same("a", "b"));
    }
}
