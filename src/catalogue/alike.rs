//! Tells that a call sets an attribute to what it is already, where no rule says how to read the
//! value: the same names with the same values under them, as far as spelling goes.
//!
//! A request spells `routingRule: {match: {pathPatterns: ["/a"]}}` what a state holds as
//! `routing_rule = [{match = [{path_patterns = ["/a"]}]}]`. That two such values are the same can be
//! seen; how they differ cannot be told from names alone, so that what is not the same stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::path::members;
use super::schema::{Block, Body, Nesting, Type};
use super::value::coerce;

/// Deeper nesting than requests have; a bound for the recursion.
pub(super) const DEEPEST: usize = 64;

/// Whether the blocks that a state holds and what a call gives say the same.
#[must_use]
pub fn same(held: &Value, given: &Value, block: &Block) -> bool {
    blocks(held, given, block, 0)
}

fn blocks(held: &Value, given: &Value, block: &Block, depth: usize) -> bool {
    let held: Vec<&Value> = match held {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let given = match given {
        // `allow: {}` says that the block is there.
        Value::Object(map) if map.is_empty() => vec![given],
        given => members(given),
    };
    let same = |one: &&Value, other: &&Value| body(one, other, &block.body, depth + 1);
    depth < DEEPEST
        && match block.nesting {
            Nesting::Map => false,
            Nesting::Set => pairs_up(&held, &given, same),
            _ => held.len() == given.len() && held.iter().zip(&given).all(|(a, b)| same(a, b)),
        }
}

/// Whether each member of one list finds a partner of its own in the other.
fn pairs_up<T>(one: &[T], other: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    let mut left: Vec<&T> = other.iter().collect();
    one.len() == other.len()
        && one.iter().all(|member| {
            let at = left.iter().position(|other| same(member, other));
            at.map(|at| left.swap_remove(at)).is_some()
        })
}

/// Whether one block of the state and one of a call say the same.
pub(super) fn body(held: &Value, given: &Value, body: &Body, depth: usize) -> bool {
    let (Value::Object(held), Value::Object(given)) = (held, given) else {
        return false;
    };
    let names = || body.attributes.keys().chain(body.blocks.keys());
    let mut seen = BTreeSet::new();
    for (key, value) in given {
        let key = Name::of(key);
        let Some(name) = names().find(|name| Name::of(name) == key) else {
            if says_nothing(value) {
                continue;
            }
            return false;
        };
        let own = held.get(name.as_str()).unwrap_or(&Value::Null);
        let same = match (body.attributes.get(name), body.blocks.get(name)) {
            (Some(attribute), _) => values(own, value, &attribute.ty),
            (None, Some(block)) => blocks(own, value, block, depth),
            (None, None) => false,
        };
        if !same || !seen.insert(name.as_str()) {
            return false;
        }
    }
    // What the call leaves out must be nothing, or filled in by the provider.
    held.iter()
        .filter(|(name, _)| !seen.contains(name.as_str()))
        .all(|(name, value)| {
            let filled = body.attributes.get(name);
            filled.is_some_and(|attribute| attribute.computed) || says_nothing(value)
        })
}

fn values(held: &Value, given: &Value, ty: &Type) -> bool {
    if says_nothing(held) && says_nothing(given) {
        return true;
    }
    match ty {
        Type::Any => plain(held, 0) == plain(given, 0),
        Type::List(inner) | Type::Set(inner) => {
            let held = members(held);
            let given = members(given);
            let same = |one: &&Value, other: &&Value| values(one, other, inner);
            if matches!(ty, Type::Set(_)) {
                pairs_up(&held, &given, same)
            } else {
                held.len() == given.len() && held.iter().zip(&given).all(|(a, b)| same(a, b))
            }
        }
        Type::Map(_) => match (held, coerce(given, ty)) {
            (Value::Object(held), Some(Value::Object(given))) => {
                held.len() == given.len()
                    && held
                        .iter()
                        .all(|(key, value)| given.get(key).is_some_and(|given| given == value))
            }
            _ => false,
        },
        Type::String | Type::Typed | Type::Number | Type::Bool => {
            match (plain(held, 0), plain(given, 0)) {
                (Some(Plain::Text(held)), Some(Plain::Text(given))) => held == given,
                _ => false,
            }
        }
    }
}

/// Whether a value means no more than its absence. A block without plain values means that it is there.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(says_nothing),
        Value::Object(map) => {
            let plain = |value: &Value| !value.is_array() && !value.is_object();
            map.values().all(says_nothing) && map.values().any(plain)
        }
    }
}

/// A name without what spellings differ in: case, what stands between words, one or many.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn of(name: &str) -> Self {
        let mut bare: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        if let Some(stem) = bare.strip_suffix("ies") {
            bare = format!("{stem}y");
        } else if let Some(stem) = bare.strip_suffix('s') {
            bare.truncate(stem.len());
        }
        Self(bare)
    }
}

/// A value of which no schema is known, without what spellings differ in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plain {
    Text(String),
    /// In any order.
    List(Vec<Plain>),
    Block(BTreeMap<Name, Plain>),
    /// Two members of one name: like nothing, so that it never equals by chance.
    Unclear(String),
}

fn plain(value: &Value, depth: usize) -> Option<Plain> {
    if depth > DEEPEST {
        return Some(Plain::Unclear(value.to_string()));
    }
    match value {
        Value::Object(map) if bytes(value).is_none() => {
            let mut block = BTreeMap::new();
            for (key, value) in map {
                if let Some(value) = plain(value, depth + 1)
                    && block.insert(Name::of(key), value).is_some()
                {
                    return Some(Plain::Unclear(format!("{map:?}")));
                }
            }
            Some(Plain::Block(block))
        }
        Value::Object(_) => bytes(value).map(Plain::Text),
        Value::Array(list) => {
            let mut list: Vec<Plain> = list
                .iter()
                .filter_map(|member| plain(member, depth + 1))
                .collect();
            list.sort();
            match (list.pop(), list.is_empty()) {
                (None, _) => None,
                // A state keeps one block in a list.
                (Some(block @ Plain::Block(_)), true) => Some(block),
                (Some(last), _) => {
                    list.push(last);
                    Some(Plain::List(list))
                }
            }
        }
        value if says_nothing(value) => None,
        Value::String(text) => Some(Plain::Text(text.clone())),
        Value::Number(number) => Some(Plain::Text(
            number
                .as_f64()
                .map_or_else(|| number.to_string(), |number| number.to_string()),
        )),
        other => Some(Plain::Text(other.to_string())),
    }
}

/// Bytes as some services log them: Java's buffer, `{"hb": [97], "offset": 0, "limit": 1, …}`. Not
/// all of them log where it ends.
pub(super) fn bytes(value: &Value) -> Option<String> {
    let number = |number: &Value| usize::try_from(number.as_u64()?).ok();
    let all = value.get("hb")?.as_array()?;
    let all = all.get(value.get("offset").map_or(Some(0), number)?..)?;
    let all = match value.get("limit") {
        Some(limit) => all.get(..number(limit)?)?,
        None => all,
    };
    let byte = |byte: &Value| u8::try_from(byte.as_i64()? & 0xff).ok();
    let bytes = all.iter().map(byte);
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::schema::{self, Leaf};

    fn block(resource_type: &str, path: &'static str) -> &'static Block {
        let body = schema::resource(resource_type).expect("a type");
        match body.at(path).expect("an argument").leaf {
            Leaf::Block(block) => block,
            _ => panic!("no block"),
        }
    }

    #[test]
    fn what_is_the_same_but_for_spelling_is_alike_and_nothing_else_is() {
        let rule = block("aws_wafv2_web_acl", "rule");
        let held = json!([{
            "name": "no", "priority": 1,
            "action": [{"allow": [], "block": [{"custom_response": []}], "count": []}],
            "override_action": [], "captcha_config": [], "rule_label": [],
            "statement": [{"byte_match_statement": [{"search_string": "evil", "positional_constraint": "CONTAINS",
                "field_to_match": [{"uri_path": [{}], "method": []}],
                "text_transformation": [{"priority": 0, "type": "NONE"}, {"priority": 1, "type": "LOWERCASE"}]}], "geo_match_statement": []}],
            "visibility_config": [{"cloudwatch_metrics_enabled": true, "metric_name": "no", "sampled_requests_enabled": false}],
        }]);
        let given = json!([{
            "name": "no", "priority": 1, "action": {"block": {}},
            "statement": {"byteMatchStatement": {
                "searchString": {"hb": [101, 118, 105, 108], "offset": 0, "limit": 4, "capacity": 4},
                "positionalConstraint": "CONTAINS", "fieldToMatch": {"uriPath": {}},
                "textTransformations": [{"priority": 1, "type": "LOWERCASE"}, {"priority": 0, "type": "NONE"}]}},
            "visibilityConfig": {"sampledRequestsEnabled": false, "cloudWatchMetricsEnabled": true, "metricName": "no"},
        }]);
        assert!(same(&held, &given, rule));
        let changes = [
            ("/0/action", json!({"count": {}})),
            ("/0/action", json!({})),
            ("/0/priority", json!(2)),
            (
                "/0/statement/byteMatchStatement/fieldToMatch",
                json!({"method": {}}),
            ),
            (
                "/0/statement/byteMatchStatement/searchString/hb/0",
                json!(102),
            ),
            (
                "/0/statement/byteMatchStatement/textTransformations",
                json!([{"priority": 0, "type": "NONE"}]),
            ),
            ("/0/visibilityConfig/sampledRequestsEnabled", json!(true)),
            ("/0/captchaConfig", json!({"novel": {"x": 1}})),
        ];
        for (place, value) in changes {
            let mut other = given.clone();
            if let Some(at) = other.pointer_mut(place) {
                *at = value;
            } else {
                other[0]["captchaConfig"] = value;
            }
            assert!(!same(&held, &other, rule), "{place}");
        }
        let twice = json!([given[0], given[0]]);
        assert!(!same(&held, &twice, rule));
        assert!(!same(&json!([]), &given, rule));
    }

    #[test]
    fn order_counts_where_the_schema_says_so() {
        let route = block("aws_appmesh_route", "spec");
        let spec = |first: u8, second: u8| {
            json!([{"priority": 0, "http_route": [{"action": [{"weighted_target": [
                {"virtual_node": "a", "weight": first, "port": 0}, {"virtual_node": "b", "weight": second, "port": 0}]}]}]}])
        };
        let given = json!({"httpRoute": {"action": {"weightedTargets": [
            {"virtualNode": "b", "weight": 10}, {"virtualNode": "a", "weight": 90}]}}});
        assert!(same(&spec(90, 10), &given, route), "a set has no order");
        assert!(
            !same(&spec(10, 90), &given, route),
            "the same leaves, elsewhere"
        );
        let list = block("aws_appmesh_virtual_node", "spec");
        let spec = |first: &str, second: &str| {
            json!([{"listener": [
                {"port_mapping": [{"port": 80, "protocol": first}]},
                {"port_mapping": [{"port": 81, "protocol": second}]}]}])
        };
        let given = json!({"listeners": [
            {"portMapping": {"port": 80, "protocol": "http"}},
            {"portMapping": {"port": 81, "protocol": "tcp"}}]});
        assert!(same(&spec("http", "tcp"), &given, list));
        assert!(!same(&spec("tcp", "http"), &given, list));
        let turned = json!({"listeners": [given["listeners"][1], given["listeners"][0]]});
        assert!(!same(&spec("http", "tcp"), &turned, list));
    }

    #[test]
    fn keys_of_maps_are_no_names() {
        let logging = block(
            "aws_networkfirewall_logging_configuration",
            "logging_configuration",
        );
        let held = json!([{"log_destination_config": [
            {"log_type": "FLOW", "log_destination_type": "S3", "log_destination": {"bucketName": "logs"}}]}]);
        let given = |key: &str| {
            json!({"logDestinationConfigs": [
                {"logType": "FLOW", "logDestinationType": "S3", "logDestination": {key: "logs"}}]})
        };
        assert!(same(&held, &given("bucketName"), logging));
        assert!(!same(&held, &given("bucket_name"), logging));
    }
}
