//! Checks one chain of digests: each is as it was signed, refers to one that is there, and together
//! they cover the window.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::finding::{Finding, Kind};
use super::keys::PublicKeys;
use super::name::{ChainName, file_name};
use super::{Digest, LogFile, Verdict, sha256};

/// How long after the end of the newest digest the next is waited for without alarm. A digest
/// covers an hour and comes some minutes later.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(2);

/// A digest as it was found.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where it lies.
    pub location: String,
    /// Its uncompressed text, or why there is none.
    pub text: Result<Vec<u8>, String>,
    /// Its signature from the metadata of the object, in hexadecimal digits.
    pub signature: Option<String>,
}

/// The deliveries that a chain is to account for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// From then on; none for all that there is.
    pub since: Option<Timestamp>,
    /// Until then.
    pub until: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// What a check of a chain comes to.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// Digests that were judged.
    pub digests: usize,
    /// Those of them that are proved to be AWS's.
    pub proved: usize,
    /// The stretches of delivery that the proved ones cover, in order, joined where they meet.
    pub covered: Vec<(Timestamp, Timestamp)>,
    /// The log files that the digests list.
    pub log_files: Vec<Listed>,
}

/// A log file of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the digest says of it.
    pub file: LogFile,
    /// Whether the digest is proved to be AWS's.
    pub proved: bool,
}

struct Read<'a> {
    link: &'a Link,
    text: &'a [u8],
    name: &'a str,
    digest: Digest,
    start: Timestamp,
    end: Timestamp,
    proved: bool,
}

/// Checks the links of a chain, in any order. `witness` are later ones: they are not judged
/// themselves, but hold the signatures of those before them.
#[must_use]
pub fn check(
    chain: &ChainName,
    links: &[Link],
    witness: &[Link],
    keys: &PublicKeys,
    stretch: Stretch,
) -> Checked {
    let mut checker = Checker {
        chain,
        keys,
        checked: Checked::default(),
    };
    let mut read: Vec<Read<'_>> = Vec::new();
    for link in links {
        checker.checked.digests += 1;
        match parse(link) {
            Ok(one) => read.push(one),
            Err(problem) => {
                let location = link.location.clone();
                checker.find(Kind::DigestUnread, location, problem, None);
            }
        }
    }
    let witness: Vec<Read<'_>> = witness.iter().filter_map(|link| parse(link).ok()).collect();
    read.sort_by_key(|one| one.end);
    checker.judge_all(&mut read, &witness);
    let names: HashSet<&str> = links.iter().map(|link| file_name(&link.location)).collect();
    checker.connections(&read, &names, stretch);
    if !chain.backfill {
        checker.checked.covered = covered(&read);
        checker.tail(&read, stretch);
    }
    let listed = read.into_iter().flat_map(|one| {
        let proved = one.proved;
        let files = one.digest.log_files.into_iter();
        files.map(move |file| Listed { file, proved })
    });
    checker.checked.log_files = listed.collect();
    checker.checked
}

fn parse(link: &Link) -> Result<Read<'_>, String> {
    let text = link.text.as_deref().map_err(Clone::clone)?;
    let digest = Digest::read(text)?;
    let (Some(start), Some(end)) = (digest.start(), digest.end()) else {
        return Err("its times are none".to_owned());
    };
    Ok(Read {
        link,
        text,
        name: file_name(&link.location),
        digest,
        start,
        end,
        proved: false,
    })
}

struct Checker<'a> {
    chain: &'a ChainName,
    keys: &'a PublicKeys,
    checked: Checked,
}

/// What a later digest says of the one before it.
struct Said {
    signature: Option<String>,
    hash: Option<String>,
    proved: bool,
}

impl Checker<'_> {
    /// Judges from the newest back, because each may vouch for the one before.
    fn judge_all(&mut self, read: &mut [Read<'_>], witness: &[Read<'_>]) {
        let mut said: HashMap<String, Said> = HashMap::new();
        for one in witness {
            let proved = one.link.signature.as_deref().is_some_and(|signature| {
                one.digest.judge(one.text, signature, self.keys) == Verdict::Holds
            });
            tell(&mut said, &one.digest, proved);
        }
        for one in read.iter_mut().rev() {
            one.proved = self.judge(one, said.get(one.name));
            self.checked.proved += usize::from(one.proved);
            tell(&mut said, &one.digest, one.proved);
        }
    }

    /// Whether a digest is proved to be AWS's.
    fn judge(&mut self, one: &Read<'_>, said: Option<&Said>) -> bool {
        let location = || one.link.location.clone();
        let own = file_name(&one.digest.digest_s3_object);
        if own != one.name {
            let problem = format!("it is the digest that was delivered as {own}");
            self.find(Kind::DigestMoved, location(), problem, Some(one));
            return false;
        }
        let vouched = said
            .filter(|said| said.proved)
            .and_then(|said| said.hash.as_ref());
        if vouched.is_some_and(|hash| !hash.eq_ignore_ascii_case(&sha256(one.text))) {
            let problem = "its hash is not the one that the next digest holds".to_owned();
            self.find(Kind::DigestChanged, location(), problem, Some(one));
            return false;
        }
        // A signature that fits proves the text, whoever kept it.
        let kept = said.and_then(|said| said.signature.as_ref());
        let signatures = [one.link.signature.as_ref(), kept];
        let verdicts: Vec<Verdict> = signatures
            .into_iter()
            .flatten()
            .map(|signature| one.digest.judge(one.text, signature, self.keys))
            .collect();
        if verdicts.contains(&Verdict::Holds) || vouched.is_some() {
            return true;
        }
        let fingerprint = &one.digest.digest_public_key_fingerprint;
        let (kind, problem) = match verdicts.first() {
            None => (
                Kind::DigestUnsigned,
                "neither its own metadata nor a next digest holds its signature".to_owned(),
            ),
            Some(Verdict::NoKey) => (
                Kind::KeyUnknown,
                format!("it is signed with the key {fingerprint}, which is not known"),
            ),
            Some(Verdict::Unsupported) => (
                Kind::Unsupported,
                "it is signed in a way that is not known here".to_owned(),
            ),
            Some(Verdict::Fails | Verdict::Holds) => (
                Kind::DigestChanged,
                "its signature does not fit: it, or its signature, was changed".to_owned(),
            ),
        };
        self.find(kind, location(), problem, Some(one));
        false
    }

    /// Looks for each digest that another refers to, and for where a chain began anew.
    fn connections(&mut self, read: &[Read<'_>], names: &HashSet<&str>, stretch: Stretch) {
        let mut missing = HashSet::new();
        let mut ended: Option<Timestamp> = None;
        for one in read {
            let inside = match (stretch.since, ended) {
                (Some(since), _) => one.start > since,
                (None, ended) => ended.is_some(),
            };
            match &one.digest.previous_digest_s3_object {
                Some(previous) => {
                    let name = file_name(previous);
                    // Without a beginning the window holds all that the chain ever was.
                    let needed = inside || stretch.since.is_none();
                    if needed && !names.contains(name) && missing.insert(name) {
                        let problem = format!("{} refers to it, and it is not there", one.name);
                        self.find(Kind::DigestMissing, previous.clone(), problem, Some(one));
                    }
                }
                None if inside && !self.chain.backfill => {
                    let since = ended.max(stretch.since);
                    self.gap(
                        Kind::Gap,
                        since,
                        one.start,
                        "the chain of digests begins anew",
                    );
                }
                None => {}
            }
            ended = ended.max(Some(one.end));
        }
    }

    /// Looks at what lies behind the newest digest.
    fn tail(&mut self, read: &[Read<'_>], stretch: Stretch) {
        let Some(end) = read.iter().map(|one| one.end).max() else {
            return;
        };
        let needed = stretch.until.min(stretch.now);
        if end >= needed {
            return;
        }
        if end
            >= stretch
                .now
                .saturating_sub(PATIENCE)
                .unwrap_or(Timestamp::MIN)
        {
            let problem = "the next digest is yet to come";
            self.gap(Kind::Pending, Some(end), needed, problem);
        } else {
            self.gap(Kind::Gap, Some(end), needed, "the digests end");
        }
    }

    fn gap(&mut self, kind: Kind, since: Option<Timestamp>, until: Timestamp, why: &str) {
        let from = since.map_or("the beginning".to_owned(), |since| since.to_string());
        self.checked.findings.push(Finding {
            kind,
            account: Some(self.chain.account.clone()),
            region: Some(self.chain.region.clone()),
            location: format!("trail {}", self.chain.trail),
            problem: format!(
                "nothing vouches for what was delivered from {from} to {until}: {why}"
            ),
            since,
            until: Some(until),
        });
    }

    fn find(&mut self, kind: Kind, location: String, problem: String, one: Option<&Read<'_>>) {
        self.checked.findings.push(Finding {
            kind,
            account: Some(self.chain.account.clone()),
            region: Some(self.chain.region.clone()),
            location,
            problem,
            since: one.map(|one| one.start),
            until: one.map(|one| one.end),
        });
    }
}

fn tell(said: &mut HashMap<String, Said>, digest: &Digest, proved: bool) {
    let Some(previous) = &digest.previous_digest_s3_object else {
        return;
    };
    let new = Said {
        signature: digest.previous_digest_signature.clone(),
        hash: digest.previous_digest_hash_value.clone(),
        proved,
    };
    let name = file_name(previous).to_owned();
    match said.get(&name) {
        // Of two that speak of the same one, the proved one counts.
        Some(known) if known.proved || !proved => {}
        _ => drop(said.insert(name, new)),
    }
}

/// The stretches that proved digests cover, joined where they meet.
fn covered(read: &[Read<'_>]) -> Vec<(Timestamp, Timestamp)> {
    let mut proved: Vec<_> = read
        .iter()
        .filter(|one| one.proved)
        .map(|one| (one.start, one.end))
        .collect();
    proved.sort_unstable();
    let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in proved {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
