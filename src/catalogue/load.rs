//! Reads rule files (docs/catalogue.md) into rules.

mod call;
mod source;

use std::collections::BTreeMap;

use super::compile::CompileError;
use super::merge;
use super::path::PathError;
use super::rule::{CallRule, Provenance, Scope, TypeFacts};
use super::text::Text;
use super::tree::{self, Table, Tree};

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

/// The rules of one service, all of them read.
#[derive(Debug, Default)]
pub struct ServiceRules {
    /// The event source.
    pub service: String,
    /// How far its names reach.
    pub scope: Scope,
    /// Rules by event name.
    pub calls: BTreeMap<Text, CallRule>,
    /// Facts about types by type.
    pub types: BTreeMap<Text, TypeFacts>,
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

pub(super) use call::Beside;

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

/// Reads the rule files of one service, the lightest first: later ones win over earlier ones field
/// by field. Keeps what can be used beside what cannot.
#[must_use]
pub fn load_all(texts: &[RuleText<'_>]) -> (ServiceRules, Vec<LoadError>) {
    let mut errors = Vec::new();
    let mut merged = Table::new();
    let mut file = "";
    for text in texts {
        file = text.file;
        match parse(text.file, text.text) {
            Ok(table) => match text.provenance {
                Provenance::Generated => merge::merge(&mut merged, table),
                Provenance::Handwritten => merge::by_hand(&mut merged, table),
                Provenance::User => merge::by_user(&mut merged, table),
            },
            Err(error) => errors.push(error),
        }
    }
    let rules = read(file, &merged, &mut errors);
    (rules, errors)
}

/// Parses one file.
///
/// # Errors
/// When it is no TOML.
pub(super) fn parse(file: &str, text: &str) -> Result<Table, LoadError> {
    match text.parse() {
        Ok(table) => Ok(tree::table_of(table)),
        Err(source) => Err(LoadError::Syntax {
            file: file.to_owned(),
            source: Box::new(source),
        }),
    }
}

/// Reads the merged table of a service. `file` is named in errors.
pub(super) fn read(file: &str, merged: &Table, errors: &mut Vec<LoadError>) -> ServiceRules {
    let mut rules = ServiceRules::default();
    for (key, value) in merged {
        let done = match (key.as_str(), value) {
            ("service", Tree::Text(service)) => {
                rules.service = service.to_string();
                Ok(())
            }
            ("scope", Tree::Text(word)) => scope(word).map(|scope| rules.scope = scope),
            ("type", Tree::Table(types)) => types.iter().try_for_each(|(name, facts)| {
                rules.types.insert(name.clone(), call::type_facts(facts)?);
                Ok(())
            }),
            (_, Tree::Table(event)) => {
                let other = |name: &str| merged.get(name)?.as_table().cloned();
                let types = merged.get("type").and_then(Tree::as_table);
                let typed = |name: &str| {
                    let facts = types.and_then(|types| call::type_facts(types.get(name)?).ok());
                    facts.unwrap_or_default().typed
                };
                let beside = Beside {
                    other: &other,
                    typed: &typed,
                };
                call::call_rule(key, event, &beside).map(|rule| {
                    rules.calls.insert(key.clone(), rule);
                })
            }
            _ => problem("expected `service`, `scope`, `[type.…]` or an event"),
        };
        if let Err(Problem(problem)) = done {
            errors.push(LoadError::Rule {
                file: file.to_owned(),
                place: key.to_string(),
                problem,
            });
        }
    }
    rules
}

/// Reads the rule of one event. None when it is no rule.
pub(super) fn rule(event: &Text, table: &Table, beside: &Beside<'_>) -> Option<CallRule> {
    call::call_rule(event, table, beside).ok()
}

/// Reads what a service says of types, leaving out what is none.
pub(super) fn types(table: &Table) -> BTreeMap<Text, TypeFacts> {
    table
        .iter()
        .filter_map(|(name, facts)| Some((name.clone(), call::type_facts(facts).ok()?)))
        .collect()
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
