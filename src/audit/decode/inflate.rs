//! Inflates gzip files piece by piece into a window that stays in the processor's cache.
//!
//! What whole files of many megabytes would cost in memory and its bandwidth is not paid, and two
//! files at a time are inflated faster than one after the other ([`steps`]).
#![allow(
    clippy::cast_possible_truncation,
    reason = "bits of a word, and places in memory"
)]

mod block;
mod codes;
mod frame;
mod steps;

use block::{Deflate, HISTORY, ROOM, Ready};
use libdeflater::Crc;
use steps::Stream;

/// What a window holds at first: the history that the format refers to, and text beside it.
const WINDOW: usize = 256 << 10;

/// The most that a window grows to, for text that cannot be read piece by piece.
const LIMIT: usize = 1 << 30;

/// A window larger than this is given back after the file that needed it.
const KEPT: usize = 1 << 20;

/// Whether bytes are gzip.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&frame::MAGIC)
}

/// What kept a file from inflating to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// The byte of the compressed file that could not be gone past.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
    /// What can be done about it.
    pub remedy: &'static str,
}

/// Lengths of codes that make no code.
#[derive(Debug)]
struct Fault;

/// Why a stream cannot be gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    CutOff,
    Damaged,
}

/// Inflates files one after the other, each piece by piece.
pub(super) struct Inflater {
    window: Vec<u8>,
    /// The first byte of the window that has not been released.
    start: usize,
    /// The byte of the window that is made next.
    end: usize,
    /// The first byte of the window that the member may refer to.
    member: usize,
    /// The first byte of the window that is not in the checksum.
    unsummed: usize,
    crc: Crc,
    /// What the member inflated to before the window's first unsummed byte.
    length: u64,
    deflate: Deflate,
    is_complete: bool,
    damage: Option<Damage>,
    limit: usize,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self::limited(LIMIT)
    }

    fn limited(limit: usize) -> Self {
        Self {
            window: Vec::new(),
            start: 0,
            end: 0,
            member: 0,
            unsummed: 0,
            crc: Crc::new(),
            length: 0,
            deflate: Deflate::new(),
            is_complete: true,
            damage: None,
            limit,
        }
    }

    /// Starts with another file, whose bytes are to be given from here on.
    pub(super) fn start(&mut self, input: &[u8]) {
        if self.window.len() > KEPT {
            self.window = Vec::new();
        }
        if self.window.is_empty() {
            self.window = vec![0; WINDOW];
        }
        (self.start, self.end, self.unsummed) = (0, 0, 0);
        (self.is_complete, self.damage) = (false, None);
        self.start_member(input, 0);
    }

    /// What was inflated and not released.
    pub(super) fn text(&self) -> &[u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether nothing follows the text.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether the text is to be read before there can be more of it.
    pub(super) fn is_full(&self) -> bool {
        self.window.len() < self.end + ROOM
    }

    /// What kept the file from inflating to its end.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// Inflates until the window is full or nothing follows.
    pub(super) fn fill(&mut self, input: &[u8]) {
        while self.is_ready(input) {
            let mut streams = [self.stream(input)];
            let stopped = steps::go(&mut streams);
            let [stream] = streams;
            let came = (stream.bit, stream.end);
            self.stepped(came, stopped.is_some());
        }
    }

    /// Inflates two files until the window of one is full or nothing follows in it.
    pub(super) fn fill_either(one: (&mut Self, &[u8]), other: (&mut Self, &[u8])) {
        while one.0.is_ready(one.1) && other.0.is_ready(other.1) {
            let mut streams = [one.0.stream(one.1), other.0.stream(other.1)];
            let stopped = steps::go(&mut streams);
            let came = streams.map(|stream| (stream.bit, stream.end));
            one.0.stepped(came[0], stopped == Some(0));
            other.0.stepped(came[1], stopped == Some(1));
        }
    }

    /// Lets go of so many bytes of the text and makes room for more.
    pub(super) fn release(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.sum();
        let history = self.end.saturating_sub(HISTORY).max(self.member);
        let gone = self.start.min(history);
        self.window.copy_within(gone..self.end, 0);
        self.start -= gone;
        self.end -= gone;
        self.unsummed = self.end;
        self.member = self.member.saturating_sub(gone);
        // Where little was let go of, more is needed at a time.
        let most = self.limit.saturating_add(ROOM);
        let wanted = (self.end * 2).min(most);
        if wanted > self.window.len() {
            self.window.resize(wanted, 0);
        }
        if self.is_full() && !self.is_complete {
            let problem = format!("it inflates to more than {} MiB", self.limit >> 20);
            self.damaged(problem, "split the file");
        }
    }

    /// Goes on until steps can be taken, or the window is full, or nothing follows.
    fn is_ready(&mut self, input: &[u8]) -> bool {
        while !self.is_complete {
            let out = self.window.get_mut(self.member..).unwrap_or_default();
            let mut end = self.end - self.member;
            let ready = self.deflate.ready(input, out, &mut end);
            self.end = self.member + end;
            match ready {
                Ok(Ready::Steps) => return true,
                Ok(Ready::Full) => return false,
                Ok(Ready::Ended) => self.end_member(input),
                Err(stop) => self.stop(stop, input),
            }
        }
        false
    }

    fn stream<'a>(&'a mut self, input: &'a [u8]) -> Stream<'a> {
        let out = self.window.get_mut(self.member..).unwrap_or_default();
        self.deflate.stream(input, out, self.end - self.member)
    }

    fn stepped(&mut self, (bit, end): (usize, usize), is_odd: bool) {
        self.deflate.stepped(bit, is_odd);
        self.end = self.member + end;
    }

    fn start_member(&mut self, input: &[u8], at: usize) {
        self.crc = Crc::new();
        self.length = 0;
        self.member = self.end;
        self.unsummed = self.end;
        self.deflate.start(at);
        match frame::header(input, at) {
            Ok(start) => self.deflate.start(start),
            Err(stop) => self.stop(stop, input),
        }
    }

    fn end_member(&mut self, input: &[u8]) {
        self.sum();
        let at = self.deflate.bit.div_ceil(8);
        self.deflate.start(at);
        let Some((trailer, rest)) = frame::trailer(input, at) else {
            return self.stop(Stop::CutOff, input);
        };
        // The size is told modulo 2^32.
        if trailer.crc != self.crc.sum() || trailer.size != self.length as u32 {
            return self.stop(Stop::Damaged, input);
        }
        if rest.iter().all(|byte| *byte == 0) {
            // Zeroes behind the last member are padding.
            self.is_complete = true;
        } else if is_gzip(rest) {
            self.start_member(input, input.len() - rest.len());
        } else {
            self.deflate.start(input.len() - rest.len());
            let problem = format!("{} bytes behind the gzip stream are no gzip", rest.len());
            self.damaged(problem, AGAIN);
        }
    }

    /// Adds to the checksum what it does not hold yet.
    fn sum(&mut self) {
        let new = self.window.get(self.unsummed..self.end).unwrap_or_default();
        self.crc.update(new);
        self.length += new.len() as u64;
        self.unsummed = self.end;
    }

    fn stop(&mut self, stop: Stop, input: &[u8]) {
        match stop {
            Stop::CutOff => {
                self.deflate.start(input.len());
                self.damaged("the gzip stream is cut off".to_owned(), AGAIN);
            }
            Stop::Damaged => self.damaged("the gzip stream is damaged".to_owned(), AGAIN),
        }
    }

    fn damaged(&mut self, problem: String, remedy: &'static str) {
        self.is_complete = true;
        self.damage = Some(Damage {
            at: self.deflate.bit / 8,
            problem,
            remedy,
        });
    }
}

/// What can be done about a damaged file.
const AGAIN: &str = "fetch the file again";

#[cfg(test)]
pub(crate) mod tests;
