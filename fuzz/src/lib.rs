//! Holds the decoder against a plain reading: what the fuzz targets share.

mod json;
mod plain;

use std::collections::HashSet;
use std::io::Read as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use tfdrift::audit::call::Call;
use tfdrift::audit::decode::{Decoder, Filter, Tally};
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
    let (calls, tally) = decode(bytes, asked);
    assert!(calls.len() as u64 <= tally.writes + tally.failed_calls);
    let text = if bytes.starts_with(b"\x1f\x8b") {
        let mut text = Vec::new();
        // What is damaged is judged by the tests of inflating.
        if MultiGzDecoder::new(bytes).read_to_end(&mut text).is_err() {
            return;
        }
        text
    } else {
        bytes.to_vec()
    };
    let Some(plain) = plain::read(&text, asked) else {
        return;
    };
    compare(&plain, calls, &tally);
    if bytes.len() % 16 == 0 {
        // The same in gzip, cut into two members anywhere.
        let (one, other) = text.split_at(text.len() / 3);
        let (calls, tally) = decode(&[pack(one), pack(other)].concat(), asked);
        compare(&plain, calls, &tally);
    }
}

fn compare(plain: &plain::Plain, calls: Vec<Call>, tally: &Tally) {
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

/// The decoder's reading. Also holds what it says of a call before parsing against the call.
fn decode(bytes: &[u8], asked: &Asked) -> (Vec<Call>, Tally) {
    let prospects = Mutex::new(Vec::new());
    let filter = Filter {
        window: asked.window,
        accounts: asked.accounts.clone(),
        regions: asked.regions.clone(),
        wanted: &|prospect| {
            let mut said = HashSet::new();
            let unsure = prospect.says(|text| {
                said.insert(clean(text));
                false
            });
            let mut prospects = prospects.lock().unwrap_or_else(PoisonError::into_inner);
            prospects.push((
                prospect.service().to_owned(),
                prospect.name().to_owned(),
                prospect.account().map(|account| account.into_owned()),
                (!unsure).then_some(said),
            ));
            true
        },
        failed: asked.failed,
    };
    let (mut calls, mut tally) = (Vec::new(), Tally::default());
    Decoder::new().file("fuzz", bytes, &filter, &mut tally, &mut |call: Call| {
        calls.push(call);
    });
    let prospects = prospects
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    // A record that turns out to be no JSON was a prospect and is no call.
    if prospects.len() == calls.len() {
        for ((service, name, account, said), call) in prospects.iter().zip(&calls) {
            assert_eq!(
                (clean(service), clean(name)),
                (clean(&call.service), clean(&call.name))
            );
            assert!(
                account
                    .as_ref()
                    .is_none_or(|account| clean(account) == clean(&call.account))
            );
            let Some(said) = said else { continue };
            let mut texts = call.resources.clone();
            for value in [&call.request, &call.response, &call.extra] {
                json::texts(value, &mut texts);
            }
            for text in texts {
                assert!(said.contains(&clean(&text)), "{text:?} is not in {said:?}");
            }
        }
    } else {
        assert!(prospects.len() > calls.len() && !tally.problems.is_empty());
    }
    (calls, tally)
}

/// Raw control characters are no JSON, and stand in a call as spaces.
fn clean(text: &str) -> String {
    text.replace(|letter: char| letter.is_ascii_control(), " ")
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory takes everything");
    packer.finish().expect("memory takes everything")
}
