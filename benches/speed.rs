//! How close decoding comes to its floor, inflating: `cargo bench --bench speed -- [MEGABYTES]`.
//!
//! Prints one table for this machine. Every figure is the best of several rounds, taken in turn,
//! for other work on the machine can only slow one down; compare the ratios. The first part leaves
//! out finding and fetching the files, which are in memory; the second is the whole way, process
//! start to report, by the release binary (`cargo build --release` first) and by other tools that
//! are installed.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that prints figures to a person"
)]

mod corpus;
mod whole;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use libdeflater::Decompressor;
use tfdrift::audit::decode::{Decoder, File, Files, Filter, Prospect, Tally};
use tfdrift::window::Window;

const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let megabytes = env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(256);
    let folder = env::var_os("TFDRIFT_CORPUS")
        .map_or_else(
            || Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus"),
            PathBuf::from,
        )
        .join(megabytes.to_string());
    let paths = corpus::archive(&folder, megabytes * 1_000_000)?;
    let files = paths.iter().map(fs::read).collect::<io::Result<Vec<_>>>()?;

    let tally = decode(&files, 1, &|_| true);
    assert_eq!(tally.problems, [], "the corpus is sound");
    println!(
        "{} files, {} records, {:.0} MB of JSON in {:.0} MB of gzip, {} writes\n",
        files.len(),
        tally.records,
        megabytes_of(tally.inflated),
        megabytes_of(tally.bytes),
        tally.writes,
    );

    type Way<'a> = (&'a str, &'a (dyn Fn(usize) + Sync));
    let ways: [Way; 5] = [
        ("inflate, libdeflate", &|threads| {
            on_all(&files, threads, Decompressor::new, inflate_whole);
        }),
        ("inflate, flate2", &|threads| {
            on_all(&files, threads, Vec::new, inflate_stream);
        }),
        ("decode, nothing wanted", &|threads| {
            drop(decode(&files, threads, &|_| false));
        }),
        ("decode, catalogued calls", &|threads| {
            drop(decode(&files, threads, &|call| {
                corpus::is_catalogued(call.service(), call.name())
            }));
        }),
        ("decode, all writes", &|threads| {
            drop(decode(&files, threads, &|_| true));
        }),
    ];
    println!(
        "{:<26}{:>8}{:>10}{:>9}{:>12}{:>10}",
        "", "threads", "seconds", "ratio", "records/s", "MB/s"
    );
    for threads in [1, 2] {
        let mut best = [Duration::MAX; 5];
        for _ in 0..ROUNDS {
            for ((_, way), best) in ways.iter().zip(&mut best) {
                let start = Instant::now();
                way(threads);
                *best = start.elapsed().min(*best);
            }
        }
        for ((name, _), time) in ways.iter().zip(best) {
            let seconds = time.as_secs_f64();
            println!(
                "{name:<26}{threads:>8}{seconds:>10.3}{:>9.2}{:>12.0}{:>10.0}",
                seconds / best[0].as_secs_f64(),
                tally.records as f64 / seconds,
                megabytes_of(tally.inflated) / seconds,
            );
        }
    }
    println!(
        "\n{:<26}{:>10}{:>9}{:>12}",
        "whole way, from disk", "seconds", "ratio", "peak MB"
    );
    let floor = |threads| {
        let run = || {
            let start = Instant::now();
            on_all(&files, threads, Decompressor::new, inflate_whole);
            start.elapsed()
        };
        (0..ROUNDS).map(|_| run()).min().unwrap_or_default()
    };
    let print = |run: whole::Run, floor: Duration| {
        let peak = run
            .peak
            .map_or_else(String::new, |bytes| format!("{:.0}", megabytes_of(bytes)));
        let ratio = run.time.as_secs_f64() / floor.as_secs_f64();
        let seconds = run.time.as_secs_f64();
        println!("{:<26}{seconds:>10.3}{ratio:>9.2}{peak:>12}", run.name);
    };
    for threads in [1, 2] {
        if let Some(run) = whole::tfdrift(&folder, threads, ROUNDS) {
            print(run, floor(threads));
        }
    }
    let all = floor(thread::available_parallelism().map_or(1, usize::from));
    for run in whole::others(&folder) {
        print(run, all);
    }
    if let Some(peak) = peak_memory() {
        println!(
            "\npeak memory {peak}, of which the files themselves are {:.0} MB",
            megabytes_of(tally.bytes)
        );
    }
    Ok(())
}

fn megabytes_of(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The most memory that this process held, where the system tells.
fn peak_memory() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?
            .trim()
            .to_owned(),
    )
}

/// Does something to all files on some threads, each with tools of its own.
fn on_all<T>(
    files: &[Vec<u8>],
    threads: usize,
    tools: impl Fn() -> T + Sync,
    work: impl Fn(&mut T, &[u8]) + Sync,
) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut tools = tools();
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(&mut tools, file);
                }
            });
        }
    });
}

fn inflate_whole(decompressor: &mut Decompressor, file: &[u8]) {
    thread_local!(static BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) });
    BUFFER.with_borrow_mut(|buffer| {
        let length =
            u32::from_le_bytes(*file.last_chunk().expect("a gzip file has a trailer")) as usize;
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        black_box(decompressor.gzip_decompress(file, &mut buffer[..length]))
            .expect("the corpus is sound");
    });
}

fn inflate_stream(buffer: &mut Vec<u8>, file: &[u8]) {
    buffer.clear();
    io::copy(&mut flate2::bufread::MultiGzDecoder::new(file), buffer).expect("the corpus is sound");
    black_box(buffer);
}

fn decode(
    files: &[Vec<u8>],
    threads: usize,
    wanted: &(dyn Fn(&Prospect<'_>) -> bool + Sync),
) -> Tally {
    let filter = Filter {
        window: Window {
            since: None,
            until: "2027-01-01T00:00:00Z".parse().expect("it is a time"),
        },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted,
        failed: false,
    };
    let next = AtomicUsize::new(0);
    let total = std::sync::Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut taken = Taken {
                    files,
                    next: &next,
                    tally: Tally::default(),
                };
                Decoder::new().files(&mut taken, &filter, &mut |call| drop(black_box(call)));
                *total.lock().expect("no thread panics") += taken.tally;
            });
        }
    });
    total.into_inner().expect("no thread panics")
}

/// The files that no other thread has taken.
struct Taken<'a> {
    files: &'a [Vec<u8>],
    next: &'a AtomicUsize,
    tally: Tally,
}

impl<'a> Files for Taken<'a> {
    type File = InMemory<'a>;

    fn next(&mut self, _: bool) -> Option<Self::File> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.files.get(number).map(|file| InMemory(file))
    }

    fn done(&mut self, _: Self::File, found: Tally) {
        self.tally += found;
    }
}

struct InMemory<'a>(&'a [u8]);

impl File for InMemory<'_> {
    fn location(&self) -> &'static str {
        ""
    }

    fn bytes(&self) -> &[u8] {
        self.0
    }
}
