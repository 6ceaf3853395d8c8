//! `tfdrift scan`: states and logs in, drifts and a verdict out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::args::{Global, ScanArgs};
use super::config::Config;
use super::error::Error;
use super::job::{Job, shown};
use super::note;
use super::output::{self, Manner};
use super::store::S3States;
use super::terminal::Terminal;
use super::values::{OutputSpec, check_outputs};
use super::verdict::Threshold;
use super::verify;
use crate::audit::pipeline::{self, Options};
use crate::audit::source::TrailLocation;
use crate::audit::verify::Witness;
use crate::catalogue::Catalogue;
use crate::drift::names::AwsNaming;
use crate::s3;
use crate::state::{self, StateLocation};
use crate::window::{Bound, Window};

/// Runs the command.
///
/// # Errors
/// When the command line does not fit together, or nothing at all could be read.
pub fn run(args: &ScanArgs, global: &Global) -> Result<ExitCode, Error> {
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let config = Config::load(args.knowledge.config.as_deref(), Path::new("."), today)?;
    let args = &config.complete(args.clone());
    let outputs = match args.report.outputs.as_slice() {
        [] => vec![OutputSpec {
            format: "table",
            file: None,
        }],
        outputs => outputs.to_vec(),
    };
    check_outputs(&outputs).map_err(Error::Usage)?;
    let window = Window::resolve(
        args.window
            .since
            .as_ref()
            .unwrap_or(&Bound::Ago(SignedDuration::from_hours(1))),
        args.window.until.as_ref().unwrap_or(&Bound::Now),
        now,
    )?;
    let trails = trails(args)?;
    let s3 = reach(args);
    let catalogue = catalogue(&args.knowledge.catalogues)?;
    let loaded = states(&args.input.states, &s3, &catalogue)?;
    if !global.quiet {
        note(&format!("window {window}"));
        for ignore in config.ignores.expired() {
            note(&crate::report::plain(&format!(
                "ignore rule expired, no longer used: {}",
                ignore.reason
            )));
        }
    }
    let mut options = reading(args, s3);
    let progress = super::progress::Progress::new(&Terminal::stderr(global.colour), global.quiet);
    let job = Job {
        args,
        config: &config,
        window,
        catalogue: &catalogue,
        loaded: &loaded,
    };
    let witness = Arc::new(Witness::default());
    if args.input.verify {
        options.watches.push(Arc::clone(&witness) as _);
    }
    let report = job.run(|filter, sink| {
        let mut tally = pipeline::read(&trails, filter, &options, &progress, sink)?;
        if args.input.verify {
            let found = verify::problems(&trails, args, &options.s3, window, now, &witness)?;
            tally.problems.extend(found);
        }
        Ok::<_, Error>(tally)
    });
    progress.finish();
    let report = report?;
    let manner = Manner {
        colour: global.colour,
        show: shown(&args.report.show),
        reveal: args.report.reveal,
    };
    let (code, verdict) = Threshold::new(&args.verdict).verdict(&report);
    output::write(&outputs, &report, &manner)?;
    if !global.quiet {
        note(&verdict);
    }
    Ok(ExitCode::from(code))
}

/// The log archives that were given.
pub(super) fn trails(args: &ScanArgs) -> Result<Vec<TrailLocation>, Error> {
    let texts = args.input.trails.iter();
    let trails: Vec<TrailLocation> = texts.map(|text| text.parse()).collect::<Result<_, _>>()?;
    if trails.is_empty() {
        return Err(Error::NoTrail);
    }
    Ok(trails)
}

/// How buckets are reached.
pub(super) fn reach(args: &ScanArgs) -> s3::Options {
    s3::Options {
        path_style: args.input.path_style.then_some(true),
        ..s3::Options::default()
    }
}

/// What reading may use of the machine.
pub(super) fn reading(args: &ScanArgs, s3: s3::Options) -> Options {
    let mut options = Options {
        s3,
        ..Options::default()
    };
    if let Some(memory) = args.resources.memory {
        options.memory = memory.0;
    }
    if let Some(threads) = args.resources.threads {
        options.workers = usize::from(threads);
    }
    options
}

/// The rules in the binary, and those of the user's files.
///
/// # Errors
/// When a file cannot be read or holds no rules.
pub(super) fn catalogue(files: &[PathBuf]) -> Result<Catalogue, Error> {
    let mut catalogue = Catalogue::builtin();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        catalogue.add(&path.display().to_string(), text)?;
    }
    Ok(catalogue)
}

/// Reads the states at these locations; without any, those that this folder's backend names.
///
/// # Errors
/// When no state can be read.
pub(super) fn states(
    given: &[String],
    s3: &s3::Options,
    catalogue: &Catalogue,
) -> Result<state::Loaded, Error> {
    let (locations, problems) = if given.is_empty() {
        let found = state::discover(std::path::Path::new("."), &|name| std::env::var(name).ok());
        (found.locations, found.problems)
    } else {
        let parsed: Result<Vec<StateLocation>, _> = given.iter().map(|text| text.parse()).collect();
        (
            parsed.map_err(|problem| Error::NoState(vec![problem]))?,
            Vec::new(),
        )
    };
    let bucket = locations.iter().find_map(|location| match location {
        StateLocation::S3(location) => Some(location),
        _ => None,
    });
    let store = bucket
        .map(|bucket| S3States::new(&configured(s3, bucket)))
        .transpose()
        .map_err(pipeline::Error::Threads)?;
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
