//! AWS KMS, as far as opening a data key needs it: the one call `Decrypt`, signed by the SDK's own
//! signer. A whole client for it would be larger than all else that reads states.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::s3::{Options, sdk_config};
use crate::web::{Request, Web};

/// Why a key stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Error {
    fn new(problem: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            problem: problem.into(),
            remedy,
        }
    }
}

const REGION: &str = "name the key's region: AWS_REGION";
const CREDENTIALS: &str = "check the AWS credentials: `aws sts get-caller-identity` shows them";
const PERMISSION: &str = "allow `kms:Decrypt` on the key, in its policy or in that of the caller";

/// A client of the key service of one region. Must not be used inside a tokio runtime.
#[derive(Debug)]
pub struct Kms {
    web: Web,
    config: aws_config::SdkConfig,
}

impl Kms {
    /// Finds out region and credentials by the standard chain. Asks nothing yet.
    ///
    /// # Errors
    /// When the system gives no thread to run on.
    pub fn new(options: &Options) -> std::io::Result<Self> {
        let web = Web::new()?;
        // An endpoint given for S3 is none of this service.
        let options = Options {
            endpoint: None,
            ..options.clone()
        };
        let config = web.wait(sdk_config(&options));
        Ok(Self { web, config })
    }

    /// Opens what a symmetric key sealed.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub fn decrypt(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let region = self.config.region().map(ToString::to_string);
        let region = region.ok_or_else(|| Error::new("no AWS region is known", REGION))?;
        let url = self.endpoint(&region);
        let body = json!({"CiphertextBlob": STANDARD.encode(sealed)}).to_string();
        let headers = self.signed(&url, &region, body.as_bytes())?;
        let answer = self.web.send(Request {
            method: "POST",
            url: &url,
            headers: &headers,
            body: body.as_bytes(),
        });
        let answer = answer.map_err(|problem| {
            Error::new(
                format!("AWS KMS in {region} cannot be reached ({problem})"),
                REGION,
            )
        })?;
        let said: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if answer.status != 200 {
            return Err(refusal(answer.status, &said, &region));
        }
        let plain = said["Plaintext"].as_str().unwrap_or_default();
        match STANDARD.decode(plain) {
            Ok(key) if !key.is_empty() => Ok(key),
            _ => Err(Error::new("AWS KMS gave no key back", "try again")),
        }
    }

    fn endpoint(&self, region: &str) -> String {
        let own = std::env::var("AWS_ENDPOINT_URL_KMS").ok();
        let own = own.filter(|url| !url.is_empty());
        let own = own.or_else(|| self.config.endpoint_url().map(str::to_owned));
        let url = own.unwrap_or_else(|| {
            let below = if region.starts_with("cn-") {
                "amazonaws.com.cn"
            } else {
                "amazonaws.com"
            };
            format!("https://kms.{region}.{below}")
        });
        format!("{}/", url.trim_end_matches('/'))
    }

    fn signed(&self, url: &str, region: &str, body: &[u8]) -> Result<Vec<(String, String)>, Error> {
        let closed = |_| Error::new("no AWS credentials were found", CREDENTIALS);
        let provider = self.config.credentials_provider();
        let provider =
            provider.ok_or_else(|| Error::new("no AWS credentials were found", CREDENTIALS))?;
        let credentials = self.web.wait(provider.provide_credentials());
        let identity = credentials.map_err(closed)?.into();
        let unsigned = |_| Error::new("the request to AWS KMS cannot be signed", CREDENTIALS);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("kms")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| Error::new("the request to AWS KMS cannot be signed", CREDENTIALS))?;
        let own = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "TrentService.Decrypt"),
        ];
        let request = SignableRequest::new("POST", url, own.into_iter(), SignableBody::Bytes(body));
        let signed = sign(request.map_err(unsigned)?, &params.into()).map_err(unsigned)?;
        let (instructions, _) = signed.into_parts();
        let added = instructions.headers();
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(own.into_iter().chain(added).map(owned).collect())
    }
}

/// A refusal in words (AWS KMS API Reference, *Decrypt*).
fn refusal(status: u16, said: &Value, region: &str) -> Error {
    let kind = said["__type"].as_str().unwrap_or_default();
    match kind.rsplit('#').next().unwrap_or(kind) {
        "AccessDeniedException" => Error::new(
            "AWS KMS does not let the caller open the state's key",
            PERMISSION,
        ),
        "InvalidCiphertextException" | "IncorrectKeyException" | "NotFoundException" => Error::new(
            format!("no key of this account in {region} opens the state"),
            REGION,
        ),
        "DisabledException" | "KMSInvalidStateException" => Error::new(
            "the state's key in AWS KMS is disabled, or waits to be deleted",
            "enable the key",
        ),
        "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException" => {
            Error::new("AWS does not accept the credentials", CREDENTIALS)
        }
        _ => Error::new(format!("AWS KMS answers with HTTP {status}"), "try again"),
    }
}
