//! What the value of a flag can be.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::window::Bound;

/// Formats of reports, as `-o` takes them.
pub const FORMATS: [&str; 14] = [
    "table",
    "console",
    "diff",
    "side-by-side",
    "markdown",
    "json",
    "jsonl",
    "sarif",
    "junit",
    "github",
    "gitlab",
    "html",
    "falco",
    "remedy",
];

/// A report that was asked for: `FORMAT` or `FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSpec {
    /// One of [`FORMATS`].
    pub format: &'static str,
    /// Where it goes; none for stdout.
    pub file: Option<PathBuf>,
}

impl FromStr for OutputSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, file) = match text.split_once('=') {
            Some((_, "")) => {
                return Err(format!(
                    "no file stands after `=`; write `{text}-` for stdout"
                ));
            }
            Some((word, file)) => (word, Some(file).filter(|file| *file != "-")),
            None => (text, None),
        };
        let format = FORMATS
            .into_iter()
            .find(|format| *format == word)
            .ok_or_else(|| format!("`{word}` is no format; write one of {}", FORMATS.join(", ")))?;
        Ok(Self {
            format,
            file: file.map(PathBuf::from),
        })
    }
}

/// Formats of histories, as `-o` of `tfdrift blame` takes them.
pub const BLAME_FORMATS: [&str; 4] = ["table", "console", "json", "html"];

/// Reads what `-o` of `tfdrift blame` takes.
///
/// # Errors
///
/// With the formats that exist, if it is none of them.
pub fn parse_blame_output(text: &str) -> Result<OutputSpec, String> {
    let output: OutputSpec = text.parse()?;
    if BLAME_FORMATS.contains(&output.format) {
        Ok(output)
    } else {
        Err(format!(
            "a history cannot be written as `{}`; write one of {}",
            output.format,
            BLAME_FORMATS.join(", ")
        ))
    }
}

impl fmt::Display for OutputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}={}", self.format, file.display()),
            None => f.write_str(self.format),
        }
    }
}

/// Checks that the outputs do not get in each other's way.
///
/// # Errors
///
/// If two go to stdout, or two to the same file.
pub fn check_outputs(outputs: &[OutputSpec]) -> Result<(), String> {
    for (index, output) in outputs.iter().enumerate() {
        let Some(rival) = outputs
            .iter()
            .take(index)
            .find(|rival| rival.file == output.file)
        else {
            continue;
        };
        let place = output
            .file
            .as_ref()
            .map_or("stdout".to_owned(), |file| format!("`{}`", file.display()));
        return Err(format!(
            "{} and {} both go to {place}; give one of them a file of its own, as `-o {}=FILE`",
            rival.format, output.format, output.format
        ));
    }
    Ok(())
}

/// A number of bytes, written as `512MiB`, `2G` or plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no size; write bytes, or a number with K, M or G, as 512M or 2GiB")
        };
        let digits = text
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number
            .checked_mul(1 << shift)
            .filter(|bytes| *bytes > 0)
            .map(Self)
            .ok_or_else(wrong)
    }
}

/// When a state is to have been current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// When the window began.
    Since,
    /// At a time of its own.
    At(Bound),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "since" {
            return Ok(Self::Since);
        }
        match text.parse().map_err(|error| format!("{error}, or since"))? {
            Bound::All | Bound::Checkpoint | Bound::StateWrite => {
                Err(format!("`{text}` names no time that a state could be of"))
            }
            bound => Ok(Self::At(bound)),
        }
    }
}

/// Reads a length of time, as `90s`, `30m` or `2h`.
///
/// # Errors
///
/// If it is none, or of no length.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(Bound::Ago(length)) => Duration::try_from(length)
            .ok()
            .filter(|length| !length.is_zero())
            .ok_or_else(|| "it must be longer than nothing".to_owned()),
        _ => Err(format!(
            "`{text}` is no length of time; write it as 90s, 30m or 2h"
        )),
    }
}

/// Checks the number of an account.
///
/// # Errors
///
/// If it is not twelve digits.
pub fn parse_account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account {
        Ok(text.to_owned())
    } else {
        Err("an account has twelve digits".to_owned())
    }
}

/// Reads a call as `ec2:RunInstances` or `ec2.amazonaws.com/RunInstances`: service and event.
///
/// # Errors
///
/// If it is not two words.
pub fn parse_call(text: &str) -> Result<(String, String), String> {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    match text.split_once([':', '/']) {
        Some((service, event)) if word(service) && word(event) => {
            Ok((service.to_owned(), event.to_owned()))
        }
        _ => Err("write a call as ec2:RunInstances or ec2.amazonaws.com/RunInstances".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_report_at_most_goes_to_each_place() {
        let check = |texts: &[&str]| {
            let outputs: Vec<OutputSpec> = texts.iter().map(|text| text.parse().unwrap()).collect();
            check_outputs(&outputs)
        };
        assert_eq!(check(&["table", "json=a", "sarif=b"]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
        assert!(
            check(&["table", "json=-"])
                .unwrap_err()
                .contains("-o json=FILE")
        );
        assert!(
            check(&["json=a", "table", "jsonl=a"])
                .unwrap_err()
                .contains("`a`")
        );
    }

    #[test]
    fn a_file_name_may_hold_what_separates_it() {
        let output: OutputSpec = "json=a=b.json".parse().unwrap();
        assert_eq!(output.file, Some(PathBuf::from("a=b.json")));
    }

    #[test]
    fn a_state_is_of_the_windows_begin_or_of_a_time() {
        let table = [
            ("since", Some(AsOf::Since)),
            ("now", Some(AsOf::At(Bound::Now))),
            ("yesterday", Some(AsOf::At(Bound::Yesterday))),
            ("all", None),
            ("last", None),
            ("state", None),
            ("soon", None),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        let table = [
            ("1", Some(1)),
            ("64k", Some(64 << 10)),
            ("512M", Some(512 << 20)),
            ("2GiB", Some(2 << 30)),
            ("1 GB", Some(1 << 30)),
            ("0", None),
            ("", None),
            ("M", None),
            ("1T", None),
            ("1.5G", None),
            ("-1", None),
            ("99999999999G", None),
            ("１G", None),
        ];
        for (text, bytes) in table {
            assert_eq!(text.parse().ok(), bytes.map(Size), "{text}");
        }
    }
}
