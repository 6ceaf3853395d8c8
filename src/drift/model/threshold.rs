//! Which drifts are grave enough to fail: what makes exit code 2.

use super::{Drift, Kind, Severity, Status};

/// The least that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// Kinds of drift that fail; none where drift is only to be reported.
    pub kinds: Vec<Kind>,
    /// The least severity that fails.
    pub severity: Severity,
}

impl Default for Threshold {
    /// Any drift of what Terraform manages.
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Modified, Kind::Deleted],
            severity: Severity::Low,
        }
    }
}

impl Threshold {
    /// Whether a drift fails.
    #[must_use]
    pub fn counts(&self, drift: &Drift) -> bool {
        drift.status == Status::Open
            && drift.severity >= self.severity
            && self.kinds.contains(&drift.kind)
    }
}
