//! Reads states from wherever they lie, in parallel, into one inventory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;
use walkdir::WalkDir;

use super::backend::{Object, ObjectStore};
use super::formats;
use super::inventory::{Inventory, Naming};
use super::location::StateLocation;
use super::problem::Problem;

/// What loading came to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All that could be read.
    pub inventory: Inventory,
    /// All that could not.
    pub problems: Vec<Problem>,
}

/// One state to read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Stdin,
    File(PathBuf),
    S3 { bucket: String, key: String },
}

/// Reads all states at `locations` in the order given; those of one location in the order of
/// their names. `store` answers for `s3://`.
#[must_use]
pub fn load(
    locations: &[StateLocation],
    store: Option<&dyn ObjectStore>,
    naming: &dyn Naming,
) -> Loaded {
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for location in locations {
        match expand(location) {
            Ok(found) => {
                for source in found {
                    if !sources.contains(&source) {
                        sources.push(source);
                    }
                }
            }
            Err(problem) => problems.push(*problem),
        }
    }
    let read = sources
        .par_iter()
        .map(|source| {
            let location = source.to_string();
            let object = fetch(source, store)?;
            let mut parsed = formats::read(&object.bytes, &location, naming)?;
            parsed.file.as_of = object.modified;
            parsed.file.location = location;
            Ok(parsed)
        })
        .collect::<Vec<Result<_, Box<Problem>>>>();
    let mut parts = Vec::new();
    for outcome in read {
        match outcome {
            Ok(parsed) => {
                problems.extend(
                    parsed.flaws.into_iter().map(|flaw| {
                        Problem::new(&parsed.file.location, flaw.problem).at(flaw.place)
                    }),
                );
                parts.push((parsed.file, parsed.drafts));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    Loaded {
        inventory: Inventory::build(parts, naming),
        problems,
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => path.display().fmt(f),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// The states that a location means.
fn expand(location: &StateLocation) -> Result<Vec<Source>, Box<Problem>> {
    match location {
        StateLocation::Stdin => Ok(vec![Source::Stdin]),
        StateLocation::Path(path) if path.is_dir() => walk(path),
        StateLocation::Path(path) => Ok(vec![Source::File(path.clone())]),
        StateLocation::Glob(_) => Ok(Vec::new()),
        StateLocation::S3(place) => Ok(vec![Source::S3 {
            bucket: place.bucket.clone(),
            key: place.key.clone(),
        }]),
    }
}

fn walk(folder: &Path) -> Result<Vec<Source>, Box<Problem>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry =
            entry.map_err(|error| Box::new(Problem::new(folder.display(), error.to_string())))?;
        if entry.file_type().is_file()
            && entry.path().extension().is_some_and(|end| end == "tfstate")
        {
            found.push(Source::File(entry.into_path()));
        }
    }
    Ok(found)
}

fn fetch(source: &Source, store: Option<&dyn ObjectStore>) -> Result<Object, Box<Problem>> {
    match source {
        Source::Stdin => {
            let mut bytes = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| Box::new(Problem::new(source, error.to_string())))?;
            Ok(Object {
                bytes,
                modified: None,
            })
        }
        Source::File(path) => read_file(path)
            .map_err(|error| Box::new(Problem::new(source, format!("cannot be read: {error}")))),
        Source::S3 { bucket, key } => {
            let Some(store) = store else {
                return Err(Box::new(Problem::new(source, "no access to S3 is set up")));
            };
            store.get(bucket, key).map_err(|error| {
                let mut problem = Problem::new(source, error.problem);
                problem.remedy = error.remedy;
                Box::new(problem)
            })
        }
    }
}

fn read_file(path: &Path) -> io::Result<Object> {
    let modified = File::open(path)?.metadata()?.modified().ok();
    Ok(Object {
        bytes: fs::read(path)?,
        modified: modified.and_then(|time| Timestamp::try_from(time).ok()),
    })
}
