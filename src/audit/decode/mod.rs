//! Turns the bytes of one log file into calls.
//!
//! Inflate ([`inflate`]), find the records ([`super::cloudtrail::archive`]), judge each by its own
//! fields without parsing it, and parse the few that someone wants. Nine records in ten are reads:
//! of these nothing is built, and what they hold beside their own fields is not even checked.

pub(crate) mod blocks;
mod inflate;
mod prospect;
pub(crate) mod scan;
pub(crate) mod search;
mod tally;
pub(crate) mod texts;

pub use prospect::Prospect;
pub use tally::{Problem, Tally};
pub use texts::Text;

use super::call::Call;
use super::cloudtrail::archive::{self, Place, Records};
use super::cloudtrail::clock::Clock;
use super::cloudtrail::fields::{Effect, Fields, Outline};
use super::cloudtrail::keys::Key;
use super::cloudtrail::record;
use crate::window::Window;
use inflate::{Inflater, is_gzip};
use tally::Problems;

/// What is asked of the records; everything else is skipped unparsed.
pub struct Filter<'a> {
    /// When calls must have completed.
    pub window: Window,
    /// Accounts whose calls are wanted; all when empty.
    pub accounts: Vec<String>,
    /// Regions whose calls are wanted; all when empty.
    pub regions: Vec<String>,
    /// Whether anyone wants a call, which is not parsed yet.
    pub wanted: &'a (dyn Fn(&Prospect<'_>) -> bool + Sync),
    /// Whether calls that failed are wanted too.
    pub failed: bool,
}

/// Decodes log files one after the other, reusing its buffers. One per thread.
pub struct Decoder {
    inflater: Inflater,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder without buffers yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inflater: Inflater::new(),
        }
    }

    /// Decodes one whole file, compressed or not, handing each wanted call to `sink`.
    ///
    /// Never fails: what cannot be read is noted in `tally.problems`, and what can be read beside
    /// it is read.
    pub fn file(
        &mut self,
        location: &str,
        bytes: &[u8],
        filter: &Filter,
        tally: &mut Tally,
        sink: &mut dyn FnMut(Call),
    ) {
        tally.files += 1;
        tally.bytes += bytes.len() as u64;
        let mut problems = Problems::new(location, &mut tally.problems);
        let gzip = is_gzip(bytes);
        let (text, damage) = if gzip {
            self.inflater.inflate(bytes)
        } else {
            (bytes, None)
        };
        tally.inflated += text.len() as u64;
        let damaged = damage.is_some();
        if let Some(damage) = damage {
            let problem = format!("{}; what inflated before was read", damage.problem);
            problems.add(
                Some(format!("byte {}", damage.at)),
                problem,
                Some(damage.remedy),
            );
        }
        if let Some((problem, remedy)) = unreadable(text, damaged) {
            problems.add(None, problem, Some(remedy));
            return;
        }
        let mut reading = Reading {
            filter,
            gzip,
            damaged,
            problems,
            sink,
            clock: Clock::default(),
            in_window: 0,
            writes: 0,
            failed_calls: 0,
        };
        tally.records += archive::read(text, &mut reading);
        tally.in_window += reading.in_window;
        tally.writes += reading.writes;
        tally.failed_calls += reading.failed_calls;
    }
}

/// Why a text cannot hold records at all, and what to do about it.
fn unreadable(text: &[u8], damaged: bool) -> Option<(String, &'static str)> {
    const FORMATS: [(&[u8], &str, &str); 9] = [
        (
            b"PAR1",
            "Parquet",
            "Parquet is not supported; export the records as JSON",
        ),
        (
            b"ORC",
            "ORC",
            "ORC is not supported; export the records as JSON",
        ),
        (b"PK\x03\x04", "a zip archive", "unpack it"),
        (
            b"\x28\xb5\x2f\xfd",
            "compressed with zstd",
            "decompress it, or compress it with gzip",
        ),
        (
            b"\xfd7zXZ",
            "compressed with xz",
            "decompress it, or compress it with gzip",
        ),
        (
            b"BZh",
            "compressed with bzip2",
            "decompress it, or compress it with gzip",
        ),
        (b"\x1f\x8b", "gzip within gzip", "decompress it once"),
        (b"\xff\xfe", "text in UTF-16", "convert it to UTF-8"),
        (b"\xfe\xff", "text in UTF-16", "convert it to UTF-8"),
    ];
    if text.iter().all(u8::is_ascii_whitespace) {
        return (!damaged).then(|| ("is empty".to_owned(), "fetch the file again"));
    }
    FORMATS
        .iter()
        .find(|(magic, _, _)| text.starts_with(magic))
        .map(|(_, name, remedy)| (format!("is no JSON but {name}"), *remedy))
}

/// Sifts the records of one file.
struct Reading<'a> {
    filter: &'a Filter<'a>,
    gzip: bool,
    damaged: bool,
    problems: Problems<'a>,
    sink: &'a mut dyn FnMut(Call),
    clock: Clock,
    in_window: u64,
    writes: u64,
    failed_calls: u64,
}

impl Reading<'_> {
    fn place(&self, place: Place) -> String {
        match place {
            Place::Record(number) => format!("record {number}"),
            Place::Byte(at) if self.gzip => format!("byte {at} of the inflated file"),
            Place::Byte(at) => format!("byte {at}"),
        }
    }

    /// Whether calls of the account and region of a record are wanted.
    fn is_asked_for(&self, fields: &Fields) -> bool {
        let asks = |asked: &[String], found: Option<&str>| {
            asked.is_empty() || found.is_some_and(|found| asked.iter().any(|asked| asked == found))
        };
        asks(&self.filter.regions, fields.text(Key::Region).as_deref())
            && (self.filter.accounts.is_empty()
                || asks(&self.filter.accounts, fields.account().as_deref()))
    }
}

impl Records for Reading<'_> {
    #[inline]
    fn record(&mut self, number: u64, record: &Outline) {
        let Some(time) = record.time(&mut self.clock) else {
            self.problems.add(
                Some(self.place(Place::Record(number))),
                "has no eventTime that says when it was",
                Some("see whether what wrote the file changed the record"),
            );
            return;
        };
        if !self.filter.window.contains(time) {
            return;
        }
        self.in_window += 1;
        if record.is_read() {
            return;
        }
        let fields = record.fields();
        match fields.effect() {
            Effect::None => return,
            Effect::Failed => {
                self.failed_calls += 1;
                if !self.filter.failed {
                    return;
                }
            }
            Effect::Change => self.writes += 1,
        }
        if !self.is_asked_for(&fields) || !(self.filter.wanted)(&Prospect::of(&fields)) {
            return;
        }
        match record::call(record.json(), time) {
            Ok(call) => (self.sink)(call),
            Err(error) => self.problems.add(
                Some(self.place(Place::Record(number))),
                format!("is no JSON: {error}"),
                Some("fetch the file again"),
            ),
        }
    }

    fn unreadable(&mut self, place: Place, problem: &str) {
        let remedy = "give log files of CloudTrail, as JSON; fetch the file again if it was one";
        self.problems
            .add(Some(self.place(place)), problem, Some(remedy));
    }

    fn cut_off(&mut self, place: Place) {
        // Of a damaged gzip stream this has been said.
        if !self.damaged {
            let problem = "ends too early; what stands before was read";
            self.problems.add(
                Some(self.place(place)),
                problem,
                Some("fetch the file again"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
