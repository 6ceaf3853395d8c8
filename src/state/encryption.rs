//! States that OpenTofu encrypted, opened with a passphrase or through AWS KMS.
//!
//! Such a state is a JSON object of `encryption_version`, `encrypted_data` (base64: a nonce of 12
//! bytes, AES-GCM's text and its tag) and `meta`, which holds for each key provider what it needs
//! to make the key anew (OpenTofu, *State and Plan Encryption*; base64 of JSON). The key provider
//! `pbkdf2` needs a passphrase, all others something that only their own configuration knows.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{aead, pbkdf2};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::backend::KeyService;

/// The one version of the format that there is.
const VERSION: &str = "v0";

/// More rounds than this are no one's setting (OpenTofu's default is 600,000) and would take minutes.
const MOST_ROUNDS: u32 = 100_000_000;

/// A passphrase, and the name of the environment variable it comes from.
#[derive(Clone, Copy)]
pub struct Passphrase<'a> {
    /// The variable, for messages.
    pub variable: &'a str,
    /// The secret.
    pub secret: &'a str,
}

impl std::fmt::Debug for Passphrase<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passphrase")
            .field("variable", &self.variable)
            .finish_non_exhaustive()
    }
}

/// Why an encrypted state stays closed, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl Closed {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

#[derive(Deserialize)]
struct Sealed {
    encryption_version: Option<Value>,
    encrypted_data: Option<String>,
    #[serde(default)]
    meta: BTreeMap<String, Value>,
}

/// What the key provider `pbkdf2` keeps beside the data.
#[derive(Deserialize)]
struct Pbkdf2 {
    salt: String,
    iterations: u32,
    hash_function: String,
    key_length: usize,
}

/// What the key provider `aws_kms` keeps beside the data.
#[derive(Deserialize)]
struct AwsKms {
    ciphertext_blob: String,
}

const PULL: &str =
    "decrypt it where its key is configured: `tofu state pull | tfdrift scan --state -`";

/// The text of a state that is encrypted; none when it is not.
///
/// # Errors
/// When it is encrypted and stays so.
pub(crate) fn open(
    text: &[u8],
    passphrase: Option<Passphrase<'_>>,
    service: Option<&dyn KeyService>,
) -> Result<Option<Vec<u8>>, Closed> {
    // Nearly every state is not, and large: one glance is enough.
    if memchr::memmem::find(text, b"\"encrypted_data\"").is_none() {
        return Ok(None);
    }
    let Ok(sealed) = serde_json::from_slice::<Sealed>(text) else {
        return Ok(None);
    };
    let (Some(version), Some(data)) = (&sealed.encryption_version, &sealed.encrypted_data) else {
        return Ok(None);
    };
    if version != VERSION {
        let problem = format!("the state is encrypted in a format of version {version}");
        return Err(Closed::new(problem, PULL));
    }
    let keys: Vec<Pbkdf2> = sealed.meta.values().filter_map(read_meta).collect();
    let sealed_keys: Vec<AwsKms> = sealed.meta.values().filter_map(read_meta).collect();
    if let (Some(service), false) = (service, sealed_keys.is_empty()) {
        let data = decode(data)?;
        for key in &sealed_keys {
            if let Some(text) = key.open(service, &data)? {
                return Ok(Some(text));
            }
        }
    }
    if keys.is_empty() {
        let providers: Vec<&str> = sealed.meta.keys().map(|name| provider(name)).collect();
        let by = if providers.is_empty() {
            String::new()
        } else {
            format!(", its key comes from {}", providers.join(" and "))
        };
        let problem = format!("the state is encrypted by OpenTofu{by}");
        return Err(Closed::new(problem, PULL));
    }
    let Some(passphrase) = passphrase else {
        return Err(Closed::new(
            "the state is encrypted by OpenTofu with a passphrase",
            "name the environment variable that holds it: --state-passphrase-env NAME; or \
             decrypt it where it is configured: `tofu state pull | tfdrift scan --state -`",
        ));
    };
    let data = decode(data)?;
    for key in &keys {
        if let Some(text) = key.open(passphrase.secret, &data)? {
            return Ok(Some(text));
        }
    }
    Err(Closed::new(
        format!(
            "the passphrase in {} does not open the state",
            passphrase.variable
        ),
        "check the passphrase; a method with `aad`, or a passphrase that comes from another key \
         provider, opens with `tofu state pull | tfdrift scan --state -` alone",
    ))
}

/// The kind of a key provider, of a name like `key_provider.aws_kms.main`.
fn provider(name: &str) -> &str {
    name.split('.').nth(1).unwrap_or(name)
}

/// What a key provider kept; none for another one. Told by what is there: the name may be any.
fn read_meta<T: DeserializeOwned>(meta: &Value) -> Option<T> {
    match meta {
        Value::String(text) => serde_json::from_slice(&STANDARD.decode(text).ok()?).ok(),
        other => T::deserialize(other).ok(),
    }
}

fn decode(data: &str) -> Result<Vec<u8>, Closed> {
    STANDARD
        .decode(data)
        .map_err(|_| Closed::new("the state's encrypted data is damaged", PULL))
}

impl AwsKms {
    /// The opened text; none when the key does not fit.
    fn open(&self, service: &dyn KeyService, data: &[u8]) -> Result<Option<Vec<u8>>, Closed> {
        let sealed = STANDARD
            .decode(&self.ciphertext_blob)
            .map_err(|_| Closed::new("the state's sealed key is damaged", PULL))?;
        let key = service.open(&sealed).map_err(|error| {
            let problem = format!(
                "the state is encrypted by OpenTofu with a key of AWS KMS: {}",
                error.problem
            );
            Closed::new(problem, error.remedy.unwrap_or_else(|| PULL.to_owned()))
        })?;
        let cipher = match key.len() {
            16 => &aead::AES_128_GCM,
            32 => &aead::AES_256_GCM,
            length => {
                let problem = format!("the state's key of {length} bytes is not supported");
                return Err(Closed::new(problem, PULL));
            }
        };
        Ok(unseal(cipher, &key, data))
    }
}

/// What AES-GCM sealed; none when the key does not fit.
fn unseal(cipher: &'static aead::Algorithm, key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(cipher, key).ok()?);
    let (nonce, text) = data.split_at_checked(aead::NONCE_LEN)?;
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let length = key
        .open_in_place(nonce, aead::Aad::empty(), &mut text)
        .ok()?
        .len();
    text.truncate(length);
    Some(text)
}

impl Pbkdf2 {
    /// The opened text; none when the key does not fit.
    fn open(&self, secret: &str, data: &[u8]) -> Result<Option<Vec<u8>>, Closed> {
        let unsupported = |what: String| Closed::new(what, PULL);
        let (hash, cipher) = match (self.hash_function.as_str(), self.key_length) {
            ("sha512", 16) => (pbkdf2::PBKDF2_HMAC_SHA512, &aead::AES_128_GCM),
            ("sha512", 32) => (pbkdf2::PBKDF2_HMAC_SHA512, &aead::AES_256_GCM),
            ("sha256", 16) => (pbkdf2::PBKDF2_HMAC_SHA256, &aead::AES_128_GCM),
            ("sha256", 32) => (pbkdf2::PBKDF2_HMAC_SHA256, &aead::AES_256_GCM),
            (hash, length) => {
                let hash: String = hash.chars().filter(|c| !c.is_control()).take(20).collect();
                let what = format!("the state's key of {length} bytes by {hash} is not supported");
                return Err(unsupported(what));
            }
        };
        let rounds = NonZeroU32::new(self.iterations).filter(|rounds| rounds.get() <= MOST_ROUNDS);
        let Some(rounds) = rounds else {
            let what = format!("a key of {} rounds is not supported", self.iterations);
            return Err(unsupported(what));
        };
        let salt = STANDARD
            .decode(&self.salt)
            .map_err(|_| unsupported("the state's salt is damaged".to_owned()))?;
        let mut key = vec![0; self.key_length];
        pbkdf2::derive(hash, rounds, &salt, secret.as_bytes(), &mut key);
        Ok(unseal(cipher, &key, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::backend::StoreError;
    use serde_json::json;

    /// Made with OpenSSL's own PBKDF2 and AES-GCM (through Python's `hashlib` and `cryptography`).
    const FOREIGN: &str = include_str!("../../testdata/encrypted.tfstate");

    fn passphrase(secret: &str) -> Option<Passphrase<'_>> {
        Some(Passphrase {
            variable: "SECRET",
            secret,
        })
    }

    /// Seals as the format says.
    fn seal(text: &[u8], secret: &str, hash: &str, length: usize) -> Value {
        let (algorithm, cipher) = (
            if hash == "sha256" {
                pbkdf2::PBKDF2_HMAC_SHA256
            } else {
                pbkdf2::PBKDF2_HMAC_SHA512
            },
            if length == 16 {
                &aead::AES_128_GCM
            } else {
                &aead::AES_256_GCM
            },
        );
        let mut key = vec![0; length];
        pbkdf2::derive(
            algorithm,
            NonZeroU32::new(1_000).unwrap(),
            b"salt",
            secret.as_bytes(),
            &mut key,
        );
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(cipher, &key).unwrap());
        let mut sealed = text.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key([7; 12]);
        key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut sealed)
            .unwrap();
        let data = [vec![7; 12], sealed].concat();
        let meta = json!({"salt": STANDARD.encode("salt"), "iterations": 1_000, "hash_function": hash, "key_length": length});
        json!({"serial": 3, "lineage": "l", "meta": {"key_provider.pbkdf2.main": STANDARD.encode(meta.to_string())},
            "encrypted_data": STANDARD.encode(data), "encryption_version": "v0"})
    }

    #[test]
    fn the_right_passphrase_opens_what_was_sealed() {
        for (hash, length) in [
            ("sha512", 32),
            ("sha256", 32),
            ("sha512", 16),
            ("sha256", 16),
        ] {
            let sealed = seal(b"the state", "correct horse battery", hash, length).to_string();
            let opened = open(sealed.as_bytes(), passphrase("correct horse battery"), None);
            assert_eq!(opened, Ok(Some(b"the state".to_vec())), "{hash} {length}");
        }
    }

    #[test]
    fn what_another_implementation_sealed_opens_too() {
        let opened = open(
            FOREIGN.as_bytes(),
            passphrase("correct-horse-battery-staple"),
            None,
        );
        let text = String::from_utf8(opened.unwrap().unwrap()).unwrap();
        assert!(text.contains("\"version\""), "{text}");
    }

    #[test]
    fn what_stays_closed_says_why_and_what_to_do() {
        let good = seal(b"x", "right", "sha512", 32);
        let with = |name: &str, value: Value| {
            let mut sealed = good.clone();
            sealed[name] = value;
            sealed
        };
        let kms =
            json!({"key_provider.aws_kms.main": STANDARD.encode(r#"{"ciphertext_blob":"AQ=="}"#)});
        let huge = json!({"key_provider.pbkdf2.x": {"salt": "AA==", "iterations": 4_000_000_000_u32, "hash_function": "sha512", "key_length": 32}});
        let long = json!({"key_provider.pbkdf2.x": {"salt": "AA==", "iterations": 1, "hash_function": "sha512", "key_length": 24}});
        for (sealed, secret, problem, remedy) in [
            (
                good.clone(),
                None,
                "with a passphrase",
                "--state-passphrase-env",
            ),
            (
                good.clone(),
                Some("wrong"),
                "the passphrase in SECRET does not open",
                "tofu state pull",
            ),
            (
                with("meta", kms),
                Some("right"),
                "its key comes from aws_kms",
                "tofu state pull",
            ),
            (
                with("meta", json!({})),
                Some("right"),
                "encrypted by OpenTofu",
                "tofu state pull",
            ),
            (
                with("encryption_version", json!("v9")),
                Some("right"),
                "version \"v9\"",
                "tofu state pull",
            ),
            (
                with("encrypted_data", json!("!")),
                Some("right"),
                "damaged",
                "tofu state pull",
            ),
            (
                with("encrypted_data", json!("AAAA")),
                Some("right"),
                "does not open",
                "tofu state pull",
            ),
            (
                with("meta", huge),
                Some("right"),
                "rounds is not supported",
                "tofu state pull",
            ),
            (
                with("meta", long),
                Some("right"),
                "24 bytes",
                "tofu state pull",
            ),
        ] {
            let closed = open(
                sealed.to_string().as_bytes(),
                secret.and_then(passphrase),
                None,
            )
            .unwrap_err();
            assert!(closed.problem.contains(problem), "{closed:?}");
            assert!(closed.remedy.contains(remedy), "{closed:?}");
            assert!(!format!("{closed:?}{:?}", passphrase("right")).contains("\"right\""));
        }
    }

    #[test]
    fn what_is_not_encrypted_is_left_alone() {
        for text in [
            r#"{"version": 4, "resources": []}"#,
            r#"{"version": 4, "resources": [{"attributes": {"encrypted_data": "x"}}]}"#,
            "\"encrypted_data\"",
            "",
        ] {
            assert_eq!(
                open(text.as_bytes(), passphrase("x"), None),
                Ok(None),
                "{text}"
            );
        }
    }

    /// Opens sealed keys by turning their bits; refuses `no`.
    struct Turning;

    impl KeyService for Turning {
        fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
            if sealed == b"no" {
                return Err(StoreError::new("it refuses", "allow kms:Decrypt"));
            }
            Ok(sealed.iter().map(|byte| !byte).collect())
        }
    }

    #[test]
    fn a_key_that_kms_sealed_opens_the_state() {
        let sealed = |key: &[u8], blob: &[u8]| {
            let cipher = if key.len() == 16 {
                &aead::AES_128_GCM
            } else {
                &aead::AES_256_GCM
            };
            let cipher = aead::LessSafeKey::new(aead::UnboundKey::new(cipher, key).unwrap());
            let mut text = b"the state".to_vec();
            let nonce = aead::Nonce::assume_unique_for_key([7; 12]);
            cipher
                .seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut text)
                .unwrap();
            let meta = json!({"ciphertext_blob": STANDARD.encode(blob)}).to_string();
            json!({"meta": {"key_provider.aws_kms.main": STANDARD.encode(meta)},
                "encrypted_data": STANDARD.encode([vec![7; 12], text].concat()),
                "encryption_version": "v0"})
            .to_string()
        };
        for key in [vec![3; 16], vec![3; 32]] {
            let blob: Vec<u8> = key.iter().map(|byte: &u8| !byte).collect();
            let opened = open(sealed(&key, &blob).as_bytes(), None, Some(&Turning));
            assert_eq!(opened, Ok(Some(b"the state".to_vec())));
        }
        for (blob, problem, remedy) in [
            (&b"no"[..], "it refuses", "kms:Decrypt"),
            (b"short", "5 bytes", "tofu state pull"),
            (&[9; 32], "its key comes from aws_kms", "tofu state pull"),
        ] {
            let closed = open(sealed(&[3; 32], blob).as_bytes(), None, Some(&Turning)).unwrap_err();
            assert!(closed.problem.contains(problem), "{closed:?}");
            assert!(closed.remedy.contains(remedy), "{closed:?}");
        }
    }
}
