//! Sees 64 bytes at a time as bit masks: which of them are quotes, backslashes, brackets.
//!
//! On x86-64 the masks come from SSE2, which every such machine has, so no detection and no
//! `unsafe` are needed; elsewhere from plain word arithmetic.

/// Where the bytes that shape JSON stand in a block: bit n is byte n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Masks {
    pub quote: u64,
    pub backslash: u64,
    /// `{` and `[`.
    pub open: u64,
    /// `}` and `]`.
    pub close: u64,
}

/// Bytes per block.
pub(super) const BLOCK: usize = 64;

/// Bytes per step in a string.
pub(super) const STEP: usize = 16;

mod words {
    use super::{BLOCK, Masks, STEP};

    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

    /// The bytes of `word` that equal `byte`, as one bit each.
    fn equal(word: u64, byte: u8) -> u64 {
        let differs = word ^ (ONES * u64::from(byte));
        // The high bit of each byte that is zero, without carries between bytes.
        let zero = !(((differs & LOW) + LOW) | differs | LOW);
        // Gathers the eight high bits into one byte.
        (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }

    /// The masks of a block.
    pub(in super::super) fn masks(block: &[u8; BLOCK]) -> Masks {
        let mut masks = Masks {
            quote: 0,
            backslash: 0,
            open: 0,
            close: 0,
        };
        let (words, _) = block.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let shift = index * 8;
            let word = u64::from_le_bytes(*word);
            let folded = word | (ONES * 0x20);
            masks.quote |= equal(word, b'"') << shift;
            masks.backslash |= equal(word, b'\\') << shift;
            masks.open |= equal(folded, b'{') << shift;
            masks.close |= equal(folded, b'}') << shift;
        }
        masks
    }

    /// Which of 16 bytes are quotes or backslashes.
    pub(in super::super) fn stops(step: &[u8; STEP]) -> u32 {
        let word = u128::from_le_bytes(*step);
        let [low, high] = [word as u64, (word >> 64) as u64];
        let found = |word| equal(word, b'"') | equal(word, b'\\');
        (found(low) | found(high) << 8) as u32
    }
}

pub(super) use words::{masks, stops};

/// What one block hands to the next: whether it ended inside a string, and whether its last
/// byte escapes the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    /// All ones inside a string.
    string: u64,
    /// One after an escaping backslash.
    escape: u64,
}

impl Carry {
    /// The bytes of a block that are inside strings, opening quotes included.
    #[inline(always)]
    pub(super) fn strings(&mut self, masks: Masks) -> u64 {
        let quotes = masks.quote & !self.escaped(masks.backslash);
        let strings = parity(quotes) ^ self.string;
        self.string = 0u64.wrapping_sub(strings >> 63);
        strings
    }

    /// The bytes that a backslash escapes.
    #[inline(always)]
    fn escaped(&mut self, backslash: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslash == 0 {
            return std::mem::take(&mut self.escape);
        }
        // A run of backslashes escapes what stands at odd distances from its start. Adding the
        // starts at odd positions to the runs flips, by the carry, the parity of just those runs.
        let backslash = backslash & !self.escape;
        let follows = backslash << 1 | self.escape;
        let odd_starts = backslash & !EVEN & !follows;
        let (flipped, over) = odd_starts.overflowing_add(backslash);
        self.escape = u64::from(over);
        (EVEN ^ (flipped << 1)) & follows
    }
}

/// Bit n is the parity of the bits 0 to n.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Carry, STEP, masks, stops, words};
    use proptest::prelude::*;

    /// Bytes that matter, dense enough that runs and edges are met.
    fn dense() -> impl Strategy<Value = u8> {
        prop_oneof![
            3 => Just(b'\\'),
            3 => Just(b'"'),
            1 => prop_oneof![Just(b'{'), Just(b'}'), Just(b'['), Just(b']')],
            2 => any::<u8>(),
        ]
    }

    proptest! {
        #[test]
        fn both_ways_of_seeing_a_block_agree(bytes in prop::collection::vec(dense(), BLOCK)) {
            let bytes: [u8; BLOCK] = bytes.try_into().unwrap();
            prop_assert_eq!(masks(&bytes), words::masks(&bytes));
            let step: [u8; STEP] = bytes[24..40].try_into().unwrap();
            prop_assert_eq!(stops(&step), words::stops(&step));
            for (index, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(masks(&bytes).open >> index & 1 == 1, matches!(byte, b'{' | b'['));
                prop_assert_eq!(masks(&bytes).close >> index & 1 == 1, matches!(byte, b'}' | b']'));
            }
        }

        #[test]
        fn strings_are_seen_as_a_plain_reading_sees_them(bytes in prop::collection::vec(dense(), 256)) {
            let mut carry = Carry::default();
            let (blocks, _) = bytes.as_chunks::<BLOCK>();
            let seen: Vec<bool> = blocks
                .iter()
                .flat_map(|block| {
                    let strings = carry.strings(masks(block));
                    (0..BLOCK).map(move |bit| strings >> bit & 1 == 1)
                })
                .collect();

            let (mut inside, mut escaped) = (false, false);
            let plain: Vec<bool> = bytes
                .iter()
                .map(|byte| {
                    let quote = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    inside ^= quote;
                    inside
                })
                .collect();
            prop_assert_eq!(seen, plain);
        }
    }
}
