//! A stretch of time of one region, listed as one run of keys: days follow each other in a bucket
//! as they do in time, so that many small folders cost one request and a large one is split.

use jiff::{SignedDuration, Timestamp};

use super::plan::last_part;
use crate::audit::cloudtrail::digest::name::{FOLDER, place};
use crate::audit::cloudtrail::layout::{Level, Name, Selection, key_before};
use crate::audit::cloudtrail::span::{FolderDate, Minute, Span};
use crate::s3::Found;

/// Parts that a stretch is split into at once. A part that is still long is split again.
const MOST_PARTS: i64 = 24;

/// Pages that a part should have at least. Each reads into the next one by half a page or so.
const PAGES_OF_PART: i64 = 4;

/// The least that a page is taken to cover, in minutes: names tell time in steps of this length.
const LEAST_COVERED: i64 = 5;

/// The log files of a region, or of a year, month or day in it, from behind one key to before
/// another; or its digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What all keys begin with.
    pub(super) folder: String,
    /// The key behind which it begins; none for the folder's first.
    pub(super) after: Option<String>,
    /// The key before which it ends.
    pub(super) before: String,
    /// The name time at which it ends, about.
    end: Minute,
    owner: Owner,
}

/// Whose log files they are, as keys spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    /// The folder of the region.
    root: String,
    account: String,
    region: String,
}

impl Owner {
    /// The key that every log file at or after a minute follows, and no other does.
    fn key_before(&self, minute: Minute) -> String {
        let folder = format!("{}{}", self.root, minute.day().folders());
        key_before(&folder, &self.account, &self.region, minute)
    }
}

impl Range {
    /// What a folder, of a region or deeper, holds for a span.
    #[must_use]
    pub fn of(folder: &str, span: &Span) -> Self {
        let place = place(folder);
        let dated = place.date.map(FolderDate::folders).unwrap_or_default();
        let owner = Owner {
            root: folder.strip_suffix(&dated).unwrap_or(folder).to_owned(),
            account: place.account.unwrap_or_default().to_owned(),
            region: place.region.unwrap_or_default().to_owned(),
        };
        // Digests have names of another form: they begin with the day.
        let digests = folder.split('/').any(|part| part == FOLDER);
        let after = span.first().map(|first| {
            if digests {
                format!("{}{}", owner.root, first.day().folders())
            } else {
                owner.key_before(first)
            }
        });
        let last_day = span.last().day().folders();
        Self {
            // Where the folder begins later, that is the beginning.
            after: after.filter(|after| after.as_str() > folder),
            // The character behind the slash: what is in the folder of the last day comes before.
            before: format!("{}{}0", owner.root, last_day.trim_end_matches('/')),
            end: span.last(),
            folder: folder.to_owned(),
            owner,
        }
    }

    /// Whether a key lies in it. A store that does not know where to begin gives others, too.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.after.as_deref().is_none_or(|after| key > after) && key < self.before.as_str()
    }

    /// Splits what follows the first page into stretches to list side by side, so that it is not
    /// listed one page after another. Empty when it is not worth it.
    ///
    /// The stretches meet, so that each key behind the page lies in one of them, whatever the
    /// names on the page say of time.
    pub(super) fn split(&self, page: &[Found]) -> Vec<Self> {
        self.borders(page).unwrap_or_default()
    }

    fn borders(&self, page: &[Found]) -> Option<Vec<Self>> {
        let logs = page
            .iter()
            .filter_map(|object| match Name::of(last_part(&object.key)) {
                Name::Log { minute, .. } => minute.time(),
                _ => None,
            });
        let (first, last) = (logs.clone().min()?, logs.max()?);
        let after = &page.last()?.key;
        let covered = minutes_between(first, last).max(LEAST_COVERED);
        let left = minutes_between(last, self.end.time()?);
        let parts = (left / covered / PAGES_OF_PART).min(MOST_PARTS);
        if parts < 2 || !self.holds(after) {
            return None;
        }
        let begin = |part: i64| {
            let behind = SignedDuration::from_mins(left * part / parts);
            Some(Minute::of(last.checked_add(behind).ok()?))
        };
        let mut rest = Self {
            after: Some(after.clone()),
            ..self.clone()
        };
        let mut ranges = Vec::new();
        for minute in (1..parts).filter_map(begin) {
            let border = self.owner.key_before(minute);
            // Names that do not fit their folders tell nothing of where the page ended.
            if !rest.holds(&border) {
                continue;
            }
            ranges.push(Self {
                before: border.clone(),
                end: minute,
                ..rest.clone()
            });
            rest.after = Some(border);
        }
        ranges.push(rest);
        Some(ranges)
    }
}

/// A folder somewhere below a region: only those of days, and what is in them, hold log files.
#[derive(Debug, Default)]
pub(super) struct DatedFolder {
    pub path: String,
    /// Whether its log files can be ones that are asked for.
    pub admitted: bool,
    /// Whether it is the last day that can hold such.
    last: bool,
}

impl DatedFolder {
    pub(super) fn of(path: &str, selection: &Selection) -> Self {
        let place = place(path);
        let is_of_a_day = matches!(place.date, Some(FolderDate::Day(..)));
        Self {
            admitted: is_of_a_day && selection.admits_place(&place),
            last: place.level == Level::Day && place.date == Some(selection.span.last().day()),
            path: path.to_owned(),
        }
    }

    /// Whether a name in it lies behind the span: so do all that follow it there.
    pub(super) fn is_past(&self, name: &str, selection: &Selection) -> bool {
        self.last
            && match Name::of(name) {
                Name::Log { minute, .. } => selection.span.is_past(minute),
                _ => false,
            }
    }
}

fn minutes_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_mins().max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::cloudtrail::span::DEFAULT_LAG;
    use crate::window::Window;

    const REGION: &str = "AWSLogs/111111111111/CloudTrail/eu-west-1/";

    fn span(since: &str, until: &str) -> Span {
        let window = Window {
            since: Some(since.parse().unwrap()),
            until: until.parse().unwrap(),
        };
        Span::of(&window, DEFAULT_LAG)
    }

    fn key(day: &str, stamp: &str) -> String {
        format!("{REGION}{day}/111111111111_CloudTrail_eu-west-1_{stamp}Z_x.json.gz")
    }

    fn page(keys: &[String]) -> Vec<Found> {
        let found = keys.iter().map(|key| Found {
            key: key.clone(),
            size: 1,
            modified: None,
        });
        found.collect()
    }

    #[test]
    fn a_range_holds_what_the_days_of_a_span_hold() {
        let span = span("2026-01-15T09:00:00Z", "2026-01-17T12:00:00Z");
        let range = Range::of(REGION, &span);
        for (key, expected) in [
            (key("2026/01/15", "20260115T0855"), false),
            (key("2026/01/15", "20260115T0900"), true),
            (key("2026/01/16", "20260116T0000"), true),
            (format!("{REGION}2026/01/17/zz-by-hand.json"), true),
            (key("2026/01/17/copy", "20260117T0000"), true),
            (key("2026/01/18", "20260118T0000"), false),
            (format!("{REGION}notes.json"), false),
        ] {
            assert_eq!(range.holds(&key), expected, "{key}");
        }
    }

    #[test]
    fn only_a_folder_that_the_span_begins_in_is_begun_in_its_middle() {
        let span = span("2026-01-15T09:00:00Z", "2026-01-17T00:00:00Z");
        let after = |date: &str| Range::of(&format!("{REGION}{date}"), &span).after;
        let first = format!("{REGION}2026/01/15/111111111111_CloudTrail_eu-west-1_20260115T0900Z");
        for date in ["", "2026/", "2026/01/", "2026/01/15/"] {
            assert_eq!(after(date), Some(first.clone()), "{date}");
        }
        assert_eq!(after("2026/01/16/"), None);
    }

    #[test]
    fn only_what_has_many_pages_is_split_and_its_parts_meet() {
        let whole_day = span("2026-01-15T00:00:00Z", "2026-01-15T23:30:00Z");
        let pages = |from: &str, to: &str| {
            let stamps = [from, to].map(|clock| key("2026/01/15", &format!("20260115T{clock}")));
            page(&stamps)
        };
        let range = Range::of(&format!("{REGION}2026/01/15/"), &whole_day);
        assert_eq!(range.split(&pages("0000", "0400")), []);
        assert_eq!(range.split(&[]), []);
        let first = pages("0000", "0030");
        let parts = range.split(&first);
        assert!(parts.len() > 5, "{}", parts.len());
        assert_eq!(parts[0].after, first.last().map(|last| last.key.clone()));
        assert_eq!(parts.last().unwrap().before, range.before);
        for pair in parts.windows(2) {
            assert_eq!(Some(&pair[0].before), pair[1].after.as_ref());
            assert!(pair[0].after.as_ref() < pair[1].after.as_ref());
        }
        // Half of what is left lies in a part of days.
        let month = span("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z");
        let again = Range::of(REGION, &month).split(&first);
        assert_eq!(again.len(), 24);
        assert!(again[12].before.contains("/2026/01/2"), "{:?}", again[12]);
    }

    #[test]
    fn a_name_behind_the_span_ends_the_last_day_alone() {
        let selection = Selection {
            span: span("2026-01-14T00:00:00Z", "2026-01-15T12:00:00Z"),
            accounts: Vec::new(),
            regions: Vec::new(),
        };
        for (day, stamp, expected) in [
            ("2026/01/15", "20260115T1300", true),
            ("2026/01/15", "20260115T1200", false),
            ("2026/01/14", "20260115T1300", false),
        ] {
            let key = key(day, stamp);
            let (folder, name) = key.rsplit_once('/').unwrap();
            let folder = DatedFolder::of(folder, &selection);
            assert_eq!(folder.is_past(name, &selection), expected, "{day}");
        }
    }

    proptest! {
        #[test]
        fn every_key_behind_a_page_lies_in_one_part(
            names in prop::collection::btree_set((1..32u8, 0..24u8, 0..60u8), 60..200),
            astray in prop::collection::vec((any::<prop::sample::Index>(), 1..32u8), 0..4),
            on_page in 2..5usize,
        ) {
            // The day of a folder and that of a name need not agree.
            let names: Vec<_> = names.into_iter().collect();
            let mut folders: Vec<u8> = names.iter().map(|(day, ..)| *day).collect();
            for (which, folder) in astray {
                *which.get_mut(&mut folders) = folder;
            }
            let mut keys: Vec<_> = names
                .iter()
                .zip(&folders)
                .map(|((day, hour, minute), folder)| {
                    let stamp = format!("202601{day:02}T{hour:02}{minute:02}");
                    key(&format!("2026/01/{folder:02}"), &stamp)
                })
                .collect();
            keys.sort_unstable();
            let range = Range::of(REGION, &span("2026-01-01T00:00:00Z", "2026-01-31T23:00:00Z"));
            let keys: Vec<_> = keys.into_iter().filter(|key| range.holds(key)).collect();
            let (first, rest) = keys.split_at(on_page);
            let parts = range.split(&page(first));
            prop_assume!(!parts.is_empty());
            for key in first {
                prop_assert!(!parts.iter().any(|part| part.holds(key)), "{key} is listed again");
            }
            for key in rest {
                prop_assert_eq!(parts.iter().filter(|part| part.holds(key)).count(), 1, "{}", key);
            }
        }
    }
}
