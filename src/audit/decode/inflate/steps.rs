//! The steps that nearly all of a deflate stream is inflated by: no branch between literal and
//! length, and two streams in turn, so that the processor has one to go on with while it waits for
//! the other.
#![allow(clippy::inline_always)] // Steps of two streams are to be compiled into one loop.

use super::codes::{SYMBOL_WIDTH, Symbol, Tables};
use crate::audit::decode::blocks::{Look, Sight, look};

/// How many bytes a step reads; it takes fewer.
const MOST_TAKEN: usize = 8;

/// The most bytes that a step makes: three times two literals, and the longest match.
pub(super) const MOST_MADE: usize = 6 + 258;

/// How many bytes are copied at once of a match.
const CHUNK: usize = 64;

/// How far behind the end a step may write.
pub(super) const BEYOND: usize = MOST_MADE + CHUNK;

/// The most bits that a distance takes.
const LONGEST_DISTANCE: u32 = 15 + 13;

/// A stream of codes amid a block.
pub(super) struct Stream<'a> {
    pub input: &'a [u8],
    /// The bit of the input that comes next.
    pub bit: usize,
    /// What was inflated, and room for more.
    pub out: &'a mut [u8],
    /// The byte that is made next.
    pub end: usize,
    pub tables: &'a Tables,
}

impl Stream<'_> {
    /// How many steps there are room and input for, whatever they come upon.
    pub(super) fn steps(&self) -> usize {
        let input = self.input.len().saturating_sub(self.bit / 8 + MOST_TAKEN);
        let room = self.out.len().saturating_sub(self.end + BEYOND);
        (input / MOST_TAKEN).min(room / MOST_MADE)
    }
}

/// Goes on with all streams until one has no more room or input, or is at something that steps are
/// not made for: which one that is.
pub(super) fn go<const N: usize>(streams: &mut [Stream<'_>; N]) -> Option<usize> {
    look(Steps(streams))
}

struct Steps<'s, 'a, const N: usize>(&'s mut [Stream<'a>; N]);

impl<const N: usize> Look for Steps<'_, '_, N> {
    type Found = Option<usize>;

    #[inline(always)]
    fn look<S: Sight>(self, _: S) -> Option<usize> {
        let streams = self.0;
        let count = streams.iter().map(Stream::steps).min().unwrap_or_default();
        let mut swift = streams.each_mut().map(|stream| Swift {
            input: stream.input,
            at: stream.bit / 8,
            shift: (stream.bit % 8) as u32,
            out: &mut *stream.out,
            end: stream.end,
            tables: stream.tables,
        });
        let mut stopped = None;
        'steps: for _ in 0..count {
            for (index, swift) in swift.iter_mut().enumerate() {
                // SAFETY: so many steps there are input and room for in each stream, whatever they
                // come upon: none takes or makes more than is counted for each.
                #[allow(unsafe_code)]
                if !unsafe { swift.step() } {
                    stopped = Some(index);
                    break 'steps;
                }
            }
        }
        let ends = swift.map(|swift| (swift.at * 8 + (swift.shift & 63) as usize, swift.end));
        for (stream, (bit, end)) in streams.iter_mut().zip(ends) {
            (stream.bit, stream.end) = (bit, end);
        }
        stopped
    }
}

struct Swift<'a> {
    input: &'a [u8],
    at: usize,
    /// How many bits of the input's next bytes are taken: its lowest six bits.
    shift: u32,
    out: &'a mut [u8],
    end: usize,
    tables: &'a Tables,
}

impl Swift<'_> {
    /// Takes literals, or literals and a match; false when something else comes, which is left.
    ///
    /// # Safety
    /// There is input for a step ([`MOST_TAKEN`]), and room for what it may write ([`BEYOND`]).
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn step(&mut self) -> bool {
        let taken = self.shift & 63;
        self.at += (taken >> 3) as usize;
        let mut shift = taken & 7;
        // SAFETY: there is input for a step.
        let mut bits = unsafe { memory::word(self.input, self.at) } >> shift;
        // Three codes of literals or a length, and a distance, are 56 bits at most.
        let symbol = |bits: u64| self.tables.symbols[bits as usize & ((1 << SYMBOL_WIDTH) - 1)];
        let mut end = self.end;
        let mut last = symbol(bits);
        for rest in [2, 1, 0] {
            // SAFETY: there is room for a step, which makes two literals three times.
            unsafe { memory::put(self.out, end, last.bytes()) };
            end += last.literals();
            bits >>= last.literal_bits() & 63;
            shift = shift.wrapping_add(last.literal_bits());
            if rest > 0 {
                last = symbol(bits);
            }
        }
        let rest = bits >> (last.length_bits() & 63);
        let distance = self.tables.distances[last.place_of_distance(rest)];
        let back = distance.length(rest);
        if back > end {
            return self.odd(last, bits, shift, end);
        }
        self.shift = shift
            .wrapping_add(last.length_bits())
            .wrapping_add(distance.bits());
        let length = last.length(bits);
        if length > back && back < CHUNK {
            repeat(self.out, end - back, end, length);
        } else {
            // Behind a literal there is nothing to copy. What is copied all the same is not what
            // was written just now, for which the processor would have to wait.
            let from = if last.is_literal() { 0 } else { end - back };
            // SAFETY: there is room for a step, which makes the longest match behind six literals;
            // and what is copied stands before that.
            unsafe { copy(self.out, from, end, length) };
        }
        self.end = end + length;
        true
    }

    /// A code that is longer than the main tables are wide; false when it is something else.
    #[cold]
    #[inline(never)]
    fn odd(&mut self, mut symbol: Symbol, bits: u64, shift: u32, end: usize) -> bool {
        (self.shift, self.end) = (shift, end);
        if symbol.is_odd() {
            symbol = self.tables.symbol(bits);
        }
        let taken = shift & 63;
        if symbol.is_odd() {
            return false;
        }
        if symbol.is_literal() {
            for (to, literal) in self.out.iter_mut().skip(end).zip(symbol.bytes()) {
                *to = literal;
            }
            self.end = end + symbol.literals();
            self.shift = taken + (symbol.literal_bits() & 63);
            return true;
        }
        let taken = taken + (symbol.length_bits() & 63);
        let rest = bits >> (symbol.length_bits() & 63);
        let distance = self.tables.distance(rest);
        let back = distance.length(rest);
        // The bits at hand may be too few for a longer code.
        if back > end || taken + LONGEST_DISTANCE >= u64::BITS {
            return false;
        }
        let length = symbol.length(bits);
        repeat(self.out, end - back, end, length);
        self.end = end + length;
        self.shift = taken + (distance.bits() & 63);
        true
    }
}

/// Copies the bytes at `from` behind the end; the two overlap by whole chunks at most.
///
/// # Safety
/// From the end on there is room for the length and a chunk, or for two chunks.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn copy(out: &mut [u8], from: usize, end: usize, length: usize) {
    // SAFETY: there is room for two chunks.
    unsafe {
        memory::copy::<CHUNK>(out, from, end);
        memory::copy::<CHUNK>(out, from + CHUNK, end + CHUNK);
    }
    let mut done = 2 * CHUNK;
    while done < length {
        // SAFETY: there is room for a chunk behind the length.
        unsafe { memory::copy::<CHUNK>(out, from + done, end + done) };
        done += CHUNK;
    }
}

/// Repeats the bytes at `from` behind the end, however much the two overlap.
#[cold]
#[inline(never)]
pub(super) fn repeat(out: &mut [u8], from: usize, end: usize, length: usize) {
    let Some(stretch) = out.get_mut(from..end + length) else {
        return;
    };
    let back = end - from;
    for at in back..stretch.len() {
        stretch[at] = stretch[at - back];
    }
}

mod memory {
    //! The one place with `unsafe`: bytes of slices without asking each time whether they are
    //! there. The steps count beforehand how often they may ([`super::Stream::steps`]); asking made
    //! two streams slower by a quarter. Tests do ask.
    #![allow(unsafe_code)]

    /// The eight bytes from a byte on.
    ///
    /// # Safety
    /// They are there.
    #[inline(always)]
    pub(super) unsafe fn word(bytes: &[u8], at: usize) -> u64 {
        debug_assert!(at + 8 <= bytes.len());
        // SAFETY: the bytes lie in the slice.
        u64::from_le_bytes(unsafe { bytes.as_ptr().add(at).cast::<[u8; 8]>().read() })
    }

    /// Writes two bytes from a byte on.
    ///
    /// # Safety
    /// There is room for them.
    #[inline(always)]
    pub(super) unsafe fn put(bytes: &mut [u8], at: usize, two: [u8; 2]) {
        debug_assert!(at + 2 <= bytes.len());
        // SAFETY: the bytes lie in the slice.
        unsafe { bytes.as_mut_ptr().add(at).cast::<[u8; 2]>().write(two) }
    }

    /// Copies so many bytes within a slice, as if by way of another place.
    ///
    /// # Safety
    /// Both stretches are there.
    #[inline(always)]
    pub(super) unsafe fn copy<const N: usize>(bytes: &mut [u8], from: usize, to: usize) {
        debug_assert!(from.max(to) + N <= bytes.len());
        // SAFETY: the bytes lie in the slice, whose own type needs no alignment.
        unsafe {
            let chunk = bytes.as_ptr().add(from).cast::<[u8; N]>().read();
            bytes.as_mut_ptr().add(to).cast::<[u8; N]>().write(chunk);
        }
    }
}
