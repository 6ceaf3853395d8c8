//! Recognizes the few keys that decide what a record is, from where their colon stands.

use crate::audit::decode::scan::KEY_REACH;

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
    /// The record inside an EventBridge event.
    Detail,
    /// The record, as a string, inside an event of LookupEvents.
    Lookup,
    /// Only a digest has it, which lists log files and holds no record.
    Digest,
    /// A list of records.
    Records,
    /// A list of LookupEvents' events.
    Events,
}

/// How many keys there are.
pub(crate) const KEYS: usize = 16;

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
    (Key::Detail, b"\"detail\""),
    (Key::Lookup, b"\"CloudTrailEvent\""),
    (Key::Digest, b"\"digestStartTime\""),
    (Key::Records, b"\"Records\""),
    (Key::Events, b"\"Events\""),
];

/// The longest key in its quotes.
const LONGEST: usize = 20;

// The longest key, all of it escaped, lies within what is looked through for backslashes.
const _: () = assert!((LONGEST - 2) * 6 + 2 <= KEY_REACH);

/// A key as words of eight bytes: its first, its second (the first again in a short key) and its
/// last, which overlap as they have to.
#[derive(Clone, Copy)]
struct Entry {
    key: Key,
    length: usize,
    first: u64,
    second: u64,
    last: u64,
}

/// Where in the table a key stands, by its last word. The factor gives each key a place of its
/// own, which the table's making checks.
const fn place(last: u64) -> usize {
    (last.wrapping_mul(0xb801_7cdd_97c3_0701) >> 60) as usize
}

static TABLE: [Entry; KEYS] = table();

const fn table() -> [Entry; KEYS] {
    let mut table = [Entry {
        key: Key::Time,
        length: 0,
        first: 0,
        second: 0,
        last: 0,
    }; KEYS];
    let mut index = 0;
    while index < KEYS {
        let (key, spelt) = SPELT[index];
        assert!(key as usize == index && spelt.len() >= 8 && spelt.len() <= LONGEST);
        let last = word(spelt, spelt.len() - 8);
        let place = place(last);
        assert!(table[place].length == 0);
        let second = word(spelt, second_at(spelt.len()));
        table[place] = Entry {
            key,
            length: spelt.len(),
            first: word(spelt, 0),
            second,
            last,
        };
        index += 1;
    }
    table
}

/// Where the second word of a key starts.
const fn second_at(length: usize) -> usize {
    if length >= 16 { 8 } else { 0 }
}

const fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = 0;
    let mut index = 8;
    while index > 0 {
        index -= 1;
        word = word << 8 | bytes[at + index] as u64;
    }
    word
}

/// The key before a colon, when it is one of those looked for. `slash` tells whether a backslash
/// stands within [`KEY_REACH`] bytes before the colon.
#[inline(always)]
pub(crate) fn known(bytes: &[u8], colon: usize, slash: bool) -> Option<Key> {
    let before = bytes.get(..colon)?;
    let Some(last) = before.last_chunk().copied().map(u64::from_le_bytes) else {
        return spelt_otherwise(before);
    };
    let entry = TABLE.get(place(last))?;
    if entry.last == last && matches(before, entry) {
        let start = colon - entry.length;
        // A quote behind a backslash is a part of a longer key.
        let whole = start == 0 || bytes.get(start - 1) != Some(&b'\\');
        return if whole {
            Some(entry.key)
        } else {
            spelt_otherwise(before)
        };
    }
    // A key with escapes, or with white space behind it.
    if slash || last >> 56 != u64::from(b'"') {
        return spelt_otherwise(before);
    }
    None
}

/// Whether text ends in a key whose last word it has.
#[inline(always)]
fn matches(text: &[u8], entry: &Entry) -> bool {
    let word = |at: usize| {
        let word = text.get(at..).and_then(<[u8]>::first_chunk);
        word.copied().map(u64::from_le_bytes)
    };
    let Some(start) = text.len().checked_sub(entry.length) else {
        return false;
    };
    word(start) == Some(entry.first) && word(start + second_at(entry.length)) == Some(entry.second)
}

/// The key at the end of a text, however it is spelt.
#[cold]
fn spelt_otherwise(text: &[u8]) -> Option<Key> {
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
    use super::{Key, SPELT, known};

    #[test]
    fn a_key_is_recognized_however_it_is_spelt() {
        for (key, spelt) in SPELT {
            let name = std::str::from_utf8(&spelt[1..spelt.len() - 1]).unwrap();
            let escaped: String = name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
            let (head, tail) = name.split_at(3);
            for text in [
                format!("{{\"{name}\""),
                format!("\"{name}\""),
                format!("{{\"x\":\"y\", \"{name}\""),
                format!("{{\"{name}\" "),
                format!("{{\"{name}\"\r\n\t"),
                format!("{{\"{escaped}\""),
                format!("{{\"{escaped}\"  "),
                format!("{{\"{head}\\u{:04X}{}\"", tail.as_bytes()[0], &tail[1..]),
            ] {
                assert_eq!(
                    known(text.as_bytes(), text.len(), text.contains('\\')),
                    Some(key),
                    "{text}"
                );
            }
            for text in [
                format!("{{\"x{name}\""),
                format!("{{\"{}\"", &name[1..]),
                format!("{{\"{name}x\""),
                format!("{{\"{name} \""),
                format!("{{\"\\\"{name}\""),
                format!("{{\"\\\\{name}\""),
                format!("{{\"\\u{name}\""),
                format!("{{\"{}\"", name.to_uppercase()),
                format!("{{'{name}'"),
                name.to_owned(),
            ] {
                assert_eq!(
                    known(text.as_bytes(), text.len(), text.contains('\\')),
                    None,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in ["", "\"", "\"\"", " ", "{", "eventTime\"", "\\\"\\\""] {
            assert_eq!(
                known(text.as_bytes(), text.len(), true),
                None::<Key>,
                "{text}"
            );
        }
    }
}
