//! A folder that is not part of the layout, listed in runs of keys: where many copies of log files
//! lie in one, what follows a page is listed side by side.
//!
//! Nobody tells where keys lie in such a folder. But copies keep their names, which begin with
//! account, region and time. So a page that is full of one account's or region's leaves that
//! account or region to one run and what comes behind it to another; and a region's is split by
//! time.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::audit::cloudtrail::layout::Name;
use crate::audit::cloudtrail::span::Minute;
use crate::s3::{Found, Listing, Page};

/// Runs that what follows a page is split into by time.
const MOST_PARTS: i64 = 24;

/// Pages that a run should have at least. Each reads into the next one by half a page or so.
const PAGES_OF_PART: i64 = 4;

/// The least time that a page is taken to cover, in minutes: names tell it in such steps.
const LEAST_COVERED: i64 = 5;

/// What all runs of a walk go by.
#[derive(Debug)]
pub(super) struct Guide {
    /// Times up to which there are likely to be log files, the first of them first.
    pub ends: Vec<Timestamp>,
    /// Whether the store was seen not to begin where it is told to: it would begin anew with each
    /// run.
    pub begins_anew: AtomicBool,
}

/// A run of keys of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flat {
    /// What all keys begin with.
    pub folder: String,
    /// How many folders lie between it and where a walk began.
    pub depth: u8,
    /// The key behind which it begins; none for the folder's first.
    after: Option<String>,
    /// The key before which it ends; none for the folder's end.
    before: Option<String>,
}

impl Flat {
    /// All of a folder.
    pub(super) fn of(folder: String, depth: u8) -> Self {
        Self {
            folder,
            depth,
            after: None,
            before: None,
        }
    }

    /// Whether it begins with the folder.
    pub(super) fn is_first(&self) -> bool {
        self.after.is_none()
    }

    /// What to ask for its first page: all below the folder, or only what lies in it.
    pub(super) fn listing(&self, folders: bool) -> Listing {
        Listing {
            prefix: self.folder.clone(),
            folders,
            after: self.after.clone(),
            token: None,
        }
    }

    fn holds(&self, key: &str) -> bool {
        self.after.as_deref().is_none_or(|after| key > after)
            && self.before.as_deref().is_none_or(|before| key < before)
    }

    /// Takes from a page what is not of the run, and turns the listing to the next one. Where there
    /// is none: the runs that follow, each with what it holds of the rest.
    pub(super) fn go_on(
        &self,
        page: &mut Page,
        listing: &mut Listing,
        guide: &Guide,
    ) -> Option<Vec<Self>> {
        let entries = page.objects.len() + page.folders.len();
        let is_past = |key: &str| self.before.as_deref().is_some_and(|before| key >= before);
        let ends = page.objects.last().is_some_and(|last| is_past(&last.key))
            || page.folders.last().is_some_and(|last| is_past(last));
        page.objects.retain(|object| self.holds(&object.key));
        page.folders.retain(|folder| self.holds(folder));
        listing.token = page.next.take().filter(|_| !ends);
        if listing.token.is_none() {
            return Some(Vec::new());
        }
        if entries > page.objects.len() + page.folders.len() {
            guide.begins_anew.store(true, Ordering::Relaxed);
        }
        if guide.begins_anew.load(Ordering::Relaxed) {
            return None;
        }
        let runs = self.split(page, &guide.ends)?;
        (runs.len() > 1).then_some(runs)
    }

    /// Splits what follows a page, if its names tell how. The runs meet, so that each key behind
    /// the page lies in one of them.
    fn split(&self, page: &Page, ends: &[Timestamp]) -> Option<Vec<Self>> {
        let (first, last) = (page.objects.first()?, page.objects.last()?);
        // Behind a folder nobody begins: its keys would make the same folder again.
        if page.folders.last().is_some_and(|folder| *folder > last.key) {
            return None;
        }
        let (folder, _) = last.key.rsplit_once('/')?;
        let begin = Copied::of(first, folder)?;
        let end = Copied::of(last, folder)?;
        if begin.account != end.account {
            return None;
        }
        let account = format!("{folder}/{}", end.account);
        let mut borders = Vec::new();
        if begin.region == end.region {
            let region = format!("{account}_CloudTrail_{}", end.region);
            let covered = minutes_between(begin.time, end.time).max(LEAST_COVERED);
            let until = ends.iter().find(|until| **until > end.time);
            let left = until.map_or(0, |until| minutes_between(end.time, *until));
            let parts = (left / covered / PAGES_OF_PART).min(MOST_PARTS);
            borders.extend((1..parts).filter_map(|part| {
                let behind = SignedDuration::from_mins(left * part / parts);
                let minute = Minute::of(end.time.checked_add(behind).ok()?);
                Some(format!("{region}_{}", minute.stamp()))
            }));
            borders.push(behind(&region));
        }
        borders.push(behind(&account));
        let mut rest = Self {
            after: Some(last.key.clone()),
            ..self.clone()
        };
        let mut runs = Vec::new();
        for border in borders {
            if !rest.holds(&border) {
                continue;
            }
            runs.push(Self {
                before: Some(border.clone()),
                ..rest.clone()
            });
            rest.after = Some(border);
        }
        runs.push(rest);
        Some(runs)
    }
}

/// What the name of a copy tells.
struct Copied<'a> {
    account: &'a str,
    region: &'a str,
    time: Timestamp,
}

impl<'a> Copied<'a> {
    /// That of an object, if it lies in the folder and is called as CloudTrail calls log files.
    fn of(object: &'a Found, folder: &str) -> Option<Self> {
        let name = object.key.strip_prefix(folder)?.strip_prefix('/')?;
        match Name::of(name) {
            Name::Log {
                account,
                region,
                minute,
            } => Some(Self {
                account,
                region,
                time: minute.time()?,
            }),
            _ => None,
        }
    }
}

/// The key behind all that begin with some text and an underscore, which comes before the grave.
fn behind(text: &str) -> String {
    format!("{text}`")
}

fn minutes_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_mins().max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(account: u8, region: u8, day: u8, hour: u8) -> String {
        format!(
            "copies/{account:012}_CloudTrail_eu-west-{region}_202601{day:02}T{hour:02}00Z_x.json.gz"
        )
    }

    fn page(keys: &[String]) -> Page {
        let found = |key: &String| Found {
            key: key.clone(),
            size: 1,
            modified: None,
        };
        Page {
            objects: keys.iter().map(found).collect(),
            folders: Vec::new(),
            next: Some("more".to_owned()),
        }
    }

    fn guide() -> Guide {
        Guide {
            ends: ["2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z"]
                .map(|time| time.parse().unwrap())
                .into(),
            begins_anew: AtomicBool::new(false),
        }
    }

    /// Goes on behind a page.
    fn go_on(flat: &Flat, mut page: Page) -> (Option<Vec<Flat>>, Vec<Found>) {
        let mut listing = flat.listing(true);
        (flat.go_on(&mut page, &mut listing, &guide()), page.objects)
    }

    #[test]
    fn a_page_full_of_one_region_or_account_leaves_it_to_runs_of_its_own() {
        let all = Flat::of("copies/".to_owned(), 0);
        let (one, other) = (
            "copies/000000000001",
            "copies/000000000001_CloudTrail_eu-west-1",
        );
        let named = |stamp: &str| format!("{other}_202601{stamp}Z");
        let region = format!("{other}`");
        let account = format!("{one}`");
        for (name, keys, borders) in [
            (
                "a region whose rest is long",
                [key(1, 1, 1, 0), key(1, 1, 3, 0)],
                vec![
                    named("12T0800"),
                    named("21T1600"),
                    region.clone(),
                    account.clone(),
                ],
            ),
            (
                "one whose rest is short",
                [key(1, 1, 1, 0), key(1, 1, 12, 0)],
                vec![region, account.clone()],
            ),
            (
                "many regions",
                [key(1, 1, 1, 0), key(1, 2, 1, 0)],
                vec![account],
            ),
            (
                "many accounts",
                [key(1, 1, 1, 0), key(2, 1, 1, 0)],
                Vec::new(),
            ),
            (
                "names that tell nothing",
                ["copies/a.json".to_owned(), "copies/b.json".to_owned()],
                Vec::new(),
            ),
        ] {
            let (runs, _) = go_on(&all, page(&keys));
            let runs = runs.unwrap_or_default();
            let ends: Vec<String> = runs.iter().filter_map(|run| run.before.clone()).collect();
            assert_eq!(ends, borders, "{name}");
            assert!(
                runs.first()
                    .is_none_or(|run| run.after.as_ref() == keys.last())
            );
        }
    }

    #[test]
    fn a_run_ends_with_the_last_page_or_where_it_is_to() {
        let all = Flat::of("copies/".to_owned(), 0);
        let keys = [key(1, 1, 1, 0), key(1, 1, 3, 0)];
        let mut last = page(&keys);
        last.next = None;
        assert_eq!(go_on(&all, last).0, Some(Vec::new()));
        let (runs, _) = go_on(&all, page(&keys));
        let first = runs.unwrap().remove(0);
        let (rest, objects) = go_on(&first, page(&[key(1, 1, 4, 0), key(1, 1, 20, 0)]));
        assert_eq!((rest, objects.len()), (Some(Vec::new()), 1));
        // A store that begins anew each time is listed to the end, and nothing of it twice.
        let (rest, objects) = go_on(&first, page(&[key(1, 1, 1, 0), key(1, 1, 4, 0)]));
        assert_eq!((rest, objects.len()), (None, 1));
    }

    #[test]
    fn behind_a_folder_no_run_begins() {
        let all = Flat::of("copies/".to_owned(), 0);
        for (folder, splits) in [("copies/000/", true), ("copies/old/", false)] {
            let mut page = page(&[key(1, 1, 1, 0), key(1, 1, 3, 0)]);
            page.folders.push(folder.to_owned());
            assert_eq!(go_on(&all, page).0.is_some(), splits, "{folder}");
        }
    }

    proptest! {
        #[test]
        fn every_key_behind_a_page_lies_in_one_run(
            names in prop::collection::btree_set((0..3u8, 0..3u8, 1..29u8, 0..24u8), 40..200),
            others in prop::collection::vec("[0-9a-zA-Z_`~-]{1,20}", 0..20),
            on_page in 2..20usize,
        ) {
            let names = names.into_iter().map(|(account, region, day, hour)| {
                key(account, region, day, hour)
            });
            let others = others.iter().map(|name| format!("copies/{name}"));
            let keys: std::collections::BTreeSet<String> = names.chain(others).collect();
            let mut rest: Vec<String> = keys.into_iter().collect();
            // As a walk does, run by run.
            let mut runs = vec![Flat::of("copies/".to_owned(), 0)];
            let mut seen = Vec::new();
            while let Some(run) = runs.pop() {
                let mut behind = run.after.clone().unwrap_or_default();
                loop {
                    let begin = rest.partition_point(|key| *key <= behind);
                    let end = (begin + on_page).min(rest.len());
                    let mut page = page(&rest[begin..end]);
                    page.next = page.next.filter(|_| end < rest.len());
                    behind = rest.get(end.saturating_sub(1)).cloned().unwrap_or_default();
                    let (parts, objects) = go_on(&run, page);
                    seen.extend(objects.into_iter().map(|object| object.key));
                    if let Some(parts) = parts {
                        runs.extend(parts);
                        break;
                    }
                }
            }
            seen.sort_unstable();
            rest.sort_unstable();
            prop_assert_eq!(seen, rest);
        }
    }
}
