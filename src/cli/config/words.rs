//! The keys of the configuration file as words of a command line: what clap refuses there is
//! refused here, in the same words.

use std::ops::Range;

use clap::{ArgAction, Args, Command, FromArgMatches};
use toml::de::{DeTable, DeValue};

use super::Problem;
use crate::cli::args::ScanArgs;

/// Tables of the file that are no flags.
const LISTS: [&str; 2] = ["severity", "ignore"];

/// Flags that must be typed.
pub(super) const TYPED_ONLY: [&str; 2] = ["reveal", "config"];

/// The keys of the file as words of a command line. Each is tried alone, so that what is wrong with
/// it can be said with its line.
pub(super) fn words(table: &DeTable<'_>) -> Result<Vec<String>, Problem> {
    let command = scan_command();
    let mut words = Vec::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if LISTS.contains(&name) {
            continue;
        }
        let wrong = |text: String, place: Range<usize>| Problem { text, place };
        if TYPED_ONLY.contains(&name) {
            return Err(wrong(
                format!("`{name}` can only be typed, as --{name}"),
                key.span(),
            ));
        }
        let Some(flag) = command
            .get_arguments()
            .find(|flag| flag.get_long() == Some(name))
        else {
            return Err(wrong(unknown_key(name, &command), key.span()));
        };
        let own = words_of(name, flag.get_action(), value.get_ref())
            .map_err(|text| wrong(text, value.span()))?;
        parse_words(&own).map_err(|text| wrong(format!("`{name}`: {text}"), value.span()))?;
        words.extend(own);
    }
    Ok(words)
}

fn words_of(name: &str, action: &ArgAction, value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let word = |value: &DeValue<'_>| {
        let text = scalar(value).ok_or_else(|| format!("`{name}` takes texts, as \"…\""))?;
        Ok(format!("--{name}={text}"))
    };
    match (action, value) {
        (ArgAction::SetTrue, DeValue::Boolean(true)) => Ok(vec![format!("--{name}")]),
        (ArgAction::SetTrue, DeValue::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, _) => Err(format!("`{name}` is true or false")),
        (ArgAction::Append, DeValue::Array(members)) => members
            .iter()
            .map(|member| word(member.get_ref()))
            .collect(),
        (_, DeValue::Array(_)) => Err(format!("`{name}` takes one value, not a list")),
        (_, value) => word(value).map(|word| vec![word]),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        _ => None,
    }
}

fn unknown_key(name: &str, command: &Command) -> String {
    let known: Vec<&str> = command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|long| !TYPED_ONLY.contains(long))
        .chain(["[[severity]]", "[[ignore]]"])
        .collect();
    format!("`{name}` is no key; write one of {}", known.join(", "))
}

/// The flags of `tfdrift scan` alone.
pub(super) fn scan_command() -> Command {
    ScanArgs::augment_args(
        Command::new("scan")
            .disable_help_flag(true)
            .no_binary_name(true),
    )
}

/// The scan that words ask for.
pub(super) fn parse_words(words: &[String]) -> Result<ScanArgs, String> {
    let parsed = scan_command().try_get_matches_from(words);
    parsed
        .and_then(|matches| ScanArgs::from_arg_matches(&matches))
        .map_err(|error| {
            let text = error.render().to_string();
            let first = text.split("\n\n").next().unwrap_or_default().trim();
            // The caller names the key; clap would name the flag and the value again.
            let reason = first.split_once(">': ").map_or(first, |parts| parts.1);
            reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
        })
}
