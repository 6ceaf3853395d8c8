//! What must hold of replay whatever the logs say: order of delivery and copies do not count, what is
//! put back is not open, and no request, however odd, brings the program down.
#![allow(clippy::unwrap_used, reason = "a test may end where it fails")]

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tfdrift::audit::call::{Call, Caller};
use tfdrift::catalogue::Catalogue;
use tfdrift::drift::analysis::{Analysis, Settings, analyse};
use tfdrift::drift::effect::Resolver;
use tfdrift::drift::model::Status;
use tfdrift::drift::names::AwsNaming;
use tfdrift::drift::severity::Rules;
use tfdrift::state::{self, Loaded};

const ACCOUNT: &str = "123456789012";
const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 terraform-provider-aws/5.60.0";

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: std::sync::LazyLock<Catalogue> = std::sync::LazyLock::new(Catalogue::builtin);
    &CATALOGUE
}

/// A queue, an instance and a group, as Terraform believes them.
fn loaded() -> &'static Loaded {
    static LOADED: std::sync::LazyLock<Loaded> = std::sync::LazyLock::new(|| {
        let resource = |kind: &str, attributes: Value| {
            json!({"mode": "managed", "type": kind, "name": "x", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}]})
        };
        let state = json!({"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.5", "outputs": {}, "resources": [
            resource("aws_instance", json!({"id": "i-1", "arn": format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
                "instance_type": "t3.small", "disable_api_termination": true, "tags": {"Name": "x"}, "tags_all": {"Name": "x"}})),
            resource("aws_security_group", json!({"id": "sg-1", "arn": format!("arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/sg-1"),
                "name": "g", "ingress": [{"cidr_blocks": ["10.0.0.0/8"], "description": "", "from_port": 443, "to_port": 443, "protocol": "tcp",
                "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": false}], "egress": [], "tags": {}, "tags_all": {}})),
            resource("aws_sqs_queue", json!({"id": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"), "url": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"),
                "arn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q"), "name": "q", "delay_seconds": 0, "tags": {}, "tags_all": {}})),
        ]});
        state::load_text(
            "x.tfstate",
            state.to_string().as_bytes(),
            &AwsNaming::new(catalogue()),
        )
    });
    &LOADED
}

fn call(
    second: i64,
    number: usize,
    service: &str,
    name: &str,
    request: Value,
    terraform: bool,
) -> Call {
    Call {
        time: Timestamp::from_second(1_768_471_200 + second).unwrap(),
        id: format!("event-{number}"),
        service: format!("{service}.amazonaws.com"),
        name: name.to_owned(),
        account: ACCOUNT.to_owned(),
        region: String::from("us-east-1"),
        request,
        caller: Caller {
            kind: String::from("IAMUser"),
            user_name: Some(String::from("alice")),
            user_agent: Some(
                if terraform {
                    TERRAFORM
                } else {
                    "aws-cli/2.17.5"
                }
                .to_owned(),
            ),
            ..Caller::default()
        },
        ..Call::default()
    }
}

fn analysed(calls: impl IntoIterator<Item = Call>) -> Analysis {
    let resolver = Resolver::new(catalogue(), &loaded().inventory);
    let effects = calls
        .into_iter()
        .filter_map(|call| resolver.resolve(call))
        .collect();
    let settings = Settings::plain(Rules::built_in());
    analyse(&resolver, effects, &settings)
}

/// All that a report would say, as text.
fn told(analysis: &Analysis) -> Vec<String> {
    analysis
        .drifts
        .iter()
        .map(|drift| format!("{drift:?}"))
        .collect()
}

/// One change of one of the three resources.
fn change() -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    prop_oneof![
        prop_oneof!["t3.small", "t3.large", "m5.large"].prop_map(|size: String| {
            ("ec2", "ModifyInstanceAttribute", json!({"instanceId": "i-1", "instanceType": {"value": size}}))
        }),
        any::<bool>().prop_map(|on| {
            ("ec2", "ModifyInstanceAttribute", json!({"instanceId": "i-1", "disableApiTermination": {"value": on}}))
        }),
        (0..3_u32, any::<bool>()).prop_map(|(net, add)| {
            let name = if add { "AuthorizeSecurityGroupIngress" } else { "RevokeSecurityGroupIngress" };
            ("ec2", name, json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443,
                "groups": {}, "ipRanges": {"items": [{"cidrIp": format!("10.{net}.0.0/16")}]}}]}}))
        }),
        (0..3_u32).prop_map(|delay| {
            ("sqs", "SetQueueAttributes", json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"),
                "attributes": {"DelaySeconds": delay.to_string()}}))
        }),
        ("[a-c]", "[x-z]").prop_map(|(key, value)| {
            ("ec2", "CreateTags", json!({"resourcesSet": {"items": [{"resourceId": "i-1"}]}, "tagSet": {"items": [{"key": key, "value": value}]}}))
        }),
    ]
}

fn story() -> impl Strategy<Value = Vec<Call>> {
    vec((change(), any::<bool>(), 0..40_i64), 0..12).prop_map(|steps| {
        steps
            .into_iter()
            .enumerate()
            .map(|(number, ((service, name, request), terraform, second))| {
                call(second, number, service, name, request, terraform)
            })
            .collect()
    })
}

/// Any JSON, with the keys and values that services use more often than chance would.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("HIDDEN_DUE_TO_SECURITY_REASONS")),
        Just(json!("i-1")),
        Just(json!("sg-1")),
        Just(json!(format!("arn:aws:sqs:us-east-1:{ACCOUNT}:q"))),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![
            "[a-zA-Z]{1,8}",
            Just(String::from("items")),
            Just(String::from("instanceId")),
            Just(String::from("groupId")),
            Just(String::from("ipPermissions")),
            Just(String::from("attributes")),
            Just(String::from("key")),
            Just(String::from("value")),
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Every call that the catalogue knows.
fn known_calls() -> &'static [(String, String)] {
    static CALLS: std::sync::LazyLock<Vec<(String, String)>> = std::sync::LazyLock::new(|| {
        let mut calls: Vec<(String, String)> = catalogue()
            .services()
            .filter_map(|service| catalogue().service(service))
            .flat_map(|rules| {
                rules
                    .names()
                    .map(|event| (rules.service.clone(), event.to_owned()))
            })
            .collect();
        calls.sort();
        calls
    });
    &CALLS
}

#[test]
fn a_grant_outside_every_state_is_gone_with_the_last_of_its_permissions() {
    let step = |second: i64, name: &str, permissions: &[&str]| {
        let request = json!({"principal": {"dataLakePrincipalIdentifier": "arn:aws:iam::123456789012:role/a"},
            "resource": {"database": {"name": "sales"}}, "permissions": permissions});
        call(
            second,
            usize::try_from(second).unwrap(),
            "lakeformation",
            name,
            request,
            false,
        )
    };
    let mut calls = vec![
        step(1, "GrantPermissions", &["DESCRIBE"]),
        step(2, "GrantPermissions", &["ALTER"]),
    ];
    assert_eq!(analysed(calls.clone()).drifts.len(), 1);
    calls.push(step(3, "RevokePermissions", &["DESCRIBE"]));
    assert_eq!(analysed(calls.clone()).drifts.len(), 1);
    calls.push(step(4, "RevokePermissions", &["ALTER"]));
    assert_eq!(analysed(calls).drifts.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_delivery_does_not_count(calls in story(), seed in any::<u64>()) {
        let mut shuffled = calls.clone();
        let length = shuffled.len();
        for at in 0..length {
            let other = usize::try_from(seed.rotate_left(u32::try_from(at).unwrap()) % length as u64).unwrap();
            shuffled.swap(at, other);
        }
        prop_assert_eq!(told(&analysed(calls)), told(&analysed(shuffled)));
    }

    #[test]
    fn copies_do_not_count(calls in story()) {
        let twice = calls.iter().chain(&calls).cloned();
        prop_assert_eq!(told(&analysed(twice)), told(&analysed(calls.clone())));
    }

    #[test]
    fn what_is_put_back_last_is_not_open(calls in story(), terraform in any::<bool>()) {
        let last = [
            ("ec2", "ModifyInstanceAttribute", json!({"instanceId": "i-1", "instanceType": {"value": "t3.small"}})),
            ("sqs", "SetQueueAttributes", json!({"queueUrl": format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/q"), "attributes": {"DelaySeconds": "0"}})),
        ];
        // Terraform may have set another value before: then only Terraform's last word puts it back.
        let calls: Vec<Call> = calls.into_iter().map(|mut call| {
            if !terraform {
                call.caller.user_agent = Some(String::from("aws-cli/2.17.5"));
            }
            call
        }).collect();
        let number = calls.len();
        let back = last.into_iter().enumerate().map(|(at, (service, name, request))| call(50, number + at, service, name, request, terraform));
        let analysis = analysed(calls.into_iter().chain(back));
        for drift in analysis.drifts.iter().filter(|drift| drift.status == Status::Open) {
            for attribute in &drift.attributes {
                prop_assert!(attribute.path != "instance_type" && attribute.path != "delay_seconds", "{drift:?}");
            }
        }
    }

    #[test]
    fn terraform_alone_never_drifts(calls in story()) {
        let calls = calls.into_iter().map(|mut call| {
            call.caller.user_agent = Some(TERRAFORM.to_owned());
            call
        });
        prop_assert_eq!(told(&analysed(calls)), Vec::<String>::new());
    }

    #[test]
    fn no_request_brings_the_program_down(at in any::<prop::sample::Index>(), request in anything(), response in anything()) {
        let (service, event) = &known_calls()[at.index(known_calls().len())];
        let mut call = call(0, 0, "", event, request, false);
        call.service.clone_from(service);
        call.response = response;
        analysed([call]);
    }
}
