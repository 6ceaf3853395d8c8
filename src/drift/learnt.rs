//! Names that calls teach and no state knows: what was renamed, and what gets a new id with every
//! change. Later calls that give such a name are read as if they gave the one it stands for.
//!
//! Which calls teach names, and at which keys later calls give them, rules say (`learns`). Calls are
//! read in the order of time, so that each is read with what was known when it was made.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::effect::{Opened, Resolver};
use crate::catalogue::aws::identifier::Arn;
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
}

/// A name where calls give it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    service: String,
    account: String,
    region: String,
    /// The key of the request, in lower case.
    key: String,
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
        }
    }

    fn name(&self, key: &str, text: &str) -> Name {
        Name {
            service: self.service.to_owned(),
            account: self.account.to_owned(),
            region: self.region.to_owned(),
            key: key.to_ascii_lowercase(),
            text: text.to_lowercase(),
        }
    }
}

impl Learnt {
    /// Reads a call with all that is known, and learns from it. Whether it says something else now.
    pub(super) fn read(&mut self, resolver: &Resolver<'_>, opened: &mut Opened) -> bool {
        let mut request = std::mem::take(&mut opened.request);
        let ground = Ground::of(resolver, opened);
        let told = !self.known.is_empty() && self.tell(&ground, "", &mut request);
        opened.request = request;
        let rule = resolver
            .catalogue
            .rule(&opened.call.service, &opened.call.name);
        if let Some(rule) = rule.filter(|_| opened.call.error.is_none()) {
            self.learn(resolver, rule, opened);
        }
        told
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
        if let Some(meaning) = self.known.get(&ground.name(key, text)) {
            return Some((meaning, meaning.was.clone()));
        }
        let resource = Arn::parse(text)?.resource;
        let name = resource.find([':', '/']).map_or(0, |at| at + 1);
        let (kind, name) = resource.split_at_checked(name)?;
        let meaning = self.known.get(&ground.name(key, name))?;
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
            let items = match &lesson.each {
                Some(each) => view.each(each),
                None => vec![Value::Null],
            };
            for item in &items {
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
                if was.is_some() || !given.is_empty() {
                    self.keep(&ground, lesson, &is, was, &given);
                }
            }
        }
    }

    fn keep(
        &mut self,
        ground: &Ground<'_>,
        lesson: &Lesson,
        is: &str,
        was: Option<String>,
        gives: &[(String, Value)],
    ) {
        for key in &lesson.keys {
            if self.known.len().max(self.now.len()) >= MOST {
                return;
            }
            let name = ground.name(key, is);
            if let Some(was) = &was {
                // A name that was given up means nothing any more.
                let old = self.now.insert(ground.name(key, was), is.to_owned());
                if let Some(old) = old {
                    self.known.remove(&ground.name(key, &old));
                }
            }
            if was.as_deref() == Some(is) {
                self.known.remove(&name);
                continue;
            }
            let meaning = Meaning {
                was: was.clone(),
                arn: lesson.arn.as_ref().map(ToString::to_string),
                gives: gives.to_vec(),
            };
            self.known.insert(name, meaning);
        }
    }
}

/// Whether a request gives a text at one of these keys.
pub(super) fn holds_any(request: &Value, keys: &BTreeSet<String>) -> bool {
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
