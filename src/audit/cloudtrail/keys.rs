//! Recognizes the few keys that decide what a record is, from where their colon stands.
//!
//! Each is looked for in its usual spelling first, a few bytes at a time; where any key of the
//! object may be spelt otherwise, all are read again in full.
#![allow(clippy::inline_always)] // What is done per colon is to be compiled into the walk.

use crate::audit::decode::scan::{Colons, KEY_REACH, own_colons};
use crate::audit::decode::search::sought_colons;

/// A key that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Time,
    Service,
    Name,
    ReadOnly,
    ErrorCode,
    ErrorMessage,
    Type,
    Account,
    Region,
    Identity,
    Request,
    Response,
    /// What the log adds beside request and response.
    Extra,
    Resources,
    /// The record inside an EventBridge event.
    Detail,
    /// The record, as a string, inside an event of `LookupEvents`.
    Lookup,
    /// Only a digest has it, which lists log files and holds no record.
    Digest,
    /// A list of records.
    Records,
    /// A list of `LookupEvents`' events.
    Events,
}

/// How many keys there are.
pub(crate) const KEYS: usize = 19;

/// Places in the table of keys: as many as make it easy to give each key its own.
const ROOM: usize = 32;

/// The keys in their quotes.
const SPELT: [(Key, &[u8]); KEYS] = [
    (Key::Time, b"\"eventTime\""),
    (Key::Service, b"\"eventSource\""),
    (Key::Name, b"\"eventName\""),
    (Key::ReadOnly, b"\"readOnly\""),
    (Key::ErrorCode, b"\"errorCode\""),
    (Key::ErrorMessage, b"\"errorMessage\""),
    (Key::Type, b"\"eventType\""),
    (Key::Account, b"\"recipientAccountId\""),
    (Key::Region, b"\"awsRegion\""),
    (Key::Identity, b"\"userIdentity\""),
    (Key::Request, b"\"requestParameters\""),
    (Key::Response, b"\"responseElements\""),
    (Key::Extra, b"\"additionalEventData\""),
    (Key::Resources, b"\"resources\""),
    (Key::Detail, b"\"detail\""),
    (Key::Lookup, b"\"CloudTrailEvent\""),
    (Key::Digest, b"\"digestStartTime\""),
    (Key::Records, b"\"Records\""),
    (Key::Events, b"\"Events\""),
];

/// The keys that have more than sixteen bytes.
const LONG: [(Key, &[u8]); 6] = [
    SPELT[Key::Account as usize],
    SPELT[Key::Request as usize],
    SPELT[Key::Response as usize],
    SPELT[Key::Extra as usize],
    SPELT[Key::Lookup as usize],
    SPELT[Key::Digest as usize],
];

/// The longest key in its quotes.
const LONGEST: usize = 21;

// The longest key, all of it escaped, lies within what is looked through for backslashes.
const _: () = assert!((LONGEST - 2) * 6 + 2 <= KEY_REACH);

/// Where the values of an object's members stand, as far as they are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values {
    /// The byte behind the colon of each key, by its place in [`TABLE`]; 0 when it is missing.
    /// The one more takes what is not looked for.
    starts: [usize; ROOM + 1],
    /// Whether a colon was met before which a key may stand that was not recognized.
    doubtful: bool,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            starts: [0; ROOM + 1],
            doubtful: false,
        }
    }
}

impl Values {
    /// Reads the object whose `{` stands at a byte; none when it does not end.
    pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let mut values = Self::default();
        own_colons(bytes, at, |colons| values.note(bytes, colons))?;
        if !values.are_known(bytes) {
            values = Self::default();
            own_colons(bytes, at, |colons| values.note_any(bytes, colons))?;
        }
        Some(values)
    }

    /// The byte behind the colon of a key; 0 when it is missing.
    #[inline]
    pub(crate) fn of(&self, key: Key) -> usize {
        self.starts
            .get(PLACES[key as usize])
            .copied()
            .unwrap_or_default()
    }

    /// Takes note of members in their usual spelling. Whether all were spelt so is to be asked
    /// behind the last of them.
    ///
    /// For speed there are no branches: which keys follow each other is hard to foresee.
    #[inline(always)]
    pub(crate) fn note(&mut self, bytes: &[u8], colons: Colons) {
        self.doubtful |= colons.odd && are_odd(bytes, colons);
        for colon in colons {
            let [before, last] = words_before(bytes, colon);
            let place = place(last);
            let entry = &TABLE[place];
            let known = (entry.last == last) & (entry.before == (before & entry.mask));
            self.starts[if known { place } else { ROOM }] = colon + 1;
        }
    }

    /// Whether each key noted was one, and none was missed.
    #[inline(always)]
    pub(crate) fn are_known(&self, bytes: &[u8]) -> bool {
        // Of the long keys only the end was looked at.
        let is_whole = |(key, spelt): (Key, &[u8])| {
            let start = self.of(key).wrapping_sub(1 + spelt.len());
            self.of(key) == 0
                || bytes
                    .get(start..)
                    .is_some_and(|text| text.starts_with(spelt))
        };
        !self.doubtful && LONG.into_iter().all(is_whole)
    }

    /// Takes note of members in any spelling.
    #[cold]
    pub(crate) fn note_any(&mut self, bytes: &[u8], colons: Colons) {
        for colon in colons {
            if let Some(key) = bytes.get(..colon).and_then(spelt) {
                self.starts[PLACES[key as usize]] = colon + 1;
            }
        }
    }
}

/// The keys that decide on nine records in ten.
pub(crate) const TIME: &[u8] = SPELT[Key::Time as usize].1;
pub(crate) const READ_ONLY: &[u8] = SPELT[Key::ReadOnly as usize].1;

/// Where the values of the two keys stand that decide on nine records in ten.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Glance {
    /// The byte behind the colon of `eventTime`; 0 when it is missing.
    pub time: usize,
    /// The byte behind the colon of `readOnly`; 0 when it is missing.
    pub read_only: usize,
}

impl Glance {
    /// Looks at the object whose `{` stands at a byte; returns the byte behind its `}` as well.
    /// None when it does not end.
    #[inline]
    pub(crate) fn at(bytes: &[u8], at: usize) -> Option<(Self, usize)> {
        // Of an object's own members few have these letters there.
        const BACK: usize = 5;
        const LETTERS: [u8; 2] = [TIME[TIME.len() - BACK], READ_ONLY[READ_ONLY.len() - BACK]];
        let mut glance = Self::default();
        let mut is_odd = false;
        let end = sought_colons(bytes, at, LETTERS, BACK, |colon| {
            let before = bytes.get(..colon).unwrap_or_default();
            if before.ends_with(TIME) {
                glance.time = colon + 1;
            } else if before.ends_with(READ_ONLY) {
                glance.read_only = colon + 1;
            } else {
                is_odd |= !is_usual(before);
            }
        })?;
        if is_odd {
            let values = Values::at(bytes, at)?;
            glance.time = values.of(Key::Time);
            glance.read_only = values.of(Key::ReadOnly);
        }
        Some((glance, end))
    }
}

/// Whether any key before some colons has escapes, or does not stand right before its colon.
#[inline(never)]
fn are_odd(bytes: &[u8], mut colons: Colons) -> bool {
    colons.any(|colon| !is_usual(bytes.get(..colon).unwrap_or_default()))
}

/// Whether a text ends with a key that has no escapes.
fn is_usual(text: &[u8]) -> bool {
    let key = text.strip_suffix(b"\"").unwrap_or_default();
    let start = key.iter().rposition(|byte| matches!(byte, b'"' | b'\\'));
    start.is_some_and(|start| {
        key.get(start) == Some(&b'"') && key.get(start.wrapping_sub(1)) != Some(&b'\\')
    })
}

/// The sixteen bytes before a byte, as two numbers; zeroes where there are less.
#[inline(always)]
fn words_before(bytes: &[u8], end: usize) -> [u64; 2] {
    let text = bytes.get(..end).unwrap_or_default();
    halves(text.last_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 16];
        for (to, from) in padded.iter_mut().rev().zip(text.iter().rev()) {
            *to = *from;
        }
        padded
    }))
}

/// The last sixteen bytes of a key, or as many as it has.
#[derive(Clone, Copy)]
struct Entry {
    /// The bytes before the last eight.
    before: u64,
    /// Those bits of the bytes before the last eight that belong to the key.
    mask: u64,
    last: u64,
}

/// Where in the table a key stands, by its last word. The factor gives each key a place of its
/// own, which the making of the table checks.
#[inline(always)]
const fn place(last: u64) -> usize {
    (last.wrapping_mul(0xa86a_de2a_0d78_36bd) >> 59) as usize
}

/// The place of each key.
const PLACES: [usize; KEYS] = TABLES.0;

static TABLE: [Entry; ROOM] = TABLES.1;

const TABLES: ([usize; KEYS], [Entry; ROOM]) = {
    let mut places = [0; KEYS];
    let mut table = [Entry {
        before: 0,
        mask: 0,
        last: 0,
    }; ROOM];
    let mut index = 0;
    while index < KEYS {
        let (key, spelt) = SPELT[index];
        assert!(key as usize == index && spelt.len() >= 8 && spelt.len() <= LONGEST);
        let (mut words, mut mask) = ([0; 16], [0; 16]);
        let mut back = 1;
        while back <= 16 && back <= spelt.len() {
            words[16 - back] = spelt[spelt.len() - back];
            mask[16 - back] = 0xff;
            back += 1;
        }
        let [before, last] = halves(words);
        let place = place(last);
        assert!(table[place].last == 0, "two keys in one place");
        table[place] = Entry {
            before,
            mask: halves(mask)[0],
            last,
        };
        places[index] = place;
        index += 1;
    }
    (places, table)
};

/// Sixteen bytes as two numbers.
#[allow(clippy::cast_possible_truncation)]
const fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let word = u128::from_le_bytes(bytes);
    [word as u64, (word >> 64) as u64]
}

/// The key at the end of a text, however it is spelt.
fn spelt(text: &[u8]) -> Option<Key> {
    let content = text.trim_ascii_end().strip_suffix(b"\"")?;
    // The quote that starts the key is the last one that no backslash escapes.
    let start = memchr::memrchr_iter(b'"', content).find(|quote| {
        let escapes = content
            .get(..*quote)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        escapes % 2 == 0
    })?;
    let content = content.get(start + 1..)?;
    if content.len() > (LONGEST - 2) * 6 {
        return None;
    }
    let json = [b"\"", content, b"\""].concat();
    let key: String = serde_json::from_slice(&json).ok()?;
    SPELT
        .iter()
        .find(|(_, spelt)| spelt.get(1..spelt.len() - 1) == Some(key.as_bytes()))
        .map(|(key, _)| *key)
}

#[cfg(test)]
mod tests {
    use super::{Glance, Key, SPELT, Values};
    use crate::audit::decode::scan::own_colons;

    /// The keys that are recognized among an object's own.
    fn found(object: &str) -> Vec<Key> {
        let bytes = object.as_bytes();
        let (mut quick, mut any) = (Values::default(), Values::default());
        own_colons(bytes, 0, |colons| quick.note(bytes, colons));
        own_colons(bytes, 0, |colons| any.note_any(bytes, colons));
        let keys = |values: &Values| {
            SPELT
                .map(|(key, _)| key)
                .into_iter()
                .filter(|key| values.of(*key) != 0)
                .collect::<Vec<_>>()
        };
        if quick.are_known(bytes) {
            assert_eq!(keys(&quick), keys(&any), "{object}");
        }
        keys(&any)
    }

    #[test]
    fn a_key_is_recognized_however_it_is_spelt() {
        for (key, spelt) in SPELT {
            let name = std::str::from_utf8(&spelt[1..spelt.len() - 1]).unwrap();
            let escaped: String = name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            let (head, tail) = name.split_at(3);
            for text in [
                format!("\"{name}\""),
                format!("\"x\":\"y\", \"{name}\""),
                format!("\"{name}\" "),
                format!("\"{name}\"\r\n\t"),
                format!("\"{escaped}\""),
                format!("\"{escaped}\"{}", " ".repeat(500)),
                format!("\"{head}\\u{:04X}{}\"", tail.as_bytes()[0], &tail[1..]),
                format!("\"x{name}\":1,\"{name}\":2,\"y{name}\""),
            ] {
                assert_eq!(found(&format!("{{{text}:1}}")), [key], "{text}");
            }
            for text in [
                format!("\"x{name}\""),
                format!("\"{}\"", &name[1..]),
                format!("\"{name}x\""),
                format!("\"{name} \""),
                format!("\"\\\"{name}\""),
                format!("\"\\\\{name}\""),
                format!("\"{}\"", name.to_uppercase()),
                format!("'{name}'"),
                format!("{name}\""),
                name.to_owned(),
                String::new(),
                "\"\"".to_owned(),
            ] {
                assert_eq!(found(&format!("{{{text}:1}}")), [], "{text}");
            }
        }
    }

    #[test]
    fn a_key_is_recognized_wherever_it_stands() {
        for filler in 0..200 {
            let filler = "x".repeat(filler);
            for key in [
                r#""eventTime""#,
                r#""event\u0054ime""#,
                r#""eventTim\u0065""#,
                r#""eventTime" "#,
            ] {
                let object = format!(r#"{{"f":"{filler}",{key}:1,"g":{{"h":"{filler}"}}}}"#);
                let (glance, end) = Glance::at(object.as_bytes(), 0).unwrap();
                assert_eq!(end, object.len(), "{object}");
                assert_eq!(
                    object.find(":1").map(|at| at + 1),
                    Some(glance.time),
                    "{object}"
                );
                assert_eq!(glance.read_only, 0);
            }
        }
    }

    #[test]
    fn the_usual_spelling_goes_the_quick_way() {
        for object in [
            r#"{"eventTime":1,"xTime":{"eventTime" :1}}"#,
            "{\n  \"eventTime\": 1\n}",
            r#"{"eventTime":1,"userAgent":"\""}"#,
        ] {
            let mut values = Values::default();
            own_colons(object.as_bytes(), 0, |colons| {
                values.note(object.as_bytes(), colons);
            });
            assert!(
                values.are_known(object.as_bytes()) && values.of(Key::Time) != 0,
                "{object}"
            );
        }
    }
}
