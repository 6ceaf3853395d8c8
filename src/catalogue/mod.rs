//! Knowledge as data: what a call changes, and how it names what it changes.
//!
//! The rule files are described in `docs/catalogue.md`. A service's files are parsed when the first
//! call or resource of that service is met; until then only their headings are known.

pub mod aws;
mod compile;
pub mod coverage;
pub mod evaluate;
pub mod explain;
pub mod load;
pub mod path;
pub mod rule;
pub mod schema;
pub mod transform;
pub mod value;

pub use compile::rendered;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use load::{LoadError, RuleText, ServiceRules};
use rule::{CallRule, Provenance, ResourceType, TypeFacts};

/// All rules: those in the binary, and those that the user adds.
#[derive(Debug)]
pub struct Catalogue {
    services: HashMap<String, Service>,
    /// Services whose rules speak of a type.
    services_of_type: HashMap<String, Vec<String>>,
}

#[derive(Debug, Default)]
struct Service {
    texts: Vec<OwnedText>,
    events: BTreeSet<String>,
    rules: OnceLock<ServiceRules>,
}

#[derive(Debug)]
struct OwnedText {
    file: String,
    text: std::borrow::Cow<'static, str>,
    provenance: Provenance,
}

impl Catalogue {
    /// The rules in the binary.
    #[must_use]
    pub fn builtin() -> Self {
        let mut catalogue = Self {
            services: HashMap::new(),
            services_of_type: HashMap::new(),
        };
        for (directory, provenance) in [
            (&aws::GENERATED, Provenance::Generated),
            (&aws::HANDWRITTEN, Provenance::Handwritten),
        ] {
            for file in directory.files() {
                if let Some(text) = file.contents_utf8().filter(|text| !text.is_empty()) {
                    catalogue.take(&file.path().display().to_string(), text.into(), provenance);
                }
            }
        }
        catalogue
    }

    /// Adds a user's rules; they win over what is there.
    ///
    /// # Errors
    /// When the text is no rule file; the error names the place.
    pub fn add(&mut self, file: &str, text: String) -> Result<(), LoadError> {
        let own = load::load(&[RuleText {
            file,
            text: &text,
            provenance: Provenance::User,
        }])?;
        if own.service.is_empty() {
            return Err(LoadError::Rule {
                file: file.to_owned(),
                place: String::from("service"),
                problem: String::from("is missing: write `service = \"ec2.amazonaws.com\"` first"),
            });
        }
        self.take(file, text.into(), Provenance::User);
        if let Some(service) = self.services.get_mut(&own.service) {
            // The merged whole must hold too; say so now, not when the first call comes.
            let (merged, errors) = service.load();
            if let Some(error) = errors.into_iter().next() {
                return Err(error);
            }
            service.rules = OnceLock::from(merged);
        }
        Ok(())
    }

    /// Reads the headings of a file: its service, events and types.
    fn take(&mut self, file: &str, text: std::borrow::Cow<'static, str>, provenance: Provenance) {
        let mut name = None;
        let mut events = BTreeSet::new();
        let mut types = BTreeSet::new();
        for line in text.lines() {
            if let Some(value) = line.strip_prefix("service").filter(|_| name.is_none()) {
                name = value.split('"').nth(1).map(str::to_owned);
            } else if let Some(heading) = line.strip_prefix('[') {
                let heading = heading
                    .trim_start_matches('[')
                    .split(']')
                    .next()
                    .unwrap_or_default();
                let mut parts = heading.split('.').map(|part| part.trim().trim_matches('"'));
                if let Some(event) = parts.next().filter(|event| *event != "type") {
                    events.insert(event.to_owned());
                }
                types.extend(parts.next().map(str::to_owned));
            }
        }
        let Some(name) = name else { return };
        for resource_type in types {
            let services = self.services_of_type.entry(resource_type).or_default();
            if !services.contains(&name) {
                services.push(name.clone());
            }
        }
        let service = self.services.entry(name).or_default();
        service.events.extend(events);
        service.texts.push(OwnedText {
            file: file.to_owned(),
            text,
            provenance,
        });
    }

    /// Whether any rule speaks of this call. The event name may carry a version suffix.
    #[must_use]
    pub fn knows(&self, service: &str, event: &str) -> bool {
        self.services
            .get(service)
            .is_some_and(|service| service.events.contains(aws::shape::without_version(event)))
    }

    /// The rules of a service, parsed on first use.
    #[must_use]
    pub fn service(&self, service: &str) -> Option<&ServiceRules> {
        self.services.get(service).map(Service::rules)
    }

    /// The rule of a call. The event name may carry a version suffix.
    #[must_use]
    pub fn rule(&self, service: &str, event: &str) -> Option<&CallRule> {
        self.service(service)?
            .calls
            .get(aws::shape::without_version(event))
    }

    /// Names of all services with rules.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    /// The services whose rules speak of a type.
    pub fn services_of(&self, resource_type: &str) -> impl Iterator<Item = &ServiceRules> {
        self.services_of_type
            .get(resource_type)
            .into_iter()
            .flatten()
            .filter_map(|name| self.service(name))
    }

    /// What is known of a type beside its schema, from all services.
    #[must_use]
    pub fn facts(&self, resource_type: &str) -> TypeFacts {
        let mut facts = TypeFacts::default();
        for rules in self.services_of(resource_type) {
            if let Some(own) = rules.types.get(resource_type) {
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
        for rules in self.services_of(resource_type) {
            for call in rules.calls.values() {
                for target in &call.targets {
                    if target.resource_type == ResourceType::Named(resource_type.to_owned()) {
                        known = true;
                        keys.extend(
                            target
                                .find
                                .iter()
                                .flatten()
                                .map(|pair| pair.attribute.clone()),
                        );
                    }
                    let parent = target
                        .parent
                        .iter()
                        .filter(|parent| parent.resource_type == resource_type);
                    keys.extend(
                        parent.flat_map(|parent| {
                            parent.find.iter().map(|pair| pair.attribute.clone())
                        }),
                    );
                    let yields = target
                        .yields
                        .iter()
                        .filter(|(other, _)| other == resource_type);
                    keys.extend(yields.map(|(_, attribute)| attribute.clone()));
                }
            }
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

impl Service {
    fn load(&self) -> (ServiceRules, Vec<LoadError>) {
        let mut texts: Vec<RuleText<'_>> = self
            .texts
            .iter()
            .map(|text| RuleText {
                file: &text.file,
                text: &text.text,
                provenance: text.provenance,
            })
            .collect();
        texts.sort_by_key(|text| text.provenance);
        load::load_all(&texts)
    }

    /// The parsed rules. Those in the binary are held to be without errors by a test.
    fn rules(&self) -> &ServiceRules {
        self.rules.get_or_init(|| self.load().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_in_the_binary_can_be_loaded() {
        let catalogue = Catalogue::builtin();
        let errors: Vec<String> = catalogue
            .services
            .values()
            .flat_map(|service| service.load().1)
            .map(|error| error.to_string())
            .collect();
        assert!(
            errors.is_empty(),
            "{} errors:\n{}",
            errors.len(),
            errors.join("\n")
        );
    }
}
