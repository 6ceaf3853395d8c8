//! The program as users run it, on states and logs from wherever they lie.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::process::Command;

use common::http::{Answer, Asked, Peer};
use common::run::{Run, TRAIL, before, state};
use common::s3::{CREDENTIALS, Store};
use serde_json::{Value, json};

#[test]
fn a_state_is_read_as_it_was_when_the_window_began() {
    let store = Store::with_pages_of(2);
    let keep = |id: &str, time: &str, kind: &str| {
        store.keep("net/a.tfstate", id, time, Some(state(kind).as_bytes()));
    };
    keep("v1", "2026-01-13T08:00:00Z", "t3.nano");
    keep("v2", "2026-01-14T08:00:00Z", "t3.micro");
    keep("v3", "2026-01-15T10:30:00Z", "m5.large");
    store.keep("net/a.tfstate", "v4", "2026-01-16T08:00:00Z", None);
    // A neighbour whose key begins alike.
    store.keep(
        "net/a.tfstate.old",
        "x1",
        "2026-01-14T09:00:00Z",
        Some(b"{}"),
    );
    let run = Run::new().at(&store);

    let (code, report, said) = run.scan(&[
        "--state",
        "s3://logs/net/a.tfstate",
        "--state-as-of",
        "since",
    ]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(before(&report, "instance_type"), Some(&json!("t3.micro")));
    assert_eq!(report["states"][0]["as_of"], "2026-01-14T08:00:00Z");

    let at = [
        "--state",
        "s3://logs/net/a.tfstate",
        "--state-as-of",
        "2026-01-13T12:00",
    ];
    let (_, report, _) = run.scan(&at);
    assert_eq!(before(&report, "instance_type"), Some(&json!("t3.nano")));

    for (time, problem) in [
        (
            "2026-01-12",
            "no version of it is as old as 2026-01-12T00:00:00Z; the oldest is of 2026-01-13",
        ),
        ("2026-01-17", "it had been deleted at 2026-01-16T08:00:00Z"),
    ] {
        let (code, _, said) =
            run.scan(&["--state", "s3://logs/net/a.tfstate", "--state-as-of", time]);
        assert_eq!(code, 1);
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_bucket_without_versions_says_that_the_older_state_is_gone() {
    let store = Store::start();
    let text = state("t3.micro");
    store.keep(
        "a.tfstate",
        "null",
        "2026-01-15T10:30:00Z",
        Some(text.as_bytes()),
    );
    let run = Run::new().at(&store);
    let (code, _, said) = run.scan(&["--state", "s3://logs/a.tfstate", "--state-as-of", "since"]);
    assert_eq!(code, 1);
    assert!(said.contains("keeps no versions"), "{said}");
    let (code, _, said) = run.scan(&[
        "--state",
        "s3://logs/denied.tfstate",
        "--state-as-of",
        "since",
    ]);
    assert_eq!(code, 1);
    assert!(
        said.contains("allow s3:ListBucketVersions on arn:aws:s3:::logs"),
        "{said}"
    );
}

#[test]
fn a_local_state_is_read_as_it_is_and_that_is_said() {
    let run = Run::new();
    run.put("a.tfstate", &state("t3.micro"));
    let (code, _, said) = run.scan(&["--state", "a.tfstate", "--state-as-of", "since"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("a.tfstate: read as it is now and not as of 2026-01-15T09:00:00Z"),
        "{said}"
    );
    let all = [
        "--state",
        "a.tfstate",
        "--state-as-of",
        "since",
        "--since",
        "all",
    ];
    let (code, _, said) = run.scan(&all);
    assert_eq!(code, 1);
    assert!(said.contains("give one with --since"), "{said}");
}

/// Code of the instance: its block at line 2 of the file, and what it ignores.
fn code(ignored: &str) -> String {
    format!(
        "# our web server\nresource \"aws_instance\" \"web\" {{\n  lifecycle {{\n    ignore_changes = {ignored}\n  }}\n}}\n"
    )
}

#[test]
fn what_the_code_ignores_is_suppressed_and_what_it_does_not_has_its_place() {
    let run = Run::new();
    run.put("a.tfstate", &state("t3.micro"));
    run.put("code/main.tf", &code("[ami]"));
    let (code_, report, said) = run.scan(&["--state", "a.tfstate", "--config-dir", "code"]);
    assert_eq!(code_, 2, "{said}");
    assert_eq!(report["summary"]["modified"], 1);
    let drift = report["drifts"][0].to_string();
    let place = r#""source":{"file":"code/main.tf","line":2}"#;
    assert!(
        drift.contains(place) || drift.contains("code/main.tf"),
        "{drift}"
    );

    for ignored in ["[instance_type]", "all"] {
        run.put("code/main.tf", &code(ignored));
        let words = [
            "--state",
            "a.tfstate",
            "--config-dir",
            "code",
            "--show",
            "suppressed",
        ];
        let (code, report, said) = run.scan(&words);
        assert_eq!(code, 0, "{said}");
        assert_eq!(report["summary"]["suppressed"], 1);
        let drift = report["drifts"][0].to_string();
        assert!(
            drift.contains("ignore_changes in code/main.tf:4"),
            "{drift}"
        );
    }
}

#[test]
fn code_of_a_root_module_is_found_beside_its_backend_and_broken_code_costs_nothing() {
    let run = Run::new();
    run.put("infra/.terraform/x", "");
    run.put("infra/terraform.tfstate", &state("t3.micro"));
    run.put("infra/main.tf", &code("[instance_type]"));
    run.put("infra/broken.tf", "resource {{{");
    let (code, report, said) = run.scan(&[]);
    assert_eq!(
        (code, &report["summary"]["suppressed"]),
        (0, &json!(1)),
        "{said}"
    );
    assert_eq!(report["evidence"]["complete"], true);
    assert!(said.contains("infra/broken.tf:1: this is no HCL"), "{said}");
    let (code, _, said) = run.scan(&["--config-dir", "nowhere"]);
    assert_eq!(code, 1);
    assert!(said.contains("`nowhere` is no folder"), "{said}");
}

#[test]
fn falcos_alerts_are_logs_and_what_they_leave_out_is_not_taken_for_unchanged() {
    let run = Run::new();
    run.put("a.tfstate", &state("t3.micro"));
    let mut fields = json!({"ct.id": "e-1", "ct.name": "ModifyInstanceAttribute", "ct.src": "ec2.amazonaws.com",
        "ct.region": "eu-west-1", "ct.user": "ann", "ct.user.identitytype": "IAMUser", "ct.user.accountid": "111111111111",
        "ct.request": r#"{"instanceId":"i-0123456789abcdef0","instanceType":{"value":"m5.large"}}"#});
    let alert = |fields: &Value| {
        json!({"source": "aws_cloudtrail", "time": "2026-01-15T10:00:00.000000000Z", "rule": "r", "output_fields": fields})
            .to_string()
    };
    run.put("alerts.json", &alert(&fields));
    let words = ["--state", "a.tfstate", "--trail", "falco:alerts.json"];
    let (code, report, said) = run.scan(&words);
    assert_eq!(code, 2, "{said}");
    let attribute = &report["drifts"][0]["attributes"][0];
    assert_eq!(
        (&attribute["path"], &attribute["after"]),
        (&json!("instance_type"), &json!("m5.large"))
    );
    assert_eq!(report["drifts"][0]["events"][0]["actor"]["name"], "ann");
    assert_eq!(report["evidence"]["files"], 1);
    assert!(
        said.contains("only the calls that its rules match"),
        "{said}"
    );

    // A bucket's policy, of which the alert prints the bucket alone.
    let buckets = json!({"version": 4, "serial": 1, "lineage": "l", "resources": [
        {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"attributes": {"id": "b", "bucket": "b", "arn": "arn:aws:s3:::b", "region": "eu-west-1"}}]},
        {"mode": "managed", "type": "aws_s3_bucket_policy", "name": "b", "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"attributes": {"id": "b", "bucket": "b", "policy": "{}"}}]}]});
    run.put("b.tfstate", &buckets.to_string());
    fields["ct.name"] = "PutBucketPolicy".into();
    fields["ct.src"] = "s3.amazonaws.com".into();
    fields["ct.request"] = "<NA>".into();
    fields["s3.bucket"] = "b".into();
    run.put("alerts.json", &alert(&fields));
    let (code, report, said) = run.scan(&["--state", "b.tfstate", "--trail", "falco:alerts.json"]);
    assert_eq!(code, 2, "{said}");
    let drift = &report["drifts"][0];
    assert_eq!(drift["address"], "aws_s3_bucket_policy.b");
    let attribute = &drift["attributes"][0];
    assert_eq!(
        (&attribute["path"], &attribute["certainty"]),
        (&json!("policy"), &json!("indeterminate"))
    );
}

/// The record of the log file, as the event history has it.
fn history_event() -> Value {
    let trail: Value = serde_json::from_str(TRAIL).unwrap();
    json!({"EventId": "e-1", "EventName": "ModifyInstanceAttribute", "ReadOnly": "false",
        "EventTime": 1_768_471_200, "CloudTrailEvent": trail["Records"][0].to_string()})
}

fn amz(status: u16, body: &Value) -> Answer {
    let kind = ("content-type", "application/x-amz-json-1.1".to_owned());
    (status, vec![kind], body.to_string().into_bytes())
}

/// CloudTrail in a region of its own, told by what a request is signed for.
fn region_of(asked: &Asked) -> String {
    let signed = asked.header("authorization").unwrap();
    signed.split('/').nth(2).unwrap().to_owned()
}

/// Credentials and an AWS whose CloudTrail and STS are the peer.
fn with_history(run: Run, peer: &Peer) -> Run {
    run.with("AWS_ENDPOINT_URL_CLOUDTRAIL", &peer.url())
        .with("AWS_ENDPOINT_URL_STS", &peer.url())
        .with("AWS_ACCESS_KEY_ID", CREDENTIALS.0)
        .with("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1)
        .with("AWS_EC2_METADATA_DISABLED", "true")
}

/// A window that the event history remembers, whatever day it is, with the event in it.
fn recent() -> (String, Value) {
    let now = jiff::Timestamp::now();
    let time = now - jiff::SignedDuration::from_hours(2);
    let time = jiff::Timestamp::from_second(time.as_second())
        .unwrap()
        .to_string();
    let mut event = history_event();
    let record = event["CloudTrailEvent"]
        .as_str()
        .unwrap()
        .replace("2026-01-15T10:00:00Z", &time);
    event["CloudTrailEvent"] = record.into();
    ("1d".to_owned(), event)
}

#[test]
fn the_event_history_is_asked_page_by_page_at_its_pace_and_again_when_throttled() {
    let (since, event) = recent();
    let times = std::sync::Mutex::new(0);
    let peer = Peer::start(move |asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        assert_eq!(
            body["LookupAttributes"][0],
            json!({"AttributeKey": "ReadOnly", "AttributeValue": "false"})
        );
        match (region_of(asked).as_str(), body["NextToken"].as_str()) {
            ("eu-west-1", None) => {
                let mut times = times.lock().unwrap();
                *times += 1;
                if *times == 1 {
                    return amz(
                        400,
                        &json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
                    );
                }
                amz(200, &json!({"Events": [], "NextToken": "more"}))
            }
            ("eu-west-1", Some("more")) => amz(200, &json!({"Events": [event]})),
            _ => amz(200, &json!({"Events": []})),
        }
    });
    let run = with_history(Run::new(), &peer);
    run.put("a.tfstate", &state("t3.micro"));
    let words = [
        "--state",
        "a.tfstate",
        "--trail",
        "lookup:eu-west-1,us-east-1",
        "--since",
        &since,
        "--until",
        "now",
    ];
    let (code, report, said) = run.scan(&words);
    assert_eq!(code, 2, "{said}");
    assert_eq!(report["drifts"][0]["attributes"][0]["after"], "m5.large");
    assert_eq!(report["evidence"]["files"], 2);
    assert_eq!(report["evidence"]["complete"], true);
    assert_eq!(peer.asked().len(), 4);
    assert!(
        peer.asked()[0]
            .header("x-amz-target")
            .unwrap()
            .ends_with(".LookupEvents")
    );
}

#[test]
fn what_the_event_history_cannot_tell_is_said() {
    let peer = Peer::start(|asked| match region_of(asked).as_str() {
        "eu-west-1" => amz(
            400,
            &json!({"__type": "AccessDeniedException", "message": "not authorized"}),
        ),
        "eu-west-2" => amz(
            400,
            &json!({"__type": "UnrecognizedClientException", "message": "invalid token"}),
        ),
        _ => amz(200, &json!({"Events": []})),
    });
    let run = with_history(Run::new(), &peer);
    run.put("a.tfstate", &state("t3.micro"));
    let scan = |trail: &str, since: &str| {
        run.scan(&[
            "--state",
            "a.tfstate",
            "--trail",
            trail,
            "--since",
            since,
            "--until",
            "now",
        ])
    };
    let (code, report, _) = scan("lookup:us-east-1", "100d");
    assert_eq!(code, 3);
    let problem = report["evidence"]["unreadable"][0]["problem"].to_string();
    assert!(problem.contains("goes back 90 days"), "{problem}");

    let (code, report, _) = scan("lookup:us-east-1,eu-west-1", "1d");
    assert_eq!(code, 3);
    let remedy = report["evidence"]["unreadable"][0]["remedy"].to_string();
    assert!(remedy.contains("allow cloudtrail:LookupEvents"), "{remedy}");

    let (code, _, said) = scan("lookup:eu-west-2", "1d");
    assert_eq!(code, 1);
    assert!(said.contains("check the credentials"), "{said}");

    let (code, report, _) = scan("lookup:", "1d");
    assert_eq!(code, 3);
    assert_eq!(
        report["evidence"]["unreadable"][0]["problem"],
        "no region is set"
    );
}

/// An event history that tells the latest events first, two at a time, of what stands in it.
fn history(
    asked: &Asked,
    events: &[(i64, Value)],
    denied: bool,
    log: &std::sync::Mutex<Vec<(i64, i64)>>,
) -> Answer {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let time = |name: &str| body[name].as_i64().unwrap();
    let (since, until) = (time("StartTime"), time("EndTime"));
    let from: usize = body["NextToken"]
        .as_str()
        .map_or(0, |at| at.parse().unwrap());
    if from > 0 && denied {
        let error = json!({"__type": "AccessDeniedException", "message": "not authorized"});
        return amz(400, &error);
    }
    if from == 0 {
        log.lock().unwrap().push((since, until));
    }
    let mut found: Vec<&(i64, Value)> = events
        .iter()
        .filter(|(at, _)| since <= *at && *at <= until)
        .collect();
    found.sort_by_key(|(at, _)| -*at);
    let page: Vec<&Value> = found.iter().skip(from).take(2).map(|one| &one.1).collect();
    let more = from + page.len() < found.len();
    amz(
        200,
        &json!({"Events": page, "NextToken": more.then(|| (from + 2).to_string())}),
    )
}

#[test]
fn with_a_checkpoint_an_event_history_is_asked_only_for_what_it_did_not_tell() {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    let now = jiff::Timestamp::now().as_second();
    let events: Vec<(i64, Value)> = (1..=6)
        .map(|hour| {
            let at = now - hour * 3_600;
            let time = jiff::Timestamp::from_second(at).unwrap().to_string();
            let record = history_event()["CloudTrailEvent"]
                .as_str()
                .unwrap()
                .replace("2026-01-15T10:00:00Z", &time)
                .replace("e-1", &format!("e-{hour}"))
                .replace("m5.large", &format!("m5.x{hour}"));
            let event = json!({"EventId": format!("e-{hour}"), "EventTime": at,
                "CloudTrailEvent": record});
            (at, event)
        })
        .collect();
    let denied = Arc::new(AtomicBool::new(true));
    let asked: Arc<Mutex<Vec<(i64, i64)>>> = Arc::default();
    let (deny, log) = (Arc::clone(&denied), Arc::clone(&asked));
    let peer = Peer::start(move |one| history(one, &events, deny.load(Ordering::Relaxed), &log));
    let run = with_history(Run::new(), &peer);
    run.put("a.tfstate", &state("t3.micro"));
    let scan = |words: &[&str]| {
        let mut all = vec!["scan", "-o", "json", "--state", "a.tfstate"];
        all.extend(["--trail", "lookup:eu-west-1"]);
        all.extend(words);
        let output = run.run(&all);
        let said = String::from_utf8(output.stderr).unwrap();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        (output.status.code().unwrap(), report, asked)
    };
    let remember = ["--checkpoint", "last.json"];
    let first = [&remember[..], &["--since", "8h"]].concat();
    let (code, report, windows) = scan(&first);
    assert_eq!((code, windows.len()), (2, 1));
    assert_eq!(report["evidence"]["complete"], false);
    assert_eq!(report["drifts"][0]["events"].as_array().unwrap().len(), 2);

    // What was told before it stopped is not asked for again.
    denied.store(false, Ordering::Relaxed);
    let (code, report, windows) = scan(&[&remember[..], &["--repeat"]].concat());
    assert_eq!(code, 2);
    assert_eq!(report["evidence"]["complete"], true);
    let (gap, rest) = (windows[0], windows[1]);
    assert!(gap.0 <= now - 7 * 3_600, "{gap:?}");
    assert_eq!(gap.1, now - 2 * 3_600 + 1);
    assert!(rest.0 > now - 3_600 && windows.len() == 2, "{windows:?}");
    let (_, whole, _) = scan(&["--since", "8h"]);
    assert_eq!(report["drifts"], whole["drifts"]);
    assert_eq!(whole["drifts"][0]["events"].as_array().unwrap().len(), 6);

    // Nothing is left but the last minutes, of which more may still come.
    let (code, report, windows) = scan(&remember);
    assert_eq!((code, &report["drifts"]), (0, &json!([])));
    assert!(
        windows.len() == 1 && windows[0].0 > now - 3_600,
        "{windows:?}"
    );
}

#[test]
fn a_role_is_taken_on_in_each_account() {
    let (since, event) = recent();
    let peer = Peer::start(move |asked| {
        if asked.body.contains("Action=AssumeRole") {
            let own = asked
                .body
                .split("%3A%3A")
                .nth(1)
                .unwrap()
                .split("%3A")
                .next()
                .unwrap();
            let text = format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::{own}:assumed-role/Audit/tfdrift</Arn><AssumedRoleId>A:tfdrift</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIA{own}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            );
            return (
                200,
                vec![("content-type", "text/xml".to_owned())],
                text.into_bytes(),
            );
        }
        let by = asked.header("authorization").unwrap();
        if by.contains("ASIA111111111111") {
            amz(200, &json!({"Events": [event]}))
        } else {
            assert!(by.contains("ASIA222222222222"), "{by}");
            amz(200, &json!({"Events": []}))
        }
    });
    let run = with_history(Run::new(), &peer).with("AWS_REGION", "eu-west-1");
    run.put("a.tfstate", &state("t3.micro"));
    let words = [
        "--state",
        "a.tfstate",
        "--trail",
        "lookup:",
        "--since",
        &since,
        "--until",
        "now",
        "--account",
        "111111111111,222222222222",
        "--assume-role",
        "arn:aws:iam::{account}:role/Audit",
    ];
    let (code, report, said) = run.scan(&words);
    assert_eq!(code, 2, "{said}");
    assert_eq!(report["evidence"]["complete"], true);
    assert_eq!(peer.asked().len(), 4);

    let (code, _, said) = run.scan(&[
        "--state",
        "a.tfstate",
        "--assume-role",
        "arn:aws:iam::{account}:role/Audit",
    ]);
    assert_eq!(code, 1);
    assert!(said.contains("say which ones with --account"), "{said}");
}

#[test]
fn a_state_that_opentofu_encrypted_opens_with_its_passphrase() {
    let sealed = include_str!("../testdata/encrypted.tfstate");
    let words = ["--state", "a.tfstate", "--state-passphrase-env", "SECRET"];
    let run = Run::new().with("SECRET", "correct-horse-battery-staple");
    run.put("a.tfstate", sealed);
    let (code, report, said) = run.scan(&words);
    assert_eq!(code, 2, "{said}");
    assert_eq!(before(&report, "instance_type"), Some(&json!("t3.micro")));
    let (code, _, said) = run.scan(&["--state", "a.tfstate"]);
    assert_eq!(code, 1);
    assert!(said.contains("--state-passphrase-env NAME"), "{said}");

    let wrong = Run::new().with("SECRET", "wrong");
    wrong.put("a.tfstate", sealed);
    let (code, _, said) = wrong.scan(&words);
    assert_eq!(code, 1);
    assert!(
        said.contains("the passphrase in SECRET does not open the state"),
        "{said}"
    );
    let (code, _, said) = wrong.scan(&["--state", "a.tfstate", "--state-passphrase-env", "NONE"]);
    assert_eq!(code, 1);
    assert!(said.contains("NONE holds no passphrase"), "{said}");
}

#[test]
fn who_agrees_to_pay_reads_what_asks_for_it() {
    let store = Store::start();
    store.put("requester/a.tfstate", state("t3.micro").as_bytes());
    store.put("requester/trail.json", TRAIL.as_bytes());
    let run = Run::new().at(&store);
    let words = [
        "--state",
        "s3://logs/requester/a.tfstate",
        "--trail",
        "s3://logs/requester/trail.json",
    ];
    let (code, _, said) = run.scan(&words);
    assert_eq!(code, 1);
    assert!(said.contains("--requester-pays"), "{said}");
    let agreed = [&words[..], &["--requester-pays"]].concat();
    let (code, _, said) = run.scan(&agreed);
    assert_eq!(code, 2, "{said}");
}

/// A store that takes a connection and never says a word; tells when it was asked something.
fn mute_store() -> (String, std::sync::mpsc::Receiver<()>) {
    use std::io::Read as _;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, was_asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut socket in listener.incoming().flatten() {
            if socket.read(&mut [0; 16]).is_ok() && asked.send(()).is_ok() {
                held.push(socket);
            }
        }
    });
    (url, was_asked)
}

/// A scan of a local log file and of a bucket that does not answer.
fn stuck(words: &[&str]) -> (Run, std::process::Child, std::sync::mpsc::Receiver<()>) {
    let (url, was_asked) = mute_store();
    let run = Run::new()
        .with("AWS_ENDPOINT_URL_S3", &url)
        .with("AWS_ACCESS_KEY_ID", CREDENTIALS.0)
        .with("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1)
        .with("AWS_REGION", "us-east-1");
    run.put("terraform.tfstate", &state("t3.micro"));
    let child = Command::new(env!("CARGO_BIN_EXE_tfdrift"))
        .args([
            "scan",
            "--state",
            "terraform.tfstate",
            "-o",
            "json=out.json",
        ])
        .args(["--trail", "trail.json", "--trail", "s3://logs"])
        .args([
            "--since",
            "2026-01-15T09:00:00Z",
            "--until",
            "2026-01-15T11:00:00Z",
        ])
        .args(words)
        .current_dir(run.folder.path())
        .env_clear()
        .envs(run.environment.iter().map(|(name, value)| (name, value)))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    (run, child, was_asked)
}

/// What a scan wrote that ended early: the problem that says so, and how many drifts.
fn cut_short(run: &Run) -> (String, usize) {
    let text = std::fs::read(run.folder.path().join("out.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report["evidence"]["complete"], false);
    let problems = report["evidence"]["unreadable"].as_array().unwrap();
    let said = problems.iter().map(|problem| problem["problem"].as_str());
    let said: Vec<&str> = said.flatten().collect();
    (said.join("; "), report["drifts"].as_array().unwrap().len())
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_reading_and_what_was_read_is_reported_whole() {
    let (run, mut child, was_asked) = stuck(&[]);
    was_asked.recv().unwrap();
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let code = child.wait().unwrap().code();
    let (problem, drifts) = cut_short(&run);
    assert!(problem.contains("it was interrupted after"), "{problem}");
    // The signal may come before the log file that could be read was.
    assert_eq!(code, Some(if drifts == 1 { 2 } else { 3 }));
    assert!(!run.folder.path().join("out.json.part").exists());
}

#[test]
fn a_time_limit_ends_the_reading_and_says_so() {
    let (run, mut child, _was_asked) = stuck(&["--time-limit", "1s"]);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let (problem, drifts) = cut_short(&run);
    assert!(
        problem.contains("the time limit of 1s was over"),
        "{problem}"
    );
    assert_eq!(drifts, 1);
}

#[test]
fn a_proof_takes_on_a_role_and_agrees_to_pay_as_a_scan_does() {
    let store = Store::start();
    let digest = "requester/AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15/\
                  111111111111_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260115T110000Z.json.gz";
    store.put(digest, &common::gzip("{}"));
    let peer = Peer::start(|_| {
        let (id, secret) = CREDENTIALS;
        let text = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/Audit/tfdrift</Arn><AssumedRoleId>A:tfdrift</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        );
        let kind = ("content-type", "text/xml".to_owned());
        (200, vec![kind], text.into_bytes())
    });
    // What the environment holds opens nothing: the role does.
    let run = Run::new()
        .at(&store)
        .with("AWS_ACCESS_KEY_ID", "AKIANOBODY")
        .with("AWS_ENDPOINT_URL_STS", &peer.url());
    run.put("keys.json", r#"{"PublicKeyList": []}"#);
    let verify = |more: &[&str]| {
        let words = [
            "verify",
            "--trail",
            "s3://logs/requester/",
            "--since",
            "2026-01-15",
            "--until",
            "2026-01-16",
            "--public-keys",
            "keys.json",
            "-o",
            "json",
        ];
        let output = run.run(&[&words[..], more].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), report.to_string())
    };
    let role = ["--assume-role", "arn:aws:iam::1:role/Audit"];
    let (_, report) = verify(&role);
    assert!(report.contains("reading the object is denied"), "{report}");
    let (_, report) = verify(&[&role[..], &["--requester-pays"]].concat());
    assert!(report.contains("it is no digest"), "{report}");
    assert!(!report.contains("denied"), "{report}");
    assert_eq!(peer.asked().len(), 2);
}
