//! `tfdrift.toml`: what could be typed for every scan, the user's severity rules, and ignores.
//!
//! A key is a flag of `tfdrift scan` without its dashes, a value means what it would mean on the
//! command line, and counts where nothing was typed. That secrets are revealed can only be typed.

mod words;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use words::{parse_words, words};

use super::args::ScanArgs;
use super::ignore::{Ignore, Ignores};
use crate::drift::model::Drift;
use crate::drift::rule::Rule;

/// The file that is read if it is there and no other was named.
pub const DEFAULT_FILE: &str = "tfdrift.toml";

/// A configuration that was read.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it stood; none if there was no file.
    pub file: Option<PathBuf>,
    /// Severity rules, to be added to the built-in ones.
    pub severity: Vec<Rule>,
    /// Drift that the user lives with.
    pub ignores: Ignores,
    scan: ScanArgs,
}

/// Why a configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read the configuration {}: {problem}; name another with --config", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        problem: io::Error,
    },
    /// The file holds something that means nothing.
    #[error("{}:{line}: {problem}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The tables of the file that are no flags.
#[derive(Debug, Default, Deserialize)]
struct Lists {
    #[serde(default)]
    severity: Vec<Spanned<Rule>>,
    #[serde(default)]
    ignore: Vec<Spanned<Ignore>>,
}

/// What is wrong, and where in the text.
struct Problem {
    text: String,
    place: Range<usize>,
}

impl Config {
    /// Reads the file that was named, else [`DEFAULT_FILE`] of the folder, else nothing.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds what means nothing. That the default file is missing
    /// is no error.
    pub fn load(named: Option<&Path>, folder: &Path, today: Date) -> Result<Self, Error> {
        let file = named.map_or_else(|| folder.join(DEFAULT_FILE), Path::to_path_buf);
        match std::fs::read_to_string(&file) {
            Ok(text) => Self::parse(&text, &file, today),
            Err(problem) if named.is_none() && problem.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(problem) => Err(Error::Unreadable { file, problem }),
        }
    }

    /// Reads a text. The file is only for messages; `today` is the UTC day.
    ///
    /// # Errors
    ///
    /// On the first thing that means nothing, with its line.
    pub fn parse(text: &str, file: &Path, today: Date) -> Result<Self, Error> {
        read(text, today)
            .map(|config| Self {
                file: Some(file.to_path_buf()),
                ..config
            })
            .map_err(|problem| Error::Wrong {
                file: file.to_path_buf(),
                line: line_of(text, problem.place.start),
                problem: problem.text,
            })
    }

    /// Puts the file's word where nothing was typed.
    #[must_use]
    pub fn complete(&self, typed: ScanArgs) -> ScanArgs {
        let file = self.scan.clone();
        let ScanArgs {
            mut input,
            mut window,
            mut report,
            mut verdict,
            mut filter,
            mut knowledge,
            mut resources,
        } = typed;
        many(&mut input.states, file.input.states);
        let passphrase = file.input.state_passphrase_env;
        input.state_passphrase_env = input.state_passphrase_env.or(passphrase);
        input.state_as_of = input.state_as_of.or(file.input.state_as_of);
        many(&mut input.trails, file.input.trails);
        input.reach.path_style |= file.input.reach.path_style;
        input.reach.assume_role = input.reach.assume_role.or(file.input.reach.assume_role);
        input.reach.requester_pays |= file.input.reach.requester_pays;
        input.verify |= file.input.verify;
        many(&mut input.public_keys, file.input.public_keys);
        window.since = window.since.or(file.window.since);
        window.until = window.until.or(file.window.until);
        window.checkpoint = window.checkpoint.or(file.window.checkpoint);
        window.late = window.late.or(file.window.late);
        window.repeat |= file.window.repeat;
        many(&mut report.outputs, file.report.outputs);
        many(&mut report.show, file.report.show);
        many(&mut verdict.fail_on, file.verdict.fail_on);
        verdict.min_severity = verdict.min_severity.or(file.verdict.min_severity);
        verdict.report_only |= file.verdict.report_only;
        verdict.allow_incomplete |= file.verdict.allow_incomplete;
        many(&mut filter.place.accounts, file.filter.place.accounts);
        many(&mut filter.place.regions, file.filter.place.regions);
        many(&mut filter.addresses, file.filter.addresses);
        many(&mut knowledge.iac_principals, file.knowledge.iac_principals);
        many(&mut knowledge.catalogues, file.knowledge.catalogues);
        knowledge.config_dir = knowledge.config_dir.or(file.knowledge.config_dir);
        resources.memory = resources.memory.or(file.resources.memory);
        resources.threads = resources.threads.or(file.resources.threads);
        resources.time_limit = resources.time_limit.or(file.resources.time_limit);
        ScanArgs {
            input,
            window,
            report,
            verdict,
            filter,
            knowledge,
            resources,
        }
    }

    /// Why the user lives with a drift as a whole, if they do.
    #[must_use]
    pub fn suppresses(&self, drift: &Drift) -> Option<String> {
        self.ignores.suppresses(drift)
    }
}

fn many<T>(typed: &mut Vec<T>, file: Vec<T>) {
    if typed.is_empty() {
        *typed = file;
    }
}

fn read(text: &str, today: Date) -> Result<Config, Problem> {
    let table = DeTable::parse(text).map_err(|error| syntax(&error))?;
    let words = words(table.get_ref())?;
    let lists: Lists = toml::from_str(text).map_err(|error| syntax(&error))?;
    for rule in &lists.severity {
        let id = &rule.get_ref().id;
        if id.is_empty() || id.contains(char::is_whitespace) {
            let text = "a severity rule needs an id without spaces, as `our-rule`".to_owned();
            return Err(Problem {
                text,
                place: rule.span(),
            });
        }
    }
    for ignore in &lists.ignore {
        if let Some(problem) = ignore.get_ref().problem() {
            return Err(Problem {
                text: problem.to_owned(),
                place: ignore.span(),
            });
        }
    }
    let scan = parse_words(&words).map_err(|text| Problem { text, place: 0..0 })?;
    Ok(Config {
        file: None,
        severity: lists
            .severity
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        ignores: Ignores::new(
            lists.ignore.into_iter().map(Spanned::into_inner).collect(),
            today,
        ),
        scan,
    })
}

fn syntax(error: &toml::de::Error) -> Problem {
    Problem {
        text: error.message().replace('\n', ", "),
        place: error.span().unwrap_or(0..0),
    }
}

fn line_of(text: &str, place: usize) -> usize {
    let before = text.get(..place).unwrap_or(text);
    1 + before.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::args::Show;
    use super::words::{TYPED_ONLY, scan_command};
    use super::*;
    use crate::drift::model::{Kind, Severity};

    const TODAY: Date = jiff::civil::date(2026, 1, 15);

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(text, Path::new("tfdrift.toml"), TODAY)
    }

    const FULL: &str = r#"
state = ["s3://states/prod.tfstate", "local.tfstate"]
state-as-of = "since"
state-passphrase-env = "STATE_PASSPHRASE"
trail = "s3://trail"
path-style = true
assume-role = "arn:aws:iam::123456789012:role/Audit"
requester-pays = true
verify = true
public-keys = "keys.json"
since = "24h"
until = 2026-01-15T10:00:00Z
checkpoint = "last.json"
late = "3d"
repeat = true
output = ["table", "json=drift.json"]
show = ["resolved", "failed"]
fail-on = ["modified", "unmanaged"]
min-severity = "high"
report-only = false
allow-incomplete = true
account = ["123456789012"]
region = "us-east-1"
address = ["module.web.*"]
iac-principal = ["Terraform*"]
catalogue = ["more.toml"]
config-dir = "infra"
memory = "512MiB"
threads = 4
time-limit = "10m"

[[severity]]
id = "owner"
types = ["aws_instance"]
attributes = ["tags.Owner"]
severity = "high"
why = "Bills go to the owner."

[[ignore]]
address = "aws_autoscaling_group.*"
attribute = "desired_capacity"
reason = "It scales by itself."
expires = 2026-06-30
"#;

    #[test]
    fn every_flag_of_a_scan_can_stand_in_the_file() {
        let config = parse(FULL).unwrap();
        let scan = config.complete(ScanArgs::default());
        assert_eq!(
            scan.input.states,
            ["s3://states/prod.tfstate", "local.tfstate"]
        );
        assert_eq!(scan.input.trails, ["s3://trail"]);
        assert!(
            scan.input.reach.path_style
                && scan.verdict.allow_incomplete
                && !scan.verdict.report_only
        );
        assert!(scan.window.repeat && scan.window.checkpoint.is_some());
        assert_eq!(scan.window.late, Some(Duration::from_hours(72)));
        assert!(scan.input.verify && scan.input.public_keys.len() == 1);
        assert_eq!(scan.window.since, Some("24h".parse().unwrap()));
        assert_eq!(
            scan.window.until,
            Some("2026-01-15T10:00:00Z".parse().unwrap())
        );
        assert_eq!(scan.report.outputs.len(), 2);
        assert_eq!(scan.report.show, [Show::Resolved, Show::Failed]);
        assert_eq!(scan.verdict.fail_on, [Kind::Modified, Kind::Unmanaged]);
        assert_eq!(scan.verdict.min_severity, Some(Severity::High));
        assert_eq!(scan.filter.place.accounts, ["123456789012"]);
        assert_eq!(scan.resources.threads, Some(4));
        assert_eq!(scan.resources.time_limit, Some(Duration::from_mins(10)));
        assert_eq!(config.severity.len(), 1);
        let in_file: Vec<&str> = FULL
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|pair| pair.0)
            .collect();
        for flag in scan_command()
            .get_arguments()
            .filter_map(clap::Arg::get_long)
        {
            assert!(
                in_file.contains(&flag) || TYPED_ONLY.contains(&flag),
                "{flag} is not in the file above"
            );
        }
    }

    #[test]
    fn what_is_typed_wins_over_the_file_and_only_there() {
        let config = parse(FULL).unwrap();
        let typed =
            parse_words(&["--state=other.tfstate".to_owned(), "--since=7d".to_owned()]).unwrap();
        let scan = config.complete(typed);
        assert_eq!(scan.input.states, ["other.tfstate"]);
        assert_eq!(scan.window.since, Some("7d".parse().unwrap()));
        assert_eq!(scan.input.trails, ["s3://trail"]);
    }

    #[test]
    fn every_flag_of_the_file_reaches_the_scan() {
        let text = FULL.replace("report-only = false", "report-only = true");
        let config = parse(&text).unwrap();
        let completed = config.complete(ScanArgs::default());
        assert_eq!(format!("{completed:?}"), format!("{:?}", config.scan));
    }

    #[test]
    fn an_error_names_file_line_and_what_would_be_right() {
        let table = [
            (
                "stat = 'x'",
                "tfdrift.toml:1: `stat` is no key",
                "state, state-as-of, state-passphrase-env, trail",
            ),
            ("\n\nfail_on = []", "tfdrift.toml:3:", "fail-on"),
            ("since = 'tomorrow'", "tfdrift.toml:1: `since`", "1h30m"),
            (
                "\nmin-severity = 'urgent'",
                "tfdrift.toml:2: `min-severity`",
                "critical",
            ),
            (
                "output = ['table', 'xml']",
                "tfdrift.toml:1: `output`",
                "sarif",
            ),
            (
                "account = [123]",
                "tfdrift.toml:1: `account`",
                "twelve digits",
            ),
            (
                "report-only = 'yes'",
                "tfdrift.toml:1: `report-only`",
                "true or false",
            ),
            ("since = ['1h']", "tfdrift.toml:1: `since`", "one value"),
            ("state = [['x']]", "tfdrift.toml:1: `state`", "texts"),
            ("threads = 0", "tfdrift.toml:1: `threads`", "1..=1024"),
            ("reveal = true", "tfdrift.toml:1: `reveal`", "--reveal"),
            ("state = 'a'\nstate = 'b'", "tfdrift.toml:2:", "duplicate"),
            ("state = ", "tfdrift.toml:1:", "value"),
            (
                "\n[[ignore]]\nreason = 'x'",
                "tfdrift.toml:2:",
                "address, type",
            ),
            (
                "[[ignore]]\ntype = 'x'\nreason = ' '",
                "tfdrift.toml:1:",
                "reason",
            ),
            ("[[ignore]]\ntype = 'x'", "tfdrift.toml:1:", "reason"),
            (
                "[[ignore]]\ntype = 'x'\nreason = 'y'\nexpires = 'soon'",
                "tfdrift.toml:4:",
                "2026-01-31",
            ),
            (
                "[[ignore]]\ntype = 'x'\nreason = 'y'\nuntil = 'z'",
                "tfdrift.toml:4:",
                "expires",
            ),
            (
                "[[severity]]\nid = 'x'\nseverity = 'bad'\nwhy = ''",
                "tfdrift.toml:3:",
                "critical",
            ),
            (
                "[[severity]]\nid = 'a b'\nseverity = 'low'\nwhy = ''",
                "tfdrift.toml:1:",
                "our-rule",
            ),
        ];
        for (text, start, hint) in table {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.starts_with(start), "{text:?}: {refused}");
            assert!(refused.contains(hint), "{text:?}: {refused}");
        }
    }

    #[test]
    fn the_default_file_may_be_missing_and_a_named_one_may_not() {
        let folder = tempfile::tempdir().unwrap();
        let none = Config::load(None, folder.path(), TODAY).unwrap();
        assert_eq!(none.file, None);
        let missing = folder.path().join("other.toml");
        let refused = Config::load(Some(&missing), folder.path(), TODAY).unwrap_err();
        assert!(refused.to_string().contains("other.toml"), "{refused}");
        std::fs::write(folder.path().join(DEFAULT_FILE), "since = '2h'").unwrap();
        let found = Config::load(None, folder.path(), TODAY).unwrap();
        assert_eq!(
            found.complete(ScanArgs::default()).window.since,
            Some("2h".parse().unwrap())
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z\\[\\]='\"\n0-9.-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
