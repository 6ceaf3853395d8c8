//! Knowledge as data: what a call changes, and how it names what it changes.
//!
//! The rule files are described in `docs/catalogue.md`. The build script merges them into the
//! binary; of each call the rule is read when the call or a resource that it touches is first met.

pub mod alike;
pub mod aws;
mod compile;
pub mod coverage;
pub mod evaluate;
pub mod explain;
pub mod load;
pub mod members;
mod merge;
mod pack;
pub mod path;
pub mod respell;
pub mod rule;
pub mod schema;
mod service;
pub mod text;
pub mod transform;
pub mod tree;
pub mod value;

pub use compile::rendered;
pub use service::Service;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use load::{LoadError, RuleText, ServiceRules};
use pack::{Offset, Pack};
use rule::{CallRule, Provenance, ResourceType, TypeFacts};
use service::NameMap;
use text::Text;

/// All rules: those in the binary, and those that the user adds.
#[derive(Debug, Default)]
pub struct Catalogue {
    services: Vec<Service>,
    /// Places in `services` by event source.
    places: NameMap<usize>,
    types: NameMap<Mentions>,
}

/// Where rules speak of a type.
#[derive(Debug, Default)]
struct Mentions {
    packed: Option<(Pack, Offset)>,
    row: OnceLock<Row>,
}

/// Services and calls that speak of a type.
#[derive(Debug, Default)]
struct Row {
    /// Places of services that change it or know facts about it.
    services: Vec<usize>,
    /// Places of services, and calls that change it, hang something on it or yield to it.
    calls: Vec<(usize, Text)>,
}

impl Mentions {
    fn row(&self) -> &Row {
        self.row.get_or_init(|| {
            let row = self.packed.and_then(|(pack, offset)| pack.row(offset));
            let row = row.unwrap_or_default();
            let calls = row.calls.into_iter();
            Row {
                services: row.services,
                calls: calls.map(|(place, name)| (place, name.into())).collect(),
            }
        })
    }
}

impl Catalogue {
    /// The rules in the binary.
    #[must_use]
    pub fn builtin() -> Self {
        let pack = pack::AWS;
        let mut catalogue = Self::default();
        for packed in pack.services().unwrap_or_default() {
            catalogue.put(Service::packed(pack, packed));
        }
        let types = pack.types().unwrap_or_default().into_iter();
        catalogue.types = types
            .map(|(name, offset)| {
                let mentions = Mentions {
                    packed: Some((pack, offset)),
                    row: OnceLock::new(),
                };
                (name.into(), mentions)
            })
            .collect();
        catalogue
    }

    /// Adds a user's rules; they win over what is there.
    ///
    /// # Errors
    /// When the text is no rule file; the error names the place.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), LoadError> {
        let (own, errors) = load::load_all(&[RuleText {
            file,
            text,
            provenance: Provenance::User,
        }]);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        if own.service.is_empty() {
            return Err(LoadError::Rule {
                file: file.to_owned(),
                place: String::from("service"),
                problem: String::from("is missing: write `service = \"ec2.amazonaws.com\"` first"),
            });
        }
        let mut merged = self
            .service(&own.service)
            .map(Service::merged)
            .unwrap_or_default();
        merge::by_user(&mut merged, load::parse(file, text)?);
        // The merged whole must hold too; say so now, not when the first call comes.
        let mut errors = Vec::new();
        let whole = load::read(file, &merged, &mut errors);
        if let Some(error) = errors.into_iter().next() {
            return Err(error);
        }
        let place = self.put(Service::own(&own.service, whole.scope, merged));
        self.mention(place, &own);
        Ok(())
    }

    /// Puts a service in the place of the one of its name, or behind all.
    fn put(&mut self, service: Service) -> usize {
        let next = self.services.len();
        let name = Text::from(service.service.clone());
        let place = *self.places.entry(name).or_insert(next);
        match self.services.get_mut(place) {
            Some(old) => *old = service,
            None => self.services.push(service),
        }
        place
    }

    /// Notes which types some rules speak of.
    fn mention(&mut self, place: usize, rules: &ServiceRules) {
        let mut note = |name: &Text, call: Option<&Text>, owner: bool| {
            let mentions = self.types.entry(name.clone()).or_default();
            mentions.row();
            let Some(row) = mentions.row.get_mut() else {
                return;
            };
            if owner && !row.services.contains(&place) {
                row.services.push(place);
            }
            if let Some(call) = call
                && !row
                    .calls
                    .iter()
                    .any(|(at, name)| *at == place && name == call)
            {
                row.calls.push((place, call.clone()));
            }
        };
        for name in rules.types.keys() {
            note(name, None, true);
        }
        for call in rules.calls.values() {
            for target in &call.targets {
                if let ResourceType::Named(name) = &target.resource_type {
                    note(name, Some(&call.event), true);
                }
                if let Some(parent) = &target.parent {
                    note(&parent.resource_type, Some(&call.event), false);
                }
                for (name, _) in &target.yields {
                    note(name, Some(&call.event), false);
                }
            }
        }
    }

    /// Whether any rule speaks of this call. The event name may carry a version suffix.
    #[must_use]
    pub fn knows(&self, service: &str, event: &str) -> bool {
        self.changes(service, event).is_some()
    }

    /// Whether a call changes something that Terraform may hold: not if it only operates. None when
    /// no rule speaks of it. Reads no rule. The event name may carry a version suffix.
    #[must_use]
    pub fn changes(&self, service: &str, event: &str) -> Option<bool> {
        self.service(service)?.changes(event)
    }

    /// The rules of a service.
    #[must_use]
    pub fn service(&self, service: &str) -> Option<&Service> {
        self.services.get(*self.places.get(service)?)
    }

    /// The rule of a call, read when it is first asked for. The event name may carry a version suffix.
    #[must_use]
    pub fn rule(&self, service: &str, event: &str) -> Option<&CallRule> {
        self.service(service)?.call(event)
    }

    /// Names of all services with rules.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(|service| service.service.as_str())
    }

    /// The services whose rules speak of a type. Reads no rule.
    pub fn services_of(&self, resource_type: &str) -> impl Iterator<Item = &Service> {
        let row = self.types.get(resource_type).map(Mentions::row);
        row.into_iter()
            .flat_map(|row| &row.services)
            .filter_map(|place| self.services.get(*place))
    }

    /// The calls that change a type, that create what hangs on it, or whose targets yield to it.
    pub fn calls_of(&self, resource_type: &str) -> impl Iterator<Item = &CallRule> {
        let row = self.types.get(resource_type).map(Mentions::row);
        row.into_iter()
            .flat_map(|row| &row.calls)
            .filter_map(|(place, event)| self.services.get(*place)?.call(event))
    }

    /// What is known of a type beside its schema, from all services.
    #[must_use]
    pub fn facts(&self, resource_type: &str) -> TypeFacts {
        let mut facts = TypeFacts::default();
        for service in self.services_of(resource_type) {
            if let Some(own) = service.types().get(resource_type) {
                facts.never.extend(own.never.iter().cloned());
                facts.secret.extend(own.secret.iter().cloned());
                facts.name = facts.name.or_else(|| own.name.clone());
            }
        }
        facts
    }

    /// The attributes by which calls name instances of a type. None when no rule speaks of it.
    #[must_use]
    pub fn keys(&self, resource_type: &str) -> Option<Vec<String>> {
        let mut keys = BTreeSet::new();
        let mut known = false;
        for target in self.calls_of(resource_type).flat_map(|call| &call.targets) {
            if matches!(&target.resource_type, ResourceType::Named(name) if *name == *resource_type)
            {
                known = true;
                let pairs = target.find.iter().flatten();
                keys.extend(pairs.map(|pair| pair.attribute.to_string()));
            }
            let parent = target
                .parent
                .iter()
                .filter(|parent| parent.resource_type == *resource_type);
            let pairs = parent.flat_map(|parent| &parent.find);
            keys.extend(pairs.map(|pair| pair.attribute.to_string()));
            let yields = target
                .yields
                .iter()
                .filter(|(other, _)| *other == *resource_type);
            keys.extend(yields.map(|(_, attribute)| attribute.to_string()));
        }
        let tagged = schema::resource(resource_type)
            .is_some_and(|body| body.attributes.contains_key("tags"));
        if !known && !tagged && keys.is_empty() {
            return None;
        }
        keys.extend(["id", "arn"].map(str::to_owned));
        Some(keys.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_in_the_binary_can_be_read() {
        let catalogue = Catalogue::builtin();
        assert!(catalogue.services.len() > 200);
        let mut errors = Vec::new();
        for service in &catalogue.services {
            let rules = load::read(&service.service, &service.merged(), &mut errors);
            assert_eq!(
                rules.calls.len(),
                service.calls().count(),
                "{}",
                service.service
            );
        }
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(
            errors.is_empty(),
            "{} errors:\n{}",
            errors.len(),
            errors.join("\n")
        );
    }
}
