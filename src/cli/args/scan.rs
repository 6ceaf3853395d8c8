//! What `tfdrift scan` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use super::InputArgs;
use crate::cli::values::{OutputSpec, Size, parse_account, parse_duration};
use crate::drift::model::{Kind, Severity};
use crate::drift::rule::{parse_kind, parse_severity};
use crate::window::Bound;

/// Below the long help.
pub(super) const EXAMPLES: &str = "\
Examples:
  The last hour, with the state that this folder's backend names:
    tfdrift scan --trail s3://my-trail-bucket

  Yesterday, from local files, the full story of each drift:
    tfdrift scan --state terraform.tfstate --trail ./logs --since yesterday --until today -o console

  In CI: fail on grave drift only, and keep reports:
    tfdrift scan --state s3://states/prod.tfstate --trail s3://trail --since 24h \\
      --min-severity high -o markdown=drift.md -o json=drift.json -o table

  From cron: only what is new since the last time, late log files included:
    tfdrift scan --trail s3://trail --checkpoint s3://states/tfdrift.checkpoint -q -o markdown

  Only what was not applied by the pipeline's role counts as Terraform:
    tfdrift scan --trail s3://trail --iac-principal 'arn:aws:iam::*:role/terraform-*'

Exit codes:
  0  every input was read, and nothing at or over the threshold drifted
  1  wrong usage, or an operation failed: no state, no credentials, a bad configuration
  2  drift at or over the threshold (see --fail-on and --min-severity)
  3  no drift was found, but the evidence is incomplete or empty

A GLOB is a text in which * stands for any text and ? for any one character.";

/// What `tfdrift scan` takes. What may also stand in a configuration file has no default here, so
/// that the file's word counts where nothing was typed.
#[derive(Debug, Clone, Default, Args)]
pub struct ScanArgs {
    /// Inputs.
    #[command(flatten)]
    pub input: InputArgs,
    /// The window of time.
    #[command(flatten)]
    pub window: WindowArgs,
    /// What is reported.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What decides the exit code.
    #[command(flatten)]
    pub verdict: VerdictArgs,
    /// What narrows the scan.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What is known beforehand.
    #[command(flatten)]
    pub knowledge: KnowledgeArgs,
    /// What the machine may be used for.
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// The window of time.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Window")]
pub struct WindowArgs {
    /// Look at calls from then on [default: 1h]
    ///
    /// A time ago (`1h30m`, `7d`, `2w`), a UTC date or time (`2026-01-15`, `2026-01-15T10:00`),
    /// RFC 3339 (`2026-01-15T10:00:00+09:00`), `today`, `yesterday`, `last` (where the last scan
    /// ended, see --checkpoint), `state` (when the state was last written) or `all`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Bound>,

    /// Look at calls before then [default: now]
    ///
    /// As --since. A date means its first second: `--until 2026-01-15` leaves that day out.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Bound>,

    /// Remember in this file or s3:// object what was read and told, and go on from there
    ///
    /// Then --since is `last` where nothing else is said. Log files that come late are still read
    /// (see --late), each event is used once, and each drift is told once unless it changes. The
    /// exit code goes by what is told: 0 where all that is open was told before.
    ///
    /// It is written when the reports are, and holds parts of log records: keep it as safe as those.
    /// Each set of --trail, --account, --region and --address needs its own.
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::AnyPath)]
    pub checkpoint: Option<String>,

    /// With --checkpoint: read log files that come up to so late, as 12h or 7d [default: 24h]
    ///
    /// Nearly all come within minutes, but CloudTrail tries for a month to deliver what a bucket
    /// refused. So much of the past is listed each time; the checkpoint takes some 8 bytes for each
    /// log file of it. What is longer than before reaches back as scans go on.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub late: Option<Duration>,

    /// With --checkpoint: tell every drift that is open, not only what is new or changed
    #[arg(long)]
    pub repeat: bool,
}

/// What is reported, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// A report, and the file it goes to; can be repeated [default: table]
    ///
    /// FORMAT is one of table, console, diff, side-by-side, markdown, json, jsonl, sarif, junit,
    /// github, gitlab, html, falco, remedy. Without a FILE, or with `-`, it goes to stdout, where
    /// only one can go.
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_hint = ValueHint::AnyPath)]
    pub outputs: Vec<OutputSpec>,

    /// Also list what is hidden by default; can be repeated
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub show: Vec<Show>,

    /// Print sensitive values in clear
    #[arg(long)]
    pub reveal: bool,
}

/// What decides the exit code.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Verdict")]
pub struct VerdictArgs {
    /// Kinds of drift that end in exit code 2 [default: modified,deleted]
    ///
    /// Any of modified, deleted, unmanaged.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = parse_kind)]
    pub fail_on: Vec<Kind>,

    /// The least severity that ends in exit code 2: low, medium, high or critical [default: low]
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub min_severity: Option<Severity>,

    /// Drift never ends in exit code 2
    #[arg(long)]
    pub report_only: bool,

    /// Incomplete evidence never ends in exit code 3
    #[arg(long)]
    pub allow_incomplete: bool,
}

/// What narrows the scan.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Narrow")]
pub struct FilterArgs {
    /// Where calls were made.
    #[command(flatten)]
    pub place: PlaceArgs,

    /// Only resources whose address fits; can be repeated
    #[arg(long = "address", value_name = "GLOB")]
    pub addresses: Vec<String>,
}

/// Where calls were made.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Narrow")]
pub struct PlaceArgs {
    /// Only this account, by its twelve digits; can be repeated
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = parse_account)]
    pub accounts: Vec<String>,

    /// Only this region; can be repeated
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,
}

/// What is known beforehand.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Knowledge")]
pub struct KnowledgeArgs {
    /// Who may apply Terraform: an ARN, role, user or person; can be repeated
    ///
    /// With it, calls that look like Terraform's but come from anyone else are `iac-unverified`,
    /// and are reported.
    #[arg(long = "iac-principal", value_name = "GLOB")]
    pub iac_principals: Vec<String>,

    /// More rules about what a call changes; can be repeated
    #[arg(long = "catalogue", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub catalogues: Vec<PathBuf>,

    /// The folder with the Terraform code of the states
    ///
    /// Changes that its `ignore_changes` lists are suppressed, and reports tell file and line of
    /// each resource. Modules that lie on this machine are followed. Without it: the folders whose
    /// backends name the states, unless states are given.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub config_dir: Option<PathBuf>,

    /// The configuration file [default: ./tfdrift.toml, if there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// What the machine may be used for.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Machine")]
pub struct ResourceArgs {
    /// How much memory log files in flight may take, as 512MiB or 2G
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Size>,

    /// How many threads decode [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Stop reading after so long, as 90s or 30m, and report what was read
    ///
    /// What was not read makes the evidence incomplete. Ctrl-C does the same at any time; a
    /// second Ctrl-C ends at once, without a report.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub time_limit: Option<Duration>,
}

/// What is hidden unless it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// What was put back within the window.
    Resolved,
    /// What an ignore rule hides.
    Suppressed,
    /// What Terraform itself did.
    Iac,
    /// Calls on managed resources that AWS refused.
    Failed,
}
