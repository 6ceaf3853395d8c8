//! What Terraform code adds to drifts: where the block stands, and which changes it ignores.

use std::collections::HashMap;
use std::path::Path;

use super::error::Error;
use super::ignore::{suppressed, with_attributes};
use crate::configuration::{Block, Configuration, Problem};
use crate::drift::model::{Attribute, Drift, Kind, SourcePosition, Status};
use crate::state::{self, Address, AttributePath};

/// The code of the states that are looked at, as far as it is at hand.
#[derive(Debug, Default)]
pub struct Code {
    /// The code of every state, when the user named it.
    named: Option<Configuration>,
    /// The code of the root modules found, by the locations of their states.
    found: HashMap<String, Configuration>,
}

impl Code {
    /// Reads the code in the folder that was named; without one, that of the root modules whose
    /// states were found because none were given.
    ///
    /// # Errors
    /// When what was named is no folder.
    pub fn read(named: Option<&Path>, states_given: bool) -> Result<Self, Error> {
        let mut code = Self::default();
        match named {
            Some(folder) if !folder.is_dir() => {
                let text = format!("--config-dir: `{}` is no folder", folder.display());
                return Err(Error::Usage(text));
            }
            Some(folder) => code.named = Some(Configuration::read(folder)),
            None if states_given => {}
            None => {
                let found = state::discover(Path::new("."), &|name| std::env::var(name).ok());
                for (location, folder) in found.locations.iter().zip(&found.modules) {
                    let read = Configuration::read(folder);
                    code.found.insert(location.to_string(), read);
                }
            }
        }
        Ok(code)
    }

    /// What could not be read. It is no evidence that is missing.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let all = self.named.iter().chain(self.found.values());
        all.flat_map(Configuration::problems)
    }

    /// Tells a drift where its block stands, and parts it into what stays open and what the block
    /// says to ignore.
    #[must_use]
    pub fn divide(&self, mut drift: Drift) -> Vec<Drift> {
        let Some(block) = self.block(&drift) else {
            return vec![drift];
        };
        drift.source = block.position.as_ref().map(|position| SourcePosition {
            file: position.file.clone(),
            line: position.line,
        });
        if drift.kind != Kind::Modified || drift.status != Status::Open {
            return vec![drift];
        }
        let mut reasons: Vec<String> = Vec::new();
        let (mut hidden, mut open) = (Vec::new(), Vec::new());
        for attribute in &drift.attributes {
            let Some(reason) = reason(block, attribute) else {
                open.push(attribute.clone());
                continue;
            };
            hidden.push(attribute.clone());
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let reason = reasons.join("; ");
        match (hidden.is_empty(), open.is_empty()) {
            (true, _) => vec![drift],
            (false, true) => vec![suppressed(drift, reason)],
            (false, false) => vec![
                with_attributes(&drift, open),
                suppressed(with_attributes(&drift, hidden), reason),
            ],
        }
    }

    fn block(&self, drift: &Drift) -> Option<&Block> {
        let of_state = || self.found.get(drift.state.as_ref()?);
        let code = self.named.as_ref().or_else(of_state)?;
        let address: Address = drift.address.as_ref()?.parse().ok()?;
        let modules = address.module.iter().map(|step| &*step.name);
        code.block(modules, &address.resource_type, &address.name)
    }
}

/// Why changes of an attribute are ignored, if they are.
fn reason(block: &Block, attribute: &Attribute) -> Option<String> {
    let path: Option<AttributePath> = attribute.path.parse().ok();
    let covers = |ignored: &str| {
        let ignored: Option<AttributePath> = ignored.parse().ok();
        ignored.is_some_and(|ignored| path.as_ref().is_some_and(|path| ignored.covers(path)))
    };
    let entry = block
        .ignored
        .iter()
        .find(|entry| entry.path.as_deref().is_none_or(covers))?;
    Some(format!("ignore_changes in {}", entry.position))
}
