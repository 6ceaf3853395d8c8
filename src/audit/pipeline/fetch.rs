//! The S3 side: walks buckets, fetches what they list, many objects at once, and stops asking
//! while enough bytes wait for a worker.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use crossbeam_channel::Sender;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::work::{Remote, for_waiting};
use super::{Options, Problems, Progress};
use crate::audit::cloudtrail::layout::Selection;
use crate::audit::decode::Problem;
use crate::audit::source::s3::{Key, Pace, Trouble, Walk};
use crate::audit::source::sqs::{Found, Queue, Wanted};
use crate::s3::{Client, Error, Location, Operation, Reason};

/// Keys that are listed and not yet asked for.
const KEYS_AHEAD: usize = 2_048;

/// Bytes that a semaphore's permit stands for: permits are counted in 32 bits.
const UNIT: u64 = 1_024;

/// The least that an object counts with, so that very many very small ones are bounded too.
const LEAST: u64 = 16 << 10;

/// Problems of one kind in one bucket that are told one by one; the rest are counted.
const TOLD: u64 = 10;

/// Fetches the log files of some buckets.
pub struct Fetcher {
    runtime: Runtime,
    locations: Vec<Location>,
    queues: Vec<Arc<Queue>>,
    wanted: Wanted,
    options: Options,
}

/// What the tasks of a fetch tell; said to the outside from one place.
enum Event {
    Listed(u64),
    Fetched(u64),
    Trouble(Trouble),
    Refused(Problem),
    ListingDone,
}

impl Fetcher {
    /// Starts a runtime for the requests.
    pub fn new(
        locations: Vec<Location>,
        queues: Vec<Arc<Queue>>,
        (selection, until): (Selection, Timestamp),
        options: &Options,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.workers.clamp(1, 4))
            .thread_name("fetch")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            locations,
            queues,
            wanted: Wanted {
                selection: Arc::new(selection),
                until,
                watches: options.watches.clone(),
            },
            options: options.clone(),
        })
    }

    /// Lists and fetches everything. Returns when all of it was sent on, or nobody takes it.
    pub fn run(
        self,
        out: Sender<Remote>,
        progress: &dyn Progress,
        problems: &Problems,
        listing_done: &dyn Fn(),
    ) {
        let mut recorder = Recorder::default();
        self.runtime.block_on(async {
            let client = Client::new(&self.options.s3).await;
            let (events_out, mut events) = mpsc::unbounded_channel();
            let (keys_out, keys) = mpsc::channel(KEYS_AHEAD);
            self.start_walks(&client, &keys_out, events_out.clone());
            self.start_fetches(&client, keys, &events_out, out);
            // Only tasks hold the sending ends now: each closes when the last of them is done.
            drop((keys_out, events_out));
            let mut due = pin!(self.options.stop.due());
            loop {
                let event = tokio::select! {
                    event = events.recv() => event,
                    () = &mut due => None,
                };
                let Some(event) = event else { break };
                match event {
                    Event::Listed(bytes) => progress.listed(1, bytes),
                    Event::Fetched(bytes) => progress.fetched(bytes),
                    Event::Trouble(trouble) => recorder.record(trouble, problems),
                    Event::Refused(problem) => recorder.refused(problem, problems),
                    Event::ListingDone => listing_done(),
                }
            }
        });
        recorder.sum_up(problems);
        // A name that is still being looked up must not hold up the end.
        self.runtime.shutdown_background();
    }

    fn start_walks(
        &self,
        client: &Client,
        keys: &mpsc::Sender<Key>,
        events: mpsc::UnboundedSender<Event>,
    ) {
        let pace = Arc::new(Pace::new(self.options.listings));
        let mut walks = JoinSet::new();
        for location in self.locations.clone() {
            let walk = Walk {
                client: client.clone(),
                selection: Arc::clone(&self.wanted.selection),
                pace: Arc::clone(&pace),
                keys: keys.clone(),
                watches: self.options.watches.clone(),
                listed: {
                    let events = events.clone();
                    Arc::new(move |bytes| drop(events.send(Event::Listed(bytes))))
                },
            };
            let events = events.clone();
            walks.spawn(async move {
                for trouble in walk.run(&location).await {
                    // Nobody listens only when the whole reading has ended.
                    let _ = events.send(Event::Trouble(trouble));
                }
            });
        }
        for queue in &self.queues {
            let (found_out, found) = mpsc::channel(KEYS_AHEAD);
            Arc::clone(queue).drain(self.wanted.clone(), found_out);
            walks.spawn(pass_on(found, keys.clone(), events.clone()));
        }
        tokio::spawn(async move {
            while walks.join_next().await.is_some() {}
            let _ = events.send(Event::ListingDone);
        });
    }

    fn start_fetches(
        &self,
        client: &Client,
        keys: mpsc::Receiver<Key>,
        events: &mpsc::UnboundedSender<Event>,
        out: Sender<Remote>,
    ) {
        let most = u32::try_from(for_waiting(self.options.memory) / UNIT)
            .unwrap_or(u32::MAX)
            .max(1);
        let fetch = Arc::new(Fetch {
            client: client.clone(),
            keys: tokio::sync::Mutex::new(keys),
            budget: Arc::new(Semaphore::new(most as usize)),
            most,
            events: events.clone(),
            hopeless: AtomicBool::new(false),
            out,
        });
        for _ in 0..self.options.requests.max(1) {
            tokio::spawn(Arc::clone(&fetch).run());
        }
    }
}

/// Passes on what a queue yields. The queue learns from the closed channel that it can stop.
async fn pass_on(
    mut found: mpsc::Receiver<Found>,
    keys: mpsc::Sender<Key>,
    events: mpsc::UnboundedSender<Event>,
) {
    while let Some(found) = found.recv().await {
        let event = match found {
            Found::Object(key) => {
                let event = Event::Listed(key.size);
                if keys.send(key).await.is_err() {
                    return;
                }
                event
            }
            Found::Problem(problem) => Event::Trouble(Trouble::Place(problem)),
            Found::Refused(problem) => Event::Refused(problem),
        };
        let _ = events.send(event);
    }
}

/// What all fetching tasks share.
struct Fetch {
    client: Client,
    keys: tokio::sync::Mutex<mpsc::Receiver<Key>>,
    budget: Arc<Semaphore>,
    most: u32,
    events: mpsc::UnboundedSender<Event>,
    hopeless: AtomicBool,
    out: Sender<Remote>,
}

impl Fetch {
    async fn run(self: Arc<Self>) {
        loop {
            let next = self.keys.lock().await.recv().await;
            let Some(key) = next else { return };
            if !self.one(key).await {
                // The walks learn from the closed channel that they can stop.
                self.keys.lock().await.close();
                return;
            }
        }
    }

    /// Fetches one object. False when no further one is worth asking for.
    async fn one(&self, key: Key) -> bool {
        if self.hopeless.load(Ordering::Relaxed) {
            return false;
        }
        let units = u32::try_from(key.size.max(LEAST).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let budget = Arc::clone(&self.budget);
        let Ok(permit) = budget.acquire_many_owned(units.min(self.most)).await else {
            return false;
        };
        let location = Location::new(&*key.bucket, &key.key);
        match self.client.get(&location, None).await {
            Ok(fetched) => {
                let _ = self.events.send(Event::Fetched(fetched.bytes.len() as u64));
                let remote = Remote {
                    location: location.to_string(),
                    bytes: fetched.bytes,
                    permit,
                };
                self.out.send(remote).is_ok()
            }
            Err(error) => {
                let hopeless = error.concerns_credentials();
                self.hopeless.fetch_or(hopeless, Ordering::Relaxed);
                let _ = self.events.send(Event::Trouble(Trouble::Store(error)));
                !hopeless
            }
        }
    }
}

/// Turns troubles into problems, and many of one kind into a few and a count.
#[derive(Default)]
struct Recorder {
    seen: HashMap<(String, Operation, Reason), (u64, Option<Error>)>,
    refused: HashSet<String>,
}

impl Recorder {
    /// A queue says to each of its receivers that it cannot be read.
    fn refused(&mut self, problem: Problem, problems: &Problems) {
        if self.refused.insert(problem.location.clone()) {
            problems.push_refused(problem);
        }
    }

    fn record(&mut self, trouble: Trouble, problems: &Problems) {
        let error = match trouble {
            Trouble::Place(problem) => return problems.push(problem),
            Trouble::Store(error) => error,
        };
        if error.concerns_credentials() {
            let mut first = problems
                .credentials
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.clone());
        }
        let kind = (error.location.bucket.clone(), error.operation, error.reason);
        let (count, last) = self.seen.entry(kind).or_default();
        *count += 1;
        if *count <= TOLD {
            problems.push(problem(error.location.to_string(), error.problem(), &error));
        } else {
            *last = Some(error);
        }
    }

    fn sum_up(self, problems: &Problems) {
        for ((bucket, operation, _), (count, last)) in self.seen {
            let Some(error) = last else { continue };
            let things = match operation {
                Operation::List | Operation::Versions => "listings",
                Operation::Get | Operation::GetVersion | Operation::Head | Operation::Put => {
                    "objects"
                }
            };
            let more = format!(
                "the same for {} more {things}: {}",
                count - TOLD,
                error.problem()
            );
            problems.push(problem(format!("s3://{bucket}"), more, &error));
        }
    }
}

fn problem(location: String, problem: String, error: &Error) -> Problem {
    Problem {
        location,
        place: None,
        problem,
        remedy: Some(error.remedy()),
    }
}
