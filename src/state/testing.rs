//! A small cloud for the tests of this room.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::backend::{Object, ObjectStore, StoreError};
use super::formats;
use super::inventory::{Inventory, Naming, Scope};

/// Names as AWS's are, with a few types known.
pub(crate) struct TestNaming(HashMap<&'static str, Vec<String>>);

impl Default for TestNaming {
    fn default() -> Self {
        let keys = [
            (
                "aws_instance",
                &["id", "arn", "root_block_device.volume_id"][..],
            ),
            ("aws_iam_role", &["name", "arn"]),
            (
                "aws_iam_role_policy_attachment",
                &["id", "role", "policy_arn"],
            ),
            ("aws_s3_bucket", &["bucket", "arn"]),
            ("aws_s3_bucket_versioning", &["bucket"]),
            ("aws_sqs_queue", &["id", "arn", "name"]),
            ("aws_lb", &["arn", "id", "subnets"]),
        ];
        let owned = |keys: &[&str]| keys.iter().map(ToString::to_string).collect();
        Self(
            keys.into_iter()
                .map(|(name, keys)| (name, owned(keys)))
                .collect(),
        )
    }
}

impl Naming for TestNaming {
    fn keys(&self, resource_type: &str) -> Option<&[String]> {
        self.0.get(resource_type).map(Vec::as_slice)
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier.rsplit([':', '/']).next().unwrap_or(identifier)
    }

    fn scope(&self, identifier: &str) -> Option<Scope> {
        let mut parts = identifier.strip_prefix("arn:")?.split(':').skip(2);
        let mut part = || Some(parts.next()?.to_owned()).filter(|part| !part.is_empty());
        let region = part();
        Some(Scope {
            account: part(),
            region,
        })
    }
}

/// The inventory of states given as texts, all of which must be readable.
pub(crate) fn inventory_of(states: &[&str]) -> Inventory {
    let naming = TestNaming::default();
    let parts = states.iter().enumerate().map(|(number, text)| {
        let location = format!("state-{number}");
        let mut parsed = formats::read(text.as_bytes(), &naming).expect("readable");
        assert!(parsed.flaws.is_empty());
        parsed.file.location = location;
        (parsed.file, parsed.drafts)
    });
    Inventory::build(parts.collect::<Vec<_>>(), &naming)
}

/// A state of version 4 with these resources.
pub(crate) fn state_of(resources: &serde_json::Value) -> String {
    serde_json::json!({
        "version": 4, "terraform_version": "1.9.5", "serial": 7, "lineage": "aaaa-bbbb",
        "outputs": {}, "resources": resources, "check_results": null
    })
    .to_string()
}

/// The provider configuration without an alias.
pub(crate) const AWS: &str = "provider[\"registry.terraform.io/hashicorp/aws\"]";

/// A managed resource of one instance in a state of version 4.
pub(crate) fn resource(
    kind: &str,
    name: &str,
    provider: &str,
    attributes: &serde_json::Value,
) -> serde_json::Value {
    serde_json::json!({"mode": "managed", "type": kind, "name": name, "provider": provider,
           "instances": [{"schema_version": 1, "attributes": attributes, "sensitive_attributes": []}]})
}

/// Buckets in memory.
#[derive(Default)]
pub(crate) struct MemoryStore(BTreeMap<(String, String), Vec<u8>>);

impl MemoryStore {
    /// A bucket of empty objects.
    pub(crate) fn with(bucket: &str, keys: &[&str]) -> Self {
        let mut store = Self::default();
        for key in keys {
            store.put(bucket, key, "");
        }
        store
    }

    pub(crate) fn put(&mut self, bucket: &str, key: &str, text: &str) {
        self.0.insert((bucket.into(), key.into()), text.into());
    }
}

impl ObjectStore for MemoryStore {
    fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let found = self.0.get(&(bucket.into(), key.into()));
        let bytes = found.cloned().ok_or(StoreError {
            problem: "no such object".into(),
            remedy: Some("check the key".into()),
        })?;
        Ok(Object {
            bytes,
            modified: Some(Timestamp::UNIX_EPOCH),
        })
    }

    fn get_as_of(&self, bucket: &str, key: &str, at: Timestamp) -> Result<Object, StoreError> {
        let now = self.get(bucket, key)?;
        Ok(Object {
            modified: Some(at),
            ..now
        })
    }

    fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let keys: Vec<_> = self.0.keys().filter(|key| key.0 == bucket).collect();
        if keys.is_empty() {
            return Err(StoreError {
                problem: "no such bucket".into(),
                remedy: Some("check the name".into()),
            });
        }
        let below = keys.into_iter().filter(|key| key.1.starts_with(prefix));
        Ok(below.map(|key| key.1.clone()).collect())
    }
}
