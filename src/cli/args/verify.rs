//! What `tfdrift verify` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::super::values::{OutputSpec, parse_account, parse_duration};
use super::ReachArgs;
use crate::window::Bound;

/// Examples and exit codes.
pub(super) const EXAMPLES: &str = "\
Examples:
  The last day of a bucket, with the keys that CloudTrail publishes:
    tfdrift verify --trail s3://my-trail-bucket

  A copy, without asking AWS:
    aws cloudtrail list-public-keys --start-time 2026-01-01 --end-time 2026-02-01 > keys.json
    tfdrift verify --trail ./copy --since 2026-01-15 --until 2026-01-16 --public-keys keys.json

  A report to keep:
    tfdrift verify --trail s3://my-trail-bucket --since 7d -o json=proof.json -o console

Exit codes:
  0  intact: every log file is there, as it was delivered
  1  wrong usage, or an operation failed
  2  tampered: a log file or digest was changed, removed or added
  3  not provable: no digests, no key, no signature, or something could not be read

The signature of a digest lies in the metadata of its object, and in the digest after it. A copy
keeps it in FILE.metadata.json: what `aws s3api head-object` prints for the digest FILE.";

/// What `tfdrift verify` takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Verify")]
pub struct VerifyArgs {
    /// CloudTrail logs: the folder or `s3://bucket/prefix` that holds `AWSLogs/`; can be repeated
    #[arg(long = "trail", value_name = "LOCATION", value_hint = ValueHint::AnyPath, required = true)]
    pub trails: Vec<String>,

    /// Look at calls from then on, as for `tfdrift scan`
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub since: Option<Bound>,

    /// Look at calls before then
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub until: Option<Bound>,

    /// Only this account, by its twelve digits; can be repeated
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = parse_account)]
    pub accounts: Vec<String>,

    /// Only this region; can be repeated
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    pub regions: Vec<String>,

    /// Keys as `aws cloudtrail list-public-keys` prints them, instead of asking CloudTrail; can be repeated
    #[arg(long = "public-keys", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub public_keys: Vec<PathBuf>,

    /// A report, and the file it goes to: console or json; can be repeated [default: console]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_hint = ValueHint::AnyPath)]
    pub outputs: Vec<OutputSpec>,

    /// Stop after so long, as 90s or 30m, and report what was verified until then
    ///
    /// What was not verified is said, and is not provable. Ctrl-C does the same at any time; a
    /// second Ctrl-C ends at once, without a report.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub time_limit: Option<Duration>,

    /// How the bucket is reached.
    #[command(flatten)]
    pub reach: ReachArgs,
}
