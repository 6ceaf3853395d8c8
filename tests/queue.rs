//! A queue that is told of log files, drained by the program as users run it, against a server that
//! speaks SQS's JSON protocol and a store of S3's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use common::http::{Answer, Asked, Peer};
use common::instances::{ACCOUNT, packed, resized, state};
use common::run::Run;
use common::s3::Store;
use tfdrift::audit::decode::Filter;
use tfdrift::audit::pipeline::{self, NoProgress, Options};
use tfdrift::audit::source::TrailLocation;
use tfdrift::audit::source::sqs::{Hiding, Queue};
use tfdrift::window::Window;

/// What lies in the queue.
#[derive(Default)]
struct Contents {
    /// Bodies and when they were sent, in milliseconds, by id.
    messages: BTreeMap<String, (String, i64)>,
    hidden: BTreeSet<String>,
    /// How often each was taken.
    taken: BTreeMap<String, u32>,
    /// Ids that the queue will not delete.
    stuck: BTreeSet<String>,
    /// Whether nobody may show or hide messages.
    fixed: bool,
}

/// A queue in the test's own process.
struct Fake {
    contents: Arc<Mutex<Contents>>,
    peer: Peer,
}

impl Fake {
    fn start() -> Self {
        let contents: Arc<Mutex<Contents>> = Arc::default();
        let held = Arc::clone(&contents);
        let peer = Peer::start(move |asked| answer(asked, &mut held.lock().unwrap()));
        Self { contents, peer }
    }

    fn url(&self) -> String {
        format!("{}/{ACCOUNT}/logs", self.peer.url())
    }

    fn send(&self, id: &str, body: &Value) {
        let text = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        self.send_at(id, text, 0);
    }

    fn send_at(&self, id: &str, body: String, time: i64) {
        let mut contents = self.contents.lock().unwrap();
        contents.messages.insert(id.to_owned(), (body, time));
    }

    /// Ids of the messages in it, and whether each is hidden.
    fn left(&self) -> Vec<(String, bool)> {
        let contents = self.contents.lock().unwrap();
        let ids = contents.messages.keys();
        ids.map(|id| (id.clone(), contents.hidden.contains(id)))
            .collect()
    }

    /// What it was asked to do: names of operations and bodies.
    fn asked(&self, operation: &str) -> Vec<Value> {
        let asked = self.peer.asked();
        let of = asked.iter().filter(|one| {
            let target = one.header("x-amz-target").unwrap_or_default();
            target == format!("AmazonSQS.{operation}")
        });
        of.map(|one| serde_json::from_str(&one.body).unwrap())
            .collect()
    }
}

fn amz(status: u16, body: &Value) -> Answer {
    let kind = ("content-type", "application/x-amz-json-1.0".to_owned());
    (status, vec![kind], body.to_string().into_bytes())
}

/// The documented answers of ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch.
fn answer(asked: &Asked, contents: &mut Contents) -> Answer {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    if body["QueueUrl"].as_str().unwrap().ends_with("/gone") {
        let kind = "com.amazonaws.sqs#QueueDoesNotExist";
        return amz(400, &json!({"__type": kind, "message": "no such queue"}));
    }
    if body["QueueUrl"].as_str().unwrap().ends_with("/locked") {
        let kind = "com.amazon.coral.service#AccessDeniedException";
        return amz(400, &json!({"__type": kind, "message": "not authorized"}));
    }
    let entries = || body["Entries"].as_array().unwrap().iter();
    let id_of = |entry: &Value| {
        let receipt = entry["ReceiptHandle"].as_str().unwrap();
        receipt.split(' ').next().unwrap().to_owned()
    };
    match asked.header("x-amz-target").unwrap() {
        "AmazonSQS.ReceiveMessage" => {
            let most = body["MaxNumberOfMessages"].as_u64().unwrap();
            assert_eq!(body["VisibilityTimeout"], 900);
            let seen: Vec<String> = contents.messages.keys().cloned().collect();
            let open = seen.into_iter().filter(|id| !contents.hidden.contains(id));
            let open: Vec<String> = open.take(usize::try_from(most).unwrap()).collect();
            let mut messages = Vec::new();
            for id in open {
                let times = contents.taken.entry(id.clone()).or_default();
                *times += 1;
                messages.push(json!({
                    "MessageId": id, "ReceiptHandle": format!("{id} {times}"),
                    "Body": contents.messages[&id].0,
                    "Attributes": {"SentTimestamp": contents.messages[&id].1.to_string()},
                }));
                contents.hidden.insert(id);
            }
            amz(200, &json!({"Messages": messages}))
        }
        "AmazonSQS.DeleteMessageBatch" => {
            let (mut good, mut bad) = (Vec::new(), Vec::new());
            assert!(entries().len() <= 10);
            for entry in entries() {
                let id = id_of(entry);
                if contents.stuck.contains(&id) {
                    bad.push(json!({"Id": entry["Id"], "SenderFault": false,
                        "Code": "InternalError", "Message": "try later"}));
                } else {
                    contents.messages.remove(&id);
                    contents.hidden.remove(&id);
                    good.push(json!({"Id": entry["Id"]}));
                }
            }
            amz(200, &json!({"Successful": good, "Failed": bad}))
        }
        "AmazonSQS.ChangeMessageVisibilityBatch" if contents.fixed => {
            let kind = "com.amazon.coral.service#AccessDeniedException";
            amz(400, &json!({"__type": kind, "message": "not authorized"}))
        }
        "AmazonSQS.ChangeMessageVisibilityBatch" => {
            assert!(entries().len() <= 10);
            for entry in entries() {
                if entry["VisibilityTimeout"] == 0 {
                    contents.hidden.remove(&id_of(entry));
                }
            }
            amz(200, &json!({"Successful": [], "Failed": []}))
        }
        other => panic!("{other}"),
    }
}

/// A folder with a state, a store of log files and a queue.
struct World {
    run: Run,
    store: Store,
    queue: Fake,
}

/// The log file in which an instance is resized, at so many minutes after midnight.
fn key(region: &str, number: usize) -> String {
    format!(
        "all logs/AWSLogs/{ACCOUNT}/CloudTrail/{region}/2026/01/15/\
         {ACCOUNT}_CloudTrail_{region}_20260115T10{:02}Z_u{number}.json.gz",
        number % 60
    )
}

fn log(number: usize) -> Vec<u8> {
    packed(&[resized(&format!("e-{number}"), "10:00:00", number)])
}

/// S3's own notification of some objects.
fn notice(keys: &[&str]) -> Value {
    let record = |key: &&str| {
        let key = key.replace('+', "%2B").replace(' ', "+");
        json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "logs"}, "object": {"key": key, "size": 400}}})
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

impl World {
    fn new(instances: usize) -> Self {
        let store = Store::start();
        let run = Run::new().at(&store);
        run.put("main.tfstate", &state(instances));
        Self {
            run,
            store,
            queue: Fake::start(),
        }
    }

    /// A log file and a message of S3 that names it.
    fn deliver(&self, number: usize) {
        self.store.put(&key("eu-west-1", number), &log(number));
        let id = format!("m-{number:03}");
        self.queue.send(&id, &notice(&[&key("eu-west-1", number)]));
    }

    /// Exit code, report and what was said beside.
    fn scan(&self, words: &[&str]) -> (i32, Value, String) {
        let trail = format!("sqs:{}", self.queue.url());
        let mut all = vec!["scan", "--state", "main.tfstate", "-o", "json"];
        if !words.contains(&"--trail") {
            all.extend(["--trail", &trail]);
        }
        all.extend(words);
        let output = self.run.run(&all);
        let said = String::from_utf8(output.stderr).unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report, said)
    }
}

fn drifts(report: &Value) -> usize {
    report["drifts"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_queue_is_drained_and_its_messages_are_deleted_ten_at_a_time() {
    let world = World::new(57);
    for number in 0..57 {
        world.deliver(number);
    }
    // A copy of a message, and a file that nobody needs.
    world.queue.send("copy", &notice(&[&key("eu-west-1", 3)]));
    world.queue.send("other", &notice(&["states/prod.tfstate"]));
    let (code, report, said) = world.scan(&[]);
    assert_eq!(code, 2, "{said}");
    assert_eq!(drifts(&report), 57);
    assert_eq!(report["evidence"]["files"], 57);
    assert_eq!(report["evidence"]["complete"], true);
    assert_eq!(report["window"]["since"], Value::Null);
    assert!(
        said.contains("messages deleted: 59, left in the queue: 0"),
        "{said}"
    );
    assert_eq!(world.queue.left(), []);
    assert_eq!(world.queue.asked("DeleteMessageBatch").len(), 6);
    let (code, report, _) = world.scan(&[]);
    assert_eq!(
        (code, drifts(&report)),
        (3, 0),
        "an empty queue is no evidence"
    );
}

#[test]
fn every_kind_of_notification_leads_to_its_log_file() {
    let world = World::new(5);
    for number in 0..5 {
        world.store.put(&key("eu-west-1", number), &log(number));
    }
    let of = |number: usize| key("eu-west-1", number);
    let sns = |inner: &Value| json!({"Type": "Notification", "Message": inner.to_string()});
    let own = |keys: &[String]| json!({"s3Bucket": "logs", "s3ObjectKey": keys});
    world.queue.send("s3", &notice(&[&of(0)]));
    world.queue.send("sns", &sns(&notice(&[&of(1)])));
    world.queue.send(
        "bridge",
        &json!({"source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "logs"}, "object": {"key": of(2), "size": 400}}}),
    );
    world.queue.send("cloudtrail", &own(&[of(3)]));
    world
        .queue
        .send("cloudtrail-sns", &sns(&own(&[of(4), of(0)])));
    world.queue.send(
        "test",
        &json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
    );
    let (code, report, said) = world.scan(&[]);
    assert_eq!((code, drifts(&report)), (2, 5), "{said}");
    assert_eq!(world.queue.left(), []);
}

#[test]
fn what_cannot_be_used_stays_in_the_queue_and_is_named() {
    let world = World::new(4);
    world.deliver(0);
    world.queue.send("poison", &json!("hello"));
    world
        .queue
        .send("missing", &notice(&[&key("eu-west-1", 1)]));
    world.store.put(&key("eu-west-1", 2), b"\x1f\x8b broken");
    let broken = notice(&[&key("eu-west-1", 0), &key("eu-west-1", 2)]);
    world.queue.send("broken", &broken);
    let (code, report, said) = world.scan(&[]);
    assert_eq!((code, drifts(&report)), (2, 1), "{said}");
    assert_eq!(report["evidence"]["complete"], false);
    let problems = report["evidence"]["unreadable"].to_string();
    for part in [
        "message poison",
        "it is no JSON",
        "_u1.json.gz",
        "_u2.json.gz",
    ] {
        assert!(problems.contains(part), "{part}: {problems}");
    }
    assert!(
        said.contains("messages deleted: 1, left in the queue: 3"),
        "{said}"
    );
    let shown = |id: &str| (id.to_owned(), false);
    assert_eq!(
        world.queue.left(),
        ["broken", "missing", "poison"].map(shown)
    );
    // Nothing but trouble is no evidence.
    assert_eq!(world.scan(&["--fail-on", "deleted"]).0, 3);
}

#[test]
fn without_an_output_no_message_is_deleted_and_all_are_there_for_the_next_scan() {
    let world = World::new(12);
    (0..12).for_each(|number| world.deliver(number));
    world.queue.send("poison", &json!("no notice"));
    let (code, _, _) = world.scan(&["-o", "html=no/such/folder.html"]);
    assert_eq!(code, 1);
    let left = world.queue.left();
    assert_eq!(left.len(), 13);
    assert!(left.iter().all(|(_, hidden)| !hidden), "{left:?}");
    assert_eq!(world.queue.asked("DeleteMessageBatch").len(), 0);
    assert_eq!(drifts(&world.scan(&[]).1), 12);
}

#[test]
fn who_may_not_show_messages_again_is_told_of_the_output_alone() {
    let world = World::new(1);
    world.deliver(0);
    world.queue.contents.lock().unwrap().fixed = true;
    let (code, _, text) = world.scan(&["-o", "html=no/such/folder.html"]);
    assert_eq!(code, 1);
    assert!(text.contains("no/such/folder.html"), "{text}");
    assert!(!text.contains("not authorized"), "{text}");
    assert_eq!(world.queue.left(), [("m-000".to_owned(), true)]);
    assert!(!world.queue.asked("ChangeMessageVisibilityBatch").is_empty());
}

#[test]
fn without_a_state_its_calls_go_back_into_the_queue() {
    let world = World::new(1);
    world.deliver(0);
    let (code, _, _) = world.scan(&["--state", "gone.tfstate"]);
    assert_eq!(code, 2);
    assert_eq!(world.queue.left(), [("m-000".to_owned(), false)]);
}

#[test]
fn a_message_that_cannot_be_deleted_is_said() {
    let world = World::new(12);
    for number in 0..12 {
        world.deliver(number);
    }
    let stuck = ["m-003".to_owned(), "m-011".to_owned()];
    world.queue.contents.lock().unwrap().stuck.extend(stuck);
    let (code, report, said) = world.scan(&[]);
    assert_eq!((code, drifts(&report)), (1, 12), "{said}");
    assert!(
        said.contains("2 messages that were read could not be deleted (try later)"),
        "{said}"
    );
}

#[test]
fn what_another_scan_is_to_read_stays() {
    let world = World::new(3);
    world.deliver(0);
    world.store.put(&key("us-east-1", 1), &log(1));
    world
        .queue
        .send("elsewhere", &notice(&[&key("us-east-1", 1)]));
    world.store.put(&key("eu-west-1", 2), &log(2));
    let after = "2026-01-15T12:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let body = notice(&[&key("eu-west-1", 2)]).to_string();
    world.queue.send_at("later", body, after.as_millisecond());
    let (code, report, said) =
        world.scan(&["--region", "eu-west-1", "--until", "2026-01-15T12:00:00Z"]);
    assert_eq!((code, drifts(&report)), (2, 1), "{said}");
    assert_eq!(report["evidence"]["complete"], true);
    let shown = |id: &str| (id.to_owned(), false);
    assert_eq!(world.queue.left(), ["elsewhere", "later"].map(shown));
}

#[test]
fn with_a_checkpoint_a_file_that_is_named_again_is_not_read_again() {
    let world = World::new(3);
    world.deliver(0);
    let words = [
        "--checkpoint",
        "last.json",
        "--until",
        "2026-01-15T11:00:00Z",
    ];
    let (code, report, said) = world.scan(&words);
    assert_eq!((code, drifts(&report)), (2, 1), "{said}");
    world.deliver(0);
    world.deliver(1);
    let (code, report, said) = world.scan(&words);
    assert_eq!((code, drifts(&report)), (2, 1), "{said}");
    assert_eq!(report["evidence"]["files"], 1);
    assert_eq!(report["drifts"][0]["address"], "aws_instance.i1");
    assert_eq!(world.queue.left(), []);
}

#[test]
fn a_queue_that_cannot_be_read_says_what_to_do() {
    let world = World::new(1);
    for (name, part) in [
        ("gone", "check the URL"),
        ("locked", "allow sqs:ReceiveMessage"),
    ] {
        let trail = format!("sqs:{}/{ACCOUNT}/{name}", world.queue.peer.url());
        let (code, _, said) = world.scan(&["--trail", &trail]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(part), "{said}");
    }
    let trail = format!("sqs:{}", world.queue.url());
    let (code, _, said) = world.scan(&["--trail", &trail, "--trail", "."]);
    assert_eq!(code, 1);
    assert!(said.contains("needs --since"), "{said}");
}

#[test]
fn messages_stay_hidden_while_a_scan_takes_long() {
    let world = World::new(1);
    for number in 0..23 {
        world.deliver(number);
    }
    let hiding = Hiding {
        renewed: Duration::from_millis(20),
        ..Hiding::default()
    };
    let s3 = world.store.options();
    let queue = Arc::new(Queue::new(&world.queue.url(), &s3, hiding).unwrap());
    let options = Options {
        s3,
        queues: vec![Arc::clone(&queue)],
        watches: vec![Arc::clone(&queue) as _],
        ..Options::default()
    };
    let filter = Filter {
        window: Window {
            since: None,
            until: "2026-01-16T00:00:00Z".parse().unwrap(),
        },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: false,
    };
    let trails = [TrailLocation::Queue(world.queue.url())];
    let tally = pipeline::read(&trails, &filter, &options, &NoProgress, &|_| {}).unwrap();
    assert_eq!((tally.files, tally.problems.len()), (23, 0));
    // The reading is over; the reports are not yet written.
    let before = world.queue.asked("ChangeMessageVisibilityBatch").len();
    while world.queue.asked("ChangeMessageVisibilityBatch").len() < before + 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let renewed = world.queue.asked("ChangeMessageVisibilityBatch");
    assert_eq!(
        renewed.last().unwrap()["Entries"][0]["VisibilityTimeout"],
        900
    );
    assert_eq!(world.queue.left().len(), 23);
    assert_eq!(queue.settle().unwrap(), (23, 0));
    assert_eq!(world.queue.left(), []);
}
