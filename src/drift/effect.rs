//! Turns a call into effects on resources: whom it touches, and what it says of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::actor::actor;
use super::model::{Attribute, Event};
use super::names::{self, Found};
use super::origin::origin;
use super::principals::Principals;
use crate::audit::call::Call;
use crate::catalogue::Catalogue;
use crate::catalogue::aws::shape;
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{
    CallRule, Change, EffectKind, Operation, Provenance, ResourceType, Scope, Target,
};
use crate::catalogue::value::{Given, is_omitted};
use crate::state::inventory::{InstanceId, Inventory};

/// What is kept of a call once its effects are known.
#[derive(Debug, Clone)]
pub struct Caused {
    /// The call as reports show it.
    pub event: Arc<Event>,
    /// Id shared by copies for several accounts.
    pub shared_id: Option<String>,
    /// The id of the event that this one corrects.
    pub corrects: Option<String>,
}

/// A call with everything it does.
#[derive(Debug)]
pub struct Effects<'a> {
    /// The call.
    pub call: Caused,
    /// What it does, in no order.
    pub effects: Vec<Effect<'a>>,
    /// The call itself, if it teaches names or gives some that earlier calls may have taught.
    pub(super) again: Option<Box<Opened>>,
    /// Whether it teaches names.
    pub(super) teaches: bool,
    /// Whether it gives something another name, by which later calls mean it.
    pub renames: bool,
}

/// What one call does to one resource.
#[derive(Debug)]
pub enum Effect<'a> {
    /// It touches a managed resource.
    Managed {
        /// Which.
        instance: InstanceId,
        /// How.
        kind: EffectKind,
        /// The attributes it speaks of.
        changes: Vec<(&'a Change, Given)>,
        /// Whether it is gone with the last of what the call takes from it.
        ends: bool,
    },
    /// It makes a resource that no state has.
    Created(Created),
    /// It removes a resource that no state has.
    Removed {
        /// Its type.
        resource_type: &'a str,
        /// The names the call gives it: attribute and value.
        names: Vec<(String, String)>,
    },
    /// It takes members from lists of a resource that no state has.
    Lessened {
        /// Its type.
        resource_type: &'a str,
        /// The names the call gives it: attribute and value.
        names: Vec<(String, String)>,
        /// What goes, by path.
        taken: Vec<(&'a str, Value)>,
    },
    /// No rule knows the call, and it names this managed resource.
    Unmapped(InstanceId),
}

/// A resource made outside every state.
#[derive(Debug, Clone)]
pub struct Created {
    /// Its type.
    pub resource_type: String,
    /// The id that AWS knows it by, if the call tells.
    pub id: Option<String>,
    /// Its ARN, if the call tells.
    pub arn: Option<String>,
    /// The names the call gives it: attribute and value.
    pub names: Vec<(String, String)>,
    /// The managed resource it hangs on.
    pub parent: Option<InstanceId>,
    /// What it was made with, as far as rules know.
    pub attributes: Vec<Attribute>,
    /// Lists among them that further such calls add to, by path.
    pub grows: Vec<String>,
}

/// Resolves calls against an inventory. Shared by all workers.
pub struct Resolver<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) inventory: &'a Inventory,
    /// Who may apply Terraform; none: anyone who looks like it.
    pub(super) principals: Option<&'a Principals>,
    attributes: Vec<OnceLock<Map<String, Value>>>,
    accounts: BTreeSet<String>,
    /// Types whose instances may hang on managed ones, as far as that was asked.
    hanging: RwLock<HashMap<String, bool>>,
    /// Services that types of the inventory belong to.
    services: OnceLock<BTreeSet<String>>,
}

impl<'a> Resolver<'a> {
    /// A resolver over an inventory.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, inventory: &'a Inventory) -> Self {
        let attributes = inventory.instances().map(|_| OnceLock::new()).collect();
        let accounts = inventory
            .accounts()
            .into_iter()
            .map(str::to_owned)
            .collect();
        Self {
            catalogue,
            inventory,
            principals: None,
            attributes,
            accounts,
            hanging: RwLock::default(),
            services: OnceLock::new(),
        }
    }

    /// As it is, but only these may apply Terraform, if they are given.
    #[must_use]
    pub fn applied_by(mut self, principals: Option<&'a Principals>) -> Self {
        self.principals = principals;
        self
    }

    /// Services that change resources of the inventory.
    pub(super) fn services(&self) -> &BTreeSet<String> {
        self.services.get_or_init(|| {
            let types = self.inventory.types();
            types
                .flat_map(|resource_type| self.catalogue.services_of(resource_type))
                .map(|rules| rules.service.clone())
                .collect()
        })
    }

    /// Whether any state covers an account: elsewhere everything is unmanaged and nothing is news.
    #[must_use]
    pub fn covers(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.contains(account)
    }

    /// Whether resources of a type that no state has can be news in any account, for they may
    /// hang on managed ones.
    pub(super) fn may_hang(&self, resource_type: &str) -> bool {
        let known = self.hanging.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(hangs) = known.get(resource_type) {
            return *hangs;
        }
        drop(known);
        let makes = |target: &Target| {
            let parent = target.parent.as_ref().filter(
                |_| matches!(&target.resource_type, ResourceType::Named(name) if name == resource_type),
            );
            parent.is_some_and(|parent| !self.inventory.of_type(&parent.resource_type).is_empty())
        };
        let hangs = self
            .catalogue
            .calls_of(resource_type)
            .any(|rule| rule.targets.iter().any(makes));
        self.hanging
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(resource_type.to_owned(), hangs);
        hangs
    }

    /// The accounts that the loaded states are known to cover.
    #[must_use]
    pub fn accounts(&self) -> &BTreeSet<String> {
        &self.accounts
    }

    /// Attributes of an instance, parsed once.
    #[must_use]
    pub fn attributes(&self, instance: InstanceId) -> &Map<String, Value> {
        static NONE: OnceLock<Map<String, Value>> = OnceLock::new();
        match self.attributes.get(instance.index()) {
            Some(cell) => cell.get_or_init(|| self.inventory.get(instance).attributes()),
            None => NONE.get_or_init(Map::new),
        }
    }

    /// What a call does. None when it touches nothing that matters, whatever is learnt of names.
    #[must_use]
    pub fn resolve(&self, call: Call) -> Option<Effects<'a>> {
        let mut opened = Opened::of(call);
        let effects = self.effects(&opened);
        let words = self.words(&opened);
        if effects.is_empty() && !words.may_be_learnt {
            return None;
        }
        let (call, again) = if words.matter() {
            (opened.cause(self.principals), Some(Box::new(opened)))
        } else {
            (Caused::of(opened.call, self.principals), None)
        };
        Some(Effects {
            call,
            effects,
            again,
            teaches: words.teaches,
            renames: words.renames,
        })
    }

    /// The effects of a call, in no order.
    pub(super) fn effects(&self, opened: &Opened) -> Vec<Effect<'a>> {
        let call = &opened.call;
        match self.catalogue.rule(&call.service, &call.name) {
            Some(rule) if rule.operates.is_some() => Vec::new(),
            Some(rule) => {
                let scope = self
                    .catalogue
                    .service(&call.service)
                    .map(|rules| rules.scope)
                    .unwrap_or_default();
                self.by_rule(rule, &opened.view(), &Place { call, scope })
            }
            None => names::named_anywhere(self, &opened.request, &opened.resources, call)
                .into_iter()
                .map(Effect::Unmapped)
                .collect(),
        }
    }

    fn by_rule(&self, rule: &'a CallRule, view: &View<'_>, place: &Place<'_>) -> Vec<Effect<'a>> {
        if is_omitted(view.request) {
            return self.omitted(rule, view, place);
        }
        if !view.holds(&rule.when) {
            return Vec::new();
        }
        let items = match &rule.each {
            Some(each) => view.each(each),
            None => vec![Value::Null],
        };
        let mut effects = Vec::new();
        for item in &items {
            let view = view.with_item(item);
            let (owned, free): (Vec<&Target>, Vec<&Target>) = rule
                .targets
                .iter()
                .partition(|target| owner_rank(rule, target).is_some());
            self.owners(rule, owned, &view, place, &mut effects);
            for target in free {
                self.one(target, &view, place, &mut effects);
            }
        }
        effects
    }

    /// Applies the narrowest owner that the state holds; without one, the narrowest that can be made.
    fn owners(
        &self,
        rule: &'a CallRule,
        mut targets: Vec<&'a Target>,
        view: &View<'_>,
        place: &Place<'_>,
        effects: &mut Vec<Effect<'a>>,
    ) {
        targets.sort_by_key(|target| owner_rank(rule, target));
        targets.retain(|target| view.holds(&target.when));
        // All that the rule says of the owner counts, be it in several tables.
        let mut owner = None;
        for target in &targets {
            let rank = owner_rank(rule, target);
            if owner.is_some_and(|owner| Some(owner) != rank) {
                break;
            }
            let found = names::find(self, target, view, place.call, place.scope);
            let instances = self.unless_yielded(target, found.instances);
            if !instances.is_empty() {
                self.touch(target, &instances, view, effects);
                owner = rank;
            }
        }
        if owner.is_some() {
            self.gone(&targets, view, place, effects);
            return;
        }
        let (gone, made): (Vec<&Target>, Vec<&Target>) = targets
            .into_iter()
            .partition(|target| target.effect == EffectKind::Delete);
        for target in made {
            let found = names::find(self, target, view, place.call, place.scope);
            let made = self.unmanaged(target, &found, view, place);
            if !made.is_empty() {
                effects.extend(made);
                return;
            }
        }
        self.gone(&gone, view, place, effects);
    }

    /// Removals of what no state has may end what was made within the window.
    fn gone(
        &self,
        targets: &[&'a Target],
        view: &View<'_>,
        place: &Place<'_>,
        effects: &mut Vec<Effect<'a>>,
    ) {
        for target in targets
            .iter()
            .filter(|target| target.effect == EffectKind::Delete)
        {
            let found = names::find(self, target, view, place.call, place.scope);
            effects.extend(self.unmanaged(target, &found, view, place));
        }
    }

    /// Applies a target that is independent of the others.
    fn one(
        &self,
        target: &'a Target,
        view: &View<'_>,
        place: &Place<'_>,
        effects: &mut Vec<Effect<'a>>,
    ) {
        let items = match &target.each {
            Some(each) => view.each(each),
            None => vec![view.item.clone()],
        };
        for item in &items {
            let view = view.with_item(item);
            if !view.holds(&target.when) {
                continue;
            }
            let found = names::find(self, target, &view, place.call, place.scope);
            let instances = self.unless_yielded(target, found.instances.clone());
            if instances.is_empty() {
                effects.extend(self.unmanaged(target, &found, &view, place));
            } else {
                self.touch(target, &instances, &view, effects);
            }
        }
    }

    fn touch(
        &self,
        target: &'a Target,
        instances: &[InstanceId],
        view: &View<'_>,
        effects: &mut Vec<Effect<'a>>,
    ) {
        let changes = view.changes(&target.changes);
        let silent =
            matches!(target.effect, EffectKind::Update | EffectKind::Put) && changes.is_empty();
        if silent {
            // A rule that knows whom a call changes, and nothing of what, must not pass for no change.
            if target.changes.is_empty() && target.provenance == Provenance::Generated {
                effects.extend(instances.iter().copied().map(Effect::Unmapped));
            }
            return;
        }
        effects.extend(instances.iter().map(|instance| Effect::Managed {
            instance: *instance,
            kind: target.effect,
            changes: changes.clone(),
            ends: target.ends_managed,
        }));
    }

    /// Drops instances that yield to a narrower owner in the state.
    fn unless_yielded(&self, target: &Target, mut instances: Vec<InstanceId>) -> Vec<InstanceId> {
        if !target.yields.is_empty() {
            instances.retain(|instance| !names::has_dependants(self, *instance, &target.yields));
        }
        instances
    }

    fn unmanaged(
        &self,
        target: &'a Target,
        found: &Found,
        view: &View<'_>,
        place: &Place<'_>,
    ) -> Vec<Effect<'a>> {
        let ResourceType::Named(resource_type) = &target.resource_type else {
            return Vec::new();
        };
        // A match that yielded to a narrower owner is managed all the same.
        if !found.instances.is_empty() {
            return Vec::new();
        }
        match target.effect {
            EffectKind::Update if !target.ends => Vec::new(),
            // What cannot have been made within the window, as far as is told, is not missed.
            EffectKind::Update | EffectKind::Delete
                if !self.covers(&place.call.account) && !self.may_hang(resource_type) =>
            {
                Vec::new()
            }
            EffectKind::Update => lessened(target, resource_type, found, view),
            EffectKind::Delete => found
                .names
                .iter()
                .map(|names| Effect::Removed {
                    resource_type,
                    names: names.clone(),
                })
                .collect(),
            EffectKind::Create | EffectKind::Put => {
                let parent = match &target.parent {
                    Some(parent) => {
                        match names::parent(self, parent, view, place.call, place.scope) {
                            Some(parent) => Some(parent),
                            None => return Vec::new(),
                        }
                    }
                    // Generated rules do not know what a thing hangs on; only plain creations are news then.
                    None if target.provenance == Provenance::Generated
                        && target.effect == EffectKind::Put =>
                    {
                        return Vec::new();
                    }
                    None if self.covers(&place.call.account) => None,
                    None => return Vec::new(),
                };
                names::created(target, resource_type, found, view, parent)
                    .into_iter()
                    .map(Effect::Created)
                    .collect()
            }
        }
    }

    /// A request too large for the log: the ARNs beside it tell the resource, nothing tells the values.
    fn omitted(&self, rule: &'a CallRule, view: &View<'_>, place: &Place<'_>) -> Vec<Effect<'a>> {
        let mut targets: Vec<&Target> = rule
            .targets
            .iter()
            .filter(|target| target.effect != EffectKind::Create)
            .collect();
        targets.sort_by_key(|target| owner_rank(rule, target));
        // A log that is a digest of another may still print a few parameters.
        let mut rest = view.request.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.retain(|key, _| !matches!(key.as_str(), "omitted" | "reason" | "originalSize"));
        }
        let printed = View {
            request: &rest,
            ..*view
        };
        for target in targets {
            let mut instances =
                names::by_resources(self, target, view.resources, place.call, place.scope);
            if instances.is_empty() && rest.as_object().is_some_and(|rest| !rest.is_empty()) {
                instances = names::find(self, target, &printed, place.call, place.scope).instances;
            }
            let instances = self.unless_yielded(target, instances);
            if instances.is_empty() {
                continue;
            }
            let whole = target.effect == EffectKind::Put || target.changes.len() == 1;
            let changes = target
                .changes
                .iter()
                .filter(|_| whole)
                .map(|change| (change, Given::Hidden));
            let changes: Vec<_> = changes.collect();
            return instances
                .iter()
                .map(|instance| {
                    if changes.is_empty() {
                        return Effect::Unmapped(*instance);
                    }
                    Effect::Managed {
                        instance: *instance,
                        kind: target.effect,
                        changes: changes.clone(),
                        ends: false,
                    }
                })
                .collect();
        }
        Vec::new()
    }
}

/// What a call takes from lists of a resource that no state has.
fn lessened<'a>(
    target: &'a Target,
    resource_type: &'a str,
    found: &Found,
    view: &View<'_>,
) -> Vec<Effect<'a>> {
    let changes = view.changes(&target.changes).into_iter();
    let taken: Vec<(&str, Value)> = changes
        .filter_map(|(change, given)| match given {
            Given::Value(value) if change.operation == Operation::Remove => {
                Some((change.path.as_str(), value))
            }
            _ => None,
        })
        .collect();
    let names = found.names.iter().cloned();
    names
        .map(|names| Effect::Lessened {
            resource_type,
            names,
            taken: taken.clone(),
        })
        .collect()
}

/// A call with its request laid out as rules read it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) call: Call,
    pub(super) request: Value,
    pub(super) resources: Value,
}

impl Opened {
    pub(super) fn of(mut call: Call) -> Self {
        let request = shape::normalised(std::mem::take(&mut call.request));
        let resources = std::mem::take(&mut call.resources)
            .into_iter()
            .map(Value::String)
            .collect();
        Self {
            call,
            request,
            resources,
        }
    }

    /// The parts that rules may look at.
    pub(super) fn view(&self) -> View<'_> {
        View {
            request: &self.request,
            response: &self.call.response,
            extra: &self.call.extra,
            resources: &self.resources,
            item: &Value::Null,
        }
    }

    /// What is kept of a call that is still needed.
    fn cause(&mut self, principals: Option<&Principals>) -> Caused {
        // What is large is not copied.
        let response = std::mem::take(&mut self.call.response);
        let extra = std::mem::take(&mut self.call.extra);
        let cause = Caused::of(self.call.clone(), principals);
        (self.call.response, self.call.extra) = (response, extra);
        cause
    }
}

impl Caused {
    /// Judges who called and by what means, and lets the rest of a call go.
    pub(super) fn of(call: Call, principals: Option<&Principals>) -> Self {
        let actor = actor(&call.caller);
        let origin = origin(&call.caller, &actor, principals);
        Self {
            event: Arc::new(Event {
                event_id: call.id,
                time: call.time,
                source: call.service,
                name: call.name,
                actor,
                origin,
                account: call.account,
                region: call.region,
                error: call.error,
            }),
            shared_id: call.shared_id,
            corrects: call.corrects,
        }
    }
}

/// Where a call was made, as far as matching cares.
struct Place<'c> {
    call: &'c Call,
    scope: Scope,
}

fn owner_rank(rule: &CallRule, target: &Target) -> Option<usize> {
    match &target.resource_type {
        ResourceType::Named(name) => rule.owners.iter().position(|owner| owner == name),
        ResourceType::AnyTagged => rule.owners.iter().position(|owner| owner == "*"),
    }
}
