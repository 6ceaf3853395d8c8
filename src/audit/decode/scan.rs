//! Walks JSON without parsing it: exact about strings, escapes and nesting, blind to the rest.
//!
//! What is walked is taken to be JSON. Of JSON, a walk finds exactly what a parser finds; of
//! anything else it finds something, and neither panics nor goes on for ever.
#![allow(clippy::inline_always)] // A walk is compiled for each sight as a whole.

use super::blocks::{BLOCK, Carry, Look, Sight, look, padded};

/// A value, unparsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    /// A string without escapes, without its quotes.
    Text(&'a [u8]),
    /// A string with escapes, in its quotes.
    Escaped(&'a [u8]),
    /// An object or array, brackets included.
    Nest(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Plain(&'a [u8]),
}

/// Why a walk stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end inside a value.
    End,
    /// What stands at this byte cannot stand there.
    At(usize),
}

/// A place in JSON text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at a byte.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next byte that is no white space; the cursor then stands on it.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    /// Goes past the next byte when it is this one.
    ///
    /// # Errors
    ///
    /// When it is another, or there is none.
    pub(crate) fn eat(&mut self, byte: u8) -> Result<(), Stop> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Stop::At(self.at)),
            None => Err(Stop::End),
        }
    }

    /// Goes past a string.
    ///
    /// # Errors
    ///
    /// When none stands here, or it does not end.
    pub(crate) fn text(&mut self) -> Result<Raw<'a>, Stop> {
        self.eat(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).ok_or(Stop::End)?;
            let length = memchr::memchr2(b'"', b'\\', rest).ok_or(Stop::End)?;
            let end = self.at + length;
            if self.bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok(if escaped {
                    Raw::Escaped(self.bytes.get(start - 1..=end).unwrap_or_default())
                } else {
                    Raw::Text(self.bytes.get(start..end).unwrap_or_default())
                });
            }
            escaped = true;
            self.at = end + 2;
        }
    }

    /// Goes past a value of any kind.
    ///
    /// # Errors
    ///
    /// When none stands here, or it does not end.
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, Stop> {
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'{' | b'[') => {
                let start = self.at;
                self.at = nest_end(self.bytes, start).ok_or(Stop::End)?;
                Ok(Raw::Nest(
                    self.bytes.get(start..self.at).unwrap_or_default(),
                ))
            }
            Some(_) => self.plain(),
            None => Err(Stop::End),
        }
    }

    /// Goes past a number, `true`, `false` or `null`.
    fn plain(&mut self) -> Result<Raw<'a>, Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'E'))
            .ok_or(Stop::End)?;
        if length == 0 {
            return Err(Stop::At(self.at));
        }
        self.at += length;
        Ok(Raw::Plain(rest.get(..length).unwrap_or_default()))
    }
}

/// Some colons of an object's own members.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Colons {
    /// The byte that bit 0 stands for.
    base: usize,
    bits: u64,
    /// Whether a key may not be spelt as usual, right before its colon: a colon stands alone, or a
    /// backslash within [`KEY_REACH`] bytes before it.
    pub odd: bool,
}

impl Iterator for Colons {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.bits == 0 {
            return None;
        }
        let bit = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.base + bit)
    }
}

/// Walks the object whose `{` stands at a byte and tells where the colons of its own members are,
/// in order. Returns the byte behind its `}`; none when it does not end.
#[inline]
pub(crate) fn own_colons(bytes: &[u8], at: usize, colons: impl FnMut(Colons)) -> Option<usize> {
    look(Walk { bytes, at, colons })
}

/// Bytes before a colon that are looked through for backslashes, at the least.
pub(crate) const KEY_REACH: usize = 2 * BLOCK;

/// The byte behind the bracket that closes the one at `at`; none when it is never closed.
pub(crate) fn nest_end(bytes: &[u8], at: usize) -> Option<usize> {
    look(Walk {
        bytes,
        at,
        colons: |_| (),
    })
}

struct Walk<'a, F> {
    bytes: &'a [u8],
    at: usize,
    colons: F,
}

impl<F: FnMut(Colons)> Look for Walk<'_, F> {
    type Found = Option<usize>;

    #[inline(always)]
    fn look<S: Sight>(mut self, sight: S) -> Option<usize> {
        let mut steps = Steps::default();
        let (blocks, tail) = self.bytes.get(self.at..)?.as_chunks::<BLOCK>();
        for block in blocks {
            if let Some(end) = steps.step(sight, block, self.at, &mut self.colons) {
                return Some(end);
            }
            self.at += BLOCK;
        }
        steps.step(sight, &padded(tail), self.at, &mut self.colons)
    }
}

/// How far a walk has come.
#[derive(Default)]
struct Steps {
    carry: Carry,
    /// Brackets that are open.
    depth: u32,
    /// The last byte of the block before, if a quote.
    quote: u64,
    /// Backslashes of the blocks before.
    slashes: [u64; KEY_REACH / BLOCK],
}

impl Steps {
    /// Goes over a block that starts at a byte; returns the byte behind the last bracket if it is
    /// closed in it.
    #[inline(always)]
    fn step<S: Sight>(
        &mut self,
        sight: S,
        block: &[u8; BLOCK],
        base: usize,
        found: &mut impl FnMut(Colons),
    ) -> Option<usize> {
        let masks = sight.masks(block);
        let outside = !self.carry.strings(sight, masks);
        let behind_quote = masks.quote << 1 | self.quote;
        self.quote = masks.quote >> 63;
        let slashes = self.slashes[0] | self.slashes[1] | masks.backslash;
        self.slashes = [self.slashes[1], masks.backslash];
        let close = masks.close & outside;
        let open = masks.open & outside;
        let closing = close.count_ones();
        if closing + 1 < self.depth {
            // Too deep to come up to the object's own level.
            self.depth = self.depth + open.count_ones() - closing;
            return None;
        }
        let colons = masks.colon & outside;
        let mut brackets = open | close;
        let mut ahead = u64::MAX;
        loop {
            let bracket = brackets & brackets.wrapping_neg();
            if self.depth == 1 {
                let bits = colons & ahead & bracket.wrapping_sub(1);
                if bits != 0 {
                    let odd = (bits & !behind_quote) | slashes != 0;
                    found(Colons { base, bits, odd });
                }
            }
            if bracket == 0 {
                return None;
            }
            if open & bracket != 0 {
                self.depth += 1;
            } else {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return Some(base + bracket.trailing_zeros() as usize + 1);
                }
            }
            brackets ^= bracket;
            ahead = !(bracket | bracket.wrapping_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::{Look, Words};
    use super::{Colons, Cursor, Raw, Stop, Walk, nest_end, own_colons};
    use proptest::prelude::*;
    use serde_json::Value;

    /// The values of an object's own members, as text.
    fn values(text: &str) -> Option<Vec<&str>> {
        let bytes = text.as_bytes();
        let (mut found, mut plain) = (Vec::new(), Vec::new());
        let note = |found: &mut Vec<_>, colons: Colons| {
            found.extend(colons.map(|colon| (colon, colons.odd)));
        };
        let end = own_colons(bytes, 0, |colons| note(&mut found, colons));
        let walk = Walk {
            bytes,
            at: 0,
            colons: |colons| note(&mut plain, colons),
        };
        assert_eq!(end, walk.look(Words));
        assert_eq!(found, plain, "the sights differ");
        assert_eq!(end, nest_end(bytes, 0));
        assert_eq!(text[end?..].trim(), "", "something was left over");
        let value = |(colon, odd): (usize, bool)| {
            let before = &bytes[colon.saturating_sub(super::KEY_REACH)..colon];
            assert!(
                odd || !before.contains(&b'\\'),
                "a backslash was not seen before {colon}"
            );
            let mut cursor = Cursor::new(bytes, colon + 1);
            cursor.peek();
            let start = cursor.at;
            cursor.value().unwrap();
            &text[start..cursor.at]
        };
        Some(found.into_iter().map(value).collect())
    }

    #[test]
    fn own_members_are_found_and_nested_ones_are_not() {
        for (text, expected) in [
            ("{}", &[][..]),
            ("{ \n\t}", &[]),
            (r#"{"a":1}"#, &["1"]),
            (r#"{ "a" : true , "b":null}"#, &["true", "null"]),
            (
                r#"{"a":{"a":"}","b":["{",{}]},"a":-1.5e+3}"#,
                &[r#"{"a":"}","b":["{",{}]}"#, "-1.5e+3"],
            ),
            (r#"{"a\"b":"\\","c":"\"}:"}"#, &[r#""\\""#, r#""\"}:""#]),
            (
                r#"{"a":[{"b":[{"c":1}]}],"d":[]}"#,
                &[r#"[{"b":[{"c":1}]}]"#, "[]"],
            ),
        ] {
            assert_eq!(values(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_end_has_no_end() {
        for text in [
            "",
            "{",
            r#"{"a":1"#,
            r#"{"a":"}"#,
            r#"{"a":"b\"}"#,
            r#"{"a":{"b":1}"#,
            r#"{"a":[}"#,
        ] {
            assert_eq!(values(text), None, "{text}");
        }
    }

    #[test]
    fn a_cursor_goes_past_one_value() {
        for (text, expected) in [
            (r#" "a" "#, Ok((Raw::Text(b"a"), 4))),
            (r#""a\"","#, Ok((Raw::Escaped(br#""a\"""#), 5))),
            (r#"{"a":"}"}]"#, Ok((Raw::Nest(br#"{"a":"}"}"#), 9))),
            ("-1.5E+3}", Ok((Raw::Plain(b"-1.5E+3"), 7))),
            ("null,", Ok((Raw::Plain(b"null"), 4))),
            ("", Err(Stop::End)),
            (r#""a\"#, Err(Stop::End)),
            (r#""a\""#, Err(Stop::End)),
            ("12", Err(Stop::End)),
            ("[1", Err(Stop::End)),
            (" }", Err(Stop::At(1))),
        ] {
            let mut cursor = Cursor::new(text.as_bytes(), 0);
            assert_eq!(
                cursor.value().map(|raw| (raw, cursor.at)),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn an_object_ends_across_blocks() {
        for filler in 0..200 {
            let text = format!(r#"{{"{}\"}}":[{{}},[]],"b":"\\"}}"#, "x".repeat(filler));
            assert_eq!(
                values(&text).map(|values| values.len()),
                Some(2),
                "{filler}"
            );
            assert_eq!(values(&text[..text.len() - 1]), None, "{filler}");
        }
    }

    /// JSON of any shape, strings full of what shapes JSON.
    fn json() -> impl Strategy<Value = Value> {
        let text = prop::collection::vec(
            prop_oneof![
                Just('"'),
                Just('\\'),
                Just('{'),
                Just(']'),
                Just(':'),
                Just('é'),
                any::<char>()
            ],
            0..20,
        )
        .prop_map(|chars| chars.into_iter().collect::<String>());
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i16>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_are_those_that_a_parser_finds(members in prop::collection::vec(json(), 0..6), pretty: bool) {
            let whole: Value = members.iter().enumerate().map(|(index, value)| (format!("k{index}\""), value.clone())).collect();
            let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap();
            let found: Vec<Value> = values(&text).unwrap().into_iter().map(|value| serde_json::from_str(value).unwrap()).collect();
            prop_assert_eq!(found, members);
            // Cut anywhere, it does not end.
            for cut in (1..text.len()).step_by(7) {
                prop_assert_eq!(own_colons(&text.as_bytes()[..cut], 0, |_| ()), None);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b':'), Just(b','), Just(b'\\'), any::<u8>()], 0..300)) {
            prop_assert_eq!(nest_end(&bytes, 0), own_colons(&bytes, 0, |_| ()));
            let _ = Cursor::new(&bytes, 0).value();
        }
    }
}
