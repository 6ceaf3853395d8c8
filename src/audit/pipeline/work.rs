//! The workers: each takes the next log files, reads them if that is still to do, and decodes them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, never, select};
use tokio::sync::OwnedSemaphorePermit;

use super::Options;
use super::budget::{Budget, Share};
use super::parts::Part;
use super::progress::Progress;
use super::stop::Stop;
use super::watch::Watch;
use crate::audit::call::Call;
use crate::audit::decode::{self, Decoder, Filter, Tally, is_gzip};
use crate::audit::source::local::{LocalFile, unreadable};

/// How much larger a compressed log file is assumed to become: the upper end of what real ones
/// show.
const INFLATION: u64 = 15;

/// A buffer that has grown beyond this is given back after its file.
const KEPT: usize = 8 << 20;

/// How many buffers a worker keeps: as many files as it decodes at once.
const BUFFERS: usize = 2;

/// A log file on this machine.
#[derive(Debug)]
pub enum Local<'a> {
    /// Still to be read.
    File(LocalFile),
    /// All that a stream held, and what it is called.
    Whole(String, Vec<u8>),
    /// A part of one that is too large to hold whole.
    Part(Part<'a>),
}

/// A log file that was fetched.
#[derive(Debug)]
pub struct Remote {
    /// Where it came from.
    pub location: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// What it draws of the budget for fetched bytes.
    pub permit: OwnedSemaphorePermit,
}

/// What all workers share.
pub struct Bench<'a> {
    inflated: Budget,
    filter: &'a Filter<'a>,
    watches: &'a [Arc<dyn Watch>],
    stop: &'a Stop,
    progress: &'a dyn Progress,
    sink: &'a (dyn Fn(Call) + Sync),
}

impl<'a> Bench<'a> {
    /// A bench for as many workers, and for so many bytes, as the options say.
    pub fn new(
        options: &'a Options,
        filter: &'a Filter<'a>,
        progress: &'a dyn Progress,
        sink: &'a (dyn Fn(Call) + Sync),
    ) -> Self {
        Self {
            inflated: Budget::new(options.memory - for_waiting(options.memory)),
            filter,
            watches: &options.watches,
            stop: &options.stop,
            progress,
            sink,
        }
    }

    /// Decodes until both channels are at their end.
    pub fn work(&self, locals: &Receiver<Local<'_>>, remotes: &Receiver<Remote>) -> Tally {
        let mut worker = Worker {
            bench: self,
            locals: locals.clone(),
            remotes: remotes.clone(),
            open: 2,
            waiting: None,
            buffers: Vec::new(),
            tally: Tally::default(),
        };
        let mut sink = |call| (self.sink)(call);
        Decoder::new().files(&mut worker, self.filter, &mut sink);
        worker.tally
    }
}

struct Worker<'w, 'l> {
    bench: &'w Bench<'w>,
    locals: Receiver<Local<'l>>,
    remotes: Receiver<Remote>,
    /// How many of the two channels are not at their end.
    open: u8,
    /// What there was no memory for yet.
    waiting: Option<Taken<'l>>,
    buffers: Vec<Vec<u8>>,
    tally: Tally,
}

/// A log file as it was taken from a channel.
enum Taken<'l> {
    Local(Local<'l>),
    Remote(Remote),
}

/// A log file, or a part of one, in memory.
struct Loaded<'w, 'l> {
    location: Arc<str>,
    bytes: Vec<u8>,
    /// Whether all of it could be read.
    is_whole: bool,
    /// Where a part of a file begins in it.
    part: Option<u64>,
    /// What it draws of budgets, which is given back behind its bytes.
    _draws: Draws<'w, 'l>,
}

#[derive(Default)]
struct Draws<'w, 'l> {
    _inflated: Option<Share<'w>>,
    _part: Option<Share<'l>>,
    _fetched: Option<OwnedSemaphorePermit>,
}

impl decode::File for Loaded<'_, '_> {
    fn location(&self) -> &str {
        &self.location
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'w, 'l> decode::Files for Worker<'w, 'l> {
    type File = Loaded<'w, 'l>;

    fn next(&mut self, wait: bool) -> Option<Self::File> {
        loop {
            let taken = self.waiting.take().or_else(|| self.take(wait))?;
            // Taken all the same, so that whoever sends comes to an end.
            if self.bench.stop.is_due() {
                continue;
            }
            match self.load(taken, wait) {
                Load::Done(loaded) => return Some(loaded),
                Load::Failed => {}
                Load::Later(taken) => {
                    self.waiting = Some(taken);
                    return None;
                }
            }
        }
    }

    fn done(&mut self, file: Self::File, mut found: Tally) {
        let bench = self.bench;
        bench
            .progress
            .decoded(file.bytes.len() as u64, found.records);
        match file.part {
            None => {
                let is_sound = file.is_whole && found.problems.is_empty();
                for watch in bench.watches {
                    watch.read(&file.location, &file.bytes, is_sound);
                }
            }
            Some(0) => {}
            // The first part counts as the file, and places are counted within the part.
            Some(offset) => {
                found.files = 0;
                for problem in &mut found.problems {
                    let within = problem.place.as_deref().unwrap_or("somewhere");
                    problem.place = Some(format!("{within}, counted from byte {offset}"));
                }
            }
        }
        self.tally += found;
        if file.bytes.capacity() <= KEPT && self.buffers.len() < BUFFERS {
            self.buffers.push(file.bytes);
        }
    }
}

enum Load<'w, 'l> {
    Done(Loaded<'w, 'l>),
    Failed,
    /// There is no memory for it now.
    Later(Taken<'l>),
}

impl<'w, 'l> Worker<'w, 'l> {
    /// Takes what comes next from either channel.
    fn take(&mut self, wait: bool) -> Option<Taken<'l>> {
        while self.open > 0 {
            let (local, remote) = if wait {
                select! {
                    recv(self.locals) -> next => (next.map_err(|_| TryRecvError::Disconnected), Err(TryRecvError::Empty)),
                    recv(self.remotes) -> next => (Err(TryRecvError::Empty), next.map_err(|_| TryRecvError::Disconnected)),
                }
            } else {
                match self.locals.try_recv() {
                    Ok(local) => (Ok(local), Err(TryRecvError::Empty)),
                    Err(error) => (Err(error), self.remotes.try_recv()),
                }
            };
            match (local, remote) {
                (Ok(local), _) => return Some(Taken::Local(local)),
                (_, Ok(remote)) => return Some(Taken::Remote(remote)),
                (Err(TryRecvError::Disconnected), _) => {
                    (self.open, self.locals) = (self.open - 1, never());
                }
                (_, Err(TryRecvError::Disconnected)) => {
                    (self.open, self.remotes) = (self.open - 1, never());
                }
                (Err(TryRecvError::Empty), Err(TryRecvError::Empty)) => return None,
            }
        }
        None
    }

    fn load(&mut self, taken: Taken<'l>, wait: bool) -> Load<'w, 'l> {
        match taken {
            Taken::Local(Local::File(file)) => match self.read(&file, wait) {
                Ok(Some(loaded)) => Load::Done(loaded),
                Ok(None) => Load::Later(Taken::Local(Local::File(file))),
                Err(error) => {
                    self.tally.problems.push(unreadable(&file.path, &error));
                    Load::Failed
                }
            },
            Taken::Local(Local::Whole(location, bytes)) => {
                let Some(share) = self.draw(inflated_size_of(&bytes), wait) else {
                    return Load::Later(Taken::Local(Local::Whole(location, bytes)));
                };
                let draws = Draws {
                    _inflated: Some(share),
                    ..Draws::default()
                };
                Load::Done(Loaded::whole(location, bytes, draws))
            }
            Taken::Local(Local::Part(part)) => Load::Done(Loaded {
                location: part.location,
                bytes: part.bytes,
                is_whole: true,
                part: Some(part.offset),
                _draws: Draws {
                    _part: Some(part.share),
                    ..Draws::default()
                },
            }),
            Taken::Remote(remote) => {
                let Some(share) = self.draw(inflated_size_of(&remote.bytes), wait) else {
                    return Load::Later(Taken::Remote(remote));
                };
                let draws = Draws {
                    _inflated: Some(share),
                    _fetched: Some(remote.permit),
                    ..Draws::default()
                };
                Load::Done(Loaded::whole(remote.location, remote.bytes, draws))
            }
        }
    }

    /// Reads a file of this machine; none when there is no memory for it now.
    fn read(&mut self, local: &LocalFile, wait: bool) -> std::io::Result<Option<Loaded<'w, 'l>>> {
        let mut file = File::open(&local.path)?;
        let size = file.metadata()?.len();
        let inflated = announced_size(&mut file, size)?;
        let Some(share) = self.draw(size.saturating_add(inflated), wait) else {
            return Ok(None);
        };
        let mut bytes = self.buffers.pop().unwrap_or_default();
        bytes.clear();
        let capacity = usize::try_from(size).unwrap_or(usize::MAX);
        // A file that claims more than memory holds is an error, not an abort.
        bytes
            .try_reserve(capacity)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::OutOfMemory))?;
        let read = file.read_to_end(&mut bytes);
        self.bench.progress.fetched(bytes.len() as u64);
        let is_whole = read.is_ok();
        if let Err(error) = read {
            if bytes.is_empty() {
                return Err(error);
            }
            // What could be read before a disk failed is still evidence.
            self.tally.problems.push(unreadable(&local.path, &error));
        }
        let draws = Draws {
            _inflated: Some(share),
            ..Draws::default()
        };
        let location = local.path.display().to_string();
        Ok(Some(Loaded {
            is_whole,
            ..Loaded::whole(location, bytes, draws)
        }))
    }

    /// Draws memory for a file. A worker that has another file at hand does not wait for it: what
    /// it waits for may be what that file holds.
    fn draw(&self, bytes: u64, wait: bool) -> Option<Share<'w>> {
        if wait {
            Some(self.bench.inflated.draw(bytes))
        } else {
            self.bench.inflated.try_draw(bytes)
        }
    }
}

impl<'w, 'l> Loaded<'w, 'l> {
    fn whole(location: String, bytes: Vec<u8>, draws: Draws<'w, 'l>) -> Self {
        Self {
            location: location.into(),
            bytes,
            is_whole: true,
            part: None,
            _draws: draws,
        }
    }
}

/// What part of the memory bytes may fill while they wait for a worker. The rest is for what
/// workers read and inflate.
pub fn for_waiting(memory: u64) -> u64 {
    memory / 4
}

/// How much bytes become when inflated; 0 if they are not compressed.
fn inflated_size_of(bytes: &[u8]) -> u64 {
    match bytes.last_chunk::<4>() {
        Some(trailer) if is_gzip(bytes) => inflated_size(bytes.len() as u64, *trailer),
        _ => 0,
    }
}

/// How much a file becomes when inflated; 0 if it is not compressed. Leaves it at its start.
fn announced_size(file: &mut File, size: u64) -> std::io::Result<u64> {
    // Too short for gzip, or not a regular file: nothing to look at.
    if size < 18 {
        return Ok(0);
    }
    let mut magic = [0; 2];
    file.read_exact(&mut magic)?;
    let mut inflated = 0;
    if is_gzip(&magic) {
        let mut trailer = [0; 4];
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut trailer)?;
        inflated = inflated_size(size, trailer);
    }
    file.rewind()?;
    Ok(inflated)
}

/// The trailer tells the size of the last member only and may lie: what text cannot be is not
/// believed, and nothing is larger than deflate can make it.
fn inflated_size(size: u64, trailer: [u8; 4]) -> u64 {
    let announced = u64::from(u32::from_le_bytes(trailer));
    if announced < size.saturating_mul(3) {
        size.saturating_mul(INFLATION)
    } else {
        announced.min(size.saturating_mul(1_032))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guess_of_an_inflated_size_trusts_the_trailer_only_within_reason() {
        for (size, trailer, expected) in [
            (1_000, 30_000_u32, 30_000),
            (1_000, 10, 15_000),
            (1_000, u32::MAX, 1_032_000),
            (50 << 20, 0, 750 << 20),
        ] {
            assert_eq!(inflated_size(size, trailer.to_le_bytes()), expected);
        }
    }

    #[test]
    fn a_file_that_is_not_compressed_announces_nothing_and_is_left_at_its_start() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"{\"Records\":[]}          ").unwrap();
        file.rewind().unwrap();
        assert_eq!(announced_size(&mut file, 24).unwrap(), 0);
        assert_eq!(file.stream_position().unwrap(), 0);
    }
}
