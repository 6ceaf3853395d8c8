//! An S3-compatible store in the test's own process, which remembers what it was asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::dto::{
    DeleteMarkerEntry, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output,
    ObjectVersion, PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp, TimestampFormat,
};
use s3s::region::Region;
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tfdrift::s3::Options;

/// Key id and secret that the store knows.
pub const CREDENTIALS: (&str, &str) = ("AKIAEXAMPLE", "secret");

/// A running store. Ends with the value.
pub struct Store {
    root: TempDir,
    address: std::net::SocketAddr,
    asked: Arc<Mutex<Asked>>,
    versions: Arc<Mutex<Vec<Kept>>>,
    metadata: Metadata,
    _runtime: tokio::runtime::Runtime,
}

/// What a store was asked.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// Prefixes listed, one for each page.
    pub lists: Vec<String>,
    /// Keys fetched.
    pub gets: Vec<String>,
    /// Keys looked at.
    pub heads: Vec<String>,
}

/// A version that was put: key, id, when, and what; nothing for a deletion.
type Kept = (String, String, String, Option<Vec<u8>>);
/// The user's metadata of objects, by key.
type Metadata = Arc<Mutex<HashMap<String, HashMap<String, String>>>>;

struct Watched {
    versions: Arc<Mutex<Vec<Kept>>>,
    files: FileSystem,
    asked: Arc<Mutex<Asked>>,
    metadata: Metadata,
    listing: Manner,
    running: AtomicUsize,
}

/// How a store lists.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Entries on a page.
    pub page: i32,
    /// Listings that it bears at once. To one more it says that it is to slow down.
    pub most: usize,
    /// Whether it begins where it is told to.
    pub begins_behind: bool,
    /// What it never answers about: keys and prefixes that hold this, unless it is empty.
    pub stuck_on: &'static str,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            page: 1_000,
            most: usize::MAX,
            begins_behind: true,
            stuck_on: "",
        }
    }
}

impl Manner {
    async fn answer(self, asked: &str) {
        if !self.stuck_on.is_empty() && asked.contains(self.stuck_on) {
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait::async_trait]
impl S3 for Watched {
    async fn list_objects_v2(
        &self,
        mut request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let prefix = request.input.prefix.clone().unwrap_or_default();
        self.asked.lock().unwrap().lists.push(prefix.clone());
        self.listing.answer(&prefix).await;
        refuse(&prefix)?;
        redirect(&request.input.bucket, request.region.as_ref())?;
        request.input.max_keys = Some(self.listing.page);
        if !self.listing.begins_behind {
            request.input.start_after = None;
        }
        if self.listing.most == usize::MAX {
            return self.files.list_objects_v2(request).await;
        }
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        // Long enough for others to come meanwhile.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let answer = if running < self.listing.most {
            self.files.list_objects_v2(request).await
        } else {
            Err(s3_error!(SlowDown, "Please reduce your request rate."))
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.asked
            .lock()
            .unwrap()
            .gets
            .push(request.input.key.clone());
        self.listing.answer(&request.input.key).await;
        refuse(&request.input.key)?;
        unpaid(&request.input.key, request.input.request_payer.as_ref())?;
        let Some(wanted) = &request.input.version_id else {
            let metadata = self
                .metadata
                .lock()
                .unwrap()
                .get(&request.input.key)
                .cloned();
            let mut response = self.files.get_object(request).await?;
            response.output.metadata = metadata;
            return Ok(response);
        };
        let versions = self.versions.lock().unwrap();
        let found = versions
            .iter()
            .find(|(key, id, ..)| *key == request.input.key && id == wanted);
        let Some((.., time, Some(bytes))) = found else {
            return Err(s3_error!(NoSuchVersion));
        };
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(i64::try_from(bytes.len()).unwrap()),
            body: Some(StreamingBlob::from(s3s::Body::from(bytes.clone()))),
            last_modified: Some(timestamp(time)),
            version_id: Some(wanted.clone()),
            ..GetObjectOutput::default()
        }))
    }

    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let prefix = request.input.prefix.unwrap_or_default();
        refuse(&prefix)?;
        let versions = self.versions.lock().unwrap();
        let mut own: Vec<&Kept> = versions
            .iter()
            .filter(|(key, ..)| key.starts_with(&prefix))
            .collect();
        own.sort_by(|one, other| (&one.0, &other.2).cmp(&(&other.0, &one.2)));
        let begin = request
            .input
            .version_id_marker
            .and_then(|marker| own.iter().position(|(_, id, ..)| *id == marker))
            .map_or(0, |at| at + 1);
        let page = usize::try_from(self.listing.page).unwrap();
        let shown = own.get(begin..own.len().min(begin + page)).unwrap();
        let last = shown.last().map(|(key, id, ..)| (key.clone(), id.clone()));
        let more = begin + shown.len() < own.len();
        let mut output = ListObjectVersionsOutput {
            is_truncated: Some(more),
            ..ListObjectVersionsOutput::default()
        };
        if let Some((key, id)) = last.filter(|_| more) {
            output.next_key_marker = Some(key);
            output.next_version_id_marker = Some(id);
        }
        let (mut objects, mut marks) = (Vec::new(), Vec::new());
        for (key, id, time, bytes) in shown {
            if bytes.is_some() {
                objects.push(ObjectVersion {
                    key: Some(key.clone()),
                    version_id: Some(id.clone()),
                    last_modified: Some(timestamp(time)),
                    ..ObjectVersion::default()
                });
            } else {
                marks.push(DeleteMarkerEntry {
                    key: Some(key.clone()),
                    version_id: Some(id.clone()),
                    last_modified: Some(timestamp(time)),
                    ..DeleteMarkerEntry::default()
                });
            }
        }
        output.versions = Some(objects);
        output.delete_markers = Some(marks);
        Ok(S3Response::new(output))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        refuse(&request.input.key)?;
        self.files.put_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.asked
            .lock()
            .unwrap()
            .heads
            .push(request.input.key.clone());
        refuse(&request.input.key)?;
        unpaid(&request.input.key, request.input.request_payer.as_ref())?;
        self.files.head_object(request).await
    }
}

fn timestamp(text: &str) -> Timestamp {
    Timestamp::parse(TimestampFormat::DateTime, text).unwrap()
}

/// Keys that say so are for those who agree to pay.
fn unpaid(key: &str, payer: Option<&s3s::dto::RequestPayer>) -> S3Result<()> {
    let agrees = payer.is_some_and(|payer| payer.as_str() == "requester");
    if key.contains("requester") && !agrees {
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    Ok(())
}

/// Keys that say so are denied, whoever asks.
fn refuse(key: &str) -> S3Result<()> {
    if key.contains("encrypted") {
        Err(s3_error!(
            AccessDenied,
            "not authorized to perform: kms:Decrypt"
        ))
    } else if key.contains("denied") {
        Err(s3_error!(AccessDenied, "Access Denied"))
    } else {
        Ok(())
    }
}

/// The bucket `elsewhere` lies in another region than one first asks.
fn redirect(bucket: &str, asked: Option<&Region>) -> S3Result<()> {
    if bucket != "elsewhere" || asked.is_some_and(|region| region.as_str() == "eu-west-1") {
        return Ok(());
    }
    let mut error = s3_error!(AuthorizationHeaderMalformed, "the region is wrong");
    let mut headers = hyper::HeaderMap::new();
    headers.insert("x-amz-bucket-region", "eu-west-1".parse().unwrap());
    error.set_headers(headers);
    Err(error)
}

impl Store {
    /// A store with the buckets `logs` and, in another region, `elsewhere`.
    pub fn start() -> Self {
        Self::that_lists(Manner::default())
    }

    /// A store whose listings come in pages of so many entries.
    pub fn with_pages_of(page: i32) -> Self {
        Self::that_lists(Manner {
            page,
            ..Manner::default()
        })
    }

    /// A store that lists in its own way.
    pub fn that_lists(listing: Manner) -> Self {
        let root = tempfile::tempdir().unwrap();
        for bucket in ["logs", "elsewhere"] {
            std::fs::create_dir(root.path().join(bucket)).unwrap();
        }
        let asked = Arc::new(Mutex::new(Asked::default()));
        let versions = Arc::new(Mutex::new(Vec::new()));
        let metadata = Metadata::default();
        let watched = Watched {
            versions: Arc::clone(&versions),
            files: FileSystem::new(root.path()).unwrap(),
            asked: Arc::clone(&asked),
            metadata: Arc::clone(&metadata),
            listing,
            running: AtomicUsize::new(0),
        };
        let mut builder = S3ServiceBuilder::new(watched);
        builder.set_auth(SimpleAuth::from_single(CREDENTIALS.0, CREDENTIALS.1));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                let service = service.clone();
                let answer = hyper::service::service_fn(move |request| {
                    let service = service.clone();
                    async move {
                        Ok::<_, Infallible>(
                            hyper::service::Service::call(&service, request)
                                .await
                                .unwrap(),
                        )
                    }
                });
                tokio::spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ = connection
                        .serve_connection(TokioIo::new(socket), answer)
                        .await;
                });
            }
        });
        Self {
            root,
            address,
            asked,
            versions,
            metadata,
            _runtime: runtime,
        }
    }

    /// How to reach it.
    pub fn options(&self) -> Options {
        Options {
            endpoint: Some(self.endpoint()),
            region: Some("us-east-1".to_owned()),
            credentials: Some((CREDENTIALS.0.to_owned(), CREDENTIALS.1.to_owned())),
            attempts: Some(1),
            ..Options::default()
        }
    }

    /// URL of the store.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object into the bucket `logs`.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.root.path().join("logs").join(key);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Takes an object out of the bucket `logs`.
    pub fn remove(&self, key: &str) {
        std::fs::remove_file(self.folder().join(key)).unwrap();
    }

    /// The folder that the bucket `logs` is kept in.
    pub fn folder(&self) -> std::path::PathBuf {
        self.root.path().join("logs")
    }

    /// Keeps a version of an object of the bucket `logs`, or the mark of its deletion.
    pub fn keep(&self, key: &str, id: &str, time: &str, bytes: Option<&[u8]>) {
        let version = (
            key.to_owned(),
            id.to_owned(),
            time.to_owned(),
            bytes.map(<[u8]>::to_vec),
        );
        self.versions.lock().unwrap().push(version);
    }

    /// Puts an object with metadata into the bucket `logs`.
    pub fn put_with(&self, key: &str, bytes: &[u8], metadata: &[(&str, &str)]) {
        self.put(key, bytes);
        let owned = metadata.iter();
        let owned = owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut all = self.metadata.lock().unwrap();
        all.insert(key.to_owned(), owned.collect());
    }

    /// What it was asked so far, each list sorted.
    pub fn asked(&self) -> Asked {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.lists.sort_unstable();
        asked.gets.sort_unstable();
        asked.heads.sort_unstable();
        asked
    }
}
