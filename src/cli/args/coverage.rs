//! What `tfdrift coverage` takes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::values::parse_call;

/// Below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  tfdrift coverage
  tfdrift coverage --state s3://states/prod.tfstate --json
  tfdrift coverage --catalogue-only
  tfdrift coverage ec2:ModifyInstanceAttribute";

/// What `tfdrift coverage` takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Coverage")]
pub struct CoverageArgs {
    /// Explain this call: `ec2:ModifyInstanceAttribute` or `ec2.amazonaws.com/ModifyInstanceAttribute`
    #[arg(value_name = "SERVICE:EVENT", value_parser = parse_call, conflicts_with_all = ["states", "catalogue_only"])]
    pub call: Option<(String, String)>,

    /// A Terraform state: a file, folder, glob, `-`, or an address that begins with s3://, gs://,
    /// azurerm://, https:// or tfcloud://; can be repeated
    ///
    /// Without it: the backend that `.terraform/terraform.tfstate` names, else
    /// `./terraform.tfstate`, else no state: the rules' own figures.
    #[arg(long = "state", value_name = "LOCATION", value_hint = ValueHint::AnyPath)]
    pub states: Vec<String>,

    /// The environment variable with the passphrase of states that OpenTofu encrypted
    #[arg(long, value_name = "NAME")]
    pub state_passphrase_env: Option<String>,

    /// Look for no state: only tell how much of AWS's provider the rules cover
    #[arg(long, conflicts_with = "states")]
    pub catalogue_only: bool,

    /// More rules about what a call changes; can be repeated
    #[arg(long = "catalogue", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub catalogues: Vec<PathBuf>,

    /// Address buckets by path instead of by host name, as S3-compatible stores may need
    #[arg(long)]
    pub path_style: bool,

    /// Write one JSON object
    #[arg(long)]
    pub json: bool,
}
