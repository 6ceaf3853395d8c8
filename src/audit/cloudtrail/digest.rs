//! CloudTrail's digests: what one says, what of it is signed, and whether a signature holds.
//!
//! Every hour, for each account, region and trail, CloudTrail writes a digest: the hashes of the
//! log files that it delivered, and the hash and signature of the digest before. Its own signature
//! lies beside it, in the metadata of the object. The rules are those of AWS's "Custom
//! implementations of CloudTrail log file integrity validation".

pub mod chain;
pub mod finding;
pub mod keys;
pub mod name;

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

use keys::PublicKeys;

/// The one algorithm that AWS signs digests with.
const ALGORITHM: &str = "SHA256withRSA";

/// What a digest says. Texts stand as written, because the signature is over the text.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The first instant of delivery that it covers.
    pub digest_start_time: String,
    /// The last instant of delivery that it covers.
    pub digest_end_time: String,
    /// The bucket it was delivered to.
    pub digest_s3_bucket: String,
    /// The key it was delivered to.
    pub digest_s3_object: String,
    /// Which public key fits its signature.
    pub digest_public_key_fingerprint: String,
    /// How it was signed; missing is taken for the usual.
    #[serde(default)]
    pub digest_signature_algorithm: Option<String>,
    /// The key of the digest before; none at the start of a chain.
    pub previous_digest_s3_object: Option<String>,
    /// SHA-256 of the digest before, uncompressed, in hexadecimal digits.
    #[serde(default)]
    pub previous_digest_hash_value: Option<String>,
    /// Signature of the digest before, in hexadecimal digits.
    pub previous_digest_signature: Option<String>,
    /// The log files that were delivered.
    pub log_files: Vec<LogFile>,
}

/// A log file as a digest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// The key it was delivered to.
    pub s3_object: String,
    /// SHA-256 of it, uncompressed, in hexadecimal digits.
    pub hash_value: String,
    /// The algorithm of the hash; missing is taken for SHA-256.
    #[serde(default)]
    pub hash_algorithm: Option<String>,
    /// When the oldest event in it was.
    #[serde(default)]
    pub oldest_event_time: Option<String>,
    /// When the newest event in it was.
    #[serde(default)]
    pub newest_event_time: Option<String>,
}

impl LogFile {
    /// When its oldest and its newest event were, both in whole seconds.
    #[must_use]
    pub fn events(&self) -> Option<(Timestamp, Timestamp)> {
        let time = |text: &Option<String>| text.as_ref()?.parse::<Timestamp>().ok();
        let (oldest, newest) = (
            time(&self.oldest_event_time)?,
            time(&self.newest_event_time)?,
        );
        (oldest <= newest).then_some((oldest, newest))
    }
}

/// What a signature proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The digest is as AWS signed it.
    Holds,
    /// It is not.
    Fails,
    /// The key that its fingerprint names is not known.
    NoKey,
    /// It is signed in a way that is not known here.
    Unsupported,
}

impl Digest {
    /// Reads the uncompressed text of a digest.
    ///
    /// # Errors
    /// In words, when it is none.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let digest: Self = serde_json::from_slice(text)
            .map_err(|error| format!("it is no digest of CloudTrail: {error}"))?;
        match (digest.start(), digest.end()) {
            (Some(start), Some(end)) if start <= end => Ok(digest),
            _ => Err("it is no digest of CloudTrail: its times are none".to_owned()),
        }
    }

    /// The first instant of delivery that it covers.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.digest_start_time.parse().ok()
    }

    /// The last instant of delivery that it covers.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.digest_end_time.parse().ok()
    }

    /// What AWS signs of a digest with this uncompressed text: when it ends, where it was
    /// delivered, its hash, and the signature before it.
    #[must_use]
    pub fn signing_text(&self, text: &[u8]) -> String {
        format!(
            "{}\n{}/{}\n{}\n{}",
            self.digest_end_time,
            self.digest_s3_bucket,
            self.digest_s3_object,
            sha256(text),
            self.previous_digest_signature.as_deref().unwrap_or("null"),
        )
    }

    /// Judges a signature, in hexadecimal digits, of the digest with this uncompressed text.
    #[must_use]
    pub fn judge(&self, text: &[u8], signature: &str, keys: &PublicKeys) -> Verdict {
        let algorithm = self.digest_signature_algorithm.as_deref();
        if algorithm.is_some_and(|algorithm| algorithm != ALGORITHM) {
            return Verdict::Unsupported;
        }
        let Some(key) = keys.get(&self.digest_public_key_fingerprint) else {
            return Verdict::NoKey;
        };
        let Some(signature) = from_hex(signature) else {
            return Verdict::Fails;
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        match key.verify(self.signing_text(text).as_bytes(), &signature) {
            Ok(()) => Verdict::Holds,
            Err(_) => Verdict::Fails,
        }
    }
}

/// SHA-256 in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

/// SHA-256 of bytes that come in pieces.
pub struct Hasher(Context);

impl Default for Hasher {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash.
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        let hash = self.0.finish();
        hash.as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// The hash, in hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.bytes() {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |byte: u8| {
        let digit = char::from(byte).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made and signed with the openssl command line by `testdata/digest/make.sh`, which follows
    /// AWS's document and shares nothing with this code.
    const TEXT: &[u8] = include_bytes!("../../../testdata/digest/digest.json");
    const FIRST: &[u8] = include_bytes!("../../../testdata/digest/first.json");
    const SIGNED: &str = include_str!("../../../testdata/digest/digest.signed.txt");
    const SIGNATURE: &str = include_str!("../../../testdata/digest/digest.signature.txt");
    const FIRST_SIGNATURE: &str = include_str!("../../../testdata/digest/first.signature.txt");
    const KEYS: &[u8] = include_bytes!("../../../testdata/digest/public-keys.json");

    fn keys() -> PublicKeys {
        PublicKeys::from_json(KEYS).unwrap()
    }

    #[test]
    fn what_is_signed_is_byte_for_byte_what_aws_documents() {
        let digest = Digest::read(TEXT).unwrap();
        assert_eq!(digest.signing_text(TEXT), SIGNED);
    }

    #[test]
    fn a_signature_that_openssl_made_holds_and_no_other_does() {
        let digest = Digest::read(TEXT).unwrap();
        assert_eq!(digest.judge(TEXT, SIGNATURE, &keys()), Verdict::Holds);
        let mut changed = TEXT.to_vec();
        changed.push(b' ');
        assert_eq!(digest.judge(&changed, SIGNATURE, &keys()), Verdict::Fails);
        for wrong in ["", "zz", "abc", FIRST_SIGNATURE] {
            assert_eq!(
                digest.judge(TEXT, wrong, &keys()),
                Verdict::Fails,
                "{wrong}"
            );
        }
        let none = PublicKeys::default();
        assert_eq!(digest.judge(TEXT, SIGNATURE, &none), Verdict::NoKey);
    }

    #[test]
    fn the_first_of_a_chain_signs_the_word_null() {
        let digest = Digest::read(FIRST).unwrap();
        assert!(digest.signing_text(FIRST).ends_with("\nnull"));
        let verdict = digest.judge(FIRST, FIRST_SIGNATURE, &keys());
        assert_eq!(verdict, Verdict::Holds);
    }

    #[test]
    fn an_algorithm_that_is_not_known_proves_nothing() {
        let text = String::from_utf8(TEXT.to_vec()).unwrap();
        let text = text.replace("SHA256withRSA", "SHA1withRSA");
        let digest = Digest::read(text.as_bytes()).unwrap();
        let verdict = digest.judge(text.as_bytes(), SIGNATURE, &keys());
        assert_eq!(verdict, Verdict::Unsupported);
    }

    #[test]
    fn what_is_no_digest_is_refused_in_words() {
        let late = String::from_utf8(TEXT.to_vec()).unwrap();
        let late = late.replace("2026-01-15T11:01:31Z", "eleven");
        for text in ["", "{}", "[]", "{\"Records\":[]}", &late] {
            let refused = Digest::read(text.as_bytes()).unwrap_err();
            assert!(refused.starts_with("it is no digest"), "{refused}");
        }
    }

    #[test]
    fn a_hash_is_the_published_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            (sha256(b"").as_str(), sha256(b"abc").as_str()),
            (empty, abc)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "\\PC{0,60}", bytes in proptest::collection::vec(0u8.., 0..60)) {
            let _ = Digest::read(text.as_bytes());
            let _ = Digest::read(&bytes);
            let _ = from_hex(&text);
            let _ = PublicKeys::from_json(&bytes);
        }

        #[test]
        fn hexadecimal_digits_are_read_as_written(bytes in proptest::collection::vec(0u8.., 0..60)) {
            let text = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"));
            proptest::prop_assert_eq!(from_hex(&text), Some(bytes));
        }
    }
}
