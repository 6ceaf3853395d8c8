//! Bytes that may be in memory at once.

use std::sync::{Condvar, Mutex, PoisonError};

/// A number of bytes to draw from, and to wait for. Who comes first is served first, so that a
/// large file is not kept waiting by small ones for ever.
#[derive(Debug)]
pub struct Budget {
    most: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    next_ticket: u64,
    serving: u64,
}

/// Bytes drawn from a [`Budget`]; dropping it gives them back.
#[derive(Debug)]
pub struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self {
            most: most.max(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits until so many bytes are free and draws them. What is larger than the whole budget
    /// counts as the whole: it waits until it is alone.
    pub fn draw(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(self.most);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        while state.serving != ticket || state.used + bytes > self.most {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.used += bytes;
        drop(state);
        self.changed.notify_all();
        Share {
            budget: self,
            bytes,
        }
    }

    /// Draws so many bytes if they are free and nobody waits for any.
    pub fn try_draw(&self, bytes: u64) -> Option<Share<'_>> {
        let bytes = bytes.min(self.most);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = state.serving == state.next_ticket && state.used + bytes <= self.most;
        is_free.then(|| {
            state.used += bytes;
            Share {
                budget: self,
                bytes,
            }
        })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let budget = self.budget;
        let mut state = budget.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used = state.used.saturating_sub(self.bytes);
        drop(state);
        budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_more_is_out_than_the_budget_holds() {
        let budget = Budget::new(100);
        let (out, peak) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for worker in 0..8_u64 {
                let (budget, out, peak) = (&budget, &out, &peak);
                scope.spawn(move || {
                    for round in 0..200_u64 {
                        let bytes = 1 + (worker * 37 + round * 13) % 60;
                        let share = budget.draw(bytes);
                        let now = out.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        peak.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        out.fetch_sub(bytes, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        let peak = peak.into_inner();
        assert!(peak > 60 && peak <= 100, "{peak}");
    }

    #[test]
    fn who_does_not_wait_draws_only_what_is_free() {
        let budget = Budget::new(10);
        let share = budget.try_draw(6);
        assert!(share.is_some() && budget.try_draw(5).is_none());
        assert!(budget.try_draw(4).is_some());
        drop(share);
        assert!(budget.try_draw(20).is_some());
    }

    #[test]
    fn what_is_larger_than_the_budget_runs_alone() {
        let budget = Budget::new(10);
        assert_eq!(budget.draw(1_000).bytes, 10);
        assert_eq!(budget.draw(0).bytes, 0);
    }
}
