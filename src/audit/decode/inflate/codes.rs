//! Tables that tell what the next bits of a deflate stream stand for (RFC 1951, 3.2).
//!
//! A code that is no longer than a table is wide is looked up once. Of a longer one the first bits
//! lead to a table of its own behind the main one.

use super::Fault;

/// How many bits the main table of literals and lengths is wide.
pub(super) const SYMBOL_WIDTH: usize = 10;

/// How many bits the main table of distances is wide.
pub(super) const DISTANCE_WIDTH: usize = 8;

/// The longest code that deflate has.
const LONGEST: usize = 15;

/// The most symbols that one alphabet has.
pub(super) const MOST_SYMBOLS: usize = 288;

const SYMBOLS: usize = 1 << SYMBOL_WIDTH;
const DISTANCES: usize = 1 << DISTANCE_WIDTH;

/// What the main tables need besides, at most, for longer codes: `enough 288 10 15` and
/// `enough 30 8 15` of zlib's examples say 310 and 146.
const LONGER_SYMBOLS: usize = 320;

/// Where in the table of distances what follows literals is: nothing.
const BEHIND_LITERAL: usize = DISTANCES;
/// Where what follows a symbol that is not in the main table is: nothing known.
const BEHIND_ODD: usize = 2 * DISTANCES;
/// Where longer codes are.
const LONGER_DISTANCES: usize = 3 * DISTANCES;

/// The tables of a block.
pub(super) struct Tables {
    pub symbols: [Symbol; SYMBOLS + LONGER_SYMBOLS],
    /// Four parts of the same size, so that no symbol's distance is looked up outside.
    pub distances: [Distance; 4 * DISTANCES],
}

/// One or two literals, or a length, or an end, or where a longer code is.
///
/// From the lowest bit: 6 bits that the literals take, and from bit 8 the literals; from bit 24 6
/// bits that a length takes with its extra ones, 6 its code's bits, 9 the least length; the two
/// highest bits are how many literals there are.
#[derive(Clone, Copy)]
pub(super) struct Symbol(u64);

/// A distance, or where a longer code is.
///
/// From the lowest bit: 6 bits that it takes with its extra ones, 6 its code's bits, then the least
/// distance.
#[derive(Clone, Copy)]
pub(super) struct Distance(u64);

/// What an entry of either has that leads to longer codes.
const LONGER: u64 = 1 << 52;

/// The way to longer codes: from bit 8 4 bits how many more bits tell them apart, from bit 12 11
/// where in the table they start.
fn way(start: usize, width: usize) -> u64 {
    LONGER | (start as u64) << 12 | (width as u64) << 8
}

/// Where in the table a longer code is, whose bits behind the main table's width are given.
fn place_of_longer(entry: u64, bits: u64) -> Option<usize> {
    let within = bits & !(u64::MAX << (entry >> 8 & 15));
    (entry & LONGER != 0).then_some((entry >> 12 & 0x7ff) as usize + within as usize)
}

impl Symbol {
    const LITERAL: u64 = 1 << 46;
    /// Neither literal nor length.
    const ODD: u64 = 1 << 47;
    /// One literal; two are twice that.
    const ONE: u64 = 1 << 62;
    const NONE: Self = Self(Self::ODD | 1 << 53);

    /// What a symbol of the alphabet of literals and lengths stands for.
    fn new(symbol: usize, bits: usize) -> Self {
        const LENGTHS: [(u64, u64); 29] = {
            let mut lengths = [(258, 0); 29];
            let (mut index, mut least) = (0, 3);
            while index < 28 {
                let extra = if index < 8 { 0 } else { index as u64 / 4 - 1 };
                lengths[index] = (least, extra);
                least += 1 << extra;
                index += 1;
            }
            lengths
        };
        let bits = bits as u64;
        match (symbol, LENGTHS.get(symbol.wrapping_sub(257))) {
            (0..256, _) => Self(Self::LITERAL | Self::ONE | (symbol as u64) << 8 | bits),
            (256, _) => Self(Self::ODD | bits << 24),
            (_, Some((least, extra))) => Self(least << 36 | bits << 30 | (bits + extra) << 24),
            (_, None) => Self::NONE,
        }
    }

    fn longer(start: usize, width: usize) -> Self {
        Self(Self::ODD | way(start, width))
    }

    /// This literal and the next as one, if both are known from the bits that the table is wide;
    /// else this symbol. Without a branch: which of them can be joined is hard to foresee.
    #[inline(always)]
    fn and(self, next: Self) -> Self {
        let bits = (self.0 & 63) + (next.0 & 63);
        let are_single = self.0 & next.0 & Self::ONE == Self::ONE;
        let both = self.0 & 0xff00 | (next.0 & 0xff00) << 8;
        let joined = Self::LITERAL | both | (2 * Self::ONE) | bits;
        let can_join = are_single & (bits <= SYMBOL_WIDTH as u64);
        Self(if can_join { joined } else { self.0 })
    }

    #[inline(always)]
    pub(super) fn is_literal(self) -> bool {
        self.0 & Self::LITERAL != 0
    }

    #[inline(always)]
    pub(super) fn is_odd(self) -> bool {
        self.0 & Self::ODD != 0
    }

    /// Whether it is the end of a block, when it is odd and no way to longer codes.
    pub(super) fn is_end(self) -> bool {
        self.0 & !(63 << 24) == Self::ODD
    }

    /// How many bits the literals take, in the lowest six bits: 0 when it is none. What stands
    /// above is left there, since shifting and adding need not care.
    #[inline(always)]
    pub(super) fn literal_bits(self) -> u32 {
        self.0 as u32
    }

    /// How many literals it is.
    #[inline(always)]
    pub(super) fn literals(self) -> usize {
        (self.0 >> 62) as usize
    }

    /// The literals; anything when it is none.
    #[inline(always)]
    pub(super) fn bytes(self) -> [u8; 2] {
        (self.0.rotate_right(8) as u16).to_le_bytes()
    }

    /// How many bits the length takes, with its extra ones, in the lowest six bits: 0 when it is
    /// none.
    #[inline(always)]
    pub(super) fn length_bits(self) -> u32 {
        self.0.rotate_right(24) as u32
    }

    /// The length, of which the next bits are given; 0 when it is none.
    #[inline(always)]
    pub(super) fn length(self, bits: u64) -> usize {
        let taken = bits & !(u64::MAX << (self.length_bits() & 63));
        (self.0 >> 36 & 511) as usize + (taken >> (self.0.rotate_right(30) & 63)) as usize
    }

    /// Where the distance is looked up that follows, whose first bits are given: it is zero behind
    /// a literal, and too far behind what is odd.
    #[inline(always)]
    pub(super) fn place_of_distance(self, bits: u64) -> usize {
        const PARTS: u64 = (BEHIND_LITERAL | BEHIND_ODD) as u64;
        let part = self.0 >> (46 - DISTANCE_WIDTH) & PARTS;
        (bits as usize & (DISTANCES - 1)) | part as usize
    }
}

impl Distance {
    /// No distance that there is, or none that is known.
    const ODD: u64 = 1 << 63;
    const NONE: Self = Self(Self::ODD);
    const ZERO: Self = Self(0);

    fn new(symbol: usize, bits: usize) -> Self {
        let (symbol, bits) = (symbol as u64, bits as u64);
        let (least, extra) = match symbol {
            0..4 => (symbol + 1, 0),
            4..30 => {
                let extra = symbol / 2 - 1;
                (((2 + symbol % 2) << extra) + 1, extra)
            }
            _ => return Self::NONE,
        };
        Self(least << 12 | bits << 6 | (bits + extra))
    }

    fn longer(start: usize, width: usize) -> Self {
        Self(Self::ODD | way(start, width))
    }

    pub(super) fn is_odd(self) -> bool {
        self.0 & Self::ODD != 0
    }

    /// How many bits it takes, with its extra ones, in the lowest six bits.
    #[inline(always)]
    pub(super) fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The distance, of which the next bits are given; more than there ever was when it is odd.
    #[inline(always)]
    pub(super) fn length(self, bits: u64) -> usize {
        let taken = bits & !(u64::MAX << (self.bits() & 63));
        (self.0 >> 12) as usize + (taken >> (self.0.rotate_right(6) & 63)) as usize
    }
}

impl Tables {
    /// Tables of no codes.
    pub(super) fn new() -> Box<Self> {
        let mut distances = [Distance::NONE; 4 * DISTANCES];
        distances[BEHIND_LITERAL..BEHIND_ODD].fill(Distance::ZERO);
        Box::new(Self {
            symbols: [Symbol::NONE; SYMBOLS + LONGER_SYMBOLS],
            distances,
        })
    }

    /// Makes the tables of a block whose codes have these lengths.
    ///
    /// # Errors
    /// When the lengths are of no code.
    pub(super) fn make(&mut self, symbols: &[u8], distances: &[u8]) -> Result<(), Fault> {
        let longer = Longer {
            new: Symbol::longer,
            start: SYMBOLS,
        };
        fill(
            symbols,
            SYMBOL_WIDTH,
            &mut self.symbols,
            Symbol::new,
            &longer,
            Symbol::NONE,
        )?;
        self.join_literals();
        let longer = Longer {
            new: Distance::longer,
            start: LONGER_DISTANCES,
        };
        fill(
            distances,
            DISTANCE_WIDTH,
            &mut self.distances,
            Distance::new,
            &longer,
            Distance::NONE,
        )?;
        Ok(())
    }

    /// Where two literals have short codes, both are found at once.
    fn join_literals(&mut self) {
        for place in (0..SYMBOLS).rev() {
            let one = self.symbols[place];
            // What follows is at a lower place, or this one, which is not joined yet.
            let next = self.symbols[place >> (one.literal_bits() & 63)];
            self.symbols[place] = one.and(next);
        }
    }

    /// What the next bits stand for, however long their code is.
    pub(super) fn symbol(&self, bits: u64) -> Symbol {
        let symbol = self.symbols[bits as usize & (SYMBOLS - 1)];
        let longer = place_of_longer(symbol.0, bits >> SYMBOL_WIDTH);
        longer.map_or(symbol, |place| {
            self.symbols.get(place).copied().unwrap_or(Symbol::NONE)
        })
    }

    /// The distance that the next bits stand for, however long its code is.
    pub(super) fn distance(&self, bits: u64) -> Distance {
        let distance = self.distances[bits as usize & (DISTANCES - 1)];
        let longer = place_of_longer(distance.0, bits >> DISTANCE_WIDTH);
        longer.map_or(distance, |place| {
            self.distances.get(place).copied().unwrap_or(Distance::NONE)
        })
    }
}

/// How longer codes are led to, and where their tables start.
pub(super) struct Longer<E> {
    pub new: fn(usize, usize) -> E,
    pub start: usize,
}

/// Fills a table, so many bits wide, with what codes stand for.
///
/// # Errors
/// When more codes have such lengths than there are, or fewer, but for the one or none that
/// distances may have.
pub(super) fn fill<E: Copy>(
    lengths: &[u8],
    width: usize,
    table: &mut [E],
    entry: impl Fn(usize, usize) -> E,
    longer: &Longer<E>,
    none: E,
) -> Result<(), Fault> {
    let mut counts = [0_usize; LONGEST + 1];
    for length in lengths {
        counts[usize::from(*length) & LONGEST] += 1;
    }
    let used = lengths.len() - counts[0];
    counts[0] = 0;
    let (mut starts, mut open) = ([0; LONGEST + 2], 1_usize);
    for length in 1..=LONGEST {
        open = (open * 2).checked_sub(counts[length]).ok_or(Fault)?;
        starts[length + 1] = starts[length] + counts[length];
    }
    if open > 0 {
        if used > 1 || used != counts[1] {
            return Err(Fault);
        }
        table.get_mut(..1 << width).ok_or(Fault)?.fill(none);
    }
    // Symbols by the length of their codes, in which order codes are given.
    let (mut sorted, mut next) = ([0_u16; MOST_SYMBOLS], starts);
    for (symbol, length) in lengths.iter().enumerate() {
        let length = usize::from(*length) & LONGEST;
        if let Some(place) = sorted.get_mut(next[length]).filter(|_| length > 0) {
            *place = symbol as u16;
            next[length] += 1;
        }
    }
    let mut code = 0_usize;
    let mut group = Group {
        start: longer.start,
        ..Group::default()
    };
    for length in 1..=LONGEST {
        if length <= width {
            // A code of fewer bits stands wherever these are followed by others.
            let (short, rest) = table.split_at_mut(1 << (length - 1));
            let doubled = rest.get_mut(..short.len()).ok_or(Fault)?;
            doubled.copy_from_slice(short);
        }
        let (first, behind) = (starts[length], starts[length + 1]);
        for (index, symbol) in sorted.iter().enumerate().take(behind).skip(first) {
            let entry = entry(usize::from(*symbol), length);
            if length <= width {
                *table.get_mut(code).ok_or(Fault)? = entry;
            } else {
                let prefix = code & ((1 << width) - 1);
                if group.width == 0 || prefix != group.prefix {
                    let left = |length| starts[length + 1] - index.max(starts[length]);
                    group = group.next(prefix, width, length, left);
                    *table.get_mut(prefix).ok_or(Fault)? = (longer.new)(group.start, group.width);
                }
                for place in (code >> width..1 << group.width).step_by(1 << (length - width)) {
                    *table.get_mut(group.start + place).ok_or(Fault)? = entry;
                }
            }
            code = after(code, length);
        }
    }
    Ok(())
}

/// Longer codes that start with the same bits.
#[derive(Default)]
struct Group {
    /// Those bits.
    prefix: usize,
    /// Where their table starts.
    start: usize,
    /// How many bits it is wide; 0 when there is none.
    width: usize,
}

impl Group {
    /// The one behind this, from a code of this length on, of which so many are left of each length.
    fn next(
        &self,
        prefix: usize,
        main: usize,
        length: usize,
        left: impl Fn(usize) -> usize,
    ) -> Self {
        let mut width = length - main;
        let mut open = 1_usize << width;
        loop {
            open = open.saturating_sub(left(main + width));
            if open == 0 || main + width == LONGEST {
                break;
            }
            width += 1;
            open *= 2;
        }
        let start = if self.width == 0 {
            self.start
        } else {
            self.start + (1 << self.width)
        };
        Self {
            prefix,
            start,
            width,
        }
    }
}

/// The code behind a code of this length; deflate stores their bits from the highest on.
fn after(code: usize, length: usize) -> usize {
    let mut bit = 1 << (length - 1);
    while code & bit != 0 {
        bit >>= 1;
    }
    if bit == 0 { 0 } else { code & (bit - 1) | bit }
}
