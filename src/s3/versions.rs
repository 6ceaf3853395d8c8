//! Versions of one object in a bucket that keeps them, and which of them was current at a time.

use jiff::Timestamp;

use super::client::{length, timestamp};
use super::{Client, Error, Location, Operation};

/// One version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Version id; `null` for what was written while the bucket kept no versions.
    pub id: String,
    /// When it became the current one. Whole seconds.
    pub since: Timestamp,
    /// Length in bytes; none for the mark of a deletion.
    pub size: Option<u64>,
}

impl Client {
    /// All versions of an object, the latest first.
    ///
    /// # Errors
    /// When the store refuses or cannot be reached.
    pub async fn versions(&self, location: &Location) -> Result<Vec<Version>, Error> {
        let mut found: Vec<(bool, Version)> = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let answer = self
                .following(Operation::Versions, location, |client| {
                    client
                        .list_object_versions()
                        .bucket(&location.bucket)
                        .prefix(&location.key)
                        .set_key_marker(key_marker.clone())
                        .set_version_id_marker(id_marker.clone())
                        .set_request_payer(self.request_payer())
                        .send()
                })
                .await?;
            let own = |key: Option<&str>| key == Some(&location.key);
            for version in answer.versions() {
                let (true, Some(since)) = (own(version.key()), timestamp(version.last_modified()))
                else {
                    continue;
                };
                found.push((
                    version.is_latest() == Some(true),
                    Version {
                        id: version.version_id().unwrap_or("null").to_owned(),
                        since,
                        size: Some(length(version.size())),
                    },
                ));
            }
            for mark in answer.delete_markers() {
                let (true, Some(since)) = (own(mark.key()), timestamp(mark.last_modified())) else {
                    continue;
                };
                found.push((
                    mark.is_latest() == Some(true),
                    Version {
                        id: mark.version_id().unwrap_or("null").to_owned(),
                        since,
                        size: None,
                    },
                ));
            }
            // Keys come in order: what follows another key is not this object's any more.
            let past = answer
                .next_key_marker()
                .is_some_and(|next| next != location.key);
            if answer.is_truncated() != Some(true) || past || answer.next_key_marker().is_none() {
                break;
            }
            key_marker = answer.next_key_marker;
            id_marker = answer.next_version_id_marker;
        }
        // Those of one second stay in the store's own order, but for the latest.
        found.sort_by_key(|(latest, version)| std::cmp::Reverse((version.since, *latest)));
        Ok(found.into_iter().map(|(_, version)| version).collect())
    }
}

/// The version that was current at a time, of versions that are sorted the latest first.
#[must_use]
pub fn current_at(versions: &[Version], at: Timestamp) -> Option<&Version> {
    versions.iter().find(|version| version.since <= at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, since: &str) -> Version {
        Version {
            id: id.to_owned(),
            since: since.parse().unwrap(),
            size: Some(1),
        }
    }

    #[test]
    fn the_version_of_a_time_is_the_last_one_written_until_then() {
        let versions = [
            version("c", "2026-01-15T10:00:00Z"),
            version("b", "2026-01-14T10:00:00Z"),
            version("a", "2026-01-13T10:00:00Z"),
        ];
        for (at, expected) in [
            ("2026-01-16T00:00:00Z", Some("c")),
            ("2026-01-15T10:00:00Z", Some("c")),
            ("2026-01-15T09:59:59.9Z", Some("b")),
            ("2026-01-13T10:00:00Z", Some("a")),
            ("2026-01-13T09:59:59Z", None),
        ] {
            let found = current_at(&versions, at.parse().unwrap());
            assert_eq!(found.map(|version| version.id.as_str()), expected, "{at}");
        }
    }
}
