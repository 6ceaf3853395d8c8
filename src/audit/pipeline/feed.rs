//! The local side: finds log files on this machine and feeds the workers, of those found the largest
//! first.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::budget::Budget;
use super::work::Local;
use super::{Options, Problems, Progress, Stop, Watch, alerts, parts};
use crate::audit::cloudtrail::layout::Selection;
use crate::audit::decode::Problem;
use crate::audit::source::TrailLocation;
use crate::audit::source::local::{self, Finds, LocalFile};

/// Files that are sorted by size at once. Sorting more would need all their names in memory.
const SORTED_AT_ONCE: usize = 65_536;

/// Files larger than this are looked at whether they can be cut into parts.
const LARGE: u64 = 64 << 20;

/// How much of a file tells whether it can be cut.
const HEAD: u64 = 1 << 20;

/// Feeds workers with what lies on this machine.
pub struct Feed<'a> {
    found: BinaryHeap<LocalFile>,
    memory: u64,
    watches: &'a [Arc<dyn Watch>],
    stop: &'a Stop,
    waiting: &'a Budget,
    progress: &'a dyn Progress,
    problems: &'a Problems,
    out: Sender<Local<'a>>,
}

impl<'a> Feed<'a> {
    /// A feed of as many bytes at once as the options allow.
    pub fn new(
        options: &'a Options,
        waiting: &'a Budget,
        progress: &'a dyn Progress,
        problems: &'a Problems,
        out: Sender<Local<'a>>,
    ) -> Self {
        Self {
            found: BinaryHeap::new(),
            memory: options.memory,
            watches: &options.watches,
            stop: &options.stop,
            waiting,
            progress,
            problems,
            out,
        }
    }

    /// Feeds all that is local. Returns when everything was taken, or nobody takes it.
    pub fn run(mut self, trails: &[TrailLocation], selection: &Selection) {
        for trail in trails {
            let go_on = match trail {
                TrailLocation::S3(_)
                | TrailLocation::Lookup(_)
                | TrailLocation::Queue(_)
                | TrailLocation::Stdin => true,
                TrailLocation::Falco(path) => self.alerts(path),
                TrailLocation::Path(path) => local::find(path, selection, &mut self),
                TrailLocation::Glob(pattern) => local::find_matches(pattern, selection, &mut self),
            };
            if !go_on {
                return;
            }
        }
        // Last, because it may wait for whoever writes to it.
        if self.flush() && trails.contains(&TrailLocation::Stdin) {
            self.progress.listed(1, 0);
            self.stream("-", std::io::stdin().lock());
        }
    }

    /// Reads a file of Falco's alerts here. False when no worker is left.
    fn alerts(&self, path: &Path) -> bool {
        let name = format!("falco:{}", path.display());
        let reader: Box<dyn Read> = if path == Path::new("-") {
            Box::new(std::io::stdin())
        } else {
            match File::open(path) {
                Ok(file) => Box::new(file),
                Err(error) => {
                    self.problems.push(local::unreadable(path, &error));
                    return true;
                }
            }
        };
        self.progress.listed(1, 0);
        let location: Arc<str> = Arc::from(name.as_str());
        let mut offset = 0;
        let mut taken = true;
        let problems = alerts::convert(&name, reader, |bytes| {
            let length = bytes.len() as u64;
            self.progress.fetched(length);
            let share = self.waiting.draw(length);
            let part = parts::Part {
                location: Arc::clone(&location),
                offset,
                bytes,
                share,
            };
            offset += length;
            taken = self.out.send(Local::Part(part)).is_ok();
            taken && !self.stop.is_due()
        });
        for problem in problems {
            self.problems.push(problem);
        }
        taken
    }

    /// Sends what was found, the largest first. False when no worker is left.
    fn flush(&mut self) -> bool {
        let found = std::mem::take(&mut self.found).into_sorted_vec();
        found.into_iter().rev().all(|file| self.send(file))
    }

    fn send(&self, file: LocalFile) -> bool {
        if file.stream || file.size > LARGE {
            match Self::open(&file) {
                Ok(Some(lines)) => {
                    return self.stream(&file.path.display().to_string(), lines);
                }
                Ok(None) => {}
                Err(error) => {
                    self.problems.push(local::unreadable(&file.path, &error));
                    return true;
                }
            }
        }
        self.out.send(Local::File(file)).is_ok()
    }

    /// Opens a file that is to be read here and not by a worker: a stream, or one that is cut.
    fn open(file: &LocalFile) -> std::io::Result<Option<Chain<Cursor<Vec<u8>>, File>>> {
        let mut opened = File::open(&file.path)?;
        let mut head = Vec::new();
        if !file.stream {
            opened.by_ref().take(HEAD).read_to_end(&mut head)?;
            if !parts::are_lines(&head) {
                return Ok(None);
            }
        }
        Ok(Some(Cursor::new(head).chain(opened)))
    }

    /// Reads a stream here: lines in parts, anything else whole up to the budget. False when no
    /// worker is left.
    fn stream(&self, name: &str, mut reader: impl Read) -> bool {
        let mut head = Vec::new();
        let begun = reader
            .by_ref()
            .take(parts::LENGTH as u64)
            .read_to_end(&mut head);
        let mut taken = true;
        let outcome = if begun.is_ok() && parts::are_lines(&head) {
            let longest = usize::try_from(self.memory).unwrap_or(usize::MAX);
            let location = Arc::from(name);
            let send = |part: parts::Part<'a>| {
                self.progress.fetched(part.bytes.len() as u64);
                taken = self.out.send(Local::Part(part)).is_ok();
                taken && !self.stop.is_due()
            };
            parts::cut(&location, head, reader, longest, self.waiting, send)
        } else {
            let rest = read_capped(reader, &mut head, self.memory);
            self.progress.fetched(head.len() as u64);
            taken = self.out.send(Local::Whole(name.to_owned(), head)).is_ok();
            if matches!(rest, Ok(true)) {
                self.problems.push(too_long(name, self.memory));
            }
            rest.map(|_| ())
        };
        if let Err(error) = begun.and(outcome) {
            self.problems
                .push(local::unreadable(Path::new(name), &error));
        }
        taken
    }
}

impl Finds for Feed<'_> {
    fn file(&mut self, file: LocalFile) -> bool {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        if !self.watches.iter().all(|watch| watch.wants(&name)) {
            return true;
        }
        self.progress.listed(1, file.size);
        self.found.push(file);
        if self.stop.is_due() {
            return false;
        }
        // Nobody waits while others are still looked for; what is read here waits for that.
        let largest = self.found.peek();
        let is_at_hand = largest.is_some_and(|file| !file.stream && file.size <= LARGE);
        if self.out.is_empty() && is_at_hand {
            return self.found.pop().is_none_or(|file| self.send(file));
        }
        self.found.len() < SORTED_AT_ONCE || self.flush()
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// Reads on until there is nothing more or the bytes are as many as allowed. True when there was
/// more. What was read before a failure is kept.
fn read_capped(reader: impl Read, bytes: &mut Vec<u8>, most: u64) -> std::io::Result<bool> {
    let missing = most.saturating_add(1).saturating_sub(bytes.len() as u64);
    let read = reader.take(missing).read_to_end(bytes);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let more = bytes.len() > most;
    bytes.truncate(most);
    read.map(|_| more)
}

fn too_long(name: &str, most: u64) -> Problem {
    Problem {
        location: name.to_owned(),
        place: Some(format!("byte {most}")),
        problem: "it is longer than memory may hold; the rest was not read".to_owned(),
        remedy: Some(
            "raise the memory budget, or give a file, or one record on each line".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_read_to_its_end_or_to_the_limit() {
        for (most, expected, more) in [
            (10, "abcdef", false),
            (6, "abcdef", false),
            (5, "abcde", true),
        ] {
            let mut bytes = b"ab".to_vec();
            let read = read_capped("cdef".as_bytes(), &mut bytes, most).unwrap();
            assert_eq!((&*bytes, read), (expected.as_bytes(), more), "{most}");
        }
    }

    #[test]
    fn what_was_read_before_a_failure_is_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the cable is out"))
            }
        }
        let mut bytes = Vec::new();
        let read = read_capped("abc".as_bytes().chain(Broken), &mut bytes, 10);
        assert!(read.is_err());
        assert_eq!(bytes, b"abc");
    }
}
