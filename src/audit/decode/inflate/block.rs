//! One deflate stream, block by block (RFC 1951), and one code at a time where
//! [steps](super::steps) are not made for what comes.

use super::codes::{Longer, MOST_SYMBOLS, Tables, fill};
use super::steps::{self, Stream};
use super::{Fault, Stop};

/// The largest distance that there is.
pub(super) const HISTORY: usize = 32 << 10;

/// With less room than this, a window is full: there is room for a step.
pub(super) const ROOM: usize = steps::MOST_MADE + steps::BEYOND;

/// What the stream is amid.
#[derive(Debug, Clone, Copy)]
enum Amid {
    /// Before the header of a block.
    Header,
    /// A block of codes.
    Codes,
    /// A block of bytes as they are, of which so many are left.
    Stored(usize),
}

/// A deflate stream.
pub(super) struct Deflate {
    amid: Amid,
    /// Whether the block is the last one.
    is_last: bool,
    /// The bit of the input that comes next.
    pub bit: usize,
    /// Whether a code comes that steps are not made for.
    is_odd: bool,
    tables: Box<Tables>,
    /// Whether the tables are those of the fixed codes.
    are_fixed: bool,
}

/// What a stream can go on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    /// Steps.
    Steps,
    /// Nothing: there is no more room.
    Full,
    /// Nothing: this was all.
    Ended,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self {
            amid: Amid::Header,
            is_last: false,
            bit: 0,
            is_odd: false,
            tables: Tables::new(),
            are_fixed: false,
        }
    }

    /// Starts anew at a byte of the input.
    pub(super) fn start(&mut self, at: usize) {
        self.amid = Amid::Header;
        self.is_last = false;
        self.is_odd = false;
        self.bit = at * 8;
    }

    /// Goes on behind the end of what was inflated, until steps can be taken or nothing can be done.
    pub(super) fn ready(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        end: &mut usize,
    ) -> Result<Ready, Stop> {
        loop {
            let room = out.len().saturating_sub(*end);
            match self.amid {
                Amid::Header if self.is_last => return Ok(Ready::Ended),
                Amid::Header => self.header(input)?,
                _ if room < ROOM => return Ok(Ready::Full),
                Amid::Stored(left) => self.stored(input, out, end, left)?,
                Amid::Codes => {
                    let can_step = self.stream(input, out, *end).steps() > 0;
                    if can_step && !std::mem::take(&mut self.is_odd) {
                        return Ok(Ready::Steps);
                    }
                    self.code(input, out, end)?;
                }
            }
        }
    }

    /// The stream, for steps.
    pub(super) fn stream<'a>(
        &'a self,
        input: &'a [u8],
        out: &'a mut [u8],
        end: usize,
    ) -> Stream<'a> {
        Stream {
            input,
            bit: self.bit,
            out,
            end,
            tables: &self.tables,
        }
    }

    /// Takes over where steps came to, and whether it is something that they are not made for.
    pub(super) fn stepped(&mut self, bit: usize, is_odd: bool) {
        (self.bit, self.is_odd) = (bit, is_odd);
    }

    fn header(&mut self, input: &[u8]) -> Result<(), Stop> {
        let mut bits = Bits::new(input, self.bit);
        self.is_last = bits.take(1)? == 1;
        let mut lengths = [0; MOST_SYMBOLS + 32];
        self.amid = match bits.take(2)? {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let (length, inverse) = (bits.take(16)?, bits.take(16)?);
                if length != inverse ^ 0xffff {
                    return Err(Stop::Damaged);
                }
                Amid::Stored(length)
            }
            1 => {
                // Blocks of them may be as short as ten bits.
                if !self.are_fixed {
                    fixed_lengths(&mut lengths);
                    let (symbols, distances) = lengths.split_at(MOST_SYMBOLS);
                    self.tables.make(symbols, distances)?;
                    self.are_fixed = true;
                }
                Amid::Codes
            }
            2 => {
                self.are_fixed = false;
                let (symbols, distances) = read_lengths(&mut bits, &mut lengths)?;
                self.tables.make(symbols, distances)?;
                Amid::Codes
            }
            _ => return Err(Stop::Damaged),
        };
        self.bit = bits.at;
        Ok(())
    }

    fn stored(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        end: &mut usize,
        left: usize,
    ) -> Result<(), Stop> {
        let from = input.get(self.bit / 8..).unwrap_or_default();
        let room = out.get_mut(*end..).unwrap_or_default();
        let count = left.min(from.len()).min(room.len());
        for (to, from) in room.iter_mut().zip(from).take(count) {
            *to = *from;
        }
        self.bit += count * 8;
        *end += count;
        self.amid = if count == left {
            Amid::Header
        } else {
            Amid::Stored(left - count)
        };
        if count < left && count == from.len() {
            return Err(Stop::CutOff);
        }
        Ok(())
    }

    /// Takes one code, or a length and its distance.
    fn code(&mut self, input: &[u8], out: &mut [u8], end: &mut usize) -> Result<(), Stop> {
        let mut bits = Bits::new(input, self.bit);
        let word = bits.word();
        let symbol = self.tables.symbol(word);
        if symbol.is_literal() {
            bits.skip(symbol.literal_bits() & 63)?;
            let literals = symbol.bytes();
            for literal in literals.iter().take(symbol.literals()) {
                *out.get_mut(*end).ok_or(Stop::Damaged)? = *literal;
                *end += 1;
            }
        } else if symbol.is_odd() {
            if !symbol.is_end() {
                return Err(bits.fault());
            }
            bits.skip(symbol.length_bits() & 63)?;
            self.amid = Amid::Header;
        } else {
            let length = symbol.length(word);
            bits.skip(symbol.length_bits() & 63)?;
            let word = bits.word();
            let distance = self.tables.distance(word);
            if distance.is_odd() {
                return Err(bits.fault());
            }
            bits.skip(distance.bits() & 63)?;
            let back = distance.length(word);
            let from = end.checked_sub(back).ok_or(Stop::Damaged)?;
            steps::repeat(out, from, *end, length);
            *end += length;
        }
        self.bit = bits.at;
        Ok(())
    }
}

/// The lengths of the fixed codes.
fn fixed_lengths(lengths: &mut [u8; MOST_SYMBOLS + 32]) {
    for (symbol, length) in lengths.iter_mut().enumerate() {
        *length = match symbol {
            144..256 => 9,
            256..280 => 7,
            0..MOST_SYMBOLS => 8,
            _ => 5,
        };
    }
}

/// Reads the lengths of a block's own codes.
fn read_lengths<'l>(
    bits: &mut Bits,
    lengths: &'l mut [u8; MOST_SYMBOLS + 32],
) -> Result<(&'l [u8], &'l [u8]), Stop> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    const WIDTH: usize = 7;
    let symbols = bits.take(5)? + 257;
    let count = symbols + bits.take(5)? + 1;
    let given = bits.take(4)? + 4;
    if symbols > 286 || count - symbols > 30 {
        return Err(Stop::Damaged);
    }
    let mut own = [0; ORDER.len()];
    for place in ORDER.iter().take(given) {
        own[*place] = bits.take(3)? as u8;
    }
    // Each entry is the symbol, behind how many bits its code has.
    let mut table = [0_u16; 1 << WIDTH];
    let longer = Longer {
        new: |_, _| 0,
        start: 0,
    };
    let entry = |symbol, length| (symbol << 8 | length) as u16;
    fill(&own, WIDTH, &mut table, entry, &longer, 0)?;
    let mut at = 0;
    while at < count {
        let entry = table[bits.word() as usize & ((1 << WIDTH) - 1)];
        if entry == 0 {
            return Err(bits.fault());
        }
        bits.skip(u32::from(entry & 0xff))?;
        let (length, times) = match entry >> 8 {
            16 => {
                let before = at.checked_sub(1).and_then(|before| lengths.get(before));
                (*before.ok_or(Stop::Damaged)?, 3 + bits.take(2)?)
            }
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        let next = lengths
            .get_mut(..count)
            .and_then(|all| all.get_mut(at..at + times));
        next.ok_or(Stop::Damaged)?.fill(length);
        at += times;
    }
    // Without an end no block could end.
    if lengths[256] == 0 {
        return Err(Stop::Damaged);
    }
    let (symbols, rest) = lengths.split_at(symbols);
    Ok((
        symbols,
        rest.get(..count - symbols.len()).unwrap_or_default(),
    ))
}

/// Reads bits, from the lowest of each byte on.
struct Bits<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(input: &'a [u8], at: usize) -> Self {
        Self { input, at }
    }

    /// The next bits, 57 at least; zeroes where the input has ended.
    fn word(&self) -> u64 {
        let rest = self.input.get(self.at / 8..).unwrap_or_default();
        let word = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(rest) {
                *to = *from;
            }
            word
        });
        u64::from_le_bytes(word) >> (self.at % 8)
    }

    fn skip(&mut self, count: u32) -> Result<(), Stop> {
        self.at += count as usize;
        if self.at > self.input.len() * 8 {
            Err(Stop::CutOff)
        } else {
            Ok(())
        }
    }

    /// Takes so many bits, 16 at most.
    fn take(&mut self, count: u32) -> Result<usize, Stop> {
        let bits = self.word() & !(u64::MAX << count);
        self.skip(count)?;
        Ok(bits as usize)
    }

    /// Why what comes next is no code: no code is longer than what the input is made of here.
    fn fault(&self) -> Stop {
        if self.at + 15 > self.input.len() * 8 {
            Stop::CutOff
        } else {
            Stop::Damaged
        }
    }
}

impl From<Fault> for Stop {
    fn from(_: Fault) -> Self {
        Self::Damaged
    }
}
