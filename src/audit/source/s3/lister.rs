//! Asks a store for pages of keys at the pace that it bears.

use std::sync::Arc;
use std::time::Duration;

use super::pace::Pace;
use super::range::{DatedFolder, Range};
use crate::audit::cloudtrail::layout::Selection;
use crate::s3::{Client, Error, Found, Listing, Page, Reason};

/// Times a page is asked for when the store says to slow down, each time with all the patience of
/// the client.
const ATTEMPTS: u32 = 5;

/// The pause before the second time; before the third it is twice as long, and so on.
const PAUSE: Duration = Duration::from_millis(100);

/// Lists one bucket.
#[derive(Clone)]
pub struct Lister {
    /// The store.
    pub client: Client,
    /// The bucket.
    pub bucket: Arc<str>,
    /// How many listings may run at once, over all that share it.
    pub pace: Arc<Pace>,
}

impl Lister {
    /// One page. A store that is asked too much is asked again, more slowly.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub async fn page(&self, listing: &Listing) -> Result<Page, Error> {
        let mut attempt = 1;
        loop {
            let pass = self.pace.enter().await;
            let refusals = self.client.refusals();
            let answer = self.client.list(&self.bucket, listing).await;
            let slow = self.client.refusals() > refusals;
            match answer {
                Ok(page) => {
                    pass.done(page.objects.len() + page.folders.len(), slow);
                    return Ok(page);
                }
                Err(error) if error.reason == Reason::Throttled && attempt < ATTEMPTS => {
                    pass.done(0, true);
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The next page of a stretch of time: what lies in folders of its days. When the run is done,
    /// also the parts that are left of it, to be listed side by side.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub async fn next(
        &self,
        run: &mut Run,
        selection: &Selection,
    ) -> Result<(Vec<Found>, Vec<Range>), Error> {
        let page = self.page(&run.listing).await?;
        let range = &run.range;
        let mut parts = match page.next {
            Some(_) if run.is_first => range.split(&page.objects),
            _ => Vec::new(),
        };
        run.is_first = false;
        run.listing.token = page.next;
        let mut folder = DatedFolder::default();
        let mut objects = page.objects;
        objects.retain(|object| {
            if object.key >= range.before {
                run.listing.token = None;
                return false;
            }
            if !range.holds(&object.key) {
                // A store that does not begin where it is told to: in parts, it would begin anew
                // with each.
                parts.clear();
                return false;
            }
            let (path, name) = object.key.rsplit_once('/').unwrap_or(("", &object.key));
            // Many follow each other in one folder.
            if folder.path != path {
                folder = DatedFolder::of(path, selection);
            }
            if folder.is_past(name, selection) {
                run.listing.token = None;
            }
            folder.admitted
        });
        if run.listing.token.take_if(|_| !parts.is_empty()).is_none() {
            parts.clear();
        }
        Ok((objects, parts))
    }
}

/// A stretch of time that is listed page after page, unless it is a long one.
pub struct Run {
    range: Range,
    listing: Listing,
    is_first: bool,
}

impl Run {
    /// Begins at its beginning.
    #[must_use]
    pub fn new(range: Range) -> Self {
        Self {
            listing: Listing {
                prefix: range.folder.clone(),
                after: range.after.clone(),
                ..Listing::default()
            },
            range,
            is_first: true,
        }
    }

    /// Whether there is no page left to be listed after the first.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.is_first && self.listing.token.is_none()
    }
}
