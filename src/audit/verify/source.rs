//! Where an archive with digests begins.

use super::archive::{Archive, Copied};
use super::bucket::Bucket;
use super::walk;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Stop;
use crate::audit::source::TrailLocation;
use crate::audit::source::local::unreadable;
use crate::s3;

/// Where an archive begins.
pub struct Source {
    pub(super) archive: Box<dyn Archive>,
    /// What was given, with a slash at the end.
    pub(super) folder: String,
    /// The folder above log files and digests.
    pub(super) start: String,
    /// The region that was given, if one was.
    pub(super) region: Option<String>,
    /// When to end early.
    pub(super) stop: Stop,
}

impl Source {
    /// The archive at a location, which is asked until it is time to stop.
    ///
    /// # Errors
    /// When it is no archive with digests, is not there, or the system gives no thread.
    pub fn new(
        location: &TrailLocation,
        options: &s3::Options,
        stop: &Stop,
    ) -> Result<Self, Problem> {
        let (archive, folder): (Box<dyn Archive>, String) = match location {
            TrailLocation::S3(s3) => {
                let bucket = Bucket::new(options, &s3.bucket, stop).map_err(|error| {
                    refuse(
                        location,
                        &format!("no threads to read with: {error}"),
                        "try again",
                    )
                })?;
                (Box::new(bucket), s3.key.clone())
            }
            TrailLocation::Path(path) => {
                let whole = path
                    .canonicalize()
                    .map_err(|error| unreadable(path, &error))?;
                if !whole.is_dir() {
                    return Err(refuse(location, "one file proves nothing", FOLDER));
                }
                let text = whole.to_string_lossy().replace('\\', "/");
                let copied = Copied::new(&text, &path.to_string_lossy());
                (Box::new(copied), text)
            }
            _ => return Err(refuse(location, "digests do not come this way", FOLDER)),
        };
        let slash = if folder.is_empty() || folder.ends_with('/') {
            ""
        } else {
            "/"
        };
        let folder = format!("{folder}{slash}");
        let (start, region) = walk::start(&folder);
        Ok(Self {
            archive,
            folder,
            start,
            region,
            stop: stop.clone(),
        })
    }
}

const FOLDER: &str = "give the folder or bucket that holds AWSLogs/";

fn refuse(location: &TrailLocation, problem: &str, remedy: &str) -> Problem {
    Problem {
        location: location.to_string(),
        place: None,
        problem: problem.to_owned(),
        remedy: Some(remedy.to_owned()),
    }
}
