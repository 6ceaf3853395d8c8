//! Where log files are looked for: a location as the user writes it, and what finds the files
//! of each kind of location.

pub mod local;
pub mod lookup;
pub mod s3;
pub mod sqs;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use lookup::Regions;
use thiserror::Error;

use crate::s3::{Location, LocationError};

/// A place to look for log files, as given with `--trail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailLocation {
    /// Standard input, written `-`.
    Stdin,
    /// A file or a directory.
    Path(PathBuf),
    /// A pattern of files and directories.
    Glob(String),
    /// A bucket, or a prefix or an object in it.
    S3(Location),
    /// A file of alerts of Falco's `cloudtrail` plugin, or `-` for standard input.
    Falco(PathBuf),
    /// CloudTrail's own event history.
    Lookup(Regions),
    /// A queue, by its URL, that is told of new log files in buckets.
    Queue(String),
}

/// Why a text is no [`TrailLocation`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrailError {
    /// It is empty.
    #[error("a trail location must not be empty")]
    Empty,
    /// It begins with a scheme that leads to no log files.
    #[error(
        "`{text}` is not a trail location: `{scheme}:` is not known here. Give a file, a \
         directory, a glob, `-`, s3://BUCKET/PREFIX, sqs:URL, lookup: or falco:FILE; a file of such a name is written `./{text}`"
    )]
    Scheme {
        /// The whole text.
        text: String,
        /// What stands before the colon.
        scheme: String,
    },
    /// It begins with `lookup:` and goes on with what is no region.
    #[error(
        "`{word}` is no region; write lookup:us-east-1,eu-west-1, lookup:all, or lookup: for your own"
    )]
    Region {
        /// What stands where a region belongs.
        word: String,
    },
    /// It begins with `falco:` and names no file.
    #[error("`falco:` names no file; write falco:FILE, or falco:- for stdin")]
    NoFile,
    /// It begins with `sqs:` and goes on with what is no queue's URL.
    #[error(
        "`{0}` is no queue's URL; write sqs:https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, as \
         `aws sqs get-queue-url --queue-name NAME` prints it"
    )]
    Queue(String),
    /// It begins with `s3:` and does not go on as a location.
    #[error(transparent)]
    S3(#[from] LocationError),
    /// It is a pattern that cannot be matched.
    #[error("`{text}` is not a pattern: {problem}")]
    Glob {
        /// The whole text.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl FromStr for TrailLocation {
    type Err = TrailError;

    fn from_str(text: &str) -> Result<Self, TrailError> {
        if text.is_empty() {
            return Err(TrailError::Empty);
        }
        if text == "-" {
            return Ok(Self::Stdin);
        }
        match scheme(text) {
            Some(scheme) if scheme.eq_ignore_ascii_case("s3") => {
                return Ok(Self::S3(text.parse()?));
            }
            Some(scheme) if scheme.eq_ignore_ascii_case("falco") => {
                let file = text.get(scheme.len() + 1..).unwrap_or_default();
                if file.is_empty() {
                    return Err(TrailError::NoFile);
                }
                return Ok(Self::Falco(PathBuf::from(file)));
            }
            Some(scheme) if scheme.eq_ignore_ascii_case("sqs") => {
                let url = text.get(scheme.len() + 1..).unwrap_or_default();
                return if is_queue(url) {
                    Ok(Self::Queue(url.to_owned()))
                } else {
                    Err(TrailError::Queue(url.to_owned()))
                };
            }
            Some(scheme) if scheme.eq_ignore_ascii_case("lookup") => {
                let regions = text.get(scheme.len() + 1..).unwrap_or_default();
                return match regions.parse() {
                    Ok(regions) => Ok(Self::Lookup(regions)),
                    Err(word) => Err(TrailError::Region { word }),
                };
            }
            Some(scheme) => {
                return Err(TrailError::Scheme {
                    text: text.to_owned(),
                    scheme: scheme.to_owned(),
                });
            }
            None => {}
        }
        if !text.contains(['*', '?', '[']) {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        match glob::Pattern::new(text) {
            Ok(_) => Ok(Self::Glob(text.to_owned())),
            Err(error) => Err(TrailError::Glob {
                text: text.to_owned(),
                problem: error.msg,
            }),
        }
    }
}

impl fmt::Display for TrailLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
            Self::Glob(pattern) => f.write_str(pattern),
            Self::S3(location) => location.fmt(f),
            Self::Lookup(regions) => write!(f, "lookup:{regions}"),
            Self::Falco(path) => write!(f, "falco:{}", path.display()),
            Self::Queue(url) => write!(f, "sqs:{url}"),
        }
    }
}

/// Whether a text has the parts of a queue's URL: scheme, host, account, name.
fn is_queue(url: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let parts = rest.map(|rest| rest.split('/').collect::<Vec<_>>());
    parts.is_some_and(|parts| parts.len() == 3 && parts.iter().all(|part| !part.is_empty()))
}

/// The part before the first colon, if it looks like a scheme. One letter is a Windows drive.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let fits = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    fits.then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_told_apart() {
        for (text, expected) in [
            ("-", TrailLocation::Stdin),
            ("logs/a.json", TrailLocation::Path("logs/a.json".into())),
            ("./sqs:x", TrailLocation::Path("./sqs:x".into())),
            ("C:\\logs", TrailLocation::Path("C:\\logs".into())),
            ("logs/**/*.gz", TrailLocation::Glob("logs/**/*.gz".into())),
            ("falco:a.json", TrailLocation::Falco("a.json".into())),
            ("s3://logs/x", TrailLocation::S3(Location::new("logs", "x"))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_trail_location_says_why() {
        for (text, part) in [
            ("", "empty"),
            ("gs://logs", "`gs:` is not known"),
            ("sqs:https://x", "is no queue's URL"),
            ("sqs:queue", "get-queue-url"),
            ("falco:", "names no file"),
            ("lookup:everywhere", "`everywhere` is no region"),
            ("s3://", "names no bucket"),
            ("s3:logs", "does not begin with s3://"),
            ("logs/[", "not a pattern"),
        ] {
            let error = text.parse::<TrailLocation>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_location_is_printed_as_it_is_written() {
        for text in [
            "-",
            "a/b",
            "a/*.gz",
            "s3://logs/x/",
            "falco:-",
            "lookup:",
            "lookup:eu-west-1",
            "sqs:https://sqs.eu-west-1.amazonaws.com/111111111111/logs",
        ] {
            assert_eq!(text.parse::<TrailLocation>().unwrap().to_string(), text);
        }
    }
}
