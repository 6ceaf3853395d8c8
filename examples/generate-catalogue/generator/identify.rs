//! Derives how a call names the instance it is about.

use std::collections::{BTreeMap, BTreeSet};

use tfdrift::catalogue::schema::{Body, Type};

use super::api::{Hop, Member, Operation, Shape};
use super::inputs::Mapping;
use super::spell;
use super::words::{ends_with, singular, snake, verb_and_noun, words};

/// Required members that name nothing.
const NOISE: [&str; 27] = [
    "clienttoken",
    "clientrequesttoken",
    "idempotencytoken",
    "clientrequestid",
    "requestid",
    "revisionid",
    "ifmatch",
    "etag",
    "locktoken",
    "changetoken",
    "updatetoken",
    "currentversion",
    "currentversionid",
    "currentrevision",
    "currentapplicationversionid",
    "conditionaltoken",
    "force",
    "skipfinalsnapshot",
    "dryrun",
    "callerreference",
    "creatorrequestid",
    "expectedrevision",
    "deletemode",
    "recordversion",
    "forcedelete",
    "lastmodifiedtime",
    "clientidempotencytoken",
];

/// How sure it is that a member and an attribute are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// The type's own id, ARN or name.
    Own,
    /// An attribute of that name, or mapped to it.
    Named,
    /// Nothing else fits.
    Fallback,
}

/// One part of how a call names an instance.
#[derive(Debug, Clone)]
pub struct Part {
    pub attribute: String,
    /// Spellings, the likeliest first.
    pub paths: Vec<String>,
    pub tie: Tie,
    /// The call's member.
    pub member: String,
    /// Whether the call may leave it out.
    pub optional: bool,
}

/// The attributes that identify a type, and the members of the ending call that give them.
pub type Keys = BTreeMap<String, String>;

/// How a call names an instance: alternatives of parts.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    pub parts: Vec<Part>,
    /// Other ways to name it: a call gives one of several.
    pub others: Vec<Vec<Part>>,
    /// Templates for an `id` put together from all parts, tried when the parts themselves cannot be.
    pub templates: Vec<String>,
}

impl Identity {
    pub fn keys(&self) -> Keys {
        self.parts
            .iter()
            .filter(|part| !part.optional)
            .map(|part| (part.attribute.clone(), part.member.clone()))
            .collect()
    }

    pub fn attributes(&self) -> BTreeSet<String> {
        self.parts
            .iter()
            .map(|part| part.attribute.clone())
            .collect()
    }
}

/// A resource type as identification sees it.
pub struct Subject<'a> {
    pub body: &'a Body,
    pub words: Vec<String>,
}

impl<'a> Subject<'a> {
    pub fn new(resource_type: &'a str, body: &'a Body) -> Self {
        Self {
            body,
            words: words(resource_type.trim_start_matches("aws_")),
        }
    }

    fn has(&self, attribute: &str) -> bool {
        self.body
            .attributes
            .get(attribute)
            .is_some_and(|found| matches!(found.ty, Type::String | Type::Number))
    }

    fn first(&self, candidates: &[String]) -> Option<String> {
        candidates
            .iter()
            .find(|candidate| self.has(candidate))
            .cloned()
    }

    /// The attribute that a member of a request (or of a response) is.
    pub fn attribute_for(
        &self,
        event: &str,
        member: &str,
        mappings: &[Mapping],
    ) -> Option<(String, Tie)> {
        let name = snake(&singular(member));
        let mapped = mappings.iter().find(|mapping| {
            matches!(mapping.confidence, 'M' | 'A')
                && (mapping.member == member || mapping.member == snake(member))
                && self.has(&mapping.attribute)
        });
        let (base, kind) = split_kind(&name);
        let base_words = words(base);
        let noun = words(&snake(&singular(verb_and_noun(event).1)));
        let own = base.is_empty() || base_words == noun || ends_with(&self.words, &base_words);
        if let Some(mapping) = mapped {
            let tie = if own && !kind.is_empty() {
                Tie::Own
            } else {
                Tie::Named
            };
            return Some((mapping.attribute.clone(), tie));
        }
        if self.has(&name) {
            return Some((name.clone(), if own { Tie::Own } else { Tie::Named }));
        }
        let last = self.words.last().cloned().unwrap_or_default();
        if own {
            let mut candidates: Vec<String> = match kind {
                "name" => vec![
                    "name".into(),
                    format!("{last}_name"),
                    "id".into(),
                    "arn".into(),
                ],
                "arn" => vec!["arn".into(), format!("{last}_arn"), "id".into()],
                "" => vec!["arn".into(), "id".into(), "name".into()],
                _ => vec![
                    format!("{last}_id"),
                    format!("{last}_identifier"),
                    "identifier".into(),
                    "id".into(),
                    "arn".into(),
                ],
            };
            if !base.is_empty() && !kind.is_empty() {
                candidates.insert(0, format!("{base}_{kind}"));
            }
            return self
                .first(&candidates)
                .map(|attribute| (attribute, Tie::Own));
        }
        let base = if kind.is_empty() { name.as_str() } else { base };
        let kinds = ["id", "arn", "name", "identifier"];
        let mut candidates: Vec<String> = Vec::new();
        for stem in [base, base.rsplit('_').next().unwrap_or(base)] {
            if !kind.is_empty() {
                candidates.push(format!("{stem}_{kind}"));
            }
            candidates.extend(kinds.iter().map(|kind| format!("{stem}_{kind}")));
            if stem == base {
                candidates.push(stem.to_owned());
            }
        }
        self.first(&candidates)
            .map(|attribute| (attribute, Tie::Named))
    }

    fn part(
        &self,
        source: &str,
        event: &str,
        operation: &Operation,
        member: &Member,
        mappings: &[Mapping],
    ) -> Option<Part> {
        let (attribute, tie) = self.attribute_for(event, &member.name, mappings)?;
        Some(Part {
            attribute,
            paths: request_paths(source, operation, member),
            tie,
            member: member.name.clone(),
            optional: false,
        })
    }

    /// What is named inside the structures of a request: `configRule.configRuleName`.
    fn inside(&self, source: &str, event: &str, operation: &Operation) -> Vec<Part> {
        let mut parts = Vec::new();
        for member in operation.input.iter().filter(|member| member.required) {
            let (hop, Some(fields)) = opened(member) else {
                continue;
            };
            if hop.lists > 0 {
                continue;
            }
            for field in fields.iter().filter(|field| names_something(field)) {
                let Some((attribute, Tie::Own)) = self.attribute_for(event, &field.name, &[])
                else {
                    continue;
                };
                let paths = spell::request(source, operation, &[hop, opened(field).0]);
                parts.push(Part {
                    attribute,
                    paths,
                    tie: Tie::Own,
                    member: field.name.clone(),
                    optional: false,
                });
            }
        }
        parts
    }

    /// How a call that ends an instance names it: all that it requires.
    pub fn of_delete(
        &self,
        source: &str,
        event: &str,
        operation: &Operation,
        mappings: &[Mapping],
    ) -> Option<Identity> {
        let required = required(operation);
        let mut parts: Vec<Part> = Vec::new();
        let mut missing = Vec::new();
        for member in &required {
            match self.part(source, event, operation, member, mappings) {
                Some(part) if parts.iter().any(|other| other.attribute == part.attribute) => {
                    missing.push(*member);
                }
                Some(part) => parts.push(part),
                None => missing.push(*member),
            }
        }
        // What is named inside a required structure is part of the name: `vPC.vPCId`.
        let mut dark = false;
        for member in operation.input.iter().filter(|member| member.required) {
            let (hop, Some(fields)) = opened(member) else {
                continue;
            };
            let named: Vec<Part> = fields
                .iter()
                .filter(|field| hop.lists == 0 && names_something(field))
                .filter_map(|field| {
                    let (attribute, tie) = self.attribute_for(event, &field.name, &[])?;
                    let sure = tie == Tie::Own
                        || self.has(&snake(&field.name))
                        || snake(&field.name).ends_with("_id");
                    let paths = spell::request(source, operation, &[hop, opened(field).0]);
                    sure.then(|| Part {
                        attribute,
                        paths,
                        tie,
                        member: field.name.clone(),
                        optional: false,
                    })
                })
                .filter(|part| {
                    part.attribute.ends_with("_id")
                        || part.attribute.ends_with("name")
                        || part.attribute.ends_with("arn")
                })
                .collect();
            dark |= named.is_empty();
            for part in named {
                if !parts.iter().any(|other| other.attribute == part.attribute) {
                    parts.push(part);
                }
            }
        }
        if required.is_empty() && parts.is_empty() {
            let mut own = self
                .optional(source, event, operation, mappings)
                .into_iter()
                .map(|part| vec![part]);
            let first = own.next()?;
            return Some(Identity {
                parts: first,
                others: own.collect(),
                ..Identity::default()
            });
        }
        if dark
            && !parts
                .iter()
                .any(|part| part.tie == Tie::Own && !part.attribute.ends_with("name"))
        {
            return None;
        }
        let whole = parts
            .iter()
            .any(|part| part.tie == Tie::Own && !part.attribute.ends_with("name"));
        if missing.is_empty() && !whole && !parts.iter().any(|part| part.tie == Tie::Own) {
            // What else the call may name tells one of several apart; left out, the state must not have it.
            for member in operation
                .input
                .iter()
                .filter(|member| !member.required && names_something(member))
            {
                let name = snake(&singular(&member.name));
                let told = ["_id", "_arn", "_name", "_cidr_block", "_identifier"]
                    .iter()
                    .any(|end| name.ends_with(end))
                    || name == "name";
                let plain = self
                    .body
                    .attributes
                    .get(name.as_str())
                    .is_some_and(|found| found.configurable && !found.computed);
                if told && plain && !parts.iter().any(|other| other.attribute == name) {
                    let paths = request_paths(source, operation, member);
                    parts.push(Part {
                        attribute: name,
                        paths,
                        tie: Tie::Named,
                        member: member.name.clone(),
                        optional: true,
                    });
                }
            }
        }
        if missing.is_empty() || whole {
            return (!parts.is_empty()).then(|| Identity {
                parts,
                ..Identity::default()
            });
        }
        if !self.has("id") {
            return None;
        }
        if let ([member], true) = (missing.as_slice(), required.len() == 1) {
            let paths = request_paths(source, operation, member);
            let part = Part {
                attribute: String::from("id"),
                paths,
                tie: Tie::Fallback,
                member: member.name.clone(),
                optional: false,
            };
            return Some(Identity {
                parts: vec![part],
                ..Identity::default()
            });
        }
        let paths: Vec<String> = required
            .iter()
            .filter_map(|member| request_paths(source, operation, member).into_iter().next())
            .collect();
        Some(Identity {
            templates: templates(&paths),
            ..Identity::default()
        })
    }

    /// Members that are not required but are the type's own id, ARN or name: one of them is given.
    fn optional(
        &self,
        source: &str,
        event: &str,
        operation: &Operation,
        mappings: &[Mapping],
    ) -> Vec<Part> {
        let mut best: Vec<Part> = operation
            .input
            .iter()
            .filter(|member| names_something(member))
            .filter(|member| {
                let name = snake(&singular(&member.name));
                !split_kind(&name).1.is_empty()
            })
            .filter_map(|member| self.part(source, event, operation, member, mappings))
            .filter(|part| part.tie == Tie::Own)
            .collect();
        best.sort_by_key(|part| match part.attribute.as_str() {
            "id" => 0,
            "arn" => 1,
            _ => 2,
        });
        best.dedup_by(|one, other| one.attribute == other.attribute);
        best.truncate(3);
        best
    }

    /// How a call that changes an instance names it, given the attributes that identify the type.
    pub fn of_update(
        &self,
        source: &str,
        event: &str,
        operation: &Operation,
        mappings: &[Mapping],
        keys: Option<&Keys>,
    ) -> Option<Identity> {
        let required = required(operation);
        let found: BTreeMap<&str, Part> = operation
            .input
            .iter()
            .filter(|member| names_something(member))
            .filter_map(|member| {
                // What the ending call names the instance by, this one does too.
                let key = keys
                    .into_iter()
                    .flatten()
                    .find(|(_, other)| other.eq_ignore_ascii_case(&member.name));
                let part = match key {
                    Some((attribute, _)) => Part {
                        attribute: attribute.clone(),
                        paths: request_paths(source, operation, member),
                        tie: Tie::Named,
                        member: member.name.clone(),
                        optional: false,
                    },
                    None => self.part(source, event, operation, member, mappings)?,
                };
                Some((member.name.as_str(), part))
            })
            .collect();
        let identifies = |part: &Part| {
            keys.is_some_and(|keys| keys.contains_key(&part.attribute))
                || matches!(part.attribute.as_str(), "id" | "arn")
                || (part.tie == Tie::Own && keys.is_none())
        };
        let mut parts: Vec<Part> = Vec::new();
        let take = |part: &Part, parts: &mut Vec<Part>| {
            if identifies(part) && !parts.iter().any(|other| other.attribute == part.attribute) {
                parts.push(part.clone());
            }
        };
        for member in &required {
            if let Some(part) = found.get(member.name.as_str()) {
                take(part, &mut parts);
            }
        }
        let whole = |parts: &[Part]| {
            let given: BTreeSet<&str> = parts.iter().map(|part| part.attribute.as_str()).collect();
            let own = parts.iter().any(|part| {
                part.tie == Tie::Own && (part.attribute == "id" || part.attribute == "arn")
            });
            own || match keys {
                Some(keys) if !keys.is_empty() => {
                    keys.keys().all(|key| given.contains(key.as_str()))
                }
                _ => !parts.is_empty(),
            }
        };
        if whole(&parts) {
            return Some(Identity {
                parts,
                ..Identity::default()
            });
        }
        // One of several that are not required is given.
        let asked = parts.clone();
        for part in found.values() {
            let own = part.tie == Tie::Own || matches!(part.attribute.as_str(), "id" | "arn");
            if !own {
                take(part, &mut parts);
            }
        }
        if parts.len() > asked.len() && whole(&parts) {
            return Some(Identity {
                parts,
                ..Identity::default()
            });
        }
        let mut ways: Vec<Vec<Part>> = found
            .values()
            .filter(|part| part.tie == Tie::Own || matches!(part.attribute.as_str(), "id" | "arn"))
            .filter(|part| !parts.iter().any(|other| other.attribute == part.attribute))
            .filter(|part| identifies(part) || required.is_empty())
            .map(|part| parts.iter().chain([part]).cloned().collect::<Vec<Part>>())
            .filter(|way| whole(way) || required.is_empty())
            .collect();
        ways.truncate(3);
        if !ways.is_empty() {
            let first = ways.remove(0);
            return Some(Identity {
                parts: first,
                others: ways,
                ..Identity::default()
            });
        }
        for part in &self.inside(source, event, operation) {
            take(part, &mut parts);
        }
        if whole(&parts) {
            return Some(Identity {
                parts,
                ..Identity::default()
            });
        }
        // `ResourceArn` of a call that requires nothing else is whatever the call is about.
        let generic = operation.input.iter().find(|member| {
            matches!(
                snake(&member.name).as_str(),
                "resource_arn" | "resource_id" | "resource" | "resource_identifier"
            ) && (member.required || required.is_empty())
        });
        if let (Some(member), true) = (generic, required.len() <= 1)
            && let Some(attribute) = self.first(&["arn".into(), "id".into()])
        {
            let paths = request_paths(source, operation, member);
            let part = Part {
                attribute,
                paths,
                tie: Tie::Own,
                member: member.name.clone(),
                optional: false,
            };
            return Some(Identity {
                parts: vec![part],
                ..Identity::default()
            });
        }
        // The type's own name stands for its id where nothing else does.
        let own: Vec<Part> = required
            .iter()
            .filter_map(|member| found.get(member.name.as_str()))
            .filter(|part| part.tie == Tie::Own)
            .cloned()
            .collect();
        if own.len() == 1 && required.len() == 1 {
            return Some(Identity {
                parts: own,
                ..Identity::default()
            });
        }
        if keys.is_none()
            && !required.is_empty()
            && required
                .iter()
                .all(|member| found.contains_key(member.name.as_str()))
        {
            // Nothing ends this type: what the call requires and the schema knows must be its name.
            let named = |part: &&Part| {
                [
                    "_id",
                    "_arn",
                    "name",
                    "_identifier",
                    "identity",
                    "_type",
                    "bucket",
                ]
                .iter()
                .any(|end| part.attribute.ends_with(end))
            };
            let all: Vec<&Part> = required
                .iter()
                .filter_map(|member| found.get(member.name.as_str()))
                .collect();
            let some: Vec<&Part> = all.iter().copied().filter(named).collect();
            let mut parts: Vec<Part> = Vec::new();
            for part in if some.is_empty() { all } else { some } {
                if !parts.iter().any(|other| other.attribute == part.attribute) {
                    parts.push(part.clone());
                }
            }
            return Some(Identity {
                parts,
                ..Identity::default()
            });
        }
        let single = required.as_slice();
        if let ([member], None) = (single, keys)
            && self.has("id")
        {
            let part = Part {
                attribute: "id".into(),
                paths: request_paths(source, operation, member),
                tie: Tie::Fallback,
                member: member.name.clone(),
                optional: false,
            };
            return Some(Identity {
                parts: vec![part],
                ..Identity::default()
            });
        }
        if keys.is_some_and(Keys::is_empty) && self.has("id") && required.len() > 1 {
            let paths: Vec<String> = required
                .iter()
                .filter_map(|member| request_paths(source, operation, member).into_iter().next())
                .collect();
            return Some(Identity {
                templates: templates(&paths),
                ..Identity::default()
            });
        }
        None
    }

    /// How what a call makes will be named.
    pub fn of_create(
        &self,
        source: &str,
        event: &str,
        operation: &Operation,
        mappings: &[Mapping],
        keys: Option<&Keys>,
    ) -> Option<Identity> {
        let mut asked: BTreeMap<String, Part> = BTreeMap::new();
        let mut members: Vec<&Member> = operation
            .input
            .iter()
            .filter(|member| names_something(member))
            .collect();
        members.sort_by_key(|member| !member.required);
        for member in members {
            if let Some(part) = self.part(source, event, operation, member, mappings) {
                asked.entry(part.attribute.clone()).or_insert(part);
            }
        }
        for part in self.inside(source, event, operation) {
            asked.entry(part.attribute.clone()).or_insert(part);
        }
        let made = self.made(source, event, operation);
        if let Some(keys) = keys.filter(|keys| !keys.is_empty()) {
            let parts: Option<Vec<Part>> = keys
                .iter()
                .map(|(key, member)| {
                    // Ids and ARNs are made by the call; what it asks under that name is something else.
                    let response_first = matches!(key.as_str(), "id" | "arn");
                    let (one, other) = if response_first {
                        (&made, &asked)
                    } else {
                        (&asked, &made)
                    };
                    let found = one.get(key).or_else(|| other.get(key)).cloned();
                    found.or_else(|| self.same_member(source, operation, key, member))
                })
                .collect();
            if let Some(parts) = parts {
                return Some(Identity {
                    parts,
                    ..Identity::default()
                });
            }
        }
        for attribute in ["id", "arn", "name"] {
            if let Some(part) = made.get(attribute) {
                return Some(Identity {
                    parts: vec![part.clone()],
                    ..Identity::default()
                });
            }
        }
        let own = asked
            .values()
            .find(|part| part.tie == Tie::Own)
            .or_else(|| made.values().next());
        if let Some(part) = own {
            return Some(Identity {
                parts: vec![part.clone()],
                ..Identity::default()
            });
        }
        let required = required(operation);
        let parts: Vec<Part> = required
            .iter()
            .filter_map(|member| self.part(source, event, operation, member, mappings))
            .collect();
        (!parts.is_empty() && parts.len() == required.len()).then(|| Identity {
            parts,
            ..Identity::default()
        })
    }

    /// What the ending call asks for, given by the response (or the request) of the making call.
    fn same_member(
        &self,
        source: &str,
        operation: &Operation,
        attribute: &str,
        name: &str,
    ) -> Option<Part> {
        let part = |paths| Part {
            attribute: attribute.to_owned(),
            paths,
            tie: Tie::Own,
            member: name.to_owned(),
            optional: false,
        };
        for member in &operation.output {
            let (hop, inner) = opened(member);
            if member.name.eq_ignore_ascii_case(name) && matches!(hop.shape, Shape::Value(_)) {
                return Some(part(spell::response(source, &[hop])));
            }
            if let Some(field) = inner
                .into_iter()
                .flatten()
                .find(|field| field.name.eq_ignore_ascii_case(name))
            {
                return Some(part(spell::response(source, &[hop, opened(field).0])));
            }
            for field in inner.into_iter().flatten() {
                let (inner_hop, deeper) = opened(field);
                if let Some(field) = deeper
                    .into_iter()
                    .flatten()
                    .find(|field| field.name.eq_ignore_ascii_case(name))
                {
                    return Some(part(spell::response(
                        source,
                        &[hop, inner_hop, opened(field).0],
                    )));
                }
            }
        }
        let member = operation
            .input
            .iter()
            .find(|member| member.name.eq_ignore_ascii_case(name) && names_something(member))?;
        Some(part(request_paths(source, operation, member)))
    }

    /// What a response names the new instance by: its own id, ARN and name.
    pub fn made(&self, source: &str, event: &str, operation: &Operation) -> BTreeMap<String, Part> {
        let mut made: BTreeMap<String, Part> = BTreeMap::new();
        let noun = words(&snake(&singular(verb_and_noun(event).1)));
        let mut add = |hops: &[Hop<'_>]| {
            let Some(last) = hops.last() else { return };
            if !matches!(last.shape, Shape::Value('s')) {
                return;
            }
            if let Some((attribute, Tie::Own)) = self.attribute_for(event, &last.member.name, &[]) {
                let paths = spell::response(source, hops);
                made.entry(attribute.clone()).or_insert(Part {
                    attribute,
                    paths,
                    tie: Tie::Own,
                    member: last.member.name.clone(),
                    optional: false,
                });
            }
        };
        for member in &operation.output {
            let (hop, inner) = opened(member);
            if matches!(hop.shape, Shape::Value(_)) {
                add(&[hop]);
                continue;
            }
            let name = words(&snake(&singular(&member.name)));
            let about = operation.output.len() == 1
                || name == noun
                || ends_with(&self.words, &name)
                || ends_with(&noun, &name);
            for field in inner.into_iter().flatten().filter(|_| about) {
                let (inner_hop, deeper) = opened(field);
                add(&[hop, inner_hop]);
                if operation.output.len() == 1 && inner_hop.lists == 0 {
                    for field in deeper.into_iter().flatten() {
                        add(&[hop, inner_hop, opened(field).0]);
                    }
                }
            }
        }
        made
    }
}

/// Whether a call names nothing: it is about the one resource of its kind that an account and region have.
pub fn names_nothing(operation: &Operation) -> bool {
    required(operation).is_empty()
        && !operation.input.iter().any(|member| {
            let list_of_blocks = matches!(opened(member), (hop, Some(_)) if hop.lists > 0);
            let (base, kind) = (
                snake(&member.name),
                split_kind(&snake(&member.name)).1.to_owned(),
            );
            let named =
                matches!(kind.as_str(), "arn" | "id" | "identifier") && names_something(member);
            (member.required && list_of_blocks)
                || (named
                    && !matches!(
                        base.as_str(),
                        "account_id" | "catalog_id" | "kms_key_id" | "kms_key_arn" | "registry_id"
                    ))
        })
}

/// A name without its kind, and the kind: `role_arn` → `role`, `arn`.
fn split_kind(name: &str) -> (&str, &str) {
    for kind in ["identifier", "name", "arn", "id"] {
        if name == kind {
            return ("", kind);
        }
        if let Some(base) = name
            .strip_suffix(kind)
            .and_then(|base| base.strip_suffix('_'))
        {
            return (base, kind);
        }
    }
    (name, "")
}

fn templates(paths: &[String]) -> Vec<String> {
    [",", "/", ":", "|"]
        .iter()
        .map(|separator| {
            paths
                .iter()
                .map(|path| format!("{{{path}}}"))
                .collect::<Vec<_>>()
                .join(separator)
        })
        .collect()
}

fn names_something(member: &Member) -> bool {
    let (hop, _) = opened(member);
    let text = matches!(hop.shape, Shape::Value('s' | 'n'));
    text && !NOISE.contains(&member.name.to_ascii_lowercase().as_str())
}

/// Required members that can name something.
fn required(operation: &Operation) -> Vec<&Member> {
    operation
        .input
        .iter()
        .filter(|member| member.required && names_something(member))
        .collect()
}

fn request_paths(source: &str, operation: &Operation, member: &Member) -> Vec<String> {
    spell::request(source, operation, &[opened(member).0])
}

fn opened(member: &Member) -> (Hop<'_>, Option<&[Member]>) {
    let mut shape = &member.shape;
    let mut lists = 0;
    while let Shape::List(inner) = shape {
        lists += 1;
        shape = inner;
    }
    let inner = match shape {
        Shape::Struct(members) => Some(members.as_slice()),
        _ => None,
    };
    (
        Hop {
            member,
            lists,
            shape,
        },
        inner,
    )
}
