//! Makes two values look alike where they mean the same, so that a diff shows only what changed:
//! members of objects and lists in one order, one string and a list of one in one form.
//!
//! For showing only. What counts as a change was decided before a report is written.

use serde_json::{Map, Value};

/// Both values, with `after` laid out as `before` is.
pub fn align(before: &Value, after: &Value) -> (Value, Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let (before, after) = objects(before, after);
            (Value::Object(before), Value::Object(after))
        }
        (Value::Array(before), Value::Array(after)) => {
            let (before, after) = lists(before, after);
            (Value::Array(before), Value::Array(after))
        }
        (Value::Array(items), scalar) if !scalar.is_null() => align(
            &Value::Array(items.clone()),
            &Value::Array(vec![scalar.clone()]),
        ),
        (scalar, Value::Array(items)) if !scalar.is_null() => align(
            &Value::Array(vec![scalar.clone()]),
            &Value::Array(items.clone()),
        ),
        _ => (before.clone(), after.clone()),
    }
}

/// Two strings or two other values: documents in strings are not looked into here.
pub fn align_plain(before: &Value, after: &Value) -> (Value, Value) {
    match (before, after) {
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            align(before, after)
        }
        _ => (before.clone(), after.clone()),
    }
}

fn objects(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let mut left = Map::new();
    let mut right = Map::new();
    for (key, old) in before {
        if let Some(new) = after.get(key) {
            let (old, new) = align(old, new);
            left.insert(key.clone(), old);
            right.insert(key.clone(), new);
        } else {
            left.insert(key.clone(), old.clone());
        }
    }
    for (key, new) in after {
        if !before.contains_key(key) {
            right.insert(key.clone(), new.clone());
        }
    }
    (left, right)
}

fn lists(before: &[Value], after: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let mut rest: Vec<Option<&Value>> = after.iter().map(Some).collect();
    let mut partners: Vec<Option<&Value>> = before
        .iter()
        .map(|old| take(&mut rest, |new| new == old))
        .collect();
    // What has no equal is paired with its like: the statement of the same name, else the next
    // object that has none, so that a diff goes through it member by member.
    for (old, partner) in before.iter().zip(&mut partners) {
        if partner.is_none() && named(old).is_some() {
            *partner = take(&mut rest, |new| named(new) == named(old));
        }
    }
    for (old, partner) in before.iter().zip(&mut partners) {
        if partner.is_none() && old.is_object() {
            *partner = take(&mut rest, |new| {
                new.is_object() && (named(new).is_none() || named(old).is_none())
            });
        }
    }
    let mut left = Vec::with_capacity(before.len());
    let mut right = Vec::with_capacity(after.len());
    for (old, partner) in before.iter().zip(partners) {
        match partner {
            Some(new) => {
                let (old, new) = align(old, new);
                left.push(old);
                right.push(new);
            }
            None => left.push(old.clone()),
        }
    }
    right.extend(rest.into_iter().flatten().cloned());
    (left, right)
}

fn take<'a>(rest: &mut [Option<&'a Value>], wanted: impl Fn(&Value) -> bool) -> Option<&'a Value> {
    rest.iter_mut()
        .find(|value| value.is_some_and(&wanted))
        .and_then(Option::take)
}

/// The member that tells a policy statement or a block from its siblings.
fn named(value: &Value) -> Option<&Value> {
    ["Sid", "sid", "id", "name"]
        .into_iter()
        .find_map(|key| value.get(key))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_means_the_same_is_laid_out_the_same() {
        let cases = [
            (
                json!({"a": 1, "b": 2}),
                json!({"b": 2, "a": 1}),
                json!({"a": 1, "b": 2}),
            ),
            (
                json!(["x", "y"]),
                json!(["y", "z", "x"]),
                json!(["x", "y", "z"]),
            ),
            (
                json!({"Action": ["a"]}),
                json!({"Action": "a"}),
                json!({"Action": ["a"]}),
            ),
            (
                json!([{"Sid": "one", "Effect": "Allow"}, {"Sid": "two", "Effect": "Allow"}]),
                json!([{"Effect": "Deny", "Sid": "two"}, {"Effect": "Allow", "Sid": "one"}]),
                json!([{"Sid": "one", "Effect": "Allow"}, {"Sid": "two", "Effect": "Deny"}]),
            ),
        ];
        for (before, after, expected) in cases {
            let (left, right) = align(&before, &after);
            assert_eq!(right.to_string(), expected.to_string());
            assert_eq!(left.to_string(), before.to_string());
        }
    }

    #[test]
    fn nothing_is_lost_or_invented() {
        let before = json!([1, 1, 2, {"a": 1}]);
        let after = json!([2, 1, {"b": 1}, {"a": 2}, 3]);
        let (left, right) = align(&before, &after);
        assert_eq!(left, before);
        let mut members: Vec<String> = right
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        members.sort();
        let mut expected: Vec<String> = after
            .as_array()
            .into_iter()
            .flatten()
            .map(Value::to_string)
            .collect();
        expected.sort();
        assert_eq!(members, expected);
    }
}
