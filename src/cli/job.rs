//! One scan over a loaded inventory: which calls are wanted, what comes of them, what a report says.

use super::args::{ScanArgs, Show as ShowWord};
use super::code::Code;
use super::config::Config;
use super::memory::Memory;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::audit::call::Call;
use crate::audit::decode::{Filter, Problem, Prospect, Tally};
use crate::audit::pipeline::MEMORY;
use crate::catalogue::Catalogue;
use crate::checkpoint::Checkpoint;
use crate::drift::analysis::{self, Settings};
use crate::drift::confirm::confirm;
use crate::drift::effect::Resolver;
use crate::drift::journal::{Journal, Ordered};
use crate::drift::model::{Drift, Evidence, Report, StateSummary, Status, Unreadable};
use crate::drift::principals::Principals;
use crate::drift::severity::Rules;
use crate::drift::sieve::{Sieve, Wanted};
use crate::drift::wildcard;
use crate::report::Show;
use crate::state;
use crate::window::Window;

/// One scan.
pub struct Job<'a> {
    /// The threads that work out what comes of the calls.
    pub crew: &'a ThreadPool,
    /// What was asked for.
    pub args: &'a ScanArgs,
    /// The Terraform code, as far as it is at hand.
    pub code: &'a Code,
    /// What the user decided beforehand.
    pub config: &'a Config,
    /// The window.
    pub window: Window,
    /// All rules.
    pub catalogue: &'a Catalogue,
    /// What Terraform believes.
    pub loaded: &'a state::Loaded,
    /// What the scans before left, and this one leaves.
    pub memory: Option<&'a Memory<'a>>,
}

impl Job<'_> {
    /// Runs the scan. `read` brings the calls that a filter wants to a sink, and says what it read.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn run<E>(
        &self,
        read: impl FnOnce(&Filter<'_>, &(dyn Fn(Call) + Sync)) -> Result<Tally, E>,
    ) -> Result<Report, E> {
        let globs = &self.args.knowledge.iac_principals;
        let principals = (!globs.is_empty()).then(|| Principals::new(globs));
        let resolver =
            Resolver::new(self.catalogue, &self.loaded.inventory).applied_by(principals.as_ref());
        let sieve = Sieve::new(&resolver);
        let room = self.args.resources.memory.map_or(MEMORY, |memory| memory.0);
        let room = usize::try_from(room / 4).unwrap_or(usize::MAX);
        let journal = Journal::new(&resolver, room);
        let wanted = |call: &Prospect<'_>| match sieve.judge(call) {
            Wanted::Yes => true,
            Wanted::No => false,
            // What later scans are told of is parsed now.
            Wanted::IfTaught => self.memory.is_some() || !journal.put_aside(call),
        };
        let show = shown(&self.args.report.show);
        let filter = Filter {
            window: self.window,
            accounts: self.args.filter.place.accounts.clone(),
            regions: self.args.filter.place.regions.clone(),
            wanted: &wanted,
            failed: show.failed,
        };
        let take = |call: Call| {
            let full = journal.is_full();
            let copy = (full || self.memory.is_some()).then(|| call.clone());
            if let Some(effects) = resolver.resolve(call) {
                if let (Some(memory), Some(copy)) = (self.memory, &copy) {
                    memory.keep(copy, &effects);
                }
                journal.keep(effects, copy.as_ref().filter(|_| full));
            }
        };
        let known = self.memory.and_then(|memory| memory.before);
        let known = known.map(Checkpoint::calls).unwrap_or_default();
        let known = known.iter().filter(|call| call.time < self.window.until);
        known.cloned().for_each(take);
        let tally = read(&filter, &take)?;
        self.crew.install(|| {
            let aside = journal.taught().into_par_iter();
            aside.filter_map(|call| call.call()).for_each(take);
        });
        let judge = || self.judge(&resolver, journal.ordered(), tally, show);
        Ok(self.crew.install(judge))
    }

    fn judge(
        &self,
        resolver: &Resolver<'_>,
        mut calls: Ordered<'_>,
        mut tally: Tally,
        show: Show,
    ) -> Report {
        let addresses = &self.args.filter.addresses;
        let in_scope = |drift: &Drift| {
            let address = drift.address.as_ref().or(drift.parent.as_ref());
            addresses.is_empty()
                || address
                    .is_some_and(|own| addresses.iter().any(|glob| wildcard::matches(glob, own)))
        };
        let rules = Rules::built_in()
            .clone()
            .with(self.config.severity.iter().cloned());
        let settings = Settings {
            rules: &rules,
            reveal: self.args.report.reveal,
            by_terraform: show.iac,
            wanted: &in_scope,
            divide: &|drift| {
                let parts = self.code.divide(drift).into_iter();
                parts
                    .flat_map(|part| self.config.ignores.divide(part))
                    .collect()
            },
        };
        let analysis = analysis::judge(resolver, &mut calls, &settings);
        tally.problems.extend(calls.problem().map(|error| Problem {
            location: std::env::temp_dir().display().to_string(),
            place: None,
            problem: format!("calls could not be kept in temporary files: {error}"),
            remedy: Some(String::from("make room there, or allow more with --memory")),
        }));
        let mut drifts = analysis.drifts;
        let mut totals = analysis.summary;
        let states = self.loaded.inventory.states();
        let refreshed = confirm(states, &drifts, &|own| {
            addresses.is_empty() || addresses.iter().any(|glob| wildcard::matches(glob, own))
        });
        if let Some(memory) = self.memory {
            memory.divide(&mut drifts);
            totals = analysis::summary(&drifts);
            totals.told_before = memory.told_before();
        }
        drifts.retain(|drift| match drift.status {
            Status::Open => true,
            Status::Suppressed => show.suppressed,
            Status::Reconciled if drift.is_applied() => show.iac,
            Status::Reverted | Status::Reconciled => show.resolved,
        });
        let threshold = self.args.verdict.threshold();
        let failing = drifts
            .iter()
            .filter(|drift| threshold.counts(drift))
            .count();
        let evidence = Evidence {
            matched: analysis.matched,
            duplicates: analysis.duplicates,
            unmapped: analysis.unmapped,
            ..evidence(&tally, &self.loaded.problems)
        };
        Report {
            window: self.window,
            states: states.iter().map(summary).collect(),
            evidence,
            drifts,
            summary: totals,
            failed: analysis.failed,
            failing,
            threshold,
            refreshed,
        }
    }
}

/// What `--show` asks for.
#[must_use]
pub fn shown(words: &[ShowWord]) -> Show {
    Show {
        resolved: words.contains(&ShowWord::Resolved),
        suppressed: words.contains(&ShowWord::Suppressed),
        iac: words.contains(&ShowWord::Iac),
        failed: words.contains(&ShowWord::Failed),
    }
}

/// A state as reports show it.
pub(super) fn summary(state: &state::StateFile) -> StateSummary {
    StateSummary {
        location: state.location.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        resources: state.resources,
        as_of: state.as_of,
        is_plan: state.plan.is_some(),
    }
}

/// What was read of logs and states.
pub(super) fn evidence(tally: &Tally, problems: &[state::Problem]) -> Evidence {
    let logs = tally.problems.iter().map(|problem| Unreadable {
        location: problem.location.clone(),
        place: problem.place.clone(),
        problem: problem.problem.clone(),
        remedy: problem.remedy.clone(),
    });
    let states = problems.iter().map(|problem| Unreadable {
        location: problem.location.clone(),
        place: problem.place.clone(),
        problem: problem.problem.clone(),
        remedy: problem.remedy.clone(),
    });
    let unreadable: Vec<Unreadable> = logs.chain(states).collect();
    Evidence {
        files: tally.files,
        bytes: tally.inflated,
        records: tally.records,
        in_window: tally.in_window,
        writes: tally.writes,
        failed_calls: tally.failed_calls,
        complete: unreadable.is_empty() && (tally.vouched || tally.files + tally.known > 0),
        unreadable,
        ..Evidence::default()
    }
}
