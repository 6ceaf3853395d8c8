//! The places beyond the local disk that states lie in, as this room sees them.

use jiff::Timestamp;

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
