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
//! Memory is bounded by two budgets, so that neither side waits for the other in a circle: bytes
//! that wait for a worker draw on one, what workers read and inflate on the other.

mod alerts;
mod budget;
mod feed;
mod fetch;
mod history;
mod parts;
mod progress;
mod stop;
mod watch;
mod work;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{bounded, unbounded};
use jiff::{SignedDuration, Timestamp};
use rayon::{ThreadPool, ThreadPoolBuilder};
use thiserror::Error;

use super::call::Call;
use super::cloudtrail::layout::Selection;
use super::cloudtrail::span::{DEFAULT_LAG, Span};
use super::decode::{Filter, Problem, Tally};
use super::source::TrailLocation;
use super::source::lookup::Lookup;
use super::source::sqs::Queue;
use crate::s3;

use budget::Budget;
pub use progress::{NoProgress, Progress};
pub use stop::Stop;
pub use watch::Watch;

/// Bytes that a scan may take when nothing was said.
pub const MEMORY: u64 = 256 << 20;

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of log files in memory at once, compressed and inflated together.
    pub memory: u64,
    /// Objects fetched at once.
    pub requests: usize,
    /// Listings at once at most. Fewer while the store says to slow down, or answers with many keys
    /// each time.
    pub listings: usize,
    /// Threads that decode.
    pub workers: usize,
    /// How late an event may come into a log file.
    pub lag: SignedDuration,
    /// How to reach S3.
    pub s3: s3::Options,
    /// How to reach CloudTrail, once for each account that is asked.
    pub history: Vec<s3::Options>,
    /// The queues that are drained, for every [`TrailLocation::Queue`] one.
    pub queues: Vec<Arc<Queue>>,
    /// Who decides which log files are read, and learns which were. All must want a file.
    pub watches: Vec<Arc<dyn Watch>>,
    /// When to end early. What was not read then stands in the tally's problems.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: MEMORY,
            requests: 32,
            listings: 128,
            workers: thread::available_parallelism().map_or(1, usize::from),
            lag: DEFAULT_LAG,
            s3: s3::Options::default(),
            history: vec![s3::Options::default()],
            queues: Vec::new(),
            watches: Vec::new(),
            stop: Stop::default(),
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
    #[error("{0}: {remedy}", remedy = .0.remedy())]
    Credentials(s3::Error),
    /// CloudTrail's event history or a queue cannot be read at all, and nothing else was asked.
    #[error("{}: {}: {}", .0.location, .0.problem, .0.remedy.as_deref().unwrap_or_default())]
    Refused(Problem),
}

/// Where everything that finds, fetches or decodes says what went wrong.
#[derive(Debug, Default)]
struct Problems {
    list: Mutex<Vec<Problem>>,
    credentials: Mutex<Option<s3::Error>>,
    no_credentials: Mutex<Option<Problem>>,
}

impl Problems {
    fn push(&self, problem: Problem) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(problem);
    }

    /// A problem of credentials that nobody accepts: the first may be why nothing at all is read.
    fn push_refused(&self, problem: Problem) {
        let first = self.no_credentials.lock();
        first
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| problem.clone());
        self.push(problem);
    }
}

/// Starts the threads that decode. What comes of the calls is best worked out on them as well: by
/// then each has a core of its own, whereas a thread that slept meanwhile may wake up beside another.
///
/// # Errors
/// When no thread could be started.
pub fn crew(options: &Options) -> Result<ThreadPool, Error> {
    let of = |workers: usize| {
        ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|number| format!("decode-{number}"))
            .build()
    };
    // Fewer workers are slower, not wrong.
    let crew = of(options.workers.max(1)).or_else(|_| of(1));
    crew.map_err(|error| Error::Threads(io::Error::other(error)))
}

/// Reads as [`read_on`] does, on threads of its own.
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
    read_on(&crew(options)?, trails, filter, options, progress, sink)
}

/// Reads the log files of all locations on a crew, and yields the calls that the filter keeps, in no
/// order, from many threads. What could not be found or read stands in the tally's problems and
/// stops nothing else.
///
/// # Errors
/// When nothing was read because S3 accepts no credentials, or no thread could be started.
pub fn read_on(
    crew: &ThreadPool,
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
    let queues = options.queues.clone();
    let fetcher = if buckets.is_empty() && queues.is_empty() {
        None
    } else {
        let asked = (selection.clone(), filter.window.until);
        Some(fetch::Fetcher::new(buckets, queues, asked, options)?)
    };
    let histories: Vec<_> = trails
        .iter()
        .filter_map(|trail| match trail {
            TrailLocation::Lookup(regions) => Some(regions),
            _ => None,
        })
        .flat_map(|regions| {
            options.history.iter().map(|reach| Lookup {
                options: reach.clone(),
                regions: regions.clone(),
                only: filter.regions.clone(),
                window: filter.window,
                now: Timestamp::now(),
                watches: options.watches.clone(),
            })
        })
        .collect();
    let history = if histories.is_empty() {
        None
    } else {
        Some(history::History::new(histories)?)
    };
    let problems = Problems::default();
    let counted = stop::Counted::new(progress);
    let progress: &dyn Progress = &counted;
    let bench = work::Bench::new(options, filter, progress, sink);
    let waiting = Budget::new(work::for_waiting(options.memory));
    let (locals_out, locals) = bounded(1_024);
    // Bounded by the budget that every fetched object has drawn on.
    let (remotes_out, remotes) = unbounded();
    let sources = 1 + usize::from(fetcher.is_some()) + usize::from(history.is_some());
    let sources = AtomicUsize::new(sources);
    let listed = || {
        if sources.fetch_sub(1, Ordering::AcqRel) == 1 {
            progress.listing_done();
        }
    };

    let found = Mutex::new(Tally::default());
    let work = |locals, remotes| {
        let done = catch_unwind(AssertUnwindSafe(|| bench.work(&locals, &remotes)));
        let done = done.unwrap_or_else(|_| Tally {
            problems: vec![Problem {
                location: String::new(),
                place: None,
                problem: "a decoder stopped unexpectedly; what it had read is lost".to_owned(),
                remedy: Some("report this as a defect of tfdrift".to_owned()),
            }],
            ..Tally::default()
        });
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.absorb(done);
    };
    thread::scope(|scope| {
        crew.in_place_scope(|workers| -> Result<(), Error> {
            for _ in 0..crew.current_num_threads() {
                let (locals, remotes) = (locals.clone(), remotes.clone());
                let work = &work;
                workers.spawn(move |_| work(locals, remotes));
            }
            // Only workers hold the receiving ends: if all end, the senders learn of it.
            drop((locals, remotes));
            if let Some(fetcher) = fetcher {
                let (problems, listed) = (&problems, &listed);
                thread::Builder::new()
                    .name("fetch".to_owned())
                    .spawn_scoped(scope, move || {
                        fetcher.run(remotes_out, progress, problems, listed);
                    })?;
            } else {
                drop(remotes_out);
            }
            if let Some(history) = history {
                let (problems, listed, waiting) = (&problems, &listed, &waiting);
                let out = locals_out.clone();
                thread::Builder::new()
                    .name("history".to_owned())
                    .spawn_scoped(scope, move || {
                        history.run(waiting, progress, problems, &options.stop, &out);
                        listed();
                    })?;
            }
            let feed = feed::Feed::new(options, &waiting, progress, &problems, locals_out);
            feed.run(trails, &selection);
            listed();
            Ok(())
        })
    })?;
    let mut tally = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let found = problems
        .list
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let refused = problems
        .credentials
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let nobody = problems
        .no_credentials
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let only_asked = trails
        .iter()
        .all(|trail| matches!(trail, TrailLocation::Lookup(_) | TrailLocation::Queue(_)));
    if let Some(problem) = nobody.filter(|_| only_asked && tally.files == 0) {
        return Err(Error::Refused(problem));
    }
    let only_buckets = trails
        .iter()
        .all(|trail| matches!(trail, TrailLocation::S3(_) | TrailLocation::Queue(_)));
    match refused {
        Some(error) if only_buckets && tally.files == 0 => Err(Error::Credentials(error)),
        _ => {
            // Even if every file found was read: the search for them may have ended early.
            if options.stop.is_due() {
                tally
                    .problems
                    .push(options.stop.problem(tally.files, counted.files()));
            }
            tally.problems.extend(found);
            Ok(tally)
        }
    }
}
