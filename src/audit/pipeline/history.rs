//! Feeds workers with what CloudTrail's own event history says.

use std::collections::HashMap;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::budget::Budget;
use super::parts::Part;
use super::work::Local;
use super::{Problems, Progress, Stop};
use crate::audit::source::lookup::{Found, Lookup};

/// Pages that wait to be taken.
const AHEAD: usize = 64;

/// Asks for event histories.
pub struct History {
    runtime: Runtime,
    lookups: Vec<Lookup>,
}

impl History {
    /// Starts a runtime for the requests.
    pub fn new(lookups: Vec<Lookup>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("lookup")
            .enable_all()
            .build()?;
        Ok(Self { runtime, lookups })
    }

    /// Asks for everything. Returns when all of it was sent on, or nobody takes it.
    pub fn run<'a>(
        self,
        waiting: &'a Budget,
        progress: &dyn Progress,
        problems: &Problems,
        stop: &Stop,
        out: &Sender<Local<'a>>,
    ) {
        let (found_out, mut found) = mpsc::channel(AHEAD);
        for lookup in self.lookups {
            self.runtime.spawn(lookup.run(found_out.clone()));
        }
        drop(found_out);
        let mut places: HashMap<String, (Arc<str>, u64)> = HashMap::new();
        let mut next = || {
            self.runtime.block_on(async {
                tokio::select! {
                    found = found.recv() => found,
                    () = stop.due() => None,
                }
            })
        };
        while let Some(found) = next() {
            let (location, bytes) = match found {
                Found::Page { location, bytes } => (location, bytes),
                Found::Problem(problem) => {
                    problems.push(problem);
                    continue;
                }
                Found::Credentials(problem) => {
                    problems.push_refused(problem);
                    continue;
                }
            };
            let length = bytes.len() as u64;
            let (name, offset) = places.entry(location).or_insert_with_key(|location| {
                progress.listed(1, 0);
                (Arc::from(location.as_str()), 0)
            });
            progress.fetched(length);
            let part = Part {
                location: Arc::clone(name),
                offset: *offset,
                bytes,
                share: waiting.draw(length),
            };
            *offset += length;
            if out.send(Local::Part(part)).is_err() {
                break;
            }
        }
        // A name that is still being looked up must not hold up the end.
        self.runtime.shutdown_background();
    }
}
