//! Walks JSON without parsing it: exact about strings, escapes and nesting, blind to the rest.
//!
//! What is walked is taken to be JSON. Of JSON, a walk finds exactly what a parser finds; of
//! anything else it finds something, and neither panics nor goes on for ever.
#![allow(clippy::inline_always)] // A walk is compiled for each sight as a whole.

use super::blocks::{BLOCK, Carry, Look, Sight, look};

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

/// Tells where colons of an object's own members are: of those whose key has one of two letters so
/// many bytes before them, and of those whose key has escapes or does not stand right before them,
/// in order; `at` is where its `{` stands. Others may be among them. Returns the byte behind its
/// `}`; none when it does not end.
///
/// Of what a walk costs, most is guessing wrong how a shape goes on. So here there is one guess for
/// each block: that it holds nothing in question.
#[inline]
pub(crate) fn sought_colons(
    bytes: &[u8],
    at: usize,
    letters: [u8; 2],
    back: usize,
    found: impl FnMut(usize),
) -> Option<usize> {
    look(Search {
        bytes,
        at,
        letters,
        back,
        found,
    })
}

struct Search<'a, F> {
    bytes: &'a [u8],
    at: usize,
    letters: [u8; 2],
    back: usize,
    found: F,
}

impl<F: FnMut(usize)> Look for Search<'_, F> {
    type Found = Option<usize>;

    #[inline(always)]
    fn look<S: Sight>(mut self, sight: S) -> Option<usize> {
        let mut behind = Behind::default();
        let rest = self.bytes.get(self.at..)?;
        let before = self.at.checked_sub(self.back);
        let before = before.and_then(|at| self.bytes.get(at..));
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        let (befores, _) = before.unwrap_or_default().as_chunks::<BLOCK>();
        let [one, other] = self.letters;
        let mut base = self.at;
        for (block, before) in blocks.iter().zip(befores) {
            let shape = behind.see(sight, block, sight.either(before, one, other));
            if shape.is_in_question()
                && let Some(end) = shape.tell(base, &mut self.found)
            {
                return Some(end);
            }
            base += BLOCK;
        }
        // Near the edges of the text all colons are told.
        while let Some(rest) = self.bytes.get(base..).filter(|rest| !rest.is_empty()) {
            let mut edge = [0; BLOCK];
            for (to, from) in edge.iter_mut().zip(rest) {
                *to = *from;
            }
            let shape = behind.see(sight, &edge, u64::MAX);
            if let Some(end) = shape.tell(base, &mut self.found) {
                return Some(end);
            }
            base += BLOCK;
        }
        None
    }
}

/// What is known behind the last block of an object.
#[derive(Default)]
struct Behind {
    carry: Carry,
    escapes: Escapes,
    /// Bit 0: whether the last byte is a quote.
    quote: u64,
    /// Brackets that are open.
    depth: u32,
}

/// A block of an object: bit n is byte n.
#[derive(Clone, Copy)]
struct Shape {
    open: u64,
    close: u64,
    /// Colons that are told if they are of the object's own members.
    colons: u64,
    /// Brackets that are open before it.
    depth: u32,
}

impl Behind {
    /// Sees the next block, and in it colons near sought letters.
    #[inline(always)]
    fn see<S: Sight>(&mut self, sight: S, block: &[u8; BLOCK], near: u64) -> Shape {
        let masks = sight.masks(block);
        let strings = self.carry.strings(sight, masks);
        let mut told = near | !(masks.quote << 1 | self.quote);
        self.quote = masks.quote >> 63;
        if masks.backslash | self.escapes.pending != 0 {
            told |= self.escapes.behind(strings, masks.backslash);
        }
        let shape = Shape {
            open: masks.open & !strings,
            close: masks.close & !strings,
            colons: masks.colon & !strings & told,
            depth: self.depth,
        };
        let more = shape
            .open
            .count_ones()
            .wrapping_sub(shape.close.count_ones());
        self.depth = self.depth.wrapping_add(more);
        shape
    }
}

impl Shape {
    /// Whether the object may end in this block, or colons in it may be told.
    #[inline(always)]
    fn is_in_question(&self) -> bool {
        self.colons != 0 || self.close.count_ones() >= self.depth
    }

    /// Tells the colons; returns the byte behind the object's `}` if it is in this block, which
    /// starts at a byte.
    #[inline(always)]
    fn tell(&self, start: usize, found: &mut impl FnMut(usize)) -> Option<usize> {
        let depth_before = |bit: u64| {
            let before = bit.wrapping_sub(1);
            let opened = self.depth + (self.open & before).count_ones();
            opened.wrapping_sub((self.close & before).count_ones())
        };
        let mut end = None;
        let mut colons = self.colons;
        if self.close.count_ones() >= self.depth {
            end = bits(self.close).find(|bit| depth_before(*bit) <= 1);
            colons &= end.unwrap_or_default().wrapping_sub(1);
        }
        for colon in bits(colons) {
            if depth_before(colon) == 1 {
                found(start + colon.trailing_zeros() as usize);
            }
        }
        end.map(|bit| start + bit.trailing_zeros() as usize + 1)
    }
}

/// The single bits of a mask, lowest first.
#[inline(always)]
fn bits(mut mask: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let bit = mask & mask.wrapping_neg();
        mask ^= bit;
        (bit != 0).then_some(bit)
    })
}

/// Which strings have escapes, from block to block.
#[derive(Clone, Copy, Default)]
struct Escapes {
    /// Bit 0: whether the string that the block before ended in has escapes; bit 1: whether its
    /// last byte ends a string with escapes.
    pending: u64,
}

impl Escapes {
    /// The bytes right behind strings with escapes.
    #[inline(always)]
    fn behind(&mut self, strings: u64, backslash: u64) -> u64 {
        // A backslash in a string carries over to the quote that ends it.
        let (ends, over) = strings.overflowing_add(backslash & strings);
        let (ends, further) = ends.overflowing_add(self.pending & 1);
        let ends = ends & !strings;
        let behind = ends << 1 | self.pending >> 1;
        self.pending = u64::from(over | further) | ends >> 63 << 1;
        behind
    }
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
        let mut edge = [0; BLOCK];
        for (to, from) in edge.iter_mut().zip(tail) {
            *to = *from;
        }
        steps.step(sight, &edge, self.at, &mut self.colons)
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
    use super::{Colons, Cursor, Raw, Search, Stop, Walk, nest_end, own_colons, sought_colons};
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
        fn sought_colons_are_the_own_ones_behind_a_letter(
            text in "[{\\[]([\\\\\"{}\\[\\]:,TOab ]|\"[TO]abc\":|\"[TO]a\\\\c\":|[a-z]{20}|\\{\"a\":){0,60}",
            at in 0_usize..8,
        ) {
            let text = format!("{}{text}", &"\":{\"T123"[..at]);
            let bytes = text.as_bytes();
            let mut own = Vec::new();
            let end = own_colons(bytes, at, |colons| own.extend(colons));
            let mut found = Vec::new();
            let sought = sought_colons(bytes, at, *b"TO", 5, |colon| found.push(colon));
            let mut plain = Vec::new();
            let search = Search { bytes, at, letters: *b"TO", back: 5, found: |colon| plain.push(colon) };
            prop_assert_eq!((&sought, &found), (&search.look(Words), &plain), "the sights differ");
            prop_assert_eq!(sought, end);
            let Some(end) = sought else { return Ok(()) };
            let has_letter = |colon: &usize| colon.checked_sub(5).is_some_and(|at| matches!(bytes[at], b'T' | b'O'));
            // A key with escapes, or one that does not stand right before its colon, is told.
            let is_odd = |colon: &usize| {
                let Some(key) = text[at..*colon].strip_suffix('"') else { return true };
                let escaped = |quote: usize| key[..quote].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
                let start = key.rmatch_indices('"').map(|(quote, _)| quote).find(|quote| !escaped(*quote));
                start.is_none_or(|start| key[start..].contains('\\'))
            };
            let told = |colon: &&usize| has_letter(colon) || is_odd(colon);
            prop_assert!(own.iter().filter(told).all(|colon| found.contains(colon)), "{}", &text[at..end]);
            prop_assert!(found.iter().all(|colon| own.contains(colon)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b':'), Just(b','), Just(b'\\'), any::<u8>()], 0..300)) {
            let end = own_colons(&bytes, 0, |_| ());
            prop_assert_eq!(sought_colons(&bytes, 0, *b":\"", 1, |_| ()), end);
            let _ = nest_end(&bytes, 0);
            let _ = Cursor::new(&bytes, 0).value();
        }
    }
}
