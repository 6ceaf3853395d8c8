//! Where a checkpoint lies: a file, locked while a scan runs, or an object, which is only replaced
//! if nobody else replaced it meanwhile.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Checkpoint, Scope};
use crate::s3::{self, Blocking, Condition, Location, Reason};

/// Why a checkpoint cannot be used.
#[derive(Debug, Error)]
pub enum Error {
    /// What lies there is none, or none that can be gone on from.
    #[error("{place}: {problem}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// The text names no place.
    #[error("{0}")]
    Place(String),
    /// It remembers scans that looked elsewhere.
    #[error(
        "{place} remembers scans with `{then}`, and this one has `{now}`: name another file for it, \
         so that neither goes on where the other ended"
    )]
    Elsewhere {
        /// Where.
        place: String,
        /// What those looked at.
        then: Box<Scope>,
        /// What this one looks at.
        now: Box<Scope>,
    },
    /// Another scan uses it.
    #[error("{0} is in use by another scan; wait for it to end")]
    Busy(String),
    /// Another scan has replaced it since this one began.
    #[error(
        "{0} was written by another scan meanwhile and is left as that one wrote it; the next scan \
         tells again what this one told"
    )]
    Overtaken(String),
    /// The file system refuses.
    #[error("{place}: {source}")]
    File {
        /// Where.
        place: String,
        /// What the system says.
        source: io::Error,
    },
    /// The store refuses.
    #[error("{}: {}; {}", .0.location, .0.problem(), .0.remedy())]
    Store(s3::Error),
}

/// A checkpoint's place, held until the end of the scan.
pub struct Store {
    place: Place,
    checkpoint: Option<Checkpoint>,
}

enum Place {
    File {
        path: PathBuf,
        // Unlocked when it is closed.
        _lock: File,
    },
    Object {
        client: Blocking,
        location: Location,
        etag: Option<String>,
    },
}

impl Store {
    /// Opens the place: `s3://BUCKET/KEY`, else a file. Nothing there is no error.
    ///
    /// # Errors
    /// When it cannot be read, is in use, or holds something else.
    pub fn open(text: &str, scope: &Scope, options: &s3::Options) -> Result<Self, Error> {
        let (place, bytes) = if text
            .get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case("s3://"))
        {
            open_object(text, options)?
        } else {
            open_file(Path::new(text))?
        };
        let checkpoint = bytes.map(|bytes| Checkpoint::read(&bytes)).transpose();
        let checkpoint = checkpoint.map_err(|problem| Error::Damaged {
            place: text.to_owned(),
            problem,
        })?;
        match &checkpoint {
            Some(other) if other.scope() != scope => Err(Error::Elsewhere {
                place: text.to_owned(),
                then: Box::new(other.scope().clone()),
                now: Box::new(scope.clone()),
            }),
            _ => Ok(Self { place, checkpoint }),
        }
    }

    /// What lay there; none the first time.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Puts another in its place.
    ///
    /// # Errors
    /// When it cannot be written, or another scan was faster.
    pub fn save(self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let bytes = checkpoint.write().map_err(io::Error::from);
        match self.place {
            Place::File { path, _lock } => {
                let written = bytes.and_then(|bytes| replace(&path, &bytes));
                written.map_err(|source| failed(&path, source))
            }
            Place::Object {
                client,
                location,
                etag,
            } => {
                let bytes = bytes.map_err(|source| Error::File {
                    place: location.to_string(),
                    source,
                })?;
                let condition = etag.map_or(Condition::New, Condition::Replaces);
                match client.put(&location, bytes, &condition) {
                    Ok(()) => Ok(()),
                    Err(error) if error.reason == Reason::Overtaken => {
                        Err(Error::Overtaken(location.to_string()))
                    }
                    Err(error) => Err(Error::Store(error)),
                }
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::File {
        place: path.display().to_string(),
        source,
    }
}

fn open_file(path: &Path) -> Result<(Place, Option<Vec<u8>>), Error> {
    // Not the file itself: that is replaced, and a lock on what was replaced holds nobody off.
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|source| failed(&beside, source))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::Busy(path.display().to_string())),
        Err(TryLockError::Error(source)) => return Err(failed(&beside, source)),
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(failed(path, source)),
    };
    let path = path.to_owned();
    Ok((Place::File { path, _lock: lock }, bytes))
}

fn open_object(text: &str, options: &s3::Options) -> Result<(Place, Option<Vec<u8>>), Error> {
    let location: Location = text
        .parse()
        .map_err(|error: s3::LocationError| Error::Place(error.to_string()))?;
    if location.key.is_empty() || location.key.ends_with('/') {
        return Err(Error::Place(format!(
            "{text} names no object; write s3://BUCKET/KEY"
        )));
    }
    let client = Blocking::new(options).map_err(|source| Error::File {
        place: text.to_owned(),
        source,
    })?;
    let (etag, bytes) = match client.get(&location, None) {
        Ok(fetched) => (fetched.etag, Some(fetched.bytes)),
        Err(error) if error.reason == Reason::NoSuchKey => (None, None),
        Err(error) => return Err(Error::Store(error)),
    };
    let place = Place::Object {
        client,
        location,
        etag,
    };
    Ok((place, bytes))
}

/// Writes the file whole or not at all. It holds parts of log records: others may not read it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}
