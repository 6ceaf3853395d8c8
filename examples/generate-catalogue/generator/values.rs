//! Turns attribute mappings into the `set`, `add` and `remove` entries of a rule.

use std::collections::{BTreeMap, BTreeSet};

use tfdrift::catalogue::schema::{Body, Leaf, Nesting, Place, Type};

use super::api::{Hop, Operation, Shape};
use super::inputs::Mapping;
use super::spell;
use super::words::{snake, verb_and_noun, words};

/// Where a value comes from, as the rule file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Spellings, the first that is there counts.
    Paths(Vec<String>),
    /// The call changes it; the record does not show to what, or not in a form that can be compared.
    Unknown(Vec<String>),
    /// Several members in one text.
    Template(String),
    /// A value that the call's name alone tells, as TOML.
    Constant(&'static str),
}

/// What a call does to the attributes of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    pub set: BTreeMap<String, Source>,
    pub add: BTreeMap<String, Source>,
    pub remove: BTreeMap<String, Source>,
}

impl Values {
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.remove.is_empty()
    }
}

/// A mapping that was left out because only a person can tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Review {
    pub call: String,
    pub attribute: String,
    pub member: String,
    pub why: &'static str,
}

/// A call as values are derived for it.
pub struct Call<'a> {
    pub resource_type: &'a str,
    pub source: &'a str,
    pub event: &'a str,
    pub operation: &'a Operation,
    pub body: &'a Body,
    /// Attributes that identify the instance: they do not change.
    pub fixed: &'a BTreeSet<String>,
    pub creates: bool,
}

struct Candidate<'a> {
    mapping: &'a Mapping,
    place: Place<'a>,
    hops: Vec<Hop<'a>>,
}

const ADDS: [&str; 6] = [
    "Add",
    "Associate",
    "Attach",
    "Register",
    "Authorize",
    "Grant",
];
const REMOVES: [&str; 9] = [
    "Remove",
    "Disassociate",
    "Detach",
    "Deregister",
    "Revoke",
    "Delete",
    "Disable",
    "Cancel",
    "Reset",
];

/// Terraform's own bookkeeping beside the real arguments.
const NEVER_SET: [&str; 4] = ["region", "tags_all", "id", "name_prefix"];

/// Mappings that other calls of the type have, where this call has the same member; and members named as attributes.
pub fn borrowed(call: &Call<'_>, own: &[Mapping], others: &[&Mapping]) -> Vec<Mapping> {
    let mut mappings = own.to_vec();
    for other in others {
        let sure = matches!(other.confidence, 'M' | 'A');
        if sure
            && !mappings
                .iter()
                .any(|mapping| mapping.attribute == other.attribute)
            && call.operation.at(&other.member).is_some()
        {
            mappings.push((*other).clone());
        }
    }
    for member in &call.operation.input {
        let name = snake(&member.name);
        let name = name.strip_prefix("new_").unwrap_or(&name);
        let known = mappings
            .iter()
            .any(|mapping| mapping.attribute == name || mapping.member == member.name);
        if !known && call.body.attributes.contains_key(name) {
            mappings.push(Mapping {
                confidence: 'A',
                attribute: name.to_owned(),
                member: member.name.clone(),
            });
        }
    }
    mappings
}

/// REST APIs are changed by patches whose paths are the members that the making call has.
pub fn patched(body: &Body, others: &[&Mapping]) -> BTreeMap<String, Source> {
    let mut set = BTreeMap::new();
    for mapping in others
        .iter()
        .filter(|mapping| matches!(mapping.confidence, 'M' | 'A') && !mapping.member.contains('.'))
    {
        let Some(place) = body.at(&mapping.attribute).filter(Place::configurable) else {
            continue;
        };
        let Leaf::Attribute(name, attribute) = place.leaf else {
            continue;
        };
        let plain = matches!(attribute.ty, Type::String | Type::Number | Type::Bool);
        if !plain
            || !place.steps.is_empty()
            || NEVER_SET.contains(&name)
            || name.ends_with("_api_id")
            || name.contains("_wo")
        {
            continue;
        }
        // The inputs write a member as the attribute where the two are the same word.
        let mut member = String::new();
        for (at, word) in mapping.member.split('_').enumerate() {
            let mut letters = word.chars();
            match letters.next() {
                Some(first) if at > 0 => member.extend([
                    first.to_ascii_uppercase().to_string().as_str(),
                    letters.as_str(),
                ]),
                _ => member.push_str(word),
            }
        }
        set.insert(
            name.to_owned(),
            Source::Paths(vec![format!("patch[\"/{member}\"]")]),
        );
    }
    set
}

/// What a call tells by its name alone: `EnableSso`, `DeleteCorsConfiguration`.
fn told_by_name(call: &Call<'_>, values: &mut Values) {
    let (verb, noun) = verb_and_noun(call.event);
    let mut noun = words(&snake(noun));
    let kind = words(call.resource_type.trim_start_matches("aws_"));
    // `DeleteVaultAccessPolicy` is the `access_policy` of a vault.
    while noun.len() > 1 && noun.first().is_some_and(|word| kind.contains(word)) {
        noun.remove(0);
    }
    let on = matches!(verb, "Enable" | "Start");
    let off = matches!(verb, "Disable" | "Stop");
    if on || off {
        let names = |name: &str| {
            let mut name = words(name);
            name.retain(|word| !matches!(word.as_str(), "enable" | "enabled"));
            name == noun
        };
        let found = call.body.attributes.iter().find(|(name, attribute)| {
            attribute.ty == Type::Bool
                && attribute.configurable
                && name.contains("enable")
                && names(name)
        });
        if let Some((name, _)) = found {
            values.set.insert(
                name.to_string(),
                Source::Constant(if on { "true" } else { "false" }),
            );
        }
    }
    // A call that names more than the instance takes one of many away.
    let one_of_many = call
        .operation
        .input
        .iter()
        .filter(|member| member.required)
        .count()
        > call.fixed.len().max(1);
    if matches!(verb, "Delete" | "Remove") && !one_of_many {
        let block = call
            .body
            .blocks
            .iter()
            .find(|(name, block)| block.configurable && words(name) == noun);
        let text = call.body.attributes.iter().find(|(name, attribute)| {
            attribute.configurable && attribute.ty == Type::String && words(name) == noun
        });
        if let Some((name, _)) = block {
            values.set.insert(name.to_string(), Source::Constant("[]"));
        } else if let Some((name, _)) = text {
            values
                .set
                .insert(name.to_string(), Source::Constant("\"\""));
        }
    }
}

/// Derives the entries.
pub fn values(call: &Call<'_>, mappings: &[Mapping], reviews: &mut BTreeSet<Review>) -> Values {
    let (verb, _) = verb_and_noun(call.event);
    let mut values = Values::default();
    for candidate in chosen(call, mappings, reviews) {
        let attribute = &candidate.mapping.attribute;
        let Some(source) = source(call, &candidate, reviews) else {
            continue;
        };
        let plural = plural(&candidate);
        let first = candidate
            .hops
            .first()
            .map_or("", |hop| hop.member.name.as_str());
        let adds = marked(first, "Add") || (!call.creates && ADDS.contains(&verb));
        let removes = marked(first, "Remove")
            || marked(first, "Delete")
            || (!call.creates && REMOVES.contains(&verb));
        if (adds || removes) && plural && candidate.place.steps.is_empty() {
            let into = if removes {
                &mut values.remove
            } else {
                &mut values.add
            };
            into.insert(attribute.clone(), source);
        } else if !(removes || adds && plural) {
            let Some(lists) = lists(call, &candidate, mappings) else {
                continue;
            };
            if lists
                .iter()
                .any(|(list, from)| values.set.get(list).is_some_and(|other| other != from))
            {
                continue;
            }
            let into = if adds && !lists.is_empty() {
                &mut values.add
            } else {
                &mut values.set
            };
            into.extend(lists);
            into.insert(attribute.clone(), source);
        }
    }
    drop_empty_lists(call.body, &mut values.set);
    dark_blocks(call, &mut values);
    if values.is_empty() && !call.creates {
        told_by_name(call, &mut values);
    }
    tags(call, &mut values);
    values
}

/// A list of blocks of which nothing inside is known says nothing.
fn drop_empty_lists(body: &Body, set: &mut BTreeMap<String, Source>) {
    let lists: Vec<String> = set
        .keys()
        .filter(|path| {
            body.at(path)
                .is_some_and(|place| matches!(place.leaf, Leaf::Block(_)))
        })
        .cloned()
        .collect();
    for list in lists.iter().rev() {
        let prefix = format!("{list}.");
        if !set.keys().any(|path| path.starts_with(&prefix)) {
            set.remove(list);
        }
    }
}

/// `AddSubnetIds`, `SubnetIdsToAdd`.
fn marked(member: &str, word: &str) -> bool {
    let starts = member
        .strip_prefix(word)
        .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_uppercase()));
    starts || member.ends_with(&format!("To{word}"))
}

fn plural(candidate: &Candidate<'_>) -> bool {
    matches!(candidate.place.leaf, Leaf::Attribute(_, attribute) if matches!(attribute.ty, Type::List(_) | Type::Set(_)))
}

/// The mappings that hold: one member per attribute, one attribute per member.
fn chosen<'a>(
    call: &Call<'a>,
    mappings: &'a [Mapping],
    reviews: &mut BTreeSet<Review>,
) -> Vec<Candidate<'a>> {
    let mut by_attribute: BTreeMap<&str, Vec<Candidate<'a>>> = BTreeMap::new();
    for mapping in mappings
        .iter()
        .filter(|mapping| matches!(mapping.confidence, 'M' | 'A' | 'B' | 'C'))
    {
        let Some(place) = call.body.at(&mapping.attribute) else {
            continue;
        };
        let Leaf::Attribute(name, _) = place.leaf else {
            continue;
        };
        let top = place.steps.is_empty();
        let skip = !place.configurable()
            || (top && (NEVER_SET.contains(&name) || name == "tags"))
            || (call.fixed.contains(&mapping.attribute)
                && !mapping.member.starts_with("New")
                && !mapping.member.starts_with("new"))
            || name.contains("_wo");
        if skip {
            continue;
        }
        let Some(hops) = call.operation.at(&mapping.member) else {
            continue;
        };
        let steps = |hop: &Hop<'_>| {
            hop.lists > 0
                && (hop.member.name.ends_with("Updates") || hop.member.name.ends_with("Actions"))
        };
        let header = |hop: &Hop<'_>| {
            hop.member
                .wire
                .as_ref()
                .is_some_and(|wire| wire.starts_with("x-amz-"))
        };
        if hops
            .iter()
            .any(|hop| steps(hop) && matches!(hop.shape, Shape::Struct(_)))
            || (!call.creates && hops.iter().any(header))
        {
            continue;
        }
        if hops.iter().any(|hop| matches!(hop.shape, Shape::Map(_)))
            && hops
                .last()
                .is_none_or(|hop| !matches!(hop.shape, Shape::Map(_)))
        {
            continue;
        }
        by_attribute
            .entry(&mapping.attribute)
            .or_default()
            .push(Candidate {
                mapping,
                place,
                hops,
            });
    }
    let mut chosen: Vec<Candidate<'a>> = Vec::new();
    for (attribute, mut candidates) in by_attribute {
        let rank = |candidate: &Candidate<'_>| {
            let confidence = "MABC".find(candidate.mapping.confidence).unwrap_or(9);
            let exact = usize::from(!same_path(attribute, &candidate.hops));
            let leaf = usize::from(!same_leaf(attribute, &candidate.hops));
            (
                confidence.min(2),
                exact,
                leaf,
                candidate.hops.len(),
                confidence,
            )
        };
        candidates.sort_by_key(rank);
        let ambiguous =
            matches!(candidates.as_slice(), [one, other, ..] if rank(one) == rank(other));
        if ambiguous {
            for candidate in &candidates {
                reviews.insert(review(call, candidate, "several members of the call"));
            }
            continue;
        }
        chosen.extend(candidates.into_iter().next());
    }
    let mut by_member: BTreeMap<String, usize> = BTreeMap::new();
    let member = |candidate: &Candidate<'_>| names(&candidate.hops).join(".");
    for candidate in &chosen {
        *by_member.entry(member(candidate)).or_default() += 1;
    }
    let shared = |candidate: &Candidate<'_>| {
        by_member
            .get(&member(candidate))
            .is_some_and(|count| *count > 1)
    };
    let exact: BTreeSet<String> = chosen
        .iter()
        .filter(|candidate| {
            shared(candidate) && same_leaf(&candidate.mapping.attribute, &candidate.hops)
        })
        .map(member)
        .collect();
    chosen.retain(|candidate| {
        let keep = !shared(candidate)
            || candidate.mapping.confidence == 'M'
            || same_leaf(&candidate.mapping.attribute, &candidate.hops)
            || (call.source == "quicksight" && candidate.mapping.confidence == 'A');
        let likely = candidate.mapping.confidence != 'B'
            || likely(
                call.resource_type,
                &candidate.mapping.attribute,
                &candidate.hops,
            );
        if !keep && !exact.contains(&member(candidate)) {
            reviews.insert(review(call, candidate, "several attributes for one member"));
        } else if keep && !likely {
            reviews.insert(review(call, candidate, "likely, not sure"));
        }
        keep && likely
    });
    chosen
}

fn review(call: &Call<'_>, candidate: &Candidate<'_>, why: &'static str) -> Review {
    Review {
        call: format!("{}:{} {}", call.source, call.event, call.resource_type),
        attribute: candidate.mapping.attribute.clone(),
        member: names(&candidate.hops).join("."),
        why,
    }
}

fn names<'a>(hops: &[Hop<'a>]) -> Vec<&'a str> {
    hops.iter().map(|hop| hop.member.name.as_str()).collect()
}

fn same_path(attribute: &str, hops: &[Hop<'_>]) -> bool {
    let path: Vec<String> = names(hops).into_iter().map(snake).collect();
    path.join(".") == attribute
}

fn same_leaf(attribute: &str, hops: &[Hop<'_>]) -> bool {
    let leaf = attribute.rsplit('.').next().unwrap_or(attribute);
    hops.last()
        .is_some_and(|hop| words(&snake(&hop.member.name)) == words(leaf))
}

/// Whether a likely mapping is as good as sure: the shorter name's words all stand in the longer one, the last
/// word is the same.
fn likely(resource_type: &str, attribute: &str, hops: &[Hop<'_>]) -> bool {
    let leaf = words(attribute.rsplit('.').next().unwrap_or(attribute));
    let Some(member) = hops.last().map(|hop| words(&snake(&hop.member.name))) else {
        return false;
    };
    let (short, long) = if leaf.len() < member.len() {
        (&leaf, &member)
    } else {
        (&member, &leaf)
    };
    let kind = words(resource_type.trim_start_matches("aws_"));
    let more: Vec<&String> = long.iter().filter(|word| !short.contains(word)).collect();
    let same = leaf.last() == member.last() && short.iter().all(|word| long.contains(word));
    same && (more.len() <= 2
        || more
            .iter()
            .all(|word| kind.contains(word) || *word == "new"))
}

/// The source of one attribute, if the call's shape fits the attribute's.
fn source(
    call: &Call<'_>,
    candidate: &Candidate<'_>,
    reviews: &mut BTreeSet<Review>,
) -> Option<Source> {
    let Leaf::Attribute(name, attribute) = candidate.place.leaf else {
        return None;
    };
    let last = candidate.hops.last()?;
    let blocks = candidate
        .place
        .steps
        .iter()
        .filter(|step| !one(step.nesting))
        .count();
    let lists: usize = candidate.hops.iter().map(|hop| hop.lists).sum();
    // Blocks that hold one at most are written as lists by the provider's newer resources.
    let loose = lists.saturating_sub(blocks.min(lists));
    let fits = match (&attribute.ty, last.shape) {
        (Type::String | Type::Number | Type::Bool, Shape::Value(_)) => loose == 0,
        (Type::List(inner) | Type::Set(inner), Shape::Value(_)) => {
            matches!(**inner, Type::String | Type::Number | Type::Bool)
                && loose <= 1
                && (loose == 1 || is_addition(call))
        }
        (Type::Map(inner), Shape::Map(value)) => {
            **inner != Type::Any && matches!(**value, Shape::Value(_)) && loose == 0
        }
        _ => false,
    };
    if !fits {
        reviews.insert(review(call, candidate, "another shape"));
        return unknown(call, candidate, blocks);
    }
    if units_differ(name, &last.member.name) {
        reviews.insert(review(call, candidate, "another unit"));
        return unknown(call, candidate, blocks);
    }
    let paths = spell::request(call.source, call.operation, &candidate.hops);
    let shown = matches!(last.shape, Shape::Value('s' | 'n' | 'b') | Shape::Map(_));
    if candidate.mapping.confidence == 'C' || !shown {
        // A hint inside a list of blocks would make the whole list unknown.
        return (blocks == 0 && !call.creates).then_some(Source::Unknown(paths));
    }
    Some(Source::Paths(paths))
}

/// That the call changes an attribute is sure though its value cannot be read.
fn unknown(call: &Call<'_>, candidate: &Candidate<'_>, blocks: usize) -> Option<Source> {
    let sure = matches!(candidate.mapping.confidence, 'M' | 'A')
        && same_leaf(&candidate.mapping.attribute, &candidate.hops);
    (sure && blocks == 0 && !call.creates)
        .then(|| Source::Unknown(spell::request(call.source, call.operation, &candidate.hops)))
}

/// Blocks that the call gives whole, of which nothing inside could be told: they change, to what is unknown.
fn dark_blocks(call: &Call<'_>, values: &mut Values) {
    let (verb, _) = verb_and_noun(call.event);
    if call.creates || ADDS.contains(&verb) || REMOVES.contains(&verb) {
        return;
    }
    for (name, block) in call
        .body
        .blocks
        .iter()
        .filter(|(_, block)| block.configurable)
    {
        let inside = format!("{name}.");
        let told = [&values.set, &values.add, &values.remove]
            .iter()
            .any(|entries| {
                entries
                    .keys()
                    .any(|path| path == name || path.starts_with(&inside))
            });
        let member = call
            .operation
            .input
            .iter()
            .find(|member| words(&snake(&member.name)) == words(name));
        let Some(hops) = member
            .filter(|_| !told)
            .and_then(|member| call.operation.at(&member.name))
        else {
            continue;
        };
        let whole = hops.last().is_some_and(|hop| {
            matches!(
                hop.shape,
                Shape::Struct(_) | Shape::Map(_) | Shape::Value('a')
            )
        });
        let fits = one(block.nesting)
            || hops.iter().any(|hop| hop.lists > 0)
            || block.nesting == Nesting::List;
        if whole && fits {
            let paths = spell::request(call.source, call.operation, &hops);
            values.set.insert(name.to_string(), Source::Unknown(paths));
        }
    }
}

fn is_addition(call: &Call<'_>) -> bool {
    let (verb, _) = verb_and_noun(call.event);
    ADDS.contains(&verb) || REMOVES.contains(&verb)
}

fn one(nesting: Nesting) -> bool {
    matches!(nesting, Nesting::ListOfOne | Nesting::Single)
}

fn units_differ(attribute: &str, member: &str) -> bool {
    let unit = |name: &str| {
        let words = words(name);
        [
            "second",
            "minute",
            "hour",
            "day",
            "milli",
            "millisecond",
            "m",
            "mb",
            "mib",
            "gb",
            "gib",
            "kb",
            "kib",
            "byte",
            "tb",
        ]
        .into_iter()
        .find(|unit| words.iter().any(|word| word == unit))
    };
    let (one, other) = (unit(attribute), unit(&snake(member)));
    one.is_some()
        && other.is_some()
        && one != other
        && !matches!((one, other), (Some("milli"), Some("millisecond")))
}

/// The sources of the lists of blocks that an attribute lies in; none when they cannot be told.
fn lists(
    call: &Call<'_>,
    candidate: &Candidate<'_>,
    mappings: &[Mapping],
) -> Option<Vec<(String, Source)>> {
    let mut lists = Vec::new();
    let mut path: Vec<&str> = Vec::new();
    let mut used = 0;
    let many: Vec<bool> = candidate
        .place
        .steps
        .iter()
        .map(|step| !one(step.nesting))
        .collect();
    let total = many.iter().filter(|many| **many).count();
    let opened: Vec<usize> = candidate
        .hops
        .iter()
        .enumerate()
        .filter(|(_, hop)| hop.lists > 0 && matches!(hop.shape, Shape::Struct(_)))
        .map(|(at, _)| at)
        .collect();
    let member = names(&candidate.hops).join(".");
    let mut nth = 0;
    for (step, many) in candidate.place.steps.iter().zip(&many) {
        path.push(step.name);
        if !many {
            continue;
        }
        if step.nesting == Nesting::Map {
            return None;
        }
        let list = path.join(".");
        // Said by the inputs, or the n-th list of the one is the n-th list of the other.
        let said = mappings
            .iter()
            .filter(|mapping| mapping.attribute == list)
            .filter_map(|mapping| call.operation.at(&mapping.member))
            .filter(|hops| member.starts_with(&(names(hops).join(".") + ".")))
            .map(|hops| hops.len() - 1)
            .filter(|at| *at >= used)
            .min();
        let at = match said {
            Some(at) => at,
            None if opened.len() == total => *opened.get(nth)?,
            // Newer resources write a block that can stand once as a list.
            None if total == 1 && opened.is_empty() => candidate
                .hops
                .iter()
                .position(|hop| words(&snake(&hop.member.name)) == words(step.name))?,
            None => return None,
        };
        nth += 1;
        used = at + 1;
        if used >= candidate.hops.len() {
            return None;
        }
        let hops = &candidate.hops[..used];
        // A block that the call gives as an object can stand but once, whatever the schema says:
        // its fields drift on their own, unless it is part of a list.
        let object = hops.last().is_some_and(|hop| hop.lists == 0);
        if object && lists.is_empty() && step.nesting == Nesting::List && !is_addition(call) {
            continue;
        }
        lists.push((
            list,
            Source::Paths(spell::request(call.source, call.operation, hops)),
        ));
    }
    // What is left between the last list and the attribute must be one value (or one list of values).
    let rest: usize = candidate.hops[used..].iter().map(|hop| hop.lists).sum();
    (total == 0 || rest <= usize::from(plural(candidate))).then_some(lists)
}

/// Tags given when a resource is made.
fn tags(call: &Call<'_>, values: &mut Values) {
    if !call.creates
        || !call
            .body
            .at("tags")
            .is_some_and(|place| place.configurable())
    {
        return;
    }
    let source = if call.operation.member("TagSpecifications").is_some() {
        Some(vec![
            String::from("tagSpecificationSet.tags"),
            String::from("tagSpecification.tag"),
        ])
    } else {
        tags_member(call.operation).map(|hop| spell::request(call.source, call.operation, &[hop]))
    };
    if let Some(paths) = source {
        values
            .set
            .insert(String::from("tags"), Source::Paths(paths));
    }
}

/// The member of a request that holds tags, as pairs or as a map.
pub fn tags_member(operation: &Operation) -> Option<Hop<'_>> {
    operation.input.iter().find_map(|member| {
        let name = snake(&member.name);
        if !matches!(
            name.as_str(),
            "tags"
                | "tag_list"
                | "tag_map"
                | "tag"
                | "tags_list"
                | "hosted_zone_tags"
                | "add_tags"
                | "tags_to_add"
                | "tags_model"
                | "user_pool_tags"
                | "backup_vault_tags"
                | "backup_plan_tags"
                | "tag_set"
        ) {
            return None;
        }
        match &member.shape {
            Shape::Map(value) if matches!(**value, Shape::Value(_)) => Some(Hop {
                member,
                lists: 0,
                shape: &member.shape,
            }),
            Shape::List(inner) if matches!(**inner, Shape::Struct(_)) => Some(Hop {
                member,
                lists: 1,
                shape: inner,
            }),
            _ => None,
        }
    })
}
