//! Runs real requests and responses through the engine, where a collection of them is at hand.
//!
//! The collection is gzipped JSON lines of `source`, `name`, `requestParameters`, `responseElements`,
//! `additionalEventData`, `resources` and `apiVersion`. `TFDRIFT_SHAPES` names the file; without it
//! and without `../shared/data/event_shapes.jsonl.gz` the test is skipped.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that says what it skipped and counted"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tfdrift::audit::call::Call;
use tfdrift::audit::decode::{Decoder, Filter, Tally};
use tfdrift::catalogue::Catalogue;
use tfdrift::catalogue::aws::shape;
use tfdrift::catalogue::evaluate::View;
use tfdrift::catalogue::rule::CallRule;
use tfdrift::drift::analysis::{Settings, analyse};
use tfdrift::drift::effect::Resolver;
use tfdrift::drift::names::AwsNaming;
use tfdrift::drift::severity::Rules;
use tfdrift::state::load_text;
use tfdrift::window::Window;

/// The share, in percent, of the shapes whose call changes a Terraform type that must be understood.
const UNDERSTOOD: usize = 95;

/// The collection, if it is there.
fn shapes() -> Option<Vec<Value>> {
    let default =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/event_shapes.jsonl.gz");
    let file = std::env::var_os("TFDRIFT_SHAPES").map_or(default, PathBuf::from);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!(
                "skipped: {}: {error}; name the file with TFDRIFT_SHAPES",
                file.display()
            );
            return None;
        }
    };
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .expect("gzip");
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a shape"))
            .collect(),
    )
}

/// The shape as a record of a log file.
fn record(shape: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.08", "eventTime": "2026-01-15T10:00:00Z", "awsRegion": "us-east-1", "readOnly": false,
        "recipientAccountId": "123456789012", "eventID": "11111111-2222-4333-8444-555555555555", "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/alice"},
        "eventSource": shape["source"], "eventName": shape["name"],
    });
    for field in [
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "resources",
        "apiVersion",
    ] {
        if let Some(value) = shape.get(field) {
            record[field] = value.clone();
        }
    }
    record
}

fn call(shape: &Value) -> Option<Call> {
    let file = json!({"Records": [record(shape)]}).to_string();
    let window = Window {
        since: None,
        until: "2026-01-15T11:00:00Z".parse().expect("a time"),
    };
    let filter = Filter {
        window,
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: true,
    };
    let mut tally = Tally::default();
    let mut calls = Vec::new();
    Decoder::new().file(
        "shape.json",
        file.as_bytes(),
        &filter,
        &mut tally,
        &mut |call| calls.push(call),
    );
    calls.pop()
}

/// Whether a rule finds a name for something in a call, in at least one of its targets; what there is
/// one of in a region needs no name. That its conditions do not hold is understood, too.
fn names_something(rule: &CallRule, call: &Call) -> bool {
    let request = shape::normalised(call.request.clone());
    let resources: Value = call.resources.iter().cloned().map(Value::String).collect();
    let null = Value::Null;
    let view = View {
        request: &request,
        response: &call.response,
        extra: &call.extra,
        resources: &resources,
        item: &null,
    };
    let items = rule
        .each
        .as_ref()
        .map_or_else(|| vec![Value::Null], |each| view.each(each));
    items.iter().any(|item| {
        let view = view.with_item(item);
        rule.targets.iter().any(|target| {
            let items = target
                .each
                .as_ref()
                .map_or_else(|| vec![item.clone()], |each| view.each(each));
            items.iter().any(|item| {
                let view = view.with_item(item);
                target.find.is_empty() || target.find.iter().any(|find| view.names(find).is_some())
            })
        })
    })
}

/// Calls that change a resource type, as `service/event`.
fn changing() -> BTreeSet<String> {
    let inputs = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue/inputs/calls.txt");
    let text = std::fs::read_to_string(inputs).expect("calls.txt");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": "));
    lines
        .flat_map(|(verbs, events)| {
            let service = verbs.rsplit(' ').next().unwrap_or_default();
            events
                .split(' ')
                .map(move |event| format!("{service}/{event}"))
        })
        .collect()
}

#[test]
fn real_calls_are_understood() {
    let Some(shapes) = shapes() else { return };
    let catalogue = Catalogue::builtin();
    let changing = changing();
    let (mut known, mut understood) = (0, 0);
    let mut not: BTreeMap<String, usize> = BTreeMap::new();
    for shape in &shapes {
        let Some(call) = call(shape) else { continue };
        let service = call
            .service
            .strip_suffix(".amazonaws.com")
            .unwrap_or(&call.service);
        let name = format!("{service}/{}", shape::without_version(&call.name));
        if !changing.contains(&name) {
            continue;
        }
        known += 1;
        let rule = catalogue.rule(&call.service, &call.name);
        if rule.is_some_and(|rule| rule.operates.is_some() || names_something(rule, &call)) {
            understood += 1;
        } else {
            let why = if rule.is_none() {
                "no rule"
            } else {
                "names nothing"
            };
            *not.entry(format!("{name}: {why}")).or_default() += 1;
        }
    }
    eprintln!(
        "{understood} of {known} shapes understood, of {} in all",
        shapes.len()
    );
    for (name, count) in &not {
        eprintln!("  {count} {name}");
    }
    assert!(known > 0, "no shape is of a known call");
    assert!(
        understood * 100 >= known * UNDERSTOOD,
        "{understood} of {known} are understood"
    );
}

/// Attributes by which calls name an instance of a type, all the same.
fn state(catalogue: &Catalogue, shape: &Value) -> Value {
    let service = shape["source"].as_str().unwrap_or_default();
    let event = shape["name"].as_str().unwrap_or_default();
    let Some(call) = call(shape) else {
        return json!([]);
    };
    let request = shape::normalised(call.request.clone());
    let (null, none) = (Value::Null, json!([]));
    let view = View {
        request: &request,
        response: &call.response,
        extra: &call.extra,
        resources: &none,
        item: &null,
    };
    let targets = catalogue
        .rule(service, event)
        .map(|rule| rule.targets.as_slice())
        .unwrap_or_default();
    let resources = targets.iter().filter_map(|target| {
        let tfdrift::catalogue::rule::ResourceType::Named(name) = &target.resource_type else { return None };
        let names = target.find.iter().find_map(|find| view.names(find))?;
        let attributes: Map<String, Value> = names
            .into_iter()
            .filter(|(pair, _)| !pair.attribute.contains('.'))
            .filter_map(|(pair, values)| Some((pair.attribute.to_string(), json!(values.first()?))))
            .collect();
        Some(json!({"mode": "managed", "type": name.as_str(), "name": "x", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"attributes": attributes}]}))
    });
    resources.collect()
}

#[test]
fn no_real_call_makes_the_engine_panic() {
    let Some(shapes) = shapes() else { return };
    let catalogue = Catalogue::builtin();
    let settings = Settings {
        reveal: false,
        ..Settings::plain(Rules::built_in())
    };
    let (mut matched, mut drifts) = (0, 0);
    for shape in &shapes {
        let resources = state(&catalogue, shape);
        let text = json!({"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "l", "resources": resources});
        let loaded = load_text(
            "shape.tfstate",
            text.to_string().as_bytes(),
            &AwsNaming::new(&catalogue),
        );
        let resolver = Resolver::new(&catalogue, &loaded.inventory);
        let effects = call(shape)
            .and_then(|call| resolver.resolve(call))
            .into_iter()
            .collect();
        let analysis = analyse(&resolver, effects, &settings);
        matched += analysis.matched;
        drifts += analysis.drifts.len();
    }
    eprintln!(
        "{matched} of {} shapes touch what they name, {drifts} drifts",
        shapes.len()
    );
    assert!(matched > 0);
}
