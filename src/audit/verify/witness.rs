//! Remembers the hashes of log files while they are read for another purpose, so that what is proved
//! is what was read, and nothing is fetched twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::hash;
use crate::audit::pipeline::Watch;

/// Hashes by location.
#[derive(Debug, Default)]
pub struct Witness(Mutex<HashMap<String, String>>);

impl Witness {
    /// The hash of what a log file inflated to when it was read.
    pub(super) fn hash(&self, location: &str) -> Option<String> {
        let hashes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.get(location).cloned()
    }
}

impl Watch for Witness {
    fn read(&self, location: &str, bytes: &[u8], _: bool) {
        // One that does not inflate is looked at again when it is judged.
        if let Ok(hash) = hash::of_log(bytes) {
            let mut hashes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            hashes.insert(location.to_owned(), hash);
        }
    }
}
