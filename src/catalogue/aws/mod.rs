//! AWS: its rule files, its identifiers and the shapes of its requests.

pub mod expand;
pub mod identifier;
pub mod shape;

use include_dir::{Dir, include_dir};

/// Rules made by the generator.
pub static GENERATED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/catalogue/aws/generated");

/// Rules written by hand.
pub static HANDWRITTEN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/catalogue/aws/rules");
