//! Decoders, lent to workers one file at a time.
//!
//! A decoder keeps the buffer that its largest file needed. If each worker had one of its own,
//! sooner or later all of them would be as large as the largest file. Lent by size, there are
//! only as many large ones as large files were ever decoded at the same time, and how many those
//! are is what the budget decides.

use std::sync::{Mutex, PoisonError};

use crate::audit::decode::Decoder;

/// Decoders that are not lent, the smallest first.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<Sized>>,
}

struct Sized {
    largest: u64,
    decoder: Decoder,
}

impl Pool {
    /// Lends a decoder for a file of so many bytes: the smallest that need not grow, else the
    /// largest there is.
    pub fn with<T>(&self, bytes: u64, decode: impl FnOnce(&mut Decoder) -> T) -> T {
        let mut lent = self.take(bytes).unwrap_or_else(|| Sized {
            largest: 0,
            decoder: Decoder::new(),
        });
        let result = decode(&mut lent.decoder);
        lent.largest = lent.largest.max(bytes);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.partition_point(|other| other.largest < lent.largest);
        idle.insert(at, lent);
        result
    }

    fn take(&self, bytes: u64) -> Option<Sized> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = idle.partition_point(|decoder| decoder.largest < bytes);
        let at = fits.min(idle.len().checked_sub(1)?);
        Some(idle.remove(at))
    }

    #[cfg(test)]
    fn sizes(&self) -> Vec<u64> {
        let idle = self.idle.lock().unwrap();
        idle.iter().map(|decoder| decoder.largest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_as_many_large_decoders_as_large_files_at_once() {
        let pool = Pool::default();
        for _ in 0..10 {
            pool.with(1_000, |_| pool.with(10, |_| pool.with(20, |_| ())));
            pool.with(900, |_| pool.with(15, |_| ()));
            pool.with(5, |_| ());
        }
        assert_eq!(pool.sizes(), [10, 20, 1_000]);
    }

    #[test]
    fn the_largest_grows_when_none_is_large_enough() {
        let pool = Pool::default();
        pool.with(10, |_| pool.with(20, |_| ()));
        pool.with(30, |_| ());
        assert_eq!(pool.sizes(), [10, 30]);
    }
}
