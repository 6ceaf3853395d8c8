//! Log files that a queue names as they are delivered.
//!
//! A message is taken, which hides it from others for a while; the objects that it names are read
//! like those of a listing; and only when the reports are written is it deleted. What could not be
//! read, or was not understood, stays in the queue for the next one who looks.

mod held;
mod notice;
mod request;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;

use super::s3::Key;
use crate::audit::cloudtrail::layout::Selection;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch;
use crate::s3;
use held::Held;
use notice::{Object, is_log, name_of};
use request::{BATCH, delete, hide, remedy, said, seconds};

/// Receivers that ask side by side. Each gets ten messages at a time at most.
const RECEIVERS: usize = 4;

/// How long the queue may look for messages before it says that there is none. Only a queue that
/// looks everywhere is known to be empty (SQS Developer Guide, *Short and long polling*).
const WAIT: i32 = 3;

/// A receiver ends when it was told so many times in a row that there is nothing.
const EMPTY: u32 = 2;

/// Messages held at once. The queue itself hides 120,000 at most; what is more waits for the next
/// scan.
const MOST: usize = 100_000;

/// What an object is taken to be long of whose message does not say.
const USUAL: u64 = 1 << 20;

/// How long giving back messages may take at the end of a scan that failed.
const GIVING_BACK: Duration = Duration::from_secs(10);

/// Problems with messages that are told one by one.
const TOLD: usize = 10;

/// How long messages are hidden, and how often that is renewed while a scan runs.
#[derive(Debug, Clone, Copy)]
pub struct Hiding {
    /// How long, each time.
    pub lasts: Duration,
    /// How often.
    pub renewed: Duration,
}

impl Default for Hiding {
    fn default() -> Self {
        Self {
            lasts: Duration::from_mins(15),
            renewed: Duration::from_mins(4),
        }
    }
}

/// A queue that is drained by one scan.
pub struct Queue {
    url: String,
    options: s3::Options,
    hiding: Hiding,
    runtime: Option<Runtime>,
    client: OnceCell<aws_sdk_sqs::Client>,
    held: Arc<Mutex<Held>>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({})", self.url)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // It may end inside another runtime, which must not wait for this one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Queues that get their messages back when this goes, unless they were settled by then.
pub struct Borrowed(pub Vec<Arc<Queue>>);

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.0.iter().for_each(|queue| queue.give_back());
    }
}

/// Which of the log files that a queue names are read.
#[derive(Clone)]
pub struct Wanted {
    /// Accounts and regions.
    pub selection: Arc<Selection>,
    /// The end of the window. What is delivered later is left to a later scan.
    pub until: Timestamp,
    /// Who decides beside that.
    pub watches: Vec<Arc<dyn Watch>>,
}

/// What draining yields.
#[derive(Debug)]
pub enum Found {
    /// An object to read.
    Object(Key),
    /// Something that could not be read or understood.
    Problem(Problem),
    /// The queue cannot be asked at all.
    Refused(Problem),
}

/// Why messages could not be deleted.
#[derive(Debug, thiserror::Error)]
#[error(
    "sqs:{url}: {count} messages that were read could not be deleted ({said}) and will be read \
     again; allow sqs:DeleteMessage on the queue"
)]
pub struct NotDeleted {
    url: String,
    count: usize,
    said: String,
}

impl Queue {
    /// A queue by its URL. Asks nothing yet.
    ///
    /// # Errors
    /// When the system gives no threads to ask with.
    pub fn new(url: &str, options: &s3::Options, hiding: Hiding) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("queue")
            .enable_all()
            .build()?;
        Ok(Self {
            url: url.to_owned(),
            options: options.clone(),
            hiding,
            runtime: Some(runtime),
            client: OnceCell::new(),
            held: Arc::default(),
        })
    }

    /// The URL that it was made of.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes all messages there are and sends on the objects that they name. Ends early when nobody
    /// listens. The messages stay hidden until [`Self::settle`].
    pub fn drain(self: Arc<Self>, wanted: Wanted, out: mpsc::Sender<Found>) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        runtime.spawn(Arc::clone(&self).renew());
        for _ in 0..RECEIVERS {
            runtime.spawn(Arc::clone(&self).receive(wanted.clone(), out.clone()));
        }
    }

    /// Deletes the messages that are done with and shows the others to everyone again. To be called
    /// when all that was made of them is written. Returns how many were deleted, and how many stay.
    ///
    /// # Errors
    /// When the queue does not delete them.
    pub fn settle(&self) -> Result<(usize, usize), NotDeleted> {
        let (done, stay) = self.lock().settle();
        let Some(runtime) = &self.runtime else {
            return Ok((0, stay.len()));
        };
        if done.is_empty() && stay.is_empty() {
            return Ok((0, 0));
        }
        runtime.block_on(async {
            let client = self.client().await;
            hide(client, &self.url, &stay, Duration::ZERO).await;
            let mut batches = JoinSet::new();
            let mut refused = Vec::new();
            for batch in done.chunks(BATCH) {
                while batches.len() >= RECEIVERS {
                    refused.extend(batches.join_next().await.and_then(Result::ok).flatten());
                }
                let (client, url) = (client.clone(), self.url.clone());
                batches.spawn(delete(client, url, batch.to_vec()));
            }
            for batch in batches.join_all().await {
                refused.extend(batch);
            }
            let count = refused.iter().map(|(count, _)| count).sum();
            match refused.into_iter().next() {
                None => Ok((done.len(), stay.len())),
                Some((_, said)) => Err(NotDeleted {
                    url: self.url.clone(),
                    count,
                    said,
                }),
            }
        })
    }

    /// Shows all messages that are not settled to everyone again, as if they had not been taken. They
    /// come back by themselves, only later, where that cannot be done, or not soon.
    pub fn give_back(&self) {
        let (mut all, stay) = self.lock().settle();
        all.extend(stay);
        if let Some(runtime) = self.runtime.as_ref().filter(|_| !all.is_empty()) {
            runtime.block_on(async {
                let shown = async {
                    let client = self.client().await;
                    hide(client, &self.url, &all, Duration::ZERO).await;
                };
                let _ = tokio::time::timeout(GIVING_BACK, shown).await;
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn client(&self) -> &aws_sdk_sqs::Client {
        let made = self
            .client
            .get_or_init(|| request::client(&self.url, &self.options));
        made.await
    }

    /// Receives until there is nothing more.
    async fn receive(self: Arc<Self>, wanted: Wanted, out: mpsc::Sender<Found>) {
        let client = self.client().await;
        let mut empty = 0;
        let mut told = 0;
        while empty < EMPTY && self.lock().len() < MOST {
            let answer = client
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(10)
                .wait_time_seconds(WAIT)
                .visibility_timeout(seconds(self.hiding.lasts))
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .send()
                .await;
            let messages = match answer {
                Ok(answer) => answer.messages.unwrap_or_default(),
                Err(error) if error.code() == Some("OverLimit") => return,
                Err(error) => {
                    let _ = out.send(self.refused(&error)).await;
                    return;
                }
            };
            let mut any = false;
            for message in messages {
                let Some((found, taken)) = self.message(&message, &wanted) else {
                    continue;
                };
                any |= taken;
                for found in found {
                    if matches!(found, Found::Problem(_)) {
                        told += 1;
                        if told > TOLD {
                            continue;
                        }
                    }
                    if out.send(found).await.is_err() {
                        return;
                    }
                }
            }
            // A queue that only holds what is delivered meanwhile would be waited for without end.
            empty = if any { 0 } else { empty + 1 };
        }
        if let Some(more) = told.checked_sub(TOLD).filter(|more| *more > 0) {
            let more = format!("{more} more messages that are no notifications");
            let _ = out.send(Found::Problem(self.problem("", more))).await;
        }
    }

    /// What a message yields, and whether it was one for this scan. None where it lacks what
    /// every message has.
    fn message(&self, message: &Message, wanted: &Wanted) -> Option<(Vec<Found>, bool)> {
        let (id, receipt) = (message.message_id()?, message.receipt_handle()?.to_owned());
        if sent(message).is_some_and(|sent| sent >= wanted.until) {
            self.lock().leave(id, receipt);
            return Some((Vec::new(), false));
        }
        let objects = match notice::objects(message.body().unwrap_or_default()) {
            Ok(objects) => objects,
            Err(what) => {
                self.lock().leave(id, receipt);
                let problem = self.problem(
                    &format!(" message {id}"),
                    format!("{what}; it stays in the queue"),
                );
                return Some((vec![Found::Problem(problem)], true));
            }
        };
        let mut objects: Vec<Object> = objects.into_iter().filter(is_log).collect();
        let selected = |object: &Object| wanted.selection.admits_owner(name_of(object));
        if !objects.iter().all(selected) {
            // Whoever looks at those accounts and regions is to find it.
            self.lock().leave(id, receipt);
            return Some((Vec::new(), false));
        }
        let names = objects.iter().map(|object| object.location.to_string());
        let fresh = self.lock().take(id, receipt, names);
        objects.retain(|object| fresh.contains(&object.location.to_string()));
        let mut found = Vec::new();
        for object in objects {
            let name = name_of(&object);
            if !wanted.watches.iter().all(|watch| watch.wants(name)) {
                self.lock().done(&object.location.to_string());
                continue;
            }
            found.push(Found::Object(Key {
                bucket: Arc::from(object.location.bucket.as_str()),
                size: object.size.unwrap_or(USUAL),
                key: object.location.key,
            }));
        }
        Some((found, true))
    }

    /// Keeps messages hidden for as long as the queue lives.
    async fn renew(self: Arc<Self>) {
        let weak = Arc::downgrade(&self);
        let every = self.hiding.renewed;
        drop(self);
        loop {
            tokio::time::sleep(every).await;
            let Some(queue) = weak.upgrade() else { return };
            let all = queue.lock().all();
            let client = queue.client().await;
            hide(client, &queue.url, &all, queue.hiding.lasts).await;
        }
    }

    fn refused(&self, error: &SdkError<ReceiveMessageError>) -> Found {
        let (said, remedy) = (said(error), remedy(error));
        Found::Refused(Problem {
            remedy: Some(remedy.to_owned()),
            ..self.problem("", format!("the queue cannot be read ({said})"))
        })
    }

    fn problem(&self, place: &str, problem: String) -> Problem {
        Problem {
            location: format!("sqs:{}{place}", self.url),
            place: None,
            problem,
            remedy: Some(
                "look at it and delete it, or give the queue a dead-letter queue".to_owned(),
            ),
        }
    }
}

impl Watch for Queue {
    fn read(&self, location: &str, _: &[u8], sound: bool) {
        if sound {
            self.lock().done(location);
        }
    }
}

/// When a message was put into the queue, by the queue's clock.
fn sent(message: &Message) -> Option<Timestamp> {
    let attributes = message.attributes()?;
    let text = attributes.get(&MessageSystemAttributeName::SentTimestamp)?;
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}
