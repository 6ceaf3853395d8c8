//! The program as users run it: a scrubbed environment, real files, the exit code always stated.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use common::run::program;
use common::s3::{CREDENTIALS, Store};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(path)
}

/// The program in a folder of its own, with nothing of this environment.
fn tfdrift(folder: &Path, args: &[&str]) -> Command {
    let mut command = program(folder);
    command.args(args).env("LANG", "C.UTF-8");
    command
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    ran(tfdrift(folder, args).output().unwrap())
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A scan of the small organisation, as JSON.
fn organisation(more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let (states, trail) = (
        testdata("organisation/states"),
        testdata("organisation/trail"),
    );
    let mut args = vec![
        "scan",
        "--state",
        states.to_str().unwrap(),
        "--trail",
        trail.to_str().unwrap(),
    ];
    args.extend([
        "--since",
        "2026-01-15",
        "--until",
        "2026-01-16",
        "-o",
        "json",
    ]);
    args.extend(more);
    let ran = run(folder.path(), &args);
    let report =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("no JSON: {}", ran.stderr));
    (ran.code, report)
}

fn subjects(report: &Value) -> Vec<String> {
    let mut subjects: Vec<String> = report["drifts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| {
            let subject = drift["address"]
                .as_str()
                .or(drift["type"].as_str())
                .unwrap();
            format!("{} {subject}", drift["kind"].as_str().unwrap())
        })
        .collect();
    subjects.sort();
    subjects
}

#[test]
fn the_small_organisation_has_the_drift_that_was_put_into_it() {
    let (code, report) = organisation(&[]);
    assert_eq!(code, 2);
    assert_eq!(
        subjects(&report),
        [
            "deleted aws_dynamodb_table.sessions",
            "deleted aws_s3_bucket_server_side_encryption_configuration.lake",
            "modified aws_cloudtrail.organisation",
            "modified aws_lambda_function.resize",
            "modified aws_security_group.app",
            "modified module.db[\"orders\"].aws_db_instance.this",
            "modified module.web.aws_instance.app[0]",
            "unmanaged aws_iam_role_policy_attachment",
        ]
    );
    assert_eq!(report["schema_version"], 1);
    assert_eq!(
        report["window"],
        json!({"since": "2026-01-15T00:00:00Z", "until": "2026-01-16T00:00:00Z"})
    );
    assert_eq!(report["evidence"]["complete"], true);
    assert_eq!(report["evidence"]["files"], 144);
    assert_eq!(report["states"].as_array().unwrap().len(), 2);
    let instance = report["drifts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|drift| drift["type"] == "aws_instance")
        .unwrap();
    assert_eq!(instance["severity"], "critical");
    assert_eq!(instance["attributes"][0]["path"], "disable_api_termination");
    assert_eq!(instance["attributes"][0]["before"], true);
    assert_eq!(instance["attributes"][0]["after"], false);
    assert_eq!(
        instance["events"][0]["actor"]["name"],
        "admin-user@example.com"
    );
    assert_eq!(instance["events"][0]["origin"]["class"], "console");
}

#[test]
fn the_same_drift_has_the_same_id_in_every_run() {
    let ids = |report: &Value| {
        report["drifts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|drift| drift["id"].clone())
            .collect::<Vec<_>>()
    };
    let (one, other) = (organisation(&[]).1, organisation(&["--threads", "7"]).1);
    assert_eq!(ids(&one), ids(&other));
    assert_eq!(one, other);
}

#[test]
fn flags_narrow_and_decide() {
    let cases: [(&[&str], i32, usize); 8] = [
        (&["--report-only"], 0, 8),
        (&["--account", "222233334444"], 2, 3),
        (&["--region", "ap-south-1"], 3, 0),
        (&["--address", "module.web.*"], 2, 1),
        (
            &["--min-severity", "critical", "--fail-on", "unmanaged"],
            2,
            8,
        ),
        (
            &[
                "--address",
                "aws_lambda_function.*",
                "--min-severity",
                "high",
            ],
            0,
            1,
        ),
        (&["--show", "resolved"], 2, 9),
        (&["--iac-principal", "someone-else"], 2, 9),
    ];
    for (flags, code, drifts) in cases {
        let (found, report) = organisation(flags);
        assert_eq!(found, code, "{flags:?}");
        assert_eq!(
            report["drifts"].as_array().unwrap().len(),
            drifts,
            "{flags:?}: {:?}",
            subjects(&report)
        );
    }
}

#[test]
fn what_terraform_put_back_is_reconciled() {
    let (_, report) = organisation(&[
        "--show",
        "resolved",
        "--address",
        "aws_cloudwatch_log_group.*",
    ]);
    assert_eq!(report["drifts"][0]["status"], "reconciled");
    assert_eq!(report["summary"]["resolved"], 1);
}

#[test]
fn refused_calls_are_listed_when_asked_for() {
    let (_, report) = organisation(&["--show", "failed"]);
    let failed = report["failed"].as_array().unwrap();
    assert!(
        failed
            .iter()
            .any(|call| call["address"] == "module.web.aws_instance.app[1]"),
        "{failed:?}"
    );
    assert!(
        organisation(&[]).1["failed"]
            .as_array()
            .is_none_or(Vec::is_empty)
    );
}

#[test]
fn wrong_usage_and_missing_inputs_are_exit_1_and_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let state = testdata("demo/terraform.tfstate");
    let state = state.to_str().unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["scan"], "--trail"),
        (&["scan", "--trail", "."], "--state"),
        (
            &["scan", "--trail", ".", "--state", "none.tfstate"],
            "none.tfstate",
        ),
        (
            &["scan", "--trail", ".", "--state", state, "--since", "lunch"],
            "lunch",
        ),
        (&["scan", "--trail", "ftp://x", "--state", state], "ftp"),
        (
            &[
                "scan", "--trail", ".", "--state", state, "-o", "json", "-o", "table",
            ],
            "stdout",
        ),
        (
            &[
                "scan",
                "--trail",
                ".",
                "--state",
                state,
                "--catalogue",
                "none.toml",
            ],
            "none.toml",
        ),
    ];
    for (args, word) in cases {
        let ran = run(folder.path(), args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(word), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
}

#[test]
fn empty_evidence_is_exit_3_unless_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let state = testdata("demo/terraform.tfstate");
    let args = ["scan", "--trail", ".", "--state", state.to_str().unwrap()];
    let ran = run(folder.path(), &args);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("empty"), "{}", ran.stderr);
    let allowed = run(
        folder.path(),
        &[&args[..], &["--allow-incomplete"]].concat(),
    );
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

/// A folder with the demo's state, and a trail folder to fill.
fn demo_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        testdata("demo/terraform.tfstate"),
        folder.path().join("terraform.tfstate"),
    )
    .unwrap();
    fs::create_dir(folder.path().join("trail")).unwrap();
    folder
}

const DEMO: [&str; 7] = [
    "scan",
    "--trail",
    "trail",
    "--since",
    "2026-01-15T10:00",
    "--until",
    "2026-01-15T11:00",
];

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let trail = fs::read(testdata("demo/trail.json")).unwrap();
    let whole = gzip(&trail);
    let cases: [(&str, Vec<u8>); 6] = [
        ("truncated.json.gz", whole[..whole.len() * 2 / 3].to_vec()),
        (
            "corrupt.json.gz",
            [&whole[..40], &[0xFF; 40], &whole[80..]].concat(),
        ),
        ("text.json", b"hello, world".to_vec()),
        ("empty.json.gz", Vec::new()),
        ("binary.json", vec![0, 159, 146, 150]),
        (
            "timeless.json",
            br#"{"Records":[{"eventName":"X","eventSource":"ec2.amazonaws.com"}]}"#.to_vec(),
        ),
    ];
    for (name, bytes) in cases {
        let folder = demo_folder();
        fs::write(folder.path().join("trail/good.json"), &trail).unwrap();
        fs::write(folder.path().join("trail").join(name), bytes).unwrap();
        let ran = run(folder.path(), &[&DEMO[..], &["-o", "json"]].concat());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(ran.code, 2, "{name}: {}", ran.stderr);
        assert_eq!(report["drifts"].as_array().unwrap().len(), 3, "{name}");
        assert_eq!(report["evidence"]["complete"], false, "{name}");
        let unreadable = report["evidence"]["unreadable"].to_string();
        assert!(unreadable.contains(name), "{name}: {unreadable}");
    }
}

#[test]
fn a_truncated_file_alone_is_read_as_far_as_it_goes() {
    let folder = demo_folder();
    let trail = fs::read_to_string(testdata("demo/trail.json")).unwrap();
    // The first record is whole, the second is cut.
    let cut = trail.find("DeleteBucketEncryption").unwrap();
    fs::write(folder.path().join("trail/cut.json"), &trail[..cut]).unwrap();
    let ran = run(folder.path(), &[&DEMO[..], &["-o", "json"]].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.code, 2);
    assert_eq!(subjects(&report), ["modified aws_instance.webserver"]);
    assert_eq!(report["evidence"]["complete"], false);
}

#[test]
fn a_state_that_cannot_be_read_makes_the_evidence_incomplete_and_keeps_no_other_from_being_read() {
    let folder = demo_folder();
    fs::copy(
        testdata("demo/trail.json"),
        folder.path().join("trail/log.json"),
    )
    .unwrap();
    fs::write(
        folder.path().join("old.tfstate"),
        r#"{"version": 99, "serial": 1}"#,
    )
    .unwrap();
    let args = [
        "--state",
        "terraform.tfstate",
        "--state",
        "old.tfstate",
        "-o",
        "json",
        "--address",
        "nothing",
    ];
    let ran = run(folder.path(), &[&DEMO[..], &args].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stdout.contains("old.tfstate"), "{}", ran.stdout);
}

#[test]
fn a_resource_in_two_states_drifts_in_each() {
    let folder = demo_folder();
    fs::copy(
        testdata("demo/trail.json"),
        folder.path().join("trail/log.json"),
    )
    .unwrap();
    fs::copy(
        folder.path().join("terraform.tfstate"),
        folder.path().join("copy.tfstate"),
    )
    .unwrap();
    let args = [
        "--state",
        "terraform.tfstate",
        "--state",
        "copy.tfstate",
        "-o",
        "json",
    ];
    let ran = run(folder.path(), &[&DEMO[..], &args].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |state: &str| {
        report["drifts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|drift| drift["state"].as_str() == Some(state))
            .count()
    };
    assert_eq!((of("terraform.tfstate"), of("copy.tfstate")), (3, 3));
}

#[test]
fn logs_and_states_come_through_pipes() {
    let folder = demo_folder();
    let mut child = tfdrift(
        folder.path(),
        &["scan", "--trail", "-", "--since", "all", "-o", "json"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    let trail = gzip(&fs::read(testdata("demo/trail.json")).unwrap());
    child.stdin.take().unwrap().write_all(&trail).unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["drifts"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn secrets_and_control_characters_reach_no_output() {
    let folder = demo_folder();
    let state = fs::read_to_string(folder.path().join("terraform.tfstate")).unwrap();
    let marked = state.replace(
        "\"sensitive_attributes\": []",
        r#""sensitive_attributes": [[{"type": "get_attr", "value": "instance_type"}]]"#,
    );
    fs::write(folder.path().join("terraform.tfstate"), marked).unwrap();
    let trail = fs::read_to_string(testdata("demo/trail.json")).unwrap();
    let hostile = trail.replace("lena@example.com", "lena\\u001b[2J\\u202e@example.com");
    fs::write(folder.path().join("trail/log.json"), hostile).unwrap();
    for format in tfdrift::report::Format::ALL {
        let ran = run(
            folder.path(),
            &[&DEMO[..], &["-o", format.word(), "--colour", "never"]].concat(),
        );
        assert_eq!(ran.code, 2, "{format}: {}", ran.stderr);
        for secret in ["t3.small", "t3.xlarge", "\u{1b}", "\u{202e}"] {
            assert!(!ran.stdout.contains(secret), "{format} shows {secret:?}");
            assert!(!ran.stderr.contains(secret), "{format} says {secret:?}");
        }
    }
    let revealed = run(
        folder.path(),
        &[&DEMO[..], &["-o", "json", "--reveal"]].concat(),
    );
    assert!(revealed.stdout.contains("t3.xlarge"));
}

#[test]
fn many_outputs_are_written_and_one_that_fails_keeps_none_back() {
    let folder = demo_folder();
    fs::copy(
        testdata("demo/trail.json"),
        folder.path().join("trail/log.json"),
    )
    .unwrap();
    let args = [
        "-o",
        "json=report.json",
        "-o",
        "markdown=no/such/folder.md",
        "-o",
        "sarif=report.sarif",
        "-o",
        "table",
    ];
    let ran = run(folder.path(), &[&DEMO[..], &args].concat());
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no/such/folder.md"), "{}", ran.stderr);
    assert!(ran.stdout.contains("aws_instance.webserver"));
    for file in ["report.json", "report.sarif"] {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{file}");
    }
}

#[test]
fn a_github_step_gets_its_summary_and_outputs() {
    let folder = demo_folder();
    fs::copy(
        testdata("demo/trail.json"),
        folder.path().join("trail/log.json"),
    )
    .unwrap();
    let mut command = tfdrift(folder.path(), &[&DEMO[..], &["-o", "github"]].concat());
    command
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .env("GITHUB_OUTPUT", "outputs");
    let ran = ran(command.output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stdout.contains("::error "), "{}", ran.stdout);
    let text = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(text("summary.md").contains("aws_instance.webserver"));
    assert!(text("outputs").contains('='), "{}", text("outputs"));
}

#[test]
fn users_add_rules_of_their_own() {
    let folder = demo_folder();
    let trail = fs::read_to_string(testdata("demo/trail.json")).unwrap();
    let own = trail.replace(
        "ec2.amazonaws.com\",\"eventName\":\"ModifyInstanceAttribute\"",
        "ec2.amazonaws.com\",\"eventName\":\"TouchInstance\"",
    );
    fs::write(folder.path().join("trail/log.json"), own).unwrap();
    fs::write(
        folder.path().join("own.toml"),
        "service = \"ec2.amazonaws.com\"\n[TouchInstance.aws_instance]\nfind.id = \"instanceId\"\nset.instance_type = \"instanceType\"\n",
    )
    .unwrap();
    let ran = run(
        folder.path(),
        &[
            &DEMO[..],
            &[
                "-o",
                "json",
                "--catalogue",
                "own.toml",
                "--address",
                "aws_instance.*",
            ],
        ]
        .concat(),
    );
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(subjects(&report), ["modified aws_instance.worker"]);
    let without = run(
        folder.path(),
        &[&DEMO[..], &["-o", "json", "--address", "aws_instance.*"]].concat(),
    );
    let report: Value = serde_json::from_str(&without.stdout).unwrap();
    assert_eq!(report["drifts"], json!([]));
    assert_eq!(
        report["evidence"]["unmapped"][0]["event"],
        "ec2.amazonaws.com/TouchInstance"
    );
    fs::write(folder.path().join("own.toml"), "service = \"ec2.amazonaws.com\"\n[TouchInstance.aws_instance]\nfind.idd = \"instanceId\"\n").unwrap();
    let wrong = run(
        folder.path(),
        &[&DEMO[..], &["--catalogue", "own.toml"]].concat(),
    );
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.stderr.contains("own.toml") && wrong.stderr.contains("idd"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn the_configuration_file_decides_what_to_live_with() {
    let folder = demo_folder();
    fs::copy(
        testdata("demo/trail.json"),
        folder.path().join("trail/log.json"),
    )
    .unwrap();
    fs::write(
        folder.path().join("tfdrift.toml"),
        "[[ignore]]\naddress = \"aws_instance.worker\"\nattribute = \"instance_type\"\nreason = \"sized by hand this week\"\n",
    )
    .unwrap();
    let ran = run(
        folder.path(),
        &[&DEMO[..], &["-o", "json", "--show", "suppressed"]].concat(),
    );
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["summary"]["suppressed"], 1);
    let hidden = report["drifts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|drift| drift["status"] == "suppressed")
        .unwrap();
    assert_eq!(hidden["address"], "aws_instance.worker");
}

#[test]
fn states_and_logs_are_read_from_an_s3_compatible_store() {
    let store = Store::start();
    store.put(
        "states/prod.tfstate",
        &fs::read(testdata("demo/terraform.tfstate")).unwrap(),
    );
    store.put(
        "archive/AWSLogs/123456789012/CloudTrail/us-east-1/2026/01/15/123456789012_CloudTrail_us-east-1_20260115T1055Z_x.json.gz",
        &gzip(&fs::read(testdata("demo/trail.json")).unwrap()),
    );
    let folder = tempfile::tempdir().unwrap();
    let args = [
        "scan",
        "--state",
        "s3://logs/states/prod.tfstate",
        "--trail",
        "s3://logs/archive",
        "-o",
        "json",
    ];
    let window = ["--since", "2026-01-15T10:00", "--until", "2026-01-15T11:00"];
    let with_keys = |key: &str, secret: &str| {
        let mut command = tfdrift(folder.path(), &[&args[..], &window].concat());
        command
            .env("AWS_ENDPOINT_URL", store.endpoint())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret);
        ran(command.output().unwrap())
    };
    let ran = with_keys(CREDENTIALS.0, CREDENTIALS.1);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["drifts"].as_array().unwrap().len(), 3);
    assert!(
        report["states"][0]["as_of"].is_string(),
        "{}",
        report["states"]
    );
    let refused = with_keys(CREDENTIALS.0, "wrong");
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = tfdrift(folder.path(), &["demo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn demo_shows_its_three_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["demo", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told: Vec<_> = report["drifts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| {
            (
                drift["type"].as_str().unwrap(),
                drift["severity"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("aws_instance", "critical"),
            (
                "aws_s3_bucket_server_side_encryption_configuration",
                "critical"
            ),
            ("aws_instance", "high"),
        ]
    );
}

#[test]
fn what_was_renamed_is_followed_whatever_file_tells_it_first() {
    let folder = tempfile::tempdir().unwrap();
    let state = json!({"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "a", "outputs": {}, "resources": [{
        "mode": "managed", "type": "aws_db_instance", "name": "db",
        "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
        "instances": [{"schema_version": 2, "attributes": {
            "id": "db-ABC", "identifier": "prod", "deletion_protection": true,
            "arn": "arn:aws:rds:eu-west-1:123456789012:db:prod",
        }}],
    }]});
    fs::write(folder.path().join("terraform.tfstate"), state.to_string()).unwrap();
    let record = |minute: u8, request: Value| {
        json!({
            "eventVersion": "1.08", "eventTime": format!("2026-01-15T10:{minute:02}:00Z"),
            "eventSource": "rds.amazonaws.com", "eventName": "ModifyDBInstance", "awsRegion": "eu-west-1",
            "userIdentity": {"type": "IAMUser", "accountId": "123456789012", "userName": "alice"},
            "requestParameters": request, "responseElements": null, "eventID": format!("event-{minute}"),
            "readOnly": false, "eventType": "AwsApiCall", "recipientAccountId": "123456789012",
        })
    };
    let renamed = record(
        1,
        json!({"dBInstanceIdentifier": "prod", "newDBInstanceIdentifier": "old", "applyImmediately": true}),
    );
    let changed = record(
        2,
        json!({"dBInstanceIdentifier": "old", "deletionProtection": false, "applyImmediately": true}),
    );
    let stranger = record(
        3,
        json!({"dBInstanceIdentifier": "other", "deletionProtection": false, "applyImmediately": true}),
    );
    let scanned = |records: [Vec<&Value>; 2]| {
        for (name, records) in ["a.json", "b.json"].iter().zip(records) {
            let path = folder.path().join("trail").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, json!({ "Records": records }).to_string()).unwrap();
        }
        let args = [
            "scan",
            "--state",
            "terraform.tfstate",
            "--trail",
            "trail",
            "--since",
            "2026-01-15",
            "--until",
            "2026-01-16",
            "-o",
            "json",
        ];
        let ran = run(folder.path(), &args);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let drifts = report["drifts"].as_array().unwrap();
        let attributes = drifts.iter().flat_map(|drift| {
            assert_eq!(drift["address"], "aws_db_instance.db");
            drift["attributes"].as_array().unwrap()
        });
        let mut paths: Vec<String> = attributes
            .map(|attribute| attribute["path"].as_str().unwrap().to_owned())
            .collect();
        paths.sort();
        paths
    };
    for records in [
        [vec![&renamed], vec![&stranger, &changed]],
        [vec![&changed, &stranger], vec![&renamed]],
    ] {
        assert_eq!(scanned(records), ["deletion_protection", "identifier"]);
    }
    assert!(scanned([vec![&changed], vec![&stranger]]).is_empty());

    // What was made, renamed and deleted is gone, though no state ever knew it.
    let mut made = record(
        4,
        json!({"dBInstanceIdentifier": "new", "engine": "mysql", "dBInstanceClass": "db.t3.micro"}),
    );
    made["eventName"] = json!("CreateDBInstance");
    made["responseElements"] = json!({
        "dBInstanceIdentifier": "new", "dBInstanceArn": "arn:aws:rds:eu-west-1:123456789012:db:new",
        "dbiResourceId": "db-NEW", "engine": "mysql", "dBInstanceClass": "db.t3.micro",
    });
    let renamed = record(
        5,
        json!({"dBInstanceIdentifier": "new", "newDBInstanceIdentifier": "newer", "applyImmediately": true}),
    );
    let mut deleted = record(
        6,
        json!({"dBInstanceIdentifier": "newer", "skipFinalSnapshot": true}),
    );
    deleted["eventName"] = json!("DeleteDBInstance");
    assert!(scanned([vec![&deleted, &renamed], vec![&made]]).is_empty());
}
