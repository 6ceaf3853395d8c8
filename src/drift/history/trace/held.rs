//! What the resource looks like at an instant, or at the end of the window.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Trace;
use crate::drift::compare::{self, Verdict};
use crate::drift::history::subject::concerns;
use crate::drift::history::{Deed, Held, Move, Standing, Step};
use crate::drift::live::{Known, at, map_path};

impl Trace<'_> {
    /// Attributes at the instant that is told, each with the step that made it so.
    pub(super) fn held(&self, steps: &[Step], standing: Standing) -> Vec<Held> {
        if standing == Standing::NotYet {
            return Vec::new();
        }
        let mut held: BTreeMap<String, Held> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate().filter(|(_, step)| !step.refused()) {
            let later = self.telling.at.is_some_and(|at| step.event.time > at);
            for change in &step.changes {
                let known = held.get(&change.path);
                let by = match known {
                    _ if later => continue,
                    // The call that repeats a value is not the one that it comes from.
                    Some(known) if !change.moved => known.by,
                    _ => Some(number),
                };
                held.insert(
                    change.path.clone(),
                    Held {
                        path: change.path.clone(),
                        value: change.after.clone(),
                        drift: self.drift(&change.path, change.sensitive),
                        sensitive: change.sensitive,
                        by,
                    },
                );
            }
        }
        // What only later calls touched was until then what they found.
        let later = steps.iter().filter(|step| !step.refused());
        for change in later.flat_map(|step| &step.changes) {
            held.entry(change.path.clone()).or_insert_with(|| Held {
                path: change.path.clone(),
                value: change.before.clone(),
                drift: None,
                sensitive: change.sensitive,
                by: None,
            });
        }
        if self.telling.at.is_some() || self.telling.path.is_some() {
            self.untouched(&mut held);
        }
        held.into_values().collect()
    }

    /// From what Terraform believes at the end of the window to what is, where these differ.
    fn drift(&self, path: &str, sensitive: bool) -> Option<Move> {
        self.ground.attributes?;
        let live = self.live.slots.get(path);
        let slot = live.filter(|_| self.telling.at.is_none())?;
        let same = match (&slot.believed, &slot.current) {
            (Known::Value(believed), Known::Value(found)) => {
                compare::compare(believed, found, &slot.shape) == Verdict::Equal
            }
            (one, other) => one == other,
        };
        (!same).then(|| self.between(path, Some(&slot.believed), slot, sensitive, None))
    }

    /// Adds what the state holds and no call in the window touched.
    fn untouched(&self, held: &mut BTreeMap<String, Held>) {
        let mut leaves = Vec::new();
        for (name, value) in self.attributes {
            if name != "tags_all" && name != "timeouts" {
                spread(name, value, &mut leaves);
            }
        }
        let asked = self
            .telling
            .path
            .filter(|asked| !asked.contains(['[', '.']) && self.attributes.contains_key(*asked));
        if let Some(asked) = asked.filter(|_| held.is_empty()) {
            // Asked for by name, an attribute is told as the whole that it is.
            leaves = vec![(asked.to_owned(), at(self.attributes, asked))];
        }
        for (path, value) in leaves {
            if !self.is_told(&path) || held.keys().any(|known| concerns(known, &path)) {
                continue;
            }
            let sensitive = self.is_secret(&path);
            let value = self.content(&path, Some(&Known::Value(value)), sensitive);
            held.insert(
                path.clone(),
                Held {
                    path,
                    value,
                    drift: None,
                    sensitive,
                    by: None,
                },
            );
        }
    }
}

/// The attributes below one, each with its path, as drifts name them: maps key by key, a single
/// block by what it holds, anything else whole. What is empty is left out.
fn spread(path: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, member) in members {
                spread(&map_path(path, name), member, leaves);
            }
        }
        Value::Array(items) => match items.as_slice() {
            [] => {}
            [Value::Object(block)] => {
                for (name, member) in block {
                    spread(&format!("{path}[0].{name}"), member, leaves);
                }
            }
            _ => leaves.push((path.to_owned(), value.clone())),
        },
        Value::String(text) if text.is_empty() => {}
        other => leaves.push((path.to_owned(), other.clone())),
    }
}

/// Whether the resource is there at an instant, or at the end.
pub(super) fn standing(steps: &[Step], at: Option<Timestamp>) -> Standing {
    let turns = steps
        .iter()
        .filter(|step| !step.refused() && matches!(step.deed, Deed::Made | Deed::Removed));
    let (before, later): (Vec<&Step>, Vec<&Step>) =
        turns.partition(|step| at.is_none_or(|at| step.event.time <= at));
    match (before.last(), later.first()) {
        (Some(last), _) if last.deed == Deed::Removed => Standing::Gone,
        (None, Some(first)) if first.deed == Deed::Made => Standing::NotYet,
        _ => Standing::There,
    }
}
