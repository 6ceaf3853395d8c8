//! Calls that are many calls in one, where a path does not reach: security-group rules, DNS change
//! batches, stage settings of an API.

use serde_json::{Map, Value, json};

use crate::catalogue::evaluate::View;
use crate::catalogue::path::{self, Path, members};
use crate::catalogue::transform::dns;
use crate::catalogue::value::{is_blank, single};

/// The names that rules may write behind `@`.
pub const NAMES: [&str; 4] = [
    "ip-permissions",
    "security-group-rules",
    "change-batch",
    "stage-methods",
];

/// The members that an expander makes of a call.
#[must_use]
pub fn expand(name: &str, view: &View<'_>) -> Vec<Value> {
    match name {
        "ip-permissions" => ip_permissions(view),
        "security-group-rules" => security_group_rules(view.request),
        "change-batch" => change_batch(view.request),
        "stage-methods" => stage_methods(view.request),
        _ => Vec::new(),
    }
}

/// Whether what an expander's members hold in a field stands so in the call, or behind the last
/// slash of a text there.
#[must_use]
pub fn copies(name: &str, field: &str) -> bool {
    match name {
        "ip-permissions" => matches!(field, "groupId" | "groupName" | "ruleId"),
        "security-group-rules" => matches!(field, "groupId" | "ruleId"),
        "change-batch" => matches!(field, "zone" | "type" | "setIdentifier"),
        _ => false,
    }
}

fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let steps = path
        .parse::<Path>()
        .map(|path| path.steps)
        .unwrap_or_default();
    path::select(value, &steps)
        .values
        .into_iter()
        .flat_map(members)
        .filter(|value| !is_blank(value))
        .collect()
}

fn one(value: &Value, path: &str) -> Value {
    at(value, path)
        .first()
        .map_or(Value::Null, |value| single(value).clone())
}

/// Each source of each permission on its own, whether they come as `ipPermissions`, in the flat old form,
/// or by rule id (EC2 API Reference, *`IpPermission`*).
fn ip_permissions(view: &View<'_>) -> Vec<Value> {
    let request = view.request;
    let rules: Vec<&Value> = ["securityGroupRuleSet", "revokedSecurityGroupRuleSet"]
        .iter()
        .flat_map(|set| at(view.response, set))
        .collect();
    let group = match one(request, "groupId") {
        Value::Null => rules
            .first()
            .map_or(Value::Null, |rule| one(rule, "groupId")),
        id => id,
    };
    let name = one(request, "groupName");
    let mut items = Vec::new();
    let permissions = at(request, "ipPermissions");
    let flat = [request];
    let sources = if permissions.is_empty() {
        flat.to_vec()
    } else {
        permissions
    };
    for permission in sources {
        let protocol = protocol(&one(permission, "ipProtocol"));
        let all = protocol == "-1" || protocol.is_empty();
        // Of all protocols the ports are none, and some clients write -1.
        let port = |path| match one(permission, path) {
            Value::Null if all => json!(0),
            Value::Number(number) if all && number.as_i64() == Some(-1) => json!(0),
            port => port,
        };
        let base = json!({
            "groupId": group, "groupName": name, "protocol": protocol,
            "fromPort": port("fromPort"), "toPort": port("toPort"),
        });
        let kinds = [
            ("ipRanges", "cidrIp", "cidrIpv4"),
            ("ipv6Ranges", "cidrIpv6", "cidrIpv6"),
            ("prefixListIds", "prefixListId", "prefixListId"),
            ("groups", "groupId", "sourceGroupId"),
            ("userIdGroupPairs", "groupId", "sourceGroupId"),
        ];
        for (list, member, field) in kinds {
            for range in at(permission, list) {
                let source = if range.is_object() {
                    one(range, member)
                } else {
                    range.clone()
                };
                if !source.is_null() {
                    items.push(item(
                        &base,
                        field,
                        source,
                        &one(range, "description"),
                        &rules,
                    ));
                }
            }
        }
        for (member, field) in [
            ("cidrIp", "cidrIpv4"),
            ("cidrIpv6", "cidrIpv6"),
            ("sourceSecurityGroupId", "sourceGroupId"),
        ] {
            let source = one(permission, member);
            if !source.is_null() {
                items.push(item(&base, field, source, &Value::Null, &rules));
            }
        }
    }
    let any = |sets: [&'static str; 3]| sets.into_iter().flat_map(|set| at(request, set));
    for told in any([
        "securityGroupRuleDescriptions",
        "securityGroupRuleDescriptionSet",
        "securityGroupRuleDescription",
    ]) {
        let mut item = one(told, "was").as_object().cloned().unwrap_or_default();
        item.insert(String::from("groupId"), group.clone());
        item.insert(String::from("ruleId"), one(told, "securityGroupRuleId"));
        item.insert(String::from("description"), one(told, "description"));
        items.push(Value::Object(item));
    }
    for id in any([
        "securityGroupRuleIds",
        "securityGroupRuleIdSet",
        "SecurityGroupRuleId",
    ]) {
        let was = one(id, "was");
        let id = if id.is_object() {
            one(id, "securityGroupRuleId")
        } else {
            id.clone()
        };
        let known = rules
            .iter()
            .find(|rule| one(rule, "securityGroupRuleId") == id);
        if let (None, Value::Object(was)) = (known, was) {
            items.push(Value::Object(was));
            continue;
        }
        let mut found = Map::from_iter([
            (String::from("groupId"), group.clone()),
            (String::from("ruleId"), id),
        ]);
        if let Some(rule) = known {
            let protocol = protocol(&one(rule, "ipProtocol"));
            found.insert(String::from("protocol"), json!(protocol));
            for (from, to) in [
                ("fromPort", "fromPort"),
                ("toPort", "toPort"),
                ("cidrIpv4", "cidrIpv4"),
                ("cidrIpv6", "cidrIpv6"),
                ("prefixListId", "prefixListId"),
                ("referencedGroupInfo.groupId", "sourceGroupId"),
                ("referencedGroupInfo.groupId", "referencedGroupId"),
            ] {
                found.insert(to.to_owned(), one(rule, from));
            }
        }
        items.push(Value::Object(found));
    }
    items
}

/// Each rule that is replaced by its id, spelt as the permissions of other calls are (EC2 API
/// Reference, *`SecurityGroupRuleUpdate`*). Where it is known what it was, that comes first, as `taken`
/// from inbound or outbound rules; then what it is, as `put` there.
fn security_group_rules(request: &Value) -> Vec<Value> {
    let group = one(request, "groupId");
    at(request, "securityGroupRule")
        .into_iter()
        .flat_map(|update| {
            let rule = at(update, "securityGroupRule");
            let rule = *rule.first().unwrap_or(&&Value::Null);
            let protocol = protocol(&one(rule, "ipProtocol"));
            let all = protocol == "-1";
            let port = |path| if all { json!(0) } else { one(rule, path) };
            let base = json!({
                "groupId": group, "protocol": protocol, "logged": rule,
                "fromPort": port("fromPort"), "toPort": port("toPort"),
            });
            let sources = [
                ("cidrIpv4", "cidrIpv4"),
                ("cidrIpv6", "cidrIpv6"),
                ("prefixListId", "prefixListId"),
                ("referencedGroupId", "sourceGroupId"),
            ];
            let source = sources
                .iter()
                .map(|(logged, field)| (*field, one(rule, logged)))
                .find(|(_, source)| !source.is_null());
            let (field, source) = source.unwrap_or(("cidrIpv4", Value::Null));
            let mut item = item(&base, field, source, &one(rule, "description"), &[]);
            let known = item.clone();
            let mut add = |key: &str, value: Value| {
                if let Some(item) = item.as_object_mut() {
                    item.insert(key.to_owned(), value);
                }
            };
            add("ruleId", one(update, "securityGroupRuleId"));
            let was = match (one(update, "was"), one(update, "direction")) {
                (Value::Object(mut was), direction @ Value::String(_)) => {
                    add("known", known);
                    add("put", direction.clone());
                    add("direction", direction.clone());
                    was.remove("ruleId");
                    was.insert(String::from("taken"), direction);
                    Some(Value::Object(was))
                }
                _ => None,
            };
            was.into_iter().chain([item])
        })
        .collect()
}

fn item(base: &Value, field: &str, source: Value, description: &Value, rules: &[&Value]) -> Value {
    let mut item = base.as_object().cloned().unwrap_or_default();
    let rule = rules.iter().find(|rule| {
        let logged = match field {
            "sourceGroupId" => one(rule, "referencedGroupInfo.groupId"),
            _ => one(rule, field),
        };
        let port = |path| match one(rule, path) {
            Value::Number(number) if number.as_i64() == Some(-1) => json!(0),
            port => port,
        };
        logged == source
            && protocol(&one(rule, "ipProtocol")) == item["protocol"].as_str().unwrap_or_default()
            && port("fromPort") == item["fromPort"]
            && port("toPort") == item["toPort"]
    });
    if let Some(rule) = rule {
        item.insert(String::from("ruleId"), one(rule, "securityGroupRuleId"));
    }
    if field == "sourceGroupId" {
        item.insert(String::from("referencedGroupId"), source.clone());
    }
    // A group that lets itself in is `self` to Terraform's older resources.
    if field == "sourceGroupId" && Some(&source) == item.get("groupId") {
        item.insert(String::from("self"), Value::Bool(true));
    } else {
        item.insert(field.to_owned(), source);
    }
    if !description.is_null() {
        item.insert(String::from("description"), description.clone());
    }
    Value::Object(item)
}

/// Protocol as Terraform writes it: names for the common numbers, `-1` for all.
fn protocol(value: &Value) -> String {
    match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("6") => String::from("tcp"),
        Some("17") => String::from("udp"),
        Some("1") => String::from("icmp"),
        Some("58") => String::from("icmpv6"),
        Some("all") => String::from("-1"),
        Some(text) => text.to_owned(),
        None => value
            .as_i64()
            .map(|number| number.to_string())
            .unwrap_or_default(),
    }
}

/// Each change of a DNS batch (Route 53 API Reference, *`ChangeResourceRecordSets`*).
fn change_batch(request: &Value) -> Vec<Value> {
    let zone = one(request, "hostedZoneId");
    let zone = zone
        .as_str()
        .and_then(|id| id.rsplit('/').next())
        .unwrap_or_default();
    at(request, "changeBatch.changes")
        .into_iter()
        .filter_map(|change| {
            let set = change.get("resourceRecordSet")?;
            let mut item = set.as_object()?.clone();
            item.insert(String::from("zone"), json!(zone));
            item.insert(String::from("action"), one(change, "action"));
            item.insert(String::from("name"), json!(dns(set.get("name")?.as_str()?)));
            item.insert(String::from("ttl"), one(set, "tTL"));
            let records: Vec<Value> = at(set, "resourceRecords")
                .iter()
                .map(|record| one(record, "value"))
                .collect();
            item.insert(
                String::from("records"),
                if records.is_empty() {
                    Value::Null
                } else {
                    Value::Array(records)
                },
            );
            if let Some(alias) = set.get("aliasTarget") {
                item.insert(String::from("alias"), alias.clone());
            }
            Some(Value::Object(item))
        })
        .collect()
}

/// Each method setting among the patch operations of a stage (API Gateway, *Patch operations*, `/{resource}/{method}/…`).
fn stage_methods(request: &Value) -> Vec<Value> {
    let Some(patch) = request.get("patch").and_then(Value::as_object) else {
        return Vec::new();
    };
    patch
        .iter()
        .filter_map(|(path, value)| {
            if value.is_object() {
                return None;
            }
            let at = ["/throttling/", "/logging/", "/metrics/", "/caching/"]
                .iter()
                .find_map(|part| path.find(part))?;
            let method = path.get(..at)?.trim_start_matches('/').replace("~1", "/");
            let method = method.trim_start_matches('/');
            (!method.is_empty())
                .then(|| json!({"methodPath": method, "setting": path[at + 1..], "value": value}))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(name: &str, request: Value, response: Value) -> Vec<Value> {
        let request = crate::catalogue::aws::shape::normalised(request);
        let null = Value::Null;
        expand(
            name,
            &View {
                request: &request,
                response: &response,
                extra: &null,
                resources: &null,
                item: &null,
            },
        )
    }

    #[test]
    fn permissions_come_one_by_one_in_every_form() {
        let listed = expanded(
            "ip-permissions",
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "6", "fromPort": 22, "toPort": 22, "groups": {},
                "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8", "description": "vpn"}, {"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}}),
            json!({"securityGroupRuleSet": {"items": [{"securityGroupRuleId": "sgr-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"}]}}),
        );
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0]["description"], "vpn");
        assert_eq!(listed[1]["ruleId"], "sgr-1");
        assert_eq!(listed[1]["protocol"], "tcp");
        let own = expanded(
            "ip-permissions",
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "-1", "groups": {"items": [{"groupId": "sg-1"}]}}]}}),
            Value::Null,
        );
        assert_eq!(
            (
                &own[0]["self"],
                &own[0]["referencedGroupId"],
                own[0].get("sourceGroupId")
            ),
            (&json!(true), &json!("sg-1"), None)
        );
        let flat = expanded(
            "ip-permissions",
            json!({"groupName": "legacy", "ipPermissions": {}, "ipProtocol": "-1", "cidrIp": "0.0.0.0/0"}),
            json!({"securityGroupRuleSet": {"items": [{"groupId": "sg-9"}]}}),
        );
        let minus = expanded(
            "ip-permissions",
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "-1", "fromPort": -1, "toPort": -1, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
            Value::Null,
        );
        assert_eq!(
            (&minus[0]["fromPort"], &minus[0]["toPort"]),
            (&json!(0), &json!(0))
        );
        let ping = expanded(
            "ip-permissions",
            json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "icmp", "fromPort": -1, "toPort": -1, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}),
            Value::Null,
        );
        assert_eq!(ping[0]["fromPort"], -1);
        assert_eq!(flat.len(), 1);
        assert_eq!(
            (&flat[0]["groupId"], &flat[0]["fromPort"]),
            (&json!("sg-9"), &json!(0))
        );
    }

    #[test]
    fn a_change_batch_is_spelt_as_terraform_spells() {
        let items = expanded(
            "change-batch",
            json!({"hostedZoneId": "/hostedzone/Z1", "changeBatch": {"changes": [{"action": "UPSERT", "resourceRecordSet":
                {"name": "\\052.Apps.example.com.", "type": "A", "tTL": 60, "resourceRecords": [{"value": "192.0.2.1"}]}}]}}),
            Value::Null,
        );
        assert_eq!(items.len(), 1);
        assert_eq!(
            (&items[0]["zone"], &items[0]["name"], &items[0]["records"]),
            (
                &json!("Z1"),
                &json!("*.apps.example.com"),
                &json!(["192.0.2.1"])
            )
        );
    }

    #[test]
    fn stage_settings_are_told_from_stage_attributes() {
        let items = expanded(
            "stage-methods",
            json!({"updateStageInput": {"patchOperations": [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "1"},
                {"op": "replace", "path": "/~1pets/GET/logging/loglevel", "value": "OFF"}, {"op": "replace", "path": "/tracingEnabled", "value": "true"}]}}),
            Value::Null,
        );
        let seen: Vec<_> = items
            .iter()
            .map(|item| (item["methodPath"].as_str(), item["setting"].as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (Some("*/*"), Some("throttling/rateLimit")),
                (Some("pets/GET"), Some("logging/loglevel"))
            ]
        );
    }
}
