//! Replays calls over the inventory in time order and judges what ends different.

pub mod actor;
pub mod import;
pub mod model;
pub mod origin;
pub mod policy;
pub mod principals;
pub mod remedy;
pub mod rule;
pub mod severity;
pub mod wildcard;
