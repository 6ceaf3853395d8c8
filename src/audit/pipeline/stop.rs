//! How a reading ends early: someone asks for it, or its time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Progress;
use crate::audit::decode::Problem;

/// How often whoever waits looks whether it is still to wait.
const LOOK: Duration = Duration::from_millis(50);

/// Says whether a reading is to end early. All its clones say the same.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    deadline: Option<(Duration, Instant)>,
}

impl Stop {
    /// Ends a reading when `limit` has passed since `begun`, unless it has ended by then.
    #[must_use]
    pub fn after(limit: Duration, begun: Instant) -> Self {
        Self {
            asked: Arc::default(),
            deadline: begun.checked_add(limit).map(|end| (limit, end)),
        }
    }

    /// The flag that asks for an end when it is raised, by a signal for one.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Whether to end now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|(_, end)| Instant::now() >= end)
    }

    /// Returns when it is time to end.
    pub(crate) async fn due(&self) {
        while !self.is_due() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The time limit, if it is what ends the reading.
    fn limit(&self) -> Option<Duration> {
        let limit = self.deadline.map(|(limit, _)| limit);
        limit.filter(|_| !self.asked.load(Ordering::Relaxed))
    }

    /// Why it ends early, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.limit() {
            Some(limit) => format!("the time limit of {limit:?} was over"),
            None => "it was interrupted".to_owned(),
        }
    }

    /// What is missing, because the reading ended after so many of the log files known by then.
    pub(super) fn problem(&self, read: u64, listed: u64) -> Problem {
        let reason = self.reason();
        let remedy = match self.limit() {
            Some(_) => "allow more time, or choose a shorter window, fewer accounts or regions",
            None => "run it again to read everything",
        };
        Problem {
            location: "log files".to_owned(),
            place: None,
            problem: format!(
                "{reason} after {read} of the {listed} that were found until then; the rest was \
                 not read"
            ),
            remedy: Some(remedy.to_owned()),
        }
    }
}

/// Counts the log files that are found, and passes on what it hears.
pub(super) struct Counted<'a> {
    inner: &'a dyn Progress,
    listed: AtomicU64,
}

impl<'a> Counted<'a> {
    pub(super) fn new(inner: &'a dyn Progress) -> Self {
        Self {
            inner,
            listed: AtomicU64::new(0),
        }
    }

    /// The log files that were found so far.
    pub(super) fn files(&self) -> u64 {
        self.listed.load(Ordering::Relaxed)
    }
}

impl Progress for Counted<'_> {
    fn listed(&self, files: u64, bytes: u64) {
        self.listed.fetch_add(files, Ordering::Relaxed);
        self.inner.listed(files, bytes);
    }

    fn listing_done(&self) {
        self.inner.listing_done();
    }

    fn fetched(&self, bytes: u64) {
        self.inner.fetched(bytes);
    }

    fn decoded(&self, bytes: u64, records: u64) {
        self.inner.decoded(bytes, records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_ends_when_it_is_asked_to_or_its_time_is_up_and_says_which() {
        let patient = Stop::after(Duration::from_hours(1), Instant::now());
        assert!(!patient.is_due());
        patient.clone().flag().store(true, Ordering::Relaxed);
        assert!(patient.is_due());
        assert!(
            patient
                .problem(1, 2)
                .problem
                .starts_with("it was interrupted after 1 of the 2")
        );

        let late = Stop::after(Duration::ZERO, Instant::now());
        assert!(late.is_due());
        assert!(
            late.problem(0, 0)
                .problem
                .starts_with("the time limit of 0ns was over")
        );
    }
}
