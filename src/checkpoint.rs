//! What one scan leaves to the next, so that each event is used once and each drift told once.
//!
//! Log files come late and in no order. So the next scan lists names again from some hours before
//! the last one ended, and reads those that it has not read. A file that comes late may hold the
//! cause of what is known already, or its undoing: the calls of those hours, and of whatever is
//! still open, are kept and replayed beside the new ones. What comes out is what one scan of
//! everything would tell.

mod covered;
mod older;
mod seen;
pub mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::audit::call::{Call, instant};
use crate::audit::cloudtrail::layout::Name;
use crate::audit::cloudtrail::span::{BUCKET, Minute};
use crate::audit::stretch::{Stretch, left_open, merged};
use crate::window::Window;
pub use covered::{Kept, Touch};
use older::Older;
pub use seen::Seen;

/// How late a log file may come and still be read by a later scan, if the user says nothing else.
pub const LATE: SignedDuration = SignedDuration::from_hours(24);

/// The last hours, in which nearly all that comes late comes: everything is kept of them. Of those
/// before, names are kept as hashes, and calls only if no later one speaks of the same.
const FRESH: SignedDuration = SignedDuration::from_hours(6);

/// Calls that give something another name, which are remembered as long as there is room for them.
const RENAMES: usize = 1_000;

/// How long a log file that cannot be read is tried again.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The form of what is written.
const VERSION: u32 = 1;

/// What a scan leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// What the scans look at: one that looks elsewhere cannot go on from here.
    scope: Scope,
    /// Where the first scan began; none for "from the beginning".
    #[serde(with = "instant::maybe")]
    begun: Option<Timestamp>,
    /// Up to when the evidence is complete where nothing else is said.
    #[serde(with = "instant")]
    complete_until: Timestamp,
    /// From when on it is known which log files were read; none where only the last hours are.
    #[serde(default, with = "instant::maybe")]
    known_since: Option<Timestamp>,
    /// By account and region, as `123456789012/eu-west-1`; event histories as
    /// `lookup:123456789012/eu-west-1`.
    places: BTreeMap<String, Place>,
    /// Calls that may still matter.
    calls: Vec<Call>,
    /// Drifts that were told, by their fingerprints, with a hash of what was told of each.
    drifts: BTreeMap<String, String>,
}

/// What scans look at. Those of another scope read other log files and see other drifts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Log archives, as they were given.
    pub trails: BTreeSet<String>,
    /// Accounts; all when empty.
    pub accounts: BTreeSet<String>,
    /// Regions; all when empty.
    pub regions: BTreeSet<String>,
    /// Patterns of addresses; all when empty.
    pub addresses: BTreeSet<String>,
}

impl fmt::Display for Scope {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            ("trail", &self.trails),
            ("account", &self.accounts),
            ("region", &self.regions),
            ("address", &self.addresses),
        ];
        let mut space = "";
        for (flag, values) in flags {
            for value in values {
                write!(f, "{space}--{flag} {value}")?;
                space = " ";
            }
        }
        Ok(())
    }
}

/// What is known of one account and region.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Place {
    #[serde(with = "instant")]
    complete_until: Timestamp,
    /// Log files that were read, by their names behind account and region.
    names: BTreeSet<String>,
    /// Names of log files that were read some hours ago.
    #[serde(default, skip_serializing_if = "Older::is_empty")]
    older: Older,
    /// Of an event history, the stretches that were told whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stretches: Vec<Stretch>,
}

impl Place {
    fn new(complete_until: Timestamp) -> Self {
        Self {
            complete_until,
            names: BTreeSet::new(),
            older: Older::default(),
            stretches: Vec::new(),
        }
    }
}

/// What a scan found that the next one is to know.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Calls that had an effect, old and new.
    pub calls: Vec<Kept>,
    /// All drifts, whether told or not.
    pub drifts: Vec<Told>,
}

/// A drift, as far as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its fingerprint.
    pub id: String,
    /// A hash of what is told of it.
    pub content: String,
    /// Ids of its calls, the oldest first, if it is still so; else none.
    pub calls: Vec<String>,
}

/// How the reading of a scan went.
#[derive(Debug, Default)]
pub struct Reading {
    /// Log files that were read whole, by place.
    pub names: BTreeMap<String, BTreeSet<String>>,
    /// Stretches of event histories that were told whole, by place. Of one that was asked in vain
    /// there is none.
    pub histories: BTreeMap<String, Vec<Stretch>>,
    /// Places with a log file that could not be read.
    pub failed: BTreeSet<String>,
    /// Whether something could not be read of which no place is known.
    pub blind: bool,
}

/// The place and the rest of a log file's name; none when the name is not CloudTrail's.
fn parts(name: &str) -> Option<(String, &str, Minute)> {
    let Name::Log {
        account,
        region,
        minute,
    } = Name::of(name)
    else {
        return None;
    };
    let rest = name.splitn(4, '_').nth(3)?;
    Some((format!("{account}/{region}"), rest, minute))
}

impl Checkpoint {
    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// In words, when it is something else.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        /// What every form has.
        #[derive(Deserialize)]
        struct Form {
            version: u32,
            scope: Option<IgnoredAny>,
        }
        let other = |error| {
            format!(
                "it is no checkpoint of tfdrift ({error}): name another file, or remove this one \
                 to begin anew"
            )
        };
        let form: Form = serde_json::from_slice(text).map_err(other)?;
        // States have a version too.
        if form.scope.is_some() && form.version > VERSION {
            return Err(format!(
                "a newer tfdrift wrote it, in form {}, and this one knows {VERSION}: update \
                 tfdrift, or remove the file to begin anew",
                form.version
            ));
        }
        serde_json::from_slice(text).map_err(other)
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never for what was read or made here.
    pub fn write(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// Where the next scan begins to look when log files may come so late.
    #[must_use]
    pub fn since(&self, late: SignedDuration) -> Timestamp {
        // What lies before would be read again.
        self.back(late).max(self.known_since())
    }

    /// From when on it is known which log files were read.
    fn known_since(&self) -> Timestamp {
        self.known_since.unwrap_or_else(|| self.back(FRESH))
    }

    /// So long before all is complete.
    fn back(&self, by: SignedDuration) -> Timestamp {
        let places = self.places.values().map(|place| place.complete_until);
        let complete = places
            .min()
            .map_or(self.complete_until, |least| least.min(self.complete_until));
        let back = complete.checked_sub(by).unwrap_or(Timestamp::MIN);
        // Nothing before the first scan was ever asked for.
        self.begun.map_or(back, |begun| begun.max(back))
    }

    /// What the scans look at.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Calls that take part in the next replay.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whether a drift was told before, just so.
    #[must_use]
    pub fn knows(&self, id: &str, content: &str) -> bool {
        self.drifts.get(id).is_some_and(|known| known == content)
    }

    /// Names that were read, by place.
    fn names(&self) -> HashMap<String, seen::Names> {
        let names = |(key, place): (&String, &Place)| {
            let names = seen::Names {
                whole: place.names.iter().cloned().collect(),
                older: place.older.clone(),
            };
            (key.clone(), names)
        };
        self.places.iter().map(names).collect()
    }

    /// Stretches that were told, by event history.
    fn histories(&self) -> HashMap<String, Vec<Stretch>> {
        let places = self.places.iter();
        let asked = places.map(|(key, place)| (key.clone(), place.stretches.clone()));
        asked.collect()
    }

    /// What a scan of a window leaves, after the one that left `before`, when log files may come
    /// so `late`.
    #[must_use]
    pub fn next(
        before: Option<&Self>,
        scope: Scope,
        window: &Window,
        reading: &Reading,
        gathered: Gathered,
        late: SignedDuration,
    ) -> Self {
        let until = window.until;
        let oldest = until.checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
        // What was not complete stays where it was, but does not hold up the rest for ever.
        let held = |known: Option<Timestamp>| {
            known
                .or(window.since)
                .unwrap_or(oldest)
                .max(oldest)
                .min(until)
        };
        // Whoever begins behind what is complete leaves a gap, which the next scan is to read.
        let leaves_gap = |complete: Timestamp| window.since.is_some_and(|since| since > complete);
        let skips = before.is_some_and(|before| leaves_gap(before.complete_until));
        let complete_until = if reading.blind || skips {
            held(before.map(|before| before.complete_until))
        } else {
            until
        };
        let mut places: BTreeMap<String, Place> = before
            .map(|before| before.places.clone())
            .unwrap_or_default();
        for (key, names) in &reading.names {
            let place = places
                .entry(key.clone())
                .or_insert_with(|| Place::new(complete_until));
            place.names.extend(names.iter().cloned());
        }
        for key in &reading.failed {
            places
                .entry(key.clone())
                .or_insert_with(|| Place::new(held(before.map(|before| before.complete_until))));
        }
        for (key, told) in &reading.histories {
            let place = places
                .entry(key.clone())
                .or_insert_with(|| Place::new(held(None)));
            let all = place.stretches.iter().chain(told).copied();
            place.stretches = merged(all);
        }
        for (key, place) in &mut places {
            if reading.histories.contains_key(key) {
                let begin = held(Some(place.complete_until));
                let open = Stretch {
                    since: begin,
                    until,
                };
                let open = left_open(open, &place.stretches);
                place.complete_until = open.first().map_or(until, |open| open.since);
                continue;
            }
            let failed = reading.blind || reading.failed.contains(key);
            place.complete_until = if failed || leaves_gap(place.complete_until) {
                held(Some(place.complete_until))
            } else {
                until
            };
        }
        let begun = match before {
            Some(before) => match (before.begun, window.since) {
                (Some(begun), Some(since)) => Some(begun.min(since)),
                _ => None,
            },
            None => window.since,
        };
        let mut next = Self {
            version: VERSION,
            scope,
            begun,
            complete_until,
            known_since: None,
            places,
            calls: Vec::new(),
            drifts: BTreeMap::new(),
        };
        let known = before.map_or(window.since, |before| Some(before.known_since()));
        next.known_since = Some(next.back(late).max(known.unwrap_or(Timestamp::MIN)));
        next.forget(until);
        next.keep(gathered);
        next
    }

    /// Drops names that the next scan does not ask for, and those of files that may hold calls
    /// after the window: they are to be read again. Of those that are not fresh keeps a hash.
    fn forget(&mut self, until: Timestamp) {
        let since = self.known_since();
        let first = Minute::of(since);
        let fresh = Minute::of(self.back(FRESH));
        let last = until
            .checked_sub(BUCKET)
            .map_or(Minute::of(until), Minute::of);
        for (key, place) in &mut self.places {
            place.stretches.retain(|stretch| stretch.until > since);
            let owner = key.replacen('/', "_CloudTrail_", 1);
            let mut older = Vec::new();
            for name in std::mem::take(&mut place.names) {
                match parts(&format!("{owner}_{name}")) {
                    Some((_, _, own)) if own >= fresh && own <= last => {
                        place.names.insert(name);
                    }
                    Some((_, _, own)) if own >= first && own < fresh => older.push(name),
                    _ => {}
                }
            }
            place.older.forget_before(&first.stamp());
            place.older.extend(older.iter().map(String::as_str));
        }
    }

    /// Keeps the calls that can meet new ones, and of those of drifts that are still so the first.
    /// Of those that are not fresh, only what still says something.
    fn keep(&mut self, gathered: Gathered) {
        let since = self.known_since();
        let fresh = self.back(FRESH).max(since);
        let lasting: HashSet<&str> = gathered
            .drifts
            .iter()
            .flat_map(|told| told.calls.iter().map(String::as_str))
            .collect();
        let firsts = gathered.drifts.iter().filter_map(|told| told.calls.first());
        let firsts: HashSet<&str> = firsts.map(String::as_str).collect();
        let covered = covered::covered(&gathered.calls, fresh);
        let covered: HashSet<usize> = covered.into_iter().collect();
        let mut renames: Vec<Timestamp> = gathered
            .calls
            .iter()
            .filter(|kept| kept.renames)
            .map(|kept| kept.call.time)
            .collect();
        renames.sort_unstable();
        let oldest = renames.iter().rev().nth(RENAMES - 1).copied();
        let mut seen = HashSet::new();
        let numbered = gathered.calls.into_iter().enumerate();
        let mut calls: Vec<Call> = numbered
            .filter(|(number, kept)| {
                let call = &kept.call;
                let id = call.id.as_str();
                let met = call.time >= since || lasting.contains(id);
                let renames = kept.renames && oldest.is_none_or(|oldest| call.time >= oldest);
                let matters = renames
                    || call.time >= fresh
                    || firsts.contains(id)
                    || (met && !covered.contains(number));
                matters && seen.insert((call.id.clone(), call.account.clone()))
            })
            .map(|(_, kept)| kept.call)
            .collect();
        calls.sort_by(|one, other| {
            (one.time, &one.id, &one.account).cmp(&(other.time, &other.id, &other.account))
        });
        self.calls = calls;
        let told = gathered.drifts.into_iter();
        self.drifts = told.map(|told| (told.id, told.content)).collect();
    }
}

#[cfg(test)]
mod tests;
