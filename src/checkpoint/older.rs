//! Names of log files that were read some hours ago: too many to be kept as they are, so only a
//! hash of each, by days.
//!
//! A million names take 8 MB. Two of a day with the same hash would lose one of them if it came
//! late: with a hundred thousand a day, each that comes late is lost with a chance of four in ten
//! thousand million.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::audit::cloudtrail::digest::Hasher;

/// The beginning of a name's SHA-256. Six bytes are eight letters in base64, with nothing left over.
type Hash = [u8; 6];

/// By the days that names begin with, as `20260115`: hashes, each day's in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<String, String>",
    into = "BTreeMap<String, String>"
)]
pub struct Older(BTreeMap<String, Vec<Hash>>);

impl Older {
    /// Adds names, each of which begins with its time.
    pub fn extend<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            let hashes = self.0.entry(day(name).to_owned()).or_default();
            hashes.push(hash(name));
        }
        for hashes in self.0.values_mut() {
            hashes.sort_unstable();
            hashes.dedup();
        }
    }

    /// Whether a name was added.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let hashes = self.0.get(day(name));
        hashes.is_some_and(|hashes| hashes.binary_search(&hash(name)).is_ok())
    }

    /// Drops the days before the one that a time's stamp begins with.
    pub fn forget_before(&mut self, stamp: &str) {
        self.0.retain(|own, _| own.as_str() >= day(stamp));
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Older> for BTreeMap<String, String> {
    fn from(older: Older) -> Self {
        let days = older.0.into_iter();
        days.map(|(day, hashes)| (day, BASE64.encode(hashes.as_flattened())))
            .collect()
    }
}

impl TryFrom<BTreeMap<String, String>> for Older {
    type Error = String;

    fn try_from(days: BTreeMap<String, String>) -> Result<Self, String> {
        let read = |(day, text): (String, String)| {
            let bytes = BASE64.decode(text).map_err(|error| error.to_string())?;
            let (hashes, rest) = bytes.as_chunks();
            if !rest.is_empty() {
                return Err(format!("half a hash in the names of {day}"));
            }
            let mut hashes = hashes.to_vec();
            hashes.sort_unstable();
            Ok((day, hashes))
        };
        days.into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn day(name: &str) -> &str {
    name.get(..8).unwrap_or(name)
}

fn hash(name: &str) -> Hash {
    let mut hasher = Hasher::default();
    hasher.update(name.as_bytes());
    hasher.bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_added_is_known_and_no_other() {
        let names = ["20260115T0400Z_a.json.gz", "20260114T0400Z_b.json.gz"];
        let mut older = Older::default();
        older.extend(names.into_iter());
        older.extend(names.into_iter());
        let text = serde_json::to_string(&older).unwrap();
        assert_eq!(text, r#"{"20260114":"rTq3d5eU","20260115":"00yeuBG3"}"#);
        let mut again: Older = serde_json::from_str(&text).unwrap();
        assert_eq!(again, older);
        for name in names {
            assert!(again.contains(name), "{name}");
        }
        assert!(!again.contains("20260115T0400Z_b.json.gz"));
        assert!(!again.contains("x"));
        again.forget_before("20260115T0000Z");
        assert!(again.contains(names[0]) && !again.contains(names[1]));
    }

    #[test]
    fn what_was_cut_off_is_refused() {
        for text in [r#"{"20260115":"ySoP3Fd"}"#, r#"{"20260115":"ySoP3FdUAA"}"#] {
            assert!(serde_json::from_str::<Older>(text).is_err(), "{text}");
        }
    }
}
