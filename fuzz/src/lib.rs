//! Holds the decoder against a plain reading: what the fuzz targets share.

mod json;
mod plain;

use std::collections::HashSet;
use std::io::Read as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tfdrift::audit::call::Call;
use tfdrift::audit::decode::{Decoder, Filter, Prospect, Tally, Text};
use tfdrift::window::Window;

/// What both readings are asked for.
pub struct Asked {
    /// When calls must have completed.
    pub window: Window,
    /// As in [`Filter`].
    pub accounts: Vec<String>,
    /// As in [`Filter`].
    pub regions: Vec<String>,
    /// As in [`Filter`].
    pub failed: bool,
}

impl Asked {
    /// One of eight questions.
    pub fn numbered(number: u8) -> Self {
        let one = |bit: u8, text: &str| match number & bit {
            0 => Vec::new(),
            _ => vec![text.to_owned()],
        };
        Self {
            window: Window {
                since: Some("2026-01-15T01:00:00Z".parse().expect("a time")),
                until: "2026-01-15T11:00:00Z".parse().expect("a time"),
            },
            accounts: one(1, "1"),
            regions: one(2, "us-east-1"),
            failed: number & 4 == 0,
        }
    }
}

/// Decodes a file and, where a plain reading can tell what it holds, asserts that both say the
/// same.
pub fn hold(bytes: &[u8], asked: &Asked) {
    let mut text = bytes.to_vec();
    if bytes.starts_with(b"\x1f\x8b") {
        text.clear();
        // What is damaged is judged by the tests of inflating.
        if MultiGzDecoder::new(bytes).read_to_end(&mut text).is_err() {
            text.clear();
        }
    }
    let Some(plain) = plain::read(&text, asked) else {
        let (_, calls, tally) = decode(bytes, asked);
        assert!(calls.len() as u64 <= tally.writes + tally.failed_calls);
        return;
    };
    compare(&plain, decode(bytes, asked));
    if bytes.len() % 16 == 0 {
        // The same in gzip, cut into two members anywhere.
        let (one, other) = text.split_at(text.len() / 3);
        compare(&plain, decode(&[pack(one), pack(other)].concat(), asked));
    }
}

/// Most bytes that a stream may inflate to: beyond that nothing new is to be seen.
const LARGEST: u64 = 4 << 20;

/// Decodes a deflate stream as a gzip file and, where zlib finds it sound, asserts that all of it
/// was inflated and the same calls were found as in the text itself.
pub fn inflate(stream: &[u8]) {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let asked = Asked::numbered(0);
    let mut text = Vec::new();
    let mut plainly = DeflateDecoder::new(stream);
    let sound = (&mut plainly).take(LARGEST).read_to_end(&mut text).is_ok();
    if !sound || text.len() as u64 == LARGEST {
        decode(&[&HEADER, stream].concat(), &asked);
        return;
    }
    let used = usize::try_from(plainly.total_in()).unwrap_or(usize::MAX);
    let mut crc = Crc::new();
    crc.update(&text);
    let (sum, length) = (crc.sum().to_le_bytes(), crc.amount().to_le_bytes());
    let file = [&HEADER, &stream[..used], &sum, &length].concat();
    let (_, calls, tally) = decode(&file, &asked);
    let (_, plain, expected) = decode(&text, &asked);
    assert_eq!(tally.inflated, text.len() as u64, "{:?}", tally.problems);
    assert_eq!(tally.records, expected.records, "{:?}", tally.problems);
    let told = |calls: Vec<Call>| calls.into_iter().map(plain::told).collect::<Vec<_>>();
    assert_eq!(told(calls), told(plain));
}

/// Holds what was decoded, and what was said of each call before it was parsed.
fn compare(plain: &plain::Plain, (foretold, calls, tally): (Vec<Foretold>, Vec<Call>, Tally)) {
    assert_eq!(foretold.len(), calls.len());
    for (foretold, call) in foretold.iter().zip(&calls) {
        foretold.hold(call);
    }
    let told: Vec<_> = calls.into_iter().map(plain::told).collect();
    assert_eq!(told, plain.calls);
    let totals = (
        tally.records,
        tally.in_window,
        tally.writes,
        tally.failed_calls,
    );
    let expected = (
        plain.records,
        plain.in_window,
        plain.writes,
        plain.failed_calls,
    );
    assert_eq!(totals, expected, "{:?}", tally.problems);
    assert_eq!(
        tally.problems.is_empty(),
        plain.problems == 0,
        "{:?}",
        tally.problems
    );
}

/// What is said of a call before it is parsed.
struct Foretold {
    service: String,
    name: String,
    account: Option<String>,
    /// All texts that it holds; none where that is not known.
    texts: Option<HashSet<String>>,
}

impl Foretold {
    fn of(prospect: &Prospect<'_>) -> Self {
        let mut texts = HashSet::new();
        let unsure = prospect.says(true, |text| {
            // Read in passing, it must be summed up as the same text is elsewhere.
            let alone = Text::of(text.as_str());
            assert_eq!(alone.hash(), text.hash(), "{text:?}");
            assert!(
                text.has_parts() || !text.as_str().contains(['/', ':']),
                "{text:?}"
            );
            texts.insert(text.as_str().to_owned());
            false
        });
        Self {
            service: prospect.service().to_owned(),
            name: prospect.name().to_owned(),
            account: prospect.account().map(|account| account.into_owned()),
            texts: (!unsure).then_some(texts),
        }
    }

    fn hold(&self, call: &Call) {
        assert_eq!((&self.service, &self.name), (&call.service, &call.name));
        let account = self.account.as_ref();
        assert!(account.is_none_or(|account| *account == call.account));
        let Some(said) = &self.texts else { return };
        let mut texts = call.resources.clone();
        for value in [&call.request, &call.response, &call.extra] {
            json::texts(value, &mut texts);
        }
        for text in texts {
            assert!(said.contains(&text), "{text:?} is not in {said:?}");
        }
    }
}

/// The decoder's reading.
fn decode(bytes: &[u8], asked: &Asked) -> (Vec<Foretold>, Vec<Call>, Tally) {
    let prospects = Mutex::new(Vec::new());
    let filter = Filter {
        window: asked.window,
        accounts: asked.accounts.clone(),
        regions: asked.regions.clone(),
        wanted: &|prospect| {
            let mut prospects = prospects.lock().unwrap_or_else(PoisonError::into_inner);
            prospects.push(Foretold::of(prospect));
            true
        },
        failed: asked.failed,
    };
    let (mut calls, mut tally) = (Vec::new(), Tally::default());
    Decoder::new().file("fuzz", bytes, &filter, &mut tally, &mut |call: Call| {
        calls.push(call);
    });
    let prospects = prospects.into_inner();
    let prospects = prospects.unwrap_or_else(PoisonError::into_inner);
    (prospects, calls, tally)
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory takes everything");
    packer.finish().expect("memory takes everything")
}
