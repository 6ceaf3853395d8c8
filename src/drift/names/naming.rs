//! What the inventory is told of AWS's names.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::catalogue::aws::identifier;
use crate::catalogue::{Catalogue, schema};
use crate::state::inventory::{Naming, Scope};

/// The catalogue's knowledge of names, as the inventory asks for it.
pub struct AwsNaming<'a> {
    catalogue: &'a Catalogue,
    keys: HashMap<&'static str, OnceLock<Option<Vec<String>>>>,
}

impl<'a> AwsNaming<'a> {
    /// Naming of all the provider's types; those met are looked up in the catalogue once.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            keys: schema::types()
                .map(|name| (name, OnceLock::new()))
                .collect(),
        }
    }
}

impl Naming for AwsNaming<'_> {
    fn keys(&self, resource_type: &str) -> Option<&[String]> {
        let keys = self
            .keys
            .get(resource_type)?
            .get_or_init(|| self.catalogue.keys(resource_type));
        keys.as_deref()
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier::short(identifier)
    }

    fn scope(&self, identifier: &str) -> Option<Scope> {
        let arn = identifier::Arn::parse(identifier)?;
        // What AWS itself owns, as its managed policies, lies in no account.
        let some = |text: &str| (!text.is_empty() && text != "aws").then(|| text.to_owned());
        Some(Scope {
            account: some(arn.account),
            region: some(arn.region),
        })
    }
}

/// Only the short form is needed to look up what is already indexed.
pub(in crate::drift) struct ShortOnly;

impl Naming for ShortOnly {
    fn keys(&self, _: &str) -> Option<&[String]> {
        None
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier::short(identifier)
    }

    fn scope(&self, _: &str) -> Option<Scope> {
        None
    }
}
