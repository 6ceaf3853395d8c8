//! What `tfdrift blame` takes.

use clap::{Args, ValueEnum, ValueHint};

use super::{InputArgs, KnowledgeArgs, PlaceArgs, ResourceArgs};
use crate::cli::values::{OutputSpec, parse_blame_output};
use crate::window::Bound;

/// Below the long help.
pub const EXAMPLES: &str = "\
Examples:
  Everything that was done to an instance in the last seven days:
    tfdrift blame 'module.web.aws_instance.app[0]' --trail s3://my-trail-bucket

  Who opened the port, with the full story of each call:
    tfdrift blame aws_security_group.app.ingress --trail ./logs --since 30d -o console

  What the instance looked like before the incident:
    tfdrift blame i-0abcd1234efgh5678 --trail ./logs --at 2026-01-15T09:00

  A resource that no state has, calls that AWS refused among the others:
    tfdrift blame aws_iam_role/contractor --trail ./logs --show failed

Exit codes:
  0  every input was read, whatever was found
  1  wrong usage, an operation failed, or nothing is known of what was asked for
  3  the evidence is incomplete or empty";

/// What `tfdrift blame` takes.
#[derive(Debug, Clone, Args)]
pub struct BlameArgs {
    /// An address, an id, an ARN or TYPE/ID; behind it may stand an attribute
    ///
    /// `aws_instance.web`, `module.web.aws_instance.app[0].tags.Owner`, `i-0abcd1234efgh5678`,
    /// `arn:aws:iam::123456789012:role/app`, `aws_iam_role/app`. An address without its key means
    /// all instances of the resource. An id, an ARN or TYPE/ID may also be that of a resource that
    /// no state has.
    #[arg(value_name = "RESOURCE[.ATTRIBUTE]")]
    pub subject: String,
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,
    /// The window of time.
    #[command(flatten)]
    pub window: BlameWindowArgs,
    /// What is told.
    #[command(flatten)]
    pub report: BlameReportArgs,
    /// What narrows it.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// What is known beforehand.
    #[command(flatten)]
    pub knowledge: KnowledgeArgs,
    /// What the machine may be used for.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// The window of time of a history.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Window")]
pub struct BlameWindowArgs {
    /// Tell of calls from then on [default: 7d, or 7 days before --at]
    ///
    /// A time ago (`1h30m`, `7d`, `2w`), a UTC date or time (`2026-01-15`, `2026-01-15T10:00`),
    /// RFC 3339 (`2026-01-15T10:00:00+09:00`), `today`, `yesterday` or `all`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Bound>,

    /// Tell of calls before then [default: now]
    ///
    /// As --since. A date means its first second: `--until 2026-01-15` leaves that day out.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Bound>,

    /// Tell what the attributes were then, as far as the evidence shows
    ///
    /// As --since. Calls that completed by then count.
    #[arg(long, value_name = "TIME")]
    pub at: Option<Bound>,
}

/// What a history tells, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct BlameReportArgs {
    /// A report, and the file it goes to; can be repeated [default: table]
    ///
    /// FORMAT is one of table, console, json, html. Without a FILE, or with `-`, it goes to stdout,
    /// where only one can go.
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_hint = ValueHint::AnyPath, value_parser = parse_blame_output)]
    pub outputs: Vec<OutputSpec>,

    /// Also list what is hidden by default; can be repeated
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub show: Vec<BlameShow>,

    /// Print sensitive values in clear
    #[arg(long)]
    pub reveal: bool,

    /// Incomplete evidence never ends in exit code 3
    #[arg(long)]
    pub allow_incomplete: bool,
}

/// What a history hides unless it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BlameShow {
    /// Calls that AWS refused.
    Failed,
    /// Calls that only use the resource and change nothing that Terraform holds.
    Operations,
}
