//! Finds the log files of a window, inflates them in parallel and yields calls.

pub mod call;
pub mod cloudtrail;
pub mod decode;
pub mod pipeline;
pub mod source;
pub mod stretch;
pub mod verify;
