//! Reads the form in which the build script (`build.rs`) puts the merged rule files into the binary.
//!
//! Two files: all texts, each once, one behind the other; and bytes that refer to them by number.
//! Numbers are LEB128 unless said otherwise; offsets count from the beginning of the bytes.
//!
//! | part | holds |
//! | --- | --- |
//! | head | as `u32`, little end first: number of texts *n*; *n* + 1 places in the texts; offset of the services; offset of the types |
//! | services | how many; of each: name, scope (0 regional, 1 global, 2 partition), offset of its facts (0: none), number of events, and of each event its name and `offset of its tree × 4 + (2 if it teaches names) + (1 if it operates)` |
//! | types | how many; of each: name, offset of its row |
//! | a row | how many services, their numbers; how many calls, of each the number of the service and the event's name |
//! | a tree | `payload × 8 + kind`: 0 text (its number), 1 whole number (zigzag), 2 other number (8 bytes follow), 3 true or false, 4 list (how many), 5 table (how many pairs of name and tree) |
//!
//! Nothing here trusts the bytes: what cannot be read is none.

use super::rule::Scope;
use super::text::Text;
use super::tree::{Table, Tree};

/// Deeper than any rule is nested; a bound for the recursion.
const DEEPEST: usize = 32;

/// Packed rules.
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    texts: &'static str,
    bytes: &'static [u8],
}

/// The rules of AWS.
pub const AWS: Pack = Pack {
    texts: include_str!(concat!(env!("OUT_DIR"), "/rules.txt")),
    bytes: include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin")),
};

/// What the index says of a service.
#[derive(Debug)]
pub struct PackedService {
    /// The event source.
    pub name: &'static str,
    /// How far its names reach.
    pub scope: Scope,
    /// Where the facts about its types are, if there are any.
    pub facts: Option<Offset>,
    /// Its events.
    pub events: Vec<PackedEvent>,
}

/// What the index says of an event.
#[derive(Debug, Clone, Copy)]
pub struct PackedEvent {
    /// Its name.
    pub name: &'static str,
    /// Where its rule is.
    pub rule: Offset,
    /// Whether it changes nothing that Terraform holds.
    pub operates: bool,
    /// Whether it teaches names that later calls use.
    pub learns: bool,
}

/// Where something is among the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(u32);

/// Who speaks of a type.
#[derive(Debug, Default)]
pub struct Row {
    /// Numbers of services.
    pub services: Vec<usize>,
    /// Services by number, and events.
    pub calls: Vec<(usize, &'static str)>,
}

impl Pack {
    fn word(self, index: usize) -> Option<u32> {
        let at = index.checked_mul(4)?;
        let bytes = self.bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    fn text(self, number: u64) -> Option<&'static str> {
        let place = usize::try_from(number).ok()?.checked_add(1)?;
        if place > self.word(0)? as usize {
            return None;
        }
        let (from, to) = (self.word(place)?, self.word(place + 1)?);
        self.texts.get(from as usize..to as usize)
    }

    fn at(self, offset: Offset) -> Reader {
        Reader {
            pack: self,
            rest: self.bytes.get(offset.0 as usize..).unwrap_or_default(),
        }
    }

    /// All services, in the order of their numbers.
    pub fn services(self) -> Option<Vec<PackedService>> {
        let head = self.word(0)? as usize + 2;
        let mut reader = self.at(Offset(self.word(head)?));
        let count = reader.count()?;
        (0..count).map(|_| reader.service()).collect()
    }

    /// All types with the offsets of their rows.
    pub fn types(self) -> Option<Vec<(&'static str, Offset)>> {
        let head = self.word(0)? as usize + 3;
        let mut reader = self.at(Offset(self.word(head)?));
        let count = reader.count()?;
        (0..count)
            .map(|_| Some((reader.name()?, reader.offset()?)))
            .collect()
    }

    /// A type's row.
    pub fn row(self, offset: Offset) -> Option<Row> {
        let mut reader = self.at(offset);
        let count = reader.count()?;
        let services = (0..count).map(|_| reader.count()).collect::<Option<_>>()?;
        let count = reader.count()?;
        let calls = (0..count)
            .map(|_| Some((reader.count()?, reader.name()?)))
            .collect::<Option<_>>()?;
        Some(Row { services, calls })
    }

    /// The table at an offset.
    pub fn table(self, offset: Offset) -> Option<Table> {
        match self.at(offset).tree(0)? {
            Tree::Table(table) => Some(table),
            _ => None,
        }
    }
}

struct Reader {
    pack: Pack,
    rest: &'static [u8],
}

impl Reader {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn offset(&mut self) -> Option<Offset> {
        Some(Offset(u32::try_from(self.number()?).ok()?))
    }

    fn name(&mut self) -> Option<&'static str> {
        let number = self.number()?;
        self.pack.text(number)
    }

    fn service(&mut self) -> Option<PackedService> {
        let name = self.name()?;
        let scope = match self.number()? {
            0 => Scope::Regional,
            1 => Scope::Global,
            2 => Scope::Partition,
            _ => return None,
        };
        let facts = self
            .offset()
            .map(|offset| (offset.0 > 0).then_some(offset))?;
        let count = self.count()?;
        let events = (0..count)
            .map(|_| {
                let name = self.name()?;
                let place = self.number()?;
                Some(PackedEvent {
                    name,
                    rule: Offset(u32::try_from(place >> 2).ok()?),
                    operates: place & 1 == 1,
                    learns: place & 2 == 2,
                })
            })
            .collect::<Option<_>>()?;
        Some(PackedService {
            name,
            scope,
            facts,
            events,
        })
    }

    fn tree(&mut self, depth: usize) -> Option<Tree> {
        if depth > DEEPEST {
            return None;
        }
        let word = self.number()?;
        let payload = word >> 3;
        Some(match word & 7 {
            0 => Tree::Text(self.pack.text(payload)?.into()),
            1 => Tree::Integer((payload >> 1).cast_signed() ^ -(payload & 1).cast_signed()),
            2 => {
                let (bytes, rest) = self.rest.split_first_chunk::<8>()?;
                self.rest = rest;
                Tree::Float(f64::from_le_bytes(*bytes))
            }
            3 => Tree::Bool(payload == 1),
            4 => Tree::List(
                (0..payload)
                    .map(|_| self.tree(depth + 1))
                    .collect::<Option<_>>()?,
            ),
            5 => Tree::Table(
                (0..payload)
                    .map(|_| Some((Text::from(self.name()?), self.tree(depth + 1)?)))
                    .collect::<Option<_>>()?,
            ),
            _ => return None,
        })
    }
}
