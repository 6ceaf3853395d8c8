//! Loads Terraform states into one inventory of managed resource instances.
//!
//! A [`StateLocation`] says where a state lies, [`load()`] reads all of them in parallel and puts
//! them into one [`Inventory`]. What could not be read is listed as [`Problem`]s and never keeps
//! the other states from being read.

mod address;
pub mod backend;
mod discover;
mod draft;
mod encryption;
mod formats;
mod guess;
mod index;
pub mod inventory;
mod keys;
mod load;
pub mod location;
mod path;
mod problem;
pub mod remote;
mod scope;
mod sources;
mod syntax;
#[cfg(test)]
mod testing;

pub use address::{Address, Key, ModuleStep};
pub use discover::{Discovered, discover};
pub use encryption::Passphrase;
pub use inventory::{Instance, InstanceId, Inventory, Naming, Plan, Refreshed, Scope, StateFile};
pub use load::{Access, Loaded, load, load_text};
pub use location::{RemoteLocation, RemotePlace, S3Location, Settings, StateLocation};
pub use path::{AttributePath, Step};
pub use problem::Problem;
pub use syntax::SyntaxError;
