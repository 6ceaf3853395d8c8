//! What is particular to CloudTrail.

pub mod layout;
pub mod span;
