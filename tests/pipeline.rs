//! Reading from this machine: in what order, within what memory, to which end.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it fails"
)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};

use common::{gzip, record, records};
use tfdrift::audit::call::Call;
use tfdrift::audit::decode::{Filter, Tally};
use tfdrift::audit::pipeline::{self, NoProgress, Options, Progress, Stop};
use tfdrift::window::Window;

fn read(
    trail: &str,
    options: &Options,
    progress: &dyn Progress,
    sink: &(dyn Fn(Call) + Sync),
) -> Tally {
    let filter = Filter {
        window: Window {
            since: Some("2026-01-15T09:00:00Z".parse().unwrap()),
            until: "2026-01-15T11:00:00Z".parse().unwrap(),
        },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: true,
    };
    pipeline::read(&[trail.parse().unwrap()], &filter, options, progress, sink).unwrap()
}

fn ids(trail: &Path, options: &Options) -> (Tally, Vec<String>) {
    let ids = Mutex::new(Vec::new());
    let tally = read(trail.to_str().unwrap(), options, &NoProgress, &|call| {
        ids.lock().unwrap().push(call.id);
    });
    let mut ids = ids.into_inner().unwrap();
    ids.sort_unstable();
    (tally, ids)
}

#[test]
fn the_window_takes_its_first_instant_and_not_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let times = [
        "2026-01-15T08:59:59Z",
        "2026-01-15T09:00:00Z",
        "2026-01-15T10:59:59Z",
        "2026-01-15T11:00:00Z",
    ];
    std::fs::write(folder.path().join("a.json.gz"), gzip(&records(&times))).unwrap();
    let (tally, ids) = ids(folder.path(), &Options::default());
    assert_eq!((tally.files, tally.records, tally.in_window), (1, 4, 2));
    assert_eq!(ids, [times[1], times[2]]);
}

#[test]
fn a_late_event_is_found_in_a_file_named_after_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder
        .path()
        .join("AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15");
    std::fs::create_dir_all(&day).unwrap();
    for clock in ["0855", "0900", "1125", "1130", "1200"] {
        let name = format!("111111111111_CloudTrail_eu-west-1_20260115T{clock}Z_a.json.gz");
        std::fs::write(day.join(name), gzip(&records(&["2026-01-15T10:59:59Z"]))).unwrap();
    }
    let files = |lag| {
        let options = Options {
            lag: jiff::SignedDuration::from_mins(lag),
            ..Options::default()
        };
        ids(folder.path(), &options).0.files
    };
    assert_eq!((files(20), files(25), files(60), files(0)), (2, 3, 4, 1));
}

/// Sizes of files in the order in which they were decoded, none before all are found.
struct Order(Mutex<Vec<u64>>, Barrier);
impl Progress for Order {
    fn decoded(&self, bytes: u64, _: u64) {
        let mut order = self.0.lock().unwrap();
        if order.is_empty() {
            self.1.wait();
        }
        order.push(bytes);
    }

    fn listing_done(&self) {
        self.1.wait();
    }
}

#[test]
fn of_the_files_found_the_largest_is_read_first() {
    let folder = tempfile::tempdir().unwrap();
    for (number, length) in [1_000, 50_000, 10, 9_000, 100, 30_000, 500, 20_000]
        .into_iter()
        .enumerate()
    {
        let text = records(&["2026-01-15T10:00:00Z"]) + &" ".repeat(length);
        std::fs::write(folder.path().join(format!("{number}.json")), text).unwrap();
    }
    let order = Order(Mutex::default(), Barrier::new(2));
    let options = Options {
        workers: 1,
        ..Options::default()
    };
    read(folder.path().to_str().unwrap(), &options, &order, &|_| {});
    let order = order.0.into_inner().unwrap();
    assert_eq!(order.len(), 8);
    // The worker took what was found first, and one more lay ready.
    let sorted = order[3..].is_sorted_by(|one, next| one > next);
    assert!(sorted, "{order:?}");
}

/// Asks for the end when a file is decoded.
struct Enough(Stop);
impl Progress for Enough {
    fn decoded(&self, _: u64, _: u64) {
        self.0.flag().store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_reading_that_is_asked_to_end_finishes_its_file_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d"] {
        let text = records(&["2026-01-15T10:00:00Z"]);
        std::fs::write(folder.path().join(name).with_extension("json"), text).unwrap();
    }
    let options = Options {
        workers: 1,
        ..Options::default()
    };
    let enough = Enough(options.stop.clone());
    let trail = folder.path().to_str().unwrap();
    let tally = read(trail, &options, &enough, &|_| {});
    assert_eq!((tally.files, tally.records), (1, 1));
    let problems: Vec<_> = tally.problems.iter().map(|one| &one.problem).collect();
    assert_eq!(
        problems,
        ["it was interrupted after 1 of the 4 that were found until then; the rest was not read"]
    );
}

/// Bytes in memory now and at most, as progress tells them.
#[derive(Default)]
struct InFlight {
    now: AtomicU64,
    most: AtomicU64,
    listed: AtomicU64,
    done: AtomicBool,
}

impl Progress for InFlight {
    fn listed(&self, files: u64, _: u64) {
        self.listed.fetch_add(files, Ordering::SeqCst);
    }

    fn listing_done(&self) {
        assert!(!self.done.swap(true, Ordering::SeqCst));
    }

    fn fetched(&self, bytes: u64) {
        let now = self.now.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn decoded(&self, bytes: u64, _: u64) {
        self.now.fetch_sub(bytes, Ordering::SeqCst);
    }
}

#[test]
fn no_more_is_in_memory_than_the_budget_holds() {
    const LENGTH: usize = 100 << 10;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        let text = records(&["2026-01-15T10:00:00Z"]) + &" ".repeat(LENGTH);
        let text = text.get(..LENGTH).unwrap();
        std::fs::write(folder.path().join(format!("{number}.json")), text).unwrap();
    }
    // Three quarters are the workers': three files, though there are six workers.
    let options = Options {
        memory: 4 * LENGTH as u64,
        workers: 6,
        ..Options::default()
    };
    let in_flight = InFlight::default();
    let full = 3 * LENGTH as u64;
    let tally = read(
        folder.path().to_str().unwrap(),
        &options,
        &in_flight,
        &|_| {
            // The first hold on until as many as can be are in memory.
            while in_flight.most.load(Ordering::SeqCst) < full {
                std::thread::yield_now();
            }
        },
    );
    assert_eq!(tally.files, 40);
    assert_eq!(in_flight.most.into_inner(), full);
    assert_eq!(in_flight.now.into_inner(), 0);
    assert_eq!(in_flight.listed.into_inner(), 40);
    assert!(in_flight.done.into_inner());
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_stops_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let fine = folder.path().join("fine.json");
    std::fs::write(&fine, records(&["2026-01-15T10:00:00Z"])).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.path().join("gone.json")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let (tally, ids) = ids(folder.path(), &Options::default());
    assert_eq!(ids.len(), 1);
    let [problem] = &tally.problems[..] else {
        panic!("{:?}", tally.problems)
    };
    assert!(problem.location.ends_with("gone.json"), "{problem:?}");
    assert!(problem.remedy.is_some());
}

#[cfg(unix)]
#[test]
fn a_pipe_can_be_named_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|made| made.success()) {
        return;
    }
    std::thread::scope(|scope| {
        let text = gzip(&records(&["2026-01-15T10:00:00Z"]));
        scope.spawn(|| std::fs::write(&pipe, text).unwrap());
        let (tally, ids) = ids(&pipe, &Options::default());
        assert_eq!((tally.files, ids.len()), (1, 1));
    });
}

/// Reads standard input, in a process of its own.
#[test]
#[ignore = "run by the tests of standard input"]
fn probe() {
    let options = Options {
        memory: 40 << 20,
        ..Options::default()
    };
    let tally = read("-", &options, &NoProgress, &|_| {});
    let problems: Vec<_> = tally
        .problems
        .iter()
        .map(|problem| &problem.problem)
        .collect();
    #[allow(
        clippy::print_stdout,
        reason = "it is how the answer leaves the process"
    )]
    {
        println!("probe: {} {} {problems:?}", tally.files, tally.records);
    }
}

fn probe_with(input: &[u8]) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "probe", "--ignored", "--nocapture"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // What is too long is not read to its end.
    let _ = stdin.write_all(input);
    drop(stdin);
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("probe: "));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
fn standard_input_is_read_whole_or_line_by_line() {
    let one = records(&["2026-01-15T10:00:00Z", "2026-01-15T10:00:01Z"]);
    assert_eq!(probe_with(one.as_bytes()), "1 2 []");
    assert_eq!(probe_with(&gzip(&one)), "1 2 []");
    // Longer than the budget of memory.
    let line = record("2026-01-15T10:00:00Z") + "\n";
    let many = (60 << 20) / line.len();
    assert_eq!(
        probe_with(line.repeat(many).as_bytes()),
        format!("1 {many} []")
    );
}

#[test]
fn standard_input_that_is_longer_than_memory_is_said() {
    let padding = " ".repeat(41 << 20);
    let text = format!("{}{padding}", records(&["2026-01-15T10:00:00Z"]));
    let said = probe_with(text.as_bytes());
    assert!(
        said.starts_with("1 1 [") && said.contains("longer than memory"),
        "{said}"
    );
}
