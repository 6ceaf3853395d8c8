//! Where digests and log files lie, as folders and files: a bucket, or a copy on this machine.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use crate::audit::decode::Problem;
use crate::audit::pipeline::Stop;
use crate::audit::source::local::unreadable;
use crate::s3::{self, Blocking, Client, Location, Reason};

/// What the metadata of a copy is called: the name of the copy, and this.
pub const SIDECAR: &str = ".metadata.json";

/// A file that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The whole path or key.
    pub key: String,
    /// When the object was written; none for a copy, which tells nothing of it.
    pub modified: Option<Timestamp>,
}

/// What lies in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Files in it.
    pub files: Vec<File>,
    /// Folders in it, each whole and with a slash at its end.
    pub folders: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// All of it.
    pub bytes: Vec<u8>,
    /// The signature that its metadata holds, in hexadecimal digits.
    pub signature: Option<String>,
}

/// A place with folders and files. Asked from many threads at once.
pub trait Archive: Sync + Send {
    /// Lists a folder, whose name ends in a slash, from behind a key. One that is not there is
    /// empty.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn list(&self, folder: &str, after: Option<&str>) -> Result<Folder, Problem>;

    /// Reads a file; with its metadata if asked for.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, key: &str, metadata: bool) -> Result<Content, Problem>;

    /// What to call a key in a message.
    fn display(&self, key: &str) -> String;

    /// How deep below the start `AWSLogs/` may lie.
    fn depth(&self) -> u8;

    /// How many requests are worth making at once.
    fn requests(&self) -> usize;
}

/// A bucket, which is asked until it is time to stop.
pub struct Bucket {
    store: Blocking,
    bucket: String,
    stop: Stop,
}

impl Bucket {
    /// Reaches a bucket.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &s3::Options, bucket: &str, stop: &Stop) -> std::io::Result<Self> {
        Ok(Self {
            store: Blocking::new(options)?,
            bucket: bucket.to_owned(),
            stop: stop.clone(),
        })
    }

    /// What is asked of a key, unless it is time to stop.
    fn ask<T>(
        &self,
        key: &str,
        ask: impl AsyncFnOnce(&Client) -> Result<T, s3::Error>,
    ) -> Result<T, Problem> {
        let answer = self.store.unless(self.stop.due(), ask);
        let stopped = || Problem {
            location: self.display(key),
            place: None,
            problem: self.stop.reason(),
            remedy: None,
        };
        answer.ok_or_else(stopped)?.map_err(failed)
    }
}

impl Archive for Bucket {
    fn list(&self, folder: &str, after: Option<&str>) -> Result<Folder, Problem> {
        let listing = s3::Listing {
            prefix: folder.to_owned(),
            folders: true,
            after: after.map(str::to_owned),
            token: None,
        };
        let page = self.ask(folder, async |client| {
            client.list_all(&self.bucket, listing).await
        })?;
        let files = page.objects.into_iter().map(|object| File {
            key: object.key,
            modified: object.modified,
        });
        Ok(Folder {
            files: files.collect(),
            folders: page.folders,
        })
    }

    fn read(&self, key: &str, _: bool) -> Result<Content, Problem> {
        let location = Location::new(&self.bucket, key);
        let mut fetched = self.ask(key, async |client| client.get(&location, None).await)?;
        Ok(Content {
            signature: fetched.metadata.remove("signature"),
            bytes: fetched.bytes,
        })
    }

    fn display(&self, key: &str) -> String {
        Location::new(&self.bucket, key).to_string()
    }

    fn depth(&self) -> u8 {
        4
    }

    fn requests(&self) -> usize {
        32
    }
}

fn failed(error: s3::Error) -> Problem {
    let gone = error.reason == Reason::NoSuchKey;
    Problem {
        location: error.location.to_string(),
        place: None,
        problem: error.problem(),
        remedy: (!gone).then(|| error.remedy()),
    }
}

/// A copy on this machine, in a folder that is called by the name that the user gave it.
pub struct Copied {
    whole: String,
    given: String,
}

impl Copied {
    /// The copy in a folder: its whole path, and as it was given.
    pub fn new(whole: &str, given: &str) -> Self {
        Self {
            whole: whole.to_owned(),
            given: given.trim_end_matches('/').to_owned(),
        }
    }
}

/// What is read of the metadata beside a copy: what `aws s3api head-object` prints, or the bare
/// metadata.
#[derive(Deserialize)]
struct Sidecar {
    #[serde(rename = "Metadata", default)]
    metadata: HashMap<String, String>,
    signature: Option<String>,
}

impl Archive for Copied {
    fn list(&self, folder: &str, _: Option<&str>) -> Result<Folder, Problem> {
        let path = Path::new(folder);
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Folder::default()),
            Err(error) => return Err(unreadable(path, &error)),
        };
        let mut found = Folder::default();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            // A name that is no text is none that CloudTrail gives.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let whole = format!("{folder}{name}");
            // Links are followed, as they are when log files are read.
            match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_dir() => {
                    if !name.starts_with('.') {
                        found.folders.push(format!("{whole}/"));
                    }
                }
                _ => found.files.push(File {
                    key: whole,
                    modified: None,
                }),
            }
        }
        found.files.sort_by(|one, other| one.key.cmp(&other.key));
        found.folders.sort_unstable();
        Ok(found)
    }

    fn read(&self, key: &str, metadata: bool) -> Result<Content, Problem> {
        let path = PathBuf::from(key);
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        let sidecar = || {
            let text = std::fs::read(format!("{key}{SIDECAR}")).ok()?;
            let mut sidecar: Sidecar = serde_json::from_slice(&text).ok()?;
            sidecar.metadata.remove("signature").or(sidecar.signature)
        };
        let signature = metadata.then(sidecar).flatten();
        Ok(Content { bytes, signature })
    }

    fn display(&self, key: &str) -> String {
        match key.strip_prefix(&self.whole) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                format!("{}{rest}", self.given)
            }
            _ => key.to_owned(),
        }
    }

    fn depth(&self) -> u8 {
        16
    }

    fn requests(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }
}
