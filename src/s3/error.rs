//! What can go wrong at S3, where, and what to do about it.

use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::Location;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Listing keys.
    List,
    /// Fetching an object.
    Get,
    /// Looking at an object without fetching it.
    Head,
    /// Listing the versions of an object.
    Versions,
    /// Fetching one version of an object.
    GetVersion,
    /// Writing an object.
    Put,
}

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The standard chain holds no credentials.
    NoCredentials,
    /// The credentials were valid once.
    Expired,
    /// The store does not know the key id, or the signature does not fit it.
    BadCredentials,
    /// The caller lacks a permission.
    Denied,
    /// The object is encrypted and the caller may not use the key.
    DecryptDenied,
    /// There is no such bucket.
    NoSuchBucket,
    /// There is no such object.
    NoSuchKey,
    /// The bucket lies in another region, which could not be followed.
    WrongRegion,
    /// The object lies in an archive tier and must be restored first.
    Archived,
    /// Someone else wrote the object meanwhile.
    Overtaken,
    /// The store asked to slow down, over and over.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The store could not be reached.
    Unreachable,
    /// Anything else; the detail tells.
    Other,
}

/// A failed request: what was tried, where, why, and in the store's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What was tried.
    pub operation: Operation,
    /// Bucket and key, or prefix of a listing.
    pub location: Location,
    /// Why it failed.
    pub reason: Reason,
    /// The store's or the SDK's own words, on one line.
    pub detail: String,
    /// The region that the store says the bucket lies in.
    pub bucket_region: Option<String>,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem())
    }
}

impl Error {
    /// What is wrong, without the location.
    #[must_use]
    pub fn problem(&self) -> String {
        let what = match self.reason {
            Reason::NoCredentials => "no AWS credentials could be loaded",
            Reason::Expired => "the AWS credentials have expired",
            Reason::BadCredentials => "the store does not accept the AWS credentials",
            Reason::Denied => match self.operation {
                Operation::List => "listing the bucket is denied",
                Operation::Versions => "listing the object's versions is denied",
                Operation::Get | Operation::Head => "reading the object is denied",
                Operation::GetVersion => "reading a version of the object is denied",
                Operation::Put => "writing the object is denied",
            },
            Reason::DecryptDenied => "the object is encrypted and using its KMS key is denied",
            Reason::NoSuchBucket => "the bucket does not exist",
            Reason::NoSuchKey => "the object does not exist",
            Reason::WrongRegion => "the bucket lies in another region",
            Reason::Archived => "the object lies in an archive storage class",
            Reason::Overtaken => "someone else wrote the object meanwhile",
            Reason::Throttled => "the store keeps asking to slow down",
            Reason::Timeout => "no answer in time",
            Reason::Unreachable => "the store cannot be reached",
            Reason::Other => "the request failed",
        };
        if self.detail.is_empty() {
            what.to_owned()
        } else {
            format!("{what} ({})", self.detail)
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        let bucket = &self.location.bucket;
        let bucket_arn = if bucket.starts_with("arn:") {
            bucket.clone()
        } else {
            format!("arn:aws:s3:::{bucket}")
        };
        match self.reason {
            Reason::NoCredentials => "set AWS_PROFILE, or run `aws sso login`, or give the job a \
                role; every source of the AWS SDK's standard chain works"
                .to_owned(),
            Reason::Expired => {
                "sign in again (`aws sso login`) or renew the session's credentials".to_owned()
            }
            Reason::BadCredentials => {
                "check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that \
                 AWS_ENDPOINT_URL names the store they belong to"
                    .to_owned()
            }
            Reason::Denied => match self.operation {
                Operation::List => format!("allow s3:ListBucket on {bucket_arn}"),
                Operation::Versions => format!("allow s3:ListBucketVersions on {bucket_arn}"),
                Operation::GetVersion => format!("allow s3:GetObjectVersion on {bucket_arn}/*"),
                Operation::Put => format!("allow s3:PutObject on {bucket_arn}/*"),
                // Without s3:ListBucket the store hides whether a key exists.
                Operation::Get | Operation::Head => {
                    format!(
                        "allow s3:GetObject on {bucket_arn}/*, and s3:ListBucket on {bucket_arn}; \
                         if the bucket's owner lets requesters pay, agree with --requester-pays"
                    )
                }
            },
            Reason::DecryptDenied => {
                "allow kms:Decrypt on the key that encrypts the bucket".to_owned()
            }
            Reason::NoSuchBucket => {
                "check the name, the account (AWS_PROFILE) and AWS_ENDPOINT_URL".to_owned()
            }
            Reason::NoSuchKey => format!("check the key: `aws s3 ls {}`", self.location),
            Reason::WrongRegion => match &self.bucket_region {
                Some(region) => format!("set AWS_REGION={region}"),
                None => "set AWS_REGION to the bucket's region".to_owned(),
            },
            Reason::Archived => format!(
                "restore it first: `aws s3api restore-object --bucket \
                 {bucket} --key '{}' --restore-request Days=7`",
                self.location.key
            ),
            Reason::Overtaken => "try again".to_owned(),
            Reason::Throttled => "try later, or choose fewer accounts, regions or days".to_owned(),
            Reason::Timeout | Reason::Unreachable => {
                "check the network, HTTPS_PROXY and AWS_ENDPOINT_URL".to_owned()
            }
            Reason::Other => {
                "try again; if it stays, the store's answer above says more".to_owned()
            }
        }
    }

    /// Whether every other request with the same credentials must fail too.
    #[must_use]
    pub fn concerns_credentials(&self) -> bool {
        matches!(
            self.reason,
            Reason::NoCredentials | Reason::Expired | Reason::BadCredentials
        )
    }

    /// Sorts an SDK error. Never fails: what is not known becomes [`Reason::Other`].
    pub(super) fn of<E>(
        operation: Operation,
        location: Location,
        error: &SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let code = error.code().unwrap_or_default();
        let message = error.message().unwrap_or_default();
        let context = match error {
            SdkError::ServiceError(_) if !(code.is_empty() && message.is_empty()) => {
                [code, message].join(": ")
            }
            SdkError::ServiceError(_) => match status {
                Some(status) => format!("HTTP {status}"),
                None => String::new(),
            },
            other => causes(other),
        };
        let reason = match error {
            SdkError::TimeoutError(_) => Reason::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Reason::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_io() => Reason::Unreachable,
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
                credentials_reason(&context).unwrap_or(Reason::Other)
            }
            _ => service_reason(code, message, status, operation),
        };
        let empty_chain = context.contains("no credentials found in chain");
        let context = if empty_chain { String::new() } else { context };
        let bucket_region = error.raw_response().and_then(|raw| region_in(raw, message));
        Self {
            operation,
            location,
            reason,
            detail: shorten(&context),
            bucket_region,
        }
    }

    /// An error while the body of an object was on its way.
    pub(super) fn body(location: Location, error: &(dyn std::error::Error + 'static)) -> Self {
        let detail = causes(error);
        let reason = if detail.contains("timed out") || detail.contains("minimum throughput") {
            Reason::Timeout
        } else {
            Reason::Unreachable
        };
        Self {
            operation: Operation::Get,
            location,
            reason,
            detail: shorten(&detail),
            bucket_region: None,
        }
    }
}

/// What a failure before anything was sent says of the credentials.
fn credentials_reason(context: &str) -> Option<Reason> {
    let context = context.to_ascii_lowercase();
    if !context.contains("credential")
        && !context.contains("identity")
        && !context.contains("token")
    {
        None
    } else if context.contains("expired") {
        Some(Reason::Expired)
    } else {
        Some(Reason::NoCredentials)
    }
}

/// What the store's answer means. A HEAD has no body, hence the status.
fn service_reason(code: &str, message: &str, status: Option<u16>, operation: Operation) -> Reason {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Reason::Expired,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "NotSignedUp"
        | "UnrecognizedClientException" => Reason::BadCredentials,
        _ if code.starts_with("KMS.") => Reason::DecryptDenied,
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "Forbidden"
            if message.contains("kms:") || message.contains("KMS") =>
        {
            Reason::DecryptDenied
        }
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "Forbidden"
        | "AccountProblem" => Reason::Denied,
        "NoSuchBucket" => Reason::NoSuchBucket,
        "NoSuchKey" | "NoSuchVersion" => Reason::NoSuchKey,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => Reason::WrongRegion,
        "InvalidObjectState" => Reason::Archived,
        "PreconditionFailed" | "ConditionalRequestConflict" => Reason::Overtaken,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequests" => Reason::Throttled,
        "RequestTimeout" => Reason::Timeout,
        _ => match status {
            Some(301 | 307) => Reason::WrongRegion,
            Some(403) => Reason::Denied,
            Some(409 | 412) if operation == Operation::Put => Reason::Overtaken,
            Some(404) if matches!(operation, Operation::List | Operation::Versions) => {
                Reason::NoSuchBucket
            }
            Some(404) => Reason::NoSuchKey,
            Some(429 | 503) => Reason::Throttled,
            _ => Reason::Other,
        },
    }
}

/// The bucket's region, from the header, the body or the message of a refusal.
fn region_in(raw: &HttpResponse, message: &str) -> Option<String> {
    let header = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
    let in_body = || {
        let body = std::str::from_utf8(raw.body().bytes()?).ok()?;
        between(body, "<Region>", "</Region>")
    };
    header
        .or_else(in_body)
        .or_else(|| between(message, "expecting '", "'"))
        .filter(|region| !region.is_empty() && region.len() < 64)
        .filter(|region| {
            region
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

fn between(text: &str, open: &str, close: &str) -> Option<String> {
    let (_, rest) = text.split_once(open)?;
    let (inner, _) = rest.split_once(close)?;
    Some(inner.to_owned())
}

/// What an error says and what its causes say, outermost first.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = Vec::new();
    for message in chain.map(ToString::to_string) {
        // Some errors repeat their cause's words, and the outermost only names their kind.
        let known = said.iter().any(|earlier| earlier.contains(&message));
        if !(message.is_empty() || known || KINDS.contains(&message.as_str())) {
            said.push(message);
        }
    }
    said.join(": ")
}

/// Words of the SDK that name where in it an error arose and tell a user nothing.
const KINDS: [&str; 5] = [
    "dispatch failure",
    "other",
    "io error",
    "request has timed out",
    "failed to construct request",
];

/// One line of bearable length, without control characters.
fn shorten(text: &str) -> String {
    const MOST: usize = 300;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() > MOST {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !c.is_control()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(operation: Operation, reason: Reason) -> Error {
        Error {
            operation,
            location: Location::new("logs", "AWSLogs/"),
            reason,
            detail: String::new(),
            bucket_region: None,
        }
    }

    #[test]
    fn a_denied_request_names_the_permission_it_lacks() {
        for (operation, reason, permission) in [
            (
                Operation::List,
                Reason::Denied,
                "s3:ListBucket on arn:aws:s3:::logs",
            ),
            (
                Operation::Get,
                Reason::Denied,
                "s3:GetObject on arn:aws:s3:::logs/*",
            ),
            (Operation::Get, Reason::DecryptDenied, "kms:Decrypt"),
            (
                Operation::Versions,
                Reason::Denied,
                "s3:ListBucketVersions on arn:aws:s3:::logs",
            ),
            (
                Operation::GetVersion,
                Reason::Denied,
                "s3:GetObjectVersion on arn:aws:s3:::logs/*",
            ),
        ] {
            let remedy = error(operation, reason).remedy();
            assert!(remedy.contains(permission), "{remedy}");
        }
    }

    #[test]
    fn an_error_names_bucket_and_key() {
        assert_eq!(
            error(Operation::List, Reason::NoSuchBucket).to_string(),
            "s3://logs/AWSLogs/: the bucket does not exist"
        );
    }

    #[test]
    fn answers_of_the_store_are_sorted() {
        let list = Operation::List;
        for (code, message, status, operation, reason) in [
            ("NoSuchBucket", "", 404, list, Reason::NoSuchBucket),
            ("AccessDenied", "Access Denied", 403, list, Reason::Denied),
            (
                "AccessDenied",
                "not authorized to perform: kms:Decrypt on resource",
                403,
                Operation::Get,
                Reason::DecryptDenied,
            ),
            ("ExpiredToken", "", 400, list, Reason::Expired),
            ("PermanentRedirect", "", 301, list, Reason::WrongRegion),
            (
                "InvalidObjectState",
                "",
                403,
                Operation::Get,
                Reason::Archived,
            ),
            ("SlowDown", "", 503, list, Reason::Throttled),
            ("", "", 403, Operation::Head, Reason::Denied),
            ("", "", 404, Operation::Head, Reason::NoSuchKey),
            ("NotFound", "", 404, Operation::Head, Reason::NoSuchKey),
            ("", "", 404, list, Reason::NoSuchBucket),
            ("Odd", "", 500, list, Reason::Other),
        ] {
            assert_eq!(
                service_reason(code, message, Some(status), operation),
                reason,
                "{code} {status}"
            );
        }
    }

    #[test]
    fn a_long_detail_becomes_one_short_line() {
        let detail = shorten(&"word\n\u{1b}[31m ".repeat(200));
        assert!(detail.len() < 320 && !detail.chars().any(char::is_control));
    }
}
