//! AWS CloudTrail: what its files and records look like.

pub(crate) mod archive;
pub(crate) mod clock;
pub mod digest;
pub(crate) mod falco;
pub(crate) mod fields;
pub(crate) mod keys;
pub mod layout;
pub(crate) mod lenient;
pub(crate) mod pieces;
pub(crate) mod record;
pub mod span;
