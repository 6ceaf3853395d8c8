//! `tfdrift scan`: states and logs in, drifts and a verdict out.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::args::{Global, ScanArgs, Show as ShowWord};
use super::error::Error;
use super::note;
use super::output::{self, Manner};
use super::store::S3States;
use super::terminal::Terminal;
use super::values::{OutputSpec, check_outputs};
use crate::audit::decode::Filter;
use crate::audit::pipeline::{self, Options, Progress};
use crate::audit::source::TrailLocation;
use crate::catalogue::Catalogue;
use crate::drift::analysis::{self, Settings};
use crate::drift::effect::{Effects, Resolver};
use crate::drift::model::{Drift, Evidence, Kind, Report, Severity, StateSummary, Status, Unreadable};
use crate::drift::names::AwsNaming;
use crate::drift::principals::Principals;
use crate::drift::remedy::remedy;
use crate::drift::severity::Rules;
use crate::drift::wildcard;
use crate::report::Show;
use crate::state::{self, Inventory, StateLocation};
use crate::window::{Bound, Window};
use crate::{audit, s3};

/// What makes exit code 2.
#[derive(Debug, Clone)]
pub struct Threshold {
    kinds: Vec<Kind>,
    severity: Severity,
    report_only: bool,
    allow_incomplete: bool,
}

/// Runs the command.
///
/// # Errors
/// When the command line does not fit together, or nothing at all could be read.
pub fn run(args: &ScanArgs, global: &Global) -> Result<ExitCode, Error> {
    let outputs = match args.report.outputs.as_slice() {
        [] => vec![OutputSpec { format: "table", file: None }],
        outputs => outputs.to_vec(),
    };
    check_outputs(&outputs).map_err(Error::Usage)?;
    let window = Window::resolve(
        args.window.since.as_ref().unwrap_or(&Bound::Ago(jiff::SignedDuration::from_hours(1))),
        args.window.until.as_ref().unwrap_or(&Bound::Now),
        Timestamp::now(),
    )?;
    let trails: Vec<TrailLocation> = args.input.trails.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    if trails.is_empty() {
        return Err(Error::NoTrail);
    }
    let s3 = s3::Options { path_style: args.input.path_style.then_some(true), ..s3::Options::default() };
    let catalogue = catalogue(args)?;
    let loaded = states(args, &s3, &catalogue)?;
    if !global.quiet {
        note(&format!("window {window}"));
    }
    let mut options = Options { s3, ..Options::default() };
    if let Some(memory) = args.resources.memory {
        options.memory = memory.0;
    }
    if let Some(threads) = args.resources.threads {
        options.workers = usize::from(threads);
    }
    let job = Job { args, window, trails, options, catalogue: &catalogue };
    let progress = super::progress::Progress::new(&Terminal::stderr(global.colour), global.quiet);
    let report = job.report(&loaded, &progress);
    progress.finish();
    let report = report?;
    let manner = Manner { colour: global.colour, show: shown(&args.report.show), reveal: args.report.reveal };
    let threshold = threshold(args);
    let (code, verdict) = verdict(&report, &threshold);
    output::write(&outputs, &report, &manner)?;
    if !global.quiet {
        note(&verdict);
    }
    Ok(ExitCode::from(code))
}

/// One scan, ready to run.
pub struct Job<'a> {
    args: &'a ScanArgs,
    window: Window,
    trails: Vec<TrailLocation>,
    options: Options,
    catalogue: &'a Catalogue,
}

impl<'a> Job<'a> {
    /// A scan of these trails.
    #[must_use]
    pub fn new(
        args: &'a ScanArgs,
        window: Window,
        trails: Vec<TrailLocation>,
        options: Options,
        catalogue: &'a Catalogue,
    ) -> Self {
        Self { args, window, trails, options, catalogue }
    }

    /// Reads the logs over the loaded states.
    ///
    /// # Errors
    /// When no log file could be read for want of credentials or threads.
    pub fn report(&self, loaded: &state::Loaded, progress: &dyn Progress) -> Result<Report, Error> {
        let inventory = &loaded.inventory;
        let resolver = Resolver::new(self.catalogue, inventory);
        let show = shown(&self.args.report.show);
        let services = managed_services(self.catalogue, inventory);
        let wanted = |service: &str, event: &str| match self.catalogue.rule(service, event) {
            Some(rule) => rule.operates.is_none(),
            None => services.contains(service),
        };
        let filter = Filter {
            window: self.window,
            accounts: self.args.filter.accounts.clone(),
            regions: self.args.filter.regions.clone(),
            wanted: &wanted,
            failed: show.failed,
        };
        let calls: Mutex<Vec<Effects<'_>>> = Mutex::new(Vec::new());
        let tally = pipeline::read(&self.trails, &filter, &self.options, progress, &|call| {
            if let Some(effects) = resolver.resolve(call) {
                calls.lock().unwrap_or_else(PoisonError::into_inner).push(effects);
            }
        })?;
        let calls = calls.into_inner().unwrap_or_else(PoisonError::into_inner);
        let principals =
            (!self.args.knowledge.iac_principals.is_empty()).then(|| Principals::new(&self.args.knowledge.iac_principals));
        let addresses = &self.args.filter.addresses;
        let in_scope = |drift: &Drift| {
            let address = drift.address.as_ref().or(drift.parent.as_ref());
            addresses.is_empty() || address.is_some_and(|own| addresses.iter().any(|glob| wildcard::matches(glob, own)))
        };
        let settings = Settings {
            principals: principals.as_ref(),
            rules: Rules::built_in(),
            reveal: self.args.report.reveal,
            wanted: &in_scope,
            suppressed: &|_| None,
        };
        let analysis = analysis::analyse(&resolver, calls, &settings);
        let mut drifts = analysis.drifts;
        drifts.retain(|drift| match drift.status {
            Status::Open => true,
            Status::Suppressed => show.suppressed,
            Status::Reverted | Status::Reconciled => show.resolved,
        });
        for drift in &mut drifts {
            drift.remedy = remedy(drift);
        }
        let threshold = threshold(self.args);
        let failing = drifts.iter().filter(|drift| threshold.counts(drift)).count();
        let mut evidence = evidence(&tally, &loaded.problems);
        evidence.matched = analysis.matched;
        evidence.duplicates = analysis.duplicates;
        evidence.unmapped = analysis.unmapped;
        Ok(Report {
            window: self.window,
            states: inventory.states().iter().map(summary).collect(),
            evidence,
            drifts,
            summary: analysis.summary,
            failed: analysis.failed,
            failing,
        })
    }
}

impl Threshold {
    fn counts(&self, drift: &Drift) -> bool {
        drift.status == Status::Open
            && drift.severity >= self.severity
            && self.kinds.contains(&drift.kind)
            && !self.report_only
    }
}

fn threshold(args: &ScanArgs) -> Threshold {
    let kinds = match args.verdict.fail_on.as_slice() {
        [] => vec![Kind::Modified, Kind::Deleted],
        kinds => kinds.to_vec(),
    };
    Threshold {
        kinds,
        severity: args.verdict.min_severity.unwrap_or(Severity::Low),
        report_only: args.verdict.report_only,
        allow_incomplete: args.verdict.allow_incomplete,
    }
}

/// The exit code, and why it is that one.
fn verdict(report: &Report, threshold: &Threshold) -> (u8, String) {
    let incomplete = !report.evidence.complete;
    let drifted = format!("{} at or over the threshold", count(report.failing, "drift"));
    let why = match report.evidence.unreadable.len() {
        0 if report.evidence.files == 0 => String::from("the evidence is empty: no log file holds the window"),
        0 => String::from("the evidence is incomplete"),
        unreadable => format!("the evidence is incomplete: {} could not be read", count(unreadable, "input")),
    };
    match (report.failing > 0, incomplete) {
        (true, false) => (2, drifted),
        (true, true) => (2, format!("{drifted}; {why}")),
        (false, true) if threshold.allow_incomplete => (0, format!("no drift at or over the threshold; {why} (allowed)")),
        (false, true) if report.drifts.iter().any(|drift| drift.status == Status::Open) => {
            (3, format!("no drift at or over the threshold; {why}"))
        }
        (false, true) => (3, format!("no drift was found, but {why}")),
        (false, false) => (0, String::from("no drift at or over the threshold")),
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

fn shown(words: &[ShowWord]) -> Show {
    Show {
        resolved: words.contains(&ShowWord::Resolved),
        suppressed: words.contains(&ShowWord::Suppressed),
        iac: words.contains(&ShowWord::Iac),
        failed: words.contains(&ShowWord::Failed),
    }
}

fn catalogue(args: &ScanArgs) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::builtin();
    for path in &args.knowledge.catalogues {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::File { path: path.clone(), source })?;
        catalogue.add(&path.display().to_string(), text)?;
    }
    Ok(catalogue)
}

fn states(args: &ScanArgs, s3: &s3::Options, catalogue: &Catalogue) -> Result<state::Loaded, Error> {
    let (locations, problems) = if args.input.states.is_empty() {
        let found = state::discover(std::path::Path::new("."), &|name| std::env::var(name).ok());
        (found.locations, found.problems)
    } else {
        let parsed: Result<Vec<StateLocation>, _> = args.input.states.iter().map(|text| text.parse()).collect();
        (parsed.map_err(|problem| Error::NoState(vec![problem]))?, Vec::new())
    };
    let bucket = locations.iter().find_map(|location| match location {
        StateLocation::S3(location) => Some(location),
        _ => None,
    });
    let store = bucket.map(|bucket| S3States::new(&configured(s3, bucket))).transpose().map_err(pipeline::Error::Threads)?;
    let naming = AwsNaming::new(catalogue);
    let mut loaded = state::load(&locations, store.as_ref().map(|store| store as _), &naming);
    loaded.problems.extend(problems);
    if loaded.inventory.states().is_empty() {
        return Err(Error::NoState(loaded.problems));
    }
    Ok(loaded)
}

/// What a backend's configuration says of how its bucket is reached, where the user says nothing.
fn configured(options: &s3::Options, bucket: &state::S3Location) -> s3::Options {
    let mut options = options.clone();
    options.region = options.region.or_else(|| bucket.region.clone());
    options.profile = options.profile.or_else(|| bucket.profile.clone());
    options.endpoint = options.endpoint.or_else(|| bucket.endpoint.clone());
    options.path_style = options.path_style.or(bucket.path_style.then_some(true));
    options
}

/// Services whose unknown calls may name something managed.
fn managed_services<'c>(catalogue: &'c Catalogue, inventory: &Inventory) -> std::collections::HashSet<&'c str> {
    inventory
        .types()
        .flat_map(|resource_type| catalogue.services_of(resource_type))
        .map(|rules| rules.service.as_str())
        .collect()
}

fn summary(state: &state::StateFile) -> StateSummary {
    StateSummary {
        location: state.location.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        resources: state.resources,
        as_of: state.as_of,
    }
}

fn evidence(tally: &audit::decode::Tally, problems: &[state::Problem]) -> Evidence {
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
        bytes: tally.bytes,
        records: tally.records,
        in_window: tally.in_window,
        writes: tally.writes,
        matched: 0,
        failed_calls: tally.failed_calls,
        duplicates: 0,
        complete: unreadable.is_empty() && tally.files > 0,
        unreadable,
        unmapped: Vec::new(),
    }
}
