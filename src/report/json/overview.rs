//! What the object says of a scan as a whole: window, states, sums and evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::words;
use crate::drift::model::{Evidence, Refreshed, Severity, StateSummary, Summary, Window};

/// What the refresh of a plan found changed.
#[derive(Serialize)]
pub struct RefreshedOut<'a> {
    state: &'a str,
    address: &'a str,
    kind: &'static str,
    explained: &'a [String],
    unexplained: &'a [String],
    drifts: &'a [String],
    actors: &'a [String],
}

impl<'a> RefreshedOut<'a> {
    pub fn of(refreshed: &'a Refreshed) -> Self {
        Self {
            state: &refreshed.state,
            address: &refreshed.address,
            kind: refreshed.kind.word(),
            explained: &refreshed.explained,
            unexplained: &refreshed.unexplained,
            drifts: &refreshed.drifts,
            actors: &refreshed.actors,
        }
    }
}

#[derive(Serialize)]
pub struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    pub fn here() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[derive(Serialize)]
pub struct WindowOut {
    since: Option<String>,
    until: String,
}

impl WindowOut {
    pub fn of(window: &Window) -> Self {
        Self {
            since: window.since.map(|time| time.to_string()),
            until: window.until.to_string(),
        }
    }
}

#[derive(Serialize)]
pub struct StateOut<'a> {
    location: &'a str,
    lineage: Option<&'a str>,
    serial: Option<u64>,
    resources: usize,
    as_of: Option<String>,
}

impl<'a> StateOut<'a> {
    pub fn of(state: &'a StateSummary) -> Self {
        Self {
            location: &state.location,
            lineage: state.lineage.as_deref(),
            serial: state.serial,
            resources: state.resources,
            as_of: state.as_of.map(|time| time.to_string()),
        }
    }
}

#[derive(Serialize)]
pub struct SummaryOut {
    modified: usize,
    deleted: usize,
    unmanaged: usize,
    resolved: usize,
    suppressed: usize,
    by_severity: BTreeMap<BySeverity, usize>,
    failing: usize,
    told_before: usize,
}

/// A severity as a key, the most severe first.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum BySeverity {
    Critical,
    High,
    Medium,
    Low,
}

impl SummaryOut {
    pub fn of(summary: &Summary, failing: usize) -> Self {
        let by_severity = Severity::ALL
            .into_iter()
            .map(|severity| {
                let key = match severity {
                    Severity::Critical => BySeverity::Critical,
                    Severity::High => BySeverity::High,
                    Severity::Medium => BySeverity::Medium,
                    Severity::Low => BySeverity::Low,
                };
                (
                    key,
                    summary
                        .by_severity
                        .get(&severity)
                        .copied()
                        .unwrap_or_default(),
                )
            })
            .collect();
        Self {
            modified: summary.modified,
            deleted: summary.deleted,
            unmanaged: summary.unmanaged,
            resolved: summary.resolved,
            suppressed: summary.suppressed,
            by_severity,
            failing,
            told_before: summary.told_before,
        }
    }
}

#[derive(Serialize)]
pub struct EvidenceOut<'a> {
    files: u64,
    bytes: u64,
    records: u64,
    in_window: u64,
    writes: u64,
    matched: u64,
    failed_calls: u64,
    duplicates: u64,
    unreadable: Vec<UnreadableOut<'a>>,
    unmapped: Vec<UnmappedOut<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct UnreadableOut<'a> {
    location: &'a str,
    place: Option<&'a str>,
    problem: &'a str,
    remedy: Option<&'a str>,
}

#[derive(Serialize)]
struct UnmappedOut<'a> {
    event: &'a str,
    count: u64,
    addresses: &'a [String],
}

impl<'a> EvidenceOut<'a> {
    pub fn of(evidence: &'a Evidence) -> Self {
        Self {
            files: evidence.files,
            bytes: evidence.bytes,
            records: evidence.records,
            in_window: evidence.in_window,
            writes: evidence.writes,
            matched: evidence.matched,
            failed_calls: evidence.failed_calls,
            duplicates: evidence.duplicates,
            unreadable: evidence
                .unreadable
                .iter()
                .map(|item| UnreadableOut {
                    location: &item.location,
                    place: item.place.as_deref(),
                    problem: &item.problem,
                    remedy: item.remedy.as_deref(),
                })
                .collect(),
            unmapped: evidence
                .unmapped
                .iter()
                .map(|item| UnmappedOut {
                    event: &item.event,
                    count: item.count,
                    addresses: &item.addresses,
                })
                .collect(),
            complete: words::trust(evidence) == words::Trust::Complete,
        }
    }
}
