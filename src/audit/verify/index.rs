//! Digests as an index of log files: which of them hold events of a window, whether they are all
//! there, and whether nothing happened where there is none.
//!
//! Only of windows that lie far enough back that their digests have come, and only where these are
//! few enough to be worth their reading. What they say is believed here as the bucket is that they
//! lie in; to prove it is for [`super::verify`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::walk::{self, DigestEntry, Wanted};
use super::{Source, hash};
use crate::audit::cloudtrail::digest::chain::PATIENCE;
use crate::audit::cloudtrail::digest::name::{ChainName, file_name};
use crate::audit::cloudtrail::digest::{Digest, LogFile};
use crate::audit::cloudtrail::layout::{Name, Selection};
use crate::audit::cloudtrail::span::{BUCKET, Span};
use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch;
use crate::window::Window;

/// Digests that are read at most. More of them would cost more than they spare.
const MOST: usize = 5_000;

/// The longest window that is looked up in digests.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What digests say of a window.
#[derive(Debug)]
pub struct Index {
    window: Window,
    /// By names, without what tells compressed files apart.
    files: HashMap<String, Entry>,
    vouches: bool,
    seen: Mutex<HashSet<String>>,
    skipped: AtomicU64,
}

/// A log file.
#[derive(Debug)]
struct Entry {
    /// Where it is to be found, as the user would write it; none where the user looks elsewhere.
    location: Option<String>,
    events: Option<(Timestamp, Timestamp)>,
}

/// Which digests are looked for.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The window of events.
    pub window: Window,
    /// How late an event may come into a log file.
    pub lag: SignedDuration,
    /// The present.
    pub now: Timestamp,
    /// Only these accounts; all when empty.
    pub accounts: Vec<String>,
    /// Only these regions; all when empty.
    pub regions: Vec<String>,
}

impl Scope {
    /// The deliveries that can hold events of the window, if digests of all of them have come.
    fn deliveries(&self) -> Option<Window> {
        let since = self.window.since?;
        let late = self.lag.saturating_add(BUCKET);
        let until = self.window.until.checked_add(late).ok()?;
        let there = until.checked_add(PATIENCE).ok()? <= self.now;
        let short = since.duration_until(until) <= LONGEST;
        (there && short).then_some(Window {
            since: Some(since),
            until,
        })
    }

    fn selection(&self, source: &Source, span: Span) -> Selection {
        let regions = match &source.region {
            Some(region) => vec![region.clone()],
            None => self.regions.clone(),
        };
        Selection {
            span,
            accounts: self.accounts.clone(),
            regions,
        }
    }
}

impl Index {
    /// Reads the digests of a window. None where there are none, or too many, or they are yet to
    /// come, or it is time to stop.
    #[must_use]
    pub fn read(sources: &[Source], scope: &Scope) -> Option<Self> {
        let deliveries = scope.deliveries()?;
        let mut index = Self {
            window: scope.window,
            files: HashMap::new(),
            vouches: false,
            seen: Mutex::default(),
            skipped: AtomicU64::new(0),
        };
        let mut chains: BTreeMap<ChainName, bool> = BTreeMap::new();
        let mut whole = true;
        for source in sources {
            let read = || index_of(source, scope, deliveries);
            let threads = source.archive.requests();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let found = pool.ok()?.install(read)?;
            whole &= found.whole;
            index.files.extend(found.files);
            for (name, covers) in found.chains {
                *chains.entry(name).or_default() |= covers;
            }
        }
        let vouched: BTreeMap<&ChainName, bool> = chains
            .iter()
            .filter(|(name, _)| !name.backfill)
            .map(|(name, covers)| (name, *covers))
            .collect();
        let has = |wanted: &[String], of: fn(&ChainName) -> &str| {
            let held: BTreeSet<&str> = vouched.keys().map(|name| of(name)).collect();
            wanted.iter().all(|one| held.contains(one.as_str()))
        };
        index.vouches = whole
            && !vouched.is_empty()
            && vouched.values().all(|covers| *covers)
            && has(&scope.accounts, |name| &name.account)
            && has(&scope.regions, |name| &name.region);
        (!chains.is_empty()).then_some(index)
    }

    /// How many log files were left out because they hold no event of the window.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Whether digests cover all that was delivered of the window, and a reading came by all of it.
    #[must_use]
    pub fn vouches(&self) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |(name, entry): (&String, &Entry)| {
            self.overlaps(entry) == Some(false) || seen.contains(name)
        };
        self.vouches && self.files.iter().all(read)
    }

    /// Log files with events of the window that a reading did not come by.
    #[must_use]
    pub fn missing(&self) -> Vec<Problem> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = self
            .files
            .iter()
            .filter(|(name, entry)| self.overlaps(entry) == Some(true) && !seen.contains(*name));
        let mut missing: Vec<&String> = missing
            .filter_map(|(_, entry)| entry.location.as_ref())
            .collect();
        missing.sort();
        let problem = |location: &String| Problem {
            location: location.clone(),
            place: None,
            problem: "a digest lists it with events of the window, and it is not there".to_owned(),
            remedy: Some(
                "find out who removed it: `tfdrift verify` tells what else is wrong".to_owned(),
            ),
        };
        missing.into_iter().map(problem).collect()
    }

    /// Whether a log file holds events of the window, if its digest tells when they were.
    fn overlaps(&self, entry: &Entry) -> Option<bool> {
        let (oldest, newest) = entry.events?;
        let begun = self.window.since.is_none_or(|since| newest >= since);
        Some(begun && oldest < self.window.until)
    }
}

impl Watch for Index {
    fn wants(&self, name: &str) -> bool {
        let name = file_name(name);
        let Some(entry) = self.files.get(name) else {
            return true;
        };
        if self.overlaps(entry) == Some(false) {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(name.to_owned());
        true
    }
}

/// What the digests of one archive say.
struct Found {
    files: HashMap<String, Entry>,
    /// Chains, and whether each covers all deliveries without a gap.
    chains: BTreeMap<ChainName, bool>,
    /// Whether every folder and digest could be read.
    whole: bool,
}

/// Reads the digests of one archive; none when there are too many, or it is time to stop.
fn index_of(source: &Source, scope: &Scope, deliveries: Window) -> Option<Found> {
    let end = deliveries.until.checked_add(PATIENCE).ok()?;
    let days = Window {
        since: deliveries.since,
        until: end,
    };
    let wanted = Wanted {
        logs: None,
        digests: scope.selection(source, Span::of(&days, SignedDuration::ZERO)),
    };
    let walked = walk::walk(&*source.archive, &source.start, &wanted, &source.stop);
    let mut by_chain: BTreeMap<ChainName, Vec<DigestEntry>> = BTreeMap::new();
    for digest in walked.digests {
        let needed = deliveries.since.is_none_or(|since| digest.name.end > since);
        if needed {
            let chain = by_chain.entry(digest.name.chain.clone()).or_default();
            chain.push(digest);
        }
    }
    for entries in by_chain.values_mut() {
        entries.sort_by_key(|entry| entry.name.end);
        // The first that ends at or behind the end is the last that is needed.
        let before = entries.partition_point(|entry| entry.name.end < deliveries.until);
        entries.truncate(before + 1);
    }
    if by_chain.values().map(Vec::len).sum::<usize>() > MOST {
        return None;
    }
    let names = scope.selection(source, Span::of(&scope.window, scope.lag));
    let mut found = Found {
        files: HashMap::new(),
        chains: BTreeMap::new(),
        whole: walked.problems.is_empty(),
    };
    for (chain, entries) in by_chain {
        let read: Vec<Option<(String, Digest)>> = entries
            .par_iter()
            .map(|entry| {
                let content = source.archive.read(&entry.file.key, false).ok()?;
                let text = hash::text_of_digest(&content.bytes).ok()?;
                Some((entry.file.key.clone(), Digest::read(&text).ok()?))
            })
            .collect();
        found.whole &= read.iter().all(Option::is_some);
        let read: Vec<(String, Digest)> = read.into_iter().flatten().collect();
        let covers = covers(read.iter().map(|(_, digest)| digest), deliveries);
        found.chains.insert(chain, covers);
        for (key, digest) in read {
            // A copy lies where its digest lies, in the same folders below.
            let root = key.strip_suffix(&digest.digest_s3_object);
            for file in digest.log_files {
                let name = file_name(&file.s3_object).to_owned();
                if !matches!(Name::of(&name), Name::Log { .. }) || !names.admits_name(&name) {
                    continue;
                }
                let entry = entry(source, root, &file);
                found.files.insert(name, entry);
            }
        }
    }
    (!source.stop.is_due()).then_some(found)
}

fn entry(source: &Source, root: Option<&str>, file: &LogFile) -> Entry {
    let key = root.map(|root| format!("{root}{}", file.s3_object));
    let asked = key.filter(|key| key.starts_with(&source.folder));
    Entry {
        events: file.events(),
        location: asked.map(|key| source.archive.display(&key)),
    }
}

/// Whether digests follow each other without a gap over all deliveries.
fn covers<'d>(digests: impl Iterator<Item = &'d Digest>, deliveries: Window) -> bool {
    let times = digests.map(|digest| Some((digest.start()?, digest.end()?)));
    let Some(mut times) = times.collect::<Option<Vec<_>>>() else {
        return false;
    };
    times.sort_unstable();
    let mut until = deliveries.since;
    for (start, end) in times {
        if until.is_some_and(|until| start > until) {
            return false;
        }
        until = until.max(Some(end));
    }
    until.is_some_and(|until| until >= deliveries.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(clock: &str) -> Timestamp {
        format!("2026-01-15T{clock}Z").parse().unwrap()
    }

    fn scope(since: Option<&str>, until: &str, now: &str) -> Scope {
        Scope {
            window: Window {
                since: since.map(time),
                until: time(until),
            },
            lag: SignedDuration::from_mins(20),
            now: time(now),
            accounts: Vec::new(),
            regions: Vec::new(),
        }
    }

    #[test]
    fn only_windows_whose_digests_have_come_are_looked_up() {
        let until = |since, until, now| {
            let deliveries = scope(since, until, now).deliveries();
            deliveries.map(|deliveries| deliveries.until)
        };
        let begin = Some("08:00:00");
        assert_eq!(until(begin, "10:00:00", "12:25:00"), Some(time("10:25:00")));
        assert_eq!(until(begin, "10:00:00", "12:24:59"), None);
        assert_eq!(until(None, "10:00:00", "20:00:00"), None);
    }

    #[test]
    fn digests_cover_deliveries_when_they_meet() {
        let digest = |(start, end): &(&str, &str)| -> Digest {
            serde_json::from_value(serde_json::json!({
                "digestStartTime": format!("2026-01-15T{start}Z"),
                "digestEndTime": format!("2026-01-15T{end}Z"),
                "digestS3Bucket": "b", "digestS3Object": "o", "digestPublicKeyFingerprint": "f",
                "previousDigestS3Object": null, "previousDigestSignature": null, "logFiles": [],
            }))
            .unwrap()
        };
        let deliveries = Window {
            since: Some(time("09:00:00")),
            until: time("11:00:00"),
        };
        for (times, expected) in [
            (
                &[("08:01:31", "09:01:31"), ("09:01:31", "11:01:31")][..],
                true,
            ),
            (&[("10:01:31", "11:01:31"), ("08:01:31", "10:01:31")], true),
            (&[("08:01:31", "09:01:31"), ("09:01:32", "11:01:31")], false),
            (&[("09:01:31", "11:01:31")], false),
            (&[("08:01:31", "10:01:31")], false),
            (&[], false),
        ] {
            let digests: Vec<Digest> = times.iter().map(digest).collect();
            assert_eq!(covers(digests.iter(), deliveries), expected, "{times:?}");
        }
    }
}
