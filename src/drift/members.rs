//! Lists while members come and go: values of their own, and blocks whose inner lists share them.

use serde_json::{Map, Value};

use super::compare;
use crate::catalogue::rule::{Change, Fields, Operation, Shape};
use crate::catalogue::schema::Type;
use crate::catalogue::text::Text;

/// A list after members came or went.
#[must_use]
pub fn changed_list(change: &Change, list: &Value, given: Value) -> Value {
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
        (Shape::Spelt, _) => old,
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
        let itself = is_itself(given);
        if lists.is_empty() && !itself {
            continue;
        }
        if itself && let Some(own) = block.get_mut("self") {
            *own = Value::Bool(false);
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
        if holds || is_itself(&block) {
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

/// Writes out a block as the one is that its members left: it holds none of the others.
fn write_out(block: &mut Value, like: &Value) {
    let (Value::Object(block), Value::Object(like)) = (block, like) else {
        return;
    };
    for (name, value) in like.iter().filter(|(_, value)| !value.is_null()) {
        let empty = match value {
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Bool(_) => Value::Bool(false),
            _ => continue,
        };
        block.entry(name.as_str()).or_insert(empty);
    }
}

/// A list after its members were told of another value of one attribute: who shared a block with
/// others leaves it for one of the new value. None if one of them is not there.
#[must_use]
pub fn told_apart(list: &Value, given: &Value, fields: &Fields, by: &str) -> Option<Value> {
    let old = match list {
        Value::Array(list) => list.clone(),
        _ => Vec::new(),
    };
    let given = match given {
        Value::Array(given) => given.as_slice(),
        one => std::slice::from_ref(one),
    };
    let list = given.iter().try_fold(old, |list, block| {
        let mut bare = block.clone();
        bare.as_object_mut()?.remove(by);
        let names_members = !list_fields(&bare).is_empty() || is_itself(&bare);
        let held = list.iter().find(|held| holds(held, &bare, fields));
        let held = held.filter(|_| names_members)?.clone();
        let left = without_block(list, &bare, fields, None);
        let count = left.len();
        let mut list = with_block(left, block.clone(), fields, None);
        if let Some(new) = list.get_mut(count) {
            write_out(new, &held);
        }
        Some(list)
    })?;
    Some(Value::Array(list))
}

/// Whether a block is of a group that lets itself in.
fn is_itself(block: &Value) -> bool {
    block.get("self").and_then(Value::as_bool) == Some(true)
}

/// Whether a block of the list has all that another says: equal fields, and its members.
fn holds(held: &Value, bare: &Value, fields: &Fields) -> bool {
    agree(held, bare, fields, None)
        && list_fields(bare).iter().all(|name| {
            let members = |block: &Value| block.get(name).and_then(Value::as_array).cloned();
            let own = members(held).unwrap_or_default();
            let asked = members(bare).unwrap_or_default();
            asked.iter().all(|member| own.contains(member))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::rule::Field;
    use serde_json::json;

    fn fields() -> Fields {
        let text = |ty| Field {
            ty: Some(ty),
            computed: false,
            inner: None,
        };
        let list = || text(Type::Set(Box::new(Type::String)));
        [
            ("protocol".into(), text(Type::String)),
            ("description".into(), text(Type::String)),
            ("self".into(), text(Type::Bool)),
            ("cidr_blocks".into(), list()),
        ]
        .into()
    }

    #[test]
    fn a_member_leaves_the_block_of_its_old_description() {
        let held = json!([{"protocol": "tcp", "description": "web", "cidr_blocks": ["10.0.0.0/8", "172.16.0.0/12"]}]);
        let given = |cidr: &str, description: &str| json!({"protocol": "tcp", "description": description, "cidr_blocks": [cidr]});
        let told = |cidr, description| {
            told_apart(&held, &given(cidr, description), &fields(), "description")
        };
        assert_eq!(
            told("10.0.0.0/8", "vpn"),
            Some(
                json!([{"protocol": "tcp", "description": "web", "cidr_blocks": ["172.16.0.0/12"]}, given("10.0.0.0/8", "vpn")])
            )
        );
        let same = told("10.0.0.0/8", "web").map(|list| list[0]["cidr_blocks"].clone());
        assert_eq!(same, Some(json!(["172.16.0.0/12", "10.0.0.0/8"])));
        assert_eq!(told("192.168.0.0/16", "web"), None);
    }

    #[test]
    fn a_block_of_its_own_is_written_as_the_one_it_left() {
        let held = json!([{"protocol": "tcp", "description": "ssh", "cidr_blocks": ["192.0.2.0/24"], "security_groups": ["sg-1"], "self": true}]);
        let given =
            json!({"protocol": "tcp", "description": "bastion", "cidr_blocks": ["192.0.2.0/24"]});
        let told = told_apart(&held, &given, &fields(), "description");
        assert_eq!(
            told.map(|list| list[1].clone()),
            Some(
                json!({"protocol": "tcp", "description": "bastion", "cidr_blocks": ["192.0.2.0/24"], "security_groups": [], "self": false})
            )
        );
    }

    #[test]
    fn a_group_that_no_longer_lets_itself_in_may_still_let_others_in() {
        let held = vec![json!({"protocol": "tcp", "self": true, "cidr_blocks": ["10.0.0.0/8"]})];
        let left = without_block(
            held,
            &json!({"protocol": "tcp", "self": true}),
            &fields(),
            None,
        );
        assert_eq!(
            left,
            [json!({"protocol": "tcp", "self": false, "cidr_blocks": ["10.0.0.0/8"]})]
        );
    }
}
