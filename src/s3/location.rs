//! `s3://bucket/key` as a value.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A bucket and a key or key prefix in it. Written `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// Name of the bucket, an access point's ARN or alias.
    pub bucket: String,
    /// Key or prefix, without a leading slash; empty for the whole bucket.
    pub key: String,
}

/// Why a text is not an S3 location.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocationError {
    /// It does not begin with `s3://`.
    #[error("`{0}` does not begin with s3://")]
    Scheme(String),
    /// Nothing stands where the bucket belongs.
    #[error("`{0}` names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX")]
    NoBucket(String),
    /// What stands where the bucket belongs cannot be one.
    #[error("`{bucket}` in `{text}` cannot be the name of a bucket")]
    BadBucket {
        /// The whole text.
        text: String,
        /// The part of it that should name a bucket.
        bucket: String,
    },
}

impl Location {
    /// A location from its parts. Leading slashes of the key are dropped.
    pub fn new(bucket: impl Into<String>, key: impl AsRef<str>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.as_ref().trim_start_matches('/').to_owned(),
        }
    }

    /// Another key of the same bucket.
    #[must_use]
    pub fn with_key(&self, key: impl AsRef<str>) -> Self {
        Self::new(self.bucket.clone(), key)
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let scheme = text.get(..5).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("s3://") {
            return Err(LocationError::Scheme(text.to_owned()));
        }
        let rest = text.get(5..).unwrap_or_default();
        // The ARN of an access point has a slash of its own before the key begins.
        let (bucket, key) = match rest.strip_prefix("arn:") {
            Some(_) => match rest.match_indices('/').nth(1) {
                Some((at, _)) => rest.split_at(at),
                None => (rest, ""),
            },
            None => rest.split_once('/').unwrap_or((rest, "")),
        };
        if bucket.is_empty() {
            return Err(LocationError::NoBucket(text.to_owned()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
        if !bucket.chars().all(allowed) || bucket.contains("..") {
            return Err(LocationError::BadBucket {
                text: text.to_owned(),
                bucket: bucket.to_owned(),
            });
        }
        Ok(Self::new(bucket, key))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "s3://{}", self.bucket)
        } else {
            write!(f, "s3://{}/{}", self.bucket, self.key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_people_write_them() {
        for (text, bucket, key) in [
            ("s3://logs", "logs", ""),
            ("s3://logs/", "logs", ""),
            ("S3://logs/a/b", "logs", "a/b"),
            ("s3://logs/a/b/", "logs", "a/b/"),
            ("s3://logs//a", "logs", "a"),
            ("s3://my.logs/ä ö", "my.logs", "ä ö"),
            (
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/trail/AWSLogs/",
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/trail",
                "AWSLogs/",
            ),
            (
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/trail",
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/trail",
                "",
            ),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(
                (location.bucket.as_str(), location.key.as_str()),
                (bucket, key),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_location_is_refused() {
        for text in [
            "",
            "s3:/",
            "logs",
            "s3://",
            "s3:///key",
            "s3://a b",
            "s3://ä/",
            "s3://../x",
            "gs://x",
        ] {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_is_printed_as_it_is_written() {
        for text in ["s3://logs", "s3://logs/a/b/"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
    }
}
