//! Are the log files of a window complete and untouched? Finds digests and log files in archives,
//! fetches what must be hashed, and lets [`super::cloudtrail::digest`] judge.

pub mod archive;
mod bucket;
mod hash;
pub mod index;
pub mod keys;
mod late;
mod logs;
mod source;
mod walk;
mod witness;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::cloudtrail::digest::chain::{self, Checked, Link, Stretch};
use super::cloudtrail::digest::finding::{Finding, Grade, Kind};
use super::cloudtrail::digest::keys::PublicKeys;
use super::cloudtrail::digest::name::{ChainName, file_name};
use super::cloudtrail::layout::Selection;
use super::cloudtrail::span::{BUCKET, Span};
use super::decode::Problem;
use super::pipeline::Stop;
use crate::window::Window;

use archive::Archive;
use keys::KeySource;
pub use source::Source;
use walk::{DigestEntry, Found, LogEntry, Wanted};
pub use witness::Witness;

/// How long after a window digests are looked for at first.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// How long AWS tries again to deliver a log file.
const REDELIVERY: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What is to be proved, and with what.
pub struct Ask<'a> {
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
    /// Keys that are known beforehand.
    pub keys: PublicKeys,
    /// Who knows the others.
    pub source: &'a dyn KeySource,
    /// Hashes of log files that were read already.
    pub read: Option<&'a Witness>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// What is wrong, the gravest first.
    pub findings: Vec<Finding>,
    /// The chains of digests, in order of their names.
    pub chains: Vec<ChainProof>,
    /// Log files that the digests list for the window.
    pub log_files: usize,
    /// Those of them that are there and as they were delivered.
    pub matched: usize,
}

/// What came of one chain.
#[derive(Debug, Clone)]
pub struct ChainProof {
    /// Which one.
    pub name: ChainName,
    /// Digests that the window needs.
    pub digests: usize,
    /// Those of them that are proved to be AWS's.
    pub proved: usize,
    /// The stretches of delivery that they cover.
    pub covered: Vec<(Timestamp, Timestamp)>,
}

impl Proof {
    /// The gravest of all findings; none when there is nothing to say.
    #[must_use]
    pub fn grade(&self) -> Option<Grade> {
        self.findings.iter().map(|found| found.kind.grade()).max()
    }
}

/// Proves what it can of the log files of a window.
#[must_use]
pub fn verify(sources: &[Source], ask: &Ask<'_>) -> Proof {
    let mut proof = Proof::default();
    for source in sources {
        let threads = source.archive.requests();
        // Without a pool of its own, requests wait for each other; the proof is the same.
        let one = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(|| Run::new(source, ask).run()),
            Err(_) => Run::new(source, ask).run(),
        };
        proof.findings.extend(one.findings);
        proof.chains.extend(one.chains);
        proof.log_files += one.log_files;
        proof.matched += one.matched;
    }
    proof.chains.sort_by(|one, other| one.name.cmp(&other.name));
    proof.findings.sort_by(|one, other| {
        let order = |found: &Finding| (std::cmp::Reverse(found.kind.grade()), found.kind);
        (
            order(one),
            &one.account,
            &one.region,
            one.since,
            &one.location,
        )
            .cmp(&(
                order(other),
                &other.account,
                &other.region,
                other.since,
                &other.location,
            ))
    });
    proof
}

/// The check of one archive.
struct Run<'a> {
    archive: &'a dyn Archive,
    start: &'a str,
    region: Option<&'a str>,
    ask: &'a Ask<'a>,
    stop: &'a Stop,
    stretch: Stretch,
}

/// A chain, and the digests of it that come after the window needs any.
struct Chained {
    name: ChainName,
    checked: Checked,
    later: Vec<DigestEntry>,
}

impl<'a> Run<'a> {
    fn new(source: &'a Source, ask: &'a Ask<'a>) -> Self {
        let late = ask.lag.saturating_add(BUCKET);
        let until = ask.window.until.checked_add(late).unwrap_or(Timestamp::MAX);
        Self {
            archive: &*source.archive,
            start: &source.start,
            region: source.region.as_deref(),
            ask,
            stop: &source.stop,
            stretch: Stretch {
                since: ask.window.since,
                until: until.min(ask.now),
                now: ask.now,
            },
        }
    }

    fn run(&self) -> Proof {
        let near = self
            .stretch
            .until
            .saturating_add(NEAR)
            .unwrap_or(Timestamp::MAX);
        let wanted = Wanted {
            logs: Some(self.selection(Span::of(&self.ask.window, self.ask.lag))),
            digests: self.digests(self.stretch.since, near),
        };
        let found = walk::walk(self.archive, self.start, &wanted, self.stop);
        let Found {
            logs,
            digests,
            problems,
        } = found;
        if self.stop.is_due() {
            let what = "not all log files and digests were found, and none was verified";
            return self.stopped(what);
        }
        let mut findings: Vec<Finding> = problems.into_iter().map(unread).collect();
        let mut keys = self.ask.keys.clone();
        let (log_files, count) = (logs.len(), digests.len());
        let chains = self.chains(digests, &mut keys, &mut findings);
        if self.stop.is_due() {
            let what = format!("none of {count} digests and {log_files} log files was verified");
            return self.stopped(&what);
        }
        let wanted = wanted.logs.as_ref();
        let mut proof = logs::check(self, logs, &chains, wanted, &mut keys, &findings);
        proof.findings.extend(findings);
        proof.chains = chains
            .into_iter()
            .map(|chained| {
                proof.findings.extend(chained.checked.findings);
                ChainProof {
                    name: chained.name,
                    digests: chained.checked.digests,
                    proved: chained.checked.proved,
                    covered: chained.checked.covered,
                }
            })
            .collect();
        proof
    }

    /// What to say of an archive of which nothing can be said, as it was left too early.
    fn stopped(&self, what: &str) -> Proof {
        Proof {
            findings: vec![self.unverified(what)],
            ..Proof::default()
        }
    }

    /// What was not looked at because it was time to stop.
    fn unverified(&self, what: &str) -> Finding {
        Finding {
            kind: Kind::NotVerified,
            account: None,
            region: None,
            location: self.archive.display(self.start),
            problem: format!("{}: {what}", self.stop.reason()),
            since: self.ask.window.since,
            until: Some(self.ask.window.until),
        }
    }

    fn selection(&self, span: Span) -> Selection {
        let regions = match self.region {
            Some(region) => vec![region.to_owned()],
            None => self.ask.regions.clone(),
        };
        Selection {
            span,
            accounts: self.ask.accounts.clone(),
            regions,
        }
    }

    /// The digests that end within a stretch, by their days.
    fn digests(&self, since: Option<Timestamp>, until: Timestamp) -> Selection {
        let until = until.min(self.ask.now);
        let window = Window { since, until };
        self.selection(Span::of(&window, SignedDuration::ZERO))
    }

    /// Sorts digests into chains, fetches those that the window needs, and checks them.
    fn chains(
        &self,
        digests: Vec<DigestEntry>,
        keys: &mut PublicKeys,
        findings: &mut Vec<Finding>,
    ) -> Vec<Chained> {
        let mut by_chain: BTreeMap<ChainName, Vec<DigestEntry>> = BTreeMap::new();
        for digest in digests {
            let chain = by_chain.entry(digest.name.chain.clone()).or_default();
            chain.push(digest);
        }
        let mut fetched = Vec::new();
        for (name, mut entries) in by_chain {
            entries.sort_by(|one, other| {
                (one.name.end, &one.file.key).cmp(&(other.name.end, &other.file.key))
            });
            let since = self.stretch.since;
            entries.retain(|entry| since.is_none_or(|since| entry.name.end > since));
            // The first that ends at or behind the end is the last that is needed.
            let enough = |entry: &DigestEntry| entry.name.end >= self.stretch.until;
            let last = entries
                .iter()
                .find(|entry| enough(entry))
                .map(|entry| entry.name.end);
            let needed =
                entries.partition_point(|entry| last.is_none_or(|last| entry.name.end <= last));
            let later = entries.split_off(needed);
            // The one behind holds the signature of the last.
            let witness = later.get(..1).unwrap_or_default();
            let links = self.fetch(&entries);
            let witness = self.fetch(witness);
            fetched.push((name, links, witness, later));
        }
        let all = fetched.iter().flat_map(|(name, links, witness, _)| {
            links.iter().chain(witness).map(move |link| (name, link))
        });
        keys::find(self.ask.source, all, keys, findings);
        let chains = fetched
            .into_par_iter()
            .map(|(name, links, witness, later)| {
                let checked = chain::check(&name, &links, &witness, keys, self.stretch);
                Chained {
                    name,
                    checked,
                    later,
                }
            });
        chains.collect()
    }

    fn fetch(&self, entries: &[DigestEntry]) -> Vec<Link> {
        let links = entries.par_iter().map(|entry| {
            let key = &entry.file.key;
            let (text, signature) = match self.archive.read(key, true) {
                Ok(content) => (hash::text_of_digest(&content.bytes), content.signature),
                Err(problem) => (Err(problem.problem), None),
            };
            Link {
                location: self.archive.display(key),
                text,
                signature,
            }
        });
        links.collect()
    }
}

fn unread(problem: Problem) -> Finding {
    Finding {
        kind: Kind::PlaceUnread,
        account: None,
        region: None,
        location: problem.location,
        problem: problem.problem,
        since: None,
        until: None,
    }
}

/// What a digest calls a file that lies somewhere.
fn name_of(entry: &LogEntry) -> &str {
    file_name(&entry.file.key)
}
