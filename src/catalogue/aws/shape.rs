//! Older and odder request shapes, made readable by the paths of rules.

use serde_json::{Map, Value};

/// Adds to a request what its older or odder parts mean:
///
/// - EC2's `{"attribute": "instanceType", "value": "t3.micro"}` is read as `instanceType` too;
/// - SNS's `attributeName` with `attributeValue` as `attributes["…"]`;
/// - API Gateway's patch operations as `patch["…"]`.
#[must_use]
pub fn normalised(mut request: Value) -> Value {
    let Some(map) = request.as_object_mut() else {
        return request;
    };
    if let Some(name) = text(map, "attribute")
        && let Some(value) = map.get("value").cloned()
    {
        map.entry(name).or_insert(value);
    }
    if let Some(name) = text(map, "attributeName")
        && !map.contains_key("attributes")
    {
        let value = map
            .get("attributeValue")
            .cloned()
            .unwrap_or_else(|| Value::String(String::new()));
        map.insert(
            String::from("attributes"),
            Value::Object(Map::from_iter([(name, value)])),
        );
    }
    if let Some(patch) = patch(map) {
        map.insert(String::from("patch"), Value::Object(patch));
    }
    request
}

/// Whether a service tags resources of other services (Resource Groups Tagging API Reference,
/// *TagResources*).
#[must_use]
pub fn tags_for_others(service: &str) -> bool {
    service == "tagging.amazonaws.com"
}

/// The version suffix that Lambda and `CloudFront` add to event names, taken away
/// (`UpdateFunctionConfiguration20150331v2`, `CreateFunction2020_05_31`).
#[must_use]
pub fn without_version(event: &str) -> &str {
    if !event.ends_with(|end: char| end.is_ascii_digit()) {
        return event;
    }
    let digits = |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_digit());
    let bare = match event.rsplit_once('v') {
        Some((bare, version))
            if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            bare
        }
        _ => event,
    };
    if let Some(at) = bare.len().checked_sub(8)
        && let (Some(name), Some(date)) = (bare.get(..at), bare.get(at..))
        && date.starts_with("20")
        && digits(date)
    {
        return name;
    }
    if let Some(at) = event.len().checked_sub(10)
        && let (Some(name), Some(date)) = (event.get(..at), event.get(at..))
        && date.starts_with("20")
        && date.bytes().enumerate().all(|(index, byte)| {
            if index == 4 || index == 7 {
                byte == b'_'
            } else {
                byte.is_ascii_digit()
            }
        })
    {
        return name;
    }
    event
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn patch(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    let input = map
        .values()
        .find_map(|value| value.get("patchOperations"))
        .or_else(|| map.get("patchOperations"))?;
    let operations = super::super::path::members(input);
    let mut patch = Map::new();
    let mut groups: Map<String, Value> = Map::new();
    let mut added = Lists::default();
    let mut removed = Lists::default();
    for operation in operations {
        let word = |key| operation.get(key).and_then(Value::as_str);
        let Some(path) = word("path") else { continue };
        let value = match word("op") {
            Some("remove") => Value::String(String::new()),
            _ => operation.get("value").cloned().unwrap_or(Value::Null),
        };
        let given = operation.get("value").filter(|value| !value.is_null());
        match (word("op"), given) {
            (Some("add"), Some(given)) => added.push(path, given.clone()),
            (Some("remove"), Some(given)) => removed.push(path, given.clone()),
            _ => {}
        }
        // `/binaryMediaTypes/image~1png` is a member of a list, if it is not a key of a map.
        if let Some((list, member)) = path.rsplit_once('/')
            && !list.is_empty()
        {
            let member = Value::String(unescaped(member));
            match (word("op"), given) {
                (Some("add"), None) => added.push(list, member),
                (Some("remove"), _) => removed.push(list, member),
                (Some("replace"), Some(given)) => {
                    removed.push(list, member);
                    added.push(list, given.clone());
                }
                _ => {}
            }
        }
        if let Some((first, _)) = path.trim_start_matches('/').split_once('/')
            && path.matches('/').count() > 2
        {
            groups.insert(format!("/{first}/**"), Value::Bool(true));
        }
        // `/variables/backend` is a key of the map `/variables/*` as well.
        if let Some((group, key)) = path.rsplit_once('/')
            && !group.is_empty()
        {
            let removed = word("op") == Some("remove");
            let member = if removed { Value::Null } else { value.clone() };
            let map = groups
                .entry(format!("{group}/*"))
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(map) = map.as_object_mut() {
                map.insert(unescaped(key), member);
            }
        }
        patch.insert(path.to_owned(), value);
    }
    patch.extend(groups);
    patch.insert(String::from("added"), Value::Object(added.0));
    patch.insert(String::from("removed"), Value::Object(removed.0));
    Some(patch)
}

/// Members of lists, by path.
#[derive(Default)]
struct Lists(Map<String, Value>);

impl Lists {
    fn push(&mut self, path: &str, member: Value) {
        let list = self
            .0
            .entry(path)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = list.as_array_mut() {
            list.push(member);
        }
    }
}

/// A part of a JSON pointer as it was before it was put in one (RFC 6901).
fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn odd_shapes_become_readable() {
        let cases = [
            (
                json!({"attribute": "instanceType", "value": "t3.micro"}),
                "/instanceType",
                json!("t3.micro"),
            ),
            (
                json!({"attributeName": "DisplayName", "attributeValue": "x"}),
                "/attributes/DisplayName",
                json!("x"),
            ),
            (
                json!({"attributeName": "KmsMasterKeyId"}),
                "/attributes/KmsMasterKeyId",
                json!(""),
            ),
            (
                json!({"updateStageInput": {"patchOperations": [{"op": "replace", "path": "/tracingEnabled", "value": "false"}]}}),
                "/patch/~1tracingEnabled",
                json!("false"),
            ),
            (
                json!({"patchOperations": [{"op": "replace", "path": "/variables/backend", "value": "v1"}, {"op": "remove", "path": "/variables/old"}]}),
                "/patch/~1variables~1*",
                json!({"backend": "v1", "old": null}),
            ),
            (
                json!({"patchOperations": [{"op": "add", "path": "/apiStages", "value": "a:prod"}, {"op": "add", "path": "/apiStages", "value": "b:prod"},
                    {"op": "remove", "path": "/apiStages", "value": "c:prod"}]}),
                "/patch/added/~1apiStages",
                json!(["a:prod", "b:prod"]),
            ),
            (
                json!({"patchOperations": [{"op": "add", "path": "/binaryMediaTypes/image~1png"}, {"op": "replace", "path": "/binaryMediaTypes/a~1b", "value": "c/d"}]}),
                "/patch/added/~1binaryMediaTypes",
                json!(["image/png", "c/d"]),
            ),
            (
                json!({"patchOperations": [{"op": "replace", "path": "/apiStages/a:prod/throttle/~1pets/GET/rateLimit", "value": "1"}]}),
                "/patch/~1apiStages~1**",
                json!(true),
            ),
        ];
        for (request, pointer, want) in cases {
            assert_eq!(
                normalised(request.clone()).pointer(pointer),
                Some(&want),
                "{request}"
            );
        }
    }

    #[test]
    fn version_suffixes_are_taken_away_and_nothing_else() {
        let cases = [
            (
                "UpdateFunctionConfiguration20150331v2",
                "UpdateFunctionConfiguration",
            ),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateFunction2020_05_31", "CreateFunction"),
            (
                "DeleteFunctionConcurrency20171031",
                "DeleteFunctionConcurrency",
            ),
            ("CreateRestApi", "CreateRestApi"),
            ("PutBucketInventoryV2", "PutBucketInventoryV2"),
            ("v2", "v2"),
        ];
        for (event, want) in cases {
            assert_eq!(without_version(event), want);
        }
    }
}
