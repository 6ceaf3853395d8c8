//! Spells blocks of a call as the state spells them, by names alone: where a rule says that the two
//! differ in spelling and in nothing else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::alike::{DEEPEST, Name, body, bytes, says_nothing};
use super::path::members;
use super::schema::{Block, Body, Nesting, Type};
use super::text::Text;
use super::value::{coerce, is_hidden};

/// Names of a call that no rule of spelling makes the state's, where no schema is known.
pub type Names = BTreeMap<Text, Value>;

/// What a call gives, in the state's spelling. Blocks that say what the state says are as the state
/// has them. None if anything of it has no place in the schema.
#[must_use]
pub fn respelt(held: &Value, given: &Value, block: &Block, names: &Names) -> Option<Value> {
    let mut left: Vec<&Value> = match held {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let list = given_blocks(given).into_iter().map(|given| {
        let same = |held: &&Value| body(held, given, &block.body, 1);
        match left.iter().position(same) {
            Some(at) => Some(left.swap_remove(at).clone()),
            None => one(given, &block.body, names, 1),
        }
    });
    nested(list.collect::<Option<_>>()?, block)
}

fn given_blocks(given: &Value) -> Vec<&Value> {
    match given {
        // `allow: {}` says that the block is there.
        Value::Object(map) if map.is_empty() => vec![given],
        given => members(given),
    }
}

fn nested(mut list: Vec<Value>, block: &Block) -> Option<Value> {
    match block.nesting {
        Nesting::Map => None,
        Nesting::Single => Some(list.pop().unwrap_or(Value::Null)),
        _ => Some(Value::Array(list)),
    }
}

fn one(given: &Value, body: &Body, words: &Names, depth: usize) -> Option<Value> {
    let given = given.as_object().filter(|_| depth < DEEPEST)?;
    let mut out = Map::new();
    for (key, value) in given {
        let key = Name::of(key);
        let mut names = body.attributes.keys().chain(body.blocks.keys());
        let Some(name) = names.find(|name| Name::of(name) == key) else {
            if says_nothing(value) {
                continue;
            }
            return None;
        };
        if is_hidden(value) || out.contains_key(name.as_str()) {
            return None;
        }
        let value = match (body.attributes.get(name), body.blocks.get(name)) {
            (Some(attribute), _) if attribute.ty == Type::Any => free(value, words, depth + 1)?,
            (Some(attribute), _) => match bytes(value) {
                Some(text) => Value::String(text),
                None => coerce(value, &attribute.ty)?,
            },
            (None, Some(_)) if value.is_null() => continue,
            (None, Some(block)) => {
                let list = given_blocks(value).into_iter();
                let list = list.map(|given| one(given, &block.body, words, depth + 1));
                nested(list.collect::<Option<_>>()?, block)?
            }
            (None, None) => return None,
        };
        out.insert(name.to_string(), value);
    }
    Some(Value::Object(out))
}

/// What no schema describes: names in snake case, each block in a list.
fn free(given: &Value, words: &Names, depth: usize) -> Option<Value> {
    if depth > DEEPEST || is_hidden(given) {
        return None;
    }
    if let Some(text) = bytes(given) {
        return Some(Value::String(text));
    }
    match given {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let name = match words.get(key.as_str()) {
                    Some(name) => name.as_str()?.to_owned(),
                    None => snake(key),
                };
                Some((name, free(value, words, depth + 1)?))
            };
            let block = map.iter().map(entry).collect::<Option<Map<_, _>>>()?;
            Some(Value::Array(vec![Value::Object(block)]))
        }
        Value::Array(list) => {
            let member = |given: &Value| {
                let spelt = free(given, words, depth + 1)?;
                match spelt {
                    // Of several blocks each is one in the list, in no list of its own.
                    Value::Array(mut block) if given.is_object() => block.pop(),
                    spelt => Some(spelt),
                }
            };
            list.iter()
                .map(member)
                .collect::<Option<_>>()
                .map(Value::Array)
        }
        plain => Some(plain.clone()),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::schema::{self, Leaf};

    fn rule() -> &'static Block {
        let body = schema::resource("aws_wafv2_web_acl").expect("a type");
        match body.at("rule").expect("an argument").leaf {
            Leaf::Block(block) => block,
            _ => panic!("no block"),
        }
    }

    #[test]
    fn what_changed_is_told_and_the_rest_stays_as_it_is() {
        let geo = json!({"name": "geo", "priority": 1, "action": [{"block": [{"custom_response": []}], "count": []}], "override_action": [],
            "statement": [{"geo_match_statement": [{"country_codes": ["AF"], "forwarded_ip_config": []}]}],
            "visibility_config": [{"cloudwatch_metrics_enabled": true, "metric_name": "geo", "sampled_requests_enabled": true}]});
        let same = json!({"name": "geo", "priority": 1, "action": {"block": {}}, "statement": {"geoMatchStatement": {"countryCodes": ["AF"]}},
            "visibilityConfig": {"sampledRequestsEnabled": true, "cloudWatchMetricsEnabled": true, "metricName": "geo"}});
        let new = json!({"name": "rate", "priority": 2, "action": {"count": {}}, "statement": {"rateBasedStatement": {"limit": 100, "aggregateKeyType": "IP"}}});
        let held = json!([geo]);
        assert_eq!(
            respelt(&held, &json!([new, same]), rule(), &Names::new()),
            Some(json!([
                {"name": "rate", "priority": 2, "action": [{"count": [{}]}],
                    "statement": [{"rate_based_statement": [{"limit": 100, "aggregate_key_type": "IP"}]}]},
                geo
            ]))
        );
        let novel = json!([{"name": "x", "novelSetting": {"limit": 1}}]);
        assert_eq!(respelt(&held, &novel, rule(), &Names::new()), None);
        let words =
            Names::from_iter([("textTransformations".into(), json!("text_transformation"))]);
        let xss = json!([{"name": "x", "statement": {"xssMatchStatement": {"fieldToMatch": {"body": {}},
            "textTransformations": [{"priority": 0, "type": "NONE"}]}}}]);
        assert_eq!(
            respelt(&held, &xss, rule(), &words),
            Some(
                json!([{"name": "x", "statement": [{"xss_match_statement": [{"field_to_match": [{"body": [{}]}],
                "text_transformation": [{"priority": 0, "type": "NONE"}]}]}]}])
            )
        );
        let lists = json!([{"name": "x", "statement": {"a": {"rows": [["u", "v"], []], "marks": [{"k": 1}]}}}]);
        assert_eq!(
            respelt(&held, &lists, rule(), &Names::new()),
            Some(
                json!([{"name": "x", "statement": [{"a": [{"rows": [["u", "v"], []], "marks": [{"k": 1}]}]}]}])
            )
        );
        let hidden = json!([{"name": "HIDDEN_DUE_TO_SECURITY_REASONS"}]);
        assert_eq!(respelt(&held, &hidden, rule(), &Names::new()), None);
        assert_eq!(
            respelt(&held, &json!([]), rule(), &Names::new()),
            Some(json!([]))
        );
    }
}
