//! Log files that a queue names as they are delivered.
//!
//! A message is taken, which hides it from others for a while; the objects that it names are read
//! like those of a listing; and only when the reports are written is it deleted. What could not be
//! read, or was not understood, stays in the queue for the next one who looks.

mod held;
mod notice;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::Region;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName,
};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;

use super::s3::Key;
use crate::audit::cloudtrail::layout::{Level, Name, Place, Selection, looks_like_log};
use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch;
use crate::s3;
use held::{Held, Receipt};
use notice::Object;

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

/// Messages deleted or kept hidden with one request, as many as the queue takes.
const BATCH: usize = 10;

/// What an object is taken to be long of whose message does not say.
const USUAL: u64 = 1 << 20;

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
            self.hide(client, &stay, Duration::ZERO).await;
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

    /// Shows all messages to everyone again, as if they had not been taken.
    pub fn give_back(&self) {
        let (done, stay) = self.lock().settle();
        if let Some(runtime) = &self.runtime {
            runtime.block_on(async {
                let client = self.client().await;
                for messages in [&done, &stay] {
                    self.hide(client, messages, Duration::ZERO).await;
                }
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn client(&self) -> &aws_sdk_sqs::Client {
        let made = self.client.get_or_init(|| async {
            let shared = s3::sdk_config(&self.options).await;
            let mut config = aws_sdk_sqs::config::Builder::from(&shared);
            if let Some(region) = region_of(&self.url) {
                config = config.region(Region::new(region.to_owned()));
            } else if shared.region().is_none() {
                config = config.region(Region::from_static("us-east-1"));
            }
            // The URL says where the queue is; only a test's or a stand-in's address overrules it.
            let overruled = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"]
                .iter()
                .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
            if let Some(origin) = origin_of(&self.url).filter(|_| !overruled) {
                config = config.endpoint_url(origin);
            }
            aws_sdk_sqs::Client::from_conf(config.build())
        });
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
            queue.hide(client, &all, queue.hiding.lasts).await;
        }
    }

    /// Hides messages for a time from now. One that cannot be is read twice, and counts once.
    async fn hide(&self, client: &aws_sdk_sqs::Client, messages: &[Receipt], time: Duration) {
        for batch in messages.chunks(BATCH) {
            let entries = batch
                .iter()
                .enumerate()
                .filter_map(|(number, (_, receipt))| {
                    ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(number.to_string())
                        .receipt_handle(receipt)
                        .visibility_timeout(seconds(time))
                        .build()
                        .ok()
                });
            let _ = client
                .change_message_visibility_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.collect()))
                .send()
                .await;
        }
    }

    fn refused(&self, error: &SdkError<ReceiveMessageError>) -> Found {
        let code = error.code().unwrap_or_default();
        let said = said(error);
        let remedy = match code {
            "AccessDenied" | "AccessDeniedException" => {
                "allow sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage on \
                 the queue"
            }
            "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => {
                "check the URL: `aws sqs get-queue-url --queue-name NAME` prints it"
            }
            code if code.starts_with("KMS") || code.starts_with("Kms") => {
                "allow kms:Decrypt on the queue's key"
            }
            code if code.starts_with("Expired") => "sign in again",
            "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSecurity" => {
                "check the credentials (AWS_PROFILE)"
            }
            _ if said.contains("credentials") => {
                "set AWS_PROFILE, or run `aws sso login`, or give the job a role"
            }
            _ => "try again; the service's answer above says more",
        };
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

/// Deletes some messages. Returns how many were not, and what was said.
async fn delete(
    client: aws_sdk_sqs::Client,
    url: String,
    batch: Vec<Receipt>,
) -> Option<(usize, String)> {
    let entries = batch
        .iter()
        .enumerate()
        .filter_map(|(number, (_, receipt))| {
            DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(receipt)
                .build()
                .ok()
        });
    let answer = client
        .delete_message_batch()
        .queue_url(url)
        .set_entries(Some(entries.collect()))
        .send()
        .await;
    match answer {
        Ok(answer) => {
            let first = answer.failed.first()?;
            let said = first.message().unwrap_or(first.code());
            Some((answer.failed.len(), plain(said)))
        }
        Err(error) => Some((batch.len(), said(&error))),
    }
}

/// What a service says of an error, fit to be shown.
fn said<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => plain(&format!("{code}: {message}")),
        _ => plain(&DisplayErrorContext(error).to_string()),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// When a message was put into the queue, by the queue's clock.
fn sent(message: &Message) -> Option<Timestamp> {
    let attributes = message.attributes()?;
    let text = attributes.get(&MessageSystemAttributeName::SentTimestamp)?;
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}

/// The name of an object without its folders.
fn name_of(object: &Object) -> &str {
    let key = object.location.key.as_str();
    key.rsplit('/').next().unwrap_or(key)
}

/// Whether an object can be a log file. Buckets tell of all that comes into them.
fn is_log(object: &Object) -> bool {
    let (folder, name) = object
        .location
        .key
        .rsplit_once('/')
        .unwrap_or(("", &object.location.key));
    match Name::of(name) {
        Name::Log { .. } => true,
        Name::Sibling => false,
        Name::Other => looks_like_log(name) && Place::of(folder.split('/')).level != Level::Foreign,
    }
}

/// Scheme and host of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    url.get(..scheme.len() + 3 + host.len())
}

/// The region in a queue's host name: `sqs.REGION.amazonaws.com`, `REGION.queue.amazonaws.com`,
/// `VPCE.sqs.REGION.vpce.amazonaws.com` (AWS General Reference, *Amazon SQS endpoints*).
fn region_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', ':']).next()?;
    let labels: Vec<&str> = host.split('.').collect();
    let named = |region: &&&str| region.contains('-');
    let behind = |word: &str| {
        let at = labels.iter().position(|label| *label == word)?;
        labels.get(at + 1).filter(named).copied()
    };
    let before = || {
        let at = labels.iter().position(|label| *label == "queue")?;
        labels.get(at.checked_sub(1)?).filter(named).copied()
    };
    behind("sqs").or_else(|| behind("sqs-fips")).or_else(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_tells_region_and_origin() {
        for (url, region, origin) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/1/q",
                Some("eu-west-1"),
                "https://sqs.eu-west-1.amazonaws.com",
            ),
            (
                "https://eu-west-1.queue.amazonaws.com/1/q",
                Some("eu-west-1"),
                "https://eu-west-1.queue.amazonaws.com",
            ),
            (
                "https://vpce-1.sqs.us-east-1.vpce.amazonaws.com/1/q",
                Some("us-east-1"),
                "https://vpce-1.sqs.us-east-1.vpce.amazonaws.com",
            ),
            (
                "https://queue.amazonaws.com/1/q",
                None,
                "https://queue.amazonaws.com",
            ),
            ("http://127.0.0.1:9324/1/q", None, "http://127.0.0.1:9324"),
        ] {
            assert_eq!(
                (region_of(url), origin_of(url)),
                (region, Some(origin)),
                "{url}"
            );
        }
    }

    #[test]
    fn only_log_files_are_read() {
        let day = "p/AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15";
        let digests = "AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15";
        let config = "AWSLogs/111111111111/Config/eu-west-1/2026/1/15/ConfigHistory";
        for (key, expected) in [
            (
                format!("{day}/111111111111_CloudTrail_eu-west-1_20260115T1035Z_x.json.gz"),
                true,
            ),
            (
                format!("{digests}/111111111111_CloudTrail-Digest_eu-west-1_t_x.json.gz"),
                false,
            ),
            (format!("{config}/111111111111_Config_x.json.gz"), false),
            ("copies/events.jsonl".to_owned(), true),
            ("events.json".to_owned(), true),
            ("states/prod.tfstate".to_owned(), false),
            ("notes.txt".to_owned(), false),
        ] {
            let object = Object {
                location: s3::Location::new("logs", &key),
                size: None,
            };
            assert_eq!(is_log(&object), expected, "{key}");
        }
    }
}
