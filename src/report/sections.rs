//! Which drifts a report shows, and under which heading.

use super::{Show, Style};
use crate::drift::model::{Drift, FailedCall, Report, Status};

/// Drifts of one kind of standing, the most severe first.
pub struct Section<'a> {
    /// What holds them together.
    pub standing: Standing,
    /// The drifts, never empty.
    pub drifts: Vec<&'a Drift>,
}

/// Why a drift stands where it stands in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Open: what the report is about.
    Open,
    /// Put back within the window.
    Resolved,
    /// Hidden by a rule of the user's.
    Suppressed,
    /// Done by Terraform alone.
    Iac,
}

impl Standing {
    /// The heading of its section.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Open => "Open drift",
            Self::Resolved => "Resolved within the window",
            Self::Suppressed => "Suppressed by a rule",
            Self::Iac => "Changed by Terraform",
        }
    }
}

/// Where a drift belongs, or nothing when it was not asked for.
///
/// An open drift is never hidden: without `--show iac` one of Terraform's own stands among the
/// open ones.
fn standing(drift: &Drift, show: Show) -> Option<Standing> {
    match drift.status {
        Status::Open if show.iac && drift.by_terraform() => Some(Standing::Iac),
        Status::Open => Some(Standing::Open),
        Status::Reconciled if drift.is_applied() => show.iac.then_some(Standing::Iac),
        Status::Reverted | Status::Reconciled => show.resolved.then_some(Standing::Resolved),
        Status::Suppressed => show.suppressed.then_some(Standing::Suppressed),
    }
}

/// The sections of a report that hold something, open drift first.
pub fn sections<'a>(report: &'a Report, style: &Style) -> Vec<Section<'a>> {
    [
        Standing::Open,
        Standing::Iac,
        Standing::Resolved,
        Standing::Suppressed,
    ]
    .into_iter()
    .filter_map(|wanted| {
        let mut drifts: Vec<&Drift> = report
            .drifts
            .iter()
            .filter(|drift| standing(drift, style.show) == Some(wanted))
            .collect();
        drifts.sort_by_key(|drift| std::cmp::Reverse(drift.severity));
        (!drifts.is_empty()).then_some(Section {
            standing: wanted,
            drifts,
        })
    })
    .collect()
}

/// Every drift that is shown, section by section.
pub fn shown<'a>(report: &'a Report, style: &Style) -> Vec<(Standing, &'a Drift)> {
    sections(report, style)
        .into_iter()
        .flat_map(|section| {
            section
                .drifts
                .into_iter()
                .map(move |drift| (section.standing, drift))
        })
        .collect()
}

/// The refused calls, when asked for.
pub fn failed<'a>(report: &'a Report, style: &Style) -> &'a [FailedCall] {
    if style.show.failed {
        &report.failed
    } else {
        &[]
    }
}
