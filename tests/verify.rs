//! The digest chain from end to end: on this machine and in a bucket, in what order anything goes
//! wrong with it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::path::Path;
use std::process::Output;

use common::digest::{ACCOUNT, Made, Maker};
use common::gzip;
use common::run::program;
use common::s3::{Manner, Store};
use tfdrift::audit::cloudtrail::digest::finding::{Grade, Kind};
use tfdrift::audit::cloudtrail::digest::keys::PublicKeys;
use tfdrift::audit::cloudtrail::span::DEFAULT_LAG;
use tfdrift::audit::pipeline::Stop;
use tfdrift::audit::verify::keys::NoSource;
use tfdrift::audit::verify::{Ask, Proof, Source, verify};
use tfdrift::window::Window;

/// An archive to be: its log files and its digests.
struct Archive {
    maker: Maker,
    logs: Vec<(String, &'static str)>,
    digests: Vec<Made>,
}

/// Five hours from 08:01:31 on: log files in the first, third and fourth, one of them of the bucket
/// that ends with the hour and comes with the next digest.
fn archive() -> Archive {
    archive_of(["one", "two", "three", "four"])
}

fn archive_of([one, two, three, four]: [&'static str; 4]) -> Archive {
    let maker = Maker::new();
    let logs: Vec<_> = [
        ("0835", one),
        ("1000", two),
        ("1035", three),
        ("1105", four),
    ]
    .map(|(clock, text)| (maker.log(clock), text))
    .into();
    let part = |at: usize| (logs[at].0.as_str(), logs[at].1);
    let digests = maker.chain(&[&[part(0)], &[], &[part(1), part(2)], &[part(3)], &[]]);
    Archive {
        maker,
        logs,
        digests,
    }
}

impl Archive {
    fn fill(&self, root: &Path) {
        for (key, text) in &self.logs {
            write(root, key, &gzip(text));
        }
        for made in &self.digests {
            self.deliver(root, made);
        }
    }

    fn deliver(&self, root: &Path, made: &Made) {
        let text = String::from_utf8(made.text.clone()).unwrap();
        write(root, &made.object, &gzip(&text));
        let head = serde_json::json!({
            "ContentType": "application/json",
            "Metadata": {"signature": made.signature, "signature-algorithm": "SHA256withRSA"},
        });
        let sidecar = format!("{}.metadata.json", made.object);
        write(root, &sidecar, head.to_string().as_bytes());
    }

    fn ask(&self, since: &str, until: &str, now: &str) -> Ask<'static> {
        let time = |clock: &str| format!("2026-01-15T{clock}:00Z").parse().unwrap();
        Ask {
            window: Window {
                since: Some(time(since)),
                until: time(until),
            },
            lag: DEFAULT_LAG,
            now: time(now),
            accounts: Vec::new(),
            regions: Vec::new(),
            keys: PublicKeys::from_json(self.maker.keys().as_bytes()).unwrap(),
            source: &NoSource,
            read: None,
        }
    }

    /// The proof of a folder, for the calls from 08:30 to 11:00 unless something else is asked.
    fn prove(&self, root: &Path) -> Proof {
        prove(root, &self.ask("08:30", "11:00", "20:00"))
    }
}

fn prove(root: &Path, ask: &Ask<'_>) -> Proof {
    let location = root.to_str().unwrap().parse().unwrap();
    let source = Source::new(
        &location,
        &tfdrift::s3::Options::default(),
        &Stop::default(),
    )
    .unwrap();
    verify(&[source], ask)
}

fn write(root: &Path, key: &str, bytes: &[u8]) {
    let path = root.join(key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn kinds(proof: &Proof) -> Vec<Kind> {
    proof.findings.iter().map(|found| found.kind).collect()
}

#[test]
fn a_whole_copy_is_intact_wherever_one_points_into_it() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    for folder in [
        "",
        "AWSLogs",
        "AWSLogs/111111111111",
        "AWSLogs/111111111111/CloudTrail",
        "AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01",
    ] {
        let proof = archive.prove(&root.path().join(folder));
        assert_eq!(proof.findings, [], "{folder}");
        assert_eq!((proof.log_files, proof.matched), (4, 4), "{folder}");
        let chain = &proof.chains[0];
        assert_eq!((chain.digests, chain.proved), (4, 4), "{folder}");
        assert_eq!(chain.name.account, ACCOUNT);
    }
}

#[test]
fn only_what_the_window_needs_is_asked_for() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    // What lies outside may be anything.
    write(root.path(), &archive.logs[0].0, b"broken");
    std::fs::remove_file(root.path().join(&archive.digests[0].object)).unwrap();
    let proof = prove(root.path(), &archive.ask("10:10", "10:20", "20:00"));
    assert_eq!(proof.findings, []);
    assert_eq!((proof.log_files, proof.matched), (1, 1));
    assert_eq!(proof.chains[0].digests, 1);
}

#[test]
fn one_changed_byte_in_a_log_file_is_found() {
    for at in 0..4 {
        let (archive, root) = (archive(), tempfile::tempdir().unwrap());
        archive.fill(root.path());
        write(root.path(), &archive.logs[at].0, &gzip("onf"));
        let proof = archive.prove(root.path());
        assert_eq!(kinds(&proof), [Kind::LogChanged]);
        assert!(proof.findings[0].location.ends_with(&archive.logs[at].0));
        assert_eq!((proof.log_files, proof.matched), (4, 3));
    }
}

#[test]
fn a_log_file_that_does_not_inflate_is_no_longer_what_was_delivered() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let cut = gzip("three");
    write(root.path(), &archive.logs[2].0, &cut[..cut.len() - 6]);
    assert_eq!(kinds(&archive.prove(root.path())), [Kind::LogChanged]);
}

#[test]
fn another_way_to_compress_or_none_changes_nothing() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let key = &archive.logs[0].0;
    std::fs::remove_file(root.path().join(key)).unwrap();
    write(root.path(), key.strip_suffix(".gz").unwrap(), b"one");
    assert_eq!(archive.prove(root.path()).findings, []);
}

#[test]
fn a_log_file_that_is_gone_is_found() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    std::fs::remove_file(root.path().join(&archive.logs[1].0)).unwrap();
    let proof = archive.prove(root.path());
    assert_eq!(kinds(&proof), [Kind::LogMissing]);
    assert_eq!(proof.findings[0].location, archive.logs[1].0);
}

#[test]
fn a_log_file_that_was_added_is_found_also_as_a_second_copy() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let extra = archive.logs[0].0.replace("_x.json", "_y.json");
    write(root.path(), &extra, &gzip("forged"));
    let proof = archive.prove(root.path());
    assert_eq!(kinds(&proof), [Kind::LogExtra]);
    assert!(proof.findings[0].location.ends_with(&extra));
    std::fs::remove_file(root.path().join(&extra)).unwrap();
    let second = archive.logs[0]
        .0
        .replace("AWSLogs/", "AWSLogs/o-abc123defg/");
    write(root.path(), &second, &gzip("forged"));
    assert_eq!(kinds(&archive.prove(root.path())), [Kind::LogChanged]);
}

#[test]
fn a_log_file_that_was_delivered_hours_late_stands_in_a_later_digest() {
    let (mut archive, root) = (archive(), tempfile::tempdir().unwrap());
    let late = archive.maker.log("0840");
    let last = archive
        .maker
        .digest(14, &[(&late, "late")], archive.digests.last());
    let next = archive.maker.digest(15, &[], Some(&last));
    archive.digests.extend([last, next]);
    archive.logs.push((late, "late"));
    archive.fill(root.path());
    let proof = archive.prove(root.path());
    assert_eq!(proof.findings, []);
    assert_eq!((proof.log_files, proof.matched), (5, 5));
}

#[test]
fn a_digest_that_is_gone_is_found_and_so_is_a_gap_at_the_end() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    std::fs::remove_file(root.path().join(&archive.digests[1].object)).unwrap();
    let proof = archive.prove(root.path());
    assert_eq!(kinds(&proof), [Kind::DigestMissing]);
    archive.fill(root.path());
    for made in &archive.digests[2..] {
        std::fs::remove_file(root.path().join(&made.object)).unwrap();
    }
    let proof = archive.prove(root.path());
    assert_eq!(kinds(&proof), [Kind::Gap]);
    assert_eq!(proof.grade(), Some(Grade::Unproven));
}

#[test]
fn a_changed_digest_is_found_with_what_it_was_to_hide() {
    let (mut archive, root) = (archive(), tempfile::tempdir().unwrap());
    // Whoever cannot sign can still forge a digest that fits the forged log file.
    let mut forger = Maker::forger();
    forger.fingerprint = archive.maker.fingerprint;
    let key = archive.logs[0].0.clone();
    archive.digests[0] = forger.digest(9, &[(&key, "forged")], None);
    archive.logs[0].1 = "forged";
    archive.fill(root.path());
    let proof = archive.prove(root.path());
    assert_eq!(kinds(&proof), [Kind::DigestChanged]);
    assert_eq!(proof.grade(), Some(Grade::Tampered));
}

#[test]
fn without_keys_or_signatures_hashes_are_still_checked() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let mut ask = archive.ask("08:30", "11:00", "20:00");
    ask.keys = PublicKeys::default();
    let proof = prove(root.path(), &ask);
    assert_eq!(kinds(&proof), [Kind::KeyUnknown; 4]);
    assert_eq!((proof.log_files, proof.matched), (4, 4));
    write(root.path(), &archive.logs[2].0, &gzip("changed"));
    assert_eq!(prove(root.path(), &ask).grade(), Some(Grade::Tampered));
    archive.fill(root.path());
    for made in &archive.digests {
        std::fs::remove_file(root.path().join(format!("{}.metadata.json", made.object))).unwrap();
    }
    // Each is signed in the next; only of the newest the signature is lost.
    assert_eq!(archive.prove(root.path()).findings, []);
    let proof = prove(root.path(), &archive.ask("08:30", "12:30", "20:00"));
    assert_eq!(kinds(&proof), [Kind::DigestUnsigned]);
    assert_eq!((proof.chains[0].digests, proof.chains[0].proved), (5, 4));
}

#[test]
fn digests_that_were_added_later_list_what_the_first_ones_missed() {
    let (mut archive, root) = (archive(), tempfile::tempdir().unwrap());
    let missed = archive.maker.log("0930");
    let added = archive.maker.backfill(10, &[(&missed, "missed")], None);
    archive.logs.push((missed.clone(), "missed"));
    archive.fill(root.path());
    assert_eq!(kinds(&archive.prove(root.path())), [Kind::LogExtra]);
    archive.deliver(root.path(), &added);
    let proof = archive.prove(root.path());
    assert_eq!(proof.findings, []);
    assert_eq!((proof.log_files, proof.chains.len()), (5, 2));
}

#[test]
fn no_digests_prove_nothing() {
    let (mut archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.digests.clear();
    archive.fill(root.path());
    assert_eq!(kinds(&archive.prove(root.path())), [Kind::NoDigests]);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(kinds(&archive.prove(empty.path())), [Kind::NoDigests]);
}

#[test]
fn what_the_next_digest_will_tell_is_no_alarm() {
    let (mut archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.logs.push((archive.maker.log("1310"), "five"));
    archive.fill(root.path());
    let proof = prove(root.path(), &archive.ask("08:30", "13:20", "13:20"));
    assert_eq!(kinds(&proof), [Kind::Pending]);
    assert_eq!(proof.grade(), Some(Grade::Note));
}

/// Puts an archive into a bucket.
fn upload(archive: &Archive, store: &Store) {
    for (key, text) in &archive.logs {
        store.put(key, &gzip(text));
    }
    for made in &archive.digests {
        let text = String::from_utf8(made.text.clone()).unwrap();
        let metadata = [("signature", made.signature.as_str())];
        store.put_with(&made.object, &gzip(&text), &metadata);
    }
}

fn prove_bucket(store: &Store, location: &str, ask: &Ask<'_>) -> Proof {
    let source = Source::new(
        &location.parse().unwrap(),
        &store.options(),
        &Stop::default(),
    )
    .unwrap();
    verify(&[source], ask)
}

#[test]
fn a_bucket_is_intact_and_only_the_days_of_the_window_are_listed() {
    let (archive, store) = (archive(), Store::with_pages_of(10));
    upload(&archive, &store);
    for key in archive.logs.iter().map(|(key, _)| key) {
        for (day, number) in [
            ("14", 0),
            ("14", 1),
            ("14", 2),
            ("16", 0),
            ("16", 1),
            ("16", 2),
        ] {
            let key = key.replace("/01/15/", &format!("/01/{day}/"));
            let key = key.replace("20260115T", &format!("202601{day}T"));
            store.put(&key.replace("_x", &format!("_{number}")), b"");
        }
    }
    let ask = archive.ask("08:30", "12:30", "20:00");
    let proof = prove_bucket(&store, "s3://logs", &ask);
    assert_eq!(proof.findings, []);
    assert_eq!((proof.log_files, proof.matched), (4, 4));
    assert_eq!(proof.chains[0].proved, 5);
    let lists = store.asked().lists;
    let days = |kind: &str| {
        let kind = format!("AWSLogs/{ACCOUNT}/{kind}/eu-west-1/");
        let days = lists.iter().filter(|prefix| prefix.starts_with(&kind));
        days.count()
    };
    assert_eq!((days("CloudTrail"), days("CloudTrail-Digest")), (1, 1));
}

#[test]
fn a_bucket_that_was_tampered_with_says_so() {
    let (archive, store) = (archive(), Store::start());
    upload(&archive, &store);
    store.put(&archive.logs[2].0, &gzip("threw"));
    store.put_with(&archive.digests[4].object, &gzip("{}"), &[]);
    let ask = archive.ask("08:30", "12:30", "20:00");
    let proof = prove_bucket(&store, "s3://logs/AWSLogs/", &ask);
    // Behind a digest that cannot be read nothing is vouched for.
    let expected = [Kind::LogChanged, Kind::DigestUnread, Kind::Gap];
    assert_eq!(kinds(&proof), expected);
    assert!(proof.findings[0].location.starts_with("s3://logs/AWSLogs/"));
}

/// A bucket that never answers about some keys.
fn stuck(archive: &Archive, stuck_on: &'static str) -> Store {
    let manner = Manner {
        stuck_on,
        ..Manner::default()
    };
    let store = Store::that_lists(manner);
    upload(archive, &store);
    store
}

#[test]
fn a_proof_that_is_to_stop_says_what_it_did_not_verify_and_nothing_else() {
    let archive = archive();
    for (stuck_on, said) in [
        (
            "CloudTrail-Digest/eu-west-1/",
            "not all log files and digests were found",
        ),
        ("T110131Z", "none of 5 digests and 4 log files was verified"),
        ("T1035Z", "of 4 log files were not verified"),
    ] {
        let store = stuck(&archive, stuck_on);
        let stop = Stop::default();
        let source = Source::new(&"s3://logs".parse().unwrap(), &store.options(), &stop).unwrap();
        let ask = archive.ask("08:30", "12:30", "20:00");
        let proof = std::thread::scope(|scope| {
            let proof = scope.spawn(|| verify(&[source], &ask));
            let is_asked = || {
                let asked = store.asked();
                let mut all = asked.lists.iter().chain(&asked.gets);
                all.any(|key| key.contains(stuck_on))
            };
            while !is_asked() {
                std::thread::yield_now();
            }
            stop.flag()
                .store(true, std::sync::atomic::Ordering::Relaxed);
            proof.join().unwrap()
        });
        assert_eq!(kinds(&proof), [Kind::NotVerified], "{stuck_on}");
        let problem = &proof.findings[0].problem;
        assert!(problem.starts_with("it was interrupted: "), "{problem}");
        assert!(problem.contains(said), "{problem}");
    }
}

#[test]
fn a_time_limit_ends_commands_that_wait_for_digests() {
    let archive = archive();
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "terraform.tfstate", STATE.as_bytes());
    write(root.path(), "keys.txt", archive.maker.keys().as_bytes());
    let store = stuck(&archive, "CloudTrail-Digest/");
    let (id, secret) = common::s3::CREDENTIALS;
    let (verify, scan) = (
        &["verify", "-o", "json"],
        &["scan", "--verify", "-o", "json"],
    );
    for (command, part) in [
        (
            &verify[..],
            "the time limit of 1s was over: not all log files",
        ),
        (
            scan,
            "the time limit of 1s was over: they were not verified",
        ),
    ] {
        let output = program(root.path())
            .env("AWS_ENDPOINT_URL_S3", store.endpoint())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .args(command)
            .args([
                "--trail",
                "s3://logs",
                "--public-keys",
                "keys.txt",
                "--time-limit",
                "1s",
            ])
            .args(["--since", "2026-01-15T08:30", "--until", "2026-01-15T11:00"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{text}{told}");
        assert!(text.contains(part), "{text}");
    }
}

fn run(archive: &Archive, root: &Path, words: &[&str]) -> Output {
    let keys = root.join("keys.txt");
    std::fs::write(&keys, archive.maker.keys()).unwrap();
    program(root)
        .args(["verify", "-q", "--trail", ".", "--public-keys"])
        .arg(keys)
        .args(["--since", "2026-01-15T08:30", "--until", "2026-01-15T11:00"])
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn the_command_tells_its_verdict_by_text_object_and_exit_code() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let intact = run(&archive, root.path(), &[]);
    insta::assert_snapshot!("verify-intact", String::from_utf8_lossy(&intact.stdout));
    assert_eq!(intact.status.code(), Some(0));

    write(root.path(), &archive.logs[2].0, &gzip("threw"));
    std::fs::remove_file(root.path().join(&archive.logs[1].0)).unwrap();
    let words = ["-o", "console", "-o", "json=proof.json"];
    let tampered = run(&archive, root.path(), &words);
    let text = String::from_utf8_lossy(&tampered.stdout).into_owned();
    insta::assert_snapshot!("verify-tampered", text);
    let object = std::fs::read_to_string(root.path().join("proof.json")).unwrap();
    insta::assert_snapshot!("verify-tampered-json", object);
    assert_eq!(tampered.status.code(), Some(2));

    archive.fill(root.path());
    for made in &archive.digests {
        std::fs::remove_file(root.path().join(&made.object)).unwrap();
    }
    let unproven = run(&archive, root.path(), &[]);
    let text = String::from_utf8_lossy(&unproven.stdout).into_owned();
    insta::assert_snapshot!("verify-not-provable", text);
    assert_eq!(unproven.status.code(), Some(3));
}

/// Answers every request with the same text, and tells the first line and the target of each.
fn answering(text: String) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (asked, asks) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4_096];
            // The body is the JSON of one small object.
            while !request.ends_with(b"}") {
                let count = socket.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..count]);
            }
            let _ = asked.send(String::from_utf8(request).unwrap());
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            );
        }
    });
    (url, asks)
}

#[test]
fn keys_are_asked_of_cloudtrail_where_none_are_given() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    let (url, asks) = answering(archive.maker.keys());
    let window = ["--since", "2026-01-15T08:30", "--until", "2026-01-15T11:00"];
    let output = program(root.path())
        .env("AWS_ENDPOINT_URL_CLOUDTRAIL", url)
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .args(["verify", "--trail", "."])
        .args(window)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let asked = asks.recv().unwrap().to_ascii_lowercase();
    assert!(
        asked.contains("cloudtrail_20131101.listpublickeys"),
        "{asked}"
    );
    assert!(asked.contains("/eu-west-1/cloudtrail/"), "{asked}");
    assert!(asks.try_recv().is_err(), "one region is asked once");
}

const STATE: &str = r#"{"version":4,"terraform_version":"1.9.5","serial":1,"lineage":"l","outputs":{},"resources":[{"mode":"managed","type":"aws_sqs_queue","name":"q","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{"schema_version":0,"attributes":{"arn":"arn:aws:sqs:eu-west-1:111111111111:q","id":"https://sqs.eu-west-1.amazonaws.com/111111111111/q","name":"q","url":"https://sqs.eu-west-1.amazonaws.com/111111111111/q"}}]}]}"#;

/// A scan that verifies: its exit code, and what it says that could not be read.
fn scan(root: &Path, trail: &str, more: &[(&str, String)]) -> (Option<i32>, Vec<String>) {
    let words = ["--since", "2026-01-15T08:30", "--until", "2026-01-15T11:00"];
    let output = program(root)
        .envs(more.iter().map(|(name, value)| (name, value)))
        .args(["scan", "-q", "--state", "main.tfstate", "--trail", trail])
        .args(["--verify", "--public-keys", "keys.txt", "-o", "json"])
        .args(words)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let unreadable = report["evidence"]["unreadable"].as_array().unwrap();
    let problems = unreadable.iter().map(|one| {
        let location = one["location"].as_str().unwrap();
        let name = location.rsplit('/').next().unwrap();
        format!("{name}: {}", one["problem"].as_str().unwrap())
    });
    (output.status.code(), problems.collect())
}

const RECORDS: [&str; 4] = [
    r#"{"Records":[]}"#,
    r#"{"Records":[ ]}"#,
    r#"{"Records":[  ]}"#,
    r#"{"Records":[   ]}"#,
];

#[test]
fn a_scan_that_verifies_calls_broken_evidence_incomplete() {
    let (archive, root) = (archive_of(RECORDS), tempfile::tempdir().unwrap());
    archive.fill(root.path());
    write(root.path(), "main.tfstate", STATE.as_bytes());
    write(root.path(), "keys.txt", archive.maker.keys().as_bytes());
    assert_eq!(scan(root.path(), "AWSLogs", &[]), (Some(0), Vec::new()));
    write(root.path(), &archive.logs[1].0, &gzip(RECORDS[0]));
    std::fs::remove_file(root.path().join(&archive.logs[2].0)).unwrap();
    let (code, problems) = scan(root.path(), "AWSLogs", &[]);
    assert_eq!(code, Some(3));
    insta::assert_snapshot!("scan-verify", problems.join("\n"));
    let file = archive.logs[0].0.clone();
    let (code, problems) = scan(root.path(), &file, &[]);
    assert_eq!(code, Some(3));
    assert!(problems[0].contains("not provable"), "{problems:?}");
}

#[test]
fn a_scan_that_verifies_fetches_no_log_file_twice() {
    let (archive, root, store) = (
        archive_of(RECORDS),
        tempfile::tempdir().unwrap(),
        Store::start(),
    );
    upload(&archive, &store);
    write(root.path(), "main.tfstate", STATE.as_bytes());
    write(root.path(), "keys.txt", archive.maker.keys().as_bytes());
    let (id, secret) = common::s3::CREDENTIALS;
    let environment = [
        ("AWS_ENDPOINT_URL_S3", store.endpoint()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
    ];
    let intact = scan(root.path(), "s3://logs", &environment);
    assert_eq!(intact, (Some(0), Vec::new()));
    let gets = store.asked().gets;
    let logs = gets
        .iter()
        .filter(|key| key.contains("/CloudTrail/"))
        .count();
    assert_eq!(logs, 4);
    store.put(&archive.logs[3].0, &gzip(RECORDS[0]));
    let (code, problems) = scan(root.path(), "s3://logs", &environment);
    assert_eq!((code, problems.len()), (Some(3), 1));
    assert!(
        problems[0].contains("1105Z_x.json.gz: tampered"),
        "{problems:?}"
    );
}

#[test]
fn wrong_usage_is_exit_code_1_and_says_what_is_right() {
    let (archive, root) = (archive(), tempfile::tempdir().unwrap());
    for (words, part) in [
        (&["-o", "sarif"][..], "console and json"),
        (&["--trail", "keys.txt"], "AWSLogs/"),
        (&["--trail", "-"], "AWSLogs/"),
        (&["--trail", "nowhere"], "nowhere"),
        (&["--public-keys", "other.txt"], "other.txt"),
    ] {
        let refused = run(&archive, root.path(), words);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{text}");
        assert!(text.contains(part), "{text}");
    }
}
