//! What is asked of a queue, and what its refusals mean.

use std::time::Duration;

use aws_config::Region;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageError;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
};

use tokio::task::JoinSet;

use super::held::Receipt;
use crate::s3;

/// Messages deleted or kept hidden with one request, as many as the queue takes.
pub(super) const BATCH: usize = 10;

/// Requests at once that hide messages.
const AT_ONCE: usize = 16;

/// A client for the queue of a URL.
pub(super) async fn client(url: &str, options: &s3::Options) -> Client {
    let shared = s3::sdk_config(options).await;
    let mut config = aws_sdk_sqs::config::Builder::from(&shared);
    if let Some(region) = region_of(url) {
        config = config.region(Region::new(region.to_owned()));
    } else if shared.region().is_none() {
        config = config.region(Region::from_static("us-east-1"));
    }
    // The URL says where the queue is; only a test's or a stand-in's address overrules it.
    let overruled = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(origin) = origin_of(url).filter(|_| !overruled) {
        config = config.endpoint_url(origin);
    }
    Client::from_conf(config.build())
}

/// Hides messages for a time from now. One that cannot be is read twice, and counts once.
pub(super) async fn hide(client: &Client, url: &str, messages: &[Receipt], time: Duration) {
    let mut batches = JoinSet::new();
    for batch in messages.chunks(BATCH) {
        while batches.len() >= AT_ONCE {
            // Whoever may not do it once may not do it any more.
            if !matches!(batches.join_next().await, Some(Ok(true))) {
                return;
            }
        }
        let (client, url) = (client.clone(), url.to_owned());
        batches.spawn(hide_batch(client, url, batch.to_vec(), time));
    }
    batches.join_all().await;
}

/// Returns false when the queue does not let us.
async fn hide_batch(client: Client, url: String, batch: Vec<Receipt>, time: Duration) -> bool {
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
    let answer = client
        .change_message_visibility_batch()
        .queue_url(url)
        .set_entries(Some(entries.collect()))
        .send()
        .await;
    let denied = |code: &str| code.starts_with("AccessDenied");
    !answer.is_err_and(|error| error.code().is_some_and(denied))
}

/// Deletes some messages. Returns how many were not, and what was said.
pub(super) async fn delete(
    client: Client,
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
pub(super) fn said<E>(error: &SdkError<E>) -> String
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

/// A time as the queue takes it.
pub(super) fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

/// What can be done about a queue that cannot be read.
pub(super) fn remedy(error: &SdkError<ReceiveMessageError>) -> &'static str {
    let code = error.code().unwrap_or_default();
    match code {
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
        _ if said(error).contains("credentials") => {
            "set AWS_PROFILE, or run `aws sso login`, or give the job a role"
        }
        _ => "try again; the service's answer above says more",
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
}
