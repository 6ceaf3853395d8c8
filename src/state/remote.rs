//! States behind HTTP: Google Cloud Storage, Azure Blob Storage, Terraform's `http` backend, HCP
//! Terraform and Terraform Enterprise.
//!
//! Secrets come from where Terraform takes them: the backend's own settings, then the variables of
//! the environment that its documentation names. None is ever printed.

mod azure;
mod cloud;
mod gcs;
mod http;
mod store;
mod token;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use object_store::azure::MicrosoftAzure;
use object_store::gcp::GoogleCloudStorage;

use super::backend::{Object, Remote, StoreError};
use super::location::{RemoteLocation, RemotePlace};
use crate::web::Web;

/// Variables of the environment. Some are secrets, so none is ever printed.
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Those of the program that are text.
    #[must_use]
    pub fn of_the_program() -> Self {
        let readable = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(readable).collect())
    }

    /// The first of these variables that says something.
    fn any(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let value = self.0.get(*name)?.as_str();
            (!value.is_empty()).then_some(value)
        })
    }

    fn is_yes(&self, name: &str) -> bool {
        self.any(&[name])
            .is_some_and(|value| matches!(value, "1" | "true" | "TRUE" | "True"))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// Reaches all places behind HTTP. Asks nothing before it is asked. Must not be used inside a
/// tokio runtime.
#[derive(Debug)]
pub struct RemoteStates {
    web: Web,
    environment: Environment,
    /// Clients by their place without a key: each keeps its access token.
    gcs: Clients<GoogleCloudStorage>,
    azure: Clients<MicrosoftAzure>,
}

impl RemoteStates {
    /// A client that takes its secrets from there.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(environment: Environment) -> std::io::Result<Self> {
        Ok(Self {
            web: Web::new()?,
            environment,
            gcs: Clients::default(),
            azure: Clients::default(),
        })
    }
}

impl Remote for RemoteStates {
    fn get(&self, location: &RemoteLocation, at: Option<Timestamp>) -> Result<Object, StoreError> {
        match &location.place {
            RemotePlace::Gcs { bucket, key } => self.gcs_object(location, bucket, key, at),
            RemotePlace::Azure { key, .. } => self.azure_blob(location, key),
            RemotePlace::Http { url } => self.http_state(url, &location.settings),
            RemotePlace::Workspace {
                organization, name, ..
            } => self.workspace_state(location, organization, name, at),
        }
    }

    fn list(&self, location: &RemoteLocation, prefix: &str) -> Result<Vec<String>, StoreError> {
        match &location.place {
            RemotePlace::Gcs { .. } => self.gcs_keys(location, prefix),
            RemotePlace::Azure { .. } => self.azure_keys(location, prefix),
            RemotePlace::Http { .. } => Ok(Vec::new()),
            RemotePlace::Workspace { organization, .. } => {
                self.workspaces(location, organization, prefix)
            }
        }
    }
}

/// Clients that were built already.
struct Clients<T>(Mutex<HashMap<RemoteLocation, Arc<T>>>);

impl<T> Default for Clients<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Clients<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

impl<T> Clients<T> {
    /// The client for a place.
    fn get<E>(
        &self,
        location: &RemoteLocation,
        build: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let place = location.with_key(String::new());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(&place) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(build()?);
        known.insert(place, Arc::clone(&client));
        Ok(client)
    }
}
