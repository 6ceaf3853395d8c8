//! Coverage for programs: one object, to which fields are only ever added.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Answer;
use crate::catalogue::coverage::{Figures, Share, Sight, Standing};
use crate::catalogue::explain::{Explained, Explanation, Learnt};
use crate::catalogue::rule::{EffectKind, Operation, Provenance};
use crate::drift::coverage::{Resource, Totals};
use crate::state::{Problem, StateFile};

/// Writes an answer as one JSON object.
pub(super) fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let mut object = json!({
        "schema_version": 1,
        "tool": {"name": "tfdrift", "version": env!("CARGO_PKG_VERSION")},
    });
    match answer {
        Answer::States {
            states,
            problems,
            resources,
            totals,
        } => {
            object["states"] = states.iter().map(state).collect();
            object["unreadable"] = problems.iter().map(problem).collect();
            object["summary"] = summary(totals);
            object["resources"] = resources.iter().map(resource).collect();
        }
        Answer::Catalogue(figures) => object["catalogue"] = catalogue(figures),
        Answer::Call(explanation) => object["call"] = call(explanation),
        Answer::Unknown { call, close } => {
            object["call"] = json!({"asked": call, "known": false, "alike": close});
        }
    }
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}

fn share(share: Share) -> Value {
    json!({"watched": share.watched, "of": share.of, "percent": share.percent()})
}

fn state(state: &StateFile) -> Value {
    json!({"location": state.location, "lineage": state.lineage, "serial": state.serial, "resources": state.resources})
}

fn problem(problem: &Problem) -> Value {
    json!({"location": problem.location, "place": problem.place, "problem": problem.problem, "remedy": problem.remedy})
}

fn summary(totals: &Totals) -> Value {
    json!({
        "fully": totals.fully, "partly": totals.partly, "none": totals.none, "outside": totals.outside,
        "arguments": share(totals.arguments),
    })
}

fn resource(resource: &Resource) -> Value {
    let watched = match resource.standing() {
        Some(Standing::Fully) => "fully",
        Some(Standing::Partly) => "partly",
        Some(Standing::None) => "none",
        None => "outside",
    };
    let coverage = resource.coverage.as_deref().cloned().unwrap_or_default();
    let names = |wanted: Sight| -> Vec<&String> {
        let found = coverage
            .arguments
            .iter()
            .filter(|(_, sight)| **sight == wanted);
        found.map(|(name, _)| name).collect()
    };
    json!({
        "address": resource.address, "type": resource.resource_type, "state": resource.state, "watched": watched,
        "arguments": share(coverage.share()), "deletion": coverage.deletion,
        "not_watched": names(Sight::Unseen), "value_not_shown": names(Sight::Noticed),
        "terraform_only": names(Sight::TerraformOnly),
    })
}

fn catalogue(figures: &Figures) -> Value {
    let services = figures.services.iter().map(|service| {
        json!({
            "service": service.service, "types": service.types, "calls": service.calls, "by_hand": service.by_hand,
            "operations": service.operations, "mappings": service.mappings,
        })
    });
    json!({
        "types": figures.types, "provider_types": figures.provider_types, "calls": figures.calls,
        "operations": figures.operations, "mappings": figures.mappings, "noticed": figures.noticed,
        "arguments": share(figures.arguments), "top": share(figures.top), "services": services.collect::<Vec<_>>(),
    })
}

fn call(call: &Explanation) -> Value {
    json!({
        "service": call.service, "event": call.event, "known": true, "operates": call.operates, "when": call.when,
        "each": call.each, "owners": call.owners, "learns": call.learns.iter().map(learnt).collect::<Vec<_>>(),
        "targets": call.targets.iter().map(target).collect::<Vec<_>>(),
    })
}

fn learnt(learnt: &Learnt) -> Value {
    json!({"at": learnt.at, "is": learnt.is, "was": learnt.was})
}

fn target(target: &Explained) -> Value {
    let pairs = |pairs: &[(String, String)]| -> Value {
        pairs
            .iter()
            .map(|(attribute, source)| json!({"attribute": attribute, "source": source}))
            .collect()
    };
    let changes = target.changes.iter().map(|change| {
        let operation = match change.operation {
            Operation::Set => "set",
            Operation::Add => "add",
            Operation::Remove => "remove",
        };
        json!({"attribute": change.attribute, "operation": operation, "source": change.source, "value_shown": change.shown})
    });
    json!({
        "type": target.resource_type,
        "effect": effect(target.effect),
        "rule": provenance(target.provenance),
        "when": target.when, "each": target.each,
        "only_one": target.only,
        "find": target.find.iter().map(|alternative| pairs(alternative)).collect::<Vec<_>>(),
        "parent": pairs(&target.parent), "yields": target.yields, "changes": changes.collect::<Vec<_>>(),
    })
}

fn effect(effect: EffectKind) -> &'static str {
    match effect {
        EffectKind::Update => "update",
        EffectKind::Create => "create",
        EffectKind::Delete => "delete",
        EffectKind::Put => "put",
    }
}

fn provenance(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Generated => "generated",
        Provenance::Handwritten => "handwritten",
        Provenance::User => "user",
    }
}
