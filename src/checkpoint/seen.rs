//! Which log files a scan leaves out because an earlier one read them, and which it read itself.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Checkpoint, Older, Reading, parts};
use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch;
use crate::audit::stretch::Stretch;

/// Names of a place's log files that were read.
#[derive(Debug)]
pub(super) struct Names {
    pub whole: HashSet<String>,
    pub older: Older,
}

/// Watches a reading for a checkpoint.
#[derive(Debug, Default)]
pub struct Seen {
    known: HashMap<String, Names>,
    asked: HashMap<String, Vec<Stretch>>,
    skipped: AtomicU64,
    reading: Mutex<Reading>,
}

impl Seen {
    /// Leaves out what the checkpoint knows.
    #[must_use]
    pub fn after(checkpoint: Option<&Checkpoint>) -> Self {
        Self {
            known: checkpoint.map(Checkpoint::names).unwrap_or_default(),
            asked: checkpoint.map(Checkpoint::histories).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// How many log files and known parts of histories were left out.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// How the reading went, given what was wrong with it and whether it was cut short. Empties what
    /// was gathered.
    pub fn finish(&self, problems: &[Problem], cut: bool) -> Reading {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reading = std::mem::take(&mut *reading);
        if cut {
            // What a history told may have been dropped on its way.
            reading.histories.values_mut().for_each(Vec::clear);
        }
        for problem in problems {
            // Of a history it is known which stretches of it were told.
            if reading.histories.contains_key(&problem.location) {
                continue;
            }
            let name = file_name(&problem.location);
            match parts(name) {
                Some((place, rest, _)) => {
                    if let Some(names) = reading.names.get_mut(&place) {
                        names.remove(rest);
                    }
                    reading.failed.insert(place);
                }
                None => reading.blind = true,
            }
        }
        reading
    }
}

fn file_name(location: &str) -> &str {
    location.rsplit(['/', '\\']).next().unwrap_or(location)
}

impl Watch for Seen {
    fn wants(&self, name: &str) -> bool {
        if self.known.is_empty() {
            return true;
        }
        let known = parts(name).is_some_and(|(place, rest, _)| {
            self.known
                .get(&place)
                .is_some_and(|names| names.whole.contains(rest) || names.older.contains(rest))
        });
        self.skipped.fetch_add(u64::from(known), Ordering::Relaxed);
        !known
    }

    fn known(&self, place: &str) -> Vec<Stretch> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.histories.entry(place.to_owned()).or_default();
        let known = self.asked.get(place).cloned().unwrap_or_default();
        self.skipped
            .fetch_add(u64::from(!known.is_empty()), Ordering::Relaxed);
        known
    }

    fn told(&self, place: &str, stretch: Stretch) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let stretches = reading.histories.entry(place.to_owned()).or_default();
        stretches.push(stretch);
    }

    fn read(&self, location: &str, _: &[u8], sound: bool) {
        let Some((place, rest, _)) = parts(file_name(location)) else {
            return;
        };
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if sound {
            let names = reading.names.entry(place).or_default();
            names.insert(rest.to_owned());
        } else {
            reading.failed.insert(place);
        }
    }
}
