//! What Terraform code says that neither a state nor a log does: where a resource's block stands,
//! and which changes it tells Terraform to ignore.
//!
//! Nothing here is evidence: code that cannot be read is a [`Problem`] to be told, and what it
//! would have said is simply not known.

mod block;
mod json;
mod module;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// The resource blocks of a root module and of the modules that it calls.
#[derive(Debug, Default)]
pub struct Configuration {
    blocks: HashMap<Identity, Block>,
    problems: Vec<Problem>,
}

/// A resource block's name: the names of the modules it lies in, its type and its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    modules: Vec<String>,
    resource_type: String,
    name: String,
}

/// One resource block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// Where its head stands; none in a module that was downloaded, which is nobody's to edit.
    pub position: Option<Position>,
    /// What its `lifecycle` block lists under `ignore_changes`.
    pub ignored: Vec<Ignored>,
}

/// A place in a file of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file, relative to the root of the repository, with forward slashes.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One entry of an `ignore_changes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Path of an attribute, as `tags.Owner` or `tags["kubernetes.io/role"]`; none for `all`.
    pub path: Option<String>,
    /// Where it stands.
    pub position: Position,
}

/// Code that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub location: String,
    /// The line, from 1, where it is known.
    pub line: Option<u64>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Configuration {
    /// Reads the root module in a folder, and the modules it calls that lie on this machine:
    /// those named by a path, and those that `terraform init` has downloaded.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        module::read(folder)
    }

    /// The block of a resource in modules of these names, the outermost first.
    #[must_use]
    pub fn block<'n>(
        &self,
        modules: impl IntoIterator<Item = &'n str>,
        resource_type: &str,
        name: &str,
    ) -> Option<&Block> {
        self.blocks.get(&Identity {
            modules: modules.into_iter().map(str::to_owned).collect(),
            resource_type: resource_type.to_owned(),
            name: name.to_owned(),
        })
    }

    /// What could not be read.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}
