//! `tfdrift` answers one question from evidence alone: what has changed in the cloud behind
//! Terraform's back, who did it, and how is it put back?
//!
//! Its inputs are audit-log files and Terraform states; it never calls a Describe API.
//!
//! ```text
//!  log files ──▶ calls ──▶ effects ──▶ replay ──▶ drifts ──▶ reports, exit code
//!  (audit)      (audit)   (catalogue)  (drift)    (drift)    (report)
//!                             ▲           ▲
//!  states ──▶ inventory ──────┴───────────┘
//!  (state)     (state)
//! ```
//!
//! - [`audit`] finds the log files of a window, inflates them in parallel and yields calls.
//! - [`state`] loads Terraform states into one inventory of managed resource instances.
//! - [`catalogue`] is data: what a call changes, and how it names what it changes.
//! - [`configuration`] reads Terraform code for what neither logs nor states tell.
//! - [`drift`] replays calls over the inventory in time order and judges what ends different.
//! - [`report`] renders drifts, and knows nothing else.
//! - [`checkpoint`] is what one scan leaves to the next.
//! - [`s3`], [`kms`] and [`web`] reach what is not on this machine.
//! - [`cli`] wires the rooms together.
//!
//! `audit`, `state` and `catalogue` do not know each other; `drift` knows all three; `report`
//! knows [`drift::model`] alone.
#![deny(unsafe_code)]

pub mod audit;
pub mod catalogue;
pub mod checkpoint;
pub mod cli;
pub mod configuration;
pub mod drift;
pub mod kms;
pub mod report;
pub mod s3;
pub mod state;
pub mod web;
pub mod window;
