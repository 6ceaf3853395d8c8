//! What can be typed. Clap only: what is meant by it is decided where a command runs.

mod blame;
mod coverage;
mod input;
mod scan;
mod verify;

pub use blame::{BlameArgs, BlameShow};
pub use coverage::CoverageArgs;
pub use input::{InputArgs, ReachArgs};
pub use scan::{
    FilterArgs, KnowledgeArgs, PlaceArgs, ReportArgs, ResourceArgs, ScanArgs, Show, VerdictArgs,
    WindowArgs,
};
pub use verify::VerifyArgs;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::values::OutputSpec;

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
    #[command(after_help = "More, with examples and exit codes: tfdrift scan --help", after_long_help = scan::EXAMPLES)]
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
    #[command(after_help = coverage::EXAMPLES)]
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

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tfdrift completions bash > ~/.local/share/bash-completion/completions/tfdrift
  tfdrift completions zsh > \"${fpath[1]}/_tfdrift\"
  tfdrift completions fish > ~/.config/fish/completions/tfdrift.fish";

/// What `tfdrift demo` takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct DemoArgs {
    /// A report, and the file it goes to; can be repeated [default: console]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_hint = ValueHint::AnyPath)]
    pub outputs: Vec<OutputSpec>,
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
    use crate::cli::values::Size;
    use crate::drift::model::{Kind, Severity};

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
