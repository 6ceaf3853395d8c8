//! Connects the S3 room to the state room.

use crate::s3::{Blocking, Listing, Location, Options};
use crate::state::backend::{Object, ObjectStore, StoreError};

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

    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let listing = Listing {
            prefix: prefix.to_owned(),
            ..Listing::default()
        };
        let page = self.0.list_all(bucket, listing)?;
        Ok(page.objects.into_iter().map(|object| object.key).collect())
    }
}
