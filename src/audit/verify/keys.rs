//! Public keys from CloudTrail itself, and which of them are asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_cloudtrail::error::DisplayErrorContext;
use aws_sdk_cloudtrail::primitives::DateTime;
use jiff::Timestamp;

use crate::audit::cloudtrail::digest::Digest;
use crate::audit::cloudtrail::digest::chain::Link;
use crate::audit::cloudtrail::digest::finding::{Finding, Kind};
use crate::audit::cloudtrail::digest::keys::PublicKeys;
use crate::audit::cloudtrail::digest::name::ChainName;
use crate::audit::pipeline::Stop;
use crate::s3;

/// Knows public keys.
pub trait KeySource: Sync {
    /// The keys that digests of a region were signed with in a stretch of time.
    ///
    /// # Errors
    /// In words, when it cannot tell.
    fn keys(&self, region: &str, since: Timestamp, until: Timestamp) -> Result<PublicKeys, String>;
}

/// Knows no key: all that count were given.
pub struct NoSource;

impl KeySource for NoSource {
    fn keys(&self, _: &str, _: Timestamp, _: Timestamp) -> Result<PublicKeys, String> {
        Ok(PublicKeys::default())
    }
}

/// Asks for the keys that are not known: where the log files come from, then where the trail
/// was made.
pub(super) fn find<'l>(
    source: &dyn KeySource,
    links: impl Iterator<Item = (&'l ChainName, &'l Link)>,
    keys: &mut PublicKeys,
    findings: &mut Vec<Finding>,
) {
    let mut unknown: HashMap<String, (BTreeSet<&str>, Timestamp, Timestamp)> = HashMap::new();
    let mut regions: BTreeMap<&str, (Timestamp, Timestamp)> = BTreeMap::new();
    for (chain, link) in links {
        let Some(digest) = link
            .text
            .as_ref()
            .ok()
            .and_then(|text| Digest::read(text).ok())
        else {
            continue;
        };
        let (Some(start), Some(end)) = (digest.start(), digest.end()) else {
            continue;
        };
        let fingerprint = digest.digest_public_key_fingerprint;
        if keys.get(&fingerprint).is_none() {
            let entry = unknown
                .entry(fingerprint)
                .or_insert((BTreeSet::new(), start, end));
            entry.0.insert(&chain.home);
            (entry.1, entry.2) = (entry.1.min(start), entry.2.max(end));
            let stretch = regions.entry(&chain.region).or_insert((start, end));
            *stretch = (stretch.0.min(start), stretch.1.max(end));
        }
    }
    let mut problems = BTreeMap::new();
    let mut ask = |regions: BTreeMap<&str, (Timestamp, Timestamp)>, keys: &mut PublicKeys| {
        for (region, (since, until)) in regions {
            match source.keys(region, since, until) {
                Ok(more) => keys.extend(more),
                Err(problem) => drop(problems.insert(region.to_owned(), problem)),
            }
        }
    };
    ask(regions, keys);
    let mut homes: BTreeMap<&str, (Timestamp, Timestamp)> = BTreeMap::new();
    for (fingerprint, (regions, start, end)) in &unknown {
        if keys.get(fingerprint).is_some() {
            continue;
        }
        for home in regions {
            let stretch = homes.entry(home).or_insert((*start, *end));
            *stretch = (stretch.0.min(*start), stretch.1.max(*end));
        }
    }
    ask(homes, keys);
    findings.extend(problems.into_iter().map(|(region, problem)| Finding {
        kind: Kind::KeyUnknown,
        account: None,
        region: Some(region),
        location: "cloudtrail:ListPublicKeys".to_owned(),
        problem: format!("the public keys could not be fetched: {problem}"),
        since: None,
        until: None,
    }));
}

/// Asks CloudTrail, by `ListPublicKeys`, with the credentials that the bucket is read with. An
/// endpoint of one's own is named as for all of AWS's tools, by `AWS_ENDPOINT_URL_CLOUDTRAIL`.
pub struct CloudTrail {
    options: s3::Options,
    stop: Stop,
    runtime: tokio::runtime::Runtime,
}

impl CloudTrail {
    /// Starts a runtime for the requests, which are made until it is time to stop.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &s3::Options, stop: &Stop) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            options: options.clone(),
            stop: stop.clone(),
            runtime,
        })
    }

    async fn ask(
        &self,
        region: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<PublicKeys, String> {
        let options = s3::Options {
            region: Some(region.to_owned()),
            ..self.options.clone()
        };
        let client = aws_sdk_cloudtrail::Client::new(&s3::sdk_config(&options).await);
        let mut keys = PublicKeys::default();
        let mut token = None;
        loop {
            let answer = client
                .list_public_keys()
                .start_time(DateTime::from_secs(since.as_second()))
                .end_time(DateTime::from_secs(until.as_second()))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| format!("{}", DisplayErrorContext(error)))?;
            for key in answer.public_key_list.unwrap_or_default() {
                if let (Some(fingerprint), Some(value)) = (key.fingerprint, key.value) {
                    keys.add(&fingerprint, value.as_ref());
                }
            }
            token = answer.next_token;
            if token.is_none() {
                return Ok(keys);
            }
        }
    }
}

impl KeySource for CloudTrail {
    fn keys(&self, region: &str, since: Timestamp, until: Timestamp) -> Result<PublicKeys, String> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.due() => Err(self.stop.reason()),
                keys = self.ask(region, since, until) => keys,
            }
        })
    }
}
