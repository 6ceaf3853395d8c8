//! What a scan with a checkpoint gathers for the next one, and which of its drifts are news.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::audit::call::Call;
use crate::audit::cloudtrail::digest::sha256;
use crate::catalogue::rule::{EffectKind, Operation, Shape};
use crate::catalogue::schema::Type;
use crate::catalogue::value::Given;
use crate::checkpoint::{Checkpoint, Gathered, Kept, Told, Touch};
use crate::drift::actor::actor;
use crate::drift::effect::{Effect, Effects};
use crate::drift::model::{Attribute, Certainty, Drift, OriginClass, Status};
use crate::drift::origin::origin;

/// What the scans before left, and this one leaves.
pub struct Memory<'a> {
    /// What the last scan left.
    pub before: Option<&'a Checkpoint>,
    repeat: bool,
    told: AtomicUsize,
    gathered: Mutex<Gathered>,
}

impl<'a> Memory<'a> {
    /// Begins with what the last scan left. `repeat`: all drifts are told, also known ones.
    pub fn new(before: Option<&'a Checkpoint>, repeat: bool) -> Self {
        Self {
            before,
            repeat,
            told: AtomicUsize::new(0),
            gathered: Mutex::default(),
        }
    }

    /// Keeps a call that had an effect. A refused one, or one that no rule knows, changes nothing
    /// and is told once.
    pub fn keep(&self, call: &Call, effects: &Effects<'_>) {
        let unmapped = |effect: &Effect<'_>| matches!(effect, Effect::Unmapped(_));
        // What a call means by a name that another teaches is not known before all are there.
        let may_mean_more = effects.effects.is_empty();
        if call.error.is_none() && (may_mean_more || !effects.effects.iter().all(unmapped)) {
            let kept = Kept {
                touches: touches(effects),
                applier: applier(call),
                renames: effects.renames,
                call: call.clone(),
            };
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.calls.push(kept);
        }
    }

    /// Remembers all drifts and takes out those that were told before.
    pub fn divide(&self, drifts: &mut Vec<Drift>) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        drifts.retain(|drift| {
            let content = content(drift);
            let known = self
                .before
                .is_some_and(|before| before.knows(&drift.id, &content));
            let lasts = matches!(drift.status, Status::Open | Status::Suppressed);
            let calls = drift.events.iter().map(|event| event.event_id.clone());
            gathered.drifts.push(Told {
                id: drift.id.clone(),
                content,
                calls: calls.filter(|_| lasts).collect(),
            });
            let hidden = known && !self.repeat;
            let open = usize::from(hidden && drift.status == Status::Open);
            self.told.fetch_add(open, Ordering::Relaxed);
            !hidden
        });
    }

    /// Open drifts that are not told again.
    pub fn told_before(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    /// What to say of open drifts that are not told again, if there are any.
    pub fn told(&self) -> Option<String> {
        match self.told_before() {
            0 => None,
            1 => Some("1 drift is open as told before; --repeat tells it again".to_owned()),
            count => Some(format!(
                "{count} drifts are open as told before; --repeat tells them again"
            )),
        }
    }

    /// All that was gathered.
    pub fn gathered(self) -> Gathered {
        self.gathered
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call speaks of, if it only changes attributes.
fn touches(effects: &Effects<'_>) -> Option<Vec<Touch>> {
    if effects.effects.is_empty() {
        return None;
    }
    let mut touches = Vec::new();
    for effect in &effects.effects {
        let (instance, changes) = match effect {
            Effect::Managed {
                instance,
                kind: EffectKind::Update,
                changes,
                ends: false,
            } => (instance, changes),
            Effect::Unmapped(_) => continue,
            _ => return None,
        };
        for (change, given) in changes {
            let slot = format!("{} {}", instance.index(), change.path);
            let parts = match (change.operation, given) {
                (_, Given::Absent) => Vec::new(),
                (Operation::Set, _) | (_, Given::Hidden | Given::Alike(_)) => vec![None],
                (_, Given::Value(value)) => parts(&change.shape, value),
            };
            touches.extend(parts.into_iter().map(|part| Touch {
                slot: slot.clone(),
                part,
            }));
        }
    }
    Some(touches)
}

/// What comes or goes: of a map each key, of anything else all of it at once.
fn parts(shape: &Shape, value: &Value) -> Vec<Option<String>> {
    if matches!(shape, Shape::Plain(Type::Map(_))) {
        let texts = |list: &Vec<Value>| -> Option<Vec<_>> {
            let texts = list.iter().map(|key| key.as_str().map(str::to_owned));
            texts.map(|text| text.map(Some)).collect()
        };
        let keys = match value {
            Value::Object(map) => Some(map.keys().cloned().map(Some).collect()),
            Value::Array(list) => texts(list),
            _ => None,
        };
        if let Some(keys) = keys {
            return keys;
        }
    }
    vec![Some(value.to_string())]
}

/// Who called, if the call looks like Terraform's.
fn applier(call: &Call) -> Option<String> {
    let caller = &call.caller;
    let class = origin(caller, &actor(caller), None).class;
    (class == OriginClass::Iac).then(|| {
        let arn = caller.issuer_arn.as_ref().or(caller.arn.as_ref());
        arn.cloned().unwrap_or_default()
    })
}

/// A hash of what is told of a drift. Who made it so does not count: a late log file may add to the
/// story of what is told already.
fn content(drift: &Drift) -> String {
    let mut text = format!("{} {}", drift.status.word(), drift.severity.word());
    for attribute in &drift.attributes {
        text.push('\n');
        text.push_str(&value(attribute));
    }
    sha256(text.as_bytes()).chars().take(16).collect()
}

/// What is told of an attribute. A value that is secret or not known is told apart from another by
/// the call that set it.
fn value(attribute: &Attribute) -> String {
    let Attribute {
        path,
        before,
        after,
        certainty,
        sensitive,
        added,
        removed,
        by,
    } = attribute;
    if *sensitive || *certainty == Certainty::Indeterminate {
        let last = by.last().map(String::as_str).unwrap_or_default();
        return format!("{path} {last}");
    }
    let values = serde_json::json!([before, after, added, removed]);
    format!("{path} {values}")
}
