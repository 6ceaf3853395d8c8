//! Replays calls over the inventory in time order and judges what ends different.

pub mod actor;
pub mod analysis;
pub mod compare;
pub mod confirm;
pub mod coverage;
pub mod document;
pub mod effect;
pub mod history;
pub mod import;
pub mod journal;
mod learnt;
pub mod live;
mod made;
pub mod members;
pub mod model;
pub mod names;
pub mod origin;
pub mod policy;
pub mod principals;
pub mod remedy;
pub mod replay;
pub mod rule;
pub mod secret;
pub mod severity;
pub mod sieve;
pub mod verdict;
pub mod wildcard;
