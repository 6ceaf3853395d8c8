//! The client: built once, lists, looks and fetches, follows a bucket to its region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::Region;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{
    RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::RequestPayer;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector, tls};
use jiff::Timestamp;

use super::chain::sdk_config;
use super::refusals::Refusals;
use super::{Error, Location, Operation, Reason};

/// Times the body of one object is asked for before giving up. The SDK retries requests, but
/// not a body that breaks off on its way.
const BODY_ATTEMPTS: u32 = 3;

/// What is asked for when neither environment nor profile names a region. Any region answers
/// with the bucket's own, which is then followed.
pub(super) const DEFAULT_REGION: &str = "us-east-1";

/// How to reach the store. Everything left out is taken from the AWS SDK's standard chain:
/// environment, profile, SSO, web identity, container, instance.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// URL of an S3-compatible store; none for `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, AWS.
    pub endpoint: Option<String>,
    /// Region to ask first.
    pub region: Option<String>,
    /// Named profile.
    pub profile: Option<String>,
    /// Access key id and secret key, instead of the chain.
    pub credentials: Option<(String, String)>,
    /// Whether the bucket stands in the path of the URL instead of in the host's name. None:
    /// `TFDRIFT_S3_PATH_STYLE`, else so for endpoints whose host can have no names below it.
    pub path_style: Option<bool>,
    /// Times a request is tried; none for 5.
    pub attempts: Option<u32>,
    /// Whether the caller consents to pay for requests, as requester-pays buckets ask.
    pub requester_pays: bool,
    /// ARN of a role to take on with the chain's credentials.
    pub assume_role: Option<String>,
}

/// A client of one store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    requester_pays: bool,
    refusals: Refusals,
    base: aws_sdk_s3::Client,
    elsewhere: Arc<Mutex<HashMap<String, aws_sdk_s3::Client>>>,
}

/// What to list, from where to where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Only keys that begin with this.
    pub prefix: String,
    /// Whether keys with a further `/` are folded into folders.
    pub folders: bool,
    /// Only keys behind this one.
    pub after: Option<String>,
    /// Where the page before ended.
    pub token: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Objects, in the order of their keys' bytes.
    pub objects: Vec<Found>,
    /// Folders, each a whole prefix that ends in `/`.
    pub folders: Vec<String>,
    /// What to put into [`Listing::token`] for the next page; none at the end.
    pub next: Option<String>,
}

/// What is known of an object without fetching it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The whole key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Option<Timestamp>,
}

/// A fetched object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// All of it.
    pub bytes: Vec<u8>,
    /// When it was written.
    pub modified: Option<Timestamp>,
    /// Version id, in a bucket that keeps versions.
    pub version: Option<String>,
    /// What tells this content from any other at the same key.
    pub etag: Option<String>,
    /// The user's metadata, without the `x-amz-meta-` of the headers.
    pub metadata: HashMap<String, String>,
}

/// What must hold for an object to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is none at that key.
    New,
    /// The one at that key is still the one with this [`Fetched::etag`].
    Replaces(String),
}

impl Client {
    /// Builds a client. Asks nothing of the store yet: credentials are looked for when the
    /// first request needs them. Must run inside a tokio runtime.
    pub async fn new(options: &Options) -> Self {
        let wanted = options
            .endpoint
            .clone()
            .or_else(|| environment("AWS_ENDPOINT_URL_S3"));
        let shared = sdk_config(options).await;
        let endpoint = wanted.or_else(|| shared.endpoint_url().map(str::to_owned));
        let path_style = options
            .path_style
            .or_else(|| environment("TFDRIFT_S3_PATH_STYLE").map(|value| is_yes(&value)))
            .unwrap_or_else(|| endpoint.as_deref().is_some_and(needs_path_style));
        let mut config = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(path_style)
            // Log files carry gzip's own checksum, and many compatible stores lack S3's.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let refusals = Refusals::default();
        config = config.interceptor(refusals.clone());
        if shared.region().is_none() {
            config = config.region(Region::new(DEFAULT_REGION));
        }
        Self {
            requester_pays: options.requester_pays,
            refusals,
            base: aws_sdk_s3::Client::from_conf(config.build()),
            elsewhere: Arc::default(),
        }
    }

    /// One page of the keys of a bucket.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub async fn list(&self, bucket: &str, listing: &Listing) -> Result<Page, Error> {
        let location = Location::new(bucket, &listing.prefix);
        let answer = self
            .following(Operation::List, &location, |client| {
                client
                    .list_objects_v2()
                    .bucket(bucket)
                    .set_prefix(Some(listing.prefix.clone()).filter(|prefix| !prefix.is_empty()))
                    .set_delimiter(listing.folders.then(|| "/".to_owned()))
                    .set_start_after(listing.after.clone())
                    .set_continuation_token(listing.token.clone())
                    .set_request_payer(self.request_payer())
                    .send()
            })
            .await?;
        let next = match answer.is_truncated() {
            Some(true) => answer.next_continuation_token,
            _ => None,
        };
        let objects = answer.contents.unwrap_or_default().into_iter();
        let folders = answer.common_prefixes.unwrap_or_default().into_iter();
        Ok(Page {
            objects: objects
                .filter_map(|object| {
                    Some(Found {
                        size: length(object.size),
                        modified: timestamp(object.last_modified.as_ref()),
                        key: object.key?,
                    })
                })
                .collect(),
            folders: folders.filter_map(|folder| folder.prefix).collect(),
            next,
        })
    }

    /// How often the store has said so far that it is asked too much, also where asking again
    /// helped.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals.count()
    }

    /// All keys that a listing yields, page after page. For short listings only: the answer is
    /// held whole.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub async fn list_all(&self, bucket: &str, mut listing: Listing) -> Result<Page, Error> {
        let mut all = Page::default();
        loop {
            let page = self.list(bucket, &listing).await?;
            all.objects.extend(page.objects);
            all.folders.extend(page.folders);
            match page.next {
                Some(token) => listing.token = Some(token),
                None => return Ok(all),
            }
        }
    }

    /// Fetches an object whole, or one version of it. A body that breaks off is asked for
    /// again, a few times.
    ///
    /// # Errors
    /// When the store refuses, cannot be reached, or the body keeps breaking off.
    pub async fn get(&self, location: &Location, version: Option<&str>) -> Result<Fetched, Error> {
        let operation = match version {
            Some(_) => Operation::GetVersion,
            None => Operation::Get,
        };
        let mut attempt = 1;
        loop {
            let answer = self
                .following(operation, location, |client| {
                    client
                        .get_object()
                        .bucket(&location.bucket)
                        .key(&location.key)
                        .set_version_id(version.map(str::to_owned))
                        .set_request_payer(self.request_payer())
                        .send()
                })
                .await?;
            let modified = timestamp(answer.last_modified.as_ref());
            match collect(answer.body, length(answer.content_length)).await {
                Ok(bytes) => {
                    return Ok(Fetched {
                        bytes,
                        modified,
                        version: answer.version_id,
                        etag: answer.e_tag,
                        metadata: answer.metadata.unwrap_or_default(),
                    });
                }
                Err(error) if attempt >= BODY_ATTEMPTS => {
                    return Err(Error::body(location.clone(), &error));
                }
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                    attempt += 1;
                }
            }
        }
    }

    /// Looks at an object without fetching it.
    ///
    /// # Errors
    /// When there is none, the store refuses or cannot be reached.
    pub async fn head(&self, location: &Location) -> Result<Found, Error> {
        let answer = self
            .following(Operation::Head, location, |client| {
                client
                    .head_object()
                    .bucket(&location.bucket)
                    .key(&location.key)
                    .set_request_payer(self.request_payer())
                    .send()
            })
            .await?;
        Ok(Found {
            key: location.key.clone(),
            size: length(answer.content_length),
            modified: timestamp(answer.last_modified.as_ref()),
        })
    }

    /// What is said to a bucket whose requests the caller pays.
    pub(super) fn request_payer(&self) -> Option<RequestPayer> {
        self.requester_pays.then_some(RequestPayer::Requester)
    }

    /// Writes an object, if nobody else did so meanwhile.
    ///
    /// # Errors
    /// When someone did, the store refuses or cannot be reached.
    pub async fn put(
        &self,
        location: &Location,
        bytes: Vec<u8>,
        condition: &Condition,
    ) -> Result<(), Error> {
        let (new, replaces) = match condition {
            Condition::New => (Some("*".to_owned()), None),
            Condition::Replaces(etag) => (None, Some(etag.clone())),
        };
        self.following(Operation::Put, location, |client| {
            client
                .put_object()
                .bucket(&location.bucket)
                .key(&location.key)
                .set_request_payer(self.request_payer())
                .set_if_none_match(new.clone())
                .set_if_match(replaces.clone())
                .body(ByteStream::from(bytes.clone()))
                .send()
        })
        .await
        .map(|_| ())
    }

    /// Sends a request, and once more to the bucket's own region when the store names another.
    pub(super) async fn following<T, E, F>(
        &self,
        operation: Operation,
        location: &Location,
        send: impl Fn(aws_sdk_s3::Client) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let client = self.client_for(&location.bucket);
        let asked = client.config().region().map(ToString::to_string);
        let error = match send(client).await {
            Ok(answer) => return Ok(answer),
            Err(error) => Error::of(operation, location.clone(), &error),
        };
        // A HEAD is refused without a body: 400 or 301, and the header alone tells the region.
        match &error.bucket_region {
            Some(region)
                if asked.as_ref() != Some(region)
                    && matches!(error.reason, Reason::WrongRegion | Reason::Other) =>
            {
                let client = self.move_to(&location.bucket, region);
                send(client)
                    .await
                    .map_err(|error| Error::of(operation, location.clone(), &error))
            }
            _ => Err(error),
        }
    }

    fn client_for(&self, bucket: &str) -> aws_sdk_s3::Client {
        let elsewhere = self
            .elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        elsewhere.get(bucket).unwrap_or(&self.base).clone()
    }

    fn move_to(&self, bucket: &str, region: &str) -> aws_sdk_s3::Client {
        let config = self
            .base
            .config()
            .to_builder()
            .region(Region::new(region.to_owned()));
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let mut elsewhere = self
            .elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        elsewhere.insert(bucket.to_owned(), client.clone());
        client
    }
}

/// An HTTP client that goes through the proxy of the environment, if there is one.
pub(super) fn http_client() -> SharedHttpClient {
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .tls_provider(provider.clone())
            .proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder.build()
    })
}

/// The body in one piece: memory is asked for once, for what the store announced, within reason.
async fn collect(
    mut body: ByteStream,
    announced: u64,
) -> Result<Vec<u8>, aws_sdk_s3::primitives::ByteStreamError> {
    const MOST_AT_ONCE: u64 = 64 << 20;
    let capacity = usize::try_from(announced.min(MOST_AT_ONCE)).unwrap_or_default();
    let mut bytes = Vec::with_capacity(capacity);
    while let Some(chunk) = body.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn is_yes(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on"
    )
}

/// Whether the host of an endpoint can have no names below it: an address, `localhost`, or a
/// name of one label as containers have.
fn needs_path_style(endpoint: &str) -> bool {
    let rest = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.starts_with('[') {
        return true;
    }
    let host = authority.split(':').next().unwrap_or_default();
    !host.contains('.') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

pub(super) fn length(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok())
        .unwrap_or_default()
}

pub(super) fn timestamp(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_without_names_below_them_need_path_style() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:9000", true),
            ("http://localhost:4566/", true),
            ("http://minio:9000", true),
            ("http://[::1]:9000", true),
            ("https://s3.eu-central-003.backblazeb2.com", false),
            ("https://s3.localhost.localstack.cloud:4566", false),
        ] {
            assert_eq!(needs_path_style(endpoint), expected, "{endpoint}");
        }
    }
}
