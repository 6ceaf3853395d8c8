//! Where digests and log files lie, as folders and files: a bucket, or a copy on this machine.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Deserialize;

use crate::audit::cloudtrail::digest::name::place;
use crate::audit::cloudtrail::layout::Selection;
use crate::audit::cloudtrail::span::FolderDate;
use crate::audit::decode::Problem;
use crate::audit::source::local::unreadable;

/// Days that are listed one by one. For more, the folders that exist are listed first.
const MOST_DAYS: usize = 31;

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

/// A folder to list. Its name ends in a slash.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Which one.
    pub folder: &'a str,
    /// Of a region's folder, of log files or of digests, which days are wanted of it.
    pub days: Option<&'a Selection>,
}

/// What lies in a folder, and perhaps in those of its days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Files in it.
    pub files: Vec<File>,
    /// Folders in it that are still to be listed, each whole and with a slash at its end.
    pub folders: Vec<String>,
    /// What could not be listed.
    pub problems: Vec<Problem>,
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
    /// Lists folders: for each of them what lies in it. One that is not there is empty.
    fn list(&self, asked: &[Asked<'_>]) -> Vec<Folder>;

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
    fn list(&self, asked: &[Asked<'_>]) -> Vec<Folder> {
        asked.par_iter().map(copied).collect()
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

/// What lies in a folder: of a region's, for a few days, in theirs.
fn copied(asked: &Asked<'_>) -> Folder {
    let days = asked.days.and_then(|wanted| wanted.span.days(MOST_DAYS));
    let Some(days) = days else {
        return listed(asked.folder);
    };
    let above = place(asked.folder).date;
    let above = above.map(FolderDate::folders).unwrap_or_default();
    let region = asked.folder.strip_suffix(&above).unwrap_or(asked.folder);
    let mut all = Folder::default();
    let days = days.into_iter().map(FolderDate::folders);
    for day in days.filter(|day| day.starts_with(&above)) {
        let one = listed(&format!("{region}{day}"));
        all.files.extend(one.files);
        all.folders.extend(one.folders);
        all.problems.extend(one.problems);
    }
    all
}

fn listed(folder: &str) -> Folder {
    entries(folder).unwrap_or_else(|problem| Folder {
        problems: vec![problem],
        ..Folder::default()
    })
}

fn entries(folder: &str) -> Result<Folder, Problem> {
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
