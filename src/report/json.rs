//! `json`: one object for programs. The shape is a contract of its own, apart from the model:
//! keys are only ever added, and [`SCHEMA_VERSION`] changes when one changes its meaning.
//! `docs/report.schema.json` describes it.

mod drift;
mod overview;

use std::io::{self, Write};

use serde::Serialize;

use super::Style;
use super::safe_json::pretty_with;
use super::sections::{failed, shown};
use crate::drift::model::{Drift, Report};
pub use drift::{DriftOut, EventOut, FailedOut};
pub use overview::{EvidenceOut, RefreshedOut, StateOut, SummaryOut, Tool, WindowOut};

/// Version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// Writes the report as one JSON object over several lines.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let document = Document::of(report, style);
    let drift = |(_, drift)| self::drift(report, drift, style);
    pretty_with(&document, "drifts", &shown(report, style), drift, out)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    window: WindowOut,
    states: Vec<StateOut<'a>>,
    summary: SummaryOut,
    evidence: EvidenceOut<'a>,
    /// Written one by one.
    drifts: [(); 0],
    failed: Vec<FailedOut<'a>>,
    refreshed: Vec<RefreshedOut<'a>>,
}

impl<'a> Document<'a> {
    fn of(report: &'a Report, style: &Style) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::here(),
            window: WindowOut::of(&report.window),
            states: report.states.iter().map(StateOut::of).collect(),
            summary: SummaryOut::of(&report.summary, report.failing),
            evidence: EvidenceOut::of(&report.evidence),
            drifts: [],
            failed: failed(report, style).iter().map(FailedOut::of).collect(),
            refreshed: report.refreshed.iter().map(RefreshedOut::of).collect(),
        }
    }
}

/// What is said of a drift.
pub fn drift<'a>(report: &Report, drift: &'a Drift, style: &Style) -> DriftOut<'a> {
    DriftOut::of(drift, style.reveal, seen_by_plan(report, drift))
}

/// Whether the refresh of a plan found a drift too; none where its state is no plan.
fn seen_by_plan(report: &Report, drift: &Drift) -> Option<bool> {
    let state = drift.state.as_ref()?;
    let mut states = report.states.iter();
    let state = states.find(|own| own.location == *state)?;
    let mut found = report.refreshed.iter();
    state
        .is_plan
        .then(|| found.any(|found| found.drifts.contains(&drift.id)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::{Format, Show, fixture, tests::rendered};
    use super::*;

    /// The schema as it stands in the repository, made to refuse keys that it does not describe.
    fn schema() -> jsonschema::Validator {
        fn close(value: &mut Value) {
            match value {
                Value::Object(members) => {
                    members.values_mut().for_each(close);
                    if members.get("properties").is_some_and(Value::is_object) {
                        members.insert("additionalProperties".to_owned(), Value::Bool(false));
                    }
                }
                Value::Array(items) => items.iter_mut().for_each(close),
                _ => {}
            }
        }
        let mut schema: Value =
            serde_json::from_str(include_str!("../../docs/report.schema.json")).expect("JSON");
        close(&mut schema);
        jsonschema::validator_for(&schema).expect("a schema")
    }

    #[test]
    fn what_is_written_is_what_the_schema_describes() {
        let schema = schema();
        let style = Style {
            show: Show::ALL,
            ..Style::default()
        };
        for report in [
            fixture::rich(),
            fixture::nothing(),
            fixture::incomplete(),
            fixture::empty(),
        ] {
            let mut value: Value =
                serde_json::from_str(&rendered(Format::Json, &report, &style)).expect("JSON");
            let problems: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(problems.is_empty(), "{problems:#?}");
            // The schema can refuse: no member may be missing, none may be added.
            let members: &mut Map<String, Value> = value.as_object_mut().expect("an object");
            let window = members.remove("window").expect("a window");
            assert!(!schema.is_valid(&value));
            value["window"] = window;
            assert!(schema.is_valid(&value));
            value["surprise"] = json!(1);
            assert!(!schema.is_valid(&value));
        }
    }
}
