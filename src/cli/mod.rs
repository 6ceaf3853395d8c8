//! The command line: what was typed becomes what was meant, rooms are wired, errors become text.

pub mod args;
pub mod completions;
pub mod config;
pub mod ignore;
pub mod progress;
pub mod terminal;
pub mod values;
