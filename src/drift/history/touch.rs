//! Picks what a call does to managed resources that someone asks about. A scan wants changes alone;
//! a history also wants the calls that only name the resource.

use std::collections::{BTreeMap, HashSet};

use super::super::effect::{Caused, Created, Effect, Opened, Resolver};
use super::super::learnt::Learnt;
use super::super::names::{self, ShortOnly, lies_in, values_at};
use crate::audit::call::Call;
use crate::catalogue::aws::identifier;
use crate::catalogue::rule::{CallRule, Change, EffectKind, ResourceType, Scope, Target};
use crate::catalogue::value::Given;
use crate::state::inventory::InstanceId;

/// One call, as far as it concerns one resource.
#[derive(Debug, Clone)]
pub struct Touch<'a> {
    /// The call.
    pub call: Caused,
    /// What it does, in no order; never empty.
    pub acts: Vec<Act<'a>>,
}

/// One thing that a call does to a resource.
#[derive(Debug, Clone)]
pub enum Act<'a> {
    /// It makes it, changes it or removes it.
    Effect {
        /// Which of these.
        kind: EffectKind,
        /// The attributes it speaks of.
        changes: Vec<(&'a Change, Given)>,
        /// Whether it is gone with the last of what the call takes from it.
        ends: bool,
    },
    /// It makes something that hangs on it.
    Hung(Created),
    /// It removes something that may have been hung on it.
    Unhung {
        /// The type.
        resource_type: &'a str,
        /// The names that the call gives.
        names: Vec<(String, String)>,
    },
    /// It names it and changes resources of these types.
    Named(Vec<&'a str>),
    /// It uses it; why that changes nothing.
    Operated(&'a str),
    /// No rule knows the call.
    Unjudged,
}

/// A call whose meaning depends on the names that earlier calls teach.
#[derive(Debug)]
pub struct Taught(Opened);

/// Picks the calls that concern some managed resources.
pub struct Watch<'r, 'a> {
    resolver: &'r Resolver<'a>,
    instances: &'r [InstanceId],
    services: HashSet<&'a str>,
}

impl<'r, 'a> Watch<'r, 'a> {
    /// Watches over these instances.
    #[must_use]
    pub fn new(resolver: &'r Resolver<'a>, instances: &'r [InstanceId]) -> Self {
        let services = instances
            .iter()
            .map(|id| resolver.inventory.get(*id).resource_type())
            .flat_map(|kind| resolver.catalogue.services_of(kind))
            .map(|rules| rules.service.as_str());
        Self {
            resolver,
            instances,
            services: services.collect(),
        }
    }

    /// Whether calls of this service could concern what is watched, so that nothing else is even
    /// parsed.
    #[must_use]
    pub fn wants(&self, service: &str) -> bool {
        self.services.contains(service)
    }

    /// What a call does to each of the instances that it concerns, or the call, if that depends on the
    /// names that earlier calls teach.
    ///
    /// # Errors
    /// With the call, to be read again with all others like it, by [`Watch::taught`].
    pub fn touches(&self, call: Call) -> Result<Vec<(InstanceId, Touch<'a>)>, Box<Taught>> {
        let opened = Opened::of(call);
        if self.resolver.words(&opened).matter() {
            return Err(Box::new(Taught(opened)));
        }
        Ok(self.touched(opened))
    }

    /// What calls do that teach names, and that may give some which others taught.
    #[must_use]
    pub fn taught(&self, mut calls: Vec<Taught>) -> Vec<(InstanceId, Touch<'a>)> {
        calls.sort_by(|Taught(one), Taught(other)| {
            (one.call.time, &one.call.id).cmp(&(other.call.time, &other.call.id))
        });
        let mut learnt = Learnt::default();
        let mut touches = Vec::new();
        for Taught(mut opened) in calls {
            learnt.read(self.resolver, &mut opened);
            touches.extend(self.touched(opened));
        }
        touches
    }

    fn touched(&self, opened: Opened) -> Vec<(InstanceId, Touch<'a>)> {
        let mut acts: BTreeMap<InstanceId, Vec<Act<'a>>> = BTreeMap::new();
        let mut unhung = Vec::new();
        for effect in self.resolver.effects(&opened) {
            match effect {
                Effect::Managed {
                    instance,
                    kind,
                    changes,
                    ends,
                } => acts.entry(instance).or_default().push(Act::Effect {
                    kind,
                    changes,
                    ends,
                }),
                Effect::Unmapped(instance) => {
                    acts.entry(instance).or_default().push(Act::Unjudged);
                }
                Effect::Created(created) => {
                    if let Some(parent) = created.parent {
                        acts.entry(parent).or_default().push(Act::Hung(created));
                    }
                }
                Effect::Lessened { .. } => {}
                Effect::Removed {
                    resource_type,
                    names,
                } => unhung.push((resource_type, names)),
            }
        }
        for (instance, act) in self.named(&opened) {
            acts.entry(instance).or_insert_with(|| vec![act]);
        }
        // Whose child it was that went, only the replay can tell: it knows what was hung before.
        for instance in self.instances {
            for (resource_type, names) in &unhung {
                acts.entry(*instance).or_default().push(Act::Unhung {
                    resource_type,
                    names: names.clone(),
                });
            }
        }
        acts.retain(|instance, acts| self.instances.contains(instance) && !acts.is_empty());
        if acts.is_empty() {
            return Vec::new();
        }
        let caused = Caused::of(opened.call, self.resolver.principals);
        acts.into_iter()
            .map(|(instance, acts)| {
                let call = caused.clone();
                (instance, Touch { call, acts })
            })
            .collect()
    }

    /// Instances that a call names without changing what they hold.
    fn named(&self, opened: &Opened) -> Vec<(InstanceId, Act<'a>)> {
        let call = &opened.call;
        let Some(rule) = self.resolver.catalogue.rule(&call.service, &call.name) else {
            return Vec::new();
        };
        if let Some(why) = &rule.operates {
            return names::named_anywhere(self.resolver, &opened.request, &opened.resources, call)
                .into_iter()
                .map(|instance| (instance, Act::Operated(why.as_str())))
                .collect();
        }
        let scope = self
            .resolver
            .catalogue
            .service(&call.service)
            .map(|rules| rules.scope)
            .unwrap_or_default();
        let mut types: BTreeMap<InstanceId, Vec<&'a str>> = BTreeMap::new();
        for (target, texts) in names_by_rule(rule, opened) {
            for text in &texts {
                for instance in self.resolver.inventory.naming(text, &ShortOnly) {
                    if self.instances.contains(instance)
                        && self.is_called(*instance, text, call, scope)
                    {
                        let types = types.entry(*instance).or_default();
                        let own = self.resolver.inventory.get(*instance).resource_type();
                        if let ResourceType::Named(other) = &target.resource_type
                            && other != own
                            && !types.contains(&other.as_str())
                        {
                            types.push(other);
                        }
                    }
                }
            }
        }
        types
            .into_iter()
            .map(|(instance, types)| (instance, Act::Named(types)))
            .collect()
    }

    fn is_called(&self, instance: InstanceId, text: &String, call: &Call, scope: Scope) -> bool {
        let own = self.resolver.inventory.get(instance);
        let of_service = self
            .resolver
            .catalogue
            .services_of(own.resource_type())
            .any(|rules| rules.service == call.service);
        let by_name = ["id", "arn"].iter().any(|key| {
            values_at(self.resolver, instance, key).iter().any(|value| {
                value
                    .as_str()
                    .is_some_and(|own| identifier::same(own, text))
            })
        });
        of_service
            && by_name
            && lies_in(self.resolver, instance, std::iter::once(text), call, scope)
    }
}

/// The names that the targets of a rule find resources by, target by target.
pub(super) fn names_by_rule<'a>(
    rule: &'a CallRule,
    opened: &Opened,
) -> Vec<(&'a Target, Vec<String>)> {
    let view = opened.view();
    if !view.holds(&rule.when) {
        return Vec::new();
    }
    let items = match &rule.each {
        Some(each) => view.each(each),
        None => vec![serde_json::Value::Null],
    };
    let mut found = Vec::new();
    for item in &items {
        let view = view.with_item(item);
        for target in &rule.targets {
            let inner = match &target.each {
                Some(each) => view.each(each),
                None => vec![item.clone()],
            };
            for item in &inner {
                let view = view.with_item(item);
                if !view.holds(&target.when) {
                    continue;
                }
                let texts: Vec<String> = target
                    .find
                    .iter()
                    .filter_map(|alternative| view.names(alternative))
                    .flatten()
                    .flat_map(|(_, texts)| texts)
                    .collect();
                if !texts.is_empty() {
                    found.push((target, texts));
                }
            }
        }
    }
    found
}
