//! Reading from an S3-compatible store: what is asked for, what is read, what is said when it
//! cannot be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::sync::Mutex;

use common::s3::{Manner, Store};
use common::{gzip, records};
use tfdrift::audit::decode::{Filter, Tally};
use tfdrift::audit::pipeline::{self, NoProgress, Options};
use tfdrift::s3::{Blocking, Listing, Location, Reason};
use tfdrift::window::Window;

const A: &str = "111111111111";
const B: &str = "222222222222";

/// The folder of a day of an account and region below `AWSLogs/` or an organisation in it.
fn day(above: &str, account: &str, region: &str, day: &str) -> String {
    format!("{above}{account}/CloudTrail/{region}/{day}/")
}

fn log(above: &str, account: &str, region: &str, date: &str, clock: &str) -> String {
    let folder = day(above, account, region, date);
    let stamp = format!("{}T{clock}Z", date.replace('/', ""));
    format!("{folder}{account}_CloudTrail_{region}_{stamp}_x.json.gz")
}

/// A log file with one record of that time.
fn file(time: &str) -> Vec<u8> {
    gzip(&records(&[time]))
}

struct Scan<'a> {
    store: &'a Store,
    since: Option<&'a str>,
    until: &'a str,
    accounts: &'a [&'a str],
    regions: &'a [&'a str],
}

impl<'a> Scan<'a> {
    fn of(store: &'a Store) -> Self {
        Self {
            store,
            since: Some("2026-01-15T09:00:00Z"),
            until: "2026-01-15T11:00:00Z",
            accounts: &[],
            regions: &[],
        }
    }

    fn window(&self) -> Window {
        Window {
            since: self.since.map(|since| since.parse().unwrap()),
            until: self.until.parse().unwrap(),
        }
    }

    fn run(&self, trails: &[&str]) -> Tally {
        let options = Options {
            s3: self.store.options(),
            workers: 2,
            ..Options::default()
        };
        self.run_with(trails, &options).unwrap().0
    }

    fn run_with(
        &self,
        trails: &[&str],
        options: &Options,
    ) -> Result<(Tally, Vec<String>), pipeline::Error> {
        let trails: Vec<_> = trails.iter().map(|trail| trail.parse().unwrap()).collect();
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let filter = Filter {
            window: self.window(),
            accounts: owned(self.accounts),
            regions: owned(self.regions),
            wanted: &|_| true,
            failed: true,
        };
        let calls = Mutex::new(Vec::new());
        let tally = pipeline::read(&trails, &filter, options, &NoProgress, &|call| {
            calls.lock().unwrap().push(call.id);
        })?;
        let mut calls = calls.into_inner().unwrap();
        calls.sort_unstable();
        Ok((tally, calls))
    }
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort_unstable();
    keys
}

/// A bucket with both layouts, several prefixes and everything that is not to be read.
fn organisation() -> (Store, Vec<String>) {
    let store = Store::start();
    let wanted = vec![
        log("AWSLogs/", A, "eu-west-1", "2026/01/15", "1000"),
        log("AWSLogs/", B, "us-east-1", "2026/01/15", "1125"),
        log(
            "AWSLogs/o-abcdefghij/",
            A,
            "eu-west-1",
            "2026/01/15",
            "0900",
        ),
        log("trails/prod/AWSLogs/", B, "us-east-1", "2026/01/15", "1000"),
    ];
    let others = [
        log("AWSLogs/", A, "eu-west-1", "2026/01/15", "0855"),
        log("AWSLogs/", A, "eu-west-1", "2026/01/15", "1130"),
        log("AWSLogs/", A, "eu-west-1", "2026/01/14", "1000"),
        log("AWSLogs/", A, "eu-west-1", "2025/01/15", "1000"),
        format!("AWSLogs/{A}/CloudTrail/eu-west-1/2026/01/15/notes.txt"),
        format!(
            "AWSLogs/{A}/CloudTrail-Digest/eu-west-1/2026/01/15/{A}_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260115T100000Z.json.gz"
        ),
        format!(
            "AWSLogs/{A}/CloudTrail-Insight/eu-west-1/2026/01/15/{A}_CloudTrail-Insight_eu-west-1_20260115T1000Z_x.json.gz"
        ),
        format!("AWSLogs/{A}/CloudTrail-NetworkActivity/eu-west-1/2026/01/15/x.json.gz"),
        format!("AWSLogs/{A}/CloudTrail-Aggregated/eu-west-1/2026/01/15/x.json.gz"),
        format!("AWSLogs/{A}/Config/eu-west-1/2026/1/15/ConfigHistory/x.json.gz"),
        "other/data.json".to_owned(),
        "top.json".to_owned(),
    ];
    for key in wanted.iter().chain(&others) {
        store.put(key, &file("2026-01-15T10:00:00Z"));
    }
    (store, sorted(wanted))
}

#[test]
fn accounts_and_regions_are_discovered_under_every_layout_and_nothing_else_is_fetched() {
    let (store, wanted) = organisation();
    let tally = Scan::of(&store).run(&["s3://logs"]);
    assert_eq!(store.asked().gets, wanted);
    assert_eq!((tally.files, tally.records, tally.in_window), (4, 4, 4));
    assert_eq!(tally.problems, []);
    let asked = store.asked();
    for list in &asked.lists {
        assert!(
            !list.contains("CloudTrail-") && !list.contains("Config"),
            "{list}"
        );
    }
    assert_eq!(asked.heads, Vec::<String>::new());
}

#[test]
fn any_point_of_the_layout_is_a_place_to_start() {
    let (store, _) = organisation();
    let one = log("AWSLogs/", A, "eu-west-1", "2026/01/15", "1000");
    let org = log(
        "AWSLogs/o-abcdefghij/",
        A,
        "eu-west-1",
        "2026/01/15",
        "0900",
    );
    let other = log("AWSLogs/", B, "us-east-1", "2026/01/15", "1125");
    let prefixed = log("trails/prod/AWSLogs/", B, "us-east-1", "2026/01/15", "1000");
    let below = |path: &str| format!("s3://logs/AWSLogs/{A}/CloudTrail{path}");
    for (start, expected) in [
        ("s3://logs/AWSLogs".to_owned(), vec![&one, &org, &other]),
        ("s3://logs/AWSLogs/o-abcdefghij/".to_owned(), vec![&org]),
        (format!("s3://logs/AWSLogs/{A}"), vec![&one]),
        (below(""), vec![&one]),
        (below("/"), vec![&one]),
        (below("/eu-west-1"), vec![&one]),
        (below("/eu-west-1/2026"), vec![&one]),
        (below("/eu-west-1/2026/01/"), vec![&one]),
        (below("/eu-west-1/2026/01/15"), vec![&one]),
        (below("/eu-west-1/2026/01/14"), vec![]),
        ("s3://logs/trails".to_owned(), vec![&prefixed]),
        ("s3://logs/trails/prod/".to_owned(), vec![&prefixed]),
        (format!("s3://logs/{other}"), vec![&other]),
    ] {
        let before = store.asked().gets;
        let tally = Scan::of(&store).run(&[&start]);
        let mut gets = store.asked().gets;
        for key in before {
            let at = gets.iter().position(|get| *get == key).unwrap();
            gets.remove(at);
        }
        assert_eq!(
            gets,
            sorted(expected.into_iter().cloned().collect()),
            "{start}"
        );
        assert_eq!(tally.problems, [], "{start}");
    }
}

#[test]
fn a_day_is_listed_from_the_first_name_that_can_hold_the_window() {
    let store = Store::with_pages_of(3);
    for minute in (0..24 * 60).step_by(30) {
        let clock = format!("{:02}{:02}", minute / 60, minute % 60);
        let key = log("AWSLogs/", A, "eu-west-1", "2026/01/15", &clock);
        store.put(&key, &file("2026-01-15T10:00:00Z"));
    }
    let tally = Scan::of(&store).run(&[&format!("s3://logs/AWSLogs/{A}/CloudTrail/eu-west-1/")]);
    let clocks = ["0900", "0930", "1000", "1030", "1100"];
    let expected = clocks.map(|clock| log("AWSLogs/", A, "eu-west-1", "2026/01/15", clock));
    assert_eq!(store.asked().gets, expected);
    assert_eq!(tally.files, 5);
    // 48 names in pages of 3: five are needed and the sixth tells that the span is past.
    assert_eq!(store.asked().lists.len(), 2);
}

#[test]
fn accounts_and_regions_that_are_not_asked_for_are_not_listed() {
    let (store, _) = organisation();
    let scan = Scan {
        accounts: &[A],
        regions: &["eu-west-1"],
        ..Scan::of(&store)
    };
    let tally = scan.run(&["s3://logs/AWSLogs/"]);
    assert_eq!(tally.files, 2);
    for list in store.asked().lists {
        assert!(!list.contains(B) && !list.contains("us-east-1"), "{list}");
    }
}

#[test]
fn a_window_over_months_is_asked_for_at_once() {
    let store = Store::start();
    let mut expected = Vec::new();
    for date in ["2025/03/09", "2025/11/30", "2026/01/15"] {
        let key = log("AWSLogs/", A, "eu-west-1", date, "1000");
        store.put(&key, &file("2026-01-15T10:00:00Z"));
        expected.push(key);
    }
    let mut all = expected.clone();
    for date in ["2024/12/31", "2026/02/01"] {
        let key = log("AWSLogs/", A, "eu-west-1", date, "1000");
        store.put(&key, &file("2026-01-15T10:00:00Z"));
        all.push(key);
    }
    // What lies beside the days is nobody's log file.
    for place in ["", "2025/", "2025/11/", "old/"] {
        let key = format!("AWSLogs/{A}/CloudTrail/eu-west-1/{place}copy.json.gz");
        store.put(&key, &file("2026-01-15T10:00:00Z"));
    }
    let scan = Scan {
        since: Some("2025-01-01T00:00:00Z"),
        ..Scan::of(&store)
    };
    assert_eq!(scan.run(&["s3://logs"]).files, 3);
    assert_eq!(store.asked().gets, expected);
    // bucket, AWSLogs/, CloudTrail/, region
    assert_eq!(store.asked().lists.len(), 4);

    let scan = Scan {
        since: None,
        until: "2027-01-01T00:00:00Z",
        ..Scan::of(&store)
    };
    assert_eq!(scan.run(&["s3://logs"]).files, 5);
}

/// Puts a log file of each account, region and day of January 2026, every so many minutes of the
/// day, and returns the keys.
fn january(
    store: &Store,
    accounts: &[&str],
    regions: &[&str],
    days: std::ops::RangeInclusive<u8>,
    step: usize,
) -> Vec<String> {
    let bytes = file("2026-01-15T10:00:00Z");
    let mut keys = Vec::new();
    for (account, region) in accounts
        .iter()
        .flat_map(|account| regions.iter().map(move |region| (account, region)))
    {
        for (day, minute) in days
            .clone()
            .flat_map(|day| (0..24 * 60).step_by(step).map(move |minute| (day, minute)))
        {
            let clock = format!("{:02}{:02}", minute / 60, minute % 60);
            let date = format!("2026/01/{day:02}");
            keys.push(log("AWSLogs/", account, region, &date, &clock));
        }
    }
    for key in &keys {
        store.put(key, &bytes);
    }
    sorted(keys)
}

/// All of January 2026.
fn whole_month(store: &Store) -> Scan<'_> {
    Scan {
        since: Some("2026-01-01T00:00:00Z"),
        until: "2026-01-31T23:59:00Z",
        ..Scan::of(store)
    }
}

#[test]
fn many_small_folders_are_listed_in_few_requests_and_none_is_missed() {
    let store = Store::with_pages_of(100);
    let regions = ["eu-west-1", "us-east-1"];
    let expected = january(&store, &[A, B], &regions, 1..=31, 12 * 60);
    let tally = whole_month(&store).run(&["s3://logs/AWSLogs/"]);
    assert_eq!(tally.problems, []);
    assert_eq!(store.asked().gets, expected);
    // AWSLogs/, two accounts, four regions of 62 keys.
    assert_eq!(store.asked().lists.len(), 7);
}

#[test]
fn a_busy_folder_is_listed_in_parts_and_nothing_is_lost_or_read_twice() {
    for (days, step) in [(15..=15, 5), (3..=29, 120)] {
        let store = Store::with_pages_of(7);
        let mut expected = january(&store, &[A], &["eu-west-1"], days, step);
        for odd in [
            "15/zz-events.json.gz".to_owned(),
            "15/00-events.json.gz".to_owned(),
            "16/copies/events.json.gz".to_owned(),
            // A day and the name of another.
            format!("14/{A}_CloudTrail_eu-west-1_20260120T1000Z_x.json.gz"),
            format!("21/{A}_CloudTrail_eu-west-1_20260102T1000Z_x.json.gz"),
        ] {
            let key = format!("AWSLogs/{A}/CloudTrail/eu-west-1/2026/01/{odd}");
            store.put(&key, &file("2026-01-15T10:00:00Z"));
            expected.push(key);
        }
        let tally = whole_month(&store).run(&["s3://logs/AWSLogs/"]);
        assert_eq!(store.asked().gets, sorted(expected));
        assert_eq!(tally.problems, []);
    }
}

#[test]
fn a_store_that_always_begins_at_the_first_key_is_read_once() {
    let store = Store::that_lists(Manner {
        page: 7,
        begins_behind: false,
        ..Manner::default()
    });
    let expected = january(&store, &[A], &["eu-west-1"], 3..=9, 60);
    let tally = Scan {
        since: Some("2026-01-04T00:00:00Z"),
        ..whole_month(&store)
    }
    .run(&["s3://logs/AWSLogs/"]);
    assert_eq!(tally.problems, []);
    assert_eq!(store.asked().gets, expected[24..]);
}

#[test]
fn a_store_that_says_to_slow_down_is_asked_more_slowly_until_all_is_listed() {
    let store = Store::that_lists(Manner {
        page: 7,
        most: 4,
        ..Manner::default()
    });
    let regions = ["eu-west-1", "eu-west-2", "us-east-1", "us-west-2"];
    let expected = january(&store, &[A, B], &regions, 10..=15, 4 * 60);
    let tally = whole_month(&store).run(&["s3://logs/AWSLogs/"]);
    assert_eq!(tally.problems, []);
    assert_eq!(store.asked().gets, expected);
}

#[test]
fn copies_without_the_layout_are_listed_whole_and_pruned_by_name() {
    let store = Store::with_pages_of(3);
    let old = format!("{A}_CloudTrail_eu-west-1_20260114T1000Z_x.json.gz");
    let fitting = format!("{A}_CloudTrail_eu-west-1_20260115T1000Z_x.json.gz");
    let wanted = [
        format!("copies/deep/er/than/usual/{fitting}"),
        format!("copies/{fitting}"),
        "copies/events.jsonl".to_owned(),
    ];
    let others = [
        format!("copies/{old}"),
        "copies/terraform.tfstate".to_owned(),
        "copies/notes.md".to_owned(),
        format!("copies/CloudTrail-Digest/{fitting}"),
        "copies-of-copies/events.json".to_owned(),
    ];
    for key in wanted.iter().chain(&others) {
        store.put(key, &file("2026-01-15T10:00:00Z"));
    }
    let tally = Scan::of(&store).run(&["s3://logs/copies"]);
    assert_eq!(store.asked().gets, sorted(wanted.to_vec()));
    assert_eq!(tally.problems, []);
}

#[test]
fn many_copies_in_one_folder_are_listed_in_runs_and_none_is_lost_or_read_twice() {
    for begins_behind in [true, false] {
        let store = Store::that_lists(Manner {
            page: 8,
            begins_behind,
            ..Manner::default()
        });
        let copies = |folder: &str| -> Vec<String> {
            let regions = ["eu-west-1", "us-east-1"].into_iter();
            let owners = [A, B].map(|account| regions.clone().map(move |region| (account, region)));
            let owners = owners.into_iter().flatten();
            let keys = owners.flat_map(|(account, region)| {
                (1..=25).map(move |day| {
                    format!("{folder}{account}_CloudTrail_{region}_202601{day:02}T1000Z_x.json.gz")
                })
            });
            keys.chain(["a.json", "2.json", "~.json"].map(|odd| format!("{folder}{odd}")))
                .collect()
        };
        // The deepest is listed with all that is below it.
        let folders = ["copies/", "copies/1 old/2/", "copies/1 old/2/3/"];
        let expected: Vec<String> = folders.into_iter().flat_map(copies).collect();
        for key in &expected {
            store.put(key, &file("2026-01-15T10:00:00Z"));
        }
        let tally = whole_month(&store).run(&["s3://logs/copies/"]);
        assert_eq!(tally.problems, []);
        assert_eq!(store.asked().gets, sorted(expected));
    }
}

#[test]
fn a_bucket_that_is_missing_stops_no_other() {
    let (store, wanted) = organisation();
    let tally = Scan::of(&store).run(&["s3://nowhere/AWSLogs/", "s3://logs"]);
    assert_eq!(tally.files, wanted.len() as u64);
    let [problem] = &tally.problems[..] else {
        panic!("{:?}", tally.problems)
    };
    assert_eq!(problem.location, "s3://nowhere/AWSLogs/");
    assert!(
        problem.problem.contains("bucket does not exist"),
        "{problem:?}"
    );
}

#[test]
fn a_prefix_where_nothing_lies_is_said() {
    let (store, _) = organisation();
    for place in [
        "s3://logs/typo",
        "s3://logs/typo/",
        "s3://logs/typo/x.json.gz",
    ] {
        let tally = Scan::of(&store).run(&[place]);
        let [problem] = &tally.problems[..] else {
            panic!("{:?}", tally.problems)
        };
        assert_eq!(problem.location, place);
        assert!(problem.problem.contains("nothing"), "{problem:?}");
    }
}

#[test]
fn denied_objects_name_the_permission_and_are_counted_not_repeated() {
    let store = Store::start();
    for number in 0..30 {
        let key = format!("copies/denied-{number:02}.json.gz");
        store.put(&key, b"{}");
    }
    store.put("copies/encrypted.json.gz", b"{}");
    store.put("copies/fine.json.gz", &file("2026-01-15T10:00:00Z"));
    let tally = Scan::of(&store).run(&["s3://logs/copies/"]);
    assert_eq!(tally.files, 1);
    let about = |part: &str| {
        let with = |problem: &&tfdrift::audit::decode::Problem| {
            problem.remedy.as_deref().unwrap_or_default().contains(part)
        };
        tally.problems.iter().filter(with).count()
    };
    assert_eq!(about("s3:GetObject on arn:aws:s3:::logs/*"), 11);
    assert_eq!(about("kms:Decrypt"), 1);
    assert!(
        tally
            .problems
            .iter()
            .any(|problem| problem.problem.contains("20 more objects"))
    );
}

#[test]
fn a_denied_listing_names_the_permission() {
    let store = Store::start();
    let tally = Scan::of(&store).run(&["s3://logs/denied/"]);
    let [problem] = &tally.problems[..] else {
        panic!("{:?}", tally.problems)
    };
    let remedy = problem.remedy.as_deref().unwrap();
    assert!(
        remedy.contains("s3:ListBucket on arn:aws:s3:::logs"),
        "{remedy}"
    );
}

#[test]
fn credentials_that_are_not_accepted_are_an_error_when_nothing_else_can_be_read() {
    let (store, _) = organisation();
    for credentials in [("AKIAUNKNOWN", "secret"), ("AKIAEXAMPLE", "wrong")] {
        let mut options = Options {
            s3: store.options(),
            ..Options::default()
        };
        options.s3.credentials = Some((credentials.0.to_owned(), credentials.1.to_owned()));
        let scan = Scan::of(&store);
        let error = scan.run_with(&["s3://logs"], &options).unwrap_err();
        assert!(matches!(error, pipeline::Error::Credentials(_)), "{error}");

        let local = tempfile::tempdir().unwrap();
        let path = local.path().join("events.json.gz");
        std::fs::write(&path, file("2026-01-15T10:00:00Z")).unwrap();
        let trails = ["s3://logs", path.to_str().unwrap()];
        let (tally, calls) = scan.run_with(&trails, &options).unwrap();
        assert_eq!((tally.files, calls.len(), tally.problems.len()), (1, 1, 1));
    }
}

#[test]
fn a_store_that_cannot_be_reached_is_said() {
    let store = Store::start();
    let mut options = Options {
        s3: store.options(),
        ..Options::default()
    };
    // The first port is nobody's.
    options.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
    let (tally, _) = Scan::of(&store).run_with(&["s3://logs"], &options).unwrap();
    let [problem] = &tally.problems[..] else {
        panic!("{:?}", tally.problems)
    };
    assert!(problem.problem.contains("cannot be reached"), "{problem:?}");
}

#[test]
fn calls_come_from_every_file_whatever_the_budget() {
    let store = Store::start();
    let mut expected = Vec::new();
    for minute in 0..60 {
        let time = format!("2026-01-15T10:{minute:02}:00Z");
        store.put(&format!("copies/{minute}.json.gz"), &file(&time));
        expected.push(time);
    }
    for memory in [1, 64 << 10, 256 << 20] {
        let options = Options {
            s3: store.options(),
            memory,
            requests: 8,
            workers: 3,
            ..Options::default()
        };
        let scan = Scan::of(&store);
        let (tally, calls) = scan.run_with(&["s3://logs/copies"], &options).unwrap();
        assert_eq!((tally.files, &calls), (60, &expected), "{memory}");
    }
}

#[test]
fn no_more_is_fetched_ahead_than_the_budget_holds() {
    let store = Store::start();
    let padding = " ".repeat(20 << 10);
    for minute in 10..40 {
        let text = records(&[&format!("2026-01-15T10:{minute}:00Z")]) + &padding;
        let text = text.get(..20 << 10).unwrap();
        store.put(&format!("copies/{minute}.json"), text.as_bytes());
    }
    // A quarter may wait for workers: three of 20 KiB.
    let options = Options {
        s3: store.options(),
        memory: 256 << 10,
        requests: 16,
        workers: 1,
        ..Options::default()
    };
    let filter = Filter {
        window: Scan::of(&store).window(),
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: true,
    };
    let decoded = Mutex::new(0);
    let tally = pipeline::read(
        &["s3://logs/copies".parse().unwrap()],
        &filter,
        &options,
        &NoProgress,
        &|_| {
            let mut decoded = decoded.lock().unwrap();
            let allowed = (*decoded + 3).min(30);
            // Until the first file is done, all that may be fetched ahead will be.
            while *decoded == 0 && store.asked().gets.len() < allowed {
                std::thread::yield_now();
            }
            let gets = store.asked().gets.len();
            assert!(gets <= allowed, "{gets} of {allowed}");
            *decoded += 1;
        },
    );
    assert_eq!(tally.unwrap().problems, []);
    assert_eq!(decoded.into_inner().unwrap(), 30);
}

#[test]
fn a_client_looks_lists_and_fetches() {
    let store = Store::with_pages_of(2);
    for key in [
        "states/a.tfstate",
        "states/b/1.tfstate",
        "states/b/2.tfstate",
        "states/c",
    ] {
        store.put(key, key.as_bytes());
    }
    let client = Blocking::new(&store.options()).unwrap();
    let listing = |folders| Listing {
        prefix: "states/".to_owned(),
        folders,
        ..Listing::default()
    };
    let page = client.list_all("logs", listing(true)).unwrap();
    let keys: Vec<_> = page.objects.iter().map(|object| &*object.key).collect();
    assert_eq!(keys, ["states/a.tfstate", "states/c"]);
    assert_eq!(page.folders, ["states/b/"]);
    assert_eq!(
        client
            .list_all("logs", listing(false))
            .unwrap()
            .objects
            .len(),
        4
    );

    let location: Location = "s3://logs/states/c".parse().unwrap();
    let fetched = client.get(&location, None).unwrap();
    assert_eq!(fetched.bytes, b"states/c");
    assert!(fetched.modified.is_some());
    assert_eq!(client.head(&location).unwrap().size, 8);
    let missing = location.with_key("states/none");
    assert_eq!(
        client.get(&missing, None).unwrap_err().reason,
        Reason::NoSuchKey
    );
    assert_eq!(client.head(&missing).unwrap_err().reason, Reason::NoSuchKey);
}

#[test]
fn a_bucket_is_followed_to_its_region_once() {
    let store = Store::start();
    let client = Blocking::new(&store.options()).unwrap();
    for asked in [2, 3] {
        client.list_all("elsewhere", Listing::default()).unwrap();
        assert_eq!(store.asked().lists.len(), asked);
    }
}

/// Lists a bucket with what the environment says, in a process of its own: environments belong
/// to whole processes.
#[test]
#[ignore = "run by the tests of the environment"]
fn probe() {
    let options = tfdrift::s3::Options {
        attempts: Some(1),
        ..Default::default()
    };
    let client = Blocking::new(&options).unwrap();
    #[allow(
        clippy::print_stdout,
        reason = "it is how the answer leaves the process"
    )]
    match client.list_all("logs", Listing::default()) {
        Ok(page) => println!("probe: {} keys", page.objects.len()),
        Err(error) => println!("probe: {:?}: {error}", error.reason),
    }
}

fn probe_with(environment: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "probe", "--ignored", "--nocapture"])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("probe: "));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
fn the_environment_names_store_and_credentials() {
    let store = Store::start();
    store.put("a", b"a");
    let endpoint = store.endpoint();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    let profile = format!(
        "[profile work]\nendpoint_url = {endpoint}\nregion = us-east-1\n\
         aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n"
    );
    std::fs::write(&config, profile).unwrap();
    let config = config.to_str().unwrap();
    let id = ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE");
    let secret = ("AWS_SECRET_ACCESS_KEY", "secret");
    for environment in [
        &[id, secret, ("AWS_ENDPOINT_URL", &*endpoint)][..],
        &[
            id,
            secret,
            ("AWS_ENDPOINT_URL_S3", &*endpoint),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ],
        &[("AWS_PROFILE", "work"), ("AWS_CONFIG_FILE", config)],
    ] {
        assert_eq!(probe_with(environment), "1 keys", "{environment:?}");
    }
}

#[test]
fn missing_and_broken_credentials_are_told_apart() {
    let store = Store::start();
    let endpoint = store.endpoint();
    let endpoint = ("AWS_ENDPOINT_URL", &*endpoint);
    let region = ("AWS_REGION", "us-east-1");
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/ci");
    let token = ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere");
    let id = ("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    let secret = ("AWS_SECRET_ACCESS_KEY", "secret");
    for (environment, expected) in [
        (
            &[endpoint][..],
            "NoCredentials: s3://logs: no AWS credentials could be loaded",
        ),
        (
            &[endpoint, region, role, token],
            "NoCredentials: s3://logs: no AWS credentials could be loaded (an error occurred while \
             loading credentials: No such file or directory (os error 2))",
        ),
        (
            &[endpoint, region, id, secret],
            "BadCredentials: s3://logs: the store does not accept the AWS credentials \
             (NotSignedUp: Your account is not signed up)",
        ),
    ] {
        assert_eq!(probe_with(environment), expected);
    }
}
