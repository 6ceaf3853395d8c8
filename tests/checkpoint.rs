//! Scans that go on where the last one ended: whatever comes late, twice or out of order, together
//! they tell what one scan of everything tells.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use common::instances::{self, ACCOUNT, packed, state};
use common::run::program;
use common::s3::{CREDENTIALS, Store};
use tfdrift::checkpoint::{LATE, Scope, store};

/// A call at so many seconds after midnight.
fn record(id: &str, second: u64, number: usize, parameter: &str, value: &Value) -> Value {
    instances::record(id, &clock(second), number, parameter, value)
}

fn clock(second: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

/// A log file for the bucket that ends at so many minutes after midnight.
fn put(root: &Path, minute: u64, unique: &str, records: &[Value]) {
    let day = root.join(format!(
        "trail/AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/01/15"
    ));
    fs::create_dir_all(&day).unwrap();
    let name = format!(
        "{ACCOUNT}_CloudTrail_eu-west-1_20260115T{:02}{:02}Z_{unique}.json.gz",
        minute / 60,
        minute % 60
    );
    fs::write(day.join(name), packed(records)).unwrap();
}

fn tfdrift(root: &Path, words: &[&str], environment: &[(&str, String)]) -> Output {
    program(root)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .args(["scan", "--state", "main.tfstate", "--trail", "trail"])
        .args(words)
        .output()
        .unwrap()
}

/// What those scans look at.
fn scope() -> Scope {
    Scope {
        trails: ["trail".to_owned()].into(),
        ..Scope::default()
    }
}

/// The exit code and the drifts of a scan.
fn scan(root: &Path, words: &[&str]) -> (i32, Vec<Value>) {
    let words: Vec<&str> = words.iter().copied().chain(["-q", "-o", "json"]).collect();
    let output = tfdrift(root, &words, &[]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let drifts = report["drifts"].as_array().unwrap().clone();
    (output.status.code().unwrap(), drifts)
}

fn at(second: u64) -> String {
    format!("2026-01-15T{}Z", clock(second))
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }

    fn index(&mut self, most: usize) -> usize {
        usize::try_from(self.below(u64::try_from(most).unwrap())).unwrap()
    }
}

/// A log file and when it comes.
struct Delivery {
    comes: u64,
    minute: u64,
    unique: String,
    records: Vec<Value>,
}

const HOUR: u64 = 3_600;
const BEGIN: u64 = 2 * HOUR;
const END: u64 = 16 * HOUR;

/// Calls all over the day, each in a log file that comes up to two hours late, one in four of them
/// also in another one. Half of the calls put back what the state says.
fn deliveries(numbers: &mut Numbers) -> Vec<Delivery> {
    let mut files: BTreeMap<(u64, u64), Vec<Value>> = BTreeMap::new();
    for call in 0..80 {
        let second = BEGIN + numbers.below(END - BEGIN);
        let number = numbers.index(3);
        let (parameter, value) = match numbers.below(4) {
            0 => ("instanceType", json!("t3.micro")),
            1 => ("instanceType", json!(format!("m5.x{}", numbers.below(3)))),
            2 => ("disableApiTermination", json!(true)),
            _ => ("disableApiTermination", json!(false)),
        };
        let record = record(&format!("event-{call}"), second, number, parameter, &value);
        let minute = (second / 300 + 1) * 5;
        let copies = if numbers.below(4) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            let file = files.entry((minute, numbers.below(3))).or_default();
            let place = numbers.index(file.len() + 1);
            file.insert(place, record.clone());
        }
    }
    let files = files
        .into_iter()
        .map(|((minute, unique), records)| Delivery {
            comes: minute * 60 + numbers.below(2 * HOUR),
            minute,
            unique: format!("u{unique}"),
            records,
        });
    files.collect()
}

#[test]
fn late_shuffled_and_repeated_deliveries_tell_what_one_scan_of_everything_tells() {
    for seed in 0..4 {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::write(root.join("main.tfstate"), state(3)).unwrap();
        fs::create_dir(root.join("trail")).unwrap();
        let mut numbers = Numbers(seed);
        let mut waiting = deliveries(&mut numbers);
        let mut told: BTreeMap<String, Value> = BTreeMap::new();
        let begin = at(BEGIN);
        let mut now = BEGIN;
        while now < END + 3 * HOUR {
            now += 600 + numbers.below(2 * HOUR);
            let (come, still): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|file| file.comes < now);
            waiting = still;
            for file in come {
                put(root, file.minute, &file.unique, &file.records);
            }
            let until = at(now);
            let first = !root.join("last.json").exists();
            let since = if first { begin.as_str() } else { "last" };
            let words = ["--until", &until, "--checkpoint", "last.json"];
            // What is open is told by the same scan when it is asked to repeat.
            let _ = fs::copy(root.join("last.json"), root.join("copy.json"));
            let repeat = [
                "--since",
                since,
                "--until",
                &until,
                "--checkpoint",
                "copy.json",
            ];
            let repeated = scan(root, &[&repeat[..], &["--repeat"]].concat()).1;
            let whole = scan(root, &["--since", &begin, "--until", &until]).1;
            assert_eq!(facts(&repeated), facts(&whole), "seed {seed} at {until}");
            let news = scan(root, &[&["--since", since], &words[..]].concat()).1;
            for drift in news {
                let id = drift["id"].as_str().unwrap().to_owned();
                told.insert(id, drift["attributes"].clone());
            }
            for drift in &whole {
                let id = drift["id"].as_str().unwrap();
                let last = told
                    .get(id)
                    .unwrap_or_else(|| panic!("{id} was never told"));
                assert_eq!(
                    values(last),
                    values(&drift["attributes"]),
                    "seed {seed} at {until}"
                );
            }
            let again = scan(root, &[&["--since", "last"], &words[..]].concat());
            assert_eq!(again.1, Vec::<Value>::new(), "nothing is told twice");
        }
        assert!(!told.is_empty() && waiting.is_empty());
    }
}

/// What drifts say, each with its last call. Of an older episode that was put back hours ago, the
/// whole story is known to the scan of everything alone.
fn facts(drifts: &[Value]) -> Vec<Value> {
    let facts = drifts.iter().map(|drift| {
        let last = drift["events"].as_array().unwrap().last().unwrap();
        let values: Vec<_> = values(&drift["attributes"]);
        json!([
            drift["id"],
            drift["status"],
            drift["severity"],
            values,
            last
        ])
    });
    facts.collect()
}

/// Paths and values of attributes, without the calls behind them.
fn values(attributes: &Value) -> Vec<(Value, Value, Value)> {
    let attributes = attributes.as_array().unwrap().iter();
    attributes
        .map(|one| {
            (
                one["path"].clone(),
                one["before"].clone(),
                one["after"].clone(),
            )
        })
        .collect()
}

/// A folder with a state of one instance.
fn folder() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("main.tfstate"), state(1)).unwrap();
    fs::create_dir(root.path().join("trail")).unwrap();
    root
}

fn resize(id: &str, second: u64, to: &str) -> Value {
    record(id, second, 0, "instanceType", &json!(to))
}

const REMEMBER: [&str; 2] = ["--checkpoint", "last.json"];

/// A scan that goes on, until an hour.
fn go_on(root: &Path, hour: u64, more: &[&str]) -> (i32, Vec<Value>) {
    let until = at(hour * HOUR);
    scan(root, &[&["--until", &until], &REMEMBER[..], more].concat())
}

#[test]
fn a_drift_is_told_once_unless_it_changes_and_again_when_asked() {
    let root = folder();
    let root = root.path();
    put(
        root,
        9 * 60,
        "a",
        &[resize("one", 9 * HOUR - 60, "m5.large")],
    );
    let (code, drifts) = go_on(root, 10, &["--since", "2026-01-15T08:00:00"]);
    assert_eq!((code, drifts.len()), (2, 1));
    assert_eq!(
        (go_on(root, 11, &[]).0, go_on(root, 11, &[]).1.len()),
        (0, 0)
    );
    let (code, drifts) = go_on(root, 11, &["--repeat"]);
    assert_eq!((code, drifts.len()), (2, 1));
    // It outlives the hours in which log files may still come.
    put(root, 20 * 60, "b", &[]);
    assert_eq!(go_on(root, 20, &[]).1.len(), 0);
    assert_eq!(go_on(root, 20, &["--repeat"]).1.len(), 1);
    put(
        root,
        20 * 60 + 30,
        "c",
        &[resize("two", 20 * HOUR + 60, "m5.xlarge")],
    );
    let (_, drifts) = go_on(root, 21, &[]);
    assert_eq!(drifts[0]["attributes"][0]["after"], "m5.xlarge");
    assert_eq!(drifts[0]["events"].as_array().unwrap().len(), 2);
    // The same value once more is no change; put back and done again, it is news.
    put(
        root,
        21 * 60 + 10,
        "d",
        &[resize("three", 21 * HOUR + 60, "m5.xlarge")],
    );
    assert_eq!(go_on(root, 22, &[]).1.len(), 0);
    put(
        root,
        22 * 60 + 10,
        "e",
        &[resize("four", 22 * HOUR + 60, "t3.micro")],
    );
    assert_eq!(go_on(root, 23, &["--repeat"]).1.len(), 0);
    put(
        root,
        23 * 60 + 10,
        "f",
        &[resize("five", 23 * HOUR + 60, "m5.xlarge")],
    );
    let late = scan(
        root,
        &[&["--until", "2026-01-15T23:50:00Z"], &REMEMBER[..]].concat(),
    );
    assert_eq!((late.0, late.1.len()), (2, 1));
}

#[test]
fn what_was_put_back_before_its_cause_came_is_no_drift() {
    let root = folder();
    let root = root.path();
    put(
        root,
        9 * 60 + 30,
        "b",
        &[resize("undo", 9 * HOUR + 1_500, "t3.micro")],
    );
    assert_eq!(
        go_on(root, 10, &["--since", "2026-01-15T08:00:00"]).1.len(),
        0
    );
    put(
        root,
        9 * 60,
        "a",
        &[resize("do", 9 * HOUR - 60, "m5.large")],
    );
    assert_eq!(go_on(root, 11, &[]), (0, Vec::new()));
}

#[test]
fn what_got_a_new_id_is_known_by_it_in_every_later_scan() {
    let root = folder();
    let root = root.path();
    let attributes =
        json!({"id": "rtbassoc-1", "subnet_id": "subnet-1", "route_table_id": "rtb-1"});
    let state = json!({"version": 4, "serial": 1, "lineage": "x", "resources": [{
        "mode": "managed", "type": "aws_route_table_association", "name": "a",
        "instances": [{"attributes": attributes}]}]});
    fs::write(root.join("main.tfstate"), state.to_string()).unwrap();
    let moved = |hour: u64, number: u64, table: &str| {
        let mut call = record(&format!("event-{number}"), hour * HOUR, 0, "x", &json!(""));
        call["eventName"] = json!("ReplaceRouteTableAssociation");
        call["requestParameters"] =
            json!({"associationId": format!("rtbassoc-{number}"), "routeTableId": table});
        call["responseElements"] = json!({"newAssociationId": format!("rtbassoc-{}", number + 1)});
        put(root, hour * 60 + 5, "a", &[call]);
    };
    moved(1, 1, "rtb-2");
    moved(2, 2, "rtb-1");
    let begin = ["--since", "2026-01-15T00:00:00"];
    assert_eq!(go_on(root, 3, &begin), (0, Vec::new()));
    // Long after the hours in which log files may still come.
    assert_eq!(go_on(root, 12, &["--late", "1h"]), (0, Vec::new()));
    moved(13, 3, "rtb-3");
    let (code, drifts) = go_on(root, 14, &["--late", "1h"]);
    assert_eq!((code, drifts.len()), (2, 1));
    assert_eq!(drifts[0]["attributes"][0]["before"], "rtb-1");
    moved(15, 4, "rtb-1");
    assert_eq!(
        go_on(root, 16, &["--late", "1h", "--repeat"]),
        (0, Vec::new())
    );
}

#[test]
fn a_log_file_that_comes_many_hours_late_is_read_as_long_as_it_is_said() {
    let root = folder();
    let root = root.path();
    let begin = ["--since", "2026-01-15T01:00:00"];
    // What undoes the one comes in time, the other has no undoing.
    let undo = resize("undo", 3 * HOUR, "t3.micro");
    put(root, 3 * 60 + 5, "b", &[undo]);
    put(root, 3 * 60 + 10, "c", &[]);
    assert_eq!(go_on(root, 4, &begin).1.len(), 0);
    for hour in [12, 20] {
        assert_eq!(go_on(root, hour, &[]).1.len(), 0);
    }
    fs::copy(root.join("last.json"), root.join("short.json")).unwrap();
    put(
        root,
        2 * 60,
        "a",
        &[resize("do", 2 * HOUR - 60, "m5.large")],
    );
    let until = at(21 * HOUR);
    let files = |place: &str, more: &[&str]| {
        let words = ["--until", &until, "--checkpoint", place, "-o", "json"];
        let output = tfdrift(root, &[&words[..], more].concat(), &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["drifts"], json!([]));
        report["evidence"]["files"].as_u64().unwrap()
    };
    assert_eq!(files("short.json", &["--late", "12h"]), 0);
    assert_eq!(files("last.json", &[]), 1);
    let flag = record("flag", 2 * HOUR, 0, "disableApiTermination", &json!(false));
    put(root, 2 * 60 + 5, "d", &[flag]);
    let flags = go_on(root, 22, &[]).1;
    assert_eq!(flags.len(), 1);
    assert_eq!(flags[0]["attributes"].as_array().unwrap().len(), 1);
    assert_eq!(go_on(root, 23, &[]), (0, Vec::new()));
}

#[test]
fn a_file_that_was_read_is_not_read_again() {
    let root = folder();
    let root = root.path();
    put(
        root,
        9 * 60,
        "a",
        &[resize("one", 9 * HOUR - 60, "m5.large")],
    );
    put(root, 9 * 60 + 5, "b", &[]);
    let files = |more: &[&str]| {
        let words = [
            &["--until", "2026-01-15T10:00:00Z", "-o", "json"],
            &REMEMBER[..],
            more,
        ];
        let output = tfdrift(root, &words.concat(), &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["evidence"]["complete"], true);
        report["evidence"]["files"].as_u64().unwrap()
    };
    assert_eq!(files(&["--since", "2026-01-15T08:00:00"]), 2);
    assert_eq!(files(&["--since", "last"]), 0);
    put(root, 8 * 60 + 30, "late", &[]);
    assert_eq!(files(&[]), 1);
    assert_eq!(
        files(&["--since", "2026-01-15T08:00:00"]),
        3,
        "who asks for a time gets it"
    );
}

#[test]
fn without_an_output_nothing_is_remembered() {
    let root = folder();
    let root = root.path();
    put(
        root,
        9 * 60,
        "a",
        &[resize("one", 9 * HOUR - 60, "m5.large")],
    );
    let window = [
        "--since",
        "2026-01-15T08:00:00",
        "--until",
        "2026-01-15T10:00:00",
    ];
    let words = [&window[..], &REMEMBER, &["-o", "json=no/such/folder.json"]].concat();
    let output = tfdrift(root, &words, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!root.join("last.json").exists());
    // Nor when a state is missing: its drifts are not gone.
    let words = [&window[..], &REMEMBER, &["--state", "gone.tfstate"]].concat();
    assert!(matches!(tfdrift(root, &words, &[]).status.code(), Some(2)));
    assert!(!root.join("last.json").exists());
}

#[test]
fn two_scans_do_not_use_one_file_at_once() {
    let root = folder();
    let place = root.path().join("last.json");
    let options = tfdrift::s3::Options::default();
    let held = store::Store::open(place.to_str().unwrap(), &scope(), &options).unwrap();
    assert!(held.checkpoint().is_none());
    let output = tfdrift(root.path(), &REMEMBER, &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("last.json is in use by another scan"),
        "{text}"
    );
    drop(held);
    put(root.path(), 9 * 60, "a", &[]);
    let window = ["--since", "2026-01-15T08:00:00"];
    assert_eq!(go_on(root.path(), 10, &window).0, 0);
    assert!(place.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&place).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "it holds parts of log records");
    }
}

#[test]
fn a_checkpoint_in_a_bucket_is_replaced_only_by_who_read_it() {
    let (root, bucket) = (folder(), Store::start());
    put(
        root.path(),
        9 * 60,
        "a",
        &[resize("one", 9 * HOUR - 60, "m5.large")],
    );
    let (id, secret) = CREDENTIALS;
    let environment = [
        ("AWS_ENDPOINT_URL_S3", bucket.endpoint()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
    ];
    let place = "s3://logs/tfdrift/last.json";
    let words = [
        "--since",
        "2026-01-15T08:00:00",
        "--until",
        "2026-01-15T10:00:00",
    ];
    let output = tfdrift(
        root.path(),
        &[&words[..], &["--checkpoint", place]].concat(),
        &environment,
    );
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let words = ["--until", "2026-01-15T11:00:00", "--checkpoint", place];
    let output = tfdrift(root.path(), &words, &environment);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("1 drift is open as told before"), "{text}");

    let open = |place: &str| store::Store::open(place, &scope(), &bucket.options()).unwrap();
    let (one, other) = (open(place), open(place));
    let checkpoint = one.checkpoint().unwrap().clone();
    one.save(&checkpoint).unwrap();
    // The same bytes would have the same tag.
    let changed = open(place).checkpoint().unwrap().clone();
    let window = tfdrift::window::Window {
        since: None,
        until: "2026-01-15T12:00:00Z".parse().unwrap(),
    };
    let newer = tfdrift::checkpoint::Checkpoint::next(
        Some(&changed),
        scope(),
        &window,
        &tfdrift::checkpoint::Reading::default(),
        tfdrift::checkpoint::Gathered::default(),
        LATE,
    );
    open(place).save(&newer).unwrap();
    let refused = other.save(&checkpoint).unwrap_err();
    assert!(matches!(refused, store::Error::Overtaken(_)), "{refused}");
    let (one, other) = (open("s3://logs/new.json"), open("s3://logs/new.json"));
    one.save(&newer).unwrap();
    let refused = other.save(&newer).unwrap_err();
    assert!(matches!(refused, store::Error::Overtaken(_)), "{refused}");
}

#[test]
fn a_crash_between_report_and_checkpoint_tells_again_and_loses_nothing() {
    let root = folder();
    let root = root.path();
    let cause = resize("one", 9 * HOUR - 60, "m5.large");
    put(root, 9 * 60, "a", &[cause]);
    let words = ["--since", "2026-01-15T08:00:00", "-o", "json=drift.json"];
    let until = ["--until", "2026-01-15T10:00:00"];
    let words = [&words[..], &until, &REMEMBER].concat();
    // Nothing can be written beside the file: the scan ends when its report is out.
    fs::create_dir(root.join("last.json.part")).unwrap();
    let output = tfdrift(root, &words, &[]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("last.json"), "{text}");
    let report = |root: &Path| -> Value {
        let text = fs::read(root.join("drift.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    assert_eq!(report(root)["drifts"].as_array().unwrap().len(), 1);
    assert!(!root.join("last.json").exists());
    // What a crash leaves half written is not in the way either.
    fs::remove_dir(root.join("last.json.part")).unwrap();
    fs::write(root.join("last.json.part"), "{\"versi").unwrap();
    assert_eq!(tfdrift(root, &words, &[]).status.code(), Some(2));
    assert_eq!(report(root)["drifts"].as_array().unwrap().len(), 1);
    assert_eq!(go_on(root, 11, &[]), (0, Vec::new()));
}

#[test]
fn a_checkpoint_does_not_grow_with_what_happens_again_and_again() {
    let root = folder();
    let root = root.path();
    let mut sizes = Vec::new();
    let mut event = 0_u64;
    for hour in 2..23 {
        // The size flaps and ends different; a flag is switched off and on.
        for minute in (5..60).step_by(5) {
            let second = hour * HOUR + minute * 60 - 30;
            let mut call = |parameter: &str, value: Value| {
                event += 1;
                let id = format!("event-{event:05}");
                record(&id, second + event % 20, 0, parameter, &value)
            };
            let records = [
                call("instanceType", json!(format!("m5.x{}", minute % 3))),
                call("disableApiTermination", json!(minute % 2 == 0)),
                call("disableApiTermination", json!(true)),
            ];
            put(root, hour * 60 + minute, "a", &records);
        }
        let begin = ["--since", "2026-01-15T02:00:00"];
        let since = if hour == 2 { &begin[..] } else { &[] };
        let until = at((hour + 1) * HOUR);
        scan(root, &[&["--until", &until], &REMEMBER[..], since].concat());
        sizes.push(fs::metadata(root.join("last.json")).unwrap().len());
        let repeated = go_on(root, hour + 1, &["--repeat"]).1;
        let whole = scan(root, &["--since", begin[1], "--until", &until]).1;
        assert_eq!(facts(&repeated), facts(&whole), "{until}");
    }
    // As large as the hours in which files may come late, and no larger.
    let full = sizes[8];
    assert!(
        sizes[9..].iter().all(|size| *size < full + full / 20),
        "{sizes:?}"
    );
}

#[test]
fn a_scan_that_begins_behind_the_last_one_leaves_no_gap() {
    let root = folder();
    let root = root.path();
    put(root, 9 * 60, "a", &[]);
    go_on(root, 10, &["--since", "2026-01-15T08:00:00"]);
    let cause = resize("one", 11 * HOUR - 60, "m5.large");
    put(root, 11 * 60, "b", &[cause]);
    put(root, 20 * 60, "c", &[]);
    assert_eq!(
        go_on(root, 20, &["--since", "2026-01-15T19:30:00"]).1.len(),
        0
    );
    assert_eq!(go_on(root, 21, &[]).1.len(), 1);
}

#[test]
fn what_cannot_be_gone_on_from_is_said() {
    let root = folder();
    let refused = |words: &[&str]| {
        let output = tfdrift(root.path(), words, &[]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--since", "last"]).contains("--checkpoint FILE"));
    fs::write(root.path().join("last.json"), state(1)).unwrap();
    let text = refused(&REMEMBER);
    assert!(text.contains("last.json: it is no checkpoint of tfdrift"));
    assert!(text.contains("remove this one to begin anew"), "{text}");
    fs::write(
        root.path().join("last.json"),
        "{\"version\":2,\"scope\":{},\"x\":1}",
    )
    .unwrap();
    let text = refused(&REMEMBER);
    assert!(text.contains("a newer tfdrift wrote it"), "{text}");
    assert!(text.contains("update tfdrift"), "{text}");
    fs::remove_file(root.path().join("last.json")).unwrap();
    put(root.path(), 9 * 60, "a", &[]);
    go_on(root.path(), 10, &["--since", "2026-01-15T08:00:00"]);
    let text = refused(&[&REMEMBER[..], &["--region", "eu-west-1"]].concat());
    assert!(
        text.contains("remembers scans with `--trail trail`"),
        "{text}"
    );
    assert!(
        text.contains("`--trail trail --region eu-west-1`"),
        "{text}"
    );
    assert!(refused(&["--checkpoint", "s3://logs/"]).contains("names no object"));
    assert!(refused(&["--checkpoint", "no/such/folder/x.json"]).contains("x.json"));
}
