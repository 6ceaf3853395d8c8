//! Reads the compact inputs under `catalogue/inputs/`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use super::api::Api;

/// What a call does on the provider's path of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    Create,
    Update,
    Delete,
    Tag,
}

/// How a call belongs to a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The call itself.
    Primary,
    /// The provider never makes it, but it changes the type.
    Seen,
    /// A side call on the path.
    Aux,
}

/// A call that a type knows.
#[derive(Debug, Clone)]
pub struct CallRow {
    pub source: String,
    pub event: String,
    pub verbs: BTreeSet<Verb>,
    pub kind: Kind,
}

/// One attribute of a type and the member of a call that sets it.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// `M` by hand, `A` sure, `B` likely, `C` a hint.
    pub confidence: char,
    pub attribute: String,
    /// Dotted members of the request, or their snake case.
    pub member: String,
}

/// Attributes that a call takes as keys and values, or as patch operations.
#[derive(Debug, Clone)]
pub struct Keyed {
    pub event: String,
    /// `attributes` or `patch`.
    pub container: String,
    pub pairs: Vec<(String, String)>,
}

/// Mappings by type, source and event.
pub type Mappings = BTreeMap<(String, String, String), Vec<Mapping>>;

/// A call that changes nothing Terraform holds.
#[derive(Debug, Clone)]
pub struct Operates {
    pub source: String,
    pub event: String,
    pub why: String,
}

/// Everything the generator starts from.
#[derive(Debug, Default)]
pub struct Inputs {
    pub api: Api,
    pub calls: BTreeMap<String, Vec<CallRow>>,
    /// By type, source and event.
    pub mappings: Mappings,
    /// By type and source.
    pub keyed: BTreeMap<(String, String), Vec<Keyed>>,
    pub operates: Vec<Operates>,
    /// Types, the most used first.
    pub ranking: Vec<String>,
    /// Corrections of what is derived.
    pub overrides: toml::Table,
    /// Arguments that exist in Terraform alone.
    pub never: Vec<String>,
    /// Types that programs make all day: that one was made is no news.
    pub quiet: Vec<String>,
}

/// Why an input cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    #[error("{file}: {source}")]
    Read {
        file: String,
        source: std::io::Error,
    },
    #[error("{file}: not as the generator writes it: {what}")]
    Form { file: String, what: String },
}

impl Inputs {
    /// Reads them from a folder.
    pub fn read(folder: &Path) -> Result<Self, InputError> {
        let model = text(folder, "aws-api.txt.gz")?;
        let mut inputs = Self {
            api: Api::read(&model).ok_or_else(|| form("aws-api.txt.gz", "a member"))?,
            calls: calls(&text(folder, "calls.txt")?)?,
            mappings: mappings(&text(folder, "attributes.txt.gz")?)?,
            keyed: keyed(&text(folder, "keyed.txt")?)?,
            ranking: text(folder, "ranking.txt")?
                .lines()
                .map(str::to_owned)
                .collect(),
            ..Self::default()
        };
        let operates: toml::Table = text(folder, "operates.toml")?
            .parse()
            .map_err(|e| form("operates.toml", e))?;
        for (source, events) in operates {
            for (why, names) in events.as_table().into_iter().flatten() {
                for event in names
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(toml::Value::as_str)
                {
                    let (source, event, why) = (source.clone(), event.to_owned(), why.clone());
                    inputs.operates.push(Operates { source, event, why });
                }
            }
        }
        inputs.overrides = text(folder, "overrides.toml")?
            .parse()
            .map_err(|e| form("overrides.toml", e))?;
        let mut list = |key: &str| -> Vec<String> {
            let list = inputs.overrides.remove(key);
            let list = list
                .as_ref()
                .and_then(toml::Value::as_array)
                .into_iter()
                .flatten();
            list.filter_map(toml::Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        inputs.never = list("never");
        inputs.quiet = list("quiet");
        Ok(inputs)
    }
}

fn form(file: &str, what: impl ToString) -> InputError {
    InputError::Form {
        file: file.to_owned(),
        what: what.to_string(),
    }
}

fn text(folder: &Path, file: &str) -> Result<String, InputError> {
    let error = |source| InputError::Read {
        file: file.to_owned(),
        source,
    };
    let bytes = std::fs::read(folder.join(file)).map_err(error)?;
    let mut text = String::new();
    if Path::new(file).extension().is_some_and(|end| end == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .map_err(error)?;
    } else {
        bytes.as_slice().read_to_string(&mut text).map_err(error)?;
    }
    Ok(text)
}

fn calls(text: &str) -> Result<BTreeMap<String, Vec<CallRow>>, InputError> {
    let mut calls: BTreeMap<String, Vec<CallRow>> = BTreeMap::new();
    let mut resource_type = String::new();
    for line in text.lines() {
        let Some(row) = line.strip_prefix("  ") else {
            line.clone_into(&mut resource_type);
            calls.entry(resource_type.clone()).or_default();
            continue;
        };
        let error = || form("calls.txt", line);
        let (head, events) = row.split_once(": ").ok_or_else(error)?;
        let mut head: Vec<&str> = head.split(' ').collect();
        let source = head.pop().ok_or_else(error)?;
        let verbs = head.pop().ok_or_else(error)?;
        let kind = match head.pop() {
            None => Kind::Primary,
            Some("seen") => Kind::Seen,
            Some(_) => Kind::Aux,
        };
        let verbs: BTreeSet<Verb> = verbs
            .split('+')
            .map(|verb| match verb {
                "create" => Ok(Verb::Create),
                "update" => Ok(Verb::Update),
                "delete" => Ok(Verb::Delete),
                "tag" => Ok(Verb::Tag),
                _ => Err(error()),
            })
            .collect::<Result<_, _>>()?;
        for event in events.split(' ') {
            let row = CallRow {
                source: source.to_owned(),
                event: event.to_owned(),
                verbs: verbs.clone(),
                kind,
            };
            calls.entry(resource_type.clone()).or_default().push(row);
        }
    }
    Ok(calls)
}

fn mappings(text: &str) -> Result<Mappings, InputError> {
    let mut mappings: BTreeMap<_, Vec<Mapping>> = BTreeMap::new();
    let mut key = (String::new(), String::new(), String::new());
    for line in text.lines() {
        let error = || form("attributes.txt.gz", line);
        if let Some(entries) = line.strip_prefix("    ") {
            let (confidence, entries) = entries.split_once(' ').ok_or_else(error)?;
            let confidence = confidence.chars().next().ok_or_else(error)?;
            for entry in entries.split(' ') {
                let (attribute, member) = entry.split_once('=').unwrap_or((entry, entry));
                let (attribute, member) = (attribute.to_owned(), member.to_owned());
                mappings.entry(key.clone()).or_default().push(Mapping {
                    confidence,
                    attribute,
                    member,
                });
            }
        } else if let Some(call) = line.strip_prefix("  ") {
            let (source, event) = call.split_once(' ').ok_or_else(error)?;
            source.clone_into(&mut key.1);
            event.clone_into(&mut key.2);
        } else {
            line.clone_into(&mut key.0);
        }
    }
    Ok(mappings)
}

fn keyed(text: &str) -> Result<BTreeMap<(String, String), Vec<Keyed>>, InputError> {
    let mut keyed: BTreeMap<_, Vec<Keyed>> = BTreeMap::new();
    for line in text.lines() {
        let error = || form("keyed.txt", line);
        let (head, pairs) = line.split_once(": ").ok_or_else(error)?;
        let [resource_type, source, events, container] = head.split(' ').collect::<Vec<_>>()[..]
        else {
            return Err(error());
        };
        let pairs: Vec<(String, String)> = pairs
            .split(' ')
            .filter_map(|pair| pair.split_once('='))
            .map(|(attribute, key)| (attribute.to_owned(), key.to_owned()))
            .collect();
        for event in events.split(',') {
            let entry = Keyed {
                event: event.to_owned(),
                container: container.to_owned(),
                pairs: pairs.clone(),
            };
            keyed
                .entry((resource_type.to_owned(), source.to_owned()))
                .or_default()
                .push(entry);
        }
    }
    Ok(keyed)
}
