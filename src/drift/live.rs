//! One managed resource while calls are replayed over it: what Terraform believes of each attribute,
//! and what the evidence says.

mod map;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use map::{at, map_path};
use map::{held_map, key_below, keys_of};

use super::compare;
use super::members::{changed_list, told_apart};
use crate::catalogue::alike;
use crate::catalogue::respell;
use crate::catalogue::rule::{self, Build, Change, Fields, Kind, Operation, Shape};
use crate::catalogue::schema::Type;
use crate::catalogue::value::{Given, coerce};

/// A value as far as the evidence tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// This value.
    Value(Value),
    /// The value that this call set, which the log does not show.
    SetBy(usize),
}

impl Known {
    /// The value, where the log shows it.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::SetBy(_) => None,
        }
    }
}

/// One attribute that calls touched.
#[derive(Debug, Clone)]
pub struct Slot {
    /// How its values compare.
    pub shape: Shape,
    /// What the state says.
    pub began: Value,
    /// What Terraform believes.
    pub believed: Known,
    /// What the evidence ends with.
    pub current: Known,
    /// The calls that touched it, oldest first; of very many, the first and the last.
    pub by: Vec<usize>,
    /// Whether the last call was Terraform's.
    pub last_by_terraform: bool,
    /// Whether any call was not Terraform's.
    pub by_others: bool,
    /// Whether any call gave it another value than it had.
    pub moved: bool,
    last_set: Option<Timestamp>,
}

/// Who makes a change, and when.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// The call's number.
    pub event: usize,
    /// When it completed.
    pub time: Timestamp,
    /// Whether Terraform made it, so that it believes the outcome.
    pub by_terraform: bool,
    /// How many calls on one attribute are told.
    pub told: usize,
}

/// Whether a resource is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Existence {
    /// Calls that removed or made it anew, oldest first.
    pub by: Vec<usize>,
    /// Whether it is gone.
    pub gone: bool,
    /// Whether Terraform believes it gone.
    pub believed_gone: bool,
    /// Whether the last of the calls was Terraform's.
    pub last_by_terraform: bool,
    /// Whether any of the calls was not Terraform's.
    pub by_others: bool,
}

/// A managed resource under replay.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Attributes that calls touched, by Terraform's path.
    pub slots: BTreeMap<String, Slot>,
    /// Whether it is there.
    pub existence: Existence,
}

impl Live {
    /// The resource was removed.
    pub fn remove(&mut self, cause: Cause) {
        self.existence.gone = true;
        self.existence.believed_gone |= cause.by_terraform;
        self.existed(cause);
    }

    /// The resource was made, by a call that would fail if it were there, or that is harmless then.
    pub fn make(&mut self, cause: Cause) {
        if self.existence.gone {
            self.existence.gone = false;
            self.existence.believed_gone &= !cause.by_terraform;
            self.existed(cause);
        }
    }

    /// Whether nothing is left of what these changes took from.
    #[must_use]
    pub fn is_spent(&self, taken: &[&Change]) -> bool {
        let is_empty = |change: &&Change| {
            let slot = self.slots.get(change.path.as_str());
            slot.is_some_and(|slot| slot.current == Known::Value(Value::Array(Vec::new())))
        };
        !taken.is_empty() && taken.iter().all(is_empty)
    }

    /// What a call left an attribute at is not known after all: it changed what nobody saw.
    pub fn doubt(&mut self, path: &str, event: usize) {
        if let Some(slot) = self.slots.get_mut(path) {
            slot.current = Known::SetBy(event);
        }
    }

    /// The calls that this speaks of.
    pub fn events(&self) -> impl Iterator<Item = usize> {
        let set = |known: &Known| match known {
            Known::SetBy(event) => Some(*event),
            Known::Value(_) => None,
        };
        let slots = self.slots.values().flat_map(move |slot| {
            let set = [set(&slot.believed), set(&slot.current)];
            slot.by.iter().copied().chain(set.into_iter().flatten())
        });
        slots.chain(self.existence.by.iter().copied())
    }

    /// Leaves out calls in the middle, where there are more than these on one attribute.
    pub fn thin(&mut self, told: usize) {
        thin(&mut self.existence.by, told);
        self.slots
            .values_mut()
            .for_each(|slot| thin(&mut slot.by, told));
    }

    fn existed(&mut self, cause: Cause) {
        push(&mut self.existence.by, cause);
        self.existence.last_by_terraform = cause.by_terraform;
        self.existence.by_others |= !cause.by_terraform;
    }

    /// An attribute changes. `attributes` are those of the state.
    pub fn change(
        &mut self,
        change: &Change,
        given: Given,
        attributes: &Map<String, Value>,
        cause: Cause,
    ) {
        if let Shape::Plain(Type::Map(inner)) = &change.shape {
            self.map(change, given, inner, attributes, cause);
            return;
        }
        let held = at(attributes, &change.path);
        let given = unless_default(change, given, attributes);
        let before = self
            .slots
            .get(change.path.as_str())
            .map_or_else(|| Known::Value(held.clone()), |slot| slot.current.clone());
        let next = match (given, &before) {
            (Given::Absent, _) => return,
            (Given::Hidden, _) => Known::SetBy(cause.event),
            (Given::Alike(value), before) => {
                let believed = self.slots.get(change.path.as_str());
                let believed = believed.map_or_else(|| Some(held.clone()), |s| s.believed.value());
                let known = [believed, before.value()].into_iter().flatten();
                let same = known.into_iter().find(|own| is_alike(change, own, &value));
                let told = || respelt(change, &held, &value);
                same.or_else(told)
                    .map_or(Known::SetBy(cause.event), Known::Value)
            }
            (Given::Value(value), _) if change.operation == Operation::Set => Known::Value(value),
            (Given::Value(value), Known::Value(list)) if change.apart.is_some() => {
                match self.apart(change, &value, list, attributes) {
                    Apart::Known(list) => Known::Value(list),
                    Apart::Elsewhere => return,
                    Apart::Lost => Known::SetBy(cause.event),
                }
            }
            (_, Known::SetBy(_)) if change.apart.is_some() => return,
            // Members that come or go tell nothing of a list that is not known.
            (Given::Value(_), Known::SetBy(event)) => Known::SetBy(*event),
            (Given::Value(value), Known::Value(list)) => {
                Known::Value(changed_list(change, list, value))
            }
        };
        self.set(
            &change.path,
            &change.shape,
            next,
            held,
            cause,
            change.operation == Operation::Set,
        );
    }

    /// Members told apart by a new value of one of their attributes.
    fn apart(
        &self,
        change: &Change,
        given: &Value,
        list: &Value,
        attributes: &Map<String, Value>,
    ) -> Apart {
        let (Some(apart), Shape::Blocks { fields, .. }) = (&change.apart, &change.shape) else {
            return Apart::Elsewhere;
        };
        if let Some(list) = told_apart(list, given, fields, &apart.by) {
            return Apart::Known(list);
        }
        let Some(elsewhere) = &apart.elsewhere else {
            return Apart::Elsewhere;
        };
        let held = at(attributes, elsewhere);
        let known = self.slots.get(elsewhere.as_str()).map(|slot| &slot.current);
        match known {
            Some(Known::Value(held)) if is_apart(held, given, fields, apart) => Apart::Elsewhere,
            None if is_apart(&held, given, fields, apart) => Apart::Elsewhere,
            _ => Apart::Lost,
        }
    }

    fn set(
        &mut self,
        path: &str,
        shape: &Shape,
        next: Known,
        held: Value,
        cause: Cause,
        whole: bool,
    ) {
        let slot = self.slots.entry(path.to_owned()).or_insert_with(|| Slot {
            shape: shape.clone(),
            began: held.clone(),
            believed: Known::Value(held.clone()),
            current: Known::Value(held.clone()),
            by: Vec::new(),
            last_by_terraform: false,
            by_others: false,
            moved: false,
            last_set: None,
        });
        let mut next = match next {
            Known::Value(value) => Known::Value(compare::spelt_like(&held, value, shape)),
            unknown @ Known::SetBy(_) => unknown,
        };
        // Two calls of one second have no order: if they disagree, the outcome is not known.
        let disagree =
            whole && slot.last_set == Some(cause.time) && differ(&slot.current, &next, shape);
        if disagree && slot.by.last().is_some_and(|last| *last != cause.event) {
            next = Known::SetBy(cause.event);
        }
        slot.moved |= matches!(next, Known::SetBy(_)) || differ(&slot.current, &next, shape);
        slot.last_set = Some(cause.time);
        push(&mut slot.by, cause);
        slot.last_by_terraform = cause.by_terraform;
        slot.by_others |= !cause.by_terraform;
        if cause.by_terraform {
            slot.believed = next.clone();
        }
        slot.current = next;
        slot.shape.widen(shape);
    }

    /// Maps drift key by key.
    fn map(
        &mut self,
        change: &Change,
        given: Given,
        inner: &Type,
        attributes: &Map<String, Value>,
        cause: Cause,
    ) {
        let held = held_map(attributes, &change.path);
        let shape = match change.path.as_ref() {
            "tags" => Shape::Tag(inner.clone()),
            _ => Shape::Plain(inner.clone()),
        };
        let given = match given {
            Given::Absent => return,
            Given::Alike(value)
                if !self
                    .slots
                    .keys()
                    .any(|path| path.starts_with(&*change.path))
                    && is_alike(change, &Value::Object(held.clone()), &value) =>
            {
                return;
            }
            Given::Hidden | Given::Alike(_) => {
                let whole = Value::Object(held);
                self.set(
                    &change.path,
                    &change.shape,
                    Known::SetBy(cause.event),
                    whole,
                    cause,
                    true,
                );
                return;
            }
            Given::Value(value) => value,
        };
        let changes: Vec<(String, Value)> = match (change.operation, given) {
            (Operation::Remove, keys) => {
                let there = |key: &str| match self.slots.get(&map_path(&change.path, key)) {
                    Some(slot) => slot.current.value(),
                    None => held.get(key).cloned(),
                };
                keys_of(&keys, &there)
                    .into_iter()
                    .map(|key| (key, Value::Null))
                    .collect()
            }
            (operation, Value::Object(new)) => {
                let mut changes: Vec<(String, Value)> = Vec::new();
                if operation == Operation::Set {
                    let prefix = format!("{}.", change.path);
                    let seen = self
                        .slots
                        .keys()
                        .filter_map(|path| key_below(path, &change.path, &prefix));
                    let known: std::collections::BTreeSet<String> =
                        held.keys().cloned().chain(seen).collect();
                    changes.extend(
                        known
                            .into_iter()
                            .filter(|key| !new.contains_key(key))
                            .map(|key| (key, Value::Null)),
                    );
                }
                changes.extend(new);
                changes
            }
            (Operation::Set, Value::Null) => {
                held.keys().map(|key| (key.clone(), Value::Null)).collect()
            }
            _ => return,
        };
        for (key, value) in changes {
            // Tags that AWS keeps for itself are no one's to manage (Tag Editor, *Tag naming limits*).
            if key.starts_with("aws:") {
                continue;
            }
            let path = map_path(&change.path, &key);
            let before = held.get(&key).cloned().unwrap_or(Value::Null);
            self.set(&path, &shape, Known::Value(value), before, cause, true);
        }
    }
}

/// A value, unless it is the default of an attribute that the state does not hold at all: a provider
/// that does not know the attribute leaves it so.
fn unless_default(change: &Change, given: Given, attributes: &Map<String, Value>) -> Given {
    let Build::Leaf(source, ty) = &change.build else {
        return given;
    };
    let top = change.path.split(['.', '[']).next().unwrap_or_default();
    match (&given, &source.more().default) {
        (Given::Value(value), Some(default))
            if change.operation == Operation::Set
                && !attributes.contains_key(top)
                && coerce(default, ty).as_ref() == Some(value) =>
        {
            Given::Value(Value::Null)
        }
        _ => given,
    }
}

/// The changes that take members away.
#[must_use]
pub fn taking<'a>(changes: &[(&'a Change, Given)]) -> Vec<&'a Change> {
    let changes = changes.iter().map(|(change, _)| *change);
    changes
        .filter(|change| change.operation == Operation::Remove)
        .collect()
}

/// Where members are that a call tells something of.
enum Apart {
    /// In the list, which becomes this.
    Known(Value),
    /// In another list, or in none that is known.
    Elsewhere,
    /// In no list that is known: whichever member the call means is not known.
    Lost,
}

fn is_apart(list: &Value, given: &Value, fields: &Fields, apart: &rule::Apart) -> bool {
    told_apart(list, given, fields, &apart.by).is_some()
}

/// Calls on one attribute of one resource that are told, if there is room.
pub const TOLD: usize = 1_000;

fn push(calls: &mut Vec<usize>, cause: Cause) {
    // A call may take and add at once.
    if calls.last() == Some(&cause.event) {
        return;
    }
    calls.push(cause.event);
    thin(calls, cause.told);
}

/// Of more calls than are told, leaves out those in the middle.
fn thin(calls: &mut Vec<usize>, told: usize) {
    let more = calls.len().saturating_sub(told);
    if more > 0 {
        calls.drain(told / 2..told / 2 + more);
    }
}

/// Whether two values are known to differ.
pub(super) fn differ(one: &Known, other: &Known, shape: &Shape) -> bool {
    match (one, other) {
        (Known::Value(one), Known::Value(other)) => {
            compare::compare(one, other, shape) != compare::Verdict::Equal
        }
        _ => false,
    }
}

/// A value in a log's own spelling, in the state's, where a rule says that names tell.
fn respelt(change: &Change, held: &Value, given: &Value) -> Option<Value> {
    match &change.build {
        Build::Alike(source, Kind::Block(block)) if source.more().spelt => {
            respell::respelt(held, given, block, &source.more().map)
        }
        _ => None,
    }
}

/// Whether a value in a log's own spelling says what is there already.
fn is_alike(change: &Change, own: &Value, given: &Value) -> bool {
    match &change.build {
        Build::Alike(_, Kind::Block(block)) => alike::same(own, given, block),
        Build::Alike(_, Kind::Value(ty)) => {
            coerce(given, ty).is_some_and(|given| compare::equal(own, &given, ty))
        }
        _ => false,
    }
}
