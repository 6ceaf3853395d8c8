//! The history of a resource: every call that concerned it, and what each left its attributes at.
//!
//! [`subject`] understands what was asked for, [`touch`] and [`stranger`] pick the calls that
//! concern it, [`trace`] replays them as a scan would and writes down each step, [`tell`] makes the
//! whole of it. What reports render is here.

pub mod stranger;
pub mod subject;
pub mod tell;
pub mod touch;
pub mod trace;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::model::{Event, Evidence, StateSummary};
use crate::window::Window;

/// Everything a report may say about what was asked for.
#[derive(Debug, Clone)]
pub struct Blame {
    /// What was asked for, as it was typed.
    pub asked: String,
    /// The span of time that was looked at.
    pub window: Window,
    /// The instant whose attributes are told; none for the end of the window.
    pub at: Option<Timestamp>,
    /// The states that were loaded.
    pub states: Vec<StateSummary>,
    /// What was read, and what could not be read.
    pub evidence: Evidence,
    /// One history for each resource that was meant.
    pub histories: Vec<History>,
}

/// What happened to one resource.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Terraform's address; none for a resource that no state has.
    pub address: Option<String>,
    /// Terraform's resource type, if anything tells it.
    pub resource_type: Option<String>,
    /// The id that AWS knows it by.
    pub resource_id: Option<String>,
    /// A name for people.
    pub resource_name: Option<String>,
    /// ARN, where the state or a call shows one.
    pub arn: Option<String>,
    /// Location of the state that manages it.
    pub state: Option<String>,
    /// Account id, where known.
    pub account: Option<String>,
    /// Region, where known.
    pub region: Option<String>,
    /// The attribute that was asked for; none for all.
    pub path: Option<String>,
    /// Whether it is there at the instant that is told.
    pub standing: Standing,
    /// Attributes at the instant that is told, by path: those that calls touched, and with an
    /// instant or an attribute asked for also the others.
    pub attributes: Vec<Held>,
    /// The calls, oldest first.
    pub steps: Vec<Step>,
    /// Calls that only use it, left out because nobody asked for them.
    pub operations: usize,
}

/// Whether a resource is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// It is there, as far as the evidence tells.
    #[default]
    There,
    /// It was removed.
    Gone,
    /// A later call made it.
    NotYet,
}

/// What an attribute is, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Terraform's path.
    pub path: String,
    /// What it is.
    pub value: Content,
    /// From what Terraform believes to what it is, where that is something else.
    pub drift: Option<Move>,
    /// Whether its values are secret.
    pub sensitive: bool,
    /// The step that made it so; none when no call in the window did.
    pub by: Option<usize>,
}

/// The value of an attribute, as far as it may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// There is none.
    Unset,
    /// This.
    Value(Value),
    /// The evidence does not tell.
    Unknown,
    /// There is one and it is not shown.
    Secret,
}

/// One call and what it came to.
#[derive(Debug, Clone)]
pub struct Step {
    /// The call. Refused if it holds an error.
    pub event: Arc<Event>,
    /// What it did, or tried to do.
    pub deed: Deed,
    /// What the deed is about, where it is about something else: a resource that hangs on this
    /// one, the reason why a call changes nothing.
    pub about: Option<String>,
    /// What it changed, by path. Of a refused call what it would have changed.
    pub changes: Vec<Move>,
}

/// What a call did to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It made it.
    Made,
    /// It set attributes.
    Changed,
    /// It removed it.
    Removed,
    /// It made something that hangs on it.
    Hung,
    /// It removed what had been hung on it.
    Unhung,
    /// It names it and changes something else.
    Named,
    /// It uses it and changes nothing that Terraform holds.
    Operated,
    /// No rule knows what it changes.
    Unjudged,
}

/// What became of one attribute in one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// Terraform's path.
    pub path: String,
    /// What it was before.
    pub before: Content,
    /// What the call left it at.
    pub after: Content,
    /// Members of a list or set that came.
    pub added: Option<Vec<Value>>,
    /// Members of a list or set that went.
    pub removed: Option<Vec<Value>>,
    /// Whether its values are secret.
    pub sensitive: bool,
    /// Whether the call may have made a difference; false when it set what was there already.
    pub moved: bool,
}

impl Standing {
    /// The word used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Gone => "gone",
            Self::NotYet => "not-yet",
        }
    }
}

impl Deed {
    /// The word used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Hung => "hung",
            Self::Unhung => "unhung",
            Self::Named => "named",
            Self::Operated => "operated",
            Self::Unjudged => "unjudged",
        }
    }
}

impl Step {
    /// Whether AWS refused the call.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.event.error.is_some()
    }
}

impl History {
    /// What to call it in a heading: the address, or type and id.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.address, &self.resource_type, &self.resource_id) {
            (Some(address), _, _) => address.clone(),
            (None, Some(kind), Some(id)) => format!("{kind} ({id})"),
            (None, Some(one), None) | (None, None, Some(one)) => one.clone(),
            (None, None, None) => "a resource".to_owned(),
        }
    }

    /// The step that made an attribute what it is.
    #[must_use]
    pub fn culprit(&self, held: &Held) -> Option<&Step> {
        self.steps.get(held.by?)
    }
}
