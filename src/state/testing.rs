//! A small cloud for the tests of this room.

use std::collections::HashMap;

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
        let mut parsed = formats::read(text.as_bytes(), &location, &naming).expect("readable");
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
