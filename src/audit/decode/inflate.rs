//! Inflates gzip into one reused buffer.
//!
//! A whole file of one member, which is what AWS delivers, goes through libdeflate; anything else
//! (several members, damage, a size that is not to be believed) through a stream that keeps what
//! it inflated before the damage.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
use memchr::memmem::Finder;

/// Most bytes that one file may inflate to.
const LIMIT: usize = 1 << 30;

/// A buffer larger than this is given back after the file that needed it.
const KEPT: usize = 64 << 20;

/// No deflate stream inflates to more than this many times its size.
const HIGHEST_RATIO: usize = 1032;

/// How every gzip member of ours starts: the magic, then "deflate".
const MEMBER: [u8; 3] = [0x1f, 0x8b, 0x08];

/// The bytes of a gzip member beside its deflate stream: header and trailer, at the least.
const FRAME: usize = 18;

/// Whether bytes are gzip.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MEMBER[..2])
}

/// What kept a file from inflating to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// The byte of the compressed file that could not be gone past.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
    /// What can be done about it.
    pub remedy: &'static str,
}

/// Inflates files one after the other.
pub(super) struct Inflater {
    whole: Decompressor,
    member: Finder<'static>,
    buffer: Vec<u8>,
    limit: usize,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self::limited(LIMIT)
    }

    fn limited(limit: usize) -> Self {
        Self {
            whole: Decompressor::new(),
            member: Finder::new(&MEMBER).into_owned(),
            buffer: Vec::new(),
            limit,
        }
    }

    /// Inflates a file: what could be inflated, and what kept the rest from it.
    pub(super) fn inflate(&mut self, bytes: &[u8]) -> (&[u8], Option<Damage>) {
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
        let (length, damage) = match self.whole(bytes) {
            Some(length) => (length, None),
            None => self.stream(bytes),
        };
        (self.buffer.get(..length).unwrap_or_default(), damage)
    }

    /// Inflates a sound file of one member; none when it is anything else.
    fn whole(&mut self, bytes: &[u8]) -> Option<usize> {
        let expected = u32::from_le_bytes(*bytes.last_chunk()?) as usize;
        // The size is the file's own word: only a buffer that the file could fill is made.
        if expected > self.limit || expected / HIGHEST_RATIO > bytes.len() {
            return None;
        }
        self.reserve(expected);
        let length = self
            .whole
            .gzip_decompress(bytes, self.buffer.get_mut(..expected)?)
            .ok()?;
        (length == expected && self.is_only_member(bytes, length)).then_some(length)
    }

    /// Whether a file, whose first member inflated to `length` bytes, holds nothing else.
    ///
    /// libdeflate stops behind the first member and does not say where that was. A second one
    /// would start with the magic, right behind the first one's size.
    fn is_only_member(&self, bytes: &[u8], length: usize) -> bool {
        self.member.find_iter(bytes).skip(1).all(|start| {
            let size = start.checked_sub(4).and_then(|size| bytes.get(size..start));
            start < FRAME
                || size.is_none_or(|size| size.iter().ne(length.to_le_bytes().iter().take(4)))
        })
    }

    /// Inflates any file, member by member, as far as it goes.
    fn stream(&mut self, bytes: &[u8]) -> (usize, Option<Damage>) {
        let (mut at, mut filled) = (0, 0);
        loop {
            if let Err(damage) = self.stream_member(bytes, &mut at, &mut filled) {
                return (filled, Some(damage));
            }
            let rest = bytes.get(at..).unwrap_or_default();
            // Zeroes behind the last member are padding.
            if rest.iter().all(|byte| *byte == 0) {
                return (filled, None);
            }
            if !is_gzip(rest) {
                return (
                    filled,
                    Some(Damage {
                        at,
                        problem: format!("{} bytes behind the gzip stream are no gzip", rest.len()),
                        remedy: "fetch the file again",
                    }),
                );
            }
        }
    }

    /// Inflates the member at `at` behind the bytes already filled, moving both.
    fn stream_member(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        filled: &mut usize,
    ) -> Result<(), Damage> {
        /// zlib's number for a window of 32 KB, the largest there is.
        const WINDOW_BITS: u8 = 15;
        let mut member = Decompress::new_gzip(WINDOW_BITS);
        let start = (*at, *filled);
        loop {
            if *filled == self.buffer.len() {
                self.grow(*at)?;
            }
            let (before_at, before_filled) = (*at, *filled);
            let status = member.decompress(
                bytes.get(*at..).unwrap_or_default(),
                self.buffer.get_mut(*filled..).unwrap_or_default(),
                FlushDecompress::None,
            );
            *at = start.0 + to_usize(member.total_in());
            *filled = start.1 + to_usize(member.total_out());
            let stuck = *at == before_at && *filled == before_filled;
            match status {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(Status::Ok | Status::BufError)
                    if *at >= bytes.len() && (stuck || *filled < self.buffer.len()) =>
                {
                    return Err(Damage {
                        at: *at,
                        problem: "the gzip stream is cut off".to_owned(),
                        remedy: "fetch the file again",
                    });
                }
                Ok(Status::Ok | Status::BufError) if !stuck => {}
                Ok(_) | Err(_) => {
                    return Err(Damage {
                        at: *at,
                        problem: "the gzip stream is damaged".to_owned(),
                        remedy: "fetch the file again",
                    });
                }
            }
        }
    }

    /// Makes room for more, up to the limit.
    fn grow(&mut self, at: usize) -> Result<(), Damage> {
        if self.buffer.len() >= self.limit {
            return Err(Damage {
                at,
                problem: format!("it inflates to more than {} MiB", self.limit >> 20),
                remedy: "split the file",
            });
        }
        let length = (self.buffer.len() * 2).clamp(64 << 10, self.limit.max(1));
        self.reserve(length.min(self.limit));
        Ok(())
    }

    fn reserve(&mut self, length: usize) {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
    }
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Inflater;
    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    /// One gzip member.
    pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text(length: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"0123456789abcdef"[(state >> 28) as usize]
        };
        (0..length).map(|_| letter()).collect()
    }

    #[test]
    fn a_sound_file_inflates_whole_and_so_do_members_of_any_number() {
        let mut inflater = Inflater::new();
        for members in [
            vec![text(0)],
            vec![text(100_000)],
            vec![text(10), text(200_000), text(3)],
            vec![text(500), text(500), text(500)],
            vec![text(300), text(0), text(0)],
        ] {
            let compressed: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
            let (inflated, damage) = inflater.inflate(&compressed);
            assert_eq!(damage, None);
            assert!(inflated == members.concat(), "{} members", members.len());
        }
    }

    #[test]
    fn only_one_member_goes_the_short_way() {
        let mut inflater = Inflater::new();
        let one = gzip(&text(5000));
        assert_eq!(inflater.whole(&one), Some(5000));
        assert_eq!(inflater.whole(&[one.clone(), one.clone()].concat()), None);
        assert_eq!(inflater.whole(&[one.clone(), gzip(b"")].concat()), None);
        assert_eq!(inflater.whole(&one[..one.len() - 1]), None);
    }

    #[test]
    fn a_name_that_looks_like_a_member_changes_nothing() {
        let mut encoder = GzBuilder::new()
            .filename(&[0x10, 0x1f, 0x8b, 0x08, 0x10][..])
            .write(Vec::new(), Compression::default());
        encoder.write_all(b"text").unwrap();
        let compressed = encoder.finish().unwrap();
        assert_eq!(Inflater::new().inflate(&compressed), (&b"text"[..], None));
    }

    #[test]
    fn what_was_inflated_before_the_damage_is_kept() {
        let whole = text(300_000);
        let compressed = gzip(&whole);
        let mut inflater = Inflater::new();

        let (inflated, damage) = inflater.inflate(&compressed[..compressed.len() / 2]);
        let damage = damage.unwrap();
        assert_eq!(
            (damage.at, damage.problem.as_str()),
            (compressed.len() / 2, "the gzip stream is cut off")
        );
        assert!(
            inflated.len() > 100_000 && whole.starts_with(inflated),
            "{}",
            inflated.len()
        );

        let mut broken = compressed.clone();
        let last = broken.len() - 5;
        broken[last] ^= 1;
        let (inflated, damage) = inflater.inflate(&broken);
        assert_eq!(damage.unwrap().problem, "the gzip stream is damaged");
        assert!(inflated == whole);

        let mut garbled = compressed;
        garbled[100_000..100_100].fill(0xff);
        let (inflated, damage) = inflater.inflate(&garbled);
        let damage = damage.unwrap();
        assert_eq!(damage.problem, "the gzip stream is damaged");
        assert!(
            damage.at >= 100_000 && inflated.len() > 50_000,
            "{damage:?}"
        );
        assert!(whole[..50_000] == inflated[..50_000]);
    }

    #[test]
    fn padding_is_no_damage_and_garbage_is() {
        let mut inflater = Inflater::new();
        let compressed = gzip(b"text");
        assert_eq!(
            inflater.inflate(&[&compressed[..], &[0; 512]].concat()),
            (&b"text"[..], None)
        );
        let (inflated, damage) = inflater.inflate(&[&compressed[..], b"garbage"].concat());
        assert_eq!(inflated, b"text");
        assert_eq!(damage.map(|damage| damage.at), Some(compressed.len()));
    }

    #[test]
    fn a_size_is_never_believed() {
        let mut lie = gzip(b"text");
        let last = lie.len() - 4;
        lie[last..].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut inflater = Inflater::new();
        let (inflated, damage) = inflater.inflate(&lie);
        assert_eq!(inflated, b"text");
        assert!(damage.is_some());
        assert!(inflater.buffer.len() < 1 << 20);
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 5 << 20]);
        let mut inflater = Inflater::limited(1 << 20);
        let (inflated, damage) = inflater.inflate(&bomb);
        assert_eq!(inflated.len(), 1 << 20);
        assert_eq!(damage.unwrap().problem, "it inflates to more than 1 MiB");
        assert_eq!(inflater.buffer.len(), 1 << 20);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..200, byte: u8) {
            let mut inflater = Inflater::limited(1 << 20);
            inflater.inflate(&bytes);
            let mut compressed = gzip(&bytes);
            if let Some(target) = compressed.get_mut(at) {
                *target = byte;
            }
            inflater.inflate(&compressed);
            inflater.inflate(&[&[0x1f, 0x8b, 8, 0][..], &bytes].concat());
        }
    }
}
