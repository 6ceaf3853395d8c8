//! Digests and log files in a bucket.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::archive::{Archive, Asked, Content, File, Folder};
use crate::audit::cloudtrail::layout::Selection;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Stop;
use crate::audit::source::s3::{Lister, Pace, Range, Run};
use crate::s3::{self, Blocking, Client, Found, Listing, Location, Reason};

/// Listings at once at most. Fewer while the store says to slow down, or answers with many keys
/// each time.
const LISTINGS: usize = 128;

/// A bucket, which is asked until it is time to stop.
pub struct Bucket {
    store: Blocking,
    name: String,
    pace: Arc<Pace>,
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
            name: bucket.to_owned(),
            pace: Arc::new(Pace::new(LISTINGS)),
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
    fn list(&self, asked: &[Asked<'_>]) -> Vec<Folder> {
        let mut all = vec![Folder::default(); asked.len()];
        let parts = asked.iter().map(|asked| match asked.days {
            Some(wanted) => Part::Days(
                Box::new(Run::new(Range::of(asked.folder, &wanted.span))),
                Arc::new(wanted.clone()),
            ),
            None => Part::Folder(asked.folder.to_owned()),
        });
        let parts = parts.enumerate().collect();
        // Who stops cares no more for what was found until then.
        self.store.unless(self.stop.due(), async |client| {
            let lister = Lister {
                client: client.clone(),
                bucket: Arc::from(self.name.as_str()),
                pace: Arc::clone(&self.pace),
            };
            list_all(&lister, parts, &mut all).await;
        });
        all
    }

    fn read(&self, key: &str, _: bool) -> Result<Content, Problem> {
        let location = Location::new(&self.name, key);
        let mut fetched = self.ask(key, async |client| client.get(&location, None).await)?;
        Ok(Content {
            signature: fetched.metadata.remove("signature"),
            bytes: fetched.bytes,
        })
    }

    fn display(&self, key: &str) -> String {
        Location::new(&self.name, key).to_string()
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

/// A part of what is listed of a bucket.
enum Part {
    Folder(String),
    Days(Box<Run>, Arc<Selection>),
}

/// Lists all parts side by side, and those that they fall into, each for the place of its number.
async fn list_all(lister: &Lister, mut parts: Vec<(usize, Part)>, all: &mut [Folder]) {
    let mut running = JoinSet::new();
    loop {
        while running.len() < LISTINGS
            && let Some((number, part)) = parts.pop()
        {
            let lister = lister.clone();
            running.spawn(async move { (number, list(&lister, part).await) });
        }
        let Some(ended) = running.join_next().await else {
            return;
        };
        let Ok((number, (folder, rest))) = ended else {
            continue;
        };
        parts.extend(rest.into_iter().map(|part| (number, part)));
        if let Some(place) = all.get_mut(number) {
            place.files.extend(folder.files);
            place.folders.extend(folder.folders);
            place.problems.extend(folder.problems);
        }
    }
}

/// What lies in a part, and into which parts the rest of it falls.
async fn list(lister: &Lister, part: Part) -> (Folder, Vec<Part>) {
    let mut folder = Folder::default();
    let ended = match part {
        Part::Folder(prefix) => list_folder(lister, prefix, &mut folder).await,
        Part::Days(run, selection) => list_days(lister, run, selection, &mut folder).await,
    };
    let rest = ended.unwrap_or_else(|error| {
        folder.problems.push(failed(error));
        Vec::new()
    });
    (folder, rest)
}

async fn list_folder(
    lister: &Lister,
    prefix: String,
    folder: &mut Folder,
) -> Result<Vec<Part>, s3::Error> {
    let mut listing = Listing {
        prefix,
        folders: true,
        ..Listing::default()
    };
    loop {
        let page = lister.page(&listing).await?;
        folder.files.extend(page.objects.into_iter().map(file));
        folder.folders.extend(page.folders);
        match page.next {
            Some(token) => listing.token = Some(token),
            None => return Ok(Vec::new()),
        }
    }
}

async fn list_days(
    lister: &Lister,
    mut run: Box<Run>,
    selection: Arc<Selection>,
    folder: &mut Folder,
) -> Result<Vec<Part>, s3::Error> {
    loop {
        let (objects, rest) = lister.next(&mut run, &selection).await?;
        folder.files.extend(objects.into_iter().map(file));
        if run.is_done() {
            let parts = rest.into_iter().map(|range| Box::new(Run::new(range)));
            return Ok(parts
                .map(|run| Part::Days(run, Arc::clone(&selection)))
                .collect());
        }
    }
}

fn file(object: Found) -> File {
    File {
        key: object.key,
        modified: object.modified,
    }
}
