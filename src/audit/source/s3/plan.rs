//! What to list next, and where a walk begins.

use super::flat::Flat;
use super::range::Range;
use crate::audit::cloudtrail::layout::{Level, Place, Selection};

/// A small piece of a walk: one folder to list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look for the layout in a folder that is not part of it.
    Search(Flat),
    /// `AWSLogs/`, or an organisation in it.
    Accounts { folder: String },
    /// `CloudTrail/` of an account.
    Regions { folder: String },
    /// The log files of a stretch of time.
    Files(Range),
    /// Whatever looks like a log file.
    Loose(Flat),
}

/// Where a walk begins for the folder that the user named. None: nothing in it is selected.
pub(super) fn first_step(
    folder: &str,
    selection: &Selection,
) -> Result<Option<Step>, &'static str> {
    let place = Place::of(folder.split('/'));
    if place.level == Level::Foreign {
        return Err("this is not where CloudTrail puts log files of calls");
    }
    if !selection.admits_place(&place) {
        return Ok(None);
    }
    let files = || Step::Files(Range::of(folder, &selection.span));
    let folder = folder.to_owned();
    Ok(Some(match place.level {
        Level::Outside | Level::Foreign => Step::Search(Flat::of(folder, 0)),
        Level::Root => Step::Accounts { folder },
        Level::Account => Step::Regions {
            folder: format!("{folder}CloudTrail/"),
        },
        Level::Trail => Step::Regions { folder },
        Level::Region | Level::Day => files(),
        Level::Loose => Step::Loose(Flat::of(folder, 0)),
    }))
}

/// The name in a key.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
