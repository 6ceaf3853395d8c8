//! AWS: its rule files, its identifiers and the shapes of its requests.

pub mod expand;
pub mod identifier;
pub mod shape;
