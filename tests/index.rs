//! Digests tell a scan which log files it needs, whether all are there, and that nothing happened
//! where there is none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use serde_json::{Value, json};

use common::digest::Maker;
use common::gzip;
use common::instances::{self, ACCOUNT, resized, state};
use common::run::Run;
use common::s3::Store;

/// A log file with a call on the instance at a time of the day.
fn log(clock: &str) -> String {
    instances::log(&[resized(&format!("e-{clock}"), clock, 0)])
}

/// A bucket with digests from 08:01:31 to 14:01:31, and log files that they list.
struct World {
    run: Run,
    store: Store,
    maker: Maker,
    digests: Vec<String>,
}

impl World {
    /// Of log files by the hour of the digest that lists them (0 is the first), the time in their
    /// names and the time of their call.
    fn of(logs: &[(usize, &str, &str)]) -> Self {
        let (store, maker) = (Store::start(), Maker::new());
        let run = Run::new().at(&store);
        run.put("main.tfstate", &state(1));
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
            run,
            store,
            digests: chain.into_iter().map(|made| made.object).collect(),
            maker,
        }
    }

    /// Exit code and report.
    fn scan(&self, since: &str, until: &str, trail: &str) -> (i32, Value) {
        let time = |clock: &str| format!("2026-01-15T{clock}Z");
        let words = ["scan", "--state", "main.tfstate", "-o", "json", "-q"];
        let (since, until) = (time(since), time(until));
        let window = ["--trail", trail, "--since", &since, "--until", &until];
        let output = self.run.run(&[&words[..], &window].concat());
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
