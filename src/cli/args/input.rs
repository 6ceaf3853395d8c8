//! The states and logs that a command reads, and how they are reached.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::values::AsOf;

/// States and logs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://,
    /// azurerm://, https:// or tfcloud://; can be repeated
    ///
    /// Without it: the backend that `.terraform/terraform.tfstate` names, else
    /// `./terraform.tfstate`.
    #[arg(long = "state", value_name = "LOCATION", value_hint = ValueHint::AnyPath)]
    pub states: Vec<String>,

    /// Take the states as they were then: `since` (when the window began), `now` or a time
    ///
    /// Only buckets that keep versions remember older states. For a look at an old window, the
    /// state of its beginning tells what Terraform believed then [default: now]
    #[arg(long, value_name = "TIME")]
    pub state_as_of: Option<AsOf>,

    /// The environment variable with the passphrase of states that OpenTofu encrypted
    #[arg(long, value_name = "NAME")]
    pub state_passphrase_env: Option<String>,

    /// CloudTrail logs: a file, folder, glob, `-`, s3:// address, sqs:URL, lookup: or falco:FILE; can
    /// be repeated
    ///
    /// `sqs:https://sqs.REGION.amazonaws.com/ACCOUNT/NAME` reads the log files that a queue is told
    /// of by S3, SNS, EventBridge or CloudTrail. Its messages are deleted when the reports are
    /// written; those that are not understood, or whose files cannot be read, stay. Where it is the
    /// only archive, --since is `all`. An empty queue is no evidence: exit code 3.
    ///
    /// Where the digests of a window have come, they tell which files hold calls of it, whether one is
    /// missing, and that nothing happened where there is none.
    ///
    /// `lookup:us-east-1,eu-west-1` asks CloudTrail's event history (`LookupEvents`) of these
    /// regions, `lookup:` of your own, `lookup:all` of all that every account has. It goes back 90
    /// days and gives 100 events a second and region. With --checkpoint it is only asked for what it
    /// did not tell before, also where a scan was cut short.
    ///
    /// `falco:FILE` reads alerts of Falco's cloudtrail plugin, a JSON object on each line. They hold
    /// the calls that Falco's rules match, and of these what the rules print.
    #[arg(long = "trail", value_name = "LOCATION", value_hint = ValueHint::AnyPath)]
    pub trails: Vec<String>,

    /// Also prove by CloudTrail's digests that log files are complete and untouched
    ///
    /// What cannot be proved makes the evidence incomplete. See `tfdrift verify`.
    #[arg(long)]
    pub verify: bool,

    /// For --verify: keys as `aws cloudtrail list-public-keys` prints them; can be repeated
    #[arg(long = "public-keys", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub public_keys: Vec<PathBuf>,

    /// How they are reached.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// How buckets and accounts are reached.
#[derive(Debug, Clone, Default, Args)]
pub struct ReachArgs {
    /// Address buckets by path instead of by host name, as S3-compatible stores may need
    #[arg(long)]
    pub path_style: bool,

    /// Take on this role to read from AWS
    ///
    /// With `{account}` in it, as `arn:aws:iam::{account}:role/Audit`, `lookup:` asks each account
    /// of --account through its own role, and buckets are read without one.
    #[arg(long, value_name = "ARN")]
    pub assume_role: Option<String>,

    /// Agree to pay for requests to buckets whose owner asks that
    #[arg(long)]
    pub requester_pays: bool,
}
