//! Replays the calls on one resource and writes down what each left its attributes at.

mod content;
mod held;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::compare;
use super::super::effect::Created;
use super::super::live::{self, Cause, Known, Live, Slot, differ};
use super::super::made::is_named;
use super::super::model::OriginClass;
use super::super::replay::in_order;
use super::subject::concerns;
use super::touch::{Act, Touch};
use super::{Deed, History, Move, Step};
use crate::catalogue::rule::{Change, EffectKind, Operation, Shape, TypeFacts};
use crate::catalogue::schema::Type;
use crate::catalogue::value::Given;
use crate::state::AttributePath;
use held::standing;

/// What is known of a resource beside the calls.
pub struct Ground<'a> {
    /// The attributes that the state holds; none when no state has the resource.
    pub attributes: Option<&'a Map<String, Value>>,
    /// When that state was written, where its place tells.
    pub as_of: Option<Timestamp>,
    /// What the catalogue knows of the type.
    pub facts: &'a TypeFacts,
    /// What the state marks as sensitive.
    pub marks: &'a [AttributePath],
}

/// What is to be told.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// Whether secret values stay readable.
    pub reveal: bool,
    /// The instant whose attributes are told; none for the end of the window.
    pub at: Option<Timestamp>,
    /// The one attribute that is told; none for all.
    pub path: Option<&'a str>,
    /// Whether calls that only use the resource are told.
    pub operations: bool,
}

/// Fills in what became of a resource: steps, attributes, whether it is there. Gives how many
/// copies of calls were left out.
pub fn trace(
    history: &mut History,
    ground: &Ground<'_>,
    touches: Vec<Touch<'_>>,
    telling: Telling<'_>,
) -> u64 {
    let none = Map::new();
    let (touches, copies) = in_order(touches, |touch| &touch.call, rank);
    let mut trace = Trace {
        ground,
        telling,
        attributes: ground.attributes.unwrap_or(&none),
        live: Live::default(),
        made: false,
        hung: Vec::new(),
    };
    let mut steps: Vec<Step> = Vec::new();
    for (number, touch) in touches.into_iter().enumerate() {
        steps.extend(trace.step(number, touch));
    }
    history.path = telling.path.map(str::to_owned);
    if !telling.operations {
        let all = steps.len();
        steps.retain(|step| step.deed != Deed::Operated);
        history.operations = all - steps.len();
    }
    history.standing = standing(&steps, telling.at);
    history.attributes = trace.held(&steps, history.standing);
    history.steps = steps;
    copies
}

/// What is made comes before what changes, and that before what goes, within one second.
fn rank(touch: &Touch<'_>) -> u8 {
    let rank = |act: &Act<'_>| match act {
        Act::Effect {
            kind: EffectKind::Create,
            ..
        } => 0,
        Act::Effect {
            kind: EffectKind::Delete,
            ..
        }
        | Act::Unhung { .. } => 2,
        _ => 1,
    };
    touch.acts.iter().map(rank).max().unwrap_or(1)
}

struct Trace<'a> {
    ground: &'a Ground<'a>,
    telling: Telling<'a>,
    attributes: &'a Map<String, Value>,
    live: Live,
    /// Whether a call in the window made it: what it did not set had no value before.
    made: bool,
    /// What calls hung on it.
    hung: Vec<Created>,
}

impl Trace<'_> {
    fn step(&mut self, number: usize, touch: Touch<'_>) -> Option<Step> {
        let event = touch.call.event;
        let cause = Cause {
            event: number,
            time: event.time,
            by_terraform: event.origin.class == OriginClass::Iac,
            told: usize::MAX,
        };
        let refused = event.error.is_some();
        // What was refused is played on a copy: it tells what would have been.
        let kept = refused.then(|| (self.live.clone(), self.made, self.hung.clone()));
        let earlier = self.live.slots.clone();
        let mut doing = Doing::default();
        for act in touch.acts {
            self.act(act, cause, &mut doing);
        }
        let deed = doing.deed;
        let mut changes = Vec::new();
        if deed != Some(Deed::Removed) {
            for (path, slot) in &self.live.slots {
                if slot.by.last() == Some(&number) && self.is_told(path) {
                    let earlier = earlier.get(path);
                    changes.push(self.change(path, slot, earlier, cause, &doing));
                }
            }
        }
        if let Some(kept) = kept {
            (self.live, self.made, self.hung) = kept;
        }
        let deed = match deed? {
            // It speaks of nothing that can be told.
            Deed::Changed if changes.is_empty() => Deed::Named,
            deed => deed,
        };
        // Who asks for one attribute wants what changed it, may have, or ended it.
        let matters = match deed {
            Deed::Made | Deed::Changed | Deed::Removed | Deed::Unjudged => true,
            Deed::Hung | Deed::Unhung | Deed::Named | Deed::Operated => self.telling.path.is_none(),
        };
        matters.then_some(Step {
            event,
            deed,
            about: doing.about,
            changes,
        })
    }

    fn act(&mut self, act: Act<'_>, cause: Cause, doing: &mut Doing) {
        match act {
            Act::Effect {
                kind,
                changes,
                ends,
            } => {
                match kind {
                    EffectKind::Delete => {
                        self.live.remove(cause);
                        // What is made anew begins anew.
                        self.live.slots.clear();
                        doing.is(Deed::Removed, None);
                        return;
                    }
                    EffectKind::Create => {
                        self.live.make(cause);
                        self.made = true;
                        doing.is(Deed::Made, None);
                    }
                    EffectKind::Put => {
                        let gone = self.live.existence.gone;
                        self.live.make(cause);
                        self.made |= gone;
                        doing.is(if gone { Deed::Made } else { Deed::Changed }, None);
                    }
                    EffectKind::Update => doing.is(Deed::Changed, None),
                }
                if self.live.existence.gone {
                    return;
                }
                let taken = live::taking(&changes);
                for (change, given) in changes {
                    self.apply(change, given, cause, doing);
                }
                if ends && self.live.is_spent(&taken) {
                    self.live.remove(cause);
                    self.live.slots.clear();
                    doing.is(Deed::Removed, None);
                }
            }
            Act::Hung(created) => {
                doing.is(Deed::Hung, Some(named(&created)));
                self.hung.push(created);
            }
            Act::Unhung {
                resource_type,
                names,
            } => {
                let known = self.hung.iter().position(|child| {
                    child.resource_type == resource_type && is_named(child, &names)
                });
                if let Some(child) = known.map(|at| self.hung.remove(at)) {
                    doing.is(Deed::Unhung, Some(named(&child)));
                }
            }
            Act::Named(types) => {
                let about = (!types.is_empty()).then(|| types.join(", "));
                doing.is(Deed::Named, about);
            }
            Act::Operated(why) => doing.is(Deed::Operated, Some(why.to_owned())),
            Act::Unjudged => doing.is(Deed::Unjudged, None),
        }
    }

    fn apply(&mut self, change: &Change, given: Given, cause: Cause, doing: &mut Doing) {
        let in_list = !matches!(&change.shape, Shape::Plain(Type::Map(_)));
        let whole = change.operation == Operation::Set || !in_list;
        if let (false, Given::Value(value)) = (whole, &given) {
            let members = match value {
                Value::Array(members) => members.clone(),
                one => vec![one.clone()],
            };
            let (added, removed) = doing.members.entry(change.path.to_string()).or_default();
            match change.operation {
                Operation::Remove => removed.extend(members),
                Operation::Add | Operation::Set => added.extend(members),
            }
        }
        // Members that come or go tell nothing of a list that nobody saw.
        let unseen = !whole
            && self.ground.attributes.is_none()
            && !self.made
            && !self.live.slots.contains_key(change.path.as_str());
        self.live.change(change, given, self.attributes, cause);
        if unseen {
            self.live.doubt(&change.path, cause.event);
        }
    }

    /// Whether a path is one that is to be told.
    fn is_told(&self, path: &str) -> bool {
        let bare = path.replace("[0]", "");
        let never = self.ground.facts.never.iter().any(|never| {
            bare.strip_prefix(never.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        !never && self.telling.path.is_none_or(|asked| concerns(asked, path))
    }

    fn change(
        &self,
        path: &str,
        slot: &Slot,
        earlier: Option<&Slot>,
        cause: Cause,
        doing: &Doing,
    ) -> Move {
        let before = match earlier {
            Some(earlier) => Some(earlier.current.clone()),
            None => self.before_any(slot, cause),
        };
        let sensitive = self.is_secret(path);
        let members = doing.members.get(path).cloned();
        self.between(path, before.as_ref(), slot, sensitive, members)
    }

    /// From a value to what an attribute is now. `members` came and went, where lists do not tell.
    fn between(
        &self,
        path: &str,
        before: Option<&Known>,
        slot: &Slot,
        sensitive: bool,
        members: Option<(Vec<Value>, Vec<Value>)>,
    ) -> Move {
        let moved = match (before, &slot.current) {
            (Some(before @ Known::Value(_)), after @ Known::Value(_)) => {
                differ(before, after, &slot.shape)
            }
            _ => true,
        };
        let (added, removed) = match (before, &slot.current) {
            (Some(Known::Value(before)), Known::Value(after)) => {
                compare::members_changed(before, after, &slot.shape).unzip()
            }
            _ => members.unzip(),
        };
        let shown = |members: Option<Vec<Value>>| {
            let members = members.filter(|members| !members.is_empty())?;
            if self.telling.reveal {
                return Some(members);
            }
            let hidden = |member| self.without_secrets(path, member);
            (!sensitive).then(|| members.into_iter().map(hidden).collect())
        };
        Move {
            path: path.to_owned(),
            before: self.content(path, before, sensitive),
            after: self.content(path, Some(&slot.current), sensitive),
            added: shown(added),
            removed: shown(removed),
            sensitive,
            moved,
        }
    }

    /// What an attribute was before the first call on it; none if nothing tells.
    ///
    /// A state says what was at the time when it was written. If that was after the call, it may
    /// hold what the call set: then only a value that the call did not set, and that nobody but
    /// Terraform can have written into it, is the one from before.
    fn before_any(&self, slot: &Slot, cause: Cause) -> Option<Known> {
        if self.made {
            return Some(Known::Value(Value::Null));
        }
        self.ground.attributes?;
        let began = Known::Value(slot.began.clone());
        let older = self
            .ground
            .as_of
            .is_some_and(|written| written <= cause.time);
        let other = !cause.by_terraform
            && (differ(&began, &slot.current, &slot.shape)
                || matches!(slot.current, Known::SetBy(_)));
        (older || other).then_some(began)
    }
}

/// What a call is found to do, while its acts are played.
#[derive(Default)]
struct Doing {
    deed: Option<Deed>,
    about: Option<String>,
    /// Members that the call itself says came and went, by path.
    members: BTreeMap<String, (Vec<Value>, Vec<Value>)>,
}

impl Doing {
    /// Of several deeds in one call the gravest names it.
    fn is(&mut self, deed: Deed, about: Option<String>) {
        let weight = |deed: Deed| match deed {
            Deed::Removed => 7,
            Deed::Made => 6,
            Deed::Changed => 5,
            Deed::Hung | Deed::Unhung => 4,
            Deed::Unjudged => 3,
            Deed::Operated => 2,
            Deed::Named => 1,
        };
        if self.deed.is_none_or(|known| weight(known) < weight(deed)) {
            self.deed = Some(deed);
            self.about = about;
        }
    }
}

/// What to call something that was hung on a resource.
fn named(created: &Created) -> String {
    let names: Vec<&str> = created
        .names
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    let id = created.id.clone().unwrap_or_else(|| names.join("/"));
    format!("{} ({id})", created.resource_type)
}
