//! Lists of a resource: what they hold after a call added members or blocks, or took some out.

use serde_json::{Map, Value};

use crate::catalogue::rule::{Change, Fields, Operation, Shape};
use crate::catalogue::schema::Type;
use crate::catalogue::text::Text;
use crate::drift::compare;

/// What a call leaves a list at.
pub(super) fn changed_list(change: &Change, list: &Value, given: Value) -> Value {
    let old: Vec<Value> = match list {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let given = match given {
        Value::Array(given) => given,
        one => vec![one],
    };
    let list = match (&change.shape, change.operation) {
        (Shape::Blocks { fields, .. }, Operation::Remove) => {
            given.iter().fold(old, |list, block| {
                without_block(list, block, fields, change.key.as_deref())
            })
        }
        (Shape::Blocks { fields, .. }, _) => given.into_iter().fold(old, |list, block| {
            with_block(list, block, fields, change.key.as_deref())
        }),
        (Shape::Plain(ty) | Shape::Tag(ty), operation) => {
            let inner = match ty {
                Type::List(inner) | Type::Set(inner) => inner,
                other => other,
            };
            let mut list = old;
            if operation == Operation::Remove {
                list.retain(|member| !given.iter().any(|gone| compare::equal(member, gone, inner)));
            } else {
                for new in given {
                    if !list
                        .iter()
                        .any(|member| compare::equal(member, &new, inner))
                    {
                        list.push(new);
                    }
                }
            }
            list
        }
    };
    Value::Array(list)
}

/// Whether two blocks agree in all plain fields that the call gives; lists are compared member by member elsewhere.
fn agree(block: &Value, given: &Value, fields: &Fields, key: Option<&str>) -> bool {
    let names: Vec<&str> = fields
        .keys()
        .map(Text::as_str)
        .filter(|name| key.is_none_or(|key| *name == key))
        .collect();
    names.into_iter().all(|name| {
        let (one, other) = (
            block.get(name).unwrap_or(&Value::Null),
            given.get(name).unwrap_or(&Value::Null),
        );
        other.is_null() || other.is_array() || compare::equal(one, other, &Type::Any)
    })
}

fn list_fields(given: &Value) -> Vec<String> {
    let fields = given.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| {
            value
                .as_array()
                .is_some_and(|list| list.iter().all(|member| !member.is_object()))
        })
        .map(|(name, _)| name.clone())
        .collect()
}

fn without_block(
    list: Vec<Value>,
    given: &Value,
    fields: &Fields,
    key: Option<&str>,
) -> Vec<Value> {
    let lists = list_fields(given);
    let mut out = Vec::new();
    for mut block in list {
        if !agree(&block, given, fields, key) {
            out.push(block);
            continue;
        }
        if lists.is_empty() {
            continue;
        }
        for name in &lists {
            let gone = given
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            if let Some(members) = block.get_mut(name).and_then(Value::as_array_mut) {
                members.retain(|member| !gone.contains(member));
            }
        }
        // A rule without any source is no rule; lists that the block has beside the given ones count.
        let holds = block
            .as_object()
            .into_iter()
            .flatten()
            .any(|(name, value)| {
                let member_list = lists.contains(name)
                    || fields.get(name.as_str()).is_some_and(|field| {
                        matches!(field.ty, Some(Type::List(_) | Type::Set(_)))
                    });
                member_list && value.as_array().is_some_and(|list| !list.is_empty())
            });
        if holds || block.get("self").and_then(Value::as_bool) == Some(true) {
            out.push(block);
        }
    }
    out
}

/// A block of the same key takes the place of the old one: of what the rule knows, what the call
/// leaves out is gone.
fn replace_block(block: &mut Map<String, Value>, given: Value, fields: &Fields) {
    for (name, field) in fields {
        if let Some(old) = block.get_mut(name.as_str()).filter(|_| !field.computed) {
            *old = match old {
                Value::String(_) => Value::String(String::new()),
                Value::Array(_) => Value::Array(Vec::new()),
                _ => Value::Null,
            };
        }
    }
    if let Value::Object(given) = given {
        block.extend(given);
    }
}

fn with_block(
    mut list: Vec<Value>,
    given: Value,
    fields: &Fields,
    key: Option<&str>,
) -> Vec<Value> {
    let lists = list_fields(&given);
    if let Some(at) = list
        .iter()
        .position(|block| agree(block, &given, fields, key))
    {
        if let Some(block) = list.get_mut(at).and_then(Value::as_object_mut) {
            if key.is_some() {
                replace_block(block, given, fields);
                return list;
            }
            for (name, value) in given.as_object().into_iter().flatten() {
                match (block.get_mut(name), value) {
                    (Some(Value::Array(old)), Value::Array(new)) if lists.contains(name) => {
                        for member in new {
                            if !old.contains(member) {
                                old.push(member.clone());
                            }
                        }
                    }
                    _ if lists.contains(name) => {
                        block.insert(name.clone(), value.clone());
                    }
                    _ => {}
                }
            }
        }
        return list;
    }
    list.push(given);
    list
}
