//! Sees 64 bytes at a time as bit masks: which of them are quotes, backslashes, brackets.
//!
//! There are three ways to see, with the same result: AVX-512 and AVX2 where the machine has them,
//! found out when the program runs, and plain word arithmetic anywhere. Over a walk of records the
//! vectors are several times as fast, which is what their `unsafe` is for.
#![allow(clippy::inline_always)] // A sight is to be compiled into what looks with it.

/// Where the bytes that shape JSON stand in a block: bit n is byte n.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    pub quote: u64,
    pub backslash: u64,
    /// `{` and `[`.
    pub open: u64,
    /// `}` and `]`.
    pub close: u64,
    pub colon: u64,
}

/// Bytes per block.
pub(crate) const BLOCK: usize = 64;

/// The first bytes of a text, and zeroes behind them where it has less.
#[inline(always)]
pub(crate) fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut block = [0; N];
    for (to, from) in block.iter_mut().zip(text) {
        *to = *from;
    }
    block
}

/// A way to see.
pub(crate) trait Sight: Copy {
    /// The masks of a block.
    fn masks(self, block: &[u8; BLOCK]) -> Masks;

    /// Where either of two bytes stands.
    fn either(self, block: &[u8; BLOCK], one: u8, other: u8) -> u64;

    /// Bit n is the parity of the bits 0 to n.
    fn parity(self, bits: u64) -> u64;
}

/// Work that is done with the best sight there is.
pub(crate) trait Look {
    /// What it finds.
    type Found;

    /// Does it. To be inlined always, or it is not compiled for the machine that has the sight.
    fn look<S: Sight>(self, sight: S) -> Self::Found;
}

/// Does some work with the best sight that this machine has.
#[inline(always)]
pub(crate) fn look<L: Look>(work: L) -> L::Found {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = x86::Avx2::detect() {
        return match x86::Avx512::detect() {
            Some(avx512) => avx512.look(work),
            None => avx2.look(work),
        };
    }
    work.look(Words)
}

pub(crate) use words::Words;

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! The one place with `unsafe`: calls of what is compiled for AVX2 or AVX-512, which are sound
    //! on a machine that has it. Nothing here reads memory but through references.
    #![allow(unsafe_code)]

    use super::{BLOCK, Look, Masks, Sight};
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64,
        _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_setr_epi64x, _mm512_cmpeq_epi8_mask, _mm512_or_si512, _mm512_set1_epi8,
        _mm512_setr_epi64,
    };

    /// Proof that the machine has AVX2 and what came with it.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx2(());

    /// Proof that the machine has AVX-512 for bytes, besides.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Avx512(());

    impl Avx2 {
        #[inline(always)]
        pub(super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("pclmulqdq");
            has.then_some(Self(()))
        }

        #[inline(always)]
        pub(super) fn look<L: Look>(self, work: L) -> L::Found {
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
            fn look<L: Look>(sight: Avx2, work: L) -> L::Found {
                work.look(sight)
            }
            // SAFETY: `self` exists, so the machine has these features.
            unsafe { look(self, work) }
        }
    }

    impl Avx512 {
        #[inline(always)]
        pub(super) fn detect() -> Option<Self> {
            let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
            (has && Avx2::detect().is_some()).then_some(Self(()))
        }

        #[inline(always)]
        pub(super) fn look<L: Look>(self, work: L) -> L::Found {
            #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2,lzcnt,popcnt,pclmulqdq")]
            fn look<L: Look>(sight: Avx512, work: L) -> L::Found {
                work.look(sight)
            }
            // SAFETY: `self` exists, so the machine has these features.
            unsafe { look(self, work) }
        }
    }

    impl Sight for Avx2 {
        #[inline(always)]
        fn masks(self, block: &[u8; BLOCK]) -> Masks {
            // SAFETY: `self` exists, so the machine has AVX2.
            unsafe { masks_avx2(block) }
        }

        #[inline(always)]
        fn either(self, block: &[u8; BLOCK], one: u8, other: u8) -> u64 {
            // SAFETY: `self` exists, so the machine has AVX2.
            unsafe { either_avx2(block, one, other) }
        }

        #[inline(always)]
        fn parity(self, bits: u64) -> u64 {
            // SAFETY: `self` exists, so the machine has carry-less multiplication.
            unsafe { parity(bits) }
        }
    }

    impl Sight for Avx512 {
        #[inline(always)]
        fn masks(self, block: &[u8; BLOCK]) -> Masks {
            // SAFETY: `self` exists, so the machine has AVX-512 for bytes.
            unsafe { masks_avx512(block) }
        }

        #[inline(always)]
        fn either(self, block: &[u8; BLOCK], one: u8, other: u8) -> u64 {
            // SAFETY: `self` exists, so the machine has AVX-512 for bytes.
            unsafe { either_avx512(block, one, other) }
        }

        #[inline(always)]
        fn parity(self, bits: u64) -> u64 {
            // SAFETY: `self` exists, so the machine has carry-less multiplication.
            unsafe { parity(bits) }
        }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
    fn parity(bits: u64) -> u64 {
        let bits = _mm_cvtsi64_si128(bits as i64);
        _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1))) as u64
    }

    /// The eight bytes of a block from a byte on.
    #[inline(always)]
    fn word(block: &[u8; BLOCK], at: usize) -> i64 {
        let word = block.get(at..).and_then(<[u8]>::first_chunk);
        word.map_or(0, |word| i64::from_le_bytes(*word))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn halves(block: &[u8; BLOCK]) -> [__m256i; 2] {
        let word = |at| word(block, at);
        [
            _mm256_setr_epi64x(word(0), word(8), word(16), word(24)),
            _mm256_setr_epi64x(word(32), word(40), word(48), word(56)),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
    fn equal(halves: [__m256i; 2], byte: u8) -> u64 {
        let [low, high] = halves.map(|half| {
            let equal = _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte as i8));
            u64::from(_mm256_movemask_epi8(equal) as u32)
        });
        low | high << 32
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn masks_avx2(block: &[u8; BLOCK]) -> Masks {
        let halves = halves(block);
        // `[` and `{`, `]` and `}` differ in this bit alone.
        let folded = halves.map(|half| _mm256_or_si256(half, _mm256_set1_epi8(0x20)));
        Masks {
            quote: equal(halves, b'"'),
            backslash: equal(halves, b'\\'),
            open: equal(folded, b'{'),
            close: equal(folded, b'}'),
            colon: equal(halves, b':'),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn either_avx2(block: &[u8; BLOCK], one: u8, other: u8) -> u64 {
        let halves = halves(block);
        equal(halves, one) | equal(halves, other)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn whole(block: &[u8; BLOCK]) -> __m512i {
        let word = |at| word(block, at);
        _mm512_setr_epi64(
            word(0),
            word(8),
            word(16),
            word(24),
            word(32),
            word(40),
            word(48),
            word(56),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    #[allow(clippy::cast_possible_wrap)]
    fn masks_avx512(block: &[u8; BLOCK]) -> Masks {
        let bytes = whole(block);
        let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
        Masks {
            quote: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'"' as i8)),
            backslash: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\' as i8)),
            open: _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(b'{' as i8)),
            close: _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(b'}' as i8)),
            colon: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b':' as i8)),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    #[allow(clippy::cast_possible_wrap)]
    fn either_avx512(block: &[u8; BLOCK], one: u8, other: u8) -> u64 {
        let bytes = whole(block);
        let equal = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
        equal(one) | equal(other)
    }
}

mod words {
    use super::{BLOCK, Masks, Sight};

    /// Eight bytes at a time, in plain arithmetic.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Words;

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

    impl Sight for Words {
        fn masks(self, block: &[u8; BLOCK]) -> Masks {
            let mut masks = Masks::default();
            let (words, _) = block.as_chunks::<8>();
            for (index, word) in words.iter().enumerate() {
                let shift = index * 8;
                let word = u64::from_le_bytes(*word);
                // `[` and `{`, `]` and `}` differ in this bit alone.
                let folded = word | (ONES * 0x20);
                masks.quote |= equal(word, b'"') << shift;
                masks.backslash |= equal(word, b'\\') << shift;
                masks.open |= equal(folded, b'{') << shift;
                masks.close |= equal(folded, b'}') << shift;
                masks.colon |= equal(word, b':') << shift;
            }
            masks
        }

        fn either(self, block: &[u8; BLOCK], one: u8, other: u8) -> u64 {
            let (words, _) = block.as_chunks::<8>();
            let found = words.iter().enumerate().map(|(index, word)| {
                let word = u64::from_le_bytes(*word);
                (equal(word, one) | equal(word, other)) << (index * 8)
            });
            found.fold(0, |all, one| all | one)
        }

        fn parity(self, mut bits: u64) -> u64 {
            for distance in [1, 2, 4, 8, 16, 32] {
                bits ^= bits << distance;
            }
            bits
        }
    }
}

/// What one block hands to the next: whether it ended inside a string, and whether its last
/// byte escapes the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carry {
    /// All ones inside a string.
    string: u64,
    /// One after an escaping backslash.
    escape: u64,
}

impl Carry {
    /// The bytes of a block that are inside strings, opening quotes included.
    #[inline(always)]
    pub(crate) fn strings<S: Sight>(&mut self, sight: S, masks: Masks) -> u64 {
        let quotes = masks.quote & !self.escaped(masks.backslash);
        let strings = sight.parity(quotes) ^ self.string;
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

#[cfg(test)]
mod tests {
    use super::{BLOCK, Carry, Look, Masks, Sight, Words, look};
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

    struct Block<'a>(&'a [u8; BLOCK]);

    impl Look for Block<'_> {
        type Found = (Masks, u64);

        fn look<S: Sight>(self, sight: S) -> (Masks, u64) {
            let masks = sight.masks(self.0);
            (masks, sight.parity(masks.quote))
        }
    }

    proptest! {
            #[test]
            fn all_ways_of_seeing_a_block_agree(bytes in prop::collection::vec(dense(), BLOCK)) {
                let bytes: [u8; BLOCK] = bytes.try_into().unwrap();
                let (masks, parity) = Block(&bytes).look(Words);
                prop_assert_eq!(look(Block(&bytes)), (masks, parity));
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = super::x86::Avx2::detect() {
                prop_assert_eq!(avx2.look(Block(&bytes)), (masks, parity));
            }
                for (index, byte) in bytes.iter().enumerate() {
                    let is = |mask: u64| mask >> index & 1 == 1;
                    prop_assert_eq!(is(masks.quote), *byte == b'"');
                    prop_assert_eq!(is(masks.backslash), *byte == b'\\');
                    prop_assert_eq!(is(masks.open), matches!(byte, b'{' | b'['));
                    prop_assert_eq!(is(masks.close), matches!(byte, b'}' | b']'));
    prop_assert_eq!(is(masks.colon), *byte == b':');
                }
            }

            #[test]
            fn strings_are_seen_as_a_plain_reading_sees_them(bytes in prop::collection::vec(dense(), 256)) {
                let mut carry = Carry::default();
                let (blocks, _) = bytes.as_chunks::<BLOCK>();
                let seen: Vec<bool> = blocks
                    .iter()
                    .flat_map(|block| {
                        let strings = carry.strings(Words, Words.masks(block));
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
