//! What a scan found: the one vocabulary that reports render. Plain data, no logic but counting.

mod threshold;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub use crate::window::Window;
pub use threshold::Threshold;

/// Everything a report may say about one run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The span of time that was looked at, since inclusive, until exclusive.
    pub window: Window,
    /// The states that made up the inventory, in the order given.
    pub states: Vec<StateSummary>,
    /// What was read, and what could not be read.
    pub evidence: Evidence,
    /// All drifts that were asked for, the most severe first.
    pub drifts: Vec<Drift>,
    /// Totals over every drift, shown or not.
    pub summary: Summary,
    /// Calls on managed resources that AWS refused; filled when asked for.
    pub failed: Vec<FailedCall>,
    /// Drifts that reached the threshold for exit code 2.
    pub failing: usize,
    /// What they had to reach.
    pub threshold: Threshold,
    /// What the refreshes of plans found, where a plan was given for a state.
    pub refreshed: Vec<Refreshed>,
}

/// What the refresh of a plan found changed, held against the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Location of the plan.
    pub state: String,
    /// Terraform's address.
    pub address: String,
    /// [`Kind::Modified`] or [`Kind::Deleted`].
    pub kind: Kind,
    /// Attributes that it found changed and that the evidence explains, by path.
    pub explained: Vec<String>,
    /// Attributes that it found changed and that nothing in the evidence explains.
    pub unexplained: Vec<String>,
    /// Ids of the drifts that explain it; none when nothing does.
    pub drifts: Vec<String>,
    /// Who made their calls.
    pub actors: Vec<String>,
}

/// One Terraform state in the inventory.
#[derive(Debug, Clone)]
pub struct StateSummary {
    /// Where it was read from, as the user would write it.
    pub location: String,
    /// Terraform's lineage, if the state has one.
    pub lineage: Option<String>,
    /// Terraform's serial number.
    pub serial: Option<u64>,
    /// Managed resource instances in it.
    pub resources: usize,
    /// When it was last written, as far as the place it lies in tells.
    pub as_of: Option<Timestamp>,
    /// Whether it is a plan, whose refresh tells what changed as well.
    pub is_plan: bool,
}

/// Counts over all drifts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Open drifts of kind [`Kind::Modified`].
    pub modified: usize,
    /// Open drifts of kind [`Kind::Deleted`].
    pub deleted: usize,
    /// Open drifts of kind [`Kind::Unmanaged`].
    pub unmanaged: usize,
    /// Drifts that were put back within the window, by hand or by Terraform.
    pub resolved: usize,
    /// Open drifts that a rule of the user's hides.
    pub suppressed: usize,
    /// Open drifts by severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// Open drifts that are not listed, nor counted above, because an earlier scan told them.
    pub told_before: usize,
}

/// What the verdict rests on.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Log files opened.
    pub files: u64,
    /// Bytes of them after inflating.
    pub bytes: u64,
    /// Records in them.
    pub records: u64,
    /// Records whose time lies in the window.
    pub in_window: u64,
    /// Records in the window that change something and succeeded.
    pub writes: u64,
    /// Calls that touched a managed resource or made an unmanaged one.
    pub matched: u64,
    /// Records in the window that would have changed something but failed.
    pub failed_calls: u64,
    /// Records dropped because the same event was seen before.
    pub duplicates: u64,
    /// What could not be read, and why.
    pub unreadable: Vec<Unreadable>,
    /// Calls that no rule knows and that name a managed resource.
    pub unmapped: Vec<Unmapped>,
    /// Whether all that was asked for was there and was read.
    pub complete: bool,
}

/// A log file, a record or a state that could not be read, whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The file or object.
    pub location: String,
    /// Byte offset or record number where reading failed, in words ("byte 5120", "record 17").
    pub place: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// Calls of one name that the catalogue has no rule for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// Service and event name: `glue.amazonaws.com/UpdateCrawler`.
    pub event: String,
    /// How many of them.
    pub count: u64,
    /// Addresses of the managed resources they name.
    pub addresses: Vec<String>,
}

/// One resource that is not what Terraform believes.
#[derive(Debug, Clone)]
pub struct Drift {
    /// Stable fingerprint: the same drift has the same id in every run. 16 hexadecimal digits.
    pub id: String,
    /// What happened to the resource.
    pub kind: Kind,
    /// Whether it is still so.
    pub status: Status,
    /// How much it matters.
    pub severity: Severity,
    /// Terraform's address; none for an unmanaged resource.
    pub address: Option<String>,
    /// Terraform's resource type.
    pub resource_type: String,
    /// The id that AWS knows it by, if the evidence holds one.
    pub resource_id: Option<String>,
    /// A name for people: the `Name` tag or the name attribute.
    pub resource_name: Option<String>,
    /// ARN, where the state or the call shows one.
    pub arn: Option<String>,
    /// Address of the managed resource that an unmanaged one hangs on.
    pub parent: Option<String>,
    /// Location of the state that manages it.
    pub state: Option<String>,
    /// Where in the Terraform code the resource stands, when the code was given.
    pub source: Option<SourcePosition>,
    /// Account id, twelve digits.
    pub account: String,
    /// Region of the calls.
    pub region: String,
    /// Attributes that differ, by path; empty for whole-resource drifts.
    pub attributes: Vec<Attribute>,
    /// The calls that led here, oldest first.
    pub events: Vec<Arc<Event>>,
    /// Ids of the severity rules that matched.
    pub rules: Vec<String>,
    /// Why it is suppressed, if it is.
    pub suppressed_by: Option<String>,
    /// How to put it back.
    pub remedy: Remedy,
}

/// A place in Terraform code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePosition {
    /// The file, relative to the root of the repository, with forward slashes.
    pub file: String,
    /// Line of the block's head, from 1.
    pub line: u64,
}

impl fmt::Display for SourcePosition {
    /// As `infra/web.tf:14`, which editors and terminals open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An attribute of a managed resource differs.
    Modified,
    /// A managed resource is gone.
    Deleted,
    /// A resource exists that no loaded state knows.
    Unmanaged,
}

/// Whether a drift still stands at the end of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Still so.
    Open,
    /// Someone put it back.
    Reverted,
    /// Terraform put it back.
    Reconciled,
    /// A rule of the user's hides it.
    Suppressed,
}

/// How much a drift matters. Ordered from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Cosmetic, such as a tag.
    Low,
    /// Worth a look.
    Medium,
    /// Behaviour, cost or exposure changed.
    High,
    /// Protection, access or data at stake.
    Critical,
}

/// One attribute that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Terraform's path: `root_block_device[0].volume_size`, `tags.Owner`.
    pub path: String,
    /// What Terraform believes; none for an added map key.
    pub before: Option<Value>,
    /// What the evidence ends with; none when removed or not known.
    pub after: Option<Value>,
    /// Whether `after` is known.
    pub certainty: Certainty,
    /// Whether the values are secret. They are masked already unless the user asked to reveal.
    pub sensitive: bool,
    /// Members of a list or set that are new.
    pub added: Option<Vec<Value>>,
    /// Members of a list or set that are gone.
    pub removed: Option<Vec<Value>>,
    /// Ids of the calls that set it.
    pub by: Vec<String>,
}

/// Whether the new value of an attribute is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// Before and after are known.
    Exact,
    /// The call changed it; the value is redacted, omitted or outside the record.
    Indeterminate,
}

/// One call in the story of a drift.
#[derive(Debug, Clone)]
pub struct Event {
    /// CloudTrail's `eventID`, or a content hash where a record has none.
    pub event_id: String,
    /// When the call completed.
    pub time: Timestamp,
    /// Service, as `ec2.amazonaws.com`.
    pub source: String,
    /// Event name, as recorded.
    pub name: String,
    /// Who did it.
    pub actor: Actor,
    /// By what means.
    pub origin: Origin,
    /// Account the call was made in.
    pub account: String,
    /// Region of the call.
    pub region: String,
    /// Error code of a refused call.
    pub error: Option<String>,
}

/// Who made a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The best name for the person or machine behind the call.
    pub name: String,
    /// CloudTrail's identity type, as `IAMUser`.
    pub kind: String,
    /// ARN of the principal.
    pub arn: Option<String>,
    /// Account of the principal.
    pub account: Option<String>,
    /// Role that was assumed, if any.
    pub role: Option<String>,
    /// Source address, or the name of the AWS service that called.
    pub source_ip: Option<String>,
    /// The agent string. Anyone can set it to anything.
    pub user_agent: Option<String>,
    /// Whether the session had a second factor, where the record tells.
    pub mfa: Option<bool>,
}

/// By what means a call was made, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The verdict.
    pub class: OriginClass,
    /// What in the record led to it.
    pub evidence: Vec<String>,
}

/// By what means a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OriginClass {
    /// Terraform or OpenTofu, by someone who may apply it.
    Iac,
    /// Looks like Terraform, but the principal is not among those who may apply it.
    IacUnverified,
    /// Another infrastructure-as-code tool: CloudFormation, Pulumi, CDK, Crossplane.
    OtherIac,
    /// The AWS web console or one of AWS's apps.
    Console,
    /// The AWS CLI or an SDK.
    CliSdk,
    /// An AWS service on its own.
    AwsService,
    /// Nothing in the record tells.
    Unknown,
}

/// A refused call on a managed resource.
#[derive(Debug, Clone)]
pub struct FailedCall {
    /// The call, with its error code.
    pub event: Arc<Event>,
    /// Address of the resource it aimed at.
    pub address: String,
}

/// How a person could put a drift back. Commands are suggestions; nothing is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remedy {
    /// One sentence for people.
    pub summary: String,
    /// The command that shows or reverts it: `terraform plan -target=…`.
    pub command: Option<String>,
    /// Terraform code to add: an `import` or a `removed` block.
    pub hcl: Option<String>,
    /// Link to the resource in the AWS console.
    pub console_url: Option<String>,
}

impl Kind {
    /// The word used in JSON, flags and prose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Deleted => "deleted",
            Self::Unmanaged => "unmanaged",
        }
    }
}

impl Status {
    /// The word used in JSON, flags and prose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reverted => "reverted",
            Self::Reconciled => "reconciled",
            Self::Suppressed => "suppressed",
        }
    }
}

impl Severity {
    /// All severities, the most severe first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word used in JSON, flags and prose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl Certainty {
    /// The word used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Indeterminate => "indeterminate",
        }
    }
}

impl OriginClass {
    /// The word used in JSON and prose.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Iac => "iac",
            Self::IacUnverified => "iac-unverified",
            Self::OtherIac => "other-iac",
            Self::Console => "console",
            Self::CliSdk => "cli-sdk",
            Self::AwsService => "aws-service",
            Self::Unknown => "unknown",
        }
    }
}

impl Drift {
    /// What to call it in a heading: the address, or type and id of an unmanaged resource.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.address, &self.resource_id) {
            (Some(address), _) => address.clone(),
            (None, Some(id)) => format!("{} ({id})", self.resource_type),
            (None, None) => self.resource_type.clone(),
        }
    }

    /// The name that people know it by: its own, else the last part of its address.
    #[must_use]
    pub fn own_name(&self) -> Option<&str> {
        let last = || {
            // A key of for_each may hold dots of its own.
            let address = self.address.as_deref()?;
            let block = address
                .strip_suffix(']')
                .and_then(|rest| rest.rsplit_once('['));
            let block = block.map_or(address, |(block, _)| block);
            block.rsplit('.').next()
        };
        self.resource_name.as_deref().or_else(last)
    }

    /// The calls that led here, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter().map(|event| &**event)
    }

    /// Whether Terraform made all the calls, and nobody else any.
    #[must_use]
    pub fn by_terraform(&self) -> bool {
        !self.events.is_empty()
            && self
                .events
                .iter()
                .all(|event| event.origin.class == OriginClass::Iac)
    }

    /// Whether it is no drift at all, but what Terraform alone did.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.status == Status::Reconciled && self.by_terraform()
    }

    /// The call to name where there is room for one: that which the first attribute's value comes
    /// from, and of a whole resource the latest.
    #[must_use]
    pub fn culprit(&self) -> Option<&Event> {
        let set = self.attributes.first().and_then(|first| first.by.last());
        set.and_then(|id| self.events().find(|event| event.event_id == *id))
            .or_else(|| self.events().last())
    }
}
