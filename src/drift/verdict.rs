//! Judges what a replay ended with: which drifts there are, open or put back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::compare::{self, Verdict};
use super::effect::Resolver;
use super::live::{Existence, Known, Live, Slot};
use super::made::Unmanaged;
use super::model::{Attribute, Certainty, Drift, Event, Kind, Remedy, Severity, Status};
use super::replay::Outcome;
use super::secret;
use crate::catalogue::rule::TypeFacts;
use crate::state::inventory::InstanceId;

/// Makes drifts of what became of managed resources, in no order. Values are not masked yet: severity
/// is judged on them. What Terraform alone changed is nobody's drift; `by_terraform` tells it all the
/// same, as reconciled.
#[must_use]
pub fn managed(resolver: &Resolver<'_>, outcome: &Outcome, by_terraform: bool) -> Vec<Drift> {
    let mut facts: BTreeMap<String, TypeFacts> = BTreeMap::new();
    let mut drifts = Vec::new();
    for (instance, live) in &outcome.managed {
        let resource_type = resolver.inventory.get(*instance).resource_type().to_owned();
        let facts = facts
            .entry(resource_type.clone())
            .or_insert_with(|| resolver.catalogue.facts(&resource_type));
        let subject = Subject {
            resolver,
            outcome,
            instance: *instance,
            facts,
        };
        changed(&subject, live, &mut drifts);
        if by_terraform {
            applied(&subject, live, &mut drifts);
        }
    }
    drifts
}

struct Subject<'a> {
    resolver: &'a Resolver<'a>,
    outcome: &'a Outcome,
    instance: InstanceId,
    facts: &'a TypeFacts,
}

/// What others did to a resource.
fn changed(subject: &Subject<'_>, live: &Live, drifts: &mut Vec<Drift>) {
    let existence = &live.existence;
    if existence.by_others {
        let status = match existence {
            Existence { gone: true, .. } => Status::Open,
            Existence {
                last_by_terraform: true,
                ..
            } => Status::Reconciled,
            Existence { .. } => Status::Reverted,
        };
        drifts.push(subject.drift(Kind::Deleted, status, Vec::new(), existence.by.clone()));
    }
    if existence.gone {
        return;
    }
    let mut by_status: BTreeMap<Status, (Vec<Attribute>, Vec<usize>)> = BTreeMap::new();
    for (path, slot) in &live.slots {
        if let Some((status, attribute)) = subject.attribute(path, slot) {
            let (attributes, events) = by_status.entry(status).or_default();
            attributes.push(attribute);
            events.extend(slot.by.iter().copied());
        }
    }
    for (status, (attributes, events)) in by_status {
        drifts.push(subject.drift(Kind::Modified, status, attributes, events));
    }
}

/// What Terraform alone did to a resource.
fn applied(subject: &Subject<'_>, live: &Live, drifts: &mut Vec<Drift>) {
    let existence = &live.existence;
    if existence.gone {
        if !existence.by_others && !existence.by.is_empty() {
            let by = existence.by.clone();
            drifts.push(subject.drift(Kind::Deleted, Status::Reconciled, Vec::new(), by));
        }
        return;
    }
    let mut attributes = Vec::new();
    let mut events = Vec::new();
    for (path, slot) in live.slots.iter().filter(|(_, slot)| !slot.by_others) {
        if !subject.is_never(path) {
            attributes.push(subject.told(path, slot, Verdict::Equal, slot.current.value()));
            events.extend(slot.by.iter().copied());
        }
    }
    if !attributes.is_empty() {
        drifts.push(subject.drift(Kind::Modified, Status::Reconciled, attributes, events));
    }
}

impl Subject<'_> {
    /// Whether an argument exists only in Terraform.
    fn is_never(&self, path: &str) -> bool {
        let bare = path.replace("[0]", "");
        self.facts
            .never
            .iter()
            .any(|never| bare == *never || bare.starts_with(&format!("{never}.")))
    }

    fn attribute(&self, path: &str, slot: &Slot) -> Option<(Status, Attribute)> {
        if !slot.by_others || self.is_never(path) {
            return None;
        }
        let (verdict, after) = match (&slot.believed, &slot.current) {
            (Known::Value(believed), Known::Value(found)) => {
                let verdict = compare::compare(believed, found, &slot.shape);
                (
                    verdict,
                    (verdict != Verdict::Unknown).then(|| found.clone()),
                )
            }
            (Known::SetBy(one), Known::SetBy(other)) if one == other => (Verdict::Equal, None),
            (Known::SetBy(_), Known::Value(found)) => (Verdict::Differs, Some(found.clone())),
            (_, Known::SetBy(_)) => (Verdict::Unknown, None),
        };
        let status = match verdict {
            Verdict::Differs | Verdict::Unknown => Status::Open,
            Verdict::Equal if slot.last_by_terraform => Status::Reconciled,
            Verdict::Equal => Status::Reverted,
        };
        if status != Status::Open && !self.moved(slot) {
            return None;
        }
        Some((status, self.told(path, slot, verdict, after)))
    }

    /// An attribute as reports show it: what Terraform believes, and what is.
    fn told(&self, path: &str, slot: &Slot, verdict: Verdict, after: Option<Value>) -> Attribute {
        let before = slot.believed.value();
        let changed = match (&before, &after) {
            (Some(before), Some(after)) => compare::members_changed(before, after, &slot.shape),
            _ => None,
        };
        let marks = self.resolver.inventory.get(self.instance).sensitive();
        let sensitive = secret::is_secret(path, marks, self.facts);
        let (added, removed) = changed.unzip();
        let shown = |value: Option<Value>| value.filter(|value| !value.is_null());
        Attribute {
            path: path.to_owned(),
            before: shown(before),
            after: shown(after),
            certainty: if verdict == Verdict::Unknown {
                Certainty::Indeterminate
            } else {
                Certainty::Exact
            },
            sensitive,
            added,
            removed,
            by: slot
                .by
                .iter()
                .filter_map(|event| self.event(*event))
                .map(|event| event.event_id.clone())
                .collect(),
        }
    }

    /// Whether calls left an attribute as it was all along: such a call is no story to tell.
    fn moved(&self, slot: &Slot) -> bool {
        slot.moved && slot.by_others
    }

    fn event(&self, number: usize) -> Option<&Arc<Event>> {
        self.outcome.events.get(number)
    }

    fn drift(
        &self,
        kind: Kind,
        status: Status,
        attributes: Vec<Attribute>,
        mut events: Vec<usize>,
    ) -> Drift {
        events.sort_unstable();
        events.dedup();
        let instance = self.resolver.inventory.get(self.instance);
        let attributes_held = self.resolver.attributes(self.instance);
        let text = |key: &str| {
            attributes_held
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let events: Vec<Arc<Event>> = events
            .into_iter()
            .filter_map(|event| self.event(event).cloned())
            .collect();
        let last = events.last();
        let own = |held: Option<&str>, called: Option<&String>| {
            held.map(str::to_owned)
                .or_else(|| called.cloned())
                .unwrap_or_default()
        };
        let address = instance.address().to_string();
        let location = instance.state().location.clone();
        let resource_id = text("id");
        Drift {
            id: String::new(),
            kind,
            status,
            severity: Severity::Medium,
            address: Some(address),
            resource_type: instance.resource_type().to_owned(),
            resource_name: name(attributes_held, self.facts),
            resource_id,
            arn: text("arn"),
            parent: None,
            state: Some(location),
            account: own(instance.account(), last.map(|event| &event.account)),
            region: own(instance.region(), last.map(|event| &event.region)),
            attributes,
            events,
            rules: Vec::new(),
            suppressed_by: None,
            source: None,
            remedy: Remedy::default(),
        }
    }
}

/// Hides the secret values of a drift.
pub fn mask(drift: &mut Drift) {
    for attribute in &mut drift.attributes {
        if !attribute.sensitive {
            let values = attribute.before.iter_mut().chain(&mut attribute.after);
            let members = attribute.added.iter_mut().chain(&mut attribute.removed);
            values
                .chain(members.flatten())
                .for_each(secret::mask_members);
            continue;
        }
        attribute.before = secret::masked(attribute.before.take());
        attribute.after = secret::masked(attribute.after.take());
        attribute.added = None;
        attribute.removed = None;
    }
}

/// The name that people give it: the `Name` tag, or the attribute that names its type.
pub(super) fn name(attributes: &Map<String, Value>, facts: &TypeFacts) -> Option<String> {
    let tag = attributes
        .get("tags")
        .and_then(|tags| tags.get("Name"))
        .and_then(Value::as_str);
    let named =
        facts
            .name
            .as_deref()
            .into_iter()
            .chain(["name", "bucket", "identifier", "function_name"]);
    tag.or_else(|| {
        named
            .into_iter()
            .find_map(|key| attributes.get(key)?.as_str())
    })
    .filter(|name| !name.is_empty())
    .map(str::to_owned)
}

/// Makes the drift that a resource is which was made outside every state.
#[must_use]
pub fn unmanaged(resolver: &Resolver<'_>, outcome: &Outcome, made: Unmanaged) -> Drift {
    let parent = made
        .created
        .parent
        .map(|parent| resolver.inventory.get(parent));
    let address = parent.map(|parent| parent.address().to_string());
    let events: Vec<Arc<Event>> = made
        .by
        .iter()
        .filter_map(|event| outcome.events.get(*event).cloned())
        .collect();
    let made_name = |(key, _): &(String, String)| key == "name" || key.ends_with("_name");
    let name = made.created.names.into_iter().find(made_name);
    Drift {
        id: String::new(),
        kind: Kind::Unmanaged,
        status: Status::Open,
        severity: Severity::Medium,
        address: None,
        resource_type: made.created.resource_type,
        resource_name: name.map(|(_, value)| value),
        resource_id: made.created.id,
        arn: made.created.arn,
        parent: address,
        state: None,
        account: made.account,
        region: made.region,
        attributes: made.created.attributes,
        events,
        rules: Vec::new(),
        suppressed_by: None,
        source: None,
        remedy: Remedy::default(),
    }
}

/// The fingerprint of a drift: the same in every run and every build; holds no value and no time.
#[must_use]
pub fn fingerprint(drift: &Drift) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let paths: Vec<&str> = match drift.kind {
        Kind::Modified => drift
            .attributes
            .iter()
            .map(|attribute| attribute.path.as_str())
            .collect(),
        Kind::Deleted | Kind::Unmanaged => Vec::new(),
    };
    let parts = [
        drift.kind.word(),
        &drift.resource_type,
        &text(&drift.address),
        &text(&drift.state),
        &text(&drift.resource_id),
        &drift.account,
        &drift.region,
        &paths.join("\n"),
    ];
    let mut hash = Fnv::default();
    for part in parts {
        hash.take(part);
    }
    format!("{:016x}", hash.0)
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn take(&mut self, part: &str) {
        for byte in part.bytes().chain([0xFF]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
