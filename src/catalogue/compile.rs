//! Turns the flat attribute entries of a rule into changes that know how the schema nests them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::path::Path;
use super::rule::{Apart, Build, Change, Field, Fields, Kind, Operation, Shape, Source};
use super::schema::{Attribute, Block, Body, Nesting, Type};
use super::text::Text;

/// Why entries cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The attribute is not in the provider's schema.
    #[error("`{0}` is not an attribute of this resource type")]
    NoSuchAttribute(String),
    /// Members of a list are given, the list itself is not.
    #[error("`{0}` is inside a list of blocks whose own source is not given")]
    NoList(String),
}

/// What stands at a dotted path.
enum Place<'a> {
    Attribute(&'a Attribute),
    Block(&'a Block),
}

/// A source that gives nothing, or its own default, where the call leaves it out of an object that it
/// replaces whole. What the provider may fill in is left unsaid.
fn replaced<'s>(source: &'s Source, place: &Place<'_>, whole: &[Path]) -> Cow<'s, Source> {
    let holds = |path: &&Path| source.from.iter().any(|from| from.below(path).is_some());
    let within = whole
        .iter()
        .filter(holds)
        .max_by_key(|path| path.steps.len());
    let stays = source.unknown || source.present || source.alone || source.more().kept;
    let Some(within) = within.filter(|_| !stays) else {
        return Cow::Borrowed(source);
    };
    let nothing = match place {
        _ if source.more().default.is_some() => source.more().default.clone(),
        Place::Attribute(attribute) if attribute.computed => None,
        Place::Attribute(attribute) => Some(nothing(&attribute.ty)),
        Place::Block(_) => Some(Value::Array(Vec::new())),
    };
    if nothing.is_none() {
        return Cow::Borrowed(source);
    }
    let mut source = source.clone();
    source.more_mut().default = nothing;
    source.more_mut().within = Some(within.clone());
    Cow::Owned(source)
}

/// How the provider reads back a value that is not there.
fn nothing(ty: &Type) -> Value {
    match ty {
        Type::String | Type::Typed => Value::String(String::new()),
        Type::Bool => Value::Bool(false),
        Type::List(_) | Type::Set(_) => Value::Array(Vec::new()),
        Type::Number | Type::Map(_) | Type::Any => Value::Null,
    }
}

/// Compiles the entries of one operation of one target.
///
/// Of the objects at `whole`, what the call leaves out is nothing.
///
/// # Errors
/// When an entry names what the schema does not have, or members of a list that has no source.
pub fn compile(
    operation: Operation,
    entries: &BTreeMap<Text, Source>,
    body: &'static Body,
    whole: &[Path],
) -> Result<Vec<Change>, CompileError> {
    let mut changes = Vec::new();
    for (attribute, source) in entries {
        let names: Vec<&str> = attribute.split('.').collect();
        let (place, path, lists_above) = walk(body, &names)
            .ok_or_else(|| CompileError::NoSuchAttribute(attribute.to_string()))?;
        if !lists_above.is_empty() {
            let has_source =
                |depth: &usize| entries.contains_key(names[..*depth].join(".").as_str());
            if lists_above.iter().any(has_source) {
                continue;
            }
            // A list that the provider limits to one block by other means than the schema's.
            let as_one = operation == Operation::Set && only_lists_above(body, &names);
            if !as_one {
                return Err(CompileError::NoList(attribute.to_string()));
            }
        }
        let source = replaced(source, &place, whole);
        let source = source.as_ref();
        let (shape, build) = match place {
            Place::Attribute(found) => {
                // What goes from a map is named by its keys alone.
                let keys_only = operation == Operation::Remove && matches!(found.ty, Type::Map(_));
                let own = typed(&found.ty, source);
                let given = if keys_only { Type::Any } else { own.clone() };
                let build = if operation == Operation::Set && is_spelt(source) && is_text(&found.ty)
                {
                    Build::Alike(source.clone(), Kind::Value(given))
                } else {
                    Build::Leaf(source.clone(), given)
                };
                (Shape::Plain(own), build)
            }
            Place::Block(block) if block.nesting == Nesting::Map => (
                Shape::Plain(Type::Map(Box::new(Type::Any))),
                Build::Leaf(source.clone(), Type::Any),
            ),
            Place::Block(block) => {
                let fields = fields(&block.body, attribute, source, entries);
                let ordered = block.nesting == Nesting::List && !source.unordered;
                let mut known = known(&block.body, &fields);
                if operation != Operation::Set {
                    known.values_mut().for_each(disordered);
                }
                let shape = Shape::Blocks {
                    ordered,
                    fields: known,
                };
                let single = matches!(block.nesting, Nesting::ListOfOne | Nesting::Single);
                let spelt = operation == Operation::Set && is_spelt(source) && fields.is_empty();
                if source.present {
                    (shape, Build::Leaf(source.clone(), Type::Any))
                } else if spelt {
                    let shape = if source.more().spelt {
                        Shape::Spelt
                    } else if single {
                        Shape::Plain(Type::Any)
                    } else {
                        shape
                    };
                    (shape, Build::Alike(source.clone(), Kind::Block(block)))
                } else if single && fields.is_empty() {
                    (
                        Shape::Plain(Type::Any),
                        Build::Leaf(source.clone(), Type::Any),
                    )
                } else if single {
                    // The block's own entry only says where it is; its fields drift on their own.
                    continue;
                } else {
                    (shape, Build::Blocks(source.clone(), fields))
                }
            }
        };
        changes.push(Change {
            operation,
            attribute: attribute.clone(),
            path: if *attribute == path {
                attribute.clone()
            } else {
                path.into()
            },
            shape,
            build,
            alone: source.alone,
            key: source.more().key.clone(),
            apart: source.more().apart.clone().map(|by| {
                let elsewhere = source.more().elsewhere.clone();
                Box::new(Apart { by, elsewhere })
            }),
        });
    }
    Ok(changes)
}

/// The type of an attribute as a rule knows it.
fn typed(ty: &Type, source: &Source) -> Type {
    match ty {
        Type::String if source.more().typed => Type::Typed,
        ty => ty.clone(),
    }
}

/// Whether a rule knows where a value is, but not how to read it.
fn is_spelt(source: &Source) -> bool {
    let more = source.more();
    source.unknown
        && !source.from.is_empty()
        && more.template.is_empty()
        && more.transforms.is_empty()
        && (more.map.is_empty() || more.spelt)
}

/// Whether a value of this type means the same wherever it reads the same. Numbers may be in another
/// unit, truths the other way round.
fn is_text(ty: &Type) -> bool {
    match ty {
        Type::String | Type::Typed => true,
        Type::List(inner) | Type::Set(inner) | Type::Map(inner) => **inner == Type::String,
        Type::Number | Type::Bool | Type::Any => false,
    }
}

/// Terraform's path for a dotted path, if the schema has it: `metadata_options[0].http_tokens`.
#[must_use]
pub fn rendered(body: &Body, dotted: &str) -> Option<String> {
    let names: Vec<&str> = dotted.split('.').collect();
    walk(body, &names).map(|(_, path, _)| path)
}

/// Follows names through a schema: the place, Terraform's path, and the depths of lists of many blocks above it.
fn walk<'a>(body: &'a Body, names: &[&str]) -> Option<(Place<'a>, String, Vec<usize>)> {
    let mut body = body;
    let mut path = String::new();
    let mut lists_above = Vec::new();
    for (depth, name) in names.iter().enumerate() {
        let last = depth + 1 == names.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        if let Some(block) = body.blocks.get(name) {
            if last {
                return Some((Place::Block(block), path, lists_above));
            }
            match block.nesting {
                Nesting::ListOfOne => path.push_str("[0]"),
                Nesting::Single => {}
                Nesting::List => {
                    path.push_str("[0]");
                    lists_above.push(depth + 1);
                }
                Nesting::Set | Nesting::Map => lists_above.push(depth + 1),
            }
            body = &block.body;
        } else {
            let attribute = body.attributes.get(name)?;
            return last.then_some((Place::Attribute(attribute), path, lists_above));
        }
    }
    None
}

/// Whether all blocks above a place are lists or single.
fn only_lists_above(body: &Body, names: &[&str]) -> bool {
    let mut body = body;
    names[..names.len() - 1]
        .iter()
        .all(|name| match body.blocks.get(name) {
            Some(block) => {
                body = &block.body;
                !matches!(block.nesting, Nesting::Set | Nesting::Map)
            }
            None => false,
        })
}

/// Builds for the fields of a block, from the entries below it.
fn fields(
    body: &Body,
    above: &str,
    above_source: &Source,
    entries: &BTreeMap<Text, Source>,
) -> Vec<(Text, Build)> {
    let mut out = Vec::new();
    for (name, attribute) in &body.attributes {
        let dotted = format!("{above}.{name}");
        if let Some(source) = entries.get(dotted.as_str()) {
            let ty = typed(&attribute.ty, source);
            let source = relative(source, above_source);
            out.push((name.clone(), Build::Leaf(source, ty)));
        }
    }
    for (name, block) in &body.blocks {
        let dotted = format!("{above}.{name}");
        let own = entries.get(dotted.as_str());
        let single = matches!(block.nesting, Nesting::ListOfOne | Nesting::Single);
        if let Some(source) = own.filter(|source| source.present) {
            let source = relative(source, above_source);
            out.push((name.clone(), Build::Leaf(source, Type::Any)));
        } else if single {
            let inner = fields(&block.body, &dotted, above_source, entries);
            if !inner.is_empty() {
                out.push((
                    name.clone(),
                    Build::One {
                        in_list: block.nesting == Nesting::ListOfOne,
                        fields: inner,
                    },
                ));
            }
        } else if let Some(source) = own {
            let inner = fields(&block.body, &dotted, source, entries);
            out.push((
                name.clone(),
                Build::Blocks(relative(source, above_source), inner),
            ));
        }
    }
    out
}

/// A source as seen from a member of the list above it.
fn relative(source: &Source, above: &Source) -> Source {
    // Where the list may be one of several values, a field that is one of them says so by its own path.
    let alternatives = above.from.len() > 1;
    let below = |path: &Path| {
        let inner = above.from.iter().find_map(|list| path.below(list))?;
        (!alternatives || !inner.steps.is_empty()).then_some(inner)
    };
    let mut source = source.clone();
    for path in &mut source.from {
        if let Some(inner) = below(path) {
            *path = inner;
        }
    }
    for part in source.rest.iter_mut().flat_map(|rest| &mut rest.template) {
        if let super::rule::TemplatePart::Path(path) = part
            && let Some(inner) = below(path)
        {
            *path = inner;
        }
    }
    source
}

/// Where members come and go one by one, nothing tells where in a list of theirs they are.
fn disordered(field: &mut Field) {
    if let Some(Type::List(member)) = &field.ty {
        field.ty = Some(Type::Set(member.clone()));
    }
}

/// What a rule knows of a block, for comparing.
fn known(body: &Body, builds: &[(Text, Build)]) -> Fields {
    let mut out = Fields::new();
    for (name, build) in builds {
        let field = match build {
            // Of a block that says something by being there, only that is known.
            Build::Leaf(..) if body.blocks.contains_key(name) => Field {
                ty: None,
                computed: false,
                inner: Some((true, Fields::new())),
            },
            Build::Leaf(_, ty) | Build::Alike(_, Kind::Value(ty)) => {
                let computed = body
                    .attributes
                    .get(name)
                    .is_some_and(|attribute| attribute.computed);
                Field {
                    ty: Some(ty.clone()),
                    computed,
                    inner: None,
                }
            }
            Build::Alike(_, Kind::Block(_)) => continue,
            Build::Blocks(_, inner) | Build::One { fields: inner, .. } => {
                let Some(block) = body.blocks.get(name) else {
                    continue;
                };
                let ordered = block.nesting != Nesting::Set;
                Field {
                    ty: None,
                    computed: false,
                    inner: Some((ordered, known(&block.body, inner))),
                }
            }
        };
        out.insert(name.clone(), field);
    }
    out
}
