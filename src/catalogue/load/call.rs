//! Reads the rule of one call: what it touches, and what it changes there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::source::{conditions, each, find, flatten, lessons, parent, source, words, yields};
use super::{Problem, problem};
use crate::catalogue::compile;
use crate::catalogue::members::Members;
use crate::catalogue::merge::{self, AUTHORS};
use crate::catalogue::path::{Path, Root};
use crate::catalogue::rule::{
    CallRule, Change, EffectKind, Operation, Provenance, ResourceType, Target, TypeFacts,
};
use crate::catalogue::schema;
use crate::catalogue::text::Text;
use crate::catalogue::tree::{Table, Tree};

/// Reads what a file says of types.
pub(super) fn type_facts(value: &Tree) -> Result<TypeFacts, Problem> {
    let mut facts = TypeFacts::default();
    for (key, value) in value.as_table().into_iter().flatten() {
        match key.as_str() {
            "never" => facts.never = strings(value)?,
            "secret" => facts.secret = strings(value)?,
            "typed" => facts.typed = strings(value)?,
            "name" => facts.name = strings(value)?.pop(),
            _ => {
                return problem(format!(
                    "unknown key `{key}` of a type: never, secret, typed, name"
                ));
            }
        }
    }
    Ok(facts)
}

fn strings(value: &Tree) -> Result<Vec<String>, Problem> {
    Ok(words(value)?.into_iter().map(String::from).collect())
}

/// What the rest of the service's rules says.
pub(in crate::catalogue) struct Beside<'r> {
    /// The table of another event.
    pub other: &'r dyn Fn(&str) -> Option<Table>,
    /// The typed documents of a type.
    pub typed: &'r dyn Fn(&str) -> Vec<String>,
}

/// Reads the rule of an event.
pub(super) fn call_rule(
    event: &Text,
    call: &Table,
    beside: &Beside<'_>,
) -> Result<CallRule, Problem> {
    let mut rule = CallRule {
        event: event.clone(),
        ..CallRule::default()
    };
    let authors = call.get(AUTHORS).and_then(Tree::as_table);
    for (key, value) in call {
        match key.as_str() {
            "operates" => rule.operates = words(value)?.pop(),
            "when" => rule.when = conditions(value)?,
            "each" => rule.each = Some(each(value)?),
            "owners" => rule.owners = words(value)?,
            "learns" => rule.learns = lessons(value)?,
            AUTHORS => {}
            name => {
                let author = authors.and_then(|authors| authors.get(name)?.as_text());
                let provenance = match author.map(Text::as_str) {
                    Some("hand") => Provenance::Handwritten,
                    Some(_) => Provenance::User,
                    None => Provenance::Generated,
                };
                let tables: Vec<&Table> = match value {
                    Tree::Table(table) => vec![table],
                    Tree::List(list) => list.iter().filter_map(Tree::as_table).collect(),
                    _ => {
                        return problem(format!(
                            "`{key}` is neither a setting of an event nor a resource type"
                        ));
                    }
                };
                for table in tables {
                    if table.get("drop").is_some_and(|drop| drop.is(true)) {
                        continue;
                    }
                    let target = inherited(event, key, table, beside.other)
                        .and_then(|table| target(key, &table, provenance, &(beside.typed)(key)))
                        .map_err(|Problem(problem)| Problem(format!("{key}: {problem}")))?;
                    rule.targets.push(target);
                }
            }
        }
    }
    Ok(rule)
}

/// A target with what it takes from the same type in another event.
fn inherited<'a>(
    event: &str,
    name: &str,
    own: &'a Table,
    other: &dyn Fn(&str) -> Option<Table>,
) -> Result<Cow<'a, Table>, Problem> {
    let like = own.get("like").and_then(Tree::as_text);
    let Some(like) = like.filter(|like| **like != *event) else {
        return Ok(Cow::Borrowed(own));
    };
    let from = match other(like).and_then(|mut call| call.remove(name)) {
        Some(Tree::Table(table)) => Some(table),
        Some(Tree::List(list)) => list.into_iter().find_map(|member| match member {
            Tree::Table(table) => Some(table),
            _ => None,
        }),
        _ => None,
    };
    let Some(mut table) = from else {
        return problem(format!("`like = \"{like}\"` has no {name} there"));
    };
    table.retain(|key, _| matches!(key.as_str(), "find" | "whole" | "set" | "add" | "remove"));
    merge::merge(&mut table, own.clone());
    Ok(Cow::Owned(table))
}

fn target(
    name: &Text,
    table: &Table,
    provenance: Provenance,
    typed: &[String],
) -> Result<Target, Problem> {
    let mut target = Target {
        resource_type: if *name == "*" {
            ResourceType::AnyTagged
        } else {
            ResourceType::Named(name.clone())
        },
        effect: EffectKind::Update,
        find: Vec::new(),
        only: false,
        id: None,
        arn: None,
        parent: None,
        yields: Vec::new(),
        ends: false,
        ends_managed: false,
        when: Vec::new(),
        each: None,
        changes: Vec::new(),
        provenance,
    };
    let body = if *name == "*" {
        any_tagged()
    } else {
        match schema::resource(name) {
            Some(body) => body,
            None => return problem("no such resource type in the provider's schema"),
        }
    };
    let whole = whole(table)?;
    for (key, value) in table {
        match key.as_str() {
            "effect" => target.effect = effect(value)?,
            "find" => target.find = find(value)?,
            "only" => target.only = value.is(true),
            "id" => target.id = Some(source(value)?),
            "arn" => target.arn = Some(source(value)?),
            "parent" => target.parent = parent(value)?,
            "yields" => target.yields = yields(value)?,
            "ends" => {
                target.ends_managed = value.as_text().is_some_and(|text| **text == *"managed");
                target.ends = value.is(true) || target.ends_managed;
            }
            "when" => target.when = conditions(value)?,
            "each" => target.each = Some(each(value)?),
            "set" => target
                .changes
                .extend(changes(Operation::Set, value, body, typed, &whole)?),
            "add" => target
                .changes
                .extend(changes(Operation::Add, value, body, typed, &[])?),
            "remove" => target
                .changes
                .extend(changes(Operation::Remove, value, body, typed, &[])?),
            "like" | "drop" | "note" | "whole" => {}
            _ => {
                return problem(format!(
                    "unknown key `{key}`; see docs/catalogue.md, *A target*"
                ));
            }
        }
    }
    for pair in target.find.iter().flatten() {
        if compile::rendered(body, &pair.attribute).is_none() {
            return problem(format!(
                "find: `{}` is not an attribute of this resource type",
                pair.attribute
            ));
        }
    }
    if target.find.is_empty() && !target.only {
        return problem("`find` is missing: how does the call name the instance?");
    }
    Ok(target)
}

/// What every type that carries tags has in common.
fn any_tagged() -> &'static schema::Body {
    static TAGGED: OnceLock<schema::Body> = OnceLock::new();
    TAGGED.get_or_init(tagged)
}

fn tagged() -> schema::Body {
    use schema::{Attribute, Type};
    let attribute = |ty| Attribute {
        ty,
        configurable: true,
        computed: true,
    };
    let strings = Type::Map(Box::new(Type::String));
    schema::Body {
        attributes: [
            ("id", Type::String),
            ("arn", Type::String),
            ("tags", strings),
        ]
        .into_iter()
        .map(|(name, ty)| (name.into(), attribute(ty)))
        .collect(),
        blocks: Members::default(),
    }
}

fn effect(value: &Tree) -> Result<EffectKind, Problem> {
    match value.as_text().map(Text::as_str) {
        Some("update") => Ok(EffectKind::Update),
        Some("create") => Ok(EffectKind::Create),
        Some("delete") => Ok(EffectKind::Delete),
        Some("put") => Ok(EffectKind::Put),
        _ => problem("`effect` is one of update, create, delete, put"),
    }
}

fn changes(
    operation: Operation,
    value: &Tree,
    body: &'static schema::Body,
    typed: &[String],
    whole: &[Path],
) -> Result<Vec<Change>, Problem> {
    let Some(table) = value.as_table() else {
        return problem("`set`, `add` and `remove` are tables");
    };
    let mut entries = BTreeMap::new();
    flatten("", table, &mut |attribute, value| {
        if !value.is(false) {
            let mut source = source(value)?;
            if typed.iter().any(|typed| *typed == *attribute) {
                source.more_mut().typed = true;
            }
            entries.insert(attribute, source);
        }
        Ok(())
    })?;
    Ok(compile::compile(operation, &entries, body, whole)?)
}

/// The objects that a call replaces whole. The request itself is one.
fn whole(table: &Table) -> Result<Vec<Path>, Problem> {
    let paths = table.get("whole").map(words).transpose()?;
    let path = |text: &Text| match text.as_str() {
        "request" => Ok(Path {
            root: Root::Request,
            steps: Vec::new(),
        }),
        _ => Path::of(text).map_err(Problem::from),
    };
    paths.iter().flatten().map(path).collect()
}
