//! From locations to calls: finds log files, brings their bytes into memory and hands each file
//! whole to a decoder, on all cores, within a budget of bytes.
//!
//! ```text
//!  directories ──▶ walk, largest first ──▶ files ──┐
//!                                                  ├──▶ workers: read, inflate, decode ──▶ calls
//!  buckets ──▶ listings ──▶ keys ──▶ fetches ──────┘
//!              (many)     (bounded)  (many, by bytes)
//! ```
//!
//! Two budgets keep memory bounded without either side waiting for the other in a circle: what
//! was fetched and waits for a worker draws on one, what a worker holds inflated on the other.

mod budget;
mod fetch;
mod progress;
mod work;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Sender, bounded, unbounded};
use jiff::SignedDuration;
use thiserror::Error;

use super::call::Call;
use super::cloudtrail::layout::{DEFAULT_LAG, Selection, Span};
use super::decode::{Filter, Problem, Tally};
use super::source::TrailLocation;
use super::source::local::{self, Finds, LocalFile};
use crate::s3;

pub use progress::{NoProgress, Progress};

/// Local files that are sorted by size at once: the largest of so many go first.
const SORTED_AT_ONCE: usize = 65_536;

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of log files in memory at once, compressed and inflated together.
    pub memory: u64,
    /// Objects fetched at once.
    pub requests: usize,
    /// Listings at once.
    pub listings: usize,
    /// Threads that decode.
    pub workers: usize,
    /// How late an event may come into a log file.
    pub lag: SignedDuration,
    /// How to reach S3.
    pub s3: s3::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            requests: 32,
            listings: 32,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            lag: DEFAULT_LAG,
            s3: s3::Options::default(),
        }
    }
}

/// Why nothing at all could be read.
#[derive(Debug, Error)]
pub enum Error {
    /// The system gives no threads to work with.
    #[error("no threads to read with: {0}")]
    Threads(#[from] std::io::Error),
    /// Every location needs credentials, and there are none that work.
    #[error("{0}")]
    Credentials(s3::Error),
}

/// Where everything that finds, fetches or decodes says what went wrong.
#[derive(Debug, Default)]
struct Problems {
    list: Mutex<Vec<Problem>>,
    credentials: Mutex<Option<s3::Error>>,
}

impl Problems {
    fn push(&self, problem: Problem) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(problem);
    }
}

/// Reads the log files of all locations and yields the calls that the filter keeps, in no
/// order, from many threads. What could not be found or read stands in the tally's problems and
/// stops nothing else.
///
/// # Errors
/// When nothing was read because S3 accepts no credentials, or no thread could be started.
pub fn read(
    trails: &[TrailLocation],
    filter: &Filter,
    options: &Options,
    progress: &dyn Progress,
    sink: &(dyn Fn(Call) + Sync),
) -> Result<Tally, Error> {
    let selection = Selection {
        span: Span::of(&filter.window, options.lag),
        accounts: filter.accounts.clone(),
        regions: filter.regions.clone(),
    };
    let buckets: Vec<_> = trails
        .iter()
        .filter_map(|trail| match trail {
            TrailLocation::S3(location) => Some(location.clone()),
            _ => None,
        })
        .collect();
    let fetcher = if buckets.is_empty() {
        None
    } else {
        Some(fetch::Fetcher::new(buckets, selection.clone(), options)?)
    };
    let problems = Problems::default();
    let bench = work::Bench::new(options.memory, filter, progress, sink);
    let (locals_out, locals) = bounded(1_024);
    // Bounded by the budget that every fetched object has drawn on.
    let (remotes_out, remotes) = unbounded();
    let sources = AtomicUsize::new(1 + usize::from(fetcher.is_some()));
    let listed = || {
        if sources.fetch_sub(1, Ordering::AcqRel) == 1 {
            progress.listing_done();
        }
    };

    let mut tally = Tally::default();
    std::thread::scope(|scope| -> Result<(), Error> {
        let mut workers = Vec::new();
        for number in 0..options.workers.max(1) {
            let (locals, remotes, bench) = (locals.clone(), remotes.clone(), &bench);
            let worker = std::thread::Builder::new()
                .name(format!("decode-{number}"))
                .spawn_scoped(scope, move || bench.work(&locals, &remotes));
            match worker {
                Ok(worker) => workers.push(worker),
                // Fewer workers are slower, not wrong.
                Err(_) if !workers.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        // Only workers hold the receiving ends: if all end, the senders learn of it.
        drop((locals, remotes));
        if let Some(fetcher) = fetcher {
            let (problems, listed) = (&problems, &listed);
            std::thread::Builder::new()
                .name("fetch".to_owned())
                .spawn_scoped(scope, move || {
                    fetcher.run(remotes_out, progress, problems, listed);
                })?;
        } else {
            drop(remotes_out);
        }
        find_local(trails, &selection, options, progress, &problems, locals_out);
        listed();
        for worker in workers {
            match worker.join() {
                Ok(one) => tally.absorb(one),
                Err(_) => problems.push(Problem {
                    location: String::new(),
                    place: None,
                    problem: "a decoder stopped unexpectedly; what it had read is lost".to_owned(),
                    remedy: Some("report this as a defect of tfdrift".to_owned()),
                }),
            }
        }
        Ok(())
    })?;
    let found = problems
        .list
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let refused = problems
        .credentials
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let only_buckets = trails
        .iter()
        .all(|trail| matches!(trail, TrailLocation::S3(_)));
    match refused {
        Some(error) if only_buckets && tally.files == 0 => Err(Error::Credentials(error)),
        _ => {
            tally.problems.extend(found);
            Ok(tally)
        }
    }
}

/// Finds local files and sends them to the workers, the largest first.
fn find_local(
    trails: &[TrailLocation],
    selection: &Selection,
    options: &Options,
    progress: &dyn Progress,
    problems: &Problems,
    out: Sender<work::Local>,
) {
    let mut found = Found {
        batch: Vec::new(),
        out,
        progress,
        problems,
    };
    let mut stdin = false;
    for trail in trails {
        let go_on = match trail {
            TrailLocation::S3(_) => true,
            TrailLocation::Stdin => {
                stdin = true;
                true
            }
            TrailLocation::Path(path) => local::find(path, selection, &mut found),
            TrailLocation::Glob(pattern) => local::find_matches(pattern, selection, &mut found),
        };
        if !go_on {
            return;
        }
    }
    found.flush();
    if stdin {
        found.stdin(options.memory);
    }
}

struct Found<'a> {
    batch: Vec<LocalFile>,
    out: Sender<work::Local>,
    progress: &'a dyn Progress,
    problems: &'a Problems,
}

impl Finds for Found<'_> {
    fn file(&mut self, file: LocalFile) -> bool {
        self.progress.listed(1, file.size);
        self.batch.push(file);
        self.batch.len() < SORTED_AT_ONCE || self.flush()
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

impl Found<'_> {
    /// Sends what was found, the largest first. False when no worker is left.
    fn flush(&mut self) -> bool {
        self.batch.sort_by_key(|file| std::cmp::Reverse(file.size));
        self.batch
            .drain(..)
            .all(|file| self.out.send(work::Local::File(file)).is_ok())
    }

    fn stdin(&mut self, most: u64) {
        let read = local::read_capped(std::io::stdin().lock(), most);
        let (problem, remedy) = match read {
            Ok((bytes, more)) => {
                self.progress.listed(1, bytes.len() as u64);
                self.progress.fetched(bytes.len() as u64);
                // Fails only when no worker is left, which is said elsewhere.
                let _ = self.out.send(work::Local::Stdin(bytes));
                if !more {
                    return;
                }
                (
                    format!("it is longer than {most} bytes; the rest was not read"),
                    "raise --memory, or put it into a file",
                )
            }
            Err(error) => (
                format!("it cannot be read: {error}"),
                "try again from a file",
            ),
        };
        self.problems.push(Problem {
            location: work::STDIN.to_owned(),
            place: None,
            problem,
            remedy: Some(remedy.to_owned()),
        });
    }
}

/// The location of a local file in words.
fn words(path: &Path) -> String {
    path.display().to_string()
}
