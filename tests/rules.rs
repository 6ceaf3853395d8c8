//! Rules through the whole path: one managed resource and one logged call in, the expected drift out.
//!
//! A file under `tests/rules/` holds the cases of one service:
//!
//! ```toml
//! service = "ec2.amazonaws.com"
//!
//! [aws_instance]
//! state = '{"id": "i-0a1", "instance_type": "t3.micro"}'
//!
//! [[aws_instance.ModifyInstanceAttribute]]
//! request = '{"instanceId": "i-0a1", "instanceType": {"value": "t3.large"}}'
//! drift = '{"instance_type": ["t3.micro", "t3.large"]}'
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `state` | attributes that the state holds; a case's own are laid over those of the type |
//! | `beside` | other managed resources of the same state: type to attributes |
//! | `request`, `response`, `extra` | the record's `requestParameters`, `responseElements`, `additionalEventData`, as CloudTrail spells them |
//! | `then` | further calls, a minute after each other: tables of `event`, `request`, `response` |
//! | `drift` | path to `[before, after]`; null is "not there", as is an empty text, `"?"` is "changed, value unknown"; or `"none"`, `"reverted"`, `"deleted"`, `"unmanaged"` (then the resource is not in the state), `"unmanaged aws_eip"` (of another type) |
//!
//! The drift must be the only one that is open. Lists compare without order, JSON documents by content.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong with a case by failing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};
use tfdrift::audit::decode::{Decoder, Filter, Tally};
use tfdrift::catalogue::Catalogue;
use tfdrift::drift::analysis::{Settings, analyse};
use tfdrift::drift::effect::Resolver;
use tfdrift::drift::model::{Attribute, Certainty, Drift, Kind, Status};
use tfdrift::drift::names::AwsNaming;
use tfdrift::drift::severity::Rules;
use tfdrift::drift::sieve::Sieve;
use tfdrift::state::load_text;
use tfdrift::window::Window;

/// How many of the most used types must have a case for each call that updates them.
const TOP: usize = 150;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";

#[derive(Debug, Clone, Default)]
struct Case {
    service: String,
    event: String,
    resource_type: String,
    state: Option<Map<String, Value>>,
    beside: Map<String, Value>,
    request: Value,
    response: Value,
    extra: Value,
    then: Vec<Then>,
    drift: Value,
}

/// A further call.
#[derive(Debug, Clone)]
struct Then {
    event: String,
    request: Value,
    response: Value,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).expect("a file of cases");
    let mut table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let service = table
        .remove("service")
        .and_then(|service| service.as_str().map(str::to_owned));
    let service = service.unwrap_or_else(|| panic!("{}: no service", file.display()));
    let mut cases = Vec::new();
    for (resource_type, events) in table {
        let events = events.as_table().cloned().unwrap_or_default();
        let base = document(&events, "state", &resource_type);
        for (event, list) in events.iter().filter(|(key, _)| *key != "state") {
            for one in list
                .as_array()
                .unwrap_or_else(|| panic!("{resource_type}.{event} is no list of cases"))
            {
                let one = one.as_table().expect("a case is a table");
                let place = format!("{resource_type} {event}");
                let unknown = one.keys().find(|key| {
                    ![
                        "state", "beside", "request", "response", "extra", "then", "drift",
                    ]
                    .contains(&key.as_str())
                });
                assert_eq!(unknown, None, "{place}: unknown key");
                let drift = document(one, "drift", &place);
                assert!(!drift.is_null(), "{place}: no drift is told");
                let mut state = base.as_object().cloned().unwrap_or_default();
                state.extend(
                    document(one, "state", &place)
                        .as_object()
                        .cloned()
                        .unwrap_or_default(),
                );
                cases.push(Case {
                    service: service.clone(),
                    event: event.clone(),
                    resource_type: resource_type.clone(),
                    state: (drift != "unmanaged").then_some(state),
                    beside: document(one, "beside", &place)
                        .as_object()
                        .cloned()
                        .unwrap_or_default(),
                    request: document(one, "request", &place),
                    response: document(one, "response", &place),
                    extra: document(one, "extra", &place),
                    then: further(one, &place),
                    drift,
                });
            }
        }
    }
    cases
}

fn further(case: &toml::Table, place: &str) -> Vec<Then> {
    let then = case.get("then").and_then(toml::Value::as_array);
    then.into_iter()
        .flatten()
        .map(|one| {
            let one = one.as_table().expect("a further call is a table");
            let event = one.get("event").and_then(toml::Value::as_str);
            Then {
                event: event.expect("a further call has an event").to_owned(),
                request: document(one, "request", place),
                response: document(one, "response", place),
            }
        })
        .collect()
}

fn document(table: &toml::Table, key: &str, place: &str) -> Value {
    let Some(text) = table.get(key) else {
        return Value::Null;
    };
    let text = text
        .as_str()
        .unwrap_or_else(|| panic!("{place}: {key} is no text"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {key}: {error}\n{text}"))
}

fn resource(resource_type: &str, attributes: &Value) -> Value {
    json!({
        "mode": "managed", "type": resource_type, "name": "this",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"schema_version": 0, "attributes": attributes}],
    })
}

/// The drifts that come of a case.
fn drifts(catalogue: &Catalogue, case: &Case) -> Vec<Drift> {
    let mut resources: Vec<Value> = Vec::new();
    if let Some(state) = &case.state {
        resources.push(resource(&case.resource_type, &Value::Object(state.clone())));
    }
    resources.extend(
        case.beside
            .iter()
            .map(|(name, attributes)| resource(name, attributes)),
    );
    let state = json!({"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "l", "outputs": {}, "resources": resources});
    let loaded = load_text(
        "terraform.tfstate",
        state.to_string().as_bytes(),
        &AwsNaming::new(catalogue),
    );
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let first = Then {
        event: case.event.clone(),
        request: case.request.clone(),
        response: case.response.clone(),
    };
    let made = std::iter::once(&first).chain(&case.then).enumerate();
    // The later comes first: a log keeps no order.
    let mut records: Vec<Value> = made
        .map(|(number, call)| json!({
            "eventVersion": "1.08", "eventTime": format!("2026-01-15T10:{number:02}:00Z"),
            "eventSource": case.service, "eventName": call.event,
            "awsRegion": REGION, "recipientAccountId": ACCOUNT, "eventID": format!("11111111-2222-4333-8444-{number:012}"),
            "readOnly": false, "eventType": "AwsApiCall", "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2.15.0",
            "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:user/alice")},
            "requestParameters": call.request, "responseElements": call.response, "additionalEventData": case.extra,
        }))
        .collect();
    records.reverse();
    let file = json!({"Records": records}).to_string();
    let resolver = Resolver::new(catalogue, &loaded.inventory);
    let sieve = Sieve::new(&resolver);
    let window = Window {
        since: None,
        until: "2026-01-15T11:00:00Z".parse().expect("a time"),
    };
    let filter = Filter {
        window,
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|call| sieve.wants(call),
        failed: false,
    };
    let mut tally = Tally::default();
    let mut calls = Vec::new();
    Decoder::new().file(
        "trail.json",
        file.as_bytes(),
        &filter,
        &mut tally,
        &mut |call| calls.push(call),
    );
    assert!(tally.problems.is_empty(), "{:?}", tally.problems);
    let effects = calls
        .into_iter()
        .filter_map(|call| resolver.resolve(call))
        .collect();
    let settings = Settings::plain(Rules::built_in());
    analyse(&resolver, effects, &settings).drifts
}

/// What is wrong with the drifts of a case, if anything.
fn judged(case: &Case, drifts: &[Drift]) -> Result<(), String> {
    let found = || drifts.iter().map(told).collect::<Vec<_>>().join("; ");
    if case.drift == "none" {
        return if drifts.is_empty() {
            Ok(())
        } else {
            Err(format!("no drift is expected, found {}", found()))
        };
    }
    let open = drifts
        .iter()
        .filter(|drift| drift.status == Status::Open || case.drift == "reverted");
    let open: Vec<&Drift> = open.collect();
    let [drift] = open.as_slice() else {
        return Err(format!(
            "one drift is expected, found {}: {}",
            open.len(),
            found()
        ));
    };
    let word = case.drift.as_str().unwrap_or("modified");
    let (word, resource_type) = word.split_once(' ').unwrap_or((word, &case.resource_type));
    let (kind, status) = match word {
        "deleted" => (Kind::Deleted, Status::Open),
        "unmanaged" => (Kind::Unmanaged, Status::Open),
        "modified" => (Kind::Modified, Status::Open),
        "reverted" => (Kind::Modified, Status::Reverted),
        _ => return Err(format!("`{word}` is no drift")),
    };
    if drift.kind != kind || drift.status != status || drift.resource_type != resource_type {
        return Err(format!(
            "expected {word} {resource_type}, found {}",
            found()
        ));
    }
    let Some(expected) = case.drift.as_object() else {
        return Ok(());
    };
    let by_path: BTreeMap<&str, &Attribute> = drift
        .attributes
        .iter()
        .map(|a| (a.path.as_str(), a))
        .collect();
    let paths: BTreeSet<&str> = by_path
        .keys()
        .copied()
        .chain(expected.keys().map(String::as_str))
        .collect();
    for path in paths {
        let Some(attribute) = by_path.get(path) else {
            return Err(format!("{path} does not drift; found {}", found()));
        };
        let Some(values) = expected.get(path) else {
            return Err(format!("{path} drifts unexpectedly: {}", found()));
        };
        let (before, after) = (&values[0], &values[1]);
        let unknown = attribute.certainty == Certainty::Indeterminate;
        let fits = (after == "?") == unknown
            && plain(attribute.before.as_ref().unwrap_or(&Value::Null)) == plain(before)
            && (unknown || plain(attribute.after.as_ref().unwrap_or(&Value::Null)) == plain(after));
        if !fits {
            return Err(format!(
                "{path}: expected {before} to become {after}; found {}",
                found()
            ));
        }
    }
    Ok(())
}

fn told(drift: &Drift) -> String {
    let value = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or(String::from("null"), ToString::to_string)
    };
    let attributes = drift.attributes.iter().map(|a| {
        format!(
            "{}: {} -> {} ({:?})",
            a.path,
            value(&a.before),
            value(&a.after),
            a.certainty
        )
    });
    let status = if drift.status == Status::Open {
        ""
    } else {
        " (closed)"
    };
    format!(
        "{} {}{status} [{}]",
        drift.kind.word(),
        drift.resource_type,
        attributes.collect::<Vec<_>>().join(", ")
    )
}

/// A value with lists in one order, documents opened, and what is not there left out.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(plain).collect();
            list.sort_by_key(ToString::to_string);
            Value::Array(list)
        }
        Value::Object(map) => {
            let plain = map.iter().map(|(key, value)| (key, plain(value)));
            let held: BTreeMap<&String, Value> = plain
                .filter(|(_, value)| !value.is_null() && *value != json!([]))
                .collect();
            json!(held)
        }
        Value::String(text) if text.is_empty() => Value::Null,
        Value::String(text) if text.starts_with('{') => {
            serde_json::from_str(text).map_or(value.clone(), |inner| plain(&inner))
        }
        other => other.clone(),
    }
}

#[test]
fn every_call_drifts_as_terraform_would_show_it() {
    let catalogue = Catalogue::builtin();
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let problem = judged(case, &drifts(&catalogue, case)).err()?;
            Some(format!(
                "{} {}/{}\n    {problem}",
                case.resource_type, case.service, case.event
            ))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// Calls that update the most used types, as `type service/event`, of which calls.txt knows.
fn updates() -> BTreeSet<String> {
    let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/inputs");
    let read = |name: &str| std::fs::read_to_string(inputs.join(name)).expect("an input");
    let ranking = read("ranking.txt");
    let top: BTreeSet<&str> = ranking.lines().take(TOP).collect();
    let mut updates = BTreeSet::new();
    let mut resource_type = String::new();
    for line in read("calls.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let Some((verbs, events)) = line
            .strip_prefix("  ")
            .and_then(|line| line.split_once(": "))
        else {
            line.clone_into(&mut resource_type);
            continue;
        };
        let (verbs, service) = verbs.split_once(' ').unwrap_or((verbs, ""));
        if top.contains(resource_type.as_str()) && verbs.split('+').any(|verb| verb == "update") {
            updates.extend(
                events
                    .split(' ')
                    .map(|event| format!("{resource_type} {service}/{event}")),
            );
        }
    }
    updates
}

#[test]
fn the_update_calls_of_the_most_used_types_have_cases() {
    let have: BTreeSet<String> = cases()
        .iter()
        .map(|case| {
            let service = case
                .service
                .strip_suffix(".amazonaws.com")
                .unwrap_or(&case.service);
            let event = tfdrift::catalogue::aws::shape::without_version(&case.event);
            format!("{} {service}/{event}", case.resource_type)
        })
        .collect();
    let updates = updates();
    assert!(updates.len() > 300, "{}", updates.len());
    let missing: Vec<&String> = updates.difference(&have).collect();
    assert!(
        missing.is_empty(),
        "{} of {} update calls have no case:\n{missing:#?}",
        missing.len(),
        updates.len()
    );
}
