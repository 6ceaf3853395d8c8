//! Turns the bytes of log files into calls.
//!
//! Inflate ([`inflate`]), find the records ([`super::cloudtrail::pieces`]), judge each by its own
//! fields without parsing it, and parse the few that someone wants ([`reading`]). Nine records in ten are reads:
//! of these nothing is built, and what they hold beside their own fields is not even checked.

pub(crate) mod blocks;
mod inflate;
mod prospect;
mod reading;
pub(crate) mod scan;
pub(crate) mod search;
mod tally;
pub(crate) mod texts;

pub(crate) use inflate::is_gzip;
pub use prospect::{Aside, Prospect};
pub use tally::{Problem, Tally};
pub use texts::Text;

use super::call::Call;
use crate::window::Window;
use inflate::Inflater;
use reading::Reading;

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

/// Where files come from, and where what was found in them goes.
pub trait Files {
    /// A file that is in memory.
    type File: File;

    /// The next file. None, if it is to be waited for: there is none any more; if not: there is
    /// none now.
    fn next(&mut self, wait: bool) -> Option<Self::File>;

    /// Takes back a file that was read to its end, and what was found in it.
    fn done(&mut self, file: Self::File, found: Tally);
}

/// A file that is in memory.
pub trait File {
    /// What it is called.
    fn location(&self) -> &str;

    /// All of it, compressed or not.
    fn bytes(&self) -> &[u8];
}

/// Decodes log files, reusing its buffers. One per thread.
pub struct Decoder {
    /// Two, since two files in turn are inflated faster than one after the other.
    inflaters: [Inflater; 2],
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
            inflaters: [Inflater::new(), Inflater::new()],
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
        let mut only = Only {
            file: Some((location, bytes)),
            tally,
        };
        self.files(&mut only, filter, sink);
    }

    /// Decodes files until there are no more, as [`Decoder::file`] does one.
    pub fn files<F: Files>(&mut self, files: &mut F, filter: &Filter, sink: &mut dyn FnMut(Call)) {
        let [one, other] = &mut self.inflaters;
        let (mut first, mut second) = (None, None);
        loop {
            if first.is_none() {
                first = open(files, second.is_none(), one, filter, sink);
            }
            if second.is_none() {
                second = open(files, first.is_none(), other, filter, sink);
            }
            match (&first, &second) {
                (Some((first, _)), Some((second, _))) => {
                    Inflater::fill_either((one, first.bytes()), (other, second.bytes()));
                }
                (Some((first, _)), None) => one.fill(first.bytes()),
                (None, Some((second, _))) => other.fill(second.bytes()),
                (None, None) => return,
            }
            first = read(first, files, one, filter, sink);
            second = read(second, files, other, filter, sink);
        }
    }
}

/// A file of which something is still to be inflated, and its reading.
type Open<F> = Option<(F, Reading)>;

/// Opens the next file that is to be inflated; others are read at once.
fn open<F: Files>(
    files: &mut F,
    wait: bool,
    inflater: &mut Inflater,
    filter: &Filter,
    sink: &mut dyn FnMut(Call),
) -> Open<F::File> {
    loop {
        let file = files.next(wait)?;
        let bytes = file.bytes();
        let is_gzip = is_gzip(bytes);
        let mut reading = Reading::new(file.location(), bytes, is_gzip);
        if is_gzip {
            inflater.start(bytes);
            return Some((file, reading));
        }
        reading.text(bytes, true, filter, sink);
        files.done(file, reading.tally());
    }
}

/// Reads what was inflated of a file, if it is time to.
fn read<F: Files>(
    open: Open<F::File>,
    files: &mut F,
    inflater: &mut Inflater,
    filter: &Filter,
    sink: &mut dyn FnMut(Call),
) -> Open<F::File> {
    let (file, mut reading) = open?;
    let is_due = inflater.is_complete() || inflater.is_full();
    if is_due && reading.inflated(inflater, filter, sink) {
        files.done(file, reading.tally());
        return None;
    }
    Some((file, reading))
}

/// A single file.
struct Only<'a> {
    file: Option<(&'a str, &'a [u8])>,
    tally: &'a mut Tally,
}

impl<'a> Files for Only<'a> {
    type File = (&'a str, &'a [u8]);

    fn next(&mut self, _: bool) -> Option<Self::File> {
        self.file.take()
    }

    fn done(&mut self, _: Self::File, found: Tally) {
        *self.tally += found;
    }
}

impl File for (&str, &[u8]) {
    fn location(&self) -> &str {
        self.0
    }

    fn bytes(&self) -> &[u8] {
        self.1
    }
}

#[cfg(test)]
mod tests;
