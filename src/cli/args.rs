//! What can be typed. Clap only: what is meant by it is decided where a command runs.

mod blame;
mod verify;

use std::path::PathBuf;
use std::time::Duration;

pub use blame::{BlameArgs, BlameShow};
pub use verify::VerifyArgs;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::values::{AsOf, OutputSpec, Size, parse_account, parse_call, parse_duration};
use crate::drift::model::{Kind, Severity};
use crate::drift::rule::{parse_kind, parse_severity};
use crate::window::Bound;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  every input was read, and nothing at or over the threshold drifted
  1  wrong usage, or an operation failed: no state, no credentials, a bad configuration
  2  drift at or over the threshold (see --fail-on and --min-severity)
  3  no drift was found, but the evidence is incomplete or empty";

/// Who changed the cloud behind Terraform's back, and how is it put back?
///
/// tfdrift reads Terraform states and the CloudTrail logs that you already have. It tells what
/// differs at the end of a window of time, by whose calls, and what to do about it. It changes
/// nothing and never asks AWS what resources look like.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "tfdrift",
    version,
    styles = STYLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_long_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Terminal")]
pub struct Global {
    /// When to use colour. A pipe, CI and `NO_COLOR` turn it off
    #[arg(
        long = "colour",
        alias = "color",
        global = true,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub colour: When,

    /// Say nothing but the report: no progress, no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say more about what is read; twice for each file
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// When to do something that only a terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If it is a terminal that can.
    #[default]
    Auto,
    /// Whatever it is.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// What drifted in a window of time
    ///
    /// Replays the changes that the logs hold over what the states say, and reports what ends
    /// different: by whom, by what means, how grave, and how to put it back.
    #[command(after_help = "More, with examples and exit codes: tfdrift scan --help", after_long_help = SCAN_EXAMPLES)]
    Scan(Box<ScanArgs>),

    /// Who did what to one resource, call by call
    ///
    /// Tells, as `git blame` does, whose call each attribute comes from, and, as `git log` does,
    /// every call on the resource in the window, Terraform's too, with what it changed.
    #[command(after_help = "More, with examples and exit codes: tfdrift blame --help", after_long_help = blame::EXAMPLES)]
    Blame(Box<BlameArgs>),

    /// Whether log files are complete and untouched
    ///
    /// Checks the digests that CloudTrail signs every hour: each signature, the hash of every log
    /// file, the chain from digest to digest; and that no log file is missing or was added.
    #[command(after_help = "More, with examples and exit codes: tfdrift verify --help", after_long_help = verify::EXAMPLES)]
    Verify(VerifyArgs),

    /// What of a state can be watched, and what is known of a call
    ///
    /// For each resource of the states: whether changes of all its arguments are seen, of some
    /// (and of which not) or of none. Without a state: how much of AWS's provider the rules cover,
    /// by service. With a call: what it changes, how the resource is found, and by which rule.
    #[command(after_help = COVERAGE_EXAMPLES)]
    Coverage(CoverageArgs),

    /// Three scenarios on built-in data; needs no AWS and no files
    ///
    /// Runs what `scan` runs, on logs and a state that come with the program: termination
    /// protection switched off, a bucket's encryption removed, an instance resized.
    #[command(after_help = "Examples:\n  tfdrift demo\n  tfdrift demo --output json")]
    Demo(DemoArgs),

    /// Print the completions of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: Shell,
    },

    /// Print the manual page
    #[command(after_help = "Example:\n  tfdrift man | man -l -")]
    Man,
}

const SCAN_EXAMPLES: &str = "\
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

const COVERAGE_EXAMPLES: &str = "\
Examples:
  tfdrift coverage
  tfdrift coverage --state s3://states/prod.tfstate --json
  tfdrift coverage --catalogue-only
  tfdrift coverage ec2:ModifyInstanceAttribute";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tfdrift completions bash > ~/.local/share/bash-completion/completions/tfdrift
  tfdrift completions zsh > \"${fpath[1]}/_tfdrift\"
  tfdrift completions fish > ~/.config/fish/completions/tfdrift.fish";

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
    /// Then --since is `last` where nothing else is said. Log files that come up to six hours late
    /// are still read, each event is used once, and each drift is told once unless it changes. The
    /// exit code goes by what is told: 0 where all that is open was told before.
    ///
    /// It is written when the reports are, and holds parts of log records: keep it as safe as those.
    /// Each set of --trail, --account, --region and --address needs its own.
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::AnyPath)]
    pub checkpoint: Option<String>,

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

/// What `tfdrift demo` takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct DemoArgs {
    /// A report, and the file it goes to; can be repeated [default: console]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_hint = ValueHint::AnyPath)]
    pub outputs: Vec<OutputSpec>,
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

/// The exit code of a command line that did not parse: 0 for help and version, else 1.
#[must_use]
pub fn exit_code(error: &clap::Error) -> u8 {
    u8::from(error.use_stderr())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("tfdrift").chain(words.iter().copied()))
    }

    fn scan(words: &[&str]) -> ScanArgs {
        let words: Vec<&str> = std::iter::once("scan")
            .chain(words.iter().copied())
            .collect();
        match parse(&words).unwrap().command {
            Command::Scan(scan) => *scan,
            other => panic!("not a scan: {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_page_is_as_reviewed() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        insta::assert_snapshot!("help", command.render_long_help().to_string());
        insta::assert_snapshot!("help-short", command.render_help().to_string());
        for name in names {
            let page = command.find_subcommand_mut(&name).unwrap();
            insta::assert_snapshot!(format!("help-{name}"), page.render_long_help().to_string());
            insta::assert_snapshot!(format!("help-{name}-short"), page.render_help().to_string());
        }
    }

    #[test]
    fn flags_can_be_repeated_and_listed() {
        let scan = scan(&[
            "--state",
            "a.tfstate",
            "--state",
            "-",
            "--trail",
            "s3://logs/x",
            "--since",
            "7d",
            "-o",
            "table",
            "-o",
            "json=out.json",
            "--show",
            "resolved,failed",
            "--fail-on",
            "modified,unmanaged",
            "--min-severity",
            "high",
            "--account",
            "123456789012,210987654321",
            "--region",
            "us-east-1",
            "--address",
            "module.web.*",
            "--iac-principal",
            "Terraform*",
            "--memory",
            "512MiB",
            "--threads",
            "4",
        ]);
        assert_eq!(scan.input.states, ["a.tfstate", "-"]);
        assert_eq!(scan.input.trails, ["s3://logs/x"]);
        assert_eq!(scan.window.since, Some("7d".parse().unwrap()));
        assert_eq!(scan.window.until, None);
        let outputs: Vec<String> = scan
            .report
            .outputs
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(outputs, ["table", "json=out.json"]);
        assert_eq!(scan.report.show, [Show::Resolved, Show::Failed]);
        assert_eq!(scan.verdict.fail_on, [Kind::Modified, Kind::Unmanaged]);
        assert_eq!(scan.verdict.min_severity, Some(Severity::High));
        assert_eq!(scan.filter.place.accounts, ["123456789012", "210987654321"]);
        assert_eq!(scan.resources.memory, Some(Size(512 << 20)));
        assert_eq!(scan.resources.threads, Some(4));
    }

    #[test]
    fn a_global_flag_stands_before_or_after_the_command() {
        for words in [
            &["--color", "never", "scan", "-q"][..],
            &["scan", "--quiet", "--colour=never"],
        ] {
            let cli = parse(words).unwrap();
            assert!(
                cli.global.quiet && cli.global.colour == When::Never,
                "{words:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_can() {
        let table: [(&[&str], &str); 17] = [
            (&[], "Usage"),
            (&["blame"], "RESOURCE"),
            (
                &["blame", "i-1", "-o", "sarif"],
                "table, console, json, html",
            ),
            (&["blame", "i-1", "--show", "iac"], "failed"),
            (&["scna"], "scan"),
            (&["scan", "--since", "tomorrow"], "1h30m"),
            (&["scan", "-o", "xml"], "side-by-side"),
            (&["scan", "-o", "json="], "stdout"),
            (&["scan", "--show", "all"], "suppressed"),
            (&["scan", "--fail-on", "changed"], "unmanaged"),
            (&["scan", "--min-severity", "urgent"], "critical"),
            (&["scan", "--account", "1234"], "twelve"),
            (&["scan", "--memory", "lots"], "512M"),
            (&["scan", "--threads", "0"], "1..=1024"),
            (&["scan", "-q", "-v"], "--verbose"),
            (&["coverage", "RunInstances"], "ec2:RunInstances"),
            (
                &["coverage", "ec2:RunInstances", "--catalogue-only"],
                "--catalogue-only",
            ),
        ];
        for (words, hint) in table {
            let refused = parse(words).unwrap_err();
            assert_eq!(exit_code(&refused), 1, "{words:?}");
            assert!(refused.to_string().contains(hint), "{words:?}: {refused}");
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for words in [["--help"], ["--version"]] {
            assert_eq!(exit_code(&parse(&words).unwrap_err()), 0, "{words:?}");
        }
    }
}
