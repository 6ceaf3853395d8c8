//! Whether two values mean the same: differs, equal, unknown.

use serde_json::Value;

use super::document;
use crate::catalogue::aws::identifier::{self, Arn};
use crate::catalogue::rule::{Field, Fields, Shape};
use crate::catalogue::schema::Type;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They mean the same.
    Equal,
    /// They do not.
    Differs,
    /// The evidence cannot tell, as between a key and an alias for one.
    Unknown,
}

/// Compares what Terraform believes with what the evidence ends with.
#[must_use]
pub fn compare(believed: &Value, found: &Value, shape: &Shape) -> Verdict {
    match shape {
        Shape::Tag(_) if believed.is_null() != found.is_null() => Verdict::Differs,
        Shape::Plain(ty) | Shape::Tag(ty) => plain(believed, found, ty),
        Shape::Spelt => {
            if spelt_the_same(believed, found) {
                Verdict::Equal
            } else {
                Verdict::Differs
            }
        }
        Shape::Blocks { ordered, fields } => {
            if blocks(believed, found, *ordered, fields) {
                Verdict::Equal
            } else {
                Verdict::Differs
            }
        }
    }
}

/// Compares two plain values. An identifier that can only be told from another by asking AWS is unknown.
fn plain(believed: &Value, found: &Value, ty: &Type) -> Verdict {
    if equal(believed, found, ty) {
        return Verdict::Equal;
    }
    match (believed.as_str(), found.as_str()) {
        (Some(one), Some(other)) if needs_lookup(one, other) || needs_lookup(other, one) => {
            Verdict::Unknown
        }
        _ => Verdict::Differs,
    }
}

/// A key's alias and a key's id may be one or two keys (KMS, *Key identifiers*).
fn needs_lookup(one: &str, other: &str) -> bool {
    let alias = |text: &str| text.starts_with("alias/") || text.contains(":alias/");
    let key =
        |text: &str| text.contains(":key/") || (text.len() == 36 && text.matches('-').count() == 4);
    alias(one) && key(other)
}

/// Whether two values are equal by meaning.
#[must_use]
pub fn equal(one: &Value, other: &Value, ty: &Type) -> bool {
    if is_empty(one) && is_empty(other) {
        return true;
    }
    match (one, other) {
        (Value::String(one), Value::String(other)) if *ty == Type::Typed => {
            one.trim_end() == other.trim_end() || document::same_typed(one, other)
        }
        (Value::String(one), Value::String(other)) => texts(one, other),
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            let inner = match ty {
                Type::List(inner) | Type::Set(inner) => inner,
                _ => &Type::Any,
            };
            lists(one, other, matches!(ty, Type::List(_)), &|one, other| {
                equal(one, other, inner)
            })
        }
        (Value::Object(one), Value::Object(other)) => {
            let inner = if let Type::Map(inner) = ty {
                inner
            } else {
                &Type::Any
            };
            one.keys().chain(other.keys()).all(|key| {
                equal(
                    one.get(key).unwrap_or(&Value::Null),
                    other.get(key).unwrap_or(&Value::Null),
                    inner,
                )
            })
        }
        (Value::String(text), scalar @ (Value::Number(_) | Value::Bool(_)))
        | (scalar @ (Value::Number(_) | Value::Bool(_)), Value::String(text)) => {
            spelt(text, scalar)
        }
        _ => one == other,
    }
}

fn spelt(text: &str, scalar: &Value) -> bool {
    match scalar {
        Value::Bool(truth) => text.eq_ignore_ascii_case(if *truth { "true" } else { "false" }),
        Value::Number(number) => text.trim().parse::<f64>().ok() == number.as_f64(),
        _ => false,
    }
}

fn texts(one: &str, other: &str) -> bool {
    one == other
        || document::same(one, other)
        || (Arn::parse(one).is_some() != Arn::parse(other).is_some()
            && identifier::same(one, other))
        || one.trim_end() == other.trim_end()
        || (one.eq_ignore_ascii_case(other) && is_weekly(one))
}

/// Whether a text is a weekly window, whose days services spell in lower case whatever they are
/// given: `Sun:05:00-Sun:06:00` (Amazon RDS User Guide, *The maintenance window*).
fn is_weekly(text: &str) -> bool {
    let is_moment = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() == 9
            && bytes.iter().enumerate().all(|(at, byte)| match at {
                0..=2 => byte.is_ascii_alphabetic(),
                3 | 6 => *byte == b':',
                _ => byte.is_ascii_digit(),
            })
    };
    text.split_once('-')
        .is_some_and(|(from, to)| is_moment(from) && is_moment(to))
}

/// Whether blocks of one spelling are equal: what is left out is nothing, an empty block is there.
fn spelt_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => lists(one, other, false, &spelt_the_same),
        (Value::Array(list), Value::Null) | (Value::Null, Value::Array(list)) => list.is_empty(),
        (Value::Object(one), Value::Object(other)) => one.keys().chain(other.keys()).all(|key| {
            let at = |map: &serde_json::Map<String, Value>| map.get(key).cloned();
            spelt_the_same(
                &at(one).unwrap_or(Value::Null),
                &at(other).unwrap_or(Value::Null),
            )
        }),
        (Value::Object(_), _) | (_, Value::Object(_)) => false,
        _ => equal(one, other, &Type::Any),
    }
}

/// Whether a value says no more than an absent one: null, false, zero, empty.
#[must_use]
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
    }
}

/// Compares lists; without order, each member must find a partner of its own.
fn lists(
    one: &[Value],
    other: &[Value],
    ordered: bool,
    same: &dyn Fn(&Value, &Value) -> bool,
) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if ordered {
        return one.iter().zip(other).all(|(one, other)| same(one, other));
    }
    let mut left: Vec<&Value> = other.iter().collect();
    one.iter()
        .all(|one| match left.iter().position(|other| same(one, other)) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        })
}

/// Compares lists of blocks by the fields that a rule knows.
fn blocks(believed: &Value, found: &Value, ordered: bool, fields: &Fields) -> bool {
    let (believed, found) = (as_list(believed), as_list(found));
    match (believed, found) {
        ([], blocks) | (blocks, []) if blocks.iter().all(says_nothing) => true,
        _ => lists(believed, found, ordered, &|one, other| {
            same_block(one, other, fields)
        }),
    }
}

/// Whether a block means no more than none at all: it has plain attributes, and all are empty
/// (`filter { prefix = "" }`). An empty block (`allow {}`) means that it is there.
fn says_nothing(block: &Value) -> bool {
    let plain = |value: &Value| !value.is_array() && !value.is_object();
    let Value::Object(fields) = block else {
        return false;
    };
    is_empty(block) && fields.values().any(plain)
}

fn as_list(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        Value::Null => &[],
        value => std::slice::from_ref(value),
    }
}

/// Whether a block of the state and one of a call are the same, as far as the call tells.
#[must_use]
pub fn same_block(believed: &Value, found: &Value, fields: &Fields) -> bool {
    fields.iter().all(|(name, field)| {
        let one = believed.get(name.as_str()).unwrap_or(&Value::Null);
        let other = found.get(name.as_str()).unwrap_or(&Value::Null);
        match field {
            Field { computed: true, .. } if other.is_null() => true,
            Field { ty: Some(ty), .. } => equal(one, other, ty),
            Field {
                inner: Some((ordered, inner)),
                ..
            } => blocks(one, other, *ordered, inner),
            Field { .. } => true,
        }
    })
}

/// What a call says, spelt as the state spells it: an ARN where the state has one, else a name;
/// blocks that did not change as the state has them.
#[must_use]
pub fn spelt_like(believed: &Value, found: Value, shape: &Shape) -> Value {
    match (shape, believed, found) {
        (Shape::Blocks { fields, .. }, Value::Array(old), Value::Array(new)) => {
            let mut left: Vec<&Value> = old.iter().collect();
            new.into_iter()
                .map(
                    |block| match left.iter().position(|old| same_block(old, &block, fields)) {
                        Some(at) => left.swap_remove(at).clone(),
                        None => block,
                    },
                )
                .collect()
        }
        (_, Value::String(old), Value::String(new)) if *old != new => {
            Value::String(text_like(old, new))
        }
        (_, Value::Array(old), Value::Array(new)) => {
            let sample = old
                .iter()
                .find_map(Value::as_str)
                .filter(|text| Arn::parse(text).is_some());
            new.into_iter()
                .map(|member| match (&member, sample) {
                    (Value::String(text), Some(old)) => Value::String(text_like(old, text.clone())),
                    _ => member,
                })
                .collect()
        }
        (_, _, found) => found,
    }
}

fn text_like(old: &str, new: String) -> String {
    match (Arn::parse(old), Arn::parse(&new)) {
        (Some(arn), None) if !new.is_empty() && !new.contains(['/', ' ', '{', '*']) => {
            let own = arn.resource.len() - arn.resource.find(['/', ':']).map_or(0, |at| at + 1);
            old.get(..old.len().saturating_sub(own))
                .map_or(new.clone(), |stem| format!("{stem}{new}"))
        }
        (None, Some(arn)) if !old.is_empty() && !old.contains(['/', ' ', '{', ':']) => {
            arn.name().rsplit('/').next().unwrap_or_default().to_owned()
        }
        _ => new,
    }
}

/// Members that are new and members that are gone, where both values are lists.
#[must_use]
pub fn members_changed(
    before: &Value,
    after: &Value,
    shape: &Shape,
) -> Option<(Vec<Value>, Vec<Value>)> {
    let (Value::Array(old), Value::Array(new)) = (before, after) else {
        return None;
    };
    let same = |one: &Value, other: &Value| match shape {
        Shape::Plain(Type::List(ty) | Type::Set(ty)) => equal(one, other, ty),
        Shape::Plain(ty) | Shape::Tag(ty) => equal(one, other, ty),
        Shape::Spelt => spelt_the_same(one, other),
        Shape::Blocks { fields, .. } => {
            same_block(one, other, fields) || same_block(other, one, fields)
        }
    };
    let without = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these
            .iter()
            .filter(|this| !those.iter().any(|that| same(this, that)))
            .cloned()
            .collect()
    };
    Some((without(new, old), without(old, new)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_block_of_empty_attributes_is_no_block_and_an_empty_block_is_one() {
        let field = |ty| Field {
            ty: Some(ty),
            computed: false,
            inner: None,
        };
        let nested = |fields: Fields| Field {
            ty: None,
            computed: false,
            inner: Some((true, fields)),
        };
        let filter = nested([("prefix".into(), field(Type::String))].into());
        let fields: Fields = [
            ("id".into(), field(Type::String)),
            ("filter".into(), filter),
            ("allow".into(), nested(Fields::new())),
        ]
        .into();
        let shape = Shape::Blocks {
            ordered: true,
            fields,
        };
        let held = json!([{"id": "a", "filter": [{"prefix": "", "tag": []}], "allow": []}]);
        assert_eq!(
            compare(&held, &json!([{"id": "a"}]), &shape),
            Verdict::Equal
        );
        let other = json!([{"id": "a", "filter": [{"prefix": "x"}]}]);
        assert_eq!(compare(&held, &other, &shape), Verdict::Differs);
        let allowed = json!([{"id": "a", "allow": [{}]}]);
        assert_eq!(compare(&held, &allowed, &shape), Verdict::Differs);
    }

    #[test]
    fn values_compare_by_meaning() {
        let set = Type::Set(Box::new(Type::String));
        let list = Type::List(Box::new(Type::String));
        let cases = [
            (json!("5"), json!(5), Type::Number, true),
            (json!("true"), json!(true), Type::Bool, true),
            (json!(null), json!({}), Type::Any, true),
            (json!(false), json!(null), Type::Bool, true),
            (json!(["a", "b"]), json!(["b", "a"]), set.clone(), true),
            (json!(["a", "b"]), json!(["b", "a"]), list, false),
            (json!(["a", "a"]), json!(["a", "b"]), set, false),
            (
                json!("arn:aws:iam::123456789012:role/app"),
                json!("app"),
                Type::String,
                true,
            ),
            (json!("gp2"), json!("gp3"), Type::String, false),
            (
                json!("sun:05:00-sun:06:00"),
                json!("Sun:05:00-Sun:06:00"),
                Type::String,
                true,
            ),
            (json!("prod"), json!("PROD"), Type::String, false),
            (
                json!(r#"{"maxReceiveCount":5,"on":true}"#),
                json!(r#"{"on":"true","maxReceiveCount":"5"}"#),
                Type::String,
                true,
            ),
            (
                json!(r#"{"version":"007"}"#),
                json!(r#"{"version":7}"#),
                Type::String,
                false,
            ),
            (
                json!(r#"{"detail":{"port":[5, 1.0]}}"#),
                json!(r#"{"detail": {"port": [5.0, 1]}}"#),
                Type::Typed,
                true,
            ),
            (
                json!(r#"{"detail":{"port":[5]}}"#),
                json!(r#"{"detail":{"port":["5"]}}"#),
                Type::Typed,
                false,
            ),
            (
                json!(r#"{"detail":{"port":[true]}}"#),
                json!(r#"{"detail":{"port":["true"]}}"#),
                Type::Typed,
                false,
            ),
            (json!("5"), json!("5"), Type::Typed, true),
            (json!(""), json!(null), Type::Typed, true),
            (json!(0), json!(1), Type::Number, false),
        ];
        for (one, other, ty, want) in cases {
            assert_eq!(equal(&one, &other, &ty), want, "{one} {other}");
            assert_eq!(equal(&other, &one, &ty), want, "{other} {one}");
        }
    }

    #[test]
    fn an_empty_block_is_there_and_an_empty_list_is_not() {
        let held = json!([{"name": "a", "action": [{"allow": [{}], "block": []}], "label": []}]);
        let cases = [
            (
                json!([{"name": "a", "action": [{"allow": [{}]}]}]),
                Verdict::Equal,
            ),
            (
                json!([{"name": "a", "action": [{"block": [{}]}]}]),
                Verdict::Differs,
            ),
            (json!([{"name": "a", "action": [{}]}]), Verdict::Differs),
            (json!([]), Verdict::Differs),
        ];
        for (other, want) in cases {
            assert_eq!(compare(&held, &other, &Shape::Spelt), want, "{other}");
        }
    }

    #[test]
    fn a_tag_without_a_value_is_a_tag() {
        let tag = Shape::Tag(Type::String);
        let cases = [
            (json!(null), json!(""), Verdict::Differs),
            (json!(""), json!(null), Verdict::Differs),
            (json!(null), json!(null), Verdict::Equal),
            (json!("5"), json!(5), Verdict::Equal),
        ];
        for (one, other, want) in cases {
            assert_eq!(compare(&one, &other, &tag), want, "{one} {other}");
        }
        let plain = Shape::Plain(Type::String);
        assert_eq!(compare(&json!(null), &json!(""), &plain), Verdict::Equal);
    }

    #[test]
    fn a_key_and_an_alias_cannot_be_told_apart_from_evidence() {
        let shape = Shape::Plain(Type::String);
        let key =
            json!("arn:aws:kms:us-east-1:123456789012:key/0aa11bb2-2cc3-4dd4-8ee5-5ff667788990");
        assert_eq!(compare(&key, &json!("alias/app"), &shape), Verdict::Unknown);
        assert_eq!(
            compare(&json!("alias/aws/sns"), &json!("alias/app"), &shape),
            Verdict::Differs
        );
    }

    #[test]
    fn a_name_is_spelt_as_an_arn_where_the_state_has_one() {
        let shape = Shape::Plain(Type::String);
        let cases = [
            (
                "arn:aws:ecs:us-east-1:1:task-definition/api:41",
                "api:42",
                "api:42",
            ),
            (
                "arn:aws:ecs:us-east-1:123456789012:task-definition/api:41",
                "api:42",
                "arn:aws:ecs:us-east-1:123456789012:task-definition/api:42",
            ),
            (
                "api-runtime",
                "arn:aws:iam::123456789012:instance-profile/api-admin",
                "api-admin",
            ),
            ("", "x", "x"),
            ("arn:aws:iam::123456789012:root", "*", "*"),
        ];
        for (old, new, want) in cases {
            assert_eq!(spelt_like(&json!(old), json!(new), &shape), json!(want));
        }
    }
}
