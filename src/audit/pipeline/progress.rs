//! What a reading tells of its progress.

/// Listens to a reading. Called from many threads, often: be quick.
pub trait Progress: Sync {
    /// So many more log files were found, with so many bytes as they lie there.
    fn listed(&self, files: u64, bytes: u64) {
        let _ = (files, bytes);
    }

    /// Nothing more will be found.
    fn listing_done(&self) {}

    /// So many more bytes are in memory.
    fn fetched(&self, bytes: u64) {
        let _ = bytes;
    }

    /// One more log file was decoded: its bytes as they lay there, and the records in it.
    fn decoded(&self, bytes: u64, records: u64) {
        let _ = (bytes, records);
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
