//! What commands read: states, logs and rules, and how they are reached.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::args::{ReachArgs, ScanArgs};
use super::error::Error;
use super::store::Stores;
use super::values::AsOf;
use crate::audit::pipeline::{self, Options, Stop};
use crate::audit::source::TrailLocation;
use crate::audit::source::sqs::{Hiding, Queue};
use crate::catalogue::Catalogue;
use crate::drift::names::AwsNaming;
use crate::s3;
use crate::state::{self, StateLocation};
use crate::window::Bound;

/// The log archives that were given.
pub(super) fn trails(args: &ScanArgs) -> Result<Vec<TrailLocation>, Error> {
    let texts = args.input.trails.iter();
    let trails: Vec<TrailLocation> = texts.map(|text| text.parse()).collect::<Result<_, _>>()?;
    if trails.is_empty() {
        return Err(Error::NoTrail);
    }
    Ok(trails)
}

/// The queues among log archives.
pub(super) fn queues(trails: &[TrailLocation], s3: &s3::Options) -> Result<Vec<Arc<Queue>>, Error> {
    let urls = trails.iter().filter_map(|trail| match trail {
        TrailLocation::Queue(url) => Some(url),
        _ => None,
    });
    let opened = urls.map(|url| Queue::new(url, s3, Hiding::default()).map(Arc::new));
    let opened = opened.collect::<Result<_, _>>();
    Ok(opened.map_err(pipeline::Error::Threads)?)
}

/// What reading may use of the machine. Its time begins to run here.
pub(super) fn reading(args: &ScanArgs, reach: &Reach) -> Options {
    let mut options = Options {
        s3: reach.s3.clone(),
        history: reach.history.clone(),
        ..Options::default()
    };
    if let Some(memory) = args.resources.memory {
        options.memory = memory.0;
    }
    if let Some(threads) = args.resources.threads {
        options.workers = usize::from(threads);
    }
    if let Some(limit) = args.resources.time_limit {
        options.stop = Stop::after(limit, Instant::now());
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
        catalogue.add(&path.display().to_string(), &text)?;
    }
    Ok(catalogue)
}

/// What stands for an account in the ARN of a role.
const ACCOUNT: &str = "{account}";

/// How states and logs are reached. `since` is where the window begins.
///
/// # Errors
/// When what was asked for does not fit together.
pub(super) fn reach(args: &ScanArgs, since: Bound, now: Timestamp) -> Result<Reach, Error> {
    let (s3, history) = aws(&args.input.reach, &args.filter.place.accounts)?;
    Ok(Reach {
        s3,
        history,
        as_of: as_of(args, since, now)?,
        passphrase: passphrase(args.input.state_passphrase_env.as_deref())?,
    })
}

/// How to reach S3, and how to reach CloudTrail in each account that is asked.
///
/// # Errors
/// When a role is asked for in each account, and no account is named.
pub(super) fn aws(
    reach: &ReachArgs,
    accounts: &[String],
) -> Result<(s3::Options, Vec<s3::Options>), Error> {
    let own = s3::Options {
        path_style: reach.path_style.then_some(true),
        requester_pays: reach.requester_pays,
        ..s3::Options::default()
    };
    let with = |role: String| s3::Options {
        assume_role: Some(role),
        ..own.clone()
    };
    match &reach.assume_role {
        None => Ok((own.clone(), vec![own])),
        Some(role) if role.contains(ACCOUNT) => {
            let each: Vec<_> = accounts
                .iter()
                .map(|account| with(role.replace(ACCOUNT, account)))
                .collect();
            if each.is_empty() {
                let text = "--assume-role names {account}: say which ones with --account";
                return Err(Error::Usage(text.to_owned()));
            }
            Ok((own, each))
        }
        Some(role) => Ok((with(role.clone()), vec![with(role.clone())])),
    }
}

/// How states are reached, and as of when.
#[derive(Default)]
pub(super) struct Reach {
    /// How to reach S3.
    pub(super) s3: s3::Options,
    /// How to reach CloudTrail in each account that is asked.
    pub(super) history: Vec<s3::Options>,
    /// When they are to have been current; none for now.
    pub(super) as_of: Option<Timestamp>,
    /// A variable of the environment, and the passphrase in it.
    pub(super) passphrase: Option<(String, String)>,
}

/// The passphrase that a variable of the environment holds.
///
/// # Errors
/// When it holds none.
pub(super) fn passphrase(variable: Option<&str>) -> Result<Option<(String, String)>, Error> {
    let Some(variable) = variable else {
        return Ok(None);
    };
    match std::env::var(variable) {
        Ok(secret) if !secret.is_empty() => Ok(Some((variable.to_owned(), secret))),
        _ => Err(Error::Usage(format!(
            "--state-passphrase-env: the environment variable {variable} holds no passphrase"
        ))),
    }
}

/// The time that states are wanted of; none for now.
fn as_of(args: &ScanArgs, since: Bound, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let bound = match args.input.state_as_of {
        None | Some(AsOf::At(Bound::Now)) => return Ok(None),
        Some(AsOf::At(bound)) => bound,
        Some(AsOf::Since) => since,
    };
    if matches!(bound, Bound::All | Bound::StateWrite) {
        let text =
            "--state-as-of since needs a window that begins at a time: give one with --since";
        return Err(Error::Usage(text.to_owned()));
    }
    Ok(bound.instant(now)?)
}

/// Reads the states at these locations; without any, those that this folder's backend names.
///
/// # Errors
/// When no state can be read.
pub(super) fn states(
    given: &[String],
    reach: &Reach,
    catalogue: &Catalogue,
) -> Result<state::Loaded, Error> {
    let (locations, problems) = if given.is_empty() {
        let found = state::discover(Path::new("."), &|name| std::env::var(name).ok());
        (found.locations, found.problems)
    } else {
        let parsed: Result<Vec<StateLocation>, _> = given.iter().map(|text| text.parse()).collect();
        (
            parsed.map_err(|problem| Error::NoState(vec![problem]))?,
            Vec::new(),
        )
    };
    let stores = Stores::new(&locations, &reach.s3).map_err(pipeline::Error::Threads)?;
    let naming = AwsNaming::new(catalogue);
    let access = state::Access {
        store: stores.s3(),
        remote: stores.remote(),
        keys: Some(&stores),
        as_of: reach.as_of,
        passphrase: reach
            .passphrase
            .as_ref()
            .map(|(variable, secret)| state::Passphrase { variable, secret }),
    };
    let mut loaded = state::load(&locations, access, &naming);
    loaded.problems.extend(problems);
    if loaded.inventory.states().is_empty() {
        return Err(Error::NoState(loaded.problems));
    }
    Ok(loaded)
}
