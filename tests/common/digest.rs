//! Makes digests as CloudTrail does, with a key for tests.

use std::fmt::Write as _;

use base64::Engine as _;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};

/// The account of all digests.
pub const ACCOUNT: &str = "111111111111";
/// The bucket that they say they were delivered to.
pub const BUCKET: &str = "logs";

const KEY: &[u8] = include_bytes!("../../testdata/digest/signing-key.der");
const OTHER: &[u8] = include_bytes!("../../testdata/digest/other-key.der");

/// Makes the digests of one region and trail, on 2026-01-15.
pub struct Maker {
    key: RsaKeyPair,
    /// What its key is called.
    pub fingerprint: &'static str,
    /// The region.
    pub region: &'static str,
    /// The trail.
    pub trail: &'static str,
}

/// A digest that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The key it is delivered to.
    pub object: String,
    /// Its uncompressed text.
    pub text: Vec<u8>,
    /// Its signature.
    pub signature: String,
}

impl Maker {
    /// One that signs with the usual key.
    pub fn new() -> Self {
        Self::with(KEY, "0f0e0d0c0b0a09080706050403020100")
    }

    /// One that signs with another key.
    pub fn forger() -> Self {
        Self::with(OTHER, "00112233445566778899aabbccddeeff")
    }

    fn with(der: &[u8], fingerprint: &'static str) -> Self {
        Self {
            key: RsaKeyPair::from_der(der).unwrap(),
            fingerprint,
            region: "eu-west-1",
            trail: "main",
        }
    }

    /// What `aws cloudtrail list-public-keys` would print.
    pub fn keys(&self) -> String {
        let value = base64::engine::general_purpose::STANDARD.encode(self.key.public_key());
        format!(
            r#"{{"PublicKeyList":[{{"Value":"{value}","Fingerprint":"{}"}}]}}"#,
            self.fingerprint
        )
    }

    /// The key of a log file of a time, as `1035`.
    pub fn log(&self, clock: &str) -> String {
        let region = self.region;
        format!(
            "AWSLogs/{ACCOUNT}/CloudTrail/{region}/2026/01/15/{ACCOUNT}_CloudTrail_{region}_20260115T{clock}Z_x.json.gz"
        )
    }

    /// The digest of the hour that ends at this hour, for log files by key and uncompressed text.
    pub fn digest(&self, hour: u32, logs: &[(&str, &str)], previous: Option<&Made>) -> Made {
        self.make(hour, "", logs, previous)
    }

    /// The same, added later.
    pub fn backfill(&self, hour: u32, logs: &[(&str, &str)], previous: Option<&Made>) -> Made {
        self.make(hour, "_backfill", logs, previous)
    }

    fn make(
        &self,
        hour: u32,
        suffix: &str,
        logs: &[(&str, &str)],
        previous: Option<&Made>,
    ) -> Made {
        let (region, trail) = (self.region, self.trail);
        let end = format!("2026-01-15T{hour:02}:01:31Z");
        let object = format!(
            "AWSLogs/{ACCOUNT}/CloudTrail-Digest/{region}/2026/01/15/{ACCOUNT}_CloudTrail-Digest_{region}_{trail}_us-east-1_20260115T{hour:02}0131Z{suffix}.json.gz"
        );
        let logs: Vec<_> = logs
            .iter()
            .map(|(key, text)| {
                let (oldest, newest) = events(key, text);
                serde_json::json!({
                    "s3Bucket": BUCKET,
                    "s3Object": key,
                    "hashValue": hash(text.as_bytes()),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": newest,
                    "oldestEventTime": oldest,
                })
            })
            .collect();
        let text = serde_json::json!({
            "awsAccountId": ACCOUNT,
            "digestStartTime": format!("2026-01-15T{:02}:01:31Z", hour - 1),
            "digestEndTime": end,
            "digestS3Bucket": BUCKET,
            "digestS3Object": object,
            "digestPublicKeyFingerprint": self.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null,
            "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|_| BUCKET),
            "previousDigestS3Object": previous.map(|made| &made.object),
            "previousDigestHashValue": previous.map(|made| hash(&made.text)),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|made| &made.signature),
            "logFiles": logs,
        })
        .to_string()
        .into_bytes();
        let before = previous.map_or("null", |made| &made.signature);
        let signed = format!("{end}\n{BUCKET}/{object}\n{}\n{before}", hash(&text));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        Made {
            object,
            text,
            signature: hex(&signature),
        }
    }

    /// Digests from 08:01:31 on, for the hours that end at 9, 10, …: each with its log files.
    pub fn chain(&self, hours: &[&[(&str, &str)]]) -> Vec<Made> {
        let mut made: Vec<Made> = Vec::new();
        for (hour, logs) in (9..).zip(hours) {
            made.push(self.digest(hour, logs, made.last()));
        }
        made
    }
}

/// The oldest and newest event of a log file; of one that has none, times that fit its name.
fn events(key: &str, text: &str) -> (String, String) {
    let times = text.split("\"eventTime\":\"").skip(1);
    let mut times: Vec<String> = times
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    times.sort();
    if let (Some(oldest), Some(newest)) = (times.first(), times.last()) {
        return (oldest.clone(), newest.clone());
    }
    let clock = key.split("_20260115T").nth(1).unwrap();
    let end: jiff::Timestamp = format!("2026-01-15T{}:{}:00Z", &clock[..2], &clock[2..4])
        .parse()
        .unwrap();
    let before = |minutes| (end - jiff::SignedDuration::from_mins(minutes)).to_string();
    (before(4), before(2))
}

fn hash(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
