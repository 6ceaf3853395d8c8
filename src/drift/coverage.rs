//! What of the loaded states can be watched.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::catalogue::coverage::{Share, Standing, TypeCoverage, of_type};
use crate::catalogue::schema;
use crate::state::inventory::Inventory;

/// One managed resource, and how well it is watched.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Terraform's address.
    pub address: String,
    /// The address without the key of `count` or `for_each`.
    pub block: String,
    /// Its type.
    pub resource_type: String,
    /// The state that holds it.
    pub state: String,
    /// What of its type is watched. None: it is no resource of the AWS provider.
    pub coverage: Option<Arc<TypeCoverage>>,
}

/// Counts over all resources of the AWS provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Resources that are watched fully.
    pub fully: usize,
    /// Resources of which some arguments are not watched.
    pub partly: usize,
    /// Resources that are not watched at all.
    pub none: usize,
    /// Resources of other providers.
    pub outside: usize,
    /// Watched arguments of all of them.
    pub arguments: Share,
}

impl Resource {
    /// How much of it is watched; none for what no audit log of AWS can tell of.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.coverage.as_ref().map(|coverage| coverage.standing())
    }
}

/// All managed resources, in the order of their states.
#[must_use]
pub fn resources(catalogue: &Catalogue, inventory: &Inventory) -> Vec<Resource> {
    let mut types: HashMap<String, Option<Arc<TypeCoverage>>> = HashMap::new();
    inventory
        .instances()
        .map(|(_, instance)| {
            let resource_type = instance.resource_type();
            let coverage = types.entry(resource_type.to_owned()).or_insert_with(|| {
                schema::resource(resource_type).map(|_| Arc::new(of_type(catalogue, resource_type)))
            });
            let mut block = instance.address().clone();
            block.key = None;
            Resource {
                address: instance.address().to_string(),
                block: block.to_string(),
                resource_type: resource_type.to_owned(),
                state: instance.state().location.clone(),
                coverage: coverage.clone(),
            }
        })
        .collect()
}

/// Counts over resources.
#[must_use]
pub fn totals(resources: &[Resource]) -> Totals {
    let mut totals = Totals::default();
    for resource in resources {
        match resource.standing() {
            None => totals.outside += 1,
            Some(Standing::None) => totals.none += 1,
            Some(Standing::Partly) => totals.partly += 1,
            Some(Standing::Fully) => totals.fully += 1,
        }
        let share = resource
            .coverage
            .as_ref()
            .map(|coverage| coverage.share())
            .unwrap_or_default();
        totals.arguments.watched += share.watched;
        totals.arguments.of += share.of;
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::names::AwsNaming;
    use crate::state::load_text;
    use serde_json::json;

    #[test]
    fn resources_of_other_providers_stand_outside_the_share() {
        let catalogue = Catalogue::builtin();
        let resource = |kind: &str, instances: serde_json::Value| json!({"mode": "managed", "type": kind, "name": "a", "provider": "provider[\"x\"]", "instances": instances});
        let state = json!({"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "l", "resources": [
            resource("aws_s3_bucket_versioning", json!([
                {"index_key": "x", "attributes": {"id": "b1"}}, {"index_key": "y", "attributes": {"id": "b2"}}])),
            resource("null_resource", json!([{"attributes": {"id": "1"}}])),
        ]});
        let loaded = load_text(
            "a.tfstate",
            state.to_string().as_bytes(),
            &AwsNaming::new(&catalogue),
        );
        let resources = resources(&catalogue, &loaded.inventory);
        let blocks: Vec<&str> = resources
            .iter()
            .map(|resource| resource.block.as_str())
            .collect();
        assert_eq!(
            blocks,
            [
                "aws_s3_bucket_versioning.a",
                "aws_s3_bucket_versioning.a",
                "null_resource.a"
            ]
        );
        let totals = totals(&resources);
        assert_eq!(
            (totals.fully + totals.partly, totals.none, totals.outside),
            (2, 0, 1)
        );
        assert!(totals.arguments.of > 0 && totals.arguments.watched <= totals.arguments.of);
    }
}
