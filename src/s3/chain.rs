//! Credentials, region and manner of reaching AWS: the standard chain, and what the user said.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;

use super::Options;
use super::client::http_client;

/// What an assumed role's session is called in the logs of the account that is looked at.
const SESSION: &str = "tfdrift";

/// What a client of any AWS service is made of. Asks nothing yet, but for the chain's own files.
/// Must run inside a tokio runtime.
pub async fn sdk_config(options: &Options) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_mins(1))
        .build();
    let retries = RetryConfig::standard().with_max_attempts(options.attempts.unwrap_or(5));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .timeout_config(timeouts)
        .retry_config(retries);
    if let Some(endpoint) = &options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some((id, secret)) = &options.credentials {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "given"));
    }
    let own = loader.load().await;
    let Some(role) = &options.assume_role else {
        return own;
    };
    let mut role = AssumeRoleProvider::builder(role)
        .session_name(SESSION)
        .configure(&own);
    if own.region().is_none() {
        role = role.region(Region::from_static(super::client::DEFAULT_REGION));
    }
    let role = role.build().await;
    own.into_builder()
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(role))
        .build()
}
