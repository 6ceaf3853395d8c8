//! From effects to the drifts of a report: replay, verdict, severity, narrowing, masking, order.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::effect::{Effects, Resolver};
use super::journal::Ordered;
use super::model::{Attribute, Drift, FailedCall, Kind, Severity, Status, Summary, Unmapped};
use super::remedy::remedy;
use super::replay::{self, Outcome};
use super::severity::{self, Rules, View};
use super::verdict;

/// How drifts are judged and which are kept.
pub struct Settings<'a> {
    /// Severity rules.
    pub rules: &'a Rules,
    /// Whether secret values stay readable.
    pub reveal: bool,
    /// Whether what Terraform alone changed is told too, as reconciled drifts.
    pub by_terraform: bool,
    /// Whether a drift is wanted at all.
    pub wanted: &'a (dyn Fn(&Drift) -> bool + Sync),
    /// Parts a drift into what stays open and what the user lives with.
    pub divide: &'a (dyn Fn(Drift) -> Vec<Drift> + Sync),
}

impl<'a> Settings<'a> {
    /// By these rules, for all that drifted and with all its values.
    #[must_use]
    pub fn plain(rules: &'a Rules) -> Self {
        Self {
            rules,
            reveal: true,
            by_terraform: false,
            wanted: &|_| true,
            divide: &|drift| vec![drift],
        }
    }
}

/// What came of the calls of a window.
pub struct Analysis {
    /// All drifts, whatever their status, the most severe first.
    pub drifts: Vec<Drift>,
    /// Totals over them.
    pub summary: Summary,
    /// Refused calls on managed resources.
    pub failed: Vec<FailedCall>,
    /// Calls that no rule knows and that name managed resources.
    pub unmapped: Vec<Unmapped>,
    /// Calls that touched a managed resource or made an unmanaged one.
    pub matched: u64,
    /// Copies of calls seen before.
    pub duplicates: u64,
}

/// Drifts that are not worth another thread.
const FEW: usize = 64;

/// Judges the calls of a window, which are all in memory.
#[must_use]
pub fn analyse(
    resolver: &Resolver<'_>,
    calls: Vec<Effects<'_>>,
    settings: &Settings<'_>,
) -> Analysis {
    judge(resolver, &mut Ordered::of(calls), settings)
}

/// Judges the calls of a window, in the order in which they count.
#[must_use]
pub fn judge(
    resolver: &Resolver<'_>,
    calls: &mut Ordered<'_>,
    settings: &Settings<'_>,
) -> Analysis {
    let mut outcome = replay::replay(resolver, calls);
    let made = outcome.unmanaged.take();
    let outcome = outcome;
    let changed = verdict::managed(resolver, &outcome, settings.by_terraform);
    let changed = changed.into_par_iter().with_min_len(FEW);
    let made = made.into_par_iter().with_min_len(FEW);
    let made = made.map(|made| verdict::unmanaged(resolver, &outcome, made));
    let mut drifts: Vec<Drift> = changed
        .chain(made)
        .filter(|drift| (settings.wanted)(drift))
        .flat_map_iter(|drift| (settings.divide)(drift))
        .map(|drift| judged(drift, settings))
        .collect();
    drifts.par_sort_by_cached_key(order);
    Analysis {
        summary: summary(&drifts),
        failed: failed(resolver, &outcome),
        unmapped: unmapped(resolver, &outcome),
        matched: outcome.matched,
        duplicates: outcome.duplicates,
        drifts,
    }
}

/// Fills in what follows from the rest of a drift, and hides what is secret.
fn judged(mut drift: Drift, settings: &Settings<'_>) -> Drift {
    let rules = settings.rules;
    drift.id = verdict::fingerprint(&drift);
    (drift.severity, drift.rules) = severity::judge(&View::from(&drift), rules);
    // What an unmanaged resource was made with is for the judge; its story tells the rest.
    if drift.kind == Kind::Unmanaged {
        drift.attributes = Vec::new();
    }
    gravest_first(&mut drift, rules);
    drift.remedy = remedy(&drift);
    if !settings.reveal {
        verdict::mask(&mut drift);
    }
    drift
}

/// Puts the gravest attribute first: where there is room for one, it is that.
fn gravest_first(drift: &mut Drift, rules: &Rules) {
    if drift.attributes.len() < 2 {
        return;
    }
    let mut ranked: Vec<(Severity, Attribute)> = drift
        .attributes
        .iter()
        .map(|attribute| {
            let view = View {
                attributes: std::slice::from_ref(attribute),
                ..View::from(&*drift)
            };
            (severity::judge(&view, rules).0, attribute.clone())
        })
        .collect();
    ranked.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    drift.attributes = ranked.into_iter().map(|(_, attribute)| attribute).collect();
}

/// Open before closed, severe before mild, then by subject, so that two runs list alike.
fn order(drift: &Drift) -> (Status, std::cmp::Reverse<Severity>, Kind, String, String) {
    (
        drift.status,
        std::cmp::Reverse(drift.severity),
        drift.kind,
        drift.subject(),
        drift.id.clone(),
    )
}

/// Totals over drifts.
#[must_use]
pub fn summary(drifts: &[Drift]) -> Summary {
    let mut summary = Summary::default();
    let mut by_severity: BTreeMap<Severity, usize> = Severity::ALL
        .into_iter()
        .map(|severity| (severity, 0))
        .collect();
    for drift in drifts {
        match (drift.status, drift.kind) {
            _ if drift.is_applied() => {}
            (Status::Suppressed, _) => summary.suppressed += 1,
            (Status::Reverted | Status::Reconciled, _) => summary.resolved += 1,
            (Status::Open, Kind::Modified) => summary.modified += 1,
            (Status::Open, Kind::Deleted) => summary.deleted += 1,
            (Status::Open, Kind::Unmanaged) => summary.unmanaged += 1,
        }
        if drift.status == Status::Open {
            *by_severity.entry(drift.severity).or_default() += 1;
        }
    }
    summary.by_severity = by_severity;
    summary
}

fn failed(resolver: &Resolver<'_>, outcome: &Outcome) -> Vec<FailedCall> {
    let failed = outcome.failed.iter().filter_map(|(event, instance)| {
        let event = outcome.events.get(*event)?.clone();
        Some(FailedCall {
            event,
            address: resolver.inventory.get(*instance).address().to_string(),
        })
    });
    failed.collect()
}

fn unmapped(resolver: &Resolver<'_>, outcome: &Outcome) -> Vec<Unmapped> {
    let unmapped = outcome
        .unmapped
        .iter()
        .map(|(event, (count, instances))| Unmapped {
            event: event.clone(),
            count: *count,
            addresses: instances
                .iter()
                .map(|id| resolver.inventory.get(*id).address().to_string())
                .collect(),
        });
    unmapped.collect()
}
