//! That no call with an effect is held back, whatever rule it falls under and however it is spelt.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::audit::call::Call;
use crate::audit::decode::{Decoder, Filter, Tally};
use crate::catalogue::rule::Test;
use crate::catalogue::schema::{self, Type};
use crate::catalogue::{Catalogue, path};
use crate::drift::names::AwsNaming;
use crate::state::Loaded;
use crate::window::Window;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

/// All calls that the catalogue knows.
static CALLS: LazyLock<Vec<(&str, &CallRule)>> = LazyLock::new(|| {
    let mut services: Vec<&str> = CATALOGUE.services().collect();
    services.sort_unstable();
    services
        .into_iter()
        .filter_map(|service| Some((service, CATALOGUE.service(service)?)))
        .flat_map(|(service, rules)| rules.calls().map(move |rule| (service, rule)))
        .collect()
});

const ACCOUNT: &str = "111122223333";

/// One instance of every type that has keys, each key with a value of its own.
static LOADED: LazyLock<Loaded> = LazyLock::new(|| {
    let resources: Vec<Value> = schema::types()
        .filter_map(|resource_type| {
            let mut attributes = Value::Object(Map::new());
            for key in CATALOGUE.keys(resource_type)? {
                let steps: Vec<&str> = key.split('.').collect();
                put(&mut attributes, &steps, held(resource_type, &key));
            }
            Some(json!({
                "mode": "managed", "type": resource_type, "name": "x",
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{"attributes": attributes}],
            }))
        })
        .collect();
    let state = json!({"version": 4, "serial": 1, "lineage": "x", "resources": resources});
    crate::state::load_text(
        "x",
        state.to_string().as_bytes(),
        &AwsNaming::new(&CATALOGUE),
    )
});

/// What the instance of a type holds at a key.
fn held(resource_type: &str, key: &str) -> Value {
    let place = schema::resource(resource_type).and_then(|body| body.at(key));
    let ty = match place.map(|place| place.leaf) {
        Some(schema::Leaf::Attribute(_, attribute)) => attribute.ty.clone(),
        _ => Type::String,
    };
    let plain = resource_type.trim_start_matches("aws_").replace('_', "-");
    let text = match key {
        _ if key.ends_with("arn") => format!("arn:aws:thing:eu-central-1:{ACCOUNT}:kind/{plain}"),
        "id" => plain,
        _ => format!("{plain}-{}", key.replace(['.', '_'], "-")),
    };
    match ty {
        Type::Number => json!(443),
        Type::Bool => json!(true),
        Type::List(_) | Type::Set(_) => json!([text]),
        _ => json!(text),
    }
}

/// Puts a value at a path of names.
fn put(root: &mut Value, names: &[&str], value: Value) {
    let Some((name, rest)) = names.split_first() else {
        if root.is_object() && value.is_object() {
            let (Value::Object(root), Value::Object(value)) = (root, value) else {
                return;
            };
            root.extend(value);
        } else {
            *root = value;
        }
        return;
    };
    if !root.is_object() {
        *root = json!({});
    }
    if let Some(members) = root.as_object_mut() {
        put(
            members.entry((*name).to_owned()).or_insert(Value::Null),
            rest,
            value,
        );
    }
}

/// A call as it is made up: what was asked, and what came back.
#[derive(Debug, Default)]
struct Made {
    request: Value,
    response: Value,
    extra: Value,
    item: Value,
}

impl Made {
    fn put(&mut self, path: &Path, value: Value) {
        let root = match path.root {
            Root::Request => &mut self.request,
            Root::Response => &mut self.response,
            Root::Extra => &mut self.extra,
            Root::Item => &mut self.item,
            Root::Resources => return,
        };
        let names: Vec<&str> = path
            .steps
            .iter()
            .map(|step| match step {
                path::Step::Name(name) | path::Step::Key(name) => name.trim_end_matches('*'),
            })
            .collect();
        put(root, &names, value);
    }

    /// Puts the members of `each` where a rule looks for them.
    fn place_items(&mut self, each: &Each) {
        let item = std::mem::take(&mut self.item);
        match each {
            Each::Path(path) => self.put(path, json!([item])),
            Each::Expander(name) if name == "ip-permissions" => {
                for (field, from) in [("groupId", "groupId"), ("groupName", "groupName")] {
                    if let Some(value) = item.get(field) {
                        put(&mut self.request, &[from], value.clone());
                    }
                }
                if let Some(id) = item.get("ruleId") {
                    put(
                        &mut self.request,
                        &["securityGroupRuleIds"],
                        json!({"items": [{"securityGroupRuleId": id}]}),
                    );
                } else {
                    put(
                        &mut self.request,
                        &["ipPermissions"],
                        json!({"items": [{
                        "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}]}),
                    );
                }
            }
            Each::Expander(name) if name == "change-batch" => {
                let text = |key| item.get(key).cloned().unwrap_or(json!("A"));
                put(&mut self.request, &["hostedZoneId"], text("zone"));
                put(
                    &mut self.request,
                    &["changeBatch"],
                    json!({"changes": [{
                    "action": "UPSERT", "resourceRecordSet": {"name": text("name"), "type": text("type"), "tTL": 300}}]}),
                );
            }
            Each::Expander(_) => {}
        }
    }
}

/// A source of choices.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// A name as some service may spell it.
fn spelt(value: Value, source: &Source, choices: &mut Choices) -> Value {
    let value = match value {
        Value::Array(mut list) => list.pop().unwrap_or_default(),
        value => value,
    };
    let Value::String(text) = value else {
        return value;
    };
    let mut text = text;
    for transform in &source.more().transforms {
        match transform {
            Transform::UrlDecode if choices.one_in(2) => {
                text = text
                    .replace(':', "%3A")
                    .replace('/', "%2f")
                    .replace('-', "%2D");
            }
            Transform::Lower | Transform::Dns if choices.one_in(2) => text = text.to_uppercase(),
            Transform::Function | Transform::Tail | Transform::Zone if choices.one_in(2) => {
                // The short form of a secret's ARN is without its random end.
                let kind = ["lambda", "secretsmanager"][choices.below(2)];
                text = format!("arn:aws:{kind}:eu-central-1:{ACCOUNT}:function:{text}");
                if *transform == Transform::Function && choices.one_in(2) {
                    text.push_str(":live");
                }
            }
            Transform::Before(cut) if choices.one_in(2) => text = format!("{text}{cut}rest"),
            Transform::After(cut) if choices.one_in(2) => text = format!("first{cut}{text}"),
            _ => {}
        }
    }
    match choices.below(9) {
        0 => json!({ "value": text }),
        1 => json!([text]),
        2 => json!({"items": [text]}),
        3 => json!(format!("{text}.")),
        4 if !text.contains(':') => {
            json!(format!("arn:aws:thing:eu-central-1:{ACCOUNT}:kind/{text}"))
        }
        5 => json!(format!("/hostedzone/{text}")),
        // As it stands in the path of a URL.
        6 if text.starts_with("arn:") => json!(text.replace(':', "%3A").replace('/', "%2F")),
        _ => json!(text),
    }
}

/// A call under a rule, about the instances of the state, or nearly.
fn made(rule: &CallRule, choices: &mut Choices) -> Made {
    let mut made = Made::default();
    for target in &rule.targets {
        if choices.one_in(4) {
            continue;
        }
        for condition in rule.when.iter().chain(&target.when) {
            match &condition.test {
                Test::Is(text) => made.put(&condition.path, json!(text)),
                Test::Present => made.put(&condition.path, json!("x")),
                Test::Absent | Test::IsNot(_) => {}
            }
        }
        let parts = |pair: &Pair, of: &str| (pair.clone(), of.to_owned());
        let mut pairs = Vec::new();
        if let ResourceType::Named(name) = &target.resource_type {
            pairs.extend(target.find.iter().flatten().map(|pair| parts(pair, name)));
        } else {
            let tagged = [
                "aws_instance",
                "aws_lambda_function",
                "aws_vpc",
                "aws_eks_cluster",
                "aws_sns_topic",
            ];
            let of = tagged[choices.below(tagged.len())];
            pairs.extend(target.find.iter().flatten().map(|pair| parts(pair, of)));
        }
        if let Some(parent) = &target.parent {
            pairs.extend(
                parent
                    .find
                    .iter()
                    .map(|pair| parts(pair, &parent.resource_type)),
            );
        }
        for (pair, of) in pairs {
            if choices.one_in(8) {
                continue;
            }
            let sources = pair.source.from.iter();
            let templates = pair
                .source
                .more()
                .template
                .iter()
                .filter_map(|part| match part {
                    crate::catalogue::rule::TemplatePart::Path(path) => Some(path),
                    crate::catalogue::rule::TemplatePart::Literal(_) => None,
                });
            let paths: Vec<&Path> = sources.chain(templates).collect();
            if paths.is_empty() {
                continue;
            }
            let path = paths[choices.below(paths.len())].clone();
            let value = spelt(held(&of, &pair.attribute), &pair.source, choices);
            made.put(&path, value);
        }
        for change in &target.changes {
            if let crate::catalogue::rule::Build::Leaf(source, _) = &change.build
                && let Some(path) = source.from.first()
                && choices.one_in(2)
            {
                made.put(path, json!("changed"));
            }
        }
        if let Some(each) = &target.each {
            made.place_items(each);
        }
    }
    if let Some(each) = &rule.each {
        made.place_items(each);
    }
    made
}

fn record(service: &str, rule: &CallRule, number: usize, choices: &mut Choices) -> Value {
    let Made {
        mut request,
        mut response,
        extra,
        ..
    } = made(rule, choices);
    let mut resources = Value::Null;
    if choices.one_in(12) {
        request = json!({"omitted": true, "reason": "too large", "originalSize": 1_000_000});
        let named = rule
            .targets
            .iter()
            .find_map(|target| match &target.resource_type {
                ResourceType::Named(name) => Some(name),
                ResourceType::AnyTagged => None,
            });
        resources = json!([{"ARN": named.map(|name| held(name, "arn"))}]);
    }
    if choices.one_in(10) {
        std::mem::swap(&mut request, &mut response);
    }
    let account = [ACCOUNT, "999999999999"][choices.below(2)];
    json!({
        "eventTime": "2026-01-15T10:35:10Z", "eventSource": service, "eventName": rule.event.as_str(),
        "awsRegion": "eu-central-1", "recipientAccountId": account, "eventID": number.to_string(),
        "userIdentity": {"type": "IAMUser", "userName": "instance", "accountId": account}, "readOnly": false,
        "requestParameters": request, "responseElements": response, "additionalEventData": extra,
        "resources": resources,
    })
}

fn decoded(text: &str, wanted: &(dyn Fn(&Prospect<'_>) -> bool + Sync)) -> Vec<Call> {
    let filter = Filter {
        window: Window {
            since: None,
            until: "2100-01-01T00:00:00Z".parse().unwrap(),
        },
        accounts: vec![],
        regions: vec![],
        wanted,
        failed: true,
    };
    let (mut calls, mut tally) = (Vec::new(), Tally::default());
    Decoder::new().file("x", text.as_bytes(), &filter, &mut tally, &mut |call| {
        calls.push(call);
    });
    assert_eq!(tally.problems, []);
    calls
}

/// Decodes with and without a sieve; returns how many calls there are, how many it lets through,
/// and how many have effects.
fn sifted(resolver: &Resolver<'_>, text: &str) -> (usize, usize, usize) {
    let sieve = Sieve::new(resolver);
    let all = decoded(text, &|_| true);
    let through: BTreeSet<String> = decoded(text, &|call| sieve.wants(call))
        .into_iter()
        .map(|call| call.id)
        .collect();
    let (number, mut effective) = (all.len(), 0);
    for call in all {
        let (id, what) = (
            call.id.clone(),
            format!(
                "{} {} {} {}",
                call.service, call.name, call.request, call.response
            ),
        );
        let effects = resolver.resolve(call);
        if let Some(effects) = effects.filter(|effects| !effects.effects.is_empty()) {
            effective += 1;
            assert!(
                through.contains(&id),
                "held back: {what}: {:?}",
                effects.effects
            );
        }
    }
    (number, through.len(), effective)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_call_with_an_effect_is_held_back(seed in any::<u64>()) {
        let resolver = Resolver::new(&CATALOGUE, &LOADED.inventory);
        let mut choices = Choices(seed);
        let records: Vec<Value> = CALLS
            .iter()
            .enumerate()
            .map(|(number, (service, rule))| record(service, rule, number, &mut choices))
            .collect();
        let text = json!({ "Records": records }).to_string();
        let (calls, _, effective) = sifted(&resolver, &text);
        // Or the test would show nothing.
        prop_assert!(effective * 4 > calls, "{effective} of {calls}");
    }
}

/// Gives other names at keys where calls may give learnt ones.
fn renamed(request: &mut Value, keys: &BTreeSet<String>) -> bool {
    match request {
        Value::Object(map) => map.iter_mut().fold(false, |any, (key, value)| {
            let texts = match value {
                Value::String(text) => vec![text],
                Value::Array(list) => {
                    let texts = list.iter_mut();
                    texts
                        .filter_map(|one| match one {
                            Value::String(text) => Some(text),
                            _ => None,
                        })
                        .collect()
                }
                _ => Vec::new(),
            };
            if texts.is_empty() || !keys.contains(&key.to_lowercase()) {
                return renamed(value, keys) || any;
            }
            for text in texts {
                *text = "unheard-of".to_owned();
            }
            true
        }),
        Value::Array(list) => {
            let mut any = false;
            for one in list {
                any |= renamed(one, keys);
            }
            any
        }
        _ => false,
    }
}

#[test]
fn what_may_be_called_by_a_name_that_is_learnt_is_let_through() {
    let resolver = Resolver::new(&CATALOGUE, &LOADED.inventory);
    let mut asked = 0;
    for seed in 0..16 {
        let mut choices = Choices(seed);
        let records = CALLS
            .iter()
            .enumerate()
            .filter_map(|(number, (service, rule))| {
                let mut record = record(service, rule, number, &mut choices);
                let keys = CATALOGUE.service(service)?.learnt();
                let text = json!({ "Records": [record] }).to_string();
                let effects = resolver.resolve(decoded(&text, &|_| true).pop()?)?;
                let is_ours =
                    record["recipientAccountId"] == ACCOUNT && !effects.effects.is_empty();
                (is_ours && renamed(&mut record["requestParameters"], keys)).then_some(record)
            });
        let records: Vec<Value> = records.collect();
        let text = json!({ "Records": records }).to_string();
        let (calls, through, _) = sifted(&resolver, &text);
        assert_eq!(through, calls);
        asked += calls;
    }
    assert!(asked > 200, "{asked}");
}

#[test]
fn what_names_nothing_managed_is_held_back() {
    let state = json!({"version": 4, "resources": [{
        "mode": "managed", "type": "aws_security_group", "name": "x", "instances": [
            {"attributes": {"id": "sg-1", "arn": format!("arn:aws:ec2:eu-central-1:{ACCOUNT}:security-group/sg-1"), "name": "tcp"}}],
    }]});
    let loaded = crate::state::load_text(
        "x",
        state.to_string().as_bytes(),
        &AwsNaming::new(&CATALOGUE),
    );
    let resolver = Resolver::new(&CATALOGUE, &loaded.inventory);
    let mut choices = Choices(1);
    let records: Vec<Value> = CALLS
        .iter()
        .enumerate()
        .map(|(number, (service, rule))| {
            let mut record = record(service, rule, number, &mut choices);
            record["recipientAccountId"] = json!("999999999999");
            record
        })
        .collect();
    let text = json!({ "Records": records }).to_string();
    let (calls, through, _) = sifted(&resolver, &text);
    assert!(through * 50 < calls, "{through} of {calls}");
    for (request, account, wanted) in [
        (
            json!({"groupId": "sg-2", "cidrIp": "10.0.0.0/8"}),
            ACCOUNT,
            false,
        ),
        (
            json!({"groupId": "sg-1", "cidrIp": "10.0.0.0/8"}),
            ACCOUNT,
            true,
        ),
        (
            json!({"groupName": "tcp", "cidrIp": "10.0.0.0/8"}),
            ACCOUNT,
            true,
        ),
        (
            json!({"x": {"items": ["arn:aws:ec2:eu-central-1:1:security-group/sg-1"]}}),
            ACCOUNT,
            true,
        ),
        (json!({"x": 1.5}), ACCOUNT, true),
    ] {
        let record = json!([{
            "eventTime": "2026-01-15T10:35:10Z", "eventSource": "ec2.amazonaws.com", "readOnly": false,
            "eventName": "AuthorizeSecurityGroupIngress", "recipientAccountId": account, "requestParameters": request,
        }]);
        let (_, through, _) = sifted(&resolver, &record.to_string());
        assert_eq!(through == 1, wanted, "{request}");
    }
}
