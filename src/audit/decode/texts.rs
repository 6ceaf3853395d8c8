//! Looks through the texts of a JSON value without building it.

use std::borrow::Cow;

use memchr::memchr2;

use super::blocks::padded;

/// Nesting that is gone into. A parser gives up later.
const DEEPEST: u32 = 60;

/// A string or number of a JSON value.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// UTF-8.
    bytes: Cow<'a, [u8]>,
    hash: u64,
    has_parts: bool,
}

impl<'a> Text<'a> {
    /// A text as it stands.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        Summary::of(text.as_bytes()).text(Cow::Borrowed(text.as_bytes()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// A quick hash of it. Who makes texts collide gains nothing but work for himself.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether it may have parts: a slash, a colon or a dot is in it, or a percent sign, behind which
    /// any of them may be.
    #[must_use]
    pub fn has_parts(&self) -> bool {
        self.has_parts
    }
}

/// What is gathered of a text while its end is looked for, eight bytes at a time.
#[derive(Default)]
struct Summary {
    hash: u64,
    all: u64,
    parts: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

impl Summary {
    fn of(text: &[u8]) -> Self {
        let mut summary = Self::default();
        let (words, rest) = text.as_chunks::<8>();
        for word in words {
            summary.take(u64::from_le_bytes(*word));
        }
        summary.take(u64::from_le_bytes(padded(rest)));
        summary
    }

    #[inline]
    fn take(&mut self, word: u64) {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.hash ^ word).wrapping_mul(FACTOR);
        self.hash = mixed ^ mixed >> 32;
        self.all |= word;
        // `.` and `/` differ in the last bit alone.
        self.parts |= equal(word | ONES, b'/') | equal(word, b':') | equal(word, b'%');
    }

    #[inline]
    fn text<'a>(&self, bytes: Cow<'a, [u8]>) -> Text<'a> {
        Text {
            hash: self.hash ^ self.hash >> 29 ^ bytes.len() as u64,
            has_parts: self.parts != 0,
            bytes,
        }
    }
}

/// The high bits of the bytes that equal one; of bytes behind the first of them, others may be set.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let differs = word ^ (ONES * u64::from(byte));
    differs.wrapping_sub(ONES) & !differs & HIGH
}

/// Whether any string or number in the value that starts here passes a test: keys of objects do
/// not count, nor do `true`, `false` and `null` stand as anything but themselves.
///
/// True as well where that is better left to a parser: what is no JSON, nests too deeply, is not
/// UTF-8, or spells a number as no one would.
pub(crate) fn any_text(json: &[u8], test: &mut impl FnMut(&Text<'_>) -> bool) -> bool {
    passes(json, test).unwrap_or(true)
}

/// What may stand next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an array that has just begun.
    ValueOrEnd,
    Key,
    /// A key, or the end of an object that has just begun.
    KeyOrEnd,
    CommaOrEnd,
}

/// As [`any_text`]; none where it cannot tell.
fn passes(json: &[u8], test: &mut impl FnMut(&Text<'_>) -> bool) -> Option<bool> {
    let mut at = 0;
    // One bit for each bracket that is open: whether it is an object's.
    let mut objects = 0_u64;
    let mut depth = 0;
    let mut next = Next::Value;
    loop {
        let byte = *json.get(at)?;
        at += 1;
        match (byte, next) {
            (b' ' | b'\n' | b'\r' | b'\t', _) => continue,
            (b'"', Next::Value | Next::ValueOrEnd) => {
                let (text, end) = string(json, at)?;
                if test(&text) {
                    return Some(true);
                }
                at = end;
                next = Next::CommaOrEnd;
            }
            (b'"', Next::Key | Next::KeyOrEnd) => {
                at = end_of_string(json, at)? + 1;
                while matches!(json.get(at)?, b' ' | b'\n' | b'\r' | b'\t') {
                    at += 1;
                }
                if *json.get(at)? != b':' {
                    return None;
                }
                at += 1;
                next = Next::Value;
                continue;
            }
            (b'{' | b'[', Next::Value | Next::ValueOrEnd) => {
                depth += 1;
                if depth > DEEPEST {
                    return None;
                }
                objects = objects << 1 | u64::from(byte == b'{');
                next = if byte == b'{' {
                    Next::KeyOrEnd
                } else {
                    Next::ValueOrEnd
                };
                continue;
            }
            (b'}', Next::KeyOrEnd | Next::CommaOrEnd) if objects & 1 == 1 => {
                depth -= 1;
                objects >>= 1;
                next = Next::CommaOrEnd;
            }
            (b']', Next::ValueOrEnd | Next::CommaOrEnd) if depth > 0 && objects & 1 == 0 => {
                depth -= 1;
                objects >>= 1;
                next = Next::CommaOrEnd;
            }
            (b',', Next::CommaOrEnd) => {
                next = if objects & 1 == 1 {
                    Next::Key
                } else {
                    Next::Value
                };
                continue;
            }
            (b't' | b'f' | b'n' | b'-' | b'0'..=b'9', Next::Value | Next::ValueOrEnd) => {
                let rest = json.get(at - 1..)?;
                let length = rest
                    .iter()
                    .position(|byte| !matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'+' | b'.'))
                    .unwrap_or(rest.len());
                let word = rest.get(..length)?;
                if word != b"null" && test(&Text::of(plain(word)?)) {
                    return Some(true);
                }
                at += length - 1;
                next = Next::CommaOrEnd;
            }
            _ => return None,
        }
        if depth == 0 {
            return Some(false);
        }
    }
}

/// A truth, or a number that is spelt as it would be written again.
fn plain(word: &[u8]) -> Option<&str> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let usual = match digits {
        b"0" => word == b"0",
        [b'1'..=b'9', ..] => digits.len() < 19 && digits.iter().all(u8::is_ascii_digit),
        _ => matches!(word, b"true" | b"false"),
    };
    usual.then(|| std::str::from_utf8(word).ok()).flatten()
}

/// The string whose inside starts here, and the byte behind its quote.
#[inline]
fn string(json: &[u8], start: usize) -> Option<(Text<'_>, usize)> {
    let mut summary = Summary::default();
    let mut at = start;
    loop {
        let rest = json.get(at..)?;
        let word = rest.first_chunk().copied().unwrap_or_else(|| padded(rest));
        let word = u64::from_le_bytes(word);
        let stops = equal(word, b'"') | equal(word, b'\\');
        if stops == 0 {
            if rest.len() < 8 {
                return None;
            }
            summary.take(word);
            at += 8;
            continue;
        }
        // The first high bit is right, and its byte the first that stops the text.
        let before = stops.trailing_zeros() - 7;
        let end = at + before as usize / 8;
        if json.get(end) != Some(&b'"') {
            return escaped(json, start, end);
        }
        summary.take(word & !(u64::MAX << before));
        let text = json.get(start..end)?;
        if summary.all & HIGH != 0 && std::str::from_utf8(text).is_err() {
            return None;
        }
        return Some((summary.text(Cow::Borrowed(text)), end + 1));
    }
}

/// As [`string`], where the first escape is known.
#[cold]
fn escaped(json: &[u8], start: usize, escape: usize) -> Option<(Text<'_>, usize)> {
    let end = end_of_string(json, escape)?;
    let text: String = serde_json::from_slice(json.get(start - 1..=end)?).ok()?;
    let summary = Summary::of(text.as_bytes());
    Some((summary.text(Cow::Owned(text.into_bytes())), end + 1))
}

/// The quote that ends the string whose inside starts here.
fn end_of_string(json: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let found = at + memchr2(b'"', b'\\', json.get(at..)?)?;
        if json.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, passes};
    use proptest::prelude::*;
    use serde_json::Value;

    fn texts(json: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let any = passes(json.as_bytes(), &mut |text| {
            assert_eq!(text.hash(), Text::of(text.as_str()).hash());
            assert_eq!(
                text.has_parts(),
                text.as_str().contains(['/', ':', '.', '%'])
            );
            found.push(text.as_str().to_owned());
            false
        })?;
        assert!(!any);
        Some(found)
    }

    #[test]
    fn all_texts_and_numbers_are_looked_at_and_no_keys() {
        for (json, expected) in [
            (
                r#"{"a":"x","b":[ "y" , {"c":"z"}],"d":{}},"e":"no""#,
                &["x", "y", "z"][..],
            ),
            (r#""x","y""#, &["x"]),
            (r#"{"a":"\u0069-1\"\\","b":"é"}"#, &["i-1\"\\", "é"]),
            (
                "[1,-20,true,false,null,0]",
                &["1", "-20", "true", "false", "0"],
            ),
            ("{\n  \"a\" : [ ]\r\n}", &[]),
            ("null", &[]),
        ] {
            assert_eq!(
                texts(json).as_deref(),
                Some(expected.iter().map(ToString::to_string).collect::<Vec<_>>()).as_deref(),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_better_parsed_is_not_judged() {
        let deep = format!("{}{}", "[".repeat(61), "]".repeat(61));
        for json in [
            "",
            "{",
            "[",
            "}",
            "]",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":"x""#,
            r#"{"a":"x"]"#,
            r#"["x"}"#,
            r#"{"a":"x",}"#,
            r#"["x",]"#,
            r#"["x" "y"]"#,
            r#"{"x"}"#,
            r#"["x":1]"#,
            r#"{"a":x}"#,
            "1.5",
            "1e3",
            "-0",
            "01",
            "1E3",
            "12345678901234567890",
            "nul",
            "tru",
            r#""\ud83d""#,
            r#""\x""#,
            r#""abc"#,
            &deep,
        ] {
            assert_eq!(texts(json), None, "{json}");
        }
        assert_eq!(passes(b"\"\xff\"", &mut |_| false), None);
    }

    /// The texts that a parser finds.
    fn plainly(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::String(text) => out.push(text.clone()),
            Value::Number(_) | Value::Bool(_) => out.push(value.to_string()),
            Value::Array(list) => list.iter().for_each(|member| plainly(member, out)),
            Value::Object(map) => map.values().for_each(|member| plainly(member, out)),
            Value::Null => {}
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\{}:,a]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn texts_are_those_that_a_parser_finds(value in value(), pretty: bool) {
            let json = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let mut expected = Vec::new();
            plainly(&value, &mut expected);
            prop_assert_eq!(texts(&json), Some(expected));
            // Another value may follow, and nothing may be cut off.
            prop_assert_eq!(passes([&json, ",", &json].concat().as_bytes(), &mut |_| false), Some(false));
            if json.len() > 2 && matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
                prop_assert_eq!(passes(&json.as_bytes()[..json.len() - 1], &mut |_| false), None);
            }
        }

        #[test]
        fn what_is_judged_is_json(text in "[\\[\\]{}:,\"a1t \\\\-]{0,12}") {
            let text = format!("[{text}");
            if let Some(found) = texts(&text) {
                let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
                let mut expected = Vec::new();
                plainly(&values.next().unwrap().unwrap(), &mut expected);
                // A key that stands twice counts once for a parser.
                prop_assert!(expected.iter().all(|text| found.contains(text)));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b']'), Just(b':'), Just(b','), Just(b'\\'), any::<u8>()], 0..60)) {
            let _ = passes(&bytes, &mut |_| false);
        }
    }
}
