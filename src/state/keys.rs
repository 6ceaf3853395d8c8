//! Which keys of a bucket a location means.

use globset::GlobBuilder;

/// Where Terraform's S3 backend keeps the workspaces other than the default one.
const WORKSPACES: &str = "env:/";

/// The keys of a bucket that are wanted.
pub(crate) enum Wanted<'k> {
    Below(&'k str),
    Matching(&'k str, globset::GlobMatcher),
}

impl<'k> Wanted<'k> {
    pub(crate) fn of(key: &'k str) -> Result<Self, String> {
        let Some(first) = key.find(['*', '?']) else {
            return Ok(Self::Below(key));
        };
        let literal = key.get(..first).unwrap_or_default();
        let folder = literal.rfind('/').map_or(0, |slash| slash + 1);
        let pattern = GlobBuilder::new(key)
            .literal_separator(true)
            .build()
            .map_err(|error| format!("malformed pattern: {}", error.kind()))?;
        let prefix = key.get(..folder).unwrap_or_default();
        Ok(Self::Matching(prefix, pattern.compile_matcher()))
    }

    /// What all wanted keys begin with, where workspaces lie beside the default one.
    pub(crate) fn prefix(&self) -> &'k str {
        match self {
            Self::Matching(prefix, _) | Self::Below(prefix) => prefix,
        }
    }

    /// The same for S3, where they lie elsewhere.
    pub(crate) fn prefixes(&self) -> Vec<&'k str> {
        match self {
            Self::Matching(prefix, _) => vec![prefix],
            Self::Below(prefix) if prefix.is_empty() || prefix.starts_with(WORKSPACES) => {
                vec![prefix]
            }
            Self::Below(prefix) => vec![prefix, WORKSPACES],
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        match self {
            Self::Matching(_, pattern) => pattern.is_match(key),
            Self::Below(prefix) => {
                let in_workspace = key
                    .strip_prefix(WORKSPACES)
                    .and_then(|rest| rest.split_once('/'))
                    .is_some_and(|(_, key)| key.starts_with(prefix));
                key.starts_with(prefix) || in_workspace
            }
        }
    }
}
