//! Connects the state room to S3 and to the places behind HTTP.

use std::sync::OnceLock;

use jiff::Timestamp;

use crate::kms::Kms;
use crate::s3::{Blocking, Listing, Location, Options, Version, current_at};
use crate::state::backend::{KeyService, Object, ObjectStore, Remote, StoreError};
use crate::state::remote::{Environment, RemoteStates};
use crate::state::{S3Location, StateLocation};

/// What answers for the places that are not on this machine, as far as there are any.
#[derive(Debug)]
pub struct Stores {
    s3: Option<S3States>,
    remote: Option<RemoteStates>,
    /// Started when the first sealed key comes along.
    kms: OnceLock<Result<Kms, String>>,
    options: Options,
}

impl Stores {
    /// What these locations need. `options` says how AWS is reached.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(locations: &[StateLocation], options: &Options) -> std::io::Result<Self> {
        let bucket = locations.iter().find_map(|location| match location {
            StateLocation::S3(location) => Some(location),
            _ => None,
        });
        let is_remote = |location: &StateLocation| matches!(location, StateLocation::Remote(_));
        let is_remote = locations.iter().any(is_remote);
        Ok(Self {
            s3: bucket
                .map(|bucket| S3States::new(&configured(options, bucket)))
                .transpose()?,
            remote: is_remote
                .then(|| RemoteStates::new(Environment::of_the_program()))
                .transpose()?,
            kms: OnceLock::new(),
            options: options.clone(),
        })
    }

    /// Answers for `s3://`.
    #[must_use]
    pub fn s3(&self) -> Option<&dyn ObjectStore> {
        self.s3.as_ref().map(|store| store as _)
    }

    /// Answers for the other places.
    #[must_use]
    pub fn remote(&self) -> Option<&dyn Remote> {
        self.remote.as_ref().map(|store| store as _)
    }
}

/// What a backend's configuration says of how its bucket is reached, where the user says nothing.
fn configured(options: &Options, bucket: &S3Location) -> Options {
    let mut options = options.clone();
    options.region = options.region.or_else(|| bucket.region.clone());
    options.profile = options.profile.or_else(|| bucket.profile.clone());
    options.endpoint = options.endpoint.or_else(|| bucket.endpoint.clone());
    options.path_style = options.path_style.or(bucket.path_style.then_some(true));
    options
}

impl KeyService for Stores {
    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let start = || Kms::new(&self.options).map_err(|error| error.to_string());
        match self.kms.get_or_init(start) {
            Ok(kms) => kms
                .decrypt(sealed)
                .map_err(|error| StoreError::new(error.problem, error.remedy)),
            Err(problem) => Err(StoreError::new(problem, "try again")),
        }
    }
}

/// States in S3.
#[derive(Debug)]
pub struct S3States(Blocking);

impl S3States {
    /// Reaches S3 with the standard chain of credentials.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &Options) -> std::io::Result<Self> {
        Blocking::new(options).map(Self)
    }
}

impl From<crate::s3::Error> for StoreError {
    fn from(error: crate::s3::Error) -> Self {
        Self {
            problem: error.problem(),
            remedy: Some(error.remedy()),
        }
    }
}

impl ObjectStore for S3States {
    fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let fetched = self.0.get(&Location::new(bucket, key), None)?;
        Ok(Object {
            bytes: fetched.bytes.clone(),
            modified: fetched.modified,
        })
    }

    fn get_as_of(&self, bucket: &str, key: &str, at: Timestamp) -> Result<Object, StoreError> {
        let location = Location::new(bucket, key);
        let versions = self.0.versions(&location)?;
        let Some(version) = current_at(&versions, at) else {
            return Err(none_so_old(&versions, at));
        };
        if version.size.is_none() {
            let since = version.since;
            return Err(StoreError {
                problem: format!("at {at} there was none: it had been deleted at {since}"),
                remedy: Some("give another time with --state-as-of".to_owned()),
            });
        }
        let fetched = self.0.get(&location, Some(&version.id))?;
        Ok(Object {
            bytes: fetched.bytes,
            modified: Some(version.since),
        })
    }

    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let listing = Listing {
            prefix: prefix.to_owned(),
            ..Listing::default()
        };
        let page = self.0.list_all(bucket, listing)?;
        Ok(page.objects.into_iter().map(|object| object.key).collect())
    }
}

fn none_so_old(versions: &[Version], at: Timestamp) -> StoreError {
    let (problem, remedy) = match versions.last() {
        None => (
            "the object does not exist".to_owned(),
            "check the key".to_owned(),
        ),
        // A bucket without versioning has one of this name, and overwrites it.
        Some(only) if versions.len() == 1 && only.id == "null" => (
            format!(
                "its bucket keeps no versions: that of {at} is gone, this one was written at {}",
                only.since
            ),
            "read it as it is now: --state-as-of now".to_owned(),
        ),
        Some(oldest) => (
            format!(
                "no version of it is as old as {at}; the oldest is of {}",
                oldest.since
            ),
            "give a later time with --state-as-of, or `now`".to_owned(),
        ),
    };
    StoreError {
        problem,
        remedy: Some(remedy),
    }
}
