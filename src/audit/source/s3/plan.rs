//! What to list next: where a walk begins, and how a busy day is split.

use crate::audit::cloudtrail::layout::{Level, Name, Place, Selection, key_before};
use crate::audit::cloudtrail::span::Minute;
use crate::s3::Found;

/// Parts that the listing of one busy day is split into at most.
const MOST_PARTS: u64 = 24;

/// Pages that a part should have at least. Each reads into the next one by half a page or so.
const PAGES_OF_PART: u64 = 4;

/// A small piece of a walk: one folder to list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look for the layout in a folder that is not part of it.
    Search { folder: String, depth: u8 },
    /// `AWSLogs/`, or an organisation in it.
    Accounts { folder: String },
    /// `CloudTrail/` of an account.
    Regions { folder: String },
    /// A region, a year or a month.
    Dates { folder: String },
    /// The log files of a day, from behind one key to before another.
    Files {
        folder: String,
        after: Option<String>,
        before: Option<String>,
    },
    /// Whatever looks like a log file.
    Loose { folder: String, depth: u8 },
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
    let folder = folder.to_owned();
    Ok(Some(match place.level {
        Level::Outside | Level::Foreign => Step::Search { folder, depth: 0 },
        Level::Root => Step::Accounts { folder },
        Level::Account => Step::Regions {
            folder: format!("{folder}CloudTrail/"),
        },
        Level::Trail => Step::Regions { folder },
        Level::Region => Step::Dates { folder },
        Level::Day => files_of_day(folder, selection),
        Level::Loose => Step::Loose { folder, depth: 0 },
    }))
}

/// The listing of a day, begun at the first name that can be needed.
pub(super) fn files_of_day(folder: String, selection: &Selection) -> Step {
    let place = Place::of(folder.split('/'));
    let first = place.date.and_then(|day| selection.span.first_of(day));
    let after = match (place.account, place.region, first) {
        (Some(account), Some(region), Some(first)) => {
            Some(key_before(&folder, account, region, first))
        }
        _ => None,
    };
    Step::Files {
        folder,
        after,
        before: None,
    }
}

/// Splits what follows the first page of a day into stretches of time to list side by side, so
/// that a busy day is not listed one page after another. Empty when it is not worth it.
pub(super) fn split(folder: &str, page: &[Found], selection: &Selection) -> Vec<Step> {
    let logs = page
        .iter()
        .filter_map(|object| match Name::of(last_part(&object.key)) {
            Name::Log { minute, .. } => Some(minute),
            _ => None,
        });
    let place = Place::of(folder.split('/'));
    let (Some(account), Some(region), Some(first), Some(last), Some(end)) = (
        place.account,
        place.region,
        logs.clone().min(),
        logs.max(),
        page.last(),
    ) else {
        return Vec::new();
    };
    let covered = last.of_day().saturating_sub(first.of_day()).max(5);
    let until = place.date.and_then(|day| selection.span.last_of(day));
    let until = until.map_or(24 * 60, |minute| minute.of_day() + 1);
    let left = until.saturating_sub(last.of_day());
    let pages = left.div_ceil(covered);
    let parts = (pages / PAGES_OF_PART).min(MOST_PARTS);
    if parts < 2 {
        return Vec::new();
    }
    let border = |part: u64| {
        let minute: Minute = last.at(last.of_day() + left * part / parts);
        key_before(folder, account, region, minute)
    };
    (0..parts)
        .map(|part| Step::Files {
            folder: folder.to_owned(),
            after: Some(match part {
                0 => end.key.clone(),
                _ => border(part),
            }),
            before: (part + 1 < parts).then(|| border(part + 1)),
        })
        .collect()
}

/// The name in a key.
pub(super) fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::cloudtrail::span::{DEFAULT_LAG, Span};
    use crate::window::Window;

    const DAY: &str = "AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15/";

    fn selection(until: &str) -> Selection {
        let window = Window {
            since: Some("2026-01-15T09:00:00Z".parse().unwrap()),
            until: until.parse().unwrap(),
        };
        Selection {
            span: Span::of(&window, DEFAULT_LAG),
            accounts: Vec::new(),
            regions: Vec::new(),
        }
    }

    fn page(from: &str, to: &str) -> Vec<Found> {
        let object = |clock: &str| Found {
            key: format!("{DAY}111111111111_CloudTrail_eu-west-1_20260115T{clock}Z_x.json.gz"),
            size: 1,
            modified: None,
        };
        vec![object(from), object(to)]
    }

    #[test]
    fn a_day_begins_with_the_first_name_only_on_the_first_day() {
        let after = |folder: &str| match files_of_day(
            folder.to_owned(),
            &selection("2026-01-17T00:00:00Z"),
        ) {
            Step::Files { after, .. } => after,
            other => panic!("{other:?}"),
        };
        let first = format!("{DAY}111111111111_CloudTrail_eu-west-1_20260115T0900Z");
        assert_eq!(after(DAY), Some(first));
        assert_eq!(after(&DAY.replace("/15/", "/16/")), None);
    }

    #[test]
    fn only_a_day_of_many_pages_is_split_and_its_parts_meet() {
        let whole_day = selection("2026-01-16T12:00:00Z");
        assert_eq!(split(DAY, &page("0900", "1200"), &whole_day), []);
        assert_eq!(
            split(
                DAY,
                &page("0900", "0905"),
                &selection("2026-01-15T09:01:00Z")
            ),
            []
        );
        let parts = split(DAY, &page("0000", "0030"), &whole_day);
        assert!(parts.len() > 5, "{}", parts.len());
        let mut border = page("0000", "0030").pop().map(|last| last.key);
        for part in parts {
            let Step::Files { after, before, .. } = part else {
                panic!("{part:?}")
            };
            assert_eq!(after, border);
            assert!(before.is_none() || before > after);
            border = before;
        }
        assert_eq!(border, None);
    }
}
