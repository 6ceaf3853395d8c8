//! Log files in a bucket: discovers accounts, regions and days by listing folders, and lists
//! only what a window can need.
//!
//! A walk is a stack of small steps, many of which run at once. The deepest run first, so that
//! few are ever pending however many accounts and days there are; keys go out as they are
//! listed and are never collected.

mod flat;
mod lister;
mod pace;
mod plan;
mod range;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use flat::{Flat, Guide};
pub use lister::{Lister, Run};
pub use pace::Pace;
use plan::{Step, first_step, last_part};
pub use range::Range;
pub use trouble::Trouble;
use trouble::{foreign, nothing_there, stopped, too_wide};

use crate::audit::cloudtrail::layout::{Level, Place, Selection, looks_like_log};
use crate::audit::pipeline::Watch;
use crate::s3::{Client, Error, Found, Listing, Location, Page, Reason};

/// Folders to look into for `AWSLogs/` before giving up the search.
const MOST_SEARCHED: usize = 1_000;

/// How deep below the given prefix `AWSLogs/` may lie.
const MOST_DEPTH: u8 = 4;

/// How deep folders of copied log files are listed apart, many at once.
const LOOSE_DEPTH: u8 = 2;

/// An object to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The bucket.
    pub bucket: Arc<str>,
    /// The whole key.
    pub key: String,
    /// Length in bytes when it was listed.
    pub size: u64,
}

/// What a walk needs and where it reports to.
#[derive(Clone)]
pub struct Walk {
    /// The store.
    pub client: Client,
    /// What to look for.
    pub selection: Arc<Selection>,
    /// How many listings may run at once, over all walks.
    pub pace: Arc<Pace>,
    /// Where keys go. A walk ends when nobody listens any more.
    pub keys: mpsc::Sender<Key>,
    /// Who decides which objects are wanted; all must want one.
    pub watches: Vec<Arc<dyn Watch>>,
    /// Told the length of every object before it is sent.
    pub listed: Arc<dyn Fn(u64) + Send + Sync>,
}

/// What all steps of a walk share.
struct Shared {
    walk: Walk,
    guide: Guide,
    lister: Lister,
    searched: AtomicUsize,
    search_cut: AtomicBool,
    layout_found: AtomicBool,
    anything_found: AtomicBool,
}

impl Walk {
    /// Lists what lies at a location. Returns what went wrong; an empty list when nothing did.
    pub async fn run(self, location: &Location) -> Vec<Trouble> {
        let ends = self.selection.span.last().time().into_iter();
        let ends = ends.chain([Timestamp::now()]);
        let shared = Arc::new(Shared {
            lister: Lister {
                client: self.client.clone(),
                bucket: Arc::from(location.bucket.as_str()),
                pace: Arc::clone(&self.pace),
            },
            walk: self,
            guide: Guide {
                ends: ends.collect(),
                begins_anew: AtomicBool::new(false),
            },
            searched: AtomicUsize::new(0),
            search_cut: AtomicBool::new(false),
            layout_found: AtomicBool::new(false),
            anything_found: AtomicBool::new(false),
        });
        let mut troubles = Vec::new();
        let named = !location.key.is_empty() && !location.key.ends_with('/');
        if named && looks_like_log(last_part(&location.key)) {
            match shared.take_named(location).await {
                Ok(true) => return troubles,
                Ok(false) => {}
                Err(error) => {
                    troubles.push(Trouble::Store(error));
                    return troubles;
                }
            }
        }
        let slash = if named { "/" } else { "" };
        let folder = format!("{}{slash}", location.key);
        let first = match first_step(&folder, &shared.walk.selection) {
            Ok(Some(step)) => step,
            Ok(None) => return troubles,
            Err(problem) => {
                troubles.push(Trouble::Place(foreign(location, problem)));
                return troubles;
            }
        };
        let discovers = !matches!(first, Step::Files(_));
        let searches = matches!(first, Step::Search(_));
        shared.run_all(first, &mut troubles).await;
        if searches && !shared.layout_found.load(Ordering::Relaxed) && troubles.is_empty() {
            let loose = Step::Loose(Flat::of(folder, 0));
            shared.run_all(loose, &mut troubles).await;
        } else if shared.search_cut.load(Ordering::Relaxed) {
            troubles.push(Trouble::Place(too_wide(location)));
        }
        let nothing = !shared.anything_found.load(Ordering::Relaxed);
        if discovers && nothing && troubles.is_empty() {
            match shared.take_named(location).await {
                Ok(true) => {}
                Ok(false) => troubles.push(Trouble::Place(nothing_there(location))),
                Err(error) => troubles.push(Trouble::Store(error)),
            }
        }
        troubles
    }
}

impl Shared {
    /// Runs a step and all that follow from it.
    async fn run_all(self: &Arc<Self>, first: Step, troubles: &mut Vec<Trouble>) {
        let mut pending = vec![first];
        let mut running = JoinSet::new();
        loop {
            // More tasks than listings allowed would only wait, each with its strings.
            while running.len() < self.walk.pace.most() {
                let Some(step) = pending.pop() else { break };
                let shared = Arc::clone(self);
                running.spawn(async move { shared.run(step).await });
            }
            match running.join_next().await {
                None => return,
                Some(Ok(Ok(steps))) => pending.extend(steps),
                Some(Ok(Err(error))) => {
                    // Every other listing would fail the same way.
                    let hopeless = error.concerns_credentials()
                        || matches!(error.reason, Reason::NoSuchBucket | Reason::WrongRegion);
                    troubles.push(Trouble::Store(error));
                    if hopeless {
                        return;
                    }
                }
                Some(Err(_)) => troubles.push(Trouble::Place(stopped(&self.lister.bucket))),
            }
            if self.walk.keys.is_closed() {
                return;
            }
        }
    }

    async fn run(&self, step: Step) -> Result<Vec<Step>, Error> {
        match step {
            Step::Search(flat) => self.search(flat).await,
            Step::Accounts { folder } => {
                self.layout_found.store(true, Ordering::Relaxed);
                self.folders(&folder, |path, place| match place.level {
                    Level::Root => Some(Step::Accounts { folder: path }),
                    Level::Account => Some(Step::Regions {
                        folder: format!("{path}CloudTrail/"),
                    }),
                    _ => None,
                })
                .await
            }
            Step::Regions { folder } => {
                self.layout_found.store(true, Ordering::Relaxed);
                self.folders(&folder, |path, place| {
                    (place.level == Level::Region)
                        .then(|| Step::Files(Range::of(&path, &self.walk.selection.span)))
                })
                .await
            }
            Step::Files(range) => self.files(range).await,
            Step::Loose(flat) => self.loose(flat).await,
        }
    }

    async fn search(&self, flat: Flat) -> Result<Vec<Step>, Error> {
        if flat.is_first() && self.searched.fetch_add(1, Ordering::Relaxed) >= MOST_SEARCHED {
            self.search_cut.store(true, Ordering::Relaxed);
            return Ok(Vec::new());
        }
        let deeper = flat.depth + 1;
        let step = |path: String, place: Place| match place.level {
            Level::Root => Some(Step::Accounts { folder: path }),
            Level::Trail => Some(Step::Regions { folder: path }),
            Level::Outside if deeper <= MOST_DEPTH => Some(Step::Search(Flat::of(path, deeper))),
            _ => None,
        };
        let mut steps = Vec::new();
        let mut listing = flat.listing(true);
        loop {
            let mut page = self.list(&listing).await?;
            let rest = flat.go_on(&mut page, &mut listing, &self.guide);
            self.steps(page.folders, &step, &mut steps);
            if let Some(rest) = rest {
                steps.extend(rest.into_iter().map(Step::Search));
                return Ok(steps);
            }
        }
    }

    async fn files(&self, range: Range) -> Result<Vec<Step>, Error> {
        let mut run = Run::new(range);
        loop {
            let (objects, parts) = self.lister.next(&mut run, &self.walk.selection).await?;
            for object in objects {
                let wanted = self.admits_name(last_part(&object.key));
                if wanted && !self.send(object.key, object.size).await {
                    return Ok(Vec::new());
                }
            }
            if run.is_done() {
                return Ok(parts.into_iter().map(Step::Files).collect());
            }
        }
    }

    async fn loose(&self, flat: Flat) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::new();
        let mut listing = flat.listing(flat.depth < LOOSE_DEPTH);
        loop {
            let mut page = self.list(&listing).await?;
            let rest = flat.go_on(&mut page, &mut listing, &self.guide);
            for object in &page.objects {
                if !self.take(object).await {
                    return Ok(Vec::new());
                }
            }
            let folders = page.folders.into_iter();
            let admitted = folders.filter(|folder| self.admits_folder(folder));
            steps.extend(admitted.map(|folder| Step::Loose(Flat::of(folder, flat.depth + 1))));
            if let Some(rest) = rest {
                steps.extend(rest.into_iter().map(Step::Loose));
                return Ok(steps);
            }
        }
    }

    /// Lists the folders in a folder and makes steps of those that can hold what is selected.
    async fn folders(
        &self,
        folder: &str,
        step: impl Fn(String, Place) -> Option<Step>,
    ) -> Result<Vec<Step>, Error> {
        let mut steps = Vec::new();
        let mut listing = Listing {
            prefix: folder.to_owned(),
            folders: true,
            ..Listing::default()
        };
        loop {
            let page = self.list(&listing).await?;
            self.steps(page.folders, &step, &mut steps);
            match page.next {
                Some(token) => listing.token = Some(token),
                None => return Ok(steps),
            }
        }
    }

    /// Makes steps of those folders that can hold what is selected.
    fn steps(
        &self,
        folders: Vec<String>,
        step: &impl Fn(String, Place) -> Option<Step>,
        steps: &mut Vec<Step>,
    ) {
        for path in folders {
            let whole = path.clone();
            let place = Place::of(whole.split('/'));
            if self.walk.selection.admits_place(&place) {
                steps.extend(step(path, place));
            }
        }
    }

    async fn list(&self, listing: &Listing) -> Result<Page, Error> {
        let page = self.lister.page(listing).await?;
        if !(page.objects.is_empty() && page.folders.is_empty()) {
            self.found_something();
        }
        Ok(page)
    }

    fn found_something(&self) {
        self.anything_found.store(true, Ordering::Relaxed);
    }

    /// Sends an object on if it is one that is selected. False when nobody listens any more.
    async fn take(&self, object: &Found) -> bool {
        let (folder, name) = object.key.rsplit_once('/').unwrap_or(("", &object.key));
        let wanted = self.admits_name(name) && self.admits_folder(folder);
        !wanted || self.send(object.key.clone(), object.size).await
    }

    fn admits_name(&self, name: &str) -> bool {
        looks_like_log(name) && self.walk.selection.admits_name(name)
    }

    fn admits_folder(&self, folder: &str) -> bool {
        let place = Place::of(folder.split('/'));
        self.walk.selection.admits_place(&place)
    }

    /// Takes an object that the user named. False when there is none.
    async fn take_named(&self, location: &Location) -> Result<bool, Error> {
        if location.key.is_empty() || location.key.ends_with('/') {
            return Ok(false);
        }
        match self.walk.client.head(location).await {
            Ok(found) => {
                self.found_something();
                self.send(found.key, found.size).await;
                Ok(true)
            }
            Err(error) if error.reason == Reason::NoSuchKey => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn send(&self, key: String, size: u64) -> bool {
        let name = last_part(&key);
        if !self.walk.watches.iter().all(|watch| watch.wants(name)) {
            return true;
        }
        (self.walk.listed)(size);
        let bucket = Arc::clone(&self.lister.bucket);
        self.walk.keys.send(Key { bucket, key, size }).await.is_ok()
    }
}
