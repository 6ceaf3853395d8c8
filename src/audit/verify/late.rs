//! Log files that were delivered late, and stand in digests that came after those of the window.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::keys::find as find_keys;
use super::logs::{Expected, expect};
use super::walk::{self, DigestEntry, Wanted};
use super::{Chained, NEAR, Proof, REDELIVERY, Run};
use crate::audit::cloudtrail::digest::LogFile;
use crate::audit::cloudtrail::digest::chain::{self, Stretch};
use crate::audit::cloudtrail::digest::keys::PublicKeys;
use crate::audit::cloudtrail::digest::name::file_name;

/// Later digests that are read at once in search of a file that none lists so far.
const BATCH: usize = 24;

/// The search for log files in digests that came after those of the window.
pub(super) struct Late<'a, 'r> {
    pub run: &'a Run<'r>,
    pub account: &'a str,
    pub region: &'a str,
}

impl Late<'_, '_> {
    /// Makes those that it finds expected ones, and tells the end of the newest digest there is.
    pub(super) fn search(
        &self,
        chains: &[&Chained],
        mut names: HashSet<&str>,
        keys: &mut PublicKeys,
        expected: &mut HashMap<String, Expected>,
        proof: &mut Proof,
    ) -> Option<Timestamp> {
        let newest = |chained: &&Chained| {
            let later = chained.later.last().map(|entry| entry.name.end);
            let covered = chained.checked.covered.last().map(|stretch| stretch.1);
            later.max(covered)
        };
        let seen = chains.iter().filter_map(newest).max();
        let near: Vec<DigestEntry> = chains
            .iter()
            .flat_map(|chained| chained.later.iter().cloned())
            .collect();
        self.look(near, &mut names, keys, expected, proof);
        let run = self.run;
        let begin = run.stretch.until.saturating_add(NEAR);
        let end = run.stretch.until.saturating_add(REDELIVERY);
        let (Ok(begin), Ok(end)) = (begin, end) else {
            return seen;
        };
        if names.is_empty() || begin >= run.ask.now {
            return seen;
        }
        let mut digests = run.digests(Some(begin), end);
        digests.accounts = vec![self.account.to_owned()];
        digests.regions = vec![self.region.to_owned()];
        let wanted = Wanted {
            logs: None,
            digests,
        };
        let mut found = walk::walk(run.archive, run.start, &wanted, run.stop);
        let known: HashSet<&str> = chains
            .iter()
            .flat_map(|chained| &chained.later)
            .map(|entry| entry.file.key.as_str())
            .collect();
        found
            .digests
            .retain(|entry| !known.contains(entry.file.key.as_str()));
        let newest = found.digests.iter().map(|entry| entry.name.end).max();
        self.look(found.digests, &mut names, keys, expected, proof);
        seen.max(newest)
    }

    fn look(
        &self,
        mut entries: Vec<DigestEntry>,
        names: &mut HashSet<&str>,
        keys: &mut PublicKeys,
        expected: &mut HashMap<String, Expected>,
        proof: &mut Proof,
    ) {
        entries.sort_by_key(|entry| entry.name.end);
        // Nothing is asked of the chain here but which digests are genuine.
        let stretch = Stretch {
            since: Some(Timestamp::MAX),
            until: Timestamp::MIN,
            now: self.run.ask.now,
        };
        for batch in entries.chunks(BATCH) {
            if names.is_empty() {
                return;
            }
            let links = self.run.fetch(batch);
            let mut problems = Vec::new();
            for (entry, link) in batch.iter().zip(&links) {
                let chain = &entry.name.chain;
                let source = self.run.ask.source;
                find_keys(source, std::iter::once((chain, link)), keys, &mut problems);
                let link = std::slice::from_ref(link);
                let checked = chain::check(chain, link, &[], keys, stretch);
                let proved = checked.log_files.iter().filter(|listed| listed.proved);
                let sought = proved
                    .map(|listed| &listed.file)
                    .filter(|file| names.contains(file_name(&file.s3_object)));
                let sought: Vec<&LogFile> = sought.collect();
                expect(expected, chain, sought.iter().copied(), None);
                for file in sought {
                    names.remove(file_name(&file.s3_object));
                }
            }
            if self.run.stop.is_due() {
                return;
            }
            proof.findings.extend(problems);
        }
    }
}
