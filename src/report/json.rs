//! `json`: one object for programs. The shape is a contract of its own, apart from the model:
//! keys are only ever added, and [`SCHEMA_VERSION`] changes when one changes its meaning.
//! `docs/report.schema.json` describes it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::safe_json::pretty_with;
use super::sections::{failed, shown};
use super::value::Change;
use super::{Style, words};
use crate::drift::model::{
    Attribute, Drift, Event, Evidence, FailedCall, Refreshed, Remedy, Report, Severity,
    StateSummary, Summary, Window,
};

/// Version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// Writes the report as one JSON object over several lines.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut document = Document::of(report, style);
    let drifts = std::mem::take(&mut document.drifts);
    pretty_with(&document, "drifts", &drifts, out)?;
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
    drifts: Vec<DriftOut<'a>>,
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
            drifts: drifts(report, style),
            failed: failed(report, style).iter().map(FailedOut::of).collect(),
            refreshed: report.refreshed.iter().map(RefreshedOut::of).collect(),
        }
    }
}

/// The drifts that are shown, open ones first, the most severe first.
pub fn drifts<'a>(report: &'a Report, style: &Style) -> Vec<DriftOut<'a>> {
    shown(report, style)
        .into_iter()
        .map(|(_, drift)| DriftOut {
            seen_by_plan: seen_by_plan(report, drift),
            ..DriftOut::of(drift, style.reveal)
        })
        .collect()
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

/// What the refresh of a plan found changed.
#[derive(Serialize)]
pub struct RefreshedOut<'a> {
    state: &'a str,
    address: &'a str,
    kind: &'static str,
    explained: &'a [String],
    unexplained: &'a [String],
    drifts: &'a [String],
    actors: &'a [String],
}

impl<'a> RefreshedOut<'a> {
    pub fn of(refreshed: &'a Refreshed) -> Self {
        Self {
            state: &refreshed.state,
            address: &refreshed.address,
            kind: refreshed.kind.word(),
            explained: &refreshed.explained,
            unexplained: &refreshed.unexplained,
            drifts: &refreshed.drifts,
            actors: &refreshed.actors,
        }
    }
}

#[derive(Serialize)]
pub struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    pub fn here() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[derive(Serialize)]
pub struct WindowOut {
    since: Option<String>,
    until: String,
}

impl WindowOut {
    pub fn of(window: &Window) -> Self {
        Self {
            since: window.since.map(|time| time.to_string()),
            until: window.until.to_string(),
        }
    }
}

#[derive(Serialize)]
pub struct StateOut<'a> {
    location: &'a str,
    lineage: Option<&'a str>,
    serial: Option<u64>,
    resources: usize,
    as_of: Option<String>,
}

impl<'a> StateOut<'a> {
    pub fn of(state: &'a StateSummary) -> Self {
        Self {
            location: &state.location,
            lineage: state.lineage.as_deref(),
            serial: state.serial,
            resources: state.resources,
            as_of: state.as_of.map(|time| time.to_string()),
        }
    }
}

#[derive(Serialize)]
pub struct SummaryOut {
    modified: usize,
    deleted: usize,
    unmanaged: usize,
    resolved: usize,
    suppressed: usize,
    by_severity: BTreeMap<BySeverity, usize>,
    failing: usize,
    told_before: usize,
}

/// A severity as a key, the most severe first.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum BySeverity {
    Critical,
    High,
    Medium,
    Low,
}

impl SummaryOut {
    pub fn of(summary: &Summary, failing: usize) -> Self {
        let by_severity = Severity::ALL
            .into_iter()
            .map(|severity| {
                let key = match severity {
                    Severity::Critical => BySeverity::Critical,
                    Severity::High => BySeverity::High,
                    Severity::Medium => BySeverity::Medium,
                    Severity::Low => BySeverity::Low,
                };
                (
                    key,
                    summary
                        .by_severity
                        .get(&severity)
                        .copied()
                        .unwrap_or_default(),
                )
            })
            .collect();
        Self {
            modified: summary.modified,
            deleted: summary.deleted,
            unmanaged: summary.unmanaged,
            resolved: summary.resolved,
            suppressed: summary.suppressed,
            by_severity,
            failing,
            told_before: summary.told_before,
        }
    }
}

#[derive(Serialize)]
pub struct EvidenceOut<'a> {
    files: u64,
    bytes: u64,
    records: u64,
    in_window: u64,
    writes: u64,
    matched: u64,
    failed_calls: u64,
    duplicates: u64,
    unreadable: Vec<UnreadableOut<'a>>,
    unmapped: Vec<UnmappedOut<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct UnreadableOut<'a> {
    location: &'a str,
    place: Option<&'a str>,
    problem: &'a str,
    remedy: Option<&'a str>,
}

#[derive(Serialize)]
struct UnmappedOut<'a> {
    event: &'a str,
    count: u64,
    addresses: &'a [String],
}

impl<'a> EvidenceOut<'a> {
    pub fn of(evidence: &'a Evidence) -> Self {
        Self {
            files: evidence.files,
            bytes: evidence.bytes,
            records: evidence.records,
            in_window: evidence.in_window,
            writes: evidence.writes,
            matched: evidence.matched,
            failed_calls: evidence.failed_calls,
            duplicates: evidence.duplicates,
            unreadable: evidence
                .unreadable
                .iter()
                .map(|item| UnreadableOut {
                    location: &item.location,
                    place: item.place.as_deref(),
                    problem: &item.problem,
                    remedy: item.remedy.as_deref(),
                })
                .collect(),
            unmapped: evidence
                .unmapped
                .iter()
                .map(|item| UnmappedOut {
                    event: &item.event,
                    count: item.count,
                    addresses: &item.addresses,
                })
                .collect(),
            complete: words::trust(evidence) == words::Trust::Complete,
        }
    }
}

#[derive(Serialize)]
pub struct DriftOut<'a> {
    id: &'a str,
    kind: &'static str,
    status: &'static str,
    severity: &'static str,
    address: Option<&'a str>,
    #[serde(rename = "type")]
    resource_type: &'a str,
    resource_id: Option<&'a str>,
    resource_name: Option<&'a str>,
    arn: Option<&'a str>,
    parent: Option<&'a str>,
    state: Option<&'a str>,
    source: Option<SourceOut<'a>>,
    account: &'a str,
    region: &'a str,
    attributes: Vec<AttributeOut<'a>>,
    events: Vec<EventOut<'a>>,
    rules: &'a [String],
    suppressed_by: Option<&'a str>,
    remedy: RemedyOut<'a>,
    seen_by_plan: Option<bool>,
}

impl<'a> DriftOut<'a> {
    pub fn of(drift: &'a Drift, reveal: bool) -> Self {
        Self {
            id: &drift.id,
            kind: drift.kind.word(),
            status: drift.status.word(),
            severity: drift.severity.word(),
            address: drift.address.as_deref(),
            resource_type: &drift.resource_type,
            resource_id: drift.resource_id.as_deref(),
            resource_name: drift.resource_name.as_deref(),
            arn: drift.arn.as_deref(),
            parent: drift.parent.as_deref(),
            state: drift.state.as_deref(),
            source: drift.source.as_ref().map(|source| SourceOut {
                file: &source.file,
                line: source.line,
            }),
            account: &drift.account,
            region: &drift.region,
            attributes: drift
                .attributes
                .iter()
                .map(|attribute| AttributeOut::of(attribute, reveal))
                .collect(),
            events: drift.events().map(EventOut::of).collect(),
            rules: &drift.rules,
            suppressed_by: drift.suppressed_by.as_deref(),
            remedy: RemedyOut::of(&drift.remedy),
            seen_by_plan: None,
        }
    }
}

#[derive(Serialize)]
struct SourceOut<'a> {
    file: &'a str,
    line: u64,
}

#[derive(Serialize)]
struct AttributeOut<'a> {
    path: &'a str,
    before: Option<Value>,
    after: Option<Value>,
    certainty: &'static str,
    sensitive: bool,
    added: Option<Vec<Value>>,
    removed: Option<Vec<Value>>,
    by: &'a [String],
}

impl<'a> AttributeOut<'a> {
    fn of(attribute: &'a Attribute, reveal: bool) -> Self {
        let change = Change::of(attribute, reveal);
        Self {
            path: &attribute.path,
            before: change.before.value(),
            after: change.after.value(),
            certainty: attribute.certainty.word(),
            sensitive: attribute.sensitive,
            added: change.added,
            removed: change.removed,
            by: &attribute.by,
        }
    }
}

#[derive(Serialize)]
pub struct EventOut<'a> {
    event_id: &'a str,
    time: String,
    source: &'a str,
    name: &'a str,
    actor: ActorOut<'a>,
    origin: OriginOut<'a>,
    account: &'a str,
    region: &'a str,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct ActorOut<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    arn: Option<&'a str>,
    account: Option<&'a str>,
    role: Option<&'a str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    mfa: Option<bool>,
}

#[derive(Serialize)]
struct OriginOut<'a> {
    class: &'static str,
    evidence: &'a [String],
}

impl<'a> EventOut<'a> {
    pub fn of(event: &'a Event) -> Self {
        let actor = &event.actor;
        Self {
            event_id: &event.event_id,
            time: event.time.to_string(),
            source: &event.source,
            name: &event.name,
            actor: ActorOut {
                name: &actor.name,
                kind: &actor.kind,
                arn: actor.arn.as_deref(),
                account: actor.account.as_deref(),
                role: actor.role.as_deref(),
                source_ip: actor.source_ip.as_deref(),
                user_agent: actor.user_agent.as_deref(),
                mfa: actor.mfa,
            },
            origin: OriginOut {
                class: event.origin.class.word(),
                evidence: &event.origin.evidence,
            },
            account: &event.account,
            region: &event.region,
            error: event.error.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct RemedyOut<'a> {
    summary: &'a str,
    command: Option<&'a str>,
    hcl: Option<&'a str>,
    console_url: Option<&'a str>,
}

impl<'a> RemedyOut<'a> {
    fn of(remedy: &'a Remedy) -> Self {
        Self {
            summary: &remedy.summary,
            command: remedy.command.as_deref(),
            hcl: remedy.hcl.as_deref(),
            console_url: remedy.console_url.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub struct FailedOut<'a> {
    address: &'a str,
    event: EventOut<'a>,
}

impl<'a> FailedOut<'a> {
    pub fn of(failed: &'a FailedCall) -> Self {
        Self {
            address: &failed.address,
            event: EventOut::of(&failed.event),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

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
