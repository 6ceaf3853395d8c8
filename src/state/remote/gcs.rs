//! States in Google Cloud Storage.

use jiff::Timestamp;
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::store::{Remedies, explain, fetch, keys, retries};
use super::{RemoteLocation, RemoteStates};
use crate::state::backend::{Object, StoreError};
use crate::state::location::{RemotePlace, Settings};

const REMEDIES: Remedies = Remedies {
    name: "Google Cloud Storage",
    missing: "check the bucket and the key; Terraform's default workspace lies at \
              PREFIX/default.tfstate",
    denied: "grant `storage.objects.get`, for a prefix or an older version also \
             `storage.objects.list`: the role Storage Object Viewer has both",
    credentials: "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or \
                  GOOGLE_OAUTH_ACCESS_TOKEN to what `gcloud auth print-access-token` prints, or \
                  run `gcloud auth application-default login`",
};

const HOST: &str = "https://storage.googleapis.com";

/// One generation of an object (Cloud Storage JSON API, *Objects*).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    name: String,
    #[serde(rename = "generation")]
    id: String,
    time_created: Timestamp,
    /// When it ceased to be the current one.
    time_deleted: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Generation>,
    next_page_token: Option<String>,
}

impl RemoteStates {
    pub(super) fn gcs_object(
        &self,
        location: &RemoteLocation,
        bucket: &str,
        key: &str,
        at: Option<Timestamp>,
    ) -> Result<Object, StoreError> {
        let store = self.bucket(location)?;
        let Some(at) = at else {
            return self.web.wait(fetch(&*store, key, None, &REMEDIES));
        };
        let generations = self.generations(&store, &location.settings, bucket, key)?;
        let version = current_at(generations, at)?;
        let object = fetch(&*store, key, Some(version.id), &REMEDIES);
        Ok(Object {
            modified: Some(version.time_created),
            ..self.web.wait(object)?
        })
    }

    pub(super) fn gcs_keys(
        &self,
        location: &RemoteLocation,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let store = self.bucket(location)?;
        self.web.wait(keys(&*store, prefix, &REMEDIES))
    }

    fn bucket(
        &self,
        location: &RemoteLocation,
    ) -> Result<std::sync::Arc<GoogleCloudStorage>, StoreError> {
        let RemotePlace::Gcs { bucket, .. } = &location.place else {
            return Err(StoreError::new("this is no bucket", REMEDIES.missing));
        };
        self.gcs.get(location, || {
            let built = self.gcs_builder(bucket, &location.settings).build();
            built.map_err(|error| explain(&error, &REMEDIES))
        })
    }

    fn gcs_builder(&self, bucket: &str, settings: &Settings) -> GoogleCloudStorageBuilder {
        let variable = |names: &[&str]| self.environment.any(names);
        let base = GoogleCloudStorageBuilder::new()
            .with_bucket_name(bucket)
            .with_retry(retries())
            .with_base_url(&self.gcs_host(settings))
            .with_http_connector(self.web.connect());
        if variable(&["STORAGE_EMULATOR_HOST"]).is_some() {
            return base
                .with_skip_signature(true)
                .with_bearer_token(String::new());
        }
        let token = settings
            .get("access_token")
            .or(variable(&["GOOGLE_OAUTH_ACCESS_TOKEN"]));
        if let Some(token) = token {
            return base.with_bearer_token(token);
        }
        let given = settings
            .get("credentials")
            .or(variable(&[
                "GOOGLE_BACKEND_CREDENTIALS",
                "GOOGLE_CREDENTIALS",
            ]))
            .or(variable(&["GOOGLE_APPLICATION_CREDENTIALS"]));
        match given {
            Some(text) if text.trim_start().starts_with('{') => base.with_service_account_key(text),
            Some(path) => base.with_application_credentials(path),
            None => base,
        }
    }

    fn gcs_host(&self, settings: &Settings) -> String {
        let custom = [
            "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT",
            "GOOGLE_STORAGE_CUSTOM_ENDPOINT",
        ];
        let host = self
            .environment
            .any(&["STORAGE_EMULATOR_HOST"])
            .or(settings.get("storage_custom_endpoint"))
            .or(self.environment.any(&custom))
            .unwrap_or(HOST);
        let host = host.trim_end_matches('/');
        let host = host.strip_suffix("/b").unwrap_or(host);
        let host = host.strip_suffix("/storage/v1").unwrap_or(host);
        if host.contains("://") {
            host.to_owned()
        } else {
            format!("http://{host}")
        }
    }

    /// All generations of an object, in any order.
    fn generations(
        &self,
        store: &GoogleCloudStorage,
        settings: &Settings,
        bucket: &str,
        key: &str,
    ) -> Result<Vec<Generation>, StoreError> {
        let credential = self.web.wait(store.credentials().get_credential());
        let credential = credential.map_err(|error| explain(&error, &REMEDIES))?;
        let mut headers = Vec::new();
        if !credential.bearer.is_empty() {
            let value = format!("Bearer {}", credential.bearer);
            headers.push(("authorization".to_owned(), value));
        }
        let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let first = format!(
            "{}/storage/v1/b/{}/o?versions=true&prefix={}",
            self.gcs_host(settings),
            part(bucket),
            part(key)
        );
        let mut all = Vec::new();
        let mut url = first.clone();
        loop {
            let answer = self.web.get(&url, &headers).map_err(|problem| {
                StoreError::new(
                    format!("{} cannot be reached ({problem})", REMEDIES.name),
                    "check the network and HTTPS_PROXY",
                )
            })?;
            match answer.status {
                200 => {}
                401 => {
                    let problem = "the credentials are not accepted (HTTP 401)";
                    return Err(StoreError::new(problem, REMEDIES.credentials));
                }
                403 => {
                    let problem = "its versions must not be listed (HTTP 403)";
                    return Err(StoreError::new(problem, REMEDIES.denied));
                }
                404 => {
                    let problem = "the bucket does not exist";
                    return Err(StoreError::new(problem, REMEDIES.missing));
                }
                status => {
                    let problem = format!("its versions cannot be listed (HTTP {status})");
                    return Err(StoreError::new(problem, "try again"));
                }
            }
            let page: Page = serde_json::from_slice(&answer.bytes).map_err(|_| {
                StoreError::new("its versions are listed in no form that is known", AS_NOW)
            })?;
            // Keys come in order, and the prefix alone is the first of those it begins.
            let past = page.items.iter().any(|found| found.name != key);
            all.extend(page.items.into_iter().filter(|found| found.name == key));
            match page.next_page_token {
                Some(token) if !past => url = format!("{first}&pageToken={}", part(&token)),
                _ => return Ok(all),
            }
        }
    }
}

const AS_NOW: &str = "read it as it is now: --state-as-of now";

/// The generation that was the current one at a time.
fn current_at(mut generations: Vec<Generation>, at: Timestamp) -> Result<Generation, StoreError> {
    generations.sort_by_key(|found| std::cmp::Reverse(found.time_created));
    let count = generations.len();
    let oldest = generations.last().map(|oldest| oldest.time_created);
    let then = generations
        .into_iter()
        .find(|found| found.time_created <= at);
    match (then, oldest) {
        (Some(found), _) => match found.time_deleted.filter(|deleted| *deleted <= at) {
            None => Ok(found),
            Some(deleted) => Err(StoreError::new(
                format!("at {at} there was none: it had been deleted at {deleted}"),
                "give another time with --state-as-of",
            )),
        },
        (None, None) => Err(StoreError::new("it does not exist", REMEDIES.missing)),
        (None, Some(written)) if count == 1 => Err(StoreError::new(
            format!(
                "that of {at} is gone, this one was written at {written}: its bucket keeps no \
                 older versions"
            ),
            AS_NOW,
        )),
        (None, Some(oldest)) => Err(StoreError::new(
            format!("no version of it is as old as {at}; the oldest is of {oldest}"),
            "give a later time with --state-as-of, or `now`",
        )),
    }
}
