//! The places beyond the local disk that states lie in, as this room sees them.

use jiff::Timestamp;

use super::location::RemoteLocation;

/// An object as fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its content.
    pub bytes: Vec<u8>,
    /// When it was last written.
    pub modified: Option<Timestamp>,
}

/// Why a store did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct StoreError {
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl StoreError {
    /// A problem, and what to do about it.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// The places that are no bucket of S3. Called from several threads at once.
pub trait Remote: Sync {
    /// Fetches a state: as it is, or, where [`RemoteLocation::keeps_versions`], as it was at a
    /// time; then [`Object::modified`] is when that version was written.
    ///
    /// # Errors
    ///
    /// When it is not there, was not there then, or must not be read.
    fn get(&self, location: &RemoteLocation, at: Option<Timestamp>) -> Result<Object, StoreError>;

    /// The keys below `prefix`, or the workspaces with a state whose names begin with it, in order.
    ///
    /// # Errors
    ///
    /// When the bucket, container or organization is not there or must not be listed.
    fn list(&self, location: &RemoteLocation, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// Opens keys that AWS KMS sealed. Called from several threads at once.
pub trait KeyService: Sync {
    /// The key.
    ///
    /// # Errors
    ///
    /// When the service refuses or cannot be reached.
    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError>;
}

/// A store of objects in buckets. Called from several threads at once.
pub trait ObjectStore: Sync {
    /// Fetches an object.
    ///
    /// # Errors
    ///
    /// When it is not there or must not be read.
    fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError>;

    /// Fetches an object as it was at a time, from a bucket that keeps versions.
    /// [`Object::modified`] is when that version was written.
    ///
    /// # Errors
    ///
    /// When there was none then, no version tells, or it must not be read.
    fn get_as_of(&self, bucket: &str, key: &str, at: Timestamp) -> Result<Object, StoreError>;

    /// The keys of all objects whose key begins with `prefix`, in order.
    ///
    /// # Errors
    ///
    /// When the bucket is not there or must not be listed.
    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError>;
}
