//! Names that calls teach and no state knows: what was renamed, and what gets a new id with every
//! change. Later calls that give such a name are read as if they gave the one it stands for.
//!
//! Which calls teach names, and at which keys later calls give them, rules say (`learns`). Calls are
//! read in the order of time, so that each is read with what was known when it was made.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::effect::{Opened, Resolver};
use super::names::ShortOnly;
use crate::catalogue::Service;
use crate::catalogue::aws::identifier::Arn;
use crate::catalogue::evaluate::View;
use crate::catalogue::rule::{CallRule, Lesson, Scope};
use crate::catalogue::value::Given;

/// Names that are kept. A log that teaches more is made to fill the memory.
const MOST: usize = 1 << 17;

/// Names learnt so far.
#[derive(Debug, Default)]
pub struct Learnt {
    known: HashMap<Name, Meaning>,
    /// What a name that was replaced is called now.
    now: HashMap<Name, String>,
    /// By service and key: the keys beside which a name has its meaning.
    within: HashMap<(String, String), Vec<String>>,
}

/// A name where calls give it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    service: String,
    account: String,
    region: String,
    /// The key of the request, in lower case.
    key: String,
    /// What it lies in, where names are told apart by that, in lower case.
    within: Vec<String>,
    /// The name, in lower case: AWS tells hardly any names apart by case alone.
    text: String,
}

/// What a name stands for.
#[derive(Debug)]
struct Meaning {
    /// The name that is known.
    was: Option<String>,
    /// What stands before the name in an ARN.
    arn: Option<String>,
    /// What stands beside it.
    gives: Vec<(String, Value)>,
}

/// A call's place among names.
struct Ground<'c> {
    service: &'c str,
    account: &'c str,
    region: &'c str,
    /// What the request says at its top, by key in lower case.
    beside: HashMap<String, String>,
}

impl<'c> Ground<'c> {
    fn of(resolver: &Resolver<'_>, opened: &'c Opened) -> Self {
        let call = &opened.call;
        let service = resolver.catalogue.service(&call.service);
        let is_regional = service.is_none_or(|rules| rules.scope == Scope::Regional);
        Self {
            service: &call.service,
            account: &call.account,
            region: if is_regional { &call.region } else { "" },
            beside: HashMap::new(),
        }
    }

    fn name(&self, key: &str, text: &str, within: Vec<String>) -> Name {
        Name {
            service: self.service.to_owned(),
            account: self.account.to_owned(),
            region: self.region.to_owned(),
            key: key.to_ascii_lowercase(),
            within,
            text: text.to_lowercase(),
        }
    }
}

/// What the names in a call may have to do with those of other calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words {
    /// It teaches names.
    pub(super) teaches: bool,
    /// By some of them later calls mean what it means by another.
    pub(super) renames: bool,
    /// It gives names that may be learnt.
    pub(super) may_be_learnt: bool,
}

impl Words {
    /// Whether the call has to be read again in the order of time.
    pub(super) fn matter(self) -> bool {
        self.teaches || self.may_be_learnt
    }
}

impl Resolver<'_> {
    /// What the names in a call may have to do with those of other calls.
    pub(super) fn words(&self, opened: &Opened) -> Words {
        let call = &opened.call;
        let keys = self.catalogue.service(&call.service).map(Service::learnt);
        let rule = self.catalogue.rule(&call.service, &call.name);
        match (keys, rule) {
            (Some(keys), Some(rule)) if !keys.is_empty() && rule.operates.is_none() => {
                let said = rule.learns.iter().filter(|lesson| says(opened, lesson));
                let said: Vec<&Lesson> = said.collect();
                Words {
                    teaches: !said.is_empty(),
                    renames: said.iter().any(|lesson| lesson.was.is_some()),
                    may_be_learnt: self.covers(&call.account) && holds_any(&opened.request, keys),
                }
            }
            _ => Words::default(),
        }
    }
}

/// Whether a call gives the name that a lesson is about: most that could rename do not.
fn says(opened: &Opened, lesson: &Lesson) -> bool {
    let view = opened.view();
    let gives_it = |item: &Value| !view.with_item(item).texts(&lesson.is).is_empty();
    items(&view, lesson).iter().any(gives_it)
}

/// What of a call a lesson is about: each item of a list, or the call as a whole.
fn items(view: &View<'_>, lesson: &Lesson) -> Vec<Value> {
    match &lesson.each {
        Some(each) => view.each(each),
        None => vec![Value::Null],
    }
}

impl Learnt {
    /// Reads a call with all that is known, and learns from it. Whether it says something else now.
    pub(super) fn read(&mut self, resolver: &Resolver<'_>, opened: &mut Opened) -> bool {
        let mut request = std::mem::take(&mut opened.request);
        let mut ground = Ground::of(resolver, opened);
        let mut told = false;
        if !self.known.is_empty() {
            ground.beside = self.beside(&ground, &request);
            told = self.tell(&ground, "", &mut request);
        }
        opened.request = request;
        let rule = resolver
            .catalogue
            .rule(&opened.call.service, &opened.call.name);
        if let Some(rule) = rule.filter(|_| opened.call.error.is_none()) {
            self.learn(resolver, rule, opened);
        }
        told
    }

    /// What a request says at its top, by the names that are known.
    fn beside(&self, ground: &Ground<'_>, request: &Value) -> HashMap<String, String> {
        let texts = request.as_object().into_iter().flatten();
        texts
            .filter_map(|(key, value)| Some((key, value.as_str()?)))
            .map(|(key, text)| {
                let known = self.meaning(ground, key, text).and_then(|(_, known)| known);
                let text = known.unwrap_or_else(|| text.to_owned());
                (key.to_ascii_lowercase(), text)
            })
            .collect()
    }

    /// A name in a call, with what it lies in.
    fn name(&self, ground: &Ground<'_>, key: &str, text: &str) -> Name {
        let place = (ground.service.to_owned(), key.to_ascii_lowercase());
        let within = self.within.get(&place).into_iter().flatten();
        let within = within.map(|key| {
            let text = ground.beside.get(key);
            text.map(|text| text.to_lowercase()).unwrap_or_default()
        });
        ground.name(key, text, within.collect())
    }

    /// Puts known names in the place of those that were learnt.
    fn tell(&self, ground: &Ground<'_>, key: &str, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.meaning(ground, key, text) {
                Some((_, Some(known))) => {
                    *text = known;
                    true
                }
                _ => false,
            },
            Value::Array(list) => {
                let mut told = false;
                for member in list {
                    told |= self.tell(ground, key, member);
                }
                told
            }
            Value::Object(map) => {
                let mut told = self.give(ground, map);
                for (key, value) in map {
                    told |= self.tell(ground, key, value);
                }
                told
            }
            _ => false,
        }
    }

    /// Adds what is known beside the names that an object gives.
    fn give(&self, ground: &Ground<'_>, map: &mut Map<String, Value>) -> bool {
        let names = map
            .iter()
            .filter_map(|(key, value)| self.meaning(ground, key, value.as_str()?));
        let given: Vec<(String, Value)> = names
            .flat_map(|(meaning, _)| meaning.gives.iter().cloned())
            .collect();
        let told = !given.is_empty();
        for (key, value) in given {
            map.entry(key).or_insert(value);
        }
        told
    }

    /// What a name stands for, and how to write the one that is known.
    fn meaning(
        &self,
        ground: &Ground<'_>,
        key: &str,
        text: &str,
    ) -> Option<(&Meaning, Option<String>)> {
        if let Some(meaning) = self.known.get(&self.name(ground, key, text)) {
            return Some((meaning, meaning.was.clone()));
        }
        let resource = Arn::parse(text)?.resource;
        let name = resource.find([':', '/']).map_or(0, |at| at + 1);
        let (kind, name) = resource.split_at_checked(name)?;
        let meaning = self.known.get(&self.name(ground, key, name))?;
        if meaning.arn.as_deref() != Some(kind) {
            return None;
        }
        let known = meaning.was.as_ref().and_then(|was| {
            let rest = text.strip_suffix(name)?;
            Some(format!("{rest}{was}"))
        });
        Some((meaning, known))
    }

    fn learn(&mut self, resolver: &Resolver<'_>, rule: &CallRule, opened: &Opened) {
        let view = opened.view();
        if rule.learns.is_empty() || !view.holds(&rule.when) {
            return;
        }
        let ground = Ground::of(resolver, opened);
        for lesson in &rule.learns {
            for item in &items(&view, lesson) {
                let view = view.with_item(item);
                let [is] = view.texts(&lesson.is).try_into().unwrap_or_default();
                let was = match &lesson.was {
                    Some(source) => view.texts(source).into_iter().next(),
                    None => None,
                };
                if is.is_empty() || (lesson.was.is_some() && was.is_none()) {
                    continue;
                }
                let given =
                    lesson
                        .gives
                        .iter()
                        .filter_map(|(key, source)| match view.source(source) {
                            Given::Value(value) => Some((key.to_string(), value)),
                            _ => None,
                        });
                let given: Vec<(String, Value)> = given.collect();
                let within = lesson.within.iter().map(|(_, source)| {
                    let text = view.texts(source).into_iter().next();
                    text.map(|text| text.to_lowercase()).unwrap_or_default()
                });
                let within: Vec<String> = within.collect();
                let is_news = match &was {
                    Some(was) => self.is_news(resolver, &ground, lesson, (&is, &within), was),
                    None => !given.is_empty(),
                };
                if is_news {
                    self.keep(&ground, lesson, (&is, &within), was, &given);
                }
            }
        }
    }

    /// Whether the states still know what is renamed by its old name. A state that was written later
    /// knows it by the new one, which then means what it says, unless it was given up before.
    fn is_news(
        &self,
        resolver: &Resolver<'_>,
        ground: &Ground<'_>,
        lesson: &Lesson,
        (is, within): (&str, &[String]),
        was: &str,
    ) -> bool {
        let is_given_up = || {
            lesson.keys.iter().any(|key| {
                let now = self.now.get(&ground.name(key, is, within.to_vec()));
                now.is_some_and(|now| now != is)
            })
        };
        !is_known(resolver, ground, is) || is_known(resolver, ground, was) || is_given_up()
    }

    fn keep(
        &mut self,
        ground: &Ground<'_>,
        lesson: &Lesson,
        (is, within): (&str, &[String]),
        was: Option<String>,
        gives: &[(String, Value)],
    ) {
        for key in &lesson.keys {
            if self.known.len().max(self.now.len()) >= MOST {
                return;
            }
            if !lesson.within.is_empty() {
                let place = (ground.service.to_owned(), key.to_ascii_lowercase());
                let keys = lesson.within.iter();
                let keys = keys.map(|(key, _)| key.to_ascii_lowercase()).collect();
                self.within.insert(place, keys);
            }
            let name_of = |text: &str| ground.name(key, text, within.to_vec());
            let name = name_of(is);
            if let Some(was) = &was {
                // A name that was given up means nothing any more.
                let old = self.now.insert(name_of(was), is.to_owned());
                if let Some(old) = old {
                    self.known.remove(&name_of(&old));
                }
            }
            if was.as_deref() == Some(is) {
                self.known.remove(&name);
                continue;
            }
            // What was known of the old name holds of the new one.
            let known = was.as_ref().and_then(|was| self.known.get(&name_of(was)));
            let known = known.into_iter().flat_map(|old| old.gives.iter().cloned());
            let meaning = Meaning {
                was: was.clone(),
                arn: lesson.arn.as_ref().map(ToString::to_string),
                gives: gives.iter().cloned().chain(known).collect(),
            };
            self.known.insert(name, meaning);
        }
    }
}

/// Whether a state has something of the service that may be called so.
fn is_known(resolver: &Resolver<'_>, ground: &Ground<'_>, name: &str) -> bool {
    let named = resolver.inventory.naming(name, &ShortOnly);
    named.iter().any(|id| {
        let instance = resolver.inventory.get(*id);
        let is_here = |own: Option<&str>, here: &str| own.is_none_or(|own| own == here);
        let mut services = resolver.catalogue.services_of(instance.resource_type());
        is_here(instance.account(), ground.account)
            && (ground.region.is_empty() || is_here(instance.region(), ground.region))
            && services.any(|rules| rules.service == ground.service)
    })
}

/// Whether a request gives a text at one of these keys.
fn holds_any(request: &Value, keys: &BTreeSet<String>) -> bool {
    match request {
        Value::Array(list) => list.iter().any(|member| holds_any(member, keys)),
        Value::Object(map) => map.iter().any(|(key, value)| {
            let is_given = match value {
                Value::String(_) => true,
                Value::Array(list) => list.iter().any(Value::is_string),
                _ => false,
            };
            let is_key = || keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            (is_given && is_key()) || holds_any(value, keys)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
