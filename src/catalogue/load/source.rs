//! Reads where a rule finds things: sources, names, conditions.

use serde_json::Value as Json;

use super::{Problem, problem};
use crate::catalogue::aws;
use crate::catalogue::path::Path;
use crate::catalogue::rule::{Condition, Each, Lesson, Pair, Parent, Source, TemplatePart, Test};
use crate::catalogue::schema;
use crate::catalogue::text::Text;
use crate::catalogue::transform::Transform;
use crate::catalogue::tree::{Table, Tree};

pub(super) fn find(value: &Tree) -> Result<Vec<Vec<Pair>>, Problem> {
    match value {
        Tree::Table(table) => Ok(vec![pairs(table)?]),
        Tree::List(list) => list
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
        let other = attribute.ends_with('!');
        let name = attribute.trim_end_matches(['?', '!']).len();
        pairs.push(Pair {
            attribute: attribute.part(0..name),
            source: source(value)?,
            optional,
            other,
        });
        Ok(())
    })?;
    pairs.sort_by_key(|pair| {
        (
            pair.optional || pair.other,
            pair.source.more().value.is_some(),
            pair.source.more().default.is_some(),
        )
    });
    Ok(pairs)
}

/// Visits `a.b = source` and `"a.b" = source` alike.
pub(super) fn flatten(
    prefix: &str,
    table: &Table,
    visit: &mut dyn FnMut(Text, &Tree) -> Result<(), Problem>,
) -> Result<(), Problem> {
    const SOURCE_KEYS: [&str; 15] = [
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
        "apart",
        "elsewhere",
        "kept",
    ];
    for (key, value) in table {
        let dotted = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}").into()
        };
        match value {
            Tree::Table(inner)
                if !inner.keys().any(|key| SOURCE_KEYS.contains(&key.as_str()))
                    || inner.values().any(|value| value.as_table().is_some())
                        && !inner.contains_key("map") =>
            {
                flatten(&dotted, inner, visit)?;
            }
            value => visit(dotted, value)?,
        }
    }
    Ok(())
}

pub(super) fn parent(value: &Tree) -> Result<Option<Parent>, Problem> {
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

/// The names that a call teaches: one table, or a list of them.
pub(super) fn lessons(value: &Tree) -> Result<Vec<Lesson>, Problem> {
    let tables: Vec<&Table> = match value {
        Tree::Table(table) => vec![table],
        Tree::List(list) => list.iter().filter_map(Tree::as_table).collect(),
        _ => return problem("`learns` is a table, or a list of tables"),
    };
    tables.into_iter().map(lesson).collect()
}

fn lesson(table: &Table) -> Result<Lesson, Problem> {
    let mut lesson = Lesson {
        keys: Vec::new(),
        each: None,
        is: Source::default(),
        was: None,
        arn: None,
        within: Vec::new(),
        gives: Vec::new(),
    };
    let sources = |value: &Tree| -> Result<Vec<(Text, Source)>, Problem> {
        let entries = value.as_table().into_iter().flatten();
        entries
            .map(|(name, value)| Ok((name.clone(), source(value)?)))
            .collect()
    };
    for (key, value) in table {
        match key.as_str() {
            "at" => lesson.keys = words(value)?,
            "each" => lesson.each = Some(each(value)?),
            "is" => lesson.is = source(value)?,
            "was" => lesson.was = Some(source(value)?),
            "arn" => lesson.arn = words(value)?.pop(),
            "within" => lesson.within = sources(value)?,
            "gives" => lesson.gives = sources(value)?,
            _ => {
                return problem(format!(
                    "learns: unknown key `{key}`: at, each, is, was, arn, within, gives"
                ));
            }
        }
    }
    if lesson.keys.is_empty() || lesson.is.from.is_empty() {
        return problem("learns: write `at`, the keys of later calls, and `is`, the name there");
    }
    Ok(lesson)
}

pub(super) fn yields(value: &Tree) -> Result<Vec<(Text, Text)>, Problem> {
    words(value)?
        .iter()
        .map(|text| match text.split_once('.') {
            Some((name, _)) => Ok((
                text.part(0..name.len()),
                text.part(name.len() + 1..text.len()),
            )),
            None => problem(format!("yields: `{text}` is not `type.attribute`")),
        })
        .collect()
}

pub(super) fn each(value: &Tree) -> Result<Each, Problem> {
    match value.as_text() {
        Some(text) => match text.strip_prefix('@') {
            Some(name) if aws::expand::NAMES.contains(&name) => Ok(Each::Expander(name.to_owned())),
            Some(name) => problem(format!("no expander `@{name}`")),
            None => Ok(Each::Path(Path::of(text)?)),
        },
        None => problem("`each` is a path or an expander"),
    }
}

pub(super) fn conditions(value: &Tree) -> Result<Vec<Condition>, Problem> {
    words(value)?
        .iter()
        .map(|text| {
            let (path, test) = if text.starts_with('!') {
                (1..text.len(), Test::Absent)
            } else if let Some((path, value)) = text.split_once("!=") {
                (0..path.len(), Test::IsNot(value.to_owned()))
            } else if let Some((path, value)) = text.split_once('=') {
                (0..path.len(), Test::Is(value.to_owned()))
            } else {
                (0..text.len(), Test::Present)
            };
            Ok(Condition {
                path: Path::of(&text.part(path))?,
                test,
            })
        })
        .collect()
}

pub(super) fn source(value: &Tree) -> Result<Source, Problem> {
    let mut source = Source::default();
    match value {
        Tree::Text(text) => {
            let mut parts = text.split(" | ");
            let path = parts.next().unwrap_or_default();
            source.from.push(Path::of(&text.part(0..path.len()))?);
            let transforms: Vec<Transform> = parts.map(transform).collect::<Result<_, _>>()?;
            if !transforms.is_empty() {
                source.more_mut().transforms = transforms;
            }
        }
        Tree::Table(table) => {
            for (key, value) in table {
                match key.as_str() {
                    "from" => {
                        source.from = words(value)?
                            .iter()
                            .map(Path::of)
                            .collect::<Result<_, _>>()?;
                    }
                    "value" => source.more_mut().value = Some(json(value)),
                    "template" => source.more_mut().template = template(value)?,
                    "map" => {
                        let Some(map) = value.as_table() else {
                            return problem("`map` is a table");
                        };
                        source.more_mut().map = map
                            .iter()
                            .map(|(word, value)| (word.clone(), json(value)))
                            .collect();
                    }
                    "as" => {
                        source.more_mut().transforms = words(value)?
                            .iter()
                            .map(|t| transform(t))
                            .collect::<Result<_, _>>()?;
                    }
                    "default" => source.more_mut().default = Some(json(value)),
                    "unknown" => source.unknown = value.is(true),
                    "present" => source.present = value.is(true),
                    "blank" => source.blank = value.is(true),
                    "unordered" => source.unordered = value.is(true),
                    "alone" => source.alone = value.is(true),
                    "key" => source.more_mut().key = value.as_text().cloned(),
                    "spelt" => source.more_mut().spelt = value.is(true),
                    "apart" => source.more_mut().apart = value.as_text().cloned(),
                    "kept" => source.more_mut().kept = value.is(true),
                    "elsewhere" => source.more_mut().elsewhere = value.as_text().cloned(),
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

fn template(value: &Tree) -> Result<Vec<TemplatePart>, Problem> {
    let Some(text) = value.as_text() else {
        return problem("`template` is a text");
    };
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|found| at + found) {
        let Some(close) = text[open..].find('}').map(|found| open + found) else {
            return problem("a `{` without `}` in a template");
        };
        if open > at {
            parts.push(TemplatePart::Literal(text.part(at..open)));
        }
        parts.push(TemplatePart::Path(Path::of(&text.part(open + 1..close))?));
        at = close + 1;
    }
    if at < text.len() {
        parts.push(TemplatePart::Literal(text.part(at..text.len())));
    }
    Ok(parts)
}

pub(super) fn words(value: &Tree) -> Result<Vec<Text>, Problem> {
    match value {
        Tree::Text(text) => Ok(vec![text.clone()]),
        Tree::List(list) => list
            .iter()
            .map(|member| match member.as_text() {
                Some(text) => Ok(text.clone()),
                None => problem("expected a list of texts"),
            })
            .collect(),
        _ => problem("expected a text or a list of texts"),
    }
}

fn json(value: &Tree) -> Json {
    match value {
        Tree::Text(text) => Json::String(text.to_string()),
        Tree::Integer(number) => Json::from(*number),
        Tree::Float(number) => Json::from(*number),
        Tree::Bool(truth) => Json::Bool(*truth),
        Tree::List(list) => list.iter().map(json).collect(),
        Tree::Table(table) => table
            .iter()
            .map(|(key, value)| (key.to_string(), json(value)))
            .collect(),
    }
}
