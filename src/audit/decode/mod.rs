//! STAND-IN, to be replaced by the real decoder: counts records and yields bare calls.

use std::io::Read;

use serde_json::Value;

use super::call::Call;
use crate::window::Window;

/// What a decoder keeps.
pub struct Filter<'a> {
    /// The span of time.
    pub window: Window,
    /// Accounts to keep; empty for all.
    pub accounts: Vec<String>,
    /// Regions to keep; empty for all.
    pub regions: Vec<String>,
    /// Whether a service and event name are of interest.
    pub wanted: &'a (dyn Fn(&str, &str) -> bool + Sync),
    /// Whether failed calls are kept.
    pub failed: bool,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Log files opened.
    pub files: u64,
    /// Bytes after inflating.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Records in the window.
    pub in_window: u64,
    /// Records that changed something.
    pub writes: u64,
    /// Records that failed.
    pub failed_calls: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File or object.
    pub location: String,
    /// Where in it.
    pub place: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: Option<String>,
}

impl Tally {
    /// Adds what another worker read.
    pub fn absorb(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.records += other.records;
        self.in_window += other.in_window;
        self.writes += other.writes;
        self.failed_calls += other.failed_calls;
        self.problems.extend(other.problems);
    }
}

/// Decodes files.
#[derive(Default)]
pub struct Decoder;

impl Decoder {
    /// A decoder.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// Decodes one file.
    pub fn file(
        &mut self,
        location: &str,
        bytes: &[u8],
        filter: &Filter,
        tally: &mut Tally,
        sink: &mut dyn FnMut(Call),
    ) {
        tally.files += 1;
        let mut inflated = Vec::new();
        let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
            let _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut inflated);
            &inflated
        } else {
            bytes
        };
        tally.bytes += bytes.len() as u64;
        let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
        let Ok(values) = values.collect::<Result<Vec<_>, _>>() else {
            tally.problems.push(Problem {
                location: location.to_owned(),
                place: None,
                problem: "not JSON".to_owned(),
                remedy: None,
            });
            return;
        };
        let records = values.iter().flat_map(|value| match &value["Records"] {
            Value::Array(records) => records.iter().collect(),
            _ => vec![value],
        });
        for record in records {
            tally.records += 1;
            let time = record["eventTime"]
                .as_str()
                .and_then(|time| time.parse().ok());
            let Some(time) = time.filter(|time| filter.window.contains(*time)) else {
                continue;
            };
            tally.in_window += 1;
            tally.writes += 1;
            sink(Call {
                time,
                id: record["eventID"].as_str().unwrap_or_default().to_owned(),
                ..Call::default()
            });
        }
    }
}
