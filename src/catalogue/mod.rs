//! Knowledge as data: what a call changes, and how it names what it changes.

pub mod schema;
