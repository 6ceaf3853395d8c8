//! The whole way, process start to report, beside other tools that are asked the same question:
//! which calls were not reads?

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// One run of a program.
pub struct Run {
    /// What is run.
    pub name: String,
    /// From start to end.
    pub time: Duration,
    /// The most memory that it held, in bytes, where the system tells.
    pub peak: Option<u64>,
}

/// Runs the release binary over an archive, the best of so many rounds. None where it was not built.
pub fn tfdrift(archive: &Path, threads: usize, rounds: usize) -> Option<Run> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let binary = root.join("target/release/tfdrift");
    let run = || {
        let mut command = Command::new(&binary);
        command
            .args([
                "scan",
                "--quiet",
                "--since",
                "all",
                "--output",
                "json",
                "--threads",
            ])
            .arg(threads.to_string())
            .arg("--state")
            .arg(root.join("testdata/organisation/states"))
            .arg("--trail")
            .arg(archive);
        measured(command, format!("tfdrift scan, {threads} threads"))
    };
    binary
        .exists()
        .then(|| (0..rounds).filter_map(|_| run()).min_by_key(|run| run.time))
        .flatten()
}

/// Runs the other tools that are installed, once each.
pub fn others(archive: &Path) -> Vec<Run> {
    let folder = archive.display();
    let questions = [
        (
            "jq",
            format!(
                "find '{folder}' -name '*.gz' -exec zcat {{}} + | jq -c '.Records[] | select(.readOnly == false) | .eventName'"
            ),
        ),
        (
            "rg",
            format!("rg -z --no-filename -o '\"eventName\":\"[^\"]*\"' '{folder}'"),
        ),
        (
            "duckdb",
            format!(
                "duckdb -c \"select r.eventName, count(*) from (select unnest(Records) r from read_json('{folder}/**/*.gz', \
                 maximum_object_size=100000000, columns={{Records: 'STRUCT(eventName VARCHAR, readOnly BOOLEAN)[]'}})) \
                 where not r.readOnly group by 1\""
            ),
        ),
    ];
    questions
        .into_iter()
        .filter(|(tool, _)| {
            Command::new(tool)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok()
        })
        .filter_map(|(tool, question)| {
            let mut command = Command::new("sh");
            command.args(["-c", &question]);
            measured(command, tool.to_owned())
        })
        .collect()
}

/// Runs a program to its end.
pub fn measured(mut command: Command, name: String) -> Option<Run> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let status = format!("/proc/{}/status", child.id());
    let is_over = AtomicBool::new(false);
    let (time, peak) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !is_over.load(Ordering::Relaxed) {
                peak = peak_of(&status).or(peak);
                thread::sleep(Duration::from_millis(2));
            }
            peak
        });
        let status = child.wait();
        let time = start.elapsed();
        is_over.store(true, Ordering::Relaxed);
        (status.map(|_| time), watch.join().unwrap_or_default())
    });
    Some(Run {
        name,
        time: time.ok()?,
        peak,
    })
}

/// The most memory that a process held so far, in bytes.
fn peak_of(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let kilobytes = text.lines().find_map(|line| {
        let line = line.strip_prefix("VmHWM:")?.trim();
        line.strip_suffix(" kB")?.parse::<u64>().ok()
    });
    kilobytes.map(|kilobytes| kilobytes * 1024)
}
