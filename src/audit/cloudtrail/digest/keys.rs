//! The public keys that digests are checked against.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// What announces an RSA key inside a `SubjectPublicKeyInfo`: the object identifier of
/// `rsaEncryption`, without parameters.
const RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Public keys by their fingerprints, each an `RSAPublicKey` of PKCS #1 in DER.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(HashMap<String, Vec<u8>>);

/// What `aws cloudtrail list-public-keys` prints; AWS's document spells the list in two ways.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "PublicKeyList", alias = "publicKeyList")]
    keys: Vec<PrintedKey>,
}

#[derive(Deserialize)]
struct PrintedKey {
    #[serde(rename = "Value")]
    value: String,
    #[serde(rename = "Fingerprint")]
    fingerprint: String,
}

impl PublicKeys {
    /// Reads what `aws cloudtrail list-public-keys` prints.
    ///
    /// # Errors
    /// In words, when it is something else.
    pub fn from_json(text: &[u8]) -> Result<Self, String> {
        let printed: Printed = serde_json::from_slice(text).map_err(|error| {
            format!("not what `aws cloudtrail list-public-keys` prints: {error}")
        })?;
        let mut keys = Self::default();
        for key in printed.keys {
            let der = STANDARD
                .decode(key.value.trim())
                .map_err(|error| format!("the key {} is not base64: {error}", key.fingerprint))?;
            keys.add(&key.fingerprint, &der);
        }
        Ok(keys)
    }

    /// Adds a key in DER, of PKCS #1 or wrapped as a `SubjectPublicKeyInfo`: AWS shows both.
    pub fn add(&mut self, fingerprint: &str, der: &[u8]) {
        let key = unwrapped(der).unwrap_or(der).to_vec();
        self.0.insert(fingerprint.to_ascii_lowercase(), key);
    }

    /// Takes over the keys of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The key with a fingerprint.
    #[must_use]
    pub fn get(&self, fingerprint: &str) -> Option<&[u8]> {
        self.0
            .get(&fingerprint.to_ascii_lowercase())
            .map(Vec::as_slice)
    }
}

/// The PKCS #1 key within a `SubjectPublicKeyInfo`; none when it is not one.
fn unwrapped(der: &[u8]) -> Option<&[u8]> {
    let info = element(der, 0x30)?;
    let bits = element(info.strip_prefix(&RSA)?, 0x03)?;
    bits.strip_prefix(&[0])
}

/// The content of a DER element with this tag that fills all of the bytes.
fn element(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, content) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, content) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            })?;
            (length, content)
        }
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &[u8] = include_bytes!("../../../../testdata/digest/public-keys.json");
    const WRAPPED: &[u8] = include_bytes!("../../../../testdata/digest/public-keys-wrapped.json");

    #[test]
    fn both_forms_of_a_key_are_the_same_key() {
        let plain = PublicKeys::from_json(PRINTED).unwrap();
        let wrapped = PublicKeys::from_json(WRAPPED).unwrap();
        let fingerprint = "0f0e0d0c0b0a09080706050403020100";
        assert!(plain.get(fingerprint).is_some());
        assert_eq!(plain.get(fingerprint), wrapped.get(fingerprint));
        assert_eq!(plain.get("00"), None);
    }

    #[test]
    fn what_is_no_list_of_keys_is_refused_in_words() {
        let bad = r#"{"PublicKeyList":[{"Value":"?","Fingerprint":"aa"}]}"#;
        for (text, part) in [
            ("", "list-public-keys"),
            ("{}", "list-public-keys"),
            (bad, "base64"),
        ] {
            let refused = PublicKeys::from_json(text.as_bytes()).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
    }
}
