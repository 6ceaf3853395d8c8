//! What stands around the deflate stream of a gzip member (RFC 1952).

use super::Stop;

/// How every gzip member starts.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The one method of compression that there is.
const DEFLATE: u8 = 8;

/// What stands behind a member.
pub(super) struct Trailer {
    pub crc: u32,
    /// What the member inflates to, modulo 2^32.
    pub size: u32,
}

/// Where the deflate stream starts of the member at a byte.
pub(super) fn header(input: &[u8], at: usize) -> Result<usize, Stop> {
    let member = input.get(at..).unwrap_or_default();
    let (fixed, mut rest) = member.split_first_chunk::<10>().ok_or(Stop::CutOff)?;
    let flags = fixed[3];
    // The other bits are for what nobody knows yet how to read.
    if !fixed.starts_with(&MAGIC) || fixed[2] != DEFLATE || flags & 0b1110_0000 != 0 {
        return Err(Stop::Damaged);
    }
    if flags & 0b100 != 0 {
        let (length, extra) = rest.split_first_chunk().ok_or(Stop::CutOff)?;
        let length = usize::from(u16::from_le_bytes(*length));
        rest = extra.get(length..).ok_or(Stop::CutOff)?;
    }
    // A name and a comment, each behind its flag, end with a zero.
    for flag in [0b1000, 0b1_0000] {
        if flags & flag != 0 {
            let end = memchr::memchr(0, rest).ok_or(Stop::CutOff)?;
            rest = rest.get(end + 1..).ok_or(Stop::CutOff)?;
        }
    }
    if flags & 0b10 != 0 {
        rest = rest.get(2..).ok_or(Stop::CutOff)?;
    }
    Ok(input.len() - rest.len())
}

/// What stands behind the deflate stream that ends at a byte, and what follows.
pub(super) fn trailer(input: &[u8], at: usize) -> Option<(Trailer, &[u8])> {
    let (crc, rest) = input.get(at..)?.split_first_chunk()?;
    let (size, rest) = rest.split_first_chunk()?;
    let trailer = Trailer {
        crc: u32::from_le_bytes(*crc),
        size: u32::from_le_bytes(*size),
    };
    Some((trailer, rest))
}
