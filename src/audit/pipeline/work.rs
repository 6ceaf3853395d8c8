//! The workers: each takes the next log file, reads it if that is still to do, and decodes it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, never, select};
use tokio::sync::OwnedSemaphorePermit;

use super::Options;
use super::budget::Budget;
use super::parts::Part;
use super::pool::Pool;
use super::progress::Progress;
use super::stop::Stop;
use super::watch::Watch;
use crate::audit::call::Call;
use crate::audit::decode::{Filter, Tally};
use crate::audit::source::local::{LocalFile, unreadable};

/// How much larger a compressed log file is assumed to become: the upper end of what real ones
/// show.
const INFLATION: u64 = 15;

/// A buffer that has grown beyond this is given back after its file.
const KEPT: usize = 8 << 20;

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
    decoders: Pool,
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
            decoders: Pool::default(),
            filter,
            watches: &options.watches,
            stop: &options.stop,
            progress,
            sink,
        }
    }

    /// Decodes until both channels are at their end.
    pub fn work(&self, locals: &Receiver<Local<'_>>, remotes: &Receiver<Remote>) -> Tally {
        let (mut locals, mut remotes) = (locals.clone(), remotes.clone());
        let mut open = 2;
        let mut worker = Worker {
            bench: self,
            buffer: Vec::new(),
            tally: Tally::default(),
        };
        while open > 0 {
            select! {
                recv(locals) -> next => match next {
                    // Taken all the same, so that whoever sends comes to an end.
                    Ok(_) if self.stop.is_due() => {}
                    Ok(Local::File(file)) => worker.file(&file.path),
                    Ok(Local::Whole(location, bytes)) => worker.whole(&location, &bytes),
                    Ok(Local::Part(part)) => worker.part(part),
                    Err(_) => (open, locals) = (open - 1, never()),
                },
                recv(remotes) -> next => match next {
                    Ok(_) if self.stop.is_due() => {}
                    Ok(remote) => worker.remote(remote),
                    Err(_) => (open, remotes) = (open - 1, never()),
                },
            }
        }
        worker.tally
    }
}

struct Worker<'a> {
    bench: &'a Bench<'a>,
    buffer: Vec<u8>,
    tally: Tally,
}

impl Worker<'_> {
    fn file(&mut self, path: &Path) {
        if let Err(error) = self.read_and_decode(path) {
            self.tally.problems.push(unreadable(path, &error));
        }
    }

    fn read_and_decode(&mut self, path: &Path) -> std::io::Result<()> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let inflated = announced_size(&mut file, size)?;
        let _share = self.bench.inflated.draw(size.saturating_add(inflated));
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let capacity = usize::try_from(size).unwrap_or(usize::MAX);
        // A file that claims more than memory holds is an error, not an abort.
        buffer
            .try_reserve(capacity)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::OutOfMemory))?;
        let read = file.read_to_end(&mut buffer);
        self.bench.progress.fetched(buffer.len() as u64);
        // What could be read before a disk failed is still evidence.
        if !buffer.is_empty() || read.is_ok() {
            let location = path.display().to_string();
            self.decode_whole(&location, &buffer, inflated, read.is_ok());
        }
        if buffer.capacity() <= KEPT {
            self.buffer = buffer;
        }
        read.map(|_| ())
    }

    fn part(&mut self, part: Part<'_>) {
        let (files, problems) = (self.tally.files, self.tally.problems.len());
        self.decode(&part.location, &part.bytes, 0);
        if part.offset > 0 {
            // The first part counts as the file, and places are counted within the part.
            self.tally.files = files;
            for problem in self.tally.problems.iter_mut().skip(problems) {
                let within = problem
                    .place
                    .take()
                    .unwrap_or_else(|| "somewhere".to_owned());
                problem.place = Some(format!("{within}, counted from byte {}", part.offset));
            }
        }
        drop(part.bytes);
        drop(part.share);
    }

    fn remote(&mut self, remote: Remote) {
        let Remote {
            location,
            bytes,
            permit,
        } = remote;
        self.whole(&location, &bytes);
        // Only when the bytes are gone may others take their place.
        drop(bytes);
        drop(permit);
    }

    /// Decodes bytes that are in memory already.
    fn whole(&mut self, location: &str, bytes: &[u8]) {
        let inflated = match bytes.last_chunk::<4>() {
            Some(trailer) if is_gzip(bytes) => inflated_size(bytes.len() as u64, *trailer),
            _ => 0,
        };
        let _share = self.bench.inflated.draw(inflated);
        self.decode_whole(location, bytes, inflated, true);
    }

    fn decode_whole(&mut self, location: &str, bytes: &[u8], inflated: u64, complete: bool) {
        let problems = self.tally.problems.len();
        self.decode(location, bytes, inflated);
        let sound = complete && self.tally.problems.len() == problems;
        for watch in self.bench.watches {
            watch.read(location, bytes, sound);
        }
    }

    fn decode(&mut self, location: &str, bytes: &[u8], inflated: u64) {
        let before = self.tally.records;
        let (bench, tally) = (self.bench, &mut self.tally);
        let mut sink = |call| (bench.sink)(call);
        bench.decoders.with(inflated, |decoder| {
            decoder.file(location, bytes, bench.filter, tally, &mut sink);
        });
        let records = self.tally.records.saturating_sub(before);
        bench.progress.decoded(bytes.len() as u64, records);
    }
}

/// What part of the memory bytes may fill while they wait for a worker. The rest is for what
/// workers read and inflate.
pub fn for_waiting(memory: u64) -> u64 {
    memory / 4
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
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
