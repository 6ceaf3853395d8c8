//! Digests tell a scan which log files it needs, whether all are there, and that nothing happened
//! where there is none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use common::digest::{ACCOUNT, Maker};
use common::gzip;
use common::s3::{CREDENTIALS, Store};

const INSTANCE: &str = "i-0123456789abcdef0";

/// A log file with a call on the instance at a time of the day.
fn log(clock: &str) -> String {
    json!({"Records": [{
        "eventVersion": "1.08", "eventID": format!("e-{clock}"),
        "eventTime": format!("2026-01-15T{clock}Z"), "eventSource": "ec2.amazonaws.com",
        "eventName": "ModifyInstanceAttribute", "awsRegion": "eu-west-1",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT},
        "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2",
        "requestParameters": {"instanceId": INSTANCE, "instanceType": {"value": "m5.large"}},
        "responseElements": {"_return": true}, "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
    }]})
    .to_string()
}

fn state() -> String {
    json!({"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "l", "outputs": {},
        "resources": [{"mode": "managed", "type": "aws_instance", "name": "web",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"schema_version": 1, "attributes": {
                "id": INSTANCE, "instance_type": "t3.micro",
                "arn": format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{INSTANCE}")}}]}]})
    .to_string()
}

/// A bucket with digests from 08:01:31 to 14:01:31, and log files that they list.
struct World {
    folder: TempDir,
    store: Store,
    maker: Maker,
    digests: Vec<String>,
}

impl World {
    /// Of log files by the hour of the digest that lists them (0 is the first), the time in their
    /// names and the time of their call.
    fn of(logs: &[(usize, &str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tfstate"), state()).unwrap();
        let (store, maker) = (Store::start(), Maker::new());
        let texts: Vec<_> = logs
            .iter()
            .map(|(hour, name, clock)| (*hour, maker.log(name), log(clock)))
            .collect();
        let listed: Vec<Vec<(&str, &str)>> = (0..6)
            .map(|hour| {
                let own = texts.iter().filter(|(of, ..)| *of == hour);
                own.map(|(_, key, text)| (key.as_str(), text.as_str()))
                    .collect()
            })
            .collect();
        let hours: Vec<&[(&str, &str)]> = listed.iter().map(Vec::as_slice).collect();
        let chain = maker.chain(&hours);
        for made in &chain {
            let text = String::from_utf8(made.text.clone()).unwrap();
            store.put(&made.object, &gzip(&text));
        }
        for (_, key, text) in &texts {
            store.put(key, &gzip(text));
        }
        Self {
            folder,
            store,
            digests: chain.into_iter().map(|made| made.object).collect(),
            maker,
        }
    }

    /// Exit code and report.
    fn scan(&self, since: &str, until: &str, trail: &str) -> (i32, Value) {
        let time = |clock: &str| format!("2026-01-15T{clock}Z");
        let output = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
            .args(["scan", "--state", "main.tfstate", "-o", "json", "-q"])
            .args([
                "--trail",
                trail,
                "--since",
                &time(since),
                "--until",
                &time(until),
            ])
            .current_dir(self.folder.path())
            .env_clear()
            .env("AWS_ENDPOINT_URL_S3", self.store.endpoint())
            .env("AWS_ACCESS_KEY_ID", CREDENTIALS.0)
            .env("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code().unwrap(), report)
    }

    /// The times in the names of the log files that were fetched so far, in order.
    fn fetched(&self) -> Vec<String> {
        let mut clocks: Vec<String> = self
            .store
            .asked()
            .gets
            .iter()
            .filter(|key| key.contains("/CloudTrail/"))
            .map(|key| key.split("_20260115T").nth(1).unwrap()[..4].to_owned())
            .collect();
        clocks.sort();
        clocks
    }
}

fn problems(report: &Value) -> String {
    report["evidence"]["unreadable"].to_string()
}

/// As CloudTrail delivers them: four in time, one on either side of the window.
const USUAL: [(usize, &str, &str); 5] = [
    (0, "0830", "08:25:00"),
    (1, "0835", "08:31:00"),
    (2, "1035", "10:31:00"),
    (2, "1100", "10:59:59"),
    (3, "1105", "11:00:00"),
];

#[test]
fn files_that_hold_nothing_of_the_window_are_not_fetched() {
    let world = World::of(&USUAL);
    let (code, report) = world.scan("08:30:00", "11:00:00", "s3://logs");
    assert_eq!((code, &report["evidence"]["complete"]), (2, &json!(true)));
    assert_eq!(world.fetched(), ["0835", "1035", "1100"]);
    let events = report["drifts"][0]["events"].as_array().unwrap().len();
    assert_eq!(events, 3);
}

#[test]
fn a_file_that_a_digest_lists_and_nobody_finds_makes_the_evidence_incomplete() {
    let world = World::of(&[(0, "0835", "08:31:00")]);
    world.store.remove(&world.maker.log("0835"));
    let (code, report) = world.scan("08:30:00", "11:00:00", "s3://logs");
    assert_eq!(code, 3);
    let text = problems(&report);
    assert!(text.contains("a digest lists it"), "{text}");
    assert!(text.contains("T0835Z_x.json.gz"), "{text}");
}

#[test]
fn where_digests_say_that_nothing_happened_there_is_no_want_of_evidence() {
    let world = World::of(&[(0, "0835", "08:31:00")]);
    let quiet = |world: &World| {
        let (code, report) = world.scan("10:00:00", "12:00:00", "s3://logs");
        (code, report["evidence"]["complete"].clone())
    };
    assert_eq!(quiet(&world), (0, json!(true)));
    world.store.remove(&world.digests[3]);
    assert_eq!(quiet(&world), (3, json!(false)), "a digest is missing");
}

#[test]
fn a_part_of_an_archive_is_not_asked_for_the_rest() {
    let world = World::of(&USUAL);
    let day = format!("s3://logs/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/01/14/");
    let (code, report) = world.scan("08:30:00", "11:00:00", &day);
    assert_eq!((code, problems(&report).as_str()), (3, "[]"));
}

#[test]
fn a_copy_on_this_machine_is_looked_up_as_a_bucket_is() {
    let world = World::of(&USUAL);
    let copy = world.store.folder();
    let copy = copy.to_str().unwrap();
    let (code, report) = world.scan("08:30:00", "11:00:00", copy);
    assert_eq!((code, &report["evidence"]["files"]), (2, &json!(3)));
    world.store.remove(&world.maker.log("1035"));
    let (code, report) = world.scan("08:30:00", "11:00:00", copy);
    assert_eq!((code, &report["evidence"]["complete"]), (2, &json!(false)));
    assert!(problems(&report).contains("T1035Z"), "{report}");
}
