//! Keeps the calls of a window until all are there, and gives them back in the order in which they
//! count: as many as it is allowed in memory, the others sorted in temporary files.
//!
//! A file holds calls, not effects: what a call does is found out again from the call.

use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rayon::prelude::*;

use super::effect::{Effects, Resolver};
use super::replay::{Once, rank};
use crate::audit::call::Call;
use crate::audit::decode::{Aside, Prospect};

/// What a call with its effects takes in memory, roughly.
const CALL: usize = 2 << 10;
/// What it takes more if it has to be read again.
const AGAIN: usize = 4 << 10;
/// Calls that are not worth another thread.
const FEW: usize = 64;
/// Calls of a file that are read ahead at most, on all threads.
const AHEAD: usize = 1_024;

/// Keeps calls. Shared by all workers.
pub struct Journal<'a> {
    resolver: &'a Resolver<'a>,
    /// Bytes that calls may take.
    room: usize,
    pages: Mutex<Pages<'a>>,
    aside: Mutex<Shelf>,
}

/// Calls that matter only if names are taught, unparsed.
#[derive(Default)]
struct Shelf {
    calls: Vec<Aside>,
    bytes: usize,
}

#[derive(Default)]
struct Pages<'a> {
    kept: Vec<Effects<'a>>,
    /// Bytes that these take, roughly.
    taken: usize,
    /// Calls on their way to a file, as JSON.
    page: Vec<(Order<String>, Vec<u8>)>,
    bytes: usize,
    files: Vec<File>,
    /// Whether any call teaches names.
    is_taught: bool,
    /// Ids of the calls that others correct.
    corrected: Vec<String>,
    problem: Option<io::Error>,
}

/// By what calls are ordered: time, kind of effect, id.
type Order<Id> = (Timestamp, u8, Id);

fn order<'e>(effects: &'e Effects<'_>) -> Order<&'e str> {
    let event = &effects.call.event;
    (event.time, rank(effects), &event.event_id)
}

impl<'a> Journal<'a> {
    /// A journal that takes about so many bytes of memory.
    #[must_use]
    pub fn new(resolver: &'a Resolver<'a>, room: usize) -> Self {
        Self {
            resolver,
            room,
            pages: Mutex::default(),
            aside: Mutex::default(),
        }
    }

    /// Puts a call aside that matters only if names are taught, unparsed. Whether there was room.
    #[must_use]
    pub fn put_aside(&self, call: &Prospect<'_>) -> bool {
        let call = call.aside();
        let mut shelf = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = (shelf.bytes + call.length()) * 4 <= self.room;
        if has_room {
            shelf.bytes += call.length();
            shelf.calls.push(call);
        }
        has_room
    }

    /// Takes the calls that were put aside, if they matter.
    #[must_use]
    pub fn taught(&self) -> Vec<Aside> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shelf = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = std::mem::take(&mut shelf.calls);
        if pages.is_taught { calls } else { Vec::new() }
    }

    /// Whether calls go to files from now on. Then a call has to be given with its effects.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.taken * 2 >= self.room
    }

    /// Keeps a call. Without the call itself, its effects stay in memory.
    pub fn keep(&self, effects: Effects<'a>, call: Option<&Call>) {
        let written = call.and_then(|call| serde_json::to_vec(call).ok());
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.corrected.extend(effects.call.corrects.clone());
        pages.is_taught |= effects.teaches;
        match written {
            Some(written) if pages.problem.is_none() => {
                let (time, rank, id) = order(&effects);
                let line = ((time, rank, id.to_owned()), written);
                pages.bytes += line.1.len() + size_of_val(&line) + id.len();
                pages.page.push(line);
                if pages.bytes * 2 >= self.room {
                    pages.turn();
                }
            }
            _ => {
                pages.taken += CALL + effects.again.as_ref().map_or(0, |_| AGAIN);
                pages.kept.push(effects);
            }
        }
    }

    /// All calls in order.
    #[must_use]
    pub fn ordered(self) -> Ordered<'a> {
        let mut pages = self
            .pages
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut kept = std::mem::take(&mut pages.kept);
        if !pages.is_taught {
            // Nearly always: names are hardly ever taught.
            let calls = kept.par_iter_mut().with_min_len(FEW);
            calls.for_each(|effects| effects.again = None);
        }
        let mut ordered = Ordered::of(kept);
        ordered.once.correct(pages.corrected.drain(..));
        pages.page.sort_unstable();
        let lines = std::mem::take(&mut pages.page).into_iter();
        let page = lines.map(|(_, line)| Ok(line));
        ordered.problem = pages.problem.take();
        // All files together have a quarter of the room for what is read ahead.
        let ahead = self.room / 4 / CALL / (pages.files.len() + 1);
        let ahead = ahead.clamp(1, AHEAD);
        let files = pages.files.into_iter().map(|file| -> Lines {
            Box::new(BufReader::new(GzDecoder::new(BufReader::new(file))).split(b'\n'))
        });
        for lines in std::iter::once(Box::new(page) as Lines).chain(files) {
            ordered.add(Source::Written(Written {
                resolver: self.resolver,
                lines,
                ahead,
                ready: Vec::new().into_iter(),
            }));
        }
        ordered
    }
}

impl Pages<'_> {
    /// Sorts the page and writes it to a file. What cannot be written stays where it is.
    fn turn(&mut self) {
        self.page.sort_unstable();
        match written(&self.page) {
            Ok(file) => {
                self.files.push(file);
                self.page = Vec::new();
                self.bytes = 0;
            }
            // From now on all is kept in memory: slower at worst, but nothing is lost.
            Err(problem) => self.problem = Some(problem),
        }
    }
}

/// A temporary file, which no one else can open, with these lines in it.
fn written(page: &[(Order<String>, Vec<u8>)]) -> io::Result<File> {
    let mut out = GzEncoder::new(BufWriter::new(tempfile::tempfile()?), Compression::fast());
    for (_, line) in page {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    let mut file = out.finish()?.into_inner()?;
    file.rewind()?;
    Ok(file)
}

type Lines = Box<dyn Iterator<Item = io::Result<Vec<u8>>>>;

/// Calls in the order in which they count, each once and in its last correction.
pub struct Ordered<'a> {
    sources: Vec<Source<'a>>,
    next: BinaryHeap<Next<'a>>,
    once: Once,
    problem: Option<io::Error>,
}

enum Source<'a> {
    Kept(std::vec::IntoIter<Effects<'a>>),
    Written(Written<'a>),
}

/// Calls in a file.
struct Written<'a> {
    resolver: &'a Resolver<'a>,
    lines: Lines,
    /// How many are read at once.
    ahead: usize,
    /// What was read ahead: of each call its effects, if it has any.
    ready: std::vec::IntoIter<io::Result<Option<Effects<'a>>>>,
}

impl<'a> Written<'a> {
    fn next(&mut self) -> io::Result<Option<Effects<'a>>> {
        loop {
            match self.ready.next() {
                Some(Ok(None)) => {}
                Some(read) => return read,
                None => {
                    let lines: Vec<_> = self.lines.by_ref().take(self.ahead).collect();
                    if lines.is_empty() {
                        return Ok(None);
                    }
                    let resolver = self.resolver;
                    let read = lines.into_par_iter().map(|line| {
                        let call: Call = serde_json::from_slice(&line?)?;
                        Ok(resolver.resolve(call))
                    });
                    self.ready = read.collect::<Vec<_>>().into_iter();
                }
            }
        }
    }
}

struct Next<'a> {
    effects: Effects<'a>,
    source: usize,
}

impl<'a> Ordered<'a> {
    /// Puts calls in order that are all in memory.
    #[must_use]
    pub fn of(mut calls: Vec<Effects<'a>>) -> Self {
        let mut once = Once::default();
        once.correct(
            calls
                .iter()
                .filter_map(|effects| effects.call.corrects.clone()),
        );
        calls.sort_by(|one, other| order(one).cmp(&order(other)));
        let mut ordered = Self {
            sources: vec![Source::Kept(calls.into_iter())],
            next: BinaryHeap::new(),
            once,
            problem: None,
        };
        ordered.advance(0);
        ordered
    }

    fn add(&mut self, source: Source<'a>) {
        self.sources.push(source);
        self.advance(self.sources.len() - 1);
    }

    /// Copies of calls that were left out so far.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.once.duplicates()
    }

    /// What could not be written, which costs memory, or read again, which costs calls.
    #[must_use]
    pub fn problem(&self) -> Option<&io::Error> {
        self.problem.as_ref()
    }

    /// Fetches the next call of a source.
    fn advance(&mut self, number: usize) {
        let effects = match self.sources.get_mut(number) {
            Some(Source::Kept(calls)) => calls.next(),
            Some(Source::Written(written)) => written.next().unwrap_or_else(|problem| {
                self.problem = Some(problem);
                None
            }),
            None => None,
        };
        self.next.extend(effects.map(|effects| Next {
            effects,
            source: number,
        }));
    }
}

impl<'a> Iterator for Ordered<'a> {
    type Item = Effects<'a>;

    fn next(&mut self) -> Option<Effects<'a>> {
        loop {
            let Next {
                effects, source, ..
            } = self.next.pop()?;
            self.advance(source);
            if self.once.admits(&effects.call) {
                return Some(effects);
            }
        }
    }
}

impl Ord for Next<'_> {
    /// The earliest is the greatest, for a heap gives that first.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (order(&other.effects), other.source).cmp(&(order(&self.effects), self.source))
    }
}

impl PartialOrd for Next<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next<'_> {}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::{Journal, Ordered};
    use crate::audit::call::Call;
    use crate::catalogue::Catalogue;
    use crate::drift::effect::Resolver;
    use crate::drift::names::AwsNaming;
    use crate::state::Loaded;

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
    static LOADED: LazyLock<Loaded> = LazyLock::new(|| {
        let state = json!({"version": 4, "resources": [{
            "mode": "managed", "type": "aws_instance", "name": "x", "instances": [{"attributes": {"id": "i-1"}}]}]});
        crate::state::load_text(
            "x",
            state.to_string().as_bytes(),
            &AwsNaming::new(&CATALOGUE),
        )
    });

    /// A call of this number; copies of it are the same.
    fn call(number: u8) -> Call {
        let name = ["ModifyInstanceAttribute", "TerminateInstances"][usize::from(number % 3 / 2)];
        Call {
            time: jiff::Timestamp::from_second(1_768_000_000 + i64::from(number % 5)).unwrap(),
            id: format!("id-{number}"),
            corrects: number
                .is_multiple_of(7)
                .then(|| format!("id-{}", number + 1)),
            service: String::from("ec2.amazonaws.com"),
            name: String::from(name),
            request: json!({"instanceId": "i-1", "instancesSet": {"items": [{"instanceId": "i-1"}]}, "disableApiTermination": {"value": true}}),
            ..Call::default()
        }
    }

    proptest! {
        #[test]
        fn calls_come_in_the_same_order_from_files_as_from_memory(
            calls in prop::collection::vec(0_u8..40, 0..60),
            room in 0_usize..20_000,
        ) {
            let calls: Vec<Call> = calls.into_iter().map(call).collect();
            let resolver = Resolver::new(&CATALOGUE, &LOADED.inventory);
            let journal = Journal::new(&resolver, room);
            for call in &calls {
                let full = journal.is_full();
                if let Some(effects) = resolver.resolve(call.clone()) {
                    journal.keep(effects, full.then_some(call));
                }
            }
            let mut plain = Ordered::of(calls.into_iter().filter_map(|call| resolver.resolve(call)).collect());
            let mut written = journal.ordered();
            let told = |ordered: &mut Ordered<'_>| ordered.by_ref().map(|effects| format!("{effects:?}")).collect::<Vec<_>>();
            prop_assert_eq!(told(&mut written), told(&mut plain));
            prop_assert_eq!(written.duplicates(), plain.duplicates());
            prop_assert!(written.problem().is_none());
        }
    }
}
