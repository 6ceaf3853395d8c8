//! Picks what a call does to a resource that no state has, by the names that rules find resources
//! with, from the call alone.

use std::collections::HashSet;

use serde_json::Value;

use super::super::effect::{Caused, Created, Opened};
use super::super::names::collect_texts;
use super::super::principals::Principals;
use super::subject::Stranger;
use super::touch::{Act, Touch, names_by_rule};
use crate::audit::call::Call;
use crate::catalogue::Catalogue;
use crate::catalogue::aws::identifier::{self, Arn};
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{CallRule, EffectKind, Pair, ResourceType, Scope, Source, Target};

/// What a resource without a state is taken for: calls that agree in this are about one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// Terraform's type; none where no rule knows any of the calls.
    pub resource_type: Option<String>,
    /// The account.
    pub account: String,
    /// The region; none where names reach further.
    pub region: Option<String>,
}

/// What a call tells of a resource beside what it does to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
}

/// Picks the calls that concern a resource that no state has.
pub struct Search<'r, 'a> {
    catalogue: &'a Catalogue,
    wanted: &'r Stranger,
    /// Who may apply Terraform; none: anyone who looks like it.
    principals: Option<&'r Principals>,
    /// Services whose calls may name it; none for all that rules speak of.
    services: Option<HashSet<&'a str>>,
}

impl<'r, 'a> Search<'r, 'a> {
    /// Searches for this.
    #[must_use]
    pub fn new(
        catalogue: &'a Catalogue,
        wanted: &'r Stranger,
        principals: Option<&'r Principals>,
    ) -> Self {
        let of_type = |kind: &str| -> HashSet<&'a str> {
            catalogue
                .services_of(kind)
                .map(|rules| rules.service.as_str())
                .collect()
        };
        // Most services log under the name that their ARNs have.
        let of_arn = |arn: Arn<'_>| {
            let host = format!("{}.amazonaws.com", arn.service);
            catalogue.services().find(|service| *service == host)
        };
        let services = match &wanted.resource_type {
            Some(kind) => Some(of_type(kind)),
            None => Arn::parse(&wanted.name)
                .and_then(of_arn)
                .map(|service| HashSet::from([service])),
        };
        Self {
            catalogue,
            wanted,
            principals,
            services,
        }
    }

    /// Whether calls of this service and name could concern it.
    #[must_use]
    pub fn wants(&self, service: &str, event: &str) -> bool {
        match &self.services {
            Some(services) => services.contains(service),
            None => self.catalogue.knows(service, event),
        }
    }

    /// What a call does to the resource, and what it takes it for.
    #[must_use]
    pub fn touches(&self, call: Call) -> Vec<(Taken, Told, Touch<'a>)> {
        if let Some(arn) = Arn::parse(&self.wanted.name) {
            let fits = |own: &str, asked: &str| own.is_empty() || own == asked;
            if !fits(arn.account, &call.account) {
                return Vec::new();
            }
        }
        let opened = Opened::of(call);
        let acts = match self.catalogue.rule(&opened.call.service, &opened.call.name) {
            Some(rule) => self.by_rule(rule, &opened),
            None if self.is_anywhere(&opened) => {
                vec![(
                    self.wanted.resource_type.clone(),
                    Told::default(),
                    Act::Unjudged,
                )]
            }
            None => Vec::new(),
        };
        if acts.is_empty() {
            return Vec::new();
        }
        let scope = self
            .catalogue
            .service(&opened.call.service)
            .map(|rules| rules.scope)
            .unwrap_or_default();
        let caused = Caused::of(opened.call, self.principals);
        let mut found: Vec<(Taken, Told, Touch<'a>)> = Vec::new();
        for (resource_type, told, act) in acts {
            let taken = Taken {
                resource_type,
                account: caused.event.account.clone(),
                region: (scope == Scope::Regional).then(|| caused.event.region.clone()),
            };
            if let Some((_, known, touch)) = found.iter_mut().find(|(known, _, _)| *known == taken)
            {
                known.id = known.id.take().or(told.id);
                known.arn = known.arn.take().or(told.arn);
                touch.acts.push(act);
            } else {
                let call = caused.clone();
                let acts = vec![act];
                found.push((taken, told, Touch { call, acts }));
            }
        }
        found
    }

    fn by_rule(&self, rule: &'a CallRule, opened: &Opened) -> Vec<(Option<String>, Told, Act<'a>)> {
        if let Some(why) = &rule.operates {
            return if self.is_anywhere(opened) {
                vec![(
                    self.wanted.resource_type.clone(),
                    Told::default(),
                    Act::Operated(why),
                )]
            } else {
                Vec::new()
            };
        }
        let view = opened.view();
        if !view.holds(&rule.when) {
            return Vec::new();
        }
        let items = match &rule.each {
            Some(each) => view.each(each),
            None => vec![Value::Null],
        };
        let mut acts = Vec::new();
        for item in &items {
            let view = view.with_item(item);
            for target in self.targets(rule, &view) {
                let inner = match &target.each {
                    Some(each) => view.each(each),
                    None => vec![item.clone()],
                };
                for item in &inner {
                    acts.extend(self.one(target, &view.with_item(item)));
                }
            }
            acts.extend(
                rule.targets
                    .iter()
                    .filter_map(|target| self.hung(target, &view)),
            );
        }
        if acts.is_empty() {
            acts.extend(self.named(rule, opened));
        }
        acts
    }

    /// The targets that may mean it. Of owners of one change the widest counts where no type was
    /// given: who asks for a bucket by its name means the bucket, not its versioning.
    fn targets(&self, rule: &'a CallRule, view: &View<'_>) -> Vec<&'a Target> {
        let rank = |target: &Target| match &target.resource_type {
            ResourceType::Named(name) => rule.owners.iter().position(|owner| owner == name),
            ResourceType::AnyTagged => rule.owners.iter().position(|owner| owner == "*"),
        };
        let of_type = |target: &&Target| match (&target.resource_type, &self.wanted.resource_type) {
            (ResourceType::Named(name), Some(wanted)) => name == wanted,
            _ => true,
        };
        let fitting: Vec<&Target> = rule
            .targets
            .iter()
            .filter(of_type)
            .filter(|target| target.each.is_some() || view.holds(&target.when))
            .collect();
        let widest = fitting
            .iter()
            .filter(|target| target.each.is_some() || self.is_target(target, view))
            .filter_map(|target| rank(target))
            .max();
        fitting
            .into_iter()
            .filter(|target| rank(target).is_none_or(|own| Some(own) == widest))
            .collect()
    }

    fn one(&self, target: &'a Target, view: &View<'_>) -> Option<(Option<String>, Told, Act<'a>)> {
        if !view.holds(&target.when) || !self.is_target(target, view) {
            return None;
        }
        let resource_type = match &target.resource_type {
            ResourceType::Named(name) => Some(name.to_string()),
            ResourceType::AnyTagged => self.wanted.resource_type.clone(),
        };
        let changes = view.changes(&target.changes);
        let silent =
            matches!(target.effect, EffectKind::Update | EffectKind::Put) && changes.is_empty();
        let act = if silent {
            Act::Named(Vec::new())
        } else {
            Act::Effect {
                kind: target.effect,
                changes,
                ends: target.ends_managed,
            }
        };
        let told = Told {
            id: self.own(target.id.as_ref(), view),
            arn: self.own(target.arn.as_ref(), view),
        };
        Some((resource_type, told, act))
    }

    /// That a call hangs something on it, or takes something away that may have been hung on it.
    fn hung(&self, target: &'a Target, view: &View<'_>) -> Option<(Option<String>, Told, Act<'a>)> {
        let ResourceType::Named(resource_type) = &target.resource_type else {
            return None;
        };
        if !view.holds(&target.when) {
            return None;
        }
        let pairs = target.find.iter().find_map(|pairs| view.names(pairs))?;
        let first = |(pair, texts): (&Pair, Vec<String>)| {
            let text = texts.into_iter().next()?;
            Some((pair.attribute.to_string(), text))
        };
        let names: Vec<(String, String)> = pairs.into_iter().filter_map(first).collect();
        match (&target.parent, target.effect) {
            (Some(parent), EffectKind::Create | EffectKind::Put) => {
                let given = view.names(&parent.find)?;
                let kind = &parent.resource_type;
                let asked = self.wanted.resource_type.as_ref();
                if asked.is_some_and(|asked| asked != kind) || !self.is_given(&given) {
                    return None;
                }
                let id = target
                    .id
                    .as_ref()
                    .and_then(|source| view.texts(source).into_iter().next());
                let created = Created {
                    resource_type: resource_type.to_string(),
                    id,
                    arn: None,
                    names,
                    parent: None,
                    attributes: Vec::new(),
                    grows: Vec::new(),
                };
                Some((Some(kind.to_string()), Told::default(), Act::Hung(created)))
            }
            (None, EffectKind::Delete) if names.len() > 1 => {
                let ours = names.iter().any(|(_, name)| self.is_it(name));
                let act = Act::Unhung {
                    resource_type,
                    names,
                };
                ours.then(|| (self.wanted.resource_type.clone(), Told::default(), act))
            }
            _ => None,
        }
    }

    /// The id or ARN that a call gives what is searched for. Of several only the one that was asked
    /// for is known to be it.
    fn own(&self, source: Option<&Source>, view: &View<'_>) -> Option<String> {
        let texts = view.texts(source?);
        let asked = texts.iter().find(|text| self.is_it(text)).cloned();
        asked.or_else(|| <[String; 1]>::try_from(texts).ok().map(|[only]| only))
    }

    /// Whether a target means what is searched for: by one of its names alone, by all of them
    /// joined, or by the id or ARN that the call gave it.
    fn is_target(&self, target: &Target, view: &View<'_>) -> bool {
        let made = [&target.id, &target.arn]
            .into_iter()
            .flatten()
            .any(|source| view.texts(source).iter().any(|text| self.is_it(text)));
        made || target.find.iter().any(|alternative| {
            view.names(alternative)
                .is_some_and(|given| self.is_given(&given))
        })
    }

    fn is_given(&self, given: &[(&Pair, Vec<String>)]) -> bool {
        let required: Vec<&(&Pair, Vec<String>)> = given
            .iter()
            .filter(|(pair, _)| !pair.optional && !pair.other)
            .collect();
        let own = |(pair, texts): &&(&Pair, Vec<String>)| {
            (required.len() == 1 || matches!(pair.attribute.as_str(), "id" | "arn"))
                && texts.iter().any(|text| self.is_it(text))
        };
        let joined = || {
            let parts: Vec<&str> = required
                .iter()
                .filter_map(|(_, texts)| texts.first().map(String::as_str))
                .collect();
            ["/", ":", ",", "_"]
                .iter()
                .any(|between| parts.join(between) == self.wanted.name)
        };
        required.iter().any(own) || (required.len() > 1 && joined())
    }

    fn is_it(&self, text: &str) -> bool {
        identifier::same(&self.wanted.name, text)
    }

    /// That a call names it and changes something else.
    fn named(
        &self,
        rule: &'a CallRule,
        opened: &Opened,
    ) -> Option<(Option<String>, Told, Act<'a>)> {
        // Without a type, a name alone is too little to tell whose it is.
        let kind = self.wanted.resource_type.clone()?;
        let types: Vec<&'a str> = names_by_rule(rule, opened)
            .into_iter()
            .filter(|(_, texts)| texts.iter().any(|text| self.is_it(text)))
            .filter_map(|(target, _)| match &target.resource_type {
                ResourceType::Named(name) => Some(name.as_str()),
                ResourceType::AnyTagged => None,
            })
            .collect();
        (!types.is_empty()).then(|| (Some(kind), Told::default(), Act::Named(types)))
    }

    /// Whether a call names it anywhere.
    fn is_anywhere(&self, opened: &Opened) -> bool {
        let mut texts = Vec::new();
        collect_texts(&opened.request, 0, &mut texts);
        collect_texts(&opened.resources, 0, &mut texts);
        texts.into_iter().any(|text| self.is_it(text))
    }
}
