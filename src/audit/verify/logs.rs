//! Log files against the digests: each listed one is there and has its hash, and no other is.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;

use super::late::Late;
use super::walk::LogEntry;
use super::{Chained, Proof, Run, hash, name_of};
use crate::audit::cloudtrail::digest::LogFile;
use crate::audit::cloudtrail::digest::chain::PATIENCE;
use crate::audit::cloudtrail::digest::finding::{Finding, Kind};
use crate::audit::cloudtrail::digest::keys::PublicKeys;
use crate::audit::cloudtrail::digest::name::{ChainName, file_name};
use crate::audit::cloudtrail::layout::{Name, Selection};
use crate::audit::cloudtrail::span::BUCKET;

/// A log file of the window that a digest lists.
pub(super) struct Expected {
    file: LogFile,
    account: String,
    region: String,
}

/// Checks the log files that lie there against the chains.
pub fn check(
    run: &Run<'_>,
    logs: Vec<LogEntry>,
    chains: &[Chained],
    wanted: Option<&Selection>,
    keys: &mut PublicKeys,
    troubles: &[Finding],
) -> Proof {
    let mut proof = Proof::default();
    let mut expected: HashMap<String, Expected> = HashMap::new();
    for chained in chains {
        let listed = chained.checked.log_files.iter();
        expect(
            &mut expected,
            &chained.name,
            listed.map(|one| &one.file),
            wanted,
        );
    }
    let unlisted: Vec<&LogEntry> = logs
        .iter()
        .filter(|entry| !expected.contains_key(name_of(entry)))
        .collect();
    let (unlisted, mut left) =
        judge_unlisted(run, &unlisted, chains, keys, &mut expected, &mut proof);
    let mut present: HashMap<&str, Vec<&LogEntry>> = HashMap::new();
    for entry in &logs {
        present.entry(name_of(entry)).or_default().push(entry);
    }
    proof.log_files = expected.len();
    let all = proof.log_files + left;
    let judged: Vec<Option<Result<(), Vec<Finding>>>> = expected
        .par_iter()
        .map(|(name, expected)| match present.get(name.as_str()) {
            Some(entries) => judge(run, expected, entries),
            None => Some(Err(vec![missing(expected, troubles)])),
        })
        .collect();
    for one in judged {
        match one {
            Some(Ok(())) => proof.matched += 1,
            Some(Err(findings)) => proof.findings.extend(findings),
            None => left += 1,
        }
    }
    if left > 0 {
        let what = format!("{left} of {all} log files were not verified");
        proof.findings.push(run.unverified(&what));
    }
    proof.findings.extend(unlisted);
    if logs.is_empty() && chains.is_empty() {
        proof.findings.push(Finding {
            kind: Kind::NoDigests,
            account: None,
            region: None,
            location: run.archive.display(run.start),
            problem: "neither log files nor digests of the window lie there".to_owned(),
            since: run.ask.window.since,
            until: Some(run.ask.window.until),
        });
    }
    proof
}

/// Adds what a digest of a chain lists, as far as it is wanted.
pub(super) fn expect<'l>(
    expected: &mut HashMap<String, Expected>,
    chain: &ChainName,
    files: impl Iterator<Item = &'l LogFile>,
    wanted: Option<&Selection>,
) {
    for file in files {
        let name = file_name(&file.s3_object);
        let is_log = matches!(Name::of(name), Name::Log { .. });
        if is_log && wanted.is_none_or(|wanted| wanted.admits_name(name)) {
            expected.entry(name.to_owned()).or_insert_with(|| Expected {
                file: file.clone(),
                account: chain.account.clone(),
                region: chain.region.clone(),
            });
        }
    }
}

/// Hashes every copy of a log file: each could be the one that is read. None if it is time to stop
/// before anything is known against it.
fn judge(
    run: &Run<'_>,
    expected: &Expected,
    entries: &[&LogEntry],
) -> Option<Result<(), Vec<Finding>>> {
    let find = |kind, location, problem| Finding {
        kind,
        account: Some(expected.account.clone()),
        region: Some(expected.region.clone()),
        location,
        problem,
        since: None,
        until: None,
    };
    let mut findings = Vec::new();
    for entry in entries {
        if run.stop.is_due() {
            break;
        }
        let location = run.archive.display(&entry.file.key);
        let algorithm = expected.file.hash_algorithm.as_deref();
        if algorithm.is_some_and(|algorithm| algorithm != "SHA-256") {
            let problem = "its hash is of a kind that is not known here".to_owned();
            findings.push(find(Kind::Unsupported, location, problem));
            continue;
        }
        let known = run.ask.read.and_then(|read| read.hash(&location));
        let hash = match known.map(Ok) {
            Some(known) => known,
            None => match run.archive.read(&entry.file.key, false) {
                Ok(content) => hash::of_log(&content.bytes),
                Err(_) if run.stop.is_due() => break,
                Err(problem) => {
                    findings.push(find(Kind::LogUnread, location, problem.problem));
                    continue;
                }
            },
        };
        match hash {
            Ok(hash) if hash.eq_ignore_ascii_case(&expected.file.hash_value) => {}
            Ok(_) => {
                let problem = "its hash is not the one that its digest lists".to_owned();
                findings.push(find(Kind::LogChanged, location, problem));
            }
            Err(problem) => findings.push(find(Kind::LogChanged, location, problem)),
        }
    }
    match findings.as_slice() {
        [] if run.stop.is_due() => None,
        [] => Some(Ok(())),
        _ => Some(Err(findings)),
    }
}

fn missing(expected: &Expected, troubles: &[Finding]) -> Finding {
    let unseen = troubles.iter().any(|found| found.kind == Kind::PlaceUnread);
    let (kind, problem) = if unseen {
        (
            Kind::LogUnread,
            "not every folder could be listed, and it was not seen",
        )
    } else {
        (Kind::LogMissing, "a digest lists it, and it is not there")
    };
    Finding {
        kind,
        account: Some(expected.account.clone()),
        region: Some(expected.region.clone()),
        location: expected.file.s3_object.clone(),
        problem: problem.to_owned(),
        since: None,
        until: None,
    }
}

/// Judges log files that the digests of the window do not list, place by place. One that a later
/// digest lists, because it was delivered late, joins the expected ones. Returns with the findings
/// how many could not be judged because it was time to stop.
fn judge_unlisted(
    run: &Run<'_>,
    unlisted: &[&LogEntry],
    chains: &[Chained],
    keys: &mut PublicKeys,
    expected: &mut HashMap<String, Expected>,
    proof: &mut Proof,
) -> (Vec<Finding>, usize) {
    let mut places: BTreeMap<(&str, &str), Vec<&LogEntry>> = BTreeMap::new();
    for entry in unlisted {
        let place = (entry.account.as_str(), entry.region.as_str());
        places.entry(place).or_default().push(entry);
    }
    let (mut findings, mut left) = (Vec::new(), 0);
    for ((account, region), entries) in places {
        let own: Vec<&Chained> = chains
            .iter()
            .filter(|chained| chained.name.account == account && chained.name.region == region)
            .collect();
        if own.is_empty() {
            findings.push(Finding {
                kind: Kind::NoDigests,
                account: Some(account.to_owned()),
                region: Some(region.to_owned()),
                location: run.archive.display(run.start),
                problem: format!("there are {} log files and no digest", entries.len()),
                since: run.ask.window.since,
                until: Some(run.ask.window.until),
            });
            continue;
        }
        // What lies in a gap is told with the gap.
        let open: Vec<&LogEntry> = entries
            .into_iter()
            .filter(|entry| covered(entry, &own))
            .collect();
        if open.is_empty() {
            continue;
        }
        let names: HashSet<&str> = open.iter().map(|entry| name_of(entry)).collect();
        let late = Late {
            run,
            account,
            region,
        };
        let end = late.search(&own, names, keys, expected, proof);
        let unlisted = open
            .into_iter()
            .filter(|entry| !expected.contains_key(name_of(entry)));
        if run.stop.is_due() {
            left += unlisted.count();
            continue;
        }
        // Where the digests end is told once, not for each file behind it.
        let told = own.iter().any(|chained| {
            let tail = |found: &&Finding| matches!(found.kind, Kind::Gap | Kind::Pending);
            let mut tails = chained.checked.findings.iter().filter(tail);
            end.is_some() && tails.any(|found| found.since == end)
        });
        findings.extend(unlisted.filter_map(|entry| {
            let (kind, problem) = why_unlisted(run, entry, end);
            (kind == Kind::LogExtra || !told).then(|| Finding {
                kind,
                account: Some(account.to_owned()),
                region: Some(region.to_owned()),
                location: run.archive.display(&entry.file.key),
                problem: problem.to_owned(),
                since: None,
                until: None,
            })
        }));
    }
    (findings, left)
}

/// Whether proved digests cover the time in the name of a file.
fn covered(entry: &LogEntry, chains: &[&Chained]) -> bool {
    let Some(named) = entry.minute.time() else {
        return true;
    };
    let mut stretches = chains.iter().flat_map(|chained| &chained.checked.covered);
    stretches.any(|(start, end)| *start <= named && named <= *end)
}

/// Why no digest lists a file, when the newest of them ends then.
fn why_unlisted(run: &Run<'_>, entry: &LogEntry, end: Option<Timestamp>) -> (Kind, &'static str) {
    // A copy does not tell when its object was delivered.
    let late = run.ask.lag.saturating_add(BUCKET);
    let named = entry.minute.time();
    let latest = named.map(|named| named.checked_add(late).unwrap_or(Timestamp::MAX));
    let delivered = entry.file.modified.or(latest);
    let Some(delivered) = delivered.filter(|delivered| end.is_none_or(|end| *delivered > end))
    else {
        return (
            Kind::LogExtra,
            "no digest lists it, though digests cover its time",
        );
    };
    if run.ask.now.duration_since(delivered) < PATIENCE {
        (
            Kind::Pending,
            "the digest that is to list it is yet to come",
        )
    } else {
        (Kind::Gap, "no digest lists it, and none follows that could")
    }
}
