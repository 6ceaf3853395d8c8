//! Where a state lies, as given with `--state`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::problem::Problem;
use crate::web::shown;

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
    /// A place that is reached over HTTP.
    Remote(RemoteLocation),
}

/// A place that is reached over HTTP, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RemoteLocation {
    /// Where.
    pub place: RemotePlace,
    /// What a backend configuration says of how it is reached; the environment says the rest.
    pub settings: Settings,
}

/// Where a state lies that is reached over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RemotePlace {
    /// Google Cloud Storage.
    Gcs {
        /// The bucket.
        bucket: String,
        /// Key of the object, or a prefix that ends in `/` or is empty, or a pattern.
        key: String,
    },
    /// Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// The container in it.
        container: String,
        /// As for a bucket.
        key: String,
    },
    /// What Terraform's `http` backend speaks with: its address, whole.
    Http {
        /// `http://…` or `https://…`. May hold secrets: show [`shown`] of it.
        url: String,
    },
    /// A workspace of HCP Terraform or Terraform Enterprise.
    Workspace {
        /// Where it runs, if that is said.
        host: Option<String>,
        /// The organization.
        organization: String,
        /// The name; empty for all of the organization; or a pattern.
        name: String,
    },
}

/// Settings of a backend, by their names. Some are secrets, so only names are ever printed.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// What a setting says, if it is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(settings: I) -> Self {
        Self(settings.into_iter().collect())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl RemoteLocation {
    /// A place that only the environment says how to reach.
    #[must_use]
    pub fn new(place: RemotePlace) -> Self {
        Self {
            place,
            settings: Settings::default(),
        }
    }

    /// Whether older versions of a state can be asked for.
    #[must_use]
    pub fn keeps_versions(&self) -> bool {
        matches!(
            self.place,
            RemotePlace::Gcs { .. } | RemotePlace::Workspace { .. }
        )
    }

    /// The key or name, if the place has such.
    pub(crate) fn key(&self) -> Option<&str> {
        match &self.place {
            RemotePlace::Gcs { key, .. } | RemotePlace::Azure { key, .. } => Some(key),
            RemotePlace::Workspace { name, .. } => Some(name),
            RemotePlace::Http { .. } => None,
        }
    }

    /// The same place with another key or name.
    pub(crate) fn with_key(&self, other: String) -> Self {
        let mut location = self.clone();
        match &mut location.place {
            RemotePlace::Gcs { key, .. } | RemotePlace::Azure { key, .. } => *key = other,
            RemotePlace::Workspace { name, .. } => *name = other,
            RemotePlace::Http { .. } => {}
        }
        location
    }
}

impl fmt::Display for RemoteLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            RemotePlace::Gcs { bucket, key } => write!(f, "gs://{bucket}/{key}"),
            RemotePlace::Azure {
                account,
                container,
                key,
            } => write!(f, "azurerm://{account}/{container}/{key}"),
            RemotePlace::Http { url } => f.write_str(&shown(url)),
            RemotePlace::Workspace {
                host,
                organization,
                name,
            } => {
                f.write_str("tfcloud://")?;
                if let Some(host) = host {
                    write!(f, "{host}/")?;
                }
                write!(f, "{organization}/{name}")
            }
        }
    }
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

const PLACES: &str = "give a file, a folder, a pattern, `-`, or an address that begins with s3://, \
                      gs://, azurerm://, https:// or tfcloud://";

impl FromStr for StateLocation {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if text.is_empty() {
            let problem = Problem::new("--state", "the location is empty");
            return Err(problem.remedy(PLACES));
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
            "gs" | "azurerm" | "az" | "http" | "https" | "tfcloud" => remote(text, scheme, rest)
                .map(|place| Self::Remote(RemoteLocation::new(place)))
                .map_err(|(problem, remedy)| Problem::new(shown(text), problem).remedy(remedy)),
            _ => {
                let problem = format!("unknown kind of location `{scheme}://`");
                Err(Problem::new(text, problem).remedy(PLACES))
            }
        }
    }
}

/// Reads the address of a place behind HTTP; else says what is wrong with it, and what is right.
fn remote(
    text: &str,
    scheme: &str,
    rest: &str,
) -> Result<RemotePlace, (&'static str, &'static str)> {
    let (first, further) = rest.split_once('/').unwrap_or((rest, ""));
    let (second, last) = further.split_once('/').unwrap_or((further, ""));
    match scheme {
        "gs" if first.is_empty() => Err((
            "the bucket is missing",
            "write gs://BUCKET/KEY, or gs://BUCKET/PREFIX/",
        )),
        "gs" => Ok(RemotePlace::Gcs {
            bucket: first.to_owned(),
            key: further.to_owned(),
        }),
        "azurerm" | "az" if first.is_empty() || second.is_empty() => Err((
            "the storage account or the container is missing",
            "write azurerm://ACCOUNT/CONTAINER/KEY, or azurerm://ACCOUNT/CONTAINER/PREFIX/",
        )),
        "azurerm" | "az" => Ok(RemotePlace::Azure {
            account: first.to_owned(),
            container: second.to_owned(),
            key: last.to_owned(),
        }),
        "tfcloud" => {
            // Organizations have no dots in their names, hosts nearly always have one.
            let has_host = !last.is_empty() || first.contains(['.', ':']);
            let (host, organization, name) = if has_host {
                (Some(first.to_owned()), second, last)
            } else {
                (None, first, second)
            };
            if organization.is_empty() || name.contains('/') {
                return Err((
                    "this names no workspace",
                    "write tfcloud://ORGANIZATION/WORKSPACE, tfcloud://HOST/ORGANIZATION/WORKSPACE, \
                     or a pattern as tfcloud://ORGANIZATION/prod-*",
                ));
            }
            Ok(RemotePlace::Workspace {
                host,
                organization: organization.to_owned(),
                name: name.to_owned(),
            })
        }
        _ if first.is_empty() => Err(("the host is missing", "write https://HOST/PATH")),
        _ => Ok(RemotePlace::Http {
            url: text.to_owned(),
        }),
    }
}

impl fmt::Display for StateLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::Path(path) => path.display().fmt(f),
            Self::Glob(pattern) => f.write_str(pattern),
            Self::S3(place) => write!(f, "s3://{}/{}", place.bucket, place.key),
            Self::Remote(place) => place.fmt(f),
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
    fn places_behind_http_are_told_apart_and_written_as_given() {
        let owned = str::to_owned;
        let workspace = |host: Option<&str>, name: &str| RemotePlace::Workspace {
            host: host.map(owned),
            organization: owned("acme"),
            name: owned(name),
        };
        let azure = RemotePlace::Azure {
            account: owned("acct"),
            container: owned("states"),
            key: owned("net/terraform.tfstate"),
        };
        for (text, expected) in [
            (
                "gs://b/net/default.tfstate",
                RemotePlace::Gcs {
                    bucket: owned("b"),
                    key: owned("net/default.tfstate"),
                },
            ),
            ("azurerm://acct/states/net/terraform.tfstate", azure.clone()),
            ("tfcloud://acme/net", workspace(None, "net")),
            ("tfcloud://acme/", workspace(None, "")),
            (
                "tfcloud://tfe.acme.test/acme/net",
                workspace(Some("tfe.acme.test"), "net"),
            ),
            (
                "https://states.test/net?env=a",
                RemotePlace::Http {
                    url: owned("https://states.test/net?env=a"),
                },
            ),
        ] {
            let location: StateLocation = text.parse().expect(text);
            assert_eq!(location.to_string(), text);
            assert_eq!(
                location,
                StateLocation::Remote(RemoteLocation::new(expected))
            );
        }
        let same: StateLocation = "az://acct/states/net/terraform.tfstate".parse().unwrap();
        assert_eq!(same, StateLocation::Remote(RemoteLocation::new(azure)));
    }

    #[test]
    fn neither_addresses_nor_settings_give_secrets_away() {
        let location: StateLocation = "https://me:hush@states.test/net?token=hush"
            .parse()
            .unwrap();
        assert_eq!(location.to_string(), "https://states.test/net?token=…");
        let settings: Settings = [("access_key".to_owned(), "hush".to_owned())]
            .into_iter()
            .collect();
        assert_eq!(format!("{settings:?}"), "{\"access_key\"}");
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
            ("gs://", "the bucket is missing"),
            ("az://account", "the container is missing"),
            ("tfcloud://", "names no workspace"),
            ("tfcloud://app.terraform.io/", "names no workspace"),
            ("https://", "the host is missing"),
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
