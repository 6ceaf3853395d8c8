//! Hand-built reports for the tests of every format.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::drift::model::{
    Actor, Attribute, Certainty, Drift, Event, Evidence, FailedCall, Kind, Origin, OriginClass,
    Remedy, Report, Severity, SourcePosition, StateSummary, Status, Summary, Unmapped, Unreadable,
    Window,
};

pub fn time(text: &str) -> Timestamp {
    format!("2026-01-15T{text}Z")
        .parse()
        .expect("a time of day")
}

/// A morning with everything in it: every kind, severity, status, origin and shape of value.
pub fn rich() -> Report {
    Report {
        window: Window {
            since: Some(time("09:00:00")),
            until: time("11:00:00"),
        },
        states: vec![
            StateSummary {
                location: "terraform.tfstate".to_owned(),
                lineage: Some("9d3c0b62-8a50-4f0e-a4a5-6f3a2d1e0c11".to_owned()),
                serial: Some(12),
                resources: 41,
                as_of: Some(time("08:30:00")),
            },
            StateSummary {
                location: "s3://acme-states/prod/network.tfstate".to_owned(),
                lineage: None,
                serial: Some(7),
                resources: 118,
                as_of: None,
            },
        ],
        evidence: Evidence {
            files: 12,
            bytes: 73_400_320,
            records: 48_211,
            in_window: 9_120,
            writes: 511,
            matched: 14,
            failed_calls: 3,
            duplicates: 2,
            unreadable: vec![],
            unmapped: vec![Unmapped {
                event: "glue.amazonaws.com/UpdateCrawler".to_owned(),
                count: 2,
                addresses: vec!["aws_glue_crawler.orders".to_owned()],
            }],
            complete: true,
        },
        drifts: drifts(),
        summary: Summary {
            modified: 8,
            deleted: 1,
            unmanaged: 2,
            resolved: 2,
            suppressed: 1,
            by_severity: BTreeMap::from([
                (Severity::Critical, 3),
                (Severity::High, 4),
                (Severity::Medium, 3),
                (Severity::Low, 1),
            ]),
        },
        failed: vec![FailedCall {
            event: Event {
                error: Some("Client.UnauthorizedOperation".to_owned()),
                ..event(
                    "10:41:00",
                    "ec2.amazonaws.com",
                    "TerminateInstances",
                    mallory(),
                )
            },
            address: "aws_instance.webserver".to_owned(),
        }],
        failing: 9,
    }
}

/// The same window with nothing in it and evidence that could not all be read.
pub fn incomplete() -> Report {
    let mut report = nothing();
    report.evidence.complete = false;
    report.evidence.unreadable = vec![
        Unreadable {
            location: "logs/123456789012_CloudTrail_us-east-1_20260115T1010Z_abc.json.gz"
                .to_owned(),
            place: Some("byte 5120".to_owned()),
            problem: "the gzip stream ends early".to_owned(),
            remedy: Some("fetch the file again".to_owned()),
        },
        Unreadable {
            location: "old.tfstate".to_owned(),
            place: None,
            problem: "state version 2 is not supported".to_owned(),
            remedy: None,
        },
    ];
    report
}

/// Nothing drifted, and all was read.
pub fn nothing() -> Report {
    let mut report = rich();
    report.drifts.clear();
    report.failed.clear();
    report.summary = Summary::default();
    report.failing = 0;
    report.evidence.unmapped.clear();
    report.evidence.matched = 0;
    report
}

/// Nothing drifted, because there was no log file.
pub fn empty() -> Report {
    let mut report = nothing();
    report.evidence = Evidence::default();
    report
}

pub fn admin() -> (Actor, Origin) {
    (
        Actor {
            name: "admin-user@example.com".to_owned(),
            kind: "IAMUser".to_owned(),
            arn: Some("arn:aws:iam::123456789012:user/admin-user@example.com".to_owned()),
            account: Some("123456789012".to_owned()),
            role: None,
            source_ip: Some("203.0.113.7".to_owned()),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)".to_owned()),
            mfa: Some(false),
        },
        Origin {
            class: OriginClass::Console,
            evidence: vec!["sessionCredentialFromConsole".to_owned()],
        },
    )
}

fn sso() -> (Actor, Origin) {
    (
        Actor {
            name: "yuki@example.com".to_owned(),
            kind: "AssumedRole".to_owned(),
            arn: Some(
                "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b/yuki@example.com"
                    .to_owned(),
            ),
            account: Some("123456789012".to_owned()),
            role: Some("AWSReservedSSO_Admin_0a1b".to_owned()),
            source_ip: Some("2001:db8::7".to_owned()),
            user_agent: Some("aws-cli/2.15.0 Python/3.11".to_owned()),
            mfa: Some(true),
        },
        Origin {
            class: OriginClass::CliSdk,
            evidence: vec!["aws-cli/2.15.0".to_owned()],
        },
    )
}

fn mallory() -> (Actor, Origin) {
    (
        Actor {
            name: "ci-deploy".to_owned(),
            kind: "AssumedRole".to_owned(),
            account: Some("999999999999".to_owned()),
            role: Some("ci-deploy".to_owned()),
            source_ip: Some("198.51.100.9".to_owned()),
            user_agent: Some("APN/1.0 HashiCorp/1.0 Terraform/1.9.5".to_owned()),
            ..Actor::default()
        },
        Origin {
            class: OriginClass::IacUnverified,
            evidence: vec![
                "Terraform/1.9.5".to_owned(),
                "not an --iac-principal".to_owned(),
            ],
        },
    )
}

fn terraform() -> (Actor, Origin) {
    let (mut actor, mut origin) = mallory();
    actor.name = "terraform".to_owned();
    actor.role = Some("terraform".to_owned());
    origin.class = OriginClass::Iac;
    origin.evidence.truncate(1);
    (actor, origin)
}

fn autoscaling() -> (Actor, Origin) {
    (
        Actor {
            name: "application-autoscaling.amazonaws.com".to_owned(),
            kind: "AWSService".to_owned(),
            source_ip: Some("application-autoscaling.amazonaws.com".to_owned()),
            ..Actor::default()
        },
        Origin {
            class: OriginClass::AwsService,
            evidence: vec!["invokedBy".to_owned()],
        },
    )
}

pub fn event(at: &str, source: &str, name: &str, (actor, origin): (Actor, Origin)) -> Event {
    let digits: String = at.chars().filter(char::is_ascii_digit).collect();
    Event {
        event_id: format!("5a1e7e5e-0000-4000-8000-000000{digits}"),
        time: time(at),
        source: source.to_owned(),
        name: name.to_owned(),
        actor,
        origin,
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        error: None,
    }
}

pub fn attribute(path: &str, before: Value, after: Value) -> Attribute {
    Attribute {
        path: path.to_owned(),
        before: Some(before),
        after: Some(after),
        certainty: Certainty::Exact,
        sensitive: false,
        added: None,
        removed: None,
        by: vec![],
    }
}

/// An open modification with the fields that most drifts share.
pub fn modified(
    number: u64,
    severity: Severity,
    address: &str,
    id: &str,
    attributes: Vec<Attribute>,
    events: Vec<Event>,
) -> Drift {
    let last = address.rsplit_once('.').map_or(address, |(head, _)| head);
    let resource_type = last.rsplit('.').next().unwrap_or(last);
    Drift {
        id: format!("{number:016x}"),
        kind: Kind::Modified,
        status: Status::Open,
        severity,
        address: Some(address.to_owned()),
        resource_type: resource_type.to_owned(),
        resource_id: Some(id.to_owned()),
        resource_name: None,
        arn: None,
        parent: None,
        state: Some("terraform.tfstate".to_owned()),
        source: None,
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        attributes: attributes
            .into_iter()
            .map(|one| Attribute {
                by: events.iter().map(|e| e.event_id.clone()).collect(),
                ..one
            })
            .collect(),
        events,
        rules: vec![],
        suppressed_by: None,
        remedy: Remedy {
            summary: "Apply Terraform to put it back, or take the change into the code.".to_owned(),
            command: Some(format!("terraform plan -target='{address}'")),
            hcl: None,
            console_url: None,
        },
    }
}

fn policy(principal: &str) -> Value {
    Value::from(
        json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Principal": {"AWS": principal},
                 "Action": ["s3:GetObject", "s3:ListBucket"],
                 "Resource": ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/*"]},
                {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                 "Resource": "arn:aws:s3:::acme-data/*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
            ]
        })
        .to_string(),
    )
}

fn ingress(port: u16, from: &str) -> Value {
    json!({"cidr_blocks": [from], "from_port": port, "to_port": port, "protocol": "tcp"})
}

fn drifts() -> Vec<Drift> {
    let mut drifts = critical();
    drifts.extend(high());
    drifts.extend(medium_and_low());
    drifts.extend(closed());
    drifts
}

fn critical() -> Vec<Drift> {
    let mut webserver = modified(
        1,
        Severity::Critical,
        "aws_instance.webserver",
        "i-0abcd1234efgh5678",
        vec![attribute(
            "disable_api_termination",
            json!(true),
            json!(false),
        )],
        vec![event(
            "10:35:10",
            "ec2.amazonaws.com",
            "ModifyInstanceAttribute",
            admin(),
        )],
    );
    webserver.resource_name = Some("webserver".to_owned());
    webserver.rules = vec!["ec2-termination-protection".to_owned()];
    webserver.source = Some(SourcePosition {
        file: "infra/web.tf".to_owned(),
        line: 14,
    });
    webserver.remedy.console_url =
        Some("https://console.aws.amazon.com/go/view?arn=arn:aws:ec2:us-east-1:123456789012:instance/i-0abcd1234efgh5678".to_owned());

    let mut bucket_policy = modified(
        2,
        Severity::Critical,
        "module.storage.aws_s3_bucket_policy.data[\"eu-west-1\"]",
        "acme-data",
        vec![attribute(
            "policy",
            policy("arn:aws:iam::123456789012:role/reader"),
            policy("*"),
        )],
        vec![event(
            "10:02:44",
            "s3.amazonaws.com",
            "PutBucketPolicy",
            sso(),
        )],
    );
    bucket_policy.resource_type = "aws_s3_bucket_policy".to_owned();
    bucket_policy.rules = vec!["s3-public-policy".to_owned()];

    let mut database = modified(
        3,
        Severity::Critical,
        "aws_db_instance.main",
        "db-ABCDEFGHIJKL",
        vec![],
        vec![
            event("09:10:00", "rds.amazonaws.com", "ModifyDBInstance", sso()),
            event("09:12:30", "rds.amazonaws.com", "DeleteDBInstance", sso()),
        ],
    );
    database.kind = Kind::Deleted;
    database.resource_name = Some("main".to_owned());
    database.arn = Some("arn:aws:rds:us-east-1:123456789012:db:main".to_owned());
    database.rules = vec!["data-store-deleted".to_owned()];
    database.remedy = Remedy {
        summary: "Apply Terraform to make it again, or tell Terraform that it is gone.".to_owned(),
        command: Some("terraform apply -target=aws_db_instance.main".to_owned()),
        hcl: Some(
            "removed {\n  from = aws_db_instance.main\n\n  lifecycle {\n    destroy = false\n  }\n}\n"
                .to_owned(),
        ),
        console_url: None,
    };
    vec![webserver, bucket_policy, database]
}

fn high() -> Vec<Drift> {
    let mut application = modified(
        4,
        Severity::High,
        "module.app.aws_instance.app[0]",
        "i-0123456789abcdef0",
        vec![
            attribute("instance_type", json!("t3.micro"), json!("m5.24xlarge")),
            attribute("root_block_device[0].volume_size", json!(8), json!(500)),
            Attribute {
                before: None,
                ..attribute("tags[\"kubernetes.io/role\"]", Value::Null, json!("node"))
            },
            Attribute {
                after: None,
                ..attribute("tags.Owner", json!("payments"), Value::Null)
            },
        ],
        vec![
            event("09:40:00", "ec2.amazonaws.com", "CreateTags", admin()),
            event(
                "09:41:17",
                "ec2.amazonaws.com",
                "ModifyInstanceAttribute",
                sso(),
            ),
            event("09:44:03", "ec2.amazonaws.com", "ModifyVolume", mallory()),
        ],
    );
    application.resource_type = "aws_instance".to_owned();
    for (attribute, call) in application.attributes.iter_mut().zip([1, 2, 0, 0]) {
        attribute.by = vec![application.events[call].event_id.clone()];
    }

    let ingress = Attribute {
        added: Some(vec![ingress(22, "0.0.0.0/0")]),
        removed: Some(vec![]),
        ..attribute(
            "ingress",
            json!([ingress(443, "10.0.0.0/8")]),
            json!([ingress(22, "0.0.0.0/0"), ingress(443, "10.0.0.0/8")]),
        )
    };
    let mut firewall = modified(
        5,
        Severity::High,
        "aws_security_group.web",
        "sg-0a1b2c3d",
        vec![ingress],
        vec![event(
            "10:20:00",
            "ec2.amazonaws.com",
            "AuthorizeSecurityGroupIngress",
            admin(),
        )],
    );
    firewall.rules = vec!["open-security-group".to_owned()];

    let replica = modified(
        6,
        Severity::High,
        "aws_db_instance.replica",
        "db-ZYXWVUTSRQ",
        vec![
            Attribute {
                sensitive: true,
                ..attribute(
                    "password",
                    json!("PLANTED-old-secret"),
                    json!("PLANTED-new-secret"),
                )
            },
            Attribute {
                sensitive: true,
                added: Some(vec![json!("PLANTED-added-secret")]),
                removed: Some(vec![json!({"PLANTED-key": "PLANTED-removed-secret"})]),
                ..attribute(
                    "restore_keys",
                    json!([{"PLANTED-key": "PLANTED-removed-secret"}]),
                    json!(["PLANTED-added-secret"]),
                )
            },
        ],
        vec![event(
            "10:50:00",
            "rds.amazonaws.com",
            "ModifyDBInstance",
            sso(),
        )],
    );

    let mut key = modified(
        7,
        Severity::High,
        "aws_iam_access_key.unknown",
        "AKIAIOSFODNN7EXAMPLE",
        vec![],
        vec![event(
            "10:55:21",
            "iam.amazonaws.com",
            "CreateAccessKey",
            mallory(),
        )],
    );
    key.kind = Kind::Unmanaged;
    key.address = None;
    key.state = None;
    key.parent = Some("aws_iam_user.deploy".to_owned());
    key.rules = vec!["iam-credential".to_owned()];
    key.remedy = Remedy {
        summary: "Take it into Terraform, or remove it by hand.".to_owned(),
        command: None,
        hcl: Some(
            "import {\n  to = aws_iam_access_key.deploy\n  id = \"AKIAIOSFODNN7EXAMPLE\"\n}\n"
                .to_owned(),
        ),
        console_url: None,
    };
    vec![application, firewall, replica, key]
}

fn medium_and_low() -> Vec<Drift> {
    let function = modified(
        8,
        Severity::Medium,
        "aws_lambda_function.orders",
        "orders",
        vec![Attribute {
            after: None,
            certainty: Certainty::Indeterminate,
            ..attribute(
                "environment[0].variables",
                json!({"STAGE": "prod"}),
                Value::Null,
            )
        }],
        vec![event(
            "10:05:00",
            "lambda.amazonaws.com",
            "UpdateFunctionConfiguration20150331v2",
            sso(),
        )],
    );
    let table = modified(
        9,
        Severity::Medium,
        "aws_dynamodb_table.events",
        "events",
        vec![attribute("read_capacity", json!(5), json!(40))],
        vec![event(
            "10:11:00",
            "dynamodb.amazonaws.com",
            "UpdateTable",
            autoscaling(),
        )],
    );
    let mut interface = modified(
        10,
        Severity::Medium,
        "aws_network_interface.unknown",
        "eni-0fedcba9876543210",
        vec![],
        vec![event(
            "10:12:13",
            "ec2.amazonaws.com",
            "CreateNetworkInterface",
            terraform(),
        )],
    );
    interface.kind = Kind::Unmanaged;
    interface.address = None;
    interface.state = None;
    interface.remedy = Remedy::default();
    let reception = modified(
        11,
        Severity::Low,
        "aws_instance.受付サーバー",
        "i-0ffffffffffffffff",
        vec![attribute(
            "tags.所有者",
            json!("田中 太郎"),
            json!("佐藤 花子"),
        )],
        vec![event("10:30:00", "ec2.amazonaws.com", "CreateTags", sso())],
    );
    vec![function, table, interface, reception]
}

fn closed() -> Vec<Drift> {
    let mut reverted = modified(
        12,
        Severity::High,
        "aws_s3_bucket_versioning.logs",
        "acme-logs",
        vec![attribute(
            "versioning_configuration[0].status",
            json!("Enabled"),
            json!("Enabled"),
        )],
        vec![
            event(
                "09:20:00",
                "s3.amazonaws.com",
                "PutBucketVersioning",
                admin(),
            ),
            event(
                "09:25:00",
                "s3.amazonaws.com",
                "PutBucketVersioning",
                admin(),
            ),
        ],
    );
    reverted.status = Status::Reverted;
    reverted.remedy = Remedy::default();
    let mut reconciled = modified(
        13,
        Severity::Medium,
        "aws_lb.public",
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/public/50dc6c495c0c9188",
        vec![attribute("idle_timeout", json!(60), json!(60))],
        vec![
            event(
                "09:30:00",
                "elasticloadbalancing.amazonaws.com",
                "ModifyLoadBalancerAttributes",
                admin(),
            ),
            event(
                "09:58:00",
                "elasticloadbalancing.amazonaws.com",
                "ModifyLoadBalancerAttributes",
                terraform(),
            ),
        ],
    );
    reconciled.status = Status::Reconciled;
    reconciled.remedy = Remedy::default();
    let mut suppressed = modified(
        14,
        Severity::Low,
        "aws_autoscaling_group.workers",
        "workers",
        vec![attribute("desired_capacity", json!(3), json!(9))],
        vec![event(
            "10:15:00",
            "autoscaling.amazonaws.com",
            "SetDesiredCapacity",
            autoscaling(),
        )],
    );
    suppressed.status = Status::Suppressed;
    suppressed.suppressed_by = Some("ignore: capacity belongs to the autoscaler".to_owned());
    vec![reverted, reconciled, suppressed]
}
