//! What Google's and Azure's stores have in common, as `object_store` reaches them.

use std::time::Duration;

use jiff::Timestamp;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, RetryConfig};

use crate::state::backend::{Object, StoreError};

/// Longer answers of a server are cut off in messages.
const LONGEST_ANSWER: usize = 200;

/// What to do about the troubles of a store.
pub(super) struct Remedies {
    /// The store, as people call it.
    pub(super) name: &'static str,
    /// When something is not there.
    pub(super) missing: &'static str,
    /// When it must not be read.
    pub(super) denied: &'static str,
    /// When there are no credentials, or none that are accepted.
    pub(super) credentials: &'static str,
}

/// Tries again for half a minute at most.
pub(super) fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
        ..RetryConfig::default()
    }
}

/// An object whole, or one version of it.
pub(super) async fn fetch(
    store: &impl ObjectStore,
    key: &str,
    version: Option<String>,
    remedies: &Remedies,
) -> Result<Object, StoreError> {
    let path = Path::parse(key)
        .map_err(|_| StoreError::new("the key is none that can be read", remedies.missing))?;
    let options = GetOptions {
        version,
        ..GetOptions::default()
    };
    let work = async {
        let found = store.get_opts(&path, options).await?;
        let modified = Timestamp::from_second(found.meta.last_modified.timestamp()).ok();
        let bytes = found.bytes().await?.to_vec();
        Ok(Object { bytes, modified })
    };
    work.await.map_err(|error| explain(&error, remedies))
}

/// The keys of all objects whose key begins with `prefix`, in order.
pub(super) async fn keys(
    store: &impl PaginatedListStore,
    prefix: &str,
    remedies: &Remedies,
) -> Result<Vec<String>, StoreError> {
    let prefix = (!prefix.is_empty()).then_some(prefix);
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let options = PaginatedListOptions {
            page_token: token,
            ..PaginatedListOptions::default()
        };
        let page = store.list_paginated(prefix, options).await;
        let page = page.map_err(|error| explain(&error, remedies))?;
        let found = page.result.objects.into_iter();
        keys.extend(found.map(|object| object.location.to_string()));
        token = page.page_token.filter(|token| !token.is_empty());
        if token.is_none() {
            keys.sort_unstable();
            return Ok(keys);
        }
    }
}

/// An error in words. What a server says is kept short; addresses, which may hold a signature,
/// are left out.
pub(super) fn explain(error: &object_store::Error, remedies: &Remedies) -> StoreError {
    use object_store::Error;

    let name = remedies.name;
    match error {
        Error::NotFound { .. } => StoreError::new("it does not exist", remedies.missing),
        Error::PermissionDenied { .. } => StoreError::new(
            format!("{name} does not let these credentials read it (HTTP 403)"),
            remedies.denied,
        ),
        Error::Unauthenticated { .. } => StoreError::new(
            format!("{name} does not accept the credentials (HTTP 401)"),
            remedies.credentials,
        ),
        other => {
            let said = said(other);
            let text = other.to_string();
            if text.contains("token request") || text.contains("credential") {
                let problem = format!("no access to {name} could be got: {said}");
                StoreError::new(problem, remedies.credentials)
            } else {
                StoreError::new(
                    format!("{name} does not answer: {said}"),
                    "check the name, the network and HTTPS_PROXY, or try again",
                )
            }
        }
    }
}

/// What the innermost cause says.
fn said(error: &object_store::Error) -> String {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let text = innermost.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LONGEST_ANSWER).collect()
}
