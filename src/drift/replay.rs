//! Replays effects in time order and keeps what ends different.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use jiff::Timestamp;

use super::effect::{Caused, Effect, Effects, Resolver};
use super::journal::Ordered;
use super::learnt::Learnt;
use super::live::{self, Cause, Live, TOLD};
use super::made::{Made, Meant};
use super::model::{Event, OriginClass};
use crate::catalogue::rule::EffectKind;
use crate::state::inventory::InstanceId;

/// What a replay ended with; `verdict` makes drifts of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Managed resources that calls touched.
    pub managed: BTreeMap<InstanceId, Live>,
    /// Resources that were made outside every state and still stand.
    pub(super) unmanaged: Made,
    /// The calls that anything speaks of; numbers elsewhere mean these.
    pub events: Events,
    /// How many calls on one attribute are told since there was no room for more.
    told: Option<usize>,
    /// Calls that touched a managed resource or made an unmanaged one.
    pub matched: u64,
    /// Copies of calls that were seen before.
    pub duplicates: u64,
    /// Refused calls on managed resources: event and instance.
    pub failed: Vec<(usize, InstanceId)>,
    /// Calls that no rule knows and the managed resources they name.
    pub unmapped: BTreeMap<String, (u64, Vec<InstanceId>)>,
}

/// Calls by number, in time order.
#[derive(Debug, Default)]
pub struct Events {
    held: BTreeMap<usize, Arc<Event>>,
    next: usize,
    /// How many are held before those are let go that nothing speaks of any more.
    room: usize,
}

impl Events {
    /// Calls that are held in any case.
    const ROOM: usize = 20_000;
    /// Calls of which there is room for all.
    const MOST: usize = 50_000;

    /// A call; none when nothing spoke of it any more.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&Arc<Event>> {
        self.held.get(&number)
    }

    fn push(&mut self, event: Arc<Event>) {
        self.held.insert(self.next, event);
        self.next += 1;
    }

    fn is_full(&self) -> bool {
        self.held.len() >= self.room.max(Self::ROOM)
    }

    fn keep(&mut self, wanted: &BTreeSet<usize>) {
        self.held.retain(|number, _| wanted.contains(number));
        self.room = self.held.len() * 2;
    }
}

/// Replays all effects of a window.
#[must_use]
pub fn replay(resolver: &Resolver<'_>, calls: &mut Ordered<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut learnt = Learnt::default();
    for mut effects in calls.by_ref() {
        if let Some(mut opened) = effects.again.take()
            && learnt.read(resolver, &mut opened)
        {
            effects.effects = resolver.effects(&opened);
        }
        if !effects.effects.is_empty() {
            outcome.take(resolver, effects);
        }
    }
    outcome.duplicates = calls.duplicates();
    outcome
}

/// Calls in the order in which they count, each once and in its last correction; and how many
/// copies there were. `rank` orders those of one second.
pub(super) fn in_order<T>(
    mut calls: Vec<T>,
    call: impl Fn(&T) -> &Caused,
    rank: impl Fn(&T) -> u8,
) -> (Vec<T>, u64) {
    let mut once = Once::default();
    once.correct(calls.iter().filter_map(|one| call(one).corrects.clone()));
    calls.sort_by(|one, other| {
        let (a, b) = (&call(one).event, &call(other).event);
        (a.time, rank(one), &a.event_id).cmp(&(b.time, rank(other), &b.event_id))
    });
    calls.retain(|one| once.admits(call(one)));
    (calls, once.duplicates)
}

/// Lets each call through once, and none that another corrects. Calls come in order of time.
#[derive(Default)]
pub(super) struct Once {
    corrected: HashSet<String>,
    second: Timestamp,
    /// The calls of this second, by id and account: copies have the same time.
    seen: HashTable<Arc<Event>>,
    /// Ids that they share with copies for other accounts.
    shared: HashSet<String>,
    hasher: RandomState,
    duplicates: u64,
}

/// What tells one call from another.
fn key(event: &Event) -> (&str, &str) {
    (&event.event_id, &event.account)
}

impl Once {
    /// Takes note of ids of calls that others correct.
    pub(super) fn correct(&mut self, ids: impl IntoIterator<Item = String>) {
        self.corrected.extend(ids);
    }

    /// Whether a call is to be let through.
    pub(super) fn admits(&mut self, call: &Caused) -> bool {
        let event = &call.event;
        if self.second != event.time {
            self.second = event.time;
            self.seen.clear();
            self.shared.clear();
        }
        let hash = |event: &Arc<Event>| self.hasher.hash_one(key(event));
        let own = self
            .seen
            .entry(hash(event), |seen| key(seen) == key(event), hash);
        let known = match own {
            Entry::Occupied(_) => true,
            Entry::Vacant(place) => {
                place.insert(Arc::clone(event));
                let shared = call.shared_id.clone();
                shared.is_some_and(|shared| !self.shared.insert(shared))
            }
        };
        self.duplicates += u64::from(known);
        !known && !self.corrected.contains(&event.event_id)
    }

    /// How many copies there were.
    pub(super) fn duplicates(&self) -> u64 {
        self.duplicates
    }
}

/// What is made comes before what changes, and that before what goes, within one second.
pub(super) fn rank(effects: &Effects<'_>) -> u8 {
    let rank = |effect: &Effect<'_>| match effect {
        Effect::Created(_)
        | Effect::Managed {
            kind: EffectKind::Create,
            ..
        } => 0,
        Effect::Managed {
            kind: EffectKind::Delete,
            ..
        }
        | Effect::Removed { .. } => 2,
        _ => 1,
    };
    effects.effects.iter().map(rank).max().unwrap_or(1)
}

impl Outcome {
    fn take(&mut self, resolver: &Resolver<'_>, effects: Effects<'_>) {
        let event = effects.call.event;
        let number = self.events.next;
        let class = event.origin.class;
        let cause = Cause {
            event: number,
            time: event.time,
            by_terraform: class == OriginClass::Iac,
            told: self.told.unwrap_or(TOLD),
        };
        let failed = event.error.is_some();
        let mut matched = false;
        for effect in effects.effects {
            match effect {
                Effect::Managed { instance, .. } | Effect::Unmapped(instance) if failed => {
                    self.failed.push((number, instance));
                }
                _ if failed => {}
                Effect::Managed {
                    instance,
                    kind,
                    changes,
                    ends,
                } => {
                    matched = true;
                    let live = self.managed.entry(instance).or_default();
                    match kind {
                        EffectKind::Delete => live.remove(cause),
                        EffectKind::Create | EffectKind::Put => live.make(cause),
                        EffectKind::Update => {}
                    }
                    if kind != EffectKind::Delete && !live.existence.gone {
                        let attributes = resolver.attributes(instance);
                        let taken = live::taking(&changes);
                        for (change, given) in changes {
                            live.change(change, given, attributes, cause);
                        }
                        if ends && live.is_spent(&taken) {
                            live.remove(cause);
                        }
                    }
                }
                Effect::Created(created) => {
                    // What services make for themselves, and what Terraform makes, is nobody's drift.
                    if !matches!(class, OriginClass::AwsService | OriginClass::Iac) {
                        matched = true;
                        self.unmanaged.make(created, number, &event);
                    }
                }
                Effect::Removed {
                    resource_type,
                    names,
                } => self.unmanaged.remove(Meant {
                    resource_type,
                    names: &names,
                    call: &event,
                }),
                Effect::Lessened {
                    resource_type,
                    names,
                    taken,
                } => {
                    let meant = Meant {
                        resource_type,
                        names: &names,
                        call: &event,
                    };
                    self.unmanaged.lessen(meant, &taken);
                }
                Effect::Unmapped(instance) => {
                    let key = format!("{}/{}", event.source, event.name);
                    let (count, instances) = self.unmapped.entry(key).or_default();
                    *count += 1;
                    if !instances.contains(&instance) {
                        instances.push(instance);
                    }
                }
            }
        }
        self.matched += u64::from(matched);
        self.events.push(event);
        if self.events.is_full() {
            self.forget();
        }
    }

    /// Lets go the calls that nothing speaks of; speaks of fewer, if there is no room otherwise.
    fn forget(&mut self) {
        let mut wanted = self.spoken_of();
        while wanted.len() > Events::MOST && self.told != Some(2) {
            let told = (self.told.unwrap_or(TOLD) / 2).max(2);
            self.told = Some(told);
            self.managed.values_mut().for_each(|live| live.thin(told));
            wanted = self.spoken_of();
        }
        self.events.keep(&wanted);
    }

    fn spoken_of(&self) -> BTreeSet<usize> {
        let managed = self.managed.values().flat_map(Live::events);
        let made = self.unmanaged.iter().flat_map(|made| &made.by).copied();
        let failed = self.failed.iter().map(|(event, _)| *event);
        managed.chain(made).chain(failed).collect()
    }
}
