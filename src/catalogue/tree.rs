//! A rule file's contents before they are understood: what TOML holds, and no more.
//!
//! The build script writes the merged files as such trees into the binary; a user's file becomes one
//! when it is read.

use std::collections::BTreeMap;

use super::text::Text;

/// The members of a table, sorted by key.
pub type Table = BTreeMap<Text, Tree>;

/// A value of a rule file. Times are texts: no rule holds one.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// A text.
    Text(Text),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A list.
    List(Vec<Tree>),
    /// A table.
    Table(Table),
}

impl Tree {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    #[must_use]
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether it is this truth.
    #[must_use]
    pub fn is(&self, truth: bool) -> bool {
        matches!(self, Self::Bool(own) if *own == truth)
    }
}

impl From<toml::Value> for Tree {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text.into()),
            toml::Value::Integer(number) => Self::Integer(number),
            toml::Value::Float(number) => Self::Float(number),
            toml::Value::Boolean(truth) => Self::Bool(truth),
            toml::Value::Datetime(time) => Self::Text(time.to_string().into()),
            toml::Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            toml::Value::Table(table) => Self::Table(table_of(table)),
        }
    }
}

/// A TOML table as a table of trees.
#[must_use]
pub fn table_of(table: toml::Table) -> Table {
    table
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}
