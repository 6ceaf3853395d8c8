//! `tfdrift blame`: one resource and logs in, its history out.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::args::{BlameArgs, BlameShow, FilterArgs, Global, ScanArgs};
use super::config::Config;
use super::error::Error;
use super::inputs;
use super::interrupt;
use super::job;
use super::note;
use super::output::{self, Manner};
use super::terminal::Terminal;
use super::values::{OutputSpec, check_outputs};
use crate::audit::call::Call;
use crate::audit::decode::{Filter, Prospect, Tally};
use crate::audit::pipeline;
use crate::audit::source::TrailLocation;
use crate::catalogue::Catalogue;
use crate::drift::effect::Resolver;
use crate::drift::history::Blame;
use crate::drift::history::stranger::{Search, Taken, Told};
use crate::drift::history::subject::{self, Stranger, Subject, Unknown, Who};
use crate::drift::history::tell::{self, Outcome};
use crate::drift::history::touch::{Taught, Touch, Watch};
use crate::drift::history::trace::Telling;
use crate::drift::model::Evidence;
use crate::drift::principals::Principals;
use crate::report::{self, Show};
use crate::state;
use crate::state::inventory::InstanceId;
use crate::window::{Bound, Window};

/// How far back a history reaches where nothing was said.
const REACH: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs the command.
///
/// # Errors
/// When the command line does not fit together, nothing at all could be read, or nothing is known
/// of what was asked for.
pub fn run(args: &BlameArgs, global: &Global) -> Result<ExitCode, Error> {
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let config = Config::load(args.knowledge.config.as_deref(), Path::new("."), today)?;
    let inputs = config.complete(ScanArgs {
        input: args.input.clone(),
        filter: FilterArgs {
            place: args.place.clone(),
            ..FilterArgs::default()
        },
        knowledge: args.knowledge.clone(),
        resources: args.resources.clone(),
        ..ScanArgs::default()
    });
    let outputs = match args.report.outputs.as_slice() {
        [] => vec![OutputSpec {
            format: "table",
            file: None,
        }],
        outputs => outputs.to_vec(),
    };
    check_outputs(&outputs).map_err(Error::Usage)?;
    let (window, at) = window(args, now)?;
    let trails = inputs::trails(&inputs)?;
    if let Some(queue) = trails
        .iter()
        .find(|trail| matches!(trail, TrailLocation::Queue(_)))
    {
        return Err(Error::Usage(format!(
            "{queue}: a queue forgets what was read of it; name the bucket that it tells of"
        )));
    }
    let since = window.since.map_or(Bound::All, Bound::At);
    let reach = inputs::reach(&inputs, since, now)?;
    let options = inputs::reading(&inputs, &reach);
    let catalogue = inputs::catalogue(&inputs.knowledge.catalogues)?;
    // Logs alone tell much of a resource, but not what an address means.
    let loaded = if subject::is_address(&args.subject) || has_state(&inputs) {
        inputs::states(&inputs.input.states, &reach, &catalogue)?
    } else {
        if !global.quiet {
            note("no Terraform state was found here: the logs alone are told");
        }
        state::Loaded::default()
    };
    if !global.quiet {
        note(&format!("window {window}"));
        for told in &loaded.notes {
            note(&report::plain(&told.to_string()));
        }
    }
    interrupt::ends(&options.stop);
    let progress = super::progress::Progress::new(&Terminal::stderr(global.colour), global.quiet);
    let asking = Asking {
        subject: &args.subject,
        inputs: &inputs,
        failed: args.report.show.contains(&BlameShow::Failed),
        operations: args.report.show.contains(&BlameShow::Operations),
        reveal: args.report.reveal,
        window,
        at,
        catalogue: &catalogue,
        loaded: &loaded,
    };
    let blame =
        asking.run(|filter, sink| pipeline::read(&trails, filter, &options, &progress, sink));
    progress.finish();
    let blame = blame?;
    let manner = Manner {
        colour: global.colour,
        show: Show::default(),
        reveal: args.report.reveal,
    };
    output::each(&outputs, &manner, &|format, style, out| {
        report::blame::render(format, &blame, style, out)
    })?;
    if blame.histories.is_empty() {
        return Err(Error::Usage(unknown(&blame)));
    }
    let complete = blame.evidence.complete || args.report.allow_incomplete;
    Ok(ExitCode::from(if complete { 0 } else { 3 }))
}

/// Whether a state was given, or stands where one is looked for.
fn has_state(inputs: &ScanArgs) -> bool {
    let found = || state::discover(Path::new("."), &|name| std::env::var(name).ok());
    !inputs.input.states.is_empty() || !found().locations.is_empty()
}

/// That nobody knows what was asked for, and on what that rests.
fn unknown(blame: &Blame) -> String {
    let rest = match &blame.evidence {
        Evidence { files: 0, .. } => "; there was no log file to look in",
        Evidence {
            complete: false, ..
        } => "; some of the evidence could not be read",
        _ => "; reach further back with --since, or give its type, as aws_instance/i-0abc",
    };
    format!(
        "nothing is known of `{}`: no state holds it and no call in the window names it{rest}",
        blame.asked
    )
}

/// The window, and the instant within it that is told.
fn window(args: &BlameArgs, now: Timestamp) -> Result<(Window, Option<Timestamp>), Error> {
    let instant = |bound: &Bound| -> Result<Timestamp, Error> {
        let until = Window::resolve(&Bound::All, bound, now)?;
        Ok(until.until)
    };
    let at = args.window.at.as_ref().map(instant).transpose()?;
    let reach = Bound::At(
        at.unwrap_or(now)
            .checked_sub(REACH)
            .unwrap_or(Timestamp::MIN),
    );
    let window = Window::resolve(
        args.window.since.as_ref().unwrap_or(&reach),
        args.window.until.as_ref().unwrap_or(&Bound::Now),
        now,
    )?;
    if let Some(at) = at
        && (at >= window.until || window.since.is_some_and(|since| at < since))
    {
        return Err(Error::Usage(format!(
            "--at {at} lies outside of the window {window}; move --since or --until"
        )));
    }
    Ok((window, at))
}

/// One question about a resource.
pub struct Asking<'a> {
    /// What was typed.
    pub subject: &'a str,
    /// What else was typed that a scan takes too.
    pub inputs: &'a ScanArgs,
    /// Whether calls that AWS refused are told.
    pub failed: bool,
    /// Whether calls that only use the resource are told.
    pub operations: bool,
    /// Whether secret values stay readable.
    pub reveal: bool,
    /// The window.
    pub window: Window,
    /// The instant whose attributes are told.
    pub at: Option<Timestamp>,
    /// All rules.
    pub catalogue: &'a Catalogue,
    /// What Terraform believes.
    pub loaded: &'a state::Loaded,
}

impl Asking<'_> {
    /// Answers it. `read` brings the calls that a filter wants to a sink, and says what it read.
    ///
    /// # Errors
    /// Those of `read`, and when nobody can tell what was asked for.
    pub fn run<E>(
        &self,
        read: impl FnOnce(&Filter<'_>, &(dyn Fn(Call) + Sync)) -> Result<Tally, E>,
    ) -> Result<Blame, Error>
    where
        Error: From<E>,
    {
        let globs = &self.inputs.knowledge.iac_principals;
        let principals = (!globs.is_empty()).then(|| Principals::new(globs));
        let principals = principals.as_ref();
        let resolver = Resolver::new(self.catalogue, &self.loaded.inventory).applied_by(principals);
        let mut subject = subject::find(self.subject, &resolver)?;
        self.narrow(&mut subject)?;
        let telling = Telling {
            reveal: self.reveal,
            at: self.at,
            path: subject.path.as_deref(),
            operations: self.operations,
        };
        let (outcome, tally) = match &subject.who {
            Who::Managed(instances) => self.managed(&resolver, instances, telling, read)?,
            Who::Stranger(wanted) => self.stranger((wanted, principals), telling, read)?,
        };
        let steps = outcome.histories.iter().map(|one| one.steps.len() as u64);
        Ok(Blame {
            asked: self.subject.to_owned(),
            window: self.window,
            at: self.at,
            states: self
                .loaded
                .inventory
                .states()
                .iter()
                .map(job::summary)
                .collect(),
            evidence: Evidence {
                matched: steps.sum(),
                duplicates: outcome.copies,
                ..job::evidence(&tally, &self.loaded.problems)
            },
            histories: outcome.histories,
        })
    }

    /// Leaves out what lies in other accounts and regions than those asked for.
    fn narrow(&self, subject: &mut Subject) -> Result<(), Unknown> {
        let Who::Managed(instances) = &mut subject.who else {
            return Ok(());
        };
        let place = &self.inputs.filter.place;
        let fits = |own: Option<&str>, asked: &[String]| {
            asked.is_empty() || own.is_none_or(|own| asked.iter().any(|one| one == own))
        };
        instances.retain(|id| {
            let instance = self.loaded.inventory.get(*id);
            fits(instance.account(), &place.accounts) && fits(instance.region(), &place.regions)
        });
        if instances.is_empty() {
            return Err(Unknown::Elsewhere(self.subject.to_owned()));
        }
        Ok(())
    }

    fn filter<'f>(&self, wanted: &'f (dyn Fn(&Prospect<'_>) -> bool + Sync)) -> Filter<'f> {
        Filter {
            window: self.window,
            accounts: self.inputs.filter.place.accounts.clone(),
            regions: self.inputs.filter.place.regions.clone(),
            wanted,
            failed: self.failed,
        }
    }

    fn managed<'r, E>(
        &self,
        resolver: &Resolver<'r>,
        instances: &[InstanceId],
        telling: Telling<'_>,
        read: impl FnOnce(&Filter<'_>, &(dyn Fn(Call) + Sync)) -> Result<Tally, E>,
    ) -> Result<(Outcome, Tally), E> {
        let watch = Watch::new(resolver, instances);
        let touches: Mutex<BTreeMap<InstanceId, Vec<Touch<'r>>>> = Mutex::default();
        let wanted = |call: &Prospect<'_>| watch.wants(call.service());
        let taught: Mutex<Vec<Taught>> = Mutex::default();
        let tally = read(&self.filter(&wanted), &|call| match watch.touches(call) {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                let mut touches = touches.lock().unwrap_or_else(PoisonError::into_inner);
                for (instance, touch) in found {
                    touches.entry(instance).or_default().push(touch);
                }
            }
            Err(call) => taught
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(*call),
        })?;
        let mut touches = touches.into_inner().unwrap_or_else(PoisonError::into_inner);
        let taught = taught.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (instance, touch) in watch.taught(taught) {
            touches.entry(instance).or_default().push(touch);
        }
        Ok((tell::managed(resolver, instances, touches, telling), tally))
    }

    fn stranger<E>(
        &self,
        (wanted, principals): (&Stranger, Option<&Principals>),
        telling: Telling<'_>,
        read: impl FnOnce(&Filter<'_>, &(dyn Fn(Call) + Sync)) -> Result<Tally, E>,
    ) -> Result<(Outcome, Tally), E> {
        let search = Search::new(self.catalogue, wanted, principals);
        let found: Mutex<Vec<(Taken, Told, Touch<'_>)>> = Mutex::default();
        let known = |call: &Prospect<'_>| search.wants(call.service(), call.name());
        let tally = read(&self.filter(&known), &|call| {
            let touches = search.touches(call);
            if !touches.is_empty() {
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(touches);
            }
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((
            tell::stranger(self.catalogue, wanted, found, telling),
            tally,
        ))
    }
}
