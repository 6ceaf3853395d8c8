//! Time words (`1h30m`, `yesterday`, RFC 3339, …) and the window they make.

use jiff::Timestamp;

/// A span of time: `since` inclusive, `until` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant that belongs to it; none for "from the beginning".
    pub since: Option<Timestamp>,
    /// The first instant that no longer belongs to it.
    pub until: Timestamp,
}

impl Window {
    /// Whether an instant lies in the window.
    #[must_use]
    pub fn contains(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && time < self.until
    }
}
