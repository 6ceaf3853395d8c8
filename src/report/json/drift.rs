//! What the object says of a drift and of the calls behind it.

use serde::Serialize;
use serde_json::Value;

use super::super::value::Change;
use crate::drift::model::{Attribute, Drift, Event, FailedCall, Remedy};

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
    pub fn of(drift: &'a Drift, reveal: bool, seen_by_plan: Option<bool>) -> Self {
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
            seen_by_plan,
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
