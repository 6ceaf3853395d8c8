//! Walks the members of a JSON object without parsing them: exact about strings, escapes and
//! nesting, and blind to everything else.
//!
//! What it accepts is a superset of JSON: inside nested values and strings only quotes, escapes
//! and brackets are looked at. On JSON it finds exactly the members that a parser finds.

use super::blocks::{BLOCK, Carry, Look, STEP, Sight, Words, look};

/// What stands at a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing: the member is missing.
    #[default]
    Missing,
    /// A string without escapes; the span lies within the quotes.
    Text,
    /// A string with escapes; the span lies within the quotes.
    Escaped,
    /// An object or array, brackets included.
    Nest,
    /// A number, `true`, `false` or `null`.
    Plain,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
}

impl Span {
    /// The bytes of the span: a string's content without its quotes.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes of the value as JSON: a string with its quotes.
    pub(crate) fn json(self, bytes: &[u8]) -> &[u8] {
        let quote = usize::from(matches!(self.kind, Kind::Text | Kind::Escaped));
        bytes
            .get(self.start.saturating_sub(quote)..self.end.saturating_add(quote))
            .unwrap_or_default()
    }
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
pub(crate) struct Cursor<'a, S> {
    bytes: &'a [u8],
    sight: S,
    /// The next byte.
    pub at: usize,
}

impl<'a> Cursor<'a, Words> {
    /// A cursor at a byte, for where little is gone past.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self::with(bytes, at, Words)
    }
}

impl<'a, S: Sight> Cursor<'a, S> {
    /// A cursor at a byte.
    #[inline(always)]
    pub(crate) fn with(bytes: &'a [u8], at: usize, sight: S) -> Self {
        Self { bytes, sight, at }
    }

    /// The next byte that is no white space; the cursor then stands on it.
    #[inline(always)]
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
    #[inline(always)]
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
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Result<Span, Stop> {
        self.eat(b'"')?;
        let start = self.at;
        let mut kind = Kind::Text;
        loop {
            let stop = self.next_stop()?;
            if self.bytes.get(stop) == Some(&b'"') {
                self.at = stop + 1;
                return Ok(Span {
                    start,
                    end: stop,
                    kind,
                });
            }
            kind = Kind::Escaped;
            self.at = stop + 2;
        }
    }

    /// The next quote or backslash.
    #[inline(always)]
    fn next_stop(&mut self) -> Result<usize, Stop> {
        let mut at = self.at;
        while let Some(step) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<STEP>) {
            let found = self.sight.stops(step);
            if found != 0 {
                return Ok(at + found.trailing_zeros() as usize);
            }
            at += STEP;
        }
        self.bytes
            .get(at..)
            .and_then(|tail| tail.iter().position(|byte| matches!(byte, b'"' | b'\\')))
            .map(|offset| at + offset)
            .ok_or(Stop::End)
    }

    /// Goes past a value of any kind.
    ///
    /// # Errors
    ///
    /// When none stands here, or it does not end.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Span, Stop> {
        match self.peek() {
            Some(b'"') => self.text(),
            Some(b'{' | b'[') => {
                let start = self.at;
                let end = nest_end_with(self.bytes, start, self.sight).ok_or(Stop::End)?;
                self.at = end;
                Ok(Span {
                    start,
                    end,
                    kind: Kind::Nest,
                })
            }
            Some(_) => self.plain(),
            None => Err(Stop::End),
        }
    }

    /// Goes past a number, `true`, `false` or `null`.
    fn plain(&mut self) -> Result<Span, Stop> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'E'))
            .ok_or(Stop::End)?;
        if length == 0 {
            return Err(Stop::At(start));
        }
        self.at = start + length;
        Ok(Span {
            start,
            end: self.at,
            kind: Kind::Plain,
        })
    }
}

/// Walks the object whose `{` stands at a byte, naming each of its own members (key and value)
/// in order, and returns the byte behind its `}`.
///
/// # Errors
///
/// When the object does not end, or its own level is no JSON.
#[inline(always)]
pub(crate) fn object<S: Sight>(
    bytes: &[u8],
    at: usize,
    sight: S,
    mut member: impl FnMut(Span, Span),
) -> Result<usize, Stop> {
    let mut cursor = Cursor::with(bytes, at, sight);
    cursor.eat(b'{')?;
    if cursor.peek() == Some(b'}') {
        return Ok(cursor.at + 1);
    }
    loop {
        let key = cursor.text()?;
        cursor.eat(b':')?;
        let value = cursor.value()?;
        member(key, value);
        match cursor.peek() {
            Some(b',') => cursor.at += 1,
            Some(b'}') => return Ok(cursor.at + 1),
            Some(_) => return Err(Stop::At(cursor.at)),
            None => return Err(Stop::End),
        }
    }
}

/// The byte behind the bracket that closes the one at `at`; none when it is never closed.
pub(crate) fn nest_end(bytes: &[u8], at: usize) -> Option<usize> {
    struct End<'a>(&'a [u8], usize);
    impl Look for End<'_> {
        type Found = Option<usize>;

        #[inline(always)]
        fn look<S: Sight>(self, sight: S) -> Option<usize> {
            nest_end_with(self.0, self.1, sight)
        }
    }
    look(End(bytes, at))
}

#[inline(always)]
fn nest_end_with<S: Sight>(bytes: &[u8], at: usize, sight: S) -> Option<usize> {
    let mut carry = Carry::default();
    let mut depth = 0u32;
    let mut base = at;
    let mut tail = [0; BLOCK];
    loop {
        let rest = bytes.get(base..).filter(|rest| !rest.is_empty())?;
        let block = if let Some(block) = rest.first_chunk::<BLOCK>() {
            block
        } else {
            for (to, from) in tail.iter_mut().zip(rest) {
                *to = *from;
            }
            &tail
        };
        let masks = sight.masks(block);
        let strings = carry.strings(masks);
        let (open, close) = (masks.open & !strings, masks.close & !strings);
        let closing = close.count_ones();
        if closing < depth {
            depth = depth + open.count_ones() - closing;
        } else {
            let mut brackets = open | close;
            while brackets != 0 {
                let bit = brackets & brackets.wrapping_neg();
                brackets ^= bit;
                if close & bit == 0 {
                    depth += 1;
                } else {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(base + bit.trailing_zeros() as usize + 1);
                    }
                }
            }
        }
        base += BLOCK;
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Look, Sight, Span, Stop, look, nest_end};
    use proptest::prelude::*;
    use serde_json::Value;

    struct Walk<'a, F>(&'a [u8], F);

    impl<F: FnMut(Span, Span)> Look for Walk<'_, F> {
        type Found = Result<usize, Stop>;

        fn look<S: Sight>(self, sight: S) -> Result<usize, Stop> {
            super::object(self.0, 0, sight, self.1)
        }
    }

    fn object(bytes: &[u8], member: impl FnMut(Span, Span)) -> Result<usize, Stop> {
        look(Walk(bytes, member))
    }

    fn members(text: &str) -> Result<Vec<(String, String)>, Stop> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        let end = object(bytes, |key, value| {
            let [key, value] =
                [key, value].map(|span| String::from_utf8(span.json(bytes).to_vec()).unwrap());
            found.push((key, value));
        })?;
        assert_eq!(text[end..].trim(), "", "something was left over");
        Ok(found)
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn own_members_are_named_and_nested_ones_are_not() {
        for (text, expected) in [
            ("{}", &[][..]),
            ("{ \n\t}", &[]),
            (r#"{"a":1}"#, &[(r#""a""#, "1")]),
            (
                r#"{ "a" : true , "b":null}"#,
                &[(r#""a""#, "true"), (r#""b""#, "null")],
            ),
            (
                r#"{"a":{"a":"}","b":["{",{}]},"a":-1.5e+3}"#,
                &[
                    (r#""a""#, r#"{"a":"}","b":["{",{}]}"#),
                    (r#""a""#, "-1.5e+3"),
                ],
            ),
            (
                r#"{"a\"b":"\\","c":"\"}"}"#,
                &[(r#""a\"b""#, r#""\\""#), (r#""c""#, r#""\"}""#)],
            ),
        ] {
            assert_eq!(members(text), Ok(pairs(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_object_says_where() {
        for (text, expected) in [
            (r#"{"a":1"#, Stop::End),
            (r#"{"a":"#, Stop::End),
            (r#"{"a":"b\"#, Stop::End),
            (r#"{"a":{"b":1}"#, Stop::End),
            (r#"{"a":12"#, Stop::End),
            (r#"{a":1}"#, Stop::At(1)),
            (r#"{"a" 1}"#, Stop::At(5)),
            (r#"{"a":1,}"#, Stop::At(7)),
            (r#"{"a":1 "b":2}"#, Stop::At(7)),
            (r#"{"a":,"b":2}"#, Stop::At(5)),
            (r#"["a"]"#, Stop::At(0)),
        ] {
            assert_eq!(members(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_nest_ends_across_blocks() {
        for filler in 0..200 {
            let text = format!(r#"{{"{}\"}}":[{{}},[]],"b":"\\"}} {{"#, "x".repeat(filler));
            assert_eq!(
                nest_end(text.as_bytes(), 0),
                Some(text.len() - 2),
                "{filler}"
            );
            assert_eq!(
                nest_end(&text.as_bytes()[..text.len() - 3], 0),
                None,
                "{filler}"
            );
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
        fn members_are_those_that_a_parser_finds(values in prop::collection::vec(json(), 0..6), pretty: bool) {
            let whole: Value = values.into_iter().enumerate().map(|(index, value)| (format!("k{index}\""), value)).collect();
            let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap();
            let found: Value = members(&text)
                .unwrap()
                .into_iter()
                .map(|(key, value)| (serde_json::from_str::<String>(&key).unwrap(), serde_json::from_str::<Value>(&value).unwrap()))
                .collect();
            prop_assert_eq!(found, whole);
            // Cut anywhere, it does not end.
            for cut in (1..text.trim_end().len()).step_by(7) {
                prop_assert_eq!(object(&text.as_bytes()[..cut], |_, _| ()), Err(Stop::End));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b':'), Just(b','), Just(b'\\'), any::<u8>()], 0..300)) {
            let _ = object(&bytes, |key, value| {
                assert_ne!(key.kind, Kind::Missing);
                let _ = (key.json(&bytes), value.json(&bytes));
            });
            let _ = nest_end(&bytes, 0);
        }
    }
}
