//! One small room over the S3 API, for log files and states alike: a typed location, a client
//! built once from the standard chain, and errors that say what to do.
//!
//! It lists, looks and fetches. The one thing it writes is what a user names as a checkpoint.

mod blocking;
mod chain;
mod client;
mod error;
mod location;
mod refusals;
mod versions;

pub use blocking::Blocking;
pub use chain::sdk_config;
pub use client::{Client, Condition, Fetched, Found, Listing, Options, Page};
pub use error::{Error, Operation, Reason};
pub use location::{Location, LocationError};
pub use versions::{Version, current_at};
