//! Reads rule files (docs/catalogue.md) into rules.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use toml::{Table, Value};

use super::compile::{self, CompileError};
use super::path::PathError;
use super::rule::{
    CallRule, Change, Condition, Each, EffectKind, Operation, Pair, Parent, Provenance,
    ResourceType, Scope, Source, Target, TemplatePart, Test, TypeFacts,
};
use super::schema;
use super::transform::Transform;

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is no TOML.
    #[error("{file}: {source}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// It is TOML, but no rule.
    #[error("{file}: [{place}] {problem}")]
    Rule {
        /// The file or the service.
        file: String,
        /// Event and type.
        place: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The rules of one service.
#[derive(Debug, Default)]
pub struct ServiceRules {
    /// The event source.
    pub service: String,
    /// How far its names reach.
    pub scope: Scope,
    /// Rules by event name.
    pub calls: BTreeMap<String, CallRule>,
    /// Facts about types by type.
    pub types: BTreeMap<String, TypeFacts>,
}

/// The text of one rule file.
#[derive(Debug, Clone, Copy)]
pub struct RuleText<'a> {
    /// Its name, for errors.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// How much it weighs.
    pub provenance: Provenance,
}

struct Problem(String);

impl From<PathError> for Problem {
    fn from(error: PathError) -> Self {
        Self(error.to_string())
    }
}

impl From<CompileError> for Problem {
    fn from(error: CompileError) -> Self {
        Self(error.to_string())
    }
}

fn problem<T>(text: impl Into<String>) -> Result<T, Problem> {
    Err(Problem(text.into()))
}

/// Reads the rule files of one service, later ones winning over earlier ones field by field.
///
/// # Errors
/// When a file is no TOML or holds what is no rule; the error names file, event and type.
pub fn load(texts: &[RuleText<'_>]) -> Result<ServiceRules, LoadError> {
    let (rules, mut errors) = load_all(texts);
    if errors.is_empty() {
        Ok(rules)
    } else {
        Err(errors.swap_remove(0))
    }
}

/// As [`load`], keeping what can be used beside what cannot.
#[must_use]
pub fn load_all(texts: &[RuleText<'_>]) -> (ServiceRules, Vec<LoadError>) {
    let mut errors = Vec::new();
    let mut merged = Table::new();
    let mut provenance: BTreeMap<(String, String), Provenance> = BTreeMap::new();
    let mut file = String::new();
    for text in texts {
        text.file.clone_into(&mut file);
        let table: Table = match text.text.parse() {
            Ok(table) => table,
            Err(source) => {
                errors.push(LoadError::Syntax {
                    file: text.file.to_owned(),
                    source: Box::new(source),
                });
                continue;
            }
        };
        for (event, types) in &table {
            for resource_type in types.as_table().into_iter().flat_map(Table::keys) {
                provenance.insert((event.clone(), resource_type.clone()), text.provenance);
            }
        }
        match text.provenance {
            Provenance::Handwritten => review(&mut merged, table),
            _ => merge(&mut merged, table),
        }
    }
    let mut rules = ServiceRules::default();
    for (key, value) in &merged {
        let done = match (key.as_str(), value) {
            ("service", Value::String(service)) => {
                rules.service.clone_from(service);
                Ok(())
            }
            ("scope", Value::String(word)) => scope(word).map(|scope| rules.scope = scope),
            ("type", Value::Table(types)) => types.iter().try_for_each(|(name, facts)| {
                rules.types.insert(name.clone(), type_facts(facts)?);
                Ok(())
            }),
            (_, Value::Table(call)) => call_rule(key, call, &merged, &provenance).map(|rule| {
                rules.calls.insert(key.clone(), rule);
            }),
            _ => problem("expected `service`, `scope`, `[type.…]` or an event"),
        };
        if let Err(Problem(problem)) = done {
            errors.push(LoadError::Rule {
                file: file.clone(),
                place: key.clone(),
                problem,
            });
        }
    }
    (rules, errors)
}

/// Lets hand-written rules win. An event that was written by hand is as it was written; its targets
/// keep the generated sources of attributes that the hand-written ones do not speak of.
fn review(generated: &mut Table, by_hand: Table) {
    for (event, mut rule) in by_hand {
        let Some(rules) = rule.as_table_mut().filter(|_| event != "type") else {
            match (generated.get_mut(&event), rule) {
                (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
                (_, rule) => {
                    generated.insert(event, rule);
                }
            }
            continue;
        };
        for (name, target) in rules.iter_mut() {
            let old = generated
                .get(&event)
                .and_then(|rule| rule.get(name))
                .and_then(Value::as_table);
            if let (Some(old), Some(target)) = (old, target.as_table_mut())
                && old.get("effect") == target.get("effect")
            {
                fill(target, old);
            }
        }
        // The same event in another hand-written file of the service.
        match generated.get_mut(&event) {
            Some(Value::Table(old)) if old.get("reviewed").is_some() => {
                if let Value::Table(new) = rule {
                    merge(old, new);
                }
            }
            _ => {
                rules.insert(String::from("reviewed"), Value::Boolean(true));
                generated.insert(event, rule);
            }
        }
    }
}

/// Adds entries for attributes that a target does not speak of.
fn fill(target: &mut Table, from: &Table) {
    let top = |attribute: &str| attribute.split('.').next().unwrap_or_default().to_owned();
    let spoken: std::collections::BTreeSet<String> = ["set", "add", "remove"]
        .iter()
        .filter_map(|key| target.get(*key)?.as_table())
        .flat_map(|entries| entries.keys().map(|attribute| top(attribute)))
        .collect();
    if target.contains_key("like") {
        return;
    }
    if let Some(entries) = from.get("set").and_then(Value::as_table) {
        let own = target
            .entry("set")
            .or_insert_with(|| Value::Table(Table::new()));
        if let Some(own) = own.as_table_mut() {
            let missing = entries
                .iter()
                .filter(|(attribute, _)| !spoken.contains(&top(attribute)));
            own.extend(missing.map(|(attribute, source)| (attribute.clone(), source.clone())));
        }
    }
}

/// Deep merge: tables key by key, anything else whole.
fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if key != "find" => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn scope(word: &str) -> Result<Scope, Problem> {
    match word {
        "regional" => Ok(Scope::Regional),
        "global" => Ok(Scope::Global),
        "partition" => Ok(Scope::Partition),
        _ => problem(format!(
            "`{word}` is no scope: regional, global or partition"
        )),
    }
}

fn type_facts(value: &Value) -> Result<TypeFacts, Problem> {
    let mut facts = TypeFacts::default();
    for (key, value) in value.as_table().into_iter().flatten() {
        match key.as_str() {
            "never" => facts.never = texts(value)?,
            "secret" => facts.secret = texts(value)?,
            "name" => facts.name = texts(value)?.pop(),
            _ => {
                return problem(format!(
                    "unknown key `{key}` of a type: never, secret, name"
                ));
            }
        }
    }
    Ok(facts)
}

fn call_rule(
    event: &str,
    call: &Table,
    all: &Table,
    provenance: &BTreeMap<(String, String), Provenance>,
) -> Result<CallRule, Problem> {
    let mut rule = CallRule {
        event: event.to_owned(),
        ..CallRule::default()
    };
    for (key, value) in call {
        match key.as_str() {
            "operates" => rule.operates = texts(value)?.pop(),
            "when" => rule.when = conditions(value)?,
            "each" => rule.each = Some(each(value)?),
            "owners" => rule.owners = texts(value)?,
            "reviewed" => {}
            resource_type => {
                let from = provenance.get(&(event.to_owned(), key.clone())).copied();
                let from = from.unwrap_or(Provenance::Generated);
                let tables: Vec<&Table> = match value {
                    Value::Table(table) => vec![table],
                    Value::Array(list) => list.iter().filter_map(Value::as_table).collect(),
                    _ => {
                        return problem(format!(
                            "`{key}` is neither a setting of an event nor a resource type"
                        ));
                    }
                };
                for table in tables {
                    let target = target(event, resource_type, table, all, from).map_err(
                        |Problem(problem)| Problem(format!("{resource_type}: {problem}")),
                    )?;
                    rule.targets.extend(target);
                }
            }
        }
    }
    Ok(rule)
}

fn target(
    event: &str,
    name: &str,
    own: &Table,
    all: &Table,
    provenance: Provenance,
) -> Result<Option<Target>, Problem> {
    if own.get("drop").and_then(Value::as_bool) == Some(true) {
        return Ok(None);
    }
    let table = match own.get("like").and_then(Value::as_str) {
        Some(other) if other != event => {
            let inherited = all.get(other).and_then(|call| call.get(name));
            let inherited = match inherited {
                Some(Value::Table(table)) => table,
                Some(Value::Array(list)) => match list.first().and_then(Value::as_table) {
                    Some(table) => table,
                    None => return problem(format!("`like = \"{other}\"` has no {name} there")),
                },
                _ => return problem(format!("`like = \"{other}\"` has no {name} there")),
            };
            let mut merged: Table = inherited
                .iter()
                .filter(|(key, _)| matches!(key.as_str(), "find" | "set" | "add" | "remove"))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            merge(&mut merged, own.clone());
            merged
        }
        _ => own.clone(),
    };
    let mut target = Target {
        resource_type: if name == "*" {
            ResourceType::AnyTagged
        } else {
            ResourceType::Named(name.to_owned())
        },
        effect: EffectKind::Update,
        find: Vec::new(),
        only: false,
        id: None,
        arn: None,
        parent: None,
        yields: Vec::new(),
        when: Vec::new(),
        each: None,
        changes: Vec::new(),
        provenance,
    };
    let tagged;
    let body = if name == "*" {
        tagged = any_tagged();
        &tagged
    } else {
        match schema::resource(name) {
            Some(body) => body,
            None => return problem("no such resource type in the provider's schema"),
        }
    };
    for (key, value) in &table {
        match key.as_str() {
            "effect" => target.effect = effect(value)?,
            "find" => target.find = find(value)?,
            "only" => target.only = value.as_bool() == Some(true),
            "id" => target.id = Some(source(value)?),
            "arn" => target.arn = Some(source(value)?),
            "parent" => target.parent = parent(value)?,
            "yields" => target.yields = yields(value)?,
            "when" => target.when = conditions(value)?,
            "each" => target.each = Some(each(value)?),
            "set" => target.changes.extend(changes(Operation::Set, value, body)?),
            "add" => target.changes.extend(changes(Operation::Add, value, body)?),
            "remove" => target
                .changes
                .extend(changes(Operation::Remove, value, body)?),
            "like" | "drop" | "note" => {}
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
    Ok(Some(target))
}

/// What every type that carries tags has in common.
fn any_tagged() -> schema::Body {
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
        .map(|(name, ty)| (name.to_owned(), attribute(ty)))
        .collect(),
        blocks: BTreeMap::new(),
    }
}

fn effect(value: &Value) -> Result<EffectKind, Problem> {
    match value.as_str() {
        Some("update") => Ok(EffectKind::Update),
        Some("create") => Ok(EffectKind::Create),
        Some("delete") => Ok(EffectKind::Delete),
        Some("put") => Ok(EffectKind::Put),
        _ => problem("`effect` is one of update, create, delete, put"),
    }
}

fn find(value: &Value) -> Result<Vec<Vec<Pair>>, Problem> {
    match value {
        Value::Table(table) => Ok(vec![pairs(table)?]),
        Value::Array(list) => list
            .iter()
            .map(|alternative| match alternative.as_table() {
                Some(table) => pairs(table),
                None => problem("`find` is a table, or a list of tables"),
            })
            .collect(),
        _ => problem("`find` is a table, or a list of tables"),
    }
}

/// Pairs in the order of the file; required ones first, as the first one is looked up.
fn pairs(table: &Table) -> Result<Vec<Pair>, Problem> {
    let mut pairs = Vec::new();
    flatten("", table, &mut |attribute, value| {
        let optional = attribute.ends_with('?');
        let attribute = attribute.trim_end_matches('?').to_owned();
        pairs.push(Pair {
            attribute,
            source: source(value)?,
            optional,
        });
        Ok(())
    })?;
    pairs.sort_by_key(|pair| {
        (
            pair.optional,
            pair.source.value.is_some(),
            pair.source.default.is_some(),
        )
    });
    Ok(pairs)
}

/// Visits `a.b = source` and `"a.b" = source` alike.
fn flatten(
    prefix: &str,
    table: &Table,
    visit: &mut dyn FnMut(&str, &Value) -> Result<(), Problem>,
) -> Result<(), Problem> {
    const SOURCE_KEYS: [&str; 12] = [
        "present",
        "from",
        "value",
        "template",
        "map",
        "as",
        "default",
        "unknown",
        "blank",
        "unordered",
        "alone",
        "key",
    ];
    for (key, value) in table {
        let dotted = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Table(inner)
                if !inner.keys().any(|key| SOURCE_KEYS.contains(&key.as_str()))
                    || inner.values().any(Value::is_table) && !inner.contains_key("map") =>
            {
                flatten(&dotted, inner, visit)?;
            }
            value => visit(&dotted, value)?,
        }
    }
    Ok(())
}

fn parent(value: &Value) -> Result<Option<Parent>, Problem> {
    let Some(table) = value.as_table() else {
        return problem("write `parent.TYPE.attribute = \"source\"`");
    };
    let Some((name, find)) = table.iter().next() else {
        return Ok(None);
    };
    let Some(find) = find.as_table() else {
        return problem("write `parent.TYPE.attribute = \"source\"`");
    };
    if schema::resource(name).is_none() {
        return problem(format!(
            "parent: no resource type {name} in the provider's schema"
        ));
    }
    Ok(Some(Parent {
        resource_type: name.clone(),
        find: pairs(find)?,
    }))
}

fn yields(value: &Value) -> Result<Vec<(String, String)>, Problem> {
    texts(value)?
        .iter()
        .map(|text| match text.split_once('.') {
            Some((name, attribute)) => Ok((name.to_owned(), attribute.to_owned())),
            None => problem(format!("yields: `{text}` is not `type.attribute`")),
        })
        .collect()
}

fn changes(
    operation: Operation,
    value: &Value,
    body: &schema::Body,
) -> Result<Vec<Change>, Problem> {
    let Some(table) = value.as_table() else {
        return problem("`set`, `add` and `remove` are tables");
    };
    let mut entries = BTreeMap::new();
    flatten("", table, &mut |attribute, value| {
        if value.as_bool() != Some(false) {
            entries.insert(attribute.to_owned(), source(value)?);
        }
        Ok(())
    })?;
    Ok(compile::compile(operation, &entries, body)?)
}

fn each(value: &Value) -> Result<Each, Problem> {
    match value.as_str() {
        Some(text) => match text.strip_prefix('@') {
            Some(name) if super::aws::expand::NAMES.contains(&name) => {
                Ok(Each::Expander(name.to_owned()))
            }
            Some(name) => problem(format!("no expander `@{name}`")),
            None => Ok(Each::Path(text.parse()?)),
        },
        None => problem("`each` is a path or an expander"),
    }
}

fn conditions(value: &Value) -> Result<Vec<Condition>, Problem> {
    texts(value)?
        .iter()
        .map(|text| {
            let (path, test) = if let Some(path) = text.strip_prefix('!') {
                (path, Test::Absent)
            } else if let Some((path, value)) = text.split_once("!=") {
                (path, Test::IsNot(value.to_owned()))
            } else if let Some((path, value)) = text.split_once('=') {
                (path, Test::Is(value.to_owned()))
            } else {
                (text.as_str(), Test::Present)
            };
            Ok(Condition {
                path: path.parse()?,
                test,
            })
        })
        .collect()
}

fn source(value: &Value) -> Result<Source, Problem> {
    let mut source = Source::default();
    match value {
        Value::String(text) => {
            let mut parts = text.split(" | ");
            source.from.push(parts.next().unwrap_or_default().parse()?);
            source.transforms = parts.map(transform).collect::<Result<_, _>>()?;
        }
        Value::Table(table) => {
            for (key, value) in table {
                match key.as_str() {
                    "from" => {
                        source.from = texts(value)?
                            .iter()
                            .map(|text| text.parse())
                            .collect::<Result<_, _>>()?;
                    }
                    "value" => source.value = Some(json(value)),
                    "template" => source.template = template(value.as_str().unwrap_or_default())?,
                    "map" => {
                        let Some(map) = value.as_table() else {
                            return problem("`map` is a table");
                        };
                        source.map = map
                            .iter()
                            .map(|(word, value)| (word.clone(), json(value)))
                            .collect();
                    }
                    "as" => {
                        source.transforms = texts(value)?
                            .iter()
                            .map(|t| transform(t))
                            .collect::<Result<_, _>>()?;
                    }
                    "default" => source.default = Some(json(value)),
                    "unknown" => source.unknown = value.as_bool() == Some(true),
                    "present" => source.present = value.as_bool() == Some(true),
                    "blank" => source.blank = value.as_bool() == Some(true),
                    "unordered" => source.unordered = value.as_bool() == Some(true),
                    "alone" => source.alone = value.as_bool() == Some(true),
                    "key" => source.key = value.as_str().map(str::to_owned),
                    _ => {
                        return problem(format!(
                            "unknown key `{key}`; see docs/catalogue.md, *A source*"
                        ));
                    }
                }
            }
        }
        _ => return problem("a source is a path or a table"),
    }
    Ok(source)
}

fn transform(text: &str) -> Result<Transform, Problem> {
    match Transform::parse(text) {
        Some(transform) => Ok(transform),
        None => problem(format!("no transform `{text}`")),
    }
}

fn template(text: &str) -> Result<Vec<TemplatePart>, Problem> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let Some(length) = rest[at..].find('}') else {
            return problem("a `{` without `}` in a template");
        };
        if at > 0 {
            parts.push(TemplatePart::Literal(rest[..at].to_owned()));
        }
        parts.push(TemplatePart::Path(rest[at + 1..at + length].parse()?));
        rest = &rest[at + length + 1..];
    }
    if !rest.is_empty() {
        parts.push(TemplatePart::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn texts(value: &Value) -> Result<Vec<String>, Problem> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(list) => list
            .iter()
            .map(|member| match member.as_str() {
                Some(text) => Ok(text.to_owned()),
                None => problem("expected a list of texts"),
            })
            .collect(),
        _ => problem("expected a text or a list of texts"),
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::String(text.clone()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Datetime(time) => Json::String(time.to_string()),
        Value::Array(list) => list.iter().map(json).collect(),
        Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
    }
}
