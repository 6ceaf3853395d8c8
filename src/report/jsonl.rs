//! `jsonl`: one JSON object per line, for pipes and log stores. Each line says in `record` what it
//! is: first a `scan` with window, states, totals and evidence, then a `drift` per drift, a
//! `failed` per refused call and a `refreshed` per finding of a plan's refresh, shaped as the members of the same names in the `json` format.

use std::io::{self, Write};

use serde::Serialize;

use super::Style;
use super::json::{
    DriftOut, EvidenceOut, FailedOut, RefreshedOut, SCHEMA_VERSION, StateOut, SummaryOut, Tool,
    WindowOut, drift,
};
use super::safe_json::compact;
use super::sections::{failed, shown};
use crate::drift::model::Report;

#[derive(Serialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Line<'a> {
    Scan {
        schema_version: u32,
        tool: Tool,
        window: WindowOut,
        states: Vec<StateOut<'a>>,
        summary: SummaryOut,
        evidence: EvidenceOut<'a>,
    },
    Drift(DriftOut<'a>),
    Failed(FailedOut<'a>),
    Refreshed(RefreshedOut<'a>),
}

/// Writes the report as lines of JSON.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let scan = Line::Scan {
        schema_version: SCHEMA_VERSION,
        tool: Tool::here(),
        window: WindowOut::of(&report.window),
        states: report.states.iter().map(StateOut::of).collect(),
        summary: SummaryOut::of(&report.summary, report.failing),
        evidence: EvidenceOut::of(&report.evidence),
    };
    let drifts = shown(report, style).into_iter();
    let drifts = drifts.map(|(_, own)| Line::Drift(drift(report, own, style)));
    let failed = failed(report, style)
        .iter()
        .map(|call| Line::Failed(FailedOut::of(call)));
    let refreshed = report
        .refreshed
        .iter()
        .map(|found| Line::Refreshed(RefreshedOut::of(found)));
    let lines = std::iter::once(scan).chain(drifts).chain(failed);
    for line in lines.chain(refreshed) {
        compact(&line, out)?;
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, Show, fixture, tests::rendered};
    use super::*;

    #[test]
    fn every_line_says_what_it_is_and_equals_its_part_of_the_json_format() {
        let report = fixture::rich();
        let style = Style {
            show: Show::ALL,
            ..Style::default()
        };
        let lines = rendered(Format::Jsonl, &report, &style);
        let whole: Value =
            serde_json::from_str(&rendered(Format::Json, &report, &style)).expect("JSON");
        let mut drifts = Vec::new();
        let mut failed = Vec::new();
        let mut refreshed = Vec::new();
        for (number, line) in lines.lines().enumerate() {
            let mut value: Value = serde_json::from_str(line).expect("a line of JSON");
            let members = value.as_object_mut().expect("an object");
            match members.remove("record").as_ref().and_then(Value::as_str) {
                Some("scan") => {
                    assert_eq!(number, 0, "the scan comes first");
                    for (key, member) in members {
                        assert_eq!(*member, whole[key.as_str()], "{key}");
                    }
                }
                Some("drift") => drifts.push(value),
                Some("failed") => failed.push(value),
                Some("refreshed") => refreshed.push(value),
                other => panic!("no such record: {other:?}"),
            }
        }
        assert_eq!(Value::from(drifts), whole["drifts"]);
        assert_eq!(Value::from(failed), whole["failed"]);
        assert_eq!(Value::from(refreshed), whole["refreshed"]);
    }
}
