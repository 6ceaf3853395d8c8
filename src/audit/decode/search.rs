//! Searches objects for a few of their own keys, several times as fast as text can be inflated.
//!
//! Of what a [walk](super::scan) costs, most is guessing wrong how a shape goes on. Here there is one
//! guess for each block: that it holds nothing in question.
#![allow(clippy::inline_always)] // A search is compiled for each sight as a whole.

use super::blocks::{BLOCK, Carry, Look, Sight, look, padded};

/// Tells where colons of an object's own members are: of those whose key has one of two letters so
/// many bytes before them, and of those whose key has escapes or does not stand right before them,
/// in order; `at` is where its `{` stands, `back` is less than [`BLOCK`]. Others may be among them. Returns the byte behind its
/// `}`; none when it does not end.
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
        let mut behind = Behind {
            // Of letters before the object nothing is known.
            near: !(u64::MAX << self.back),
            ..Behind::default()
        };
        let (blocks, tail) = self.bytes.get(self.at..)?.as_chunks::<BLOCK>();
        let mut base = self.at;
        for block in blocks {
            let shape = behind.see(sight, block, self.letters, self.back);
            if shape.is_in_question()
                && let Some(end) = shape.tell(base, &mut self.found)
            {
                return Some(end);
            }
            base += BLOCK;
        }
        let shape = behind.see(sight, &padded(tail), self.letters, self.back);
        shape.tell(base, &mut self.found)
    }
}

/// What is known behind the last block of an object.
#[derive(Default)]
struct Behind {
    carry: Carry,
    escapes: Escapes,
    /// Bit 0: whether the last byte is a quote.
    quote: u64,
    /// The first bytes of the next block that have a sought letter before them.
    near: u64,
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
    fn see<S: Sight>(
        &mut self,
        sight: S,
        block: &[u8; BLOCK],
        [one, other]: [u8; 2],
        back: usize,
    ) -> Shape {
        let letters = sight.either(block, one, other);
        let near = letters << back | self.near;
        self.near = letters >> (BLOCK - back);
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

#[cfg(test)]
mod tests {
    use super::super::blocks::{Look, Words};
    use super::super::scan::own_colons;
    use super::{Search, sought_colons};
    use proptest::prelude::*;

    proptest! {
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
        }
    }
}
