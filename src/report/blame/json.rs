//! `json`: one object for programs. Its shape is a contract of its own, apart from that of a scan:
//! keys are only ever added, and [`SCHEMA_VERSION`] changes when one changes its meaning.
//! `docs/blame.schema.json` describes it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::super::json::{EventOut, EvidenceOut, StateOut, Tool, WindowOut};
use super::super::safe_json::pretty;
use super::super::value::Side;
use super::side;
use crate::drift::history::{Blame, Content, Held, History, Move, Step};

/// Version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// Writes histories as one JSON object over several lines.
pub fn write(blame: &Blame, out: &mut dyn Write) -> io::Result<()> {
    pretty(&Document::of(blame), out)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool,
    asked: &'a str,
    window: WindowOut,
    at: Option<String>,
    states: Vec<StateOut<'a>>,
    evidence: EvidenceOut<'a>,
    resources: Vec<HistoryOut<'a>>,
}

impl<'a> Document<'a> {
    fn of(blame: &'a Blame) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::here(),
            asked: &blame.asked,
            window: WindowOut::of(&blame.window),
            at: blame.at.map(|at| at.to_string()),
            states: blame.states.iter().map(StateOut::of).collect(),
            evidence: EvidenceOut::of(&blame.evidence),
            resources: blame.histories.iter().map(HistoryOut::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct HistoryOut<'a> {
    address: Option<&'a str>,
    #[serde(rename = "type")]
    resource_type: Option<&'a str>,
    resource_id: Option<&'a str>,
    resource_name: Option<&'a str>,
    arn: Option<&'a str>,
    state: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    path: Option<&'a str>,
    standing: &'static str,
    attributes: Vec<HeldOut<'a>>,
    calls: Vec<StepOut<'a>>,
    operations: usize,
}

impl<'a> HistoryOut<'a> {
    fn of(history: &'a History) -> Self {
        let held = history.attributes.iter();
        Self {
            address: history.address.as_deref(),
            resource_type: history.resource_type.as_deref(),
            resource_id: history.resource_id.as_deref(),
            resource_name: history.resource_name.as_deref(),
            arn: history.arn.as_deref(),
            state: history.state.as_deref(),
            account: history.account.as_deref(),
            region: history.region.as_deref(),
            path: history.path.as_deref(),
            standing: history.standing.word(),
            attributes: held.map(|held| HeldOut::of(held, history)).collect(),
            calls: history.steps.iter().map(StepOut::of).collect(),
            operations: history.operations,
        }
    }
}

/// A value, and whether that it is null means that there is none.
#[derive(Serialize)]
struct ContentOut {
    value: Option<Value>,
    known: bool,
}

impl ContentOut {
    fn of(content: &Content) -> Self {
        let side = side(content);
        Self {
            known: side != Side::Unknown,
            value: side.value(),
        }
    }
}

#[derive(Serialize)]
struct HeldOut<'a> {
    path: &'a str,
    #[serde(flatten)]
    content: ContentOut,
    terraform: Option<ContentOut>,
    sensitive: bool,
    by: Option<EventOut<'a>>,
}

impl<'a> HeldOut<'a> {
    fn of(held: &'a Held, history: &'a History) -> Self {
        Self {
            path: &held.path,
            content: ContentOut::of(&held.value),
            terraform: held
                .drift
                .as_ref()
                .map(|drift| ContentOut::of(&drift.before)),
            sensitive: held.sensitive,
            by: history.culprit(held).map(|step| EventOut::of(&step.event)),
        }
    }
}

#[derive(Serialize)]
struct StepOut<'a> {
    #[serde(flatten)]
    event: EventOut<'a>,
    refused: bool,
    deed: &'static str,
    about: Option<&'a str>,
    changes: Vec<MoveOut<'a>>,
}

impl<'a> StepOut<'a> {
    fn of(step: &'a Step) -> Self {
        Self {
            event: EventOut::of(&step.event),
            refused: step.refused(),
            deed: step.deed.word(),
            about: step.about.as_deref(),
            changes: step.changes.iter().map(MoveOut::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct MoveOut<'a> {
    path: &'a str,
    before: Option<Value>,
    before_known: bool,
    after: Option<Value>,
    after_known: bool,
    moved: bool,
    sensitive: bool,
    added: Option<&'a [Value]>,
    removed: Option<&'a [Value]>,
}

impl<'a> MoveOut<'a> {
    fn of(one: &'a Move) -> Self {
        let (before, after) = (ContentOut::of(&one.before), ContentOut::of(&one.after));
        Self {
            path: &one.path,
            before: before.value,
            before_known: before.known,
            after: after.value,
            after_known: after.known,
            moved: one.moved,
            sensitive: one.sensitive,
            added: one.added.as_deref(),
            removed: one.removed.as_deref(),
        }
    }
}
