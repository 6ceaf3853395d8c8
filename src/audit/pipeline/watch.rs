//! Who decides which log files are read, and learns which were.

use std::fmt::Debug;

use crate::audit::stretch::Stretch;

/// Watches a reading. Called from many threads, for every log file: be quick.
pub trait Watch: Debug + Send + Sync {
    /// Whether a log file of this name, without its folders, is to be read.
    fn wants(&self, name: &str) -> bool {
        let _ = name;
        true
    }

    /// A log file was read, whole: its bytes as they lie there, and whether all of it made sense.
    /// Not told of streams, and of files that are so large that they are read in parts.
    fn read(&self, location: &str, bytes: &[u8], sound: bool) {
        let _ = (location, bytes, sound);
    }

    /// The stretches of a place's event history that need not be asked for.
    fn known(&self, place: &str) -> Vec<Stretch> {
        let _ = place;
        Vec::new()
    }

    /// A stretch of a place's event history was told whole.
    fn told(&self, place: &str, stretch: Stretch) {
        let _ = (place, stretch);
    }
}
