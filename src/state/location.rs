//! Where a state lies, as given with `--state`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::problem::Problem;

/// Where one or several states lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateLocation {
    /// Standard input: `-`.
    Stdin,
    /// A file, or a folder with states anywhere below it.
    Path(PathBuf),
    /// All files and folders that match a pattern: `states/**/*.tfstate`.
    Glob(String),
    /// An object, or all states below a prefix that ends in `/`.
    S3(S3Location),
}

/// A place in S3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket.
    pub bucket: String,
    /// Key of the object, or a prefix that ends in `/` or is empty.
    pub key: String,
    /// The bucket's region, where a backend configuration names it.
    pub region: Option<String>,
    /// The profile to take credentials from, where a backend configuration names it.
    pub profile: Option<String>,
    /// The server, where a backend configuration names one other than AWS's.
    pub endpoint: Option<String>,
    /// Whether a backend configuration asks for the bucket in the path instead of the host.
    pub path_style: bool,
}

const PULL: &str = "pull it to a file: `terraform state pull > terraform.tfstate`, then `--state terraform.tfstate`";

impl FromStr for StateLocation {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.is_empty() {
            let problem = Problem::new("--state", "the location is empty");
            return Err(problem.remedy("give a file, a folder, a pattern, `-` or s3://BUCKET/KEY"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let is_pattern = text.contains(['*', '?', '[']) && !PathBuf::from(text).exists();
            return Ok(if is_pattern {
                Self::Glob(text.into())
            } else {
                Self::Path(text.into())
            });
        };
        match scheme {
            "s3" => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    let problem = Problem::new(text, "the bucket is missing");
                    return Err(problem.remedy("write s3://BUCKET/KEY, or s3://BUCKET/PREFIX/"));
                }
                Ok(Self::S3(S3Location {
                    bucket: bucket.into(),
                    key: key.into(),
                    ..S3Location::default()
                }))
            }
            "file" => Ok(Self::Path(rest.into())),
            "gs" | "azurerm" | "az" | "http" | "https" | "tfcloud" => Err(Problem::new(
                text,
                format!("states are not read from `{scheme}://` yet"),
            )
            .remedy(PULL)),
            _ => Err(
                Problem::new(text, format!("unknown kind of location `{scheme}://`"))
                    .remedy("give a file, a folder, a pattern, `-` or s3://BUCKET/KEY"),
            ),
        }
    }
}

impl fmt::Display for StateLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
            Self::Glob(pattern) => f.write_str(pattern),
            Self::S3(place) => write!(f, "s3://{}/{}", place.bucket, place.key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_told_apart_and_written_as_given() {
        let s3 = |bucket: &str, key: &str| {
            StateLocation::S3(S3Location {
                bucket: bucket.into(),
                key: key.into(),
                ..S3Location::default()
            })
        };
        for (text, expected) in [
            ("-", StateLocation::Stdin),
            ("a/b.tfstate", StateLocation::Path("a/b.tfstate".into())),
            ("a/*.tfstate", StateLocation::Glob("a/*.tfstate".into())),
            ("s3://b/k/x.tfstate", s3("b", "k/x.tfstate")),
            ("s3://b/k/", s3("b", "k/")),
        ] {
            let location: StateLocation = text.parse().expect(text);
            assert_eq!(location, expected);
            assert_eq!(location.to_string(), text);
        }
        assert_eq!("s3://b".parse(), Ok(s3("b", "")));
        assert_eq!(
            "file:///a/b".parse(),
            Ok(StateLocation::Path("/a/b".into()))
        );
    }

    #[test]
    fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a[1].tfstate");
        std::fs::write(&path, "").expect("written");
        let text = path.display().to_string();
        assert_eq!(text.parse(), Ok(StateLocation::Path(path)));
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do_instead() {
        for (text, problem) in [
            ("gs://b/k", "not read from `gs://` yet"),
            ("tfcloud://org/ws", "not read from `tfcloud://` yet"),
            ("ftp://x/y", "unknown kind of location `ftp://`"),
            ("s3://", "the bucket is missing"),
            ("", "the location is empty"),
        ] {
            let found = text.parse::<StateLocation>().expect_err(text);
            assert!(found.problem.contains(problem), "{found}");
            assert!(found.remedy.is_some());
        }
    }
}
