//! Makes histories of the calls that were picked: one for each managed resource, or one for each
//! resource that a name without a state is taken for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::effect::Resolver;
use super::super::verdict;
use super::stranger::{Taken, Told};
use super::subject::Stranger;
use super::touch::Touch;
use super::trace::{Ground, Telling, trace};
use super::{Deed, History};
use crate::catalogue::Catalogue;
use crate::catalogue::aws::identifier::Arn;
use crate::catalogue::rule::TypeFacts;
use crate::state::inventory::InstanceId;

/// What came of the calls.
#[derive(Debug, Default)]
pub struct Outcome {
    /// One history for each resource.
    pub histories: Vec<History>,
    /// Copies of calls that were left out.
    pub copies: u64,
}

/// The histories of managed resources, in the order of the inventory.
#[must_use]
pub fn managed(
    resolver: &Resolver<'_>,
    instances: &[InstanceId],
    mut touches: BTreeMap<InstanceId, Vec<Touch<'_>>>,
    telling: Telling<'_>,
) -> Outcome {
    let mut told = Outcome::default();
    for id in instances {
        let instance = resolver.inventory.get(*id);
        let attributes = resolver.attributes(*id);
        let facts = resolver.catalogue.facts(instance.resource_type());
        let touches = touches.remove(id).unwrap_or_default();
        let own = |key: &str| {
            let text = attributes.get(key)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let first = touches.first().map(|touch| &touch.call);
        let mut history = History {
            address: Some(instance.address().to_string()),
            resource_type: Some(instance.resource_type().to_owned()),
            resource_id: own("id"),
            resource_name: verdict::name(attributes, &facts),
            arn: own("arn"),
            state: Some(instance.state().location.clone()),
            account: instance
                .account()
                .or(first.map(|call| call.event.account.as_str()))
                .map(str::to_owned),
            region: instance
                .region()
                .or(first.map(|call| call.event.region.as_str()))
                .map(str::to_owned),
            ..History::default()
        };
        let ground = Ground {
            attributes: Some(attributes),
            as_of: instance.state().as_of,
            facts: &facts,
            marks: instance.sensitive(),
        };
        told.copies += trace(&mut history, &ground, touches, telling);
        told.histories.push(history);
    }
    told
}

/// The histories of what a name without a state is taken for; none when no call names it.
#[must_use]
pub fn stranger(
    catalogue: &Catalogue,
    wanted: &Stranger,
    found: Vec<(Taken, Told, Touch<'_>)>,
    telling: Telling<'_>,
) -> Outcome {
    let mut by_kind: BTreeMap<Taken, (Told, Vec<Touch<'_>>)> = BTreeMap::new();
    for (taken, told, touch) in found {
        let (known, touches) = by_kind.entry(taken).or_default();
        known.id = known.id.take().or(told.id);
        known.arn = known.arn.take().or(told.arn);
        touches.push(touch);
    }
    // Calls that tell no type are about what the other calls of that account and region tell.
    let typed: Vec<Taken> = by_kind
        .keys()
        .filter(|taken| taken.resource_type.is_some())
        .cloned()
        .collect();
    let untyped: Vec<Taken> = by_kind
        .keys()
        .filter(|taken| taken.resource_type.is_none())
        .cloned()
        .collect();
    for taken in untyped {
        let together = |other: &&Taken| {
            let near = taken.region.is_none() || other.region.is_none();
            other.account == taken.account && (near || other.region == taken.region)
        };
        let homes: Vec<&Taken> = typed.iter().filter(together).collect();
        if homes.is_empty() {
            continue;
        }
        let Some((_, touches)) = by_kind.remove(&taken) else {
            continue;
        };
        for home in homes {
            if let Some((_, own)) = by_kind.get_mut(home) {
                own.extend(touches.iter().cloned());
            }
        }
    }
    let mut made = Outcome::default();
    for (taken, (told, touches)) in by_kind {
        let facts = taken
            .resource_type
            .as_deref()
            .map_or_else(TypeFacts::default, |kind| catalogue.facts(kind));
        let arn = Arn::parse(&wanted.name).map(|_| wanted.name.clone());
        let mut history = History {
            address: None,
            resource_id: Some(told.id.unwrap_or_else(|| wanted.name.clone())),
            arn: arn.or(told.arn),
            region: taken
                .region
                .or_else(|| touches.first().map(|touch| touch.call.event.region.clone())),
            resource_type: taken.resource_type,
            account: Some(taken.account),
            ..History::default()
        };
        let ground = Ground {
            attributes: None,
            as_of: None,
            facts: &facts,
            marks: &[],
        };
        made.copies += trace(&mut history, &ground, touches, telling);
        history.resource_name = name(&history);
        if !history.steps.is_empty() || history.operations > 0 {
            made.histories.push(history);
        }
    }
    if wanted.resource_type.is_none() {
        made.histories = most_telling(made.histories);
    }
    made
}

/// One name may fit several types: drops those of which another type tells all calls and more.
fn most_telling(mut histories: Vec<History>) -> Vec<History> {
    let hung = |history: &History| {
        let on_it = |step: &super::Step| matches!(step.deed, Deed::Hung | Deed::Unhung);
        history.steps.iter().any(on_it)
    };
    let changes =
        |history: &History| -> usize { history.steps.iter().map(|step| step.changes.len()).sum() };
    let made = |history: &History| history.steps.iter().any(|step| step.deed == Deed::Made);
    histories.sort_by_cached_key(|history| {
        let name = history.resource_type.clone().unwrap_or_default();
        (
            std::cmp::Reverse((
                history.steps.len(),
                made(history),
                hung(history),
                changes(history),
            )),
            name.len(),
            name,
        )
    });
    let mut kept: Vec<History> = Vec::new();
    for history in histories {
        let told = |step: &super::Step, by: &History| {
            let same = |other: &super::Step| other.event.event_id == step.event.event_id;
            by.steps.iter().any(same)
        };
        let again = kept.iter().any(|known| {
            known.account == history.account && history.steps.iter().all(|step| told(step, known))
        });
        if !again {
            kept.push(history);
        }
    }
    kept
}

/// The name that calls gave it, if they did.
fn name(history: &History) -> Option<String> {
    let held = history
        .attributes
        .iter()
        .find(|held| held.path == "tags.Name" || held.path == "name")?;
    match &held.value {
        super::Content::Value(Value::String(name)) => Some(name.clone()),
        _ => None,
    }
}
