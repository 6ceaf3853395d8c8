//! How many listings run at once: more while the store keeps up, fewer once it says to slow down,
//! and fewer while each brings many keys.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Listings at once to begin with, and as many as may run whatever the length of their pages.
const BEGIN: usize = 32;

/// The least that a store is asked at once, however often it says to slow down.
const LEAST: usize = 2;

/// Keys that pages on their way hold at most, about. A key takes some 500 bytes there.
const KEYS: usize = BEGIN * 1_000;

/// Lets listings pass. Shared by all walks of one store.
#[derive(Debug)]
pub struct Pace {
    most: usize,
    state: Mutex<State>,
    left: Notify,
}

#[derive(Debug)]
struct State {
    /// Listings that the store is thought to bear at once.
    room: usize,
    running: usize,
    /// Whether the store has said to slow down: then room is found again in small steps.
    warned: bool,
    /// Listings that ended well since room was last made.
    well: usize,
    /// Times that room was taken away.
    cuts: u64,
    /// Keys on a page, times 16, averaged over the last pages.
    keys: usize,
}

/// Leave to list once. Ends with the value, also of a listing that is broken off.
#[derive(Debug)]
pub struct Pass<'a> {
    pace: &'a Pace,
    cuts: u64,
}

impl Pace {
    /// Lets so many listings pass at once at most.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            state: Mutex::new(State {
                room: BEGIN.min(most.max(1)),
                running: 0,
                warned: false,
                well: 0,
                cuts: 0,
                keys: 0,
            }),
            left: Notify::new(),
        }
    }

    /// How many may run at once at most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// Waits until one more listing may run.
    pub async fn enter(&self) -> Pass<'_> {
        loop {
            if let Some(pass) = self.try_enter() {
                return pass;
            }
            self.left.notified().await;
        }
    }

    fn try_enter(&self) -> Option<Pass<'_>> {
        let mut state = self.state();
        (state.running < state.limit()).then(|| {
            state.running += 1;
            Pass {
                pace: self,
                cuts: state.cuts,
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Ends the leave after a listing that brought so many keys. `slow`: the store said meanwhile
    /// that it is asked too much.
    pub fn done(self, keys: usize, slow: bool) {
        let mut state = self.pace.state();
        state.keys = (state.keys * 15 + keys * 16) / 16;
        if !slow {
            state.well += 1;
            // Twice the room with each round of answers, as long as nothing speaks against it.
            if !state.warned || state.well >= state.room {
                state.well = 0;
                state.room = (state.room + 1).min(self.pace.most);
            }
        } else if self.cuts == state.cuts {
            // What was asked before the last cut tells nothing of the pace since.
            state.cuts += 1;
            state.warned = true;
            state.well = 0;
            state.room = (state.room / 2).max(LEAST.min(self.pace.most));
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.running = state.running.saturating_sub(1);
        let free = state.limit().saturating_sub(state.running);
        drop(state);
        // Two, as room may have grown by one. Who is woken in vain waits on; who enters instead
        // wakes the next at the end.
        for _ in 0..free.min(2) {
            self.pace.left.notify_one();
        }
    }
}

impl State {
    fn limit(&self) -> usize {
        let short = KEYS * 16 / self.keys.max(1);
        self.room.min(short.max(BEGIN))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Pass};

    /// Enters until there is no room.
    fn fill(pace: &Pace) -> Vec<Pass<'_>> {
        std::iter::from_fn(|| pace.try_enter()).collect()
    }

    fn round(pace: &Pace, keys: usize, slow: bool) -> usize {
        let passes = fill(pace);
        let count = passes.len();
        for pass in passes {
            pass.done(keys, slow);
        }
        count
    }

    #[test]
    fn room_doubles_until_the_most_while_nothing_speaks_against_it() {
        let pace = Pace::new(100);
        assert_eq!(
            [(); 4].map(|()| round(&pace, 10, false)),
            [32, 64, 100, 100]
        );
        assert_eq!(round(&Pace::new(3), 10, false), 3);
    }

    #[test]
    fn one_round_of_refusals_halves_room_once_and_it_grows_again_by_one() {
        let pace = Pace::new(128);
        assert_eq!(round(&pace, 10, true), 32);
        assert_eq!([(); 3].map(|()| round(&pace, 10, false)), [16, 17, 18]);
        for _ in 0..10 {
            round(&pace, 10, true);
        }
        assert_eq!(fill(&pace).len(), 2);
    }

    #[test]
    fn long_pages_leave_room_for_as_many_as_at_the_beginning() {
        let pace = Pace::new(128);
        for _ in 0..10 {
            round(&pace, 1_000, false);
        }
        assert_eq!(fill(&pace).len(), 32);
        let pace = Pace::new(128);
        for _ in 0..10 {
            round(&pace, 500, false);
        }
        assert_eq!(fill(&pace).len(), 64);
    }

    #[test]
    fn who_waits_is_let_in_when_one_leaves() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        let pace = std::sync::Arc::new(Pace::new(4));
        let done = runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..1_000 {
                let pace = std::sync::Arc::clone(&pace);
                tasks.spawn(async move {
                    let pass = pace.enter().await;
                    tokio::task::yield_now().await;
                    pass.done(1, number % 10 == 0);
                });
            }
            tasks.join_all().await.len()
        });
        assert_eq!(done, 1_000);
        assert_eq!(pace.state().running, 0);
    }
}
