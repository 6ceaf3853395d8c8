//! Replays calls over the inventory in time order and judges what ends different.

pub mod actor;
pub mod compare;
pub mod coverage;
pub mod document;
pub mod effect;
pub mod live;
pub mod import;
pub mod model;
pub mod names;
pub mod origin;
pub mod replay;
pub mod secret;
pub mod verdict;
pub mod policy;
pub mod principals;
pub mod remedy;
pub mod rule;
pub mod severity;
pub mod wildcard;
pub mod analysis;
