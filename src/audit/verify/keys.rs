//! Public keys from CloudTrail itself.

use aws_sdk_cloudtrail::error::DisplayErrorContext;
use aws_sdk_cloudtrail::primitives::DateTime;
use jiff::Timestamp;

use crate::audit::cloudtrail::digest::keys::PublicKeys;
use crate::audit::pipeline::Stop;
use crate::s3;

/// Knows public keys.
pub trait KeySource: Sync {
    /// The keys that digests of a region were signed with in a stretch of time.
    ///
    /// # Errors
    /// In words, when it cannot tell.
    fn keys(&self, region: &str, since: Timestamp, until: Timestamp) -> Result<PublicKeys, String>;
}

/// Knows no key: all that count were given.
pub struct NoSource;

impl KeySource for NoSource {
    fn keys(&self, _: &str, _: Timestamp, _: Timestamp) -> Result<PublicKeys, String> {
        Ok(PublicKeys::default())
    }
}

/// Asks CloudTrail, by `ListPublicKeys`, with the credentials that the bucket is read with. An
/// endpoint of one's own is named as for all of AWS's tools, by `AWS_ENDPOINT_URL_CLOUDTRAIL`.
pub struct CloudTrail {
    options: s3::Options,
    stop: Stop,
    runtime: tokio::runtime::Runtime,
}

impl CloudTrail {
    /// Starts a runtime for the requests, which are made until it is time to stop.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &s3::Options, stop: &Stop) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            options: options.clone(),
            stop: stop.clone(),
            runtime,
        })
    }

    async fn ask(
        &self,
        region: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<PublicKeys, String> {
        let options = s3::Options {
            region: Some(region.to_owned()),
            ..self.options.clone()
        };
        let client = aws_sdk_cloudtrail::Client::new(&s3::sdk_config(&options).await);
        let mut keys = PublicKeys::default();
        let mut token = None;
        loop {
            let answer = client
                .list_public_keys()
                .start_time(DateTime::from_secs(since.as_second()))
                .end_time(DateTime::from_secs(until.as_second()))
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| format!("{}", DisplayErrorContext(error)))?;
            for key in answer.public_key_list.unwrap_or_default() {
                if let (Some(fingerprint), Some(value)) = (key.fingerprint, key.value) {
                    keys.add(&fingerprint, value.as_ref());
                }
            }
            token = answer.next_token;
            if token.is_none() {
                return Ok(keys);
            }
        }
    }
}

impl KeySource for CloudTrail {
    fn keys(&self, region: &str, since: Timestamp, until: Timestamp) -> Result<PublicKeys, String> {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.due() => Err(self.stop.reason()),
                keys = self.ask(region, since, until) => keys,
            }
        })
    }
}
