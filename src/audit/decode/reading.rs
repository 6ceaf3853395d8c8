//! What is read of one file, piece by piece: its records are sifted as they come.

use super::inflate::Inflater;
use super::tally::Problems;
use super::{Filter, Prospect, Tally};
use crate::audit::call::Call;
use crate::audit::cloudtrail::archive::{Place, Records};
use crate::audit::cloudtrail::clock::Clock;
use crate::audit::cloudtrail::fields::{Effect, Fields, Outline};
use crate::audit::cloudtrail::keys::Key;
use crate::audit::cloudtrail::pieces::Pieces;
use crate::audit::cloudtrail::record;

/// The reading of one file.
pub(super) struct Reading {
    bytes: u64,
    inflated: u64,
    form: Form,
    pieces: Pieces,
    sifted: Sifted,
}

/// What a file looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing but white space was seen.
    Blank,
    /// It may hold records.
    Text,
    /// It cannot.
    Foreign,
}

impl Reading {
    /// Of a file of these bytes, which lies there under a name.
    pub(super) fn new(location: &str, bytes: &[u8], is_gzip: bool) -> Self {
        Self {
            bytes: bytes.len() as u64,
            inflated: 0,
            form: Form::Blank,
            pieces: Pieces::default(),
            sifted: Sifted {
                is_gzip,
                problems: Problems::of(location),
                ..Sifted::default()
            },
        }
    }

    /// Reads on in what was inflated and makes room for more. Returns whether the file is at its
    /// end.
    pub(super) fn inflated(
        &mut self,
        inflater: &mut Inflater,
        filter: &Filter,
        sink: &mut dyn FnMut(Call),
    ) -> bool {
        let is_last = inflater.is_complete();
        if let Some(damage) = inflater.damage() {
            self.sifted.is_damaged = true;
            self.sifted.problems.add(
                Some(format!("byte {}", damage.at)),
                format!("{}; what inflated before was read", damage.problem),
                Some(damage.remedy),
            );
        }
        let read = self.text(inflater.text(), is_last, filter, sink);
        inflater.release(read);
        is_last
    }

    /// Reads on in the text and returns how much of it was read: all, when it is the last.
    pub(super) fn text(
        &mut self,
        text: &[u8],
        is_last: bool,
        filter: &Filter,
        sink: &mut dyn FnMut(Call),
    ) -> usize {
        if self.form == Form::Blank {
            let is_blank = text.iter().all(u8::is_ascii_whitespace);
            if is_blank && !is_last {
                return 0;
            }
            self.form = match unreadable(text, self.sifted.is_damaged) {
                Some((problem, remedy)) => {
                    self.sifted.problems.add(None, problem, Some(remedy));
                    Form::Foreign
                }
                None => Form::Text,
            };
        }
        let mut sifting = Sifting {
            filter,
            sink,
            sifted: &mut self.sifted,
        };
        let read = match self.form {
            Form::Foreign => text.len(),
            Form::Blank | Form::Text => self.pieces.read(text, is_last, &mut sifting),
        };
        self.inflated += read as u64;
        read
    }

    /// What was found, when all is read.
    pub(super) fn tally(self) -> Tally {
        Tally {
            files: 1,
            bytes: self.bytes,
            inflated: self.inflated,
            records: self.pieces.count(),
            in_window: self.sifted.in_window,
            writes: self.sifted.writes,
            failed_calls: self.sifted.failed_calls,
            problems: self.sifted.problems.list(),
            ..Tally::default()
        }
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

/// Sifts records.
struct Sifting<'a> {
    filter: &'a Filter<'a>,
    sink: &'a mut dyn FnMut(Call),
    sifted: &'a mut Sifted,
}

/// What was found in a file so far.
#[derive(Default)]
struct Sifted {
    is_gzip: bool,
    is_damaged: bool,
    clock: Clock,
    in_window: u64,
    writes: u64,
    failed_calls: u64,
    problems: Problems,
}

impl Sifting<'_> {
    fn place(&self, place: Place) -> String {
        match place {
            Place::Record(number) => format!("record {number}"),
            Place::Byte(at) if self.sifted.is_gzip => format!("byte {at} of the inflated file"),
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

impl Records for Sifting<'_> {
    #[inline]
    fn record(&mut self, number: u64, record: &Outline) {
        let Some(time) = record.time(&mut self.sifted.clock) else {
            self.sifted.problems.add(
                Some(self.place(Place::Record(number))),
                "has no eventTime that says when it was",
                Some("see whether what wrote the file changed the record"),
            );
            return;
        };
        if !self.filter.window.contains(time) {
            return;
        }
        self.sifted.in_window += 1;
        if record.is_read() {
            return;
        }
        let fields = record.fields();
        match fields.effect() {
            Effect::None => return,
            Effect::Failed => {
                self.sifted.failed_calls += 1;
                if !self.filter.failed {
                    return;
                }
            }
            Effect::Change => self.sifted.writes += 1,
        }
        if !self.is_asked_for(&fields)
            || !(self.filter.wanted)(&Prospect::of(&fields, record.json(), time))
        {
            return;
        }
        match record::call(record.json(), time) {
            Ok(call) => (self.sink)(call),
            Err(error) => self.sifted.problems.add(
                Some(self.place(Place::Record(number))),
                format!("is no JSON: {error}"),
                Some("fetch the file again"),
            ),
        }
    }

    fn unreadable(&mut self, place: Place, problem: &str) {
        let remedy = "give log files of CloudTrail, as JSON; fetch the file again if it was one";
        let place = self.place(place);
        self.sifted.problems.add(Some(place), problem, Some(remedy));
    }

    fn cut_off(&mut self, place: Place) {
        // Of a damaged gzip stream this has been said.
        if !self.sifted.is_damaged {
            let problem = "ends too early; what stands before was read";
            self.sifted.problems.add(
                Some(self.place(place)),
                problem,
                Some("fetch the file again"),
            );
        }
    }
}
