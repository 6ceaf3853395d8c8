//! `tfdrift scan`: states and logs in, drifts and a verdict out.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::args::{Global, ScanArgs, WindowArgs};
use super::code::Code;
use super::config::Config;
use super::error::Error;
use super::inputs::{self, catalogue, queues, states, trails};
use super::interrupt;
use super::job::{Job, shown};
use super::memory::Memory;
use super::note;
use super::output::{self, Manner};
use super::terminal::Terminal;
use super::values::{OutputSpec, check_outputs};
use super::verify;
use crate::audit::cloudtrail::span::DEFAULT_LAG;
use crate::audit::pipeline::{self, Stop};
use crate::audit::source::TrailLocation;
use crate::audit::source::sqs::Borrowed;
use crate::audit::verify::index::{self, Index};
use crate::audit::verify::{Source, Witness};
use crate::checkpoint::store::Store;
use crate::checkpoint::{Checkpoint, LATE, Reading, Scope, Seen};
use crate::s3;
use crate::state;
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
    let trails = trails(args)?;
    let place = args.window.checkpoint.as_ref();
    let (s3, _) = inputs::aws(&args.input.reach, &args.filter.place.accounts)?;
    let scope = scope(args);
    let store = place.map(|place| Store::open(place, &scope, &s3));
    let store = store.transpose()?;
    let before = store.as_ref().and_then(Store::checkpoint);
    let since = since(&args.window, &trails, store.is_some(), before)?;
    let reach = inputs::reach(args, since, now)?;
    let mut options = inputs::reading(args, &reach);
    let catalogue = catalogue(&args.knowledge.catalogues)?;
    let loaded = states(&args.input.states, &reach, &catalogue)?;
    let window = window(since, args.window.until, &loaded, now)?;
    let code = Code::read(
        args.knowledge.config_dir.as_deref(),
        !args.input.states.is_empty(),
    )?;
    if !global.quiet {
        note(&format!("window {window}"));
        for told in &loaded.notes {
            note(&crate::report::plain(&told.to_string()));
        }
        if trails
            .iter()
            .any(|trail| matches!(trail, TrailLocation::Falco(_)))
        {
            note("Falco's alerts hold only the calls that its rules match: others are not seen");
        }
        for problem in code.problems() {
            note(&crate::report::plain(&format!(
                "Terraform code not read: {problem}"
            )));
        }
        for ignore in config.ignores.expired() {
            note(&crate::report::plain(&format!(
                "ignore rule expired, no longer used: {}",
                ignore.reason
            )));
        }
    }
    interrupt::ends(&options.stop);
    let index = index(&trails, args, (&reach.s3, &options.stop), (window, now));
    let index = index.map(Arc::new);
    if let Some(index) = &index {
        options.watches.push(Arc::clone(index) as _);
    }
    let queues = queues(&trails, &reach.s3)?;
    options.queues.clone_from(&queues);
    // Whatever fails from here on, its messages are there for the next scan.
    let _borrowed = Borrowed(queues.clone());
    let watches = queues.iter().map(|queue| Arc::clone(queue) as _);
    options.watches.extend(watches);
    // Who names a beginning wants it read, whatever was read before.
    let goes_on = matches!(args.window.since, None | Some(Bound::Checkpoint));
    let seen = Arc::new(Seen::after(before.filter(|_| goes_on)));
    if store.is_some() {
        options.watches.push(Arc::clone(&seen) as _);
    }
    let memory = store
        .as_ref()
        .map(|_| Memory::new(before, args.window.repeat));
    let progress = super::progress::Progress::new(&Terminal::stderr(global.colour), global.quiet);
    let crew = pipeline::crew(&options)?;
    let job = Job {
        crew: &crew,
        code: &code,
        args,
        config: &config,
        window,
        catalogue: &catalogue,
        loaded: &loaded,
        memory: memory.as_ref(),
    };
    let mut reading = Reading::default();
    let witness = Arc::new(Witness::default());
    if args.input.verify {
        options.watches.push(Arc::clone(&witness) as _);
    }
    let report = job.run(|filter, sink| {
        let mut tally = pipeline::read_on(&crew, &trails, filter, &options, &progress, sink)?;
        reading = seen.finish(&tally.problems, options.stop.is_due());
        tally.known = seen.skipped();
        if let Some(index) = &index {
            tally.known += index.skipped();
            tally.vouched = index.vouches();
            // What could not be read is said; and a proof tells more.
            if tally.problems.is_empty() && !args.input.verify {
                tally.problems.extend(index.missing());
            }
        }
        if args.input.verify {
            let reach = (&options.s3, &options.stop);
            let found = verify::problems(&trails, args, reach, window, now, &witness)?;
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
    let (code, verdict) = args.verdict.judge(&report);
    crew.install(|| output::write(&outputs, &report, &manner))?;
    if !global.quiet {
        note(&verdict);
        if let Some(told) = memory.as_ref().and_then(Memory::told) {
            note(&told);
        }
    }
    // A drift of a state that could not be read is not gone: what is known of it stays known.
    if let Some(memory) = memory
        && loaded.problems.is_empty()
    {
        let late = late(&args.window);
        let gathered = memory.gathered();
        let next = Checkpoint::next(before, scope, &window, &reading, gathered, late);
        if let Some(store) = store {
            store.save(&next)?;
        }
    }
    for queue in queues {
        // Nor is a call on its resources told when its message is gone.
        if loaded.problems.is_empty() {
            let (deleted, left) = queue.settle()?;
            if !global.quiet {
                note(&format!(
                    "sqs:{}: messages deleted: {deleted}, left in the queue: {left}",
                    queue.url()
                ));
            }
        } else {
            queue.give_back();
        }
    }
    // The process ends here: taking a large report apart would only take time.
    std::mem::forget((report, loaded));
    Ok(ExitCode::from(code))
}

/// Where a window begins when nothing was said.
const HOUR: Bound = Bound::Ago(SignedDuration::from_hours(1));

/// Where the window begins: as was typed, else where the last scan ended, else an hour ago.
fn since(
    args: &WindowArgs,
    trails: &[TrailLocation],
    remembers: bool,
    before: Option<&Checkpoint>,
) -> Result<Bound, Error> {
    let is_queue = |trail: &TrailLocation| matches!(trail, TrailLocation::Queue(_));
    if args.since.is_none() && trails.iter().any(is_queue) && !trails.iter().all(is_queue) {
        return Err(Error::Usage(
            "sqs: beside other log archives needs --since: a queue alone is read whole, and calls \
             before that time in its log files are passed over"
                .to_owned(),
        ));
    }
    match (args.since, before) {
        (Some(Bound::Checkpoint), _) if !remembers => Err(Error::Usage(
            "--since last goes on where the last scan ended: say with --checkpoint FILE where it \
             is remembered"
                .to_owned(),
        )),
        // What is read is gone from the queue: all of it counts.
        (None | Some(Bound::Checkpoint), _) if trails.iter().all(is_queue) => Ok(Bound::All),
        (None | Some(Bound::Checkpoint), Some(before)) => Ok(Bound::At(before.since(late(args)))),
        (None | Some(Bound::Checkpoint), None) => Ok(HOUR),
        (Some(typed), _) => Ok(typed),
    }
}

/// How late a log file may come and still be read.
fn late(args: &WindowArgs) -> SignedDuration {
    let typed = args.late.map(SignedDuration::try_from);
    typed.map_or(LATE, |typed| typed.unwrap_or(SignedDuration::MAX))
}

/// What of the command line decides which log files are read, and which drifts are seen.
fn scope(args: &ScanArgs) -> Scope {
    let set = |texts: &[String]| texts.iter().cloned().collect();
    Scope {
        trails: set(&args.input.trails),
        accounts: set(&args.filter.place.accounts),
        regions: set(&args.filter.place.regions),
        addresses: set(&args.filter.addresses),
    }
}

/// The window that was asked for.
fn window(
    since: Bound,
    until: Option<Bound>,
    loaded: &state::Loaded,
    now: Timestamp,
) -> Result<Window, Error> {
    let since = at_state_write(since, loaded);
    let until = at_state_write(until.unwrap_or(Bound::Now), loaded);
    Ok(Window::resolve(&since, &until, now)?)
}

/// Puts the time of the last state write where it was asked for, if any state tells one.
fn at_state_write(bound: Bound, loaded: &state::Loaded) -> Bound {
    let written = || {
        loaded
            .inventory
            .states()
            .iter()
            .filter_map(|state| state.as_of)
    };
    match bound {
        // Logs cut times to whole seconds: a call in the second of the write may have followed it.
        Bound::StateWrite => written()
            .max()
            .and_then(|time| Timestamp::from_second(time.as_second()).ok())
            .map_or(bound, Bound::At),
        _ => bound,
    }
}

/// What the digests of the log archives say of the window, if all of them can have any.
fn index(
    trails: &[TrailLocation],
    args: &ScanArgs,
    (s3, stop): (&s3::Options, &Stop),
    (window, now): (Window, Timestamp),
) -> Option<Index> {
    let sources = trails.iter().map(|trail| Source::new(trail, s3, stop).ok());
    let sources: Vec<Source> = sources.collect::<Option<_>>()?;
    let scope = index::Scope {
        window,
        lag: DEFAULT_LAG,
        now,
        accounts: args.filter.place.accounts.clone(),
        regions: args.filter.place.regions.clone(),
    };
    Index::read(&sources, &scope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::drift::names::AwsNaming;
    use crate::state::StateLocation;
    use crate::window;

    const NOW: &str = "2026-01-15T11:00:00Z";

    /// States that were written at these times.
    fn loaded(times: &[&str]) -> state::Loaded {
        let catalogue = Catalogue::builtin();
        let naming = AwsNaming::new(&catalogue);
        let folder = tempfile::tempdir().unwrap();
        let write = |(number, time): (usize, &&str)| {
            let path = folder.path().join(format!("{number}.tfstate"));
            std::fs::write(&path, r#"{"version": 4, "resources": []}"#).unwrap();
            let time: Timestamp = time.parse().unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(time.into()).unwrap();
            StateLocation::Path(path)
        };
        let locations: Vec<_> = times.iter().enumerate().map(write).collect();
        state::load(&locations, state::Access::default(), &naming)
    }

    #[test]
    fn since_state_begins_in_the_second_of_the_latest_state_write() {
        let loaded = loaded(&[
            "2026-01-15T09:00:00Z",
            "2026-01-15T10:20:30.75Z",
            "2026-01-15T08:00:00Z",
        ]);
        let window = window(Bound::StateWrite, None, &loaded, NOW.parse().unwrap()).unwrap();
        assert_eq!(
            window.to_string(),
            "2026-01-15T10:20:30Z – 2026-01-15T11:00:00Z"
        );
    }

    #[test]
    fn since_state_without_a_state_that_has_a_time_says_so() {
        let catalogue = Catalogue::builtin();
        let naming = AwsNaming::new(&catalogue);
        let text = br#"{"version": 4, "resources": []}"#;
        let loaded = state::load_text("-", text, &naming);
        let refused = window(Bound::StateWrite, None, &loaded, NOW.parse().unwrap()).unwrap_err();
        assert!(matches!(
            refused,
            Error::Window(window::Error::Unresolved { word: "state", .. })
        ));
        assert!(refused.to_string().contains("no state says when"));
    }
}
