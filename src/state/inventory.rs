//! All managed resource instances of all loaded states, indexed by what calls can name them with.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::address::Address;
use super::draft::Draft;
use super::index::Index;
use super::path::AttributePath;
use super::scope::Inference;

/// What the inventory must know of a cloud's naming.
pub trait Naming: Sync {
    /// Attribute paths that calls may name instances of this type by: `id`,
    /// `root_block_device.volume_id`, where all members of a list count. None when no rule knows
    /// the type.
    fn keys(&self, resource_type: &str) -> Option<&[String]>;

    /// The short form under which an identifier is indexed. Identifiers that may mean the same
    /// resource have the same short form.
    fn short<'a>(&self, identifier: &'a str) -> &'a str;

    /// Account and region that an identifier tells; none when it is not of the kind that tells.
    fn scope(&self, identifier: &str) -> Option<Scope>;
}

/// Account and region of a resource, as far as its identifier tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The account, if the identifier names one.
    pub account: Option<String>,
    /// The region, if the identifier names one. An identifier that could and does not is that of
    /// a global resource.
    pub region: Option<String>,
}

/// One Terraform state in the inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateFile {
    /// Where it was read from, as the user would write it.
    pub location: String,
    /// Terraform's lineage, if the state has one.
    pub lineage: Option<String>,
    /// Terraform's serial number.
    pub serial: Option<u64>,
    /// Managed resource instances in it.
    pub resources: usize,
    /// When it was last written, as far as the place it lies in tells.
    pub as_of: Option<Timestamp>,
    /// The version of Terraform that wrote it.
    pub terraform_version: Option<String>,
    /// The plan it was taken from, if it was.
    pub plan: Option<Plan>,
}

/// What a plan says beside the state that it started from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// When it was made, as far as it tells.
    pub made: Option<Timestamp>,
    /// What its refresh found changed outside Terraform.
    pub refreshed: Vec<Refreshed>,
}

/// A managed instance that a refresh found otherwise than Terraform believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// Terraform's address.
    pub address: String,
    /// Whether it was gone.
    pub is_gone: bool,
    /// The attributes that differed; empty when it was gone. No values: some are secret.
    pub paths: Vec<AttributePath>,
}

/// An instance's number in its inventory, in the order of states and of resources in them.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct InstanceId(pub(crate) u32);

impl InstanceId {
    /// Its place among [`Inventory::instances`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One managed resource instance.
#[derive(Debug)]
pub struct Instance {
    address: Address,
    state: Arc<StateFile>,
    account: Option<Arc<str>>,
    region: Option<Arc<str>>,
    account_is_inferred: bool,
    region_is_inferred: bool,
    tainted: bool,
    attributes: Box<str>,
    sensitive: Box<[AttributePath]>,
}

impl Instance {
    /// Terraform's name for it.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Terraform's resource type: `aws_instance`.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        &self.address.resource_type
    }

    /// The state that holds it.
    #[must_use]
    pub fn state(&self) -> &StateFile {
        &self.state
    }

    /// The account it lives in; none when nothing tells, so that any may be meant.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The region it lives in; none for a global resource and when nothing tells.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Whether the account is that of its neighbours under the same provider configuration.
    #[must_use]
    pub fn account_is_inferred(&self) -> bool {
        self.account_is_inferred
    }

    /// Whether the region is that of its neighbours under the same provider configuration.
    /// Those of a global service have none of their own: calls on them may be logged elsewhere.
    #[must_use]
    pub fn region_is_inferred(&self) -> bool {
        self.region_is_inferred
    }

    /// Whether Terraform will replace it with the next apply.
    #[must_use]
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// The attributes that Terraform believes, parsed anew with every call. Of a type that no
    /// rule knows, only those that identify it.
    #[must_use]
    pub fn attributes(&self) -> Map<String, Value> {
        serde_json::from_str(&self.attributes).unwrap_or_else(|_| {
            // A value beyond what can be represented (a number of 1e999) costs itself alone.
            let members: Vec<(String, &RawValue)> =
                serde_json::from_str::<Members<'_>>(&self.attributes)
                    .map(|members| members.into_iter().collect())
                    .unwrap_or_default();
            members
                .into_iter()
                .filter_map(|(name, raw)| Some((name, serde_json::from_str(raw.get()).ok()?)))
                .collect()
        })
    }

    /// The attributes that the state marks as secret.
    #[must_use]
    pub fn sensitive(&self) -> &[AttributePath] {
        &self.sensitive
    }
}

type Members<'a> = std::collections::HashMap<String, &'a RawValue>;

/// All instances of all loaded states. Immutable.
#[derive(Debug, Default)]
pub struct Inventory {
    states: Vec<StateFile>,
    instances: Vec<Instance>,
    index: Index,
    by_address: OnceLock<Vec<InstanceId>>,
}

impl Inventory {
    /// Puts states together, in the order given.
    pub(crate) fn build(
        parts: impl IntoIterator<Item = (StateFile, Vec<Draft>)>,
        naming: &dyn Naming,
    ) -> Self {
        let mut inventory = Self::default();
        for (mut file, drafts) in parts {
            file.resources = drafts.len();
            let state = Arc::new(file.clone());
            inventory.states.push(file);
            inventory.add(&state, drafts, naming);
        }
        inventory
    }

    fn add(&mut self, state: &Arc<StateFile>, drafts: Vec<Draft>, naming: &dyn Naming) {
        let mut inference = Inference::of(&drafts);
        self.instances.reserve_exact(drafts.len());
        for draft in drafts {
            // Four thousand million instances do not fit into memory.
            let Ok(number) = u32::try_from(self.instances.len()) else {
                return;
            };
            let (account, region) = inference.place(&draft);
            self.index.add(
                InstanceId(number),
                &draft.address.resource_type,
                draft.identifiers,
                naming,
            );
            self.instances.push(Instance {
                address: draft.address,
                state: Arc::clone(state),
                account: account.value,
                region: region.value,
                account_is_inferred: account.is_inferred,
                region_is_inferred: region.is_inferred,
                tainted: draft.tainted,
                attributes: draft.attributes,
                sensitive: draft.sensitive,
            });
        }
    }

    /// All instances, in the order of the states and of the resources in them.
    pub fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        (0..).map(InstanceId).zip(&self.instances)
    }

    /// One instance.
    ///
    /// # Panics
    ///
    /// With an id of another inventory.
    #[must_use]
    pub fn get(&self, id: InstanceId) -> &Instance {
        &self.instances[id.0 as usize]
    }

    /// Instances of a type one of whose attributes at `key` has the short form of `identifier`.
    /// `key` is one of [`Naming::keys`] of the type. Short forms are ambiguous: verify.
    #[must_use]
    pub fn candidates(
        &self,
        resource_type: &str,
        key: &str,
        identifier: &str,
        naming: &dyn Naming,
    ) -> &[InstanceId] {
        self.index
            .candidates(resource_type, key, naming.short(identifier))
    }

    /// All instances of a type.
    #[must_use]
    pub fn of_type(&self, resource_type: &str) -> &[InstanceId] {
        self.index.of_type(resource_type)
    }

    /// All resource types that have instances.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.index.types()
    }

    /// The short forms of all identifiers, each once, in no order.
    pub fn identifiers(&self) -> impl ExactSizeIterator<Item = &str> {
        self.index.shorts()
    }

    /// Whether any instance has an identifier of this short form.
    #[must_use]
    pub fn has_identifier(&self, short: &str) -> bool {
        self.index.has(short)
    }

    /// All accounts that instances are known to live in.
    #[must_use]
    pub fn accounts(&self) -> BTreeSet<&str> {
        self.instances
            .iter()
            .filter_map(Instance::account)
            .collect()
    }

    /// The states, in the order loaded.
    #[must_use]
    pub fn states(&self) -> &[StateFile] {
        &self.states
    }

    /// Instances at an address, one of each state that has it; none when the text is no address.
    #[must_use]
    pub fn find_address(&self, address: &str) -> &[InstanceId] {
        let Ok(wanted) = address.parse::<Address>() else {
            return &[];
        };
        let order = self.by_address.get_or_init(|| {
            let mut order: Vec<_> = self.instances().map(|(id, _)| id).collect();
            order.sort_by(|a, b| self.get(*a).address.cmp(&self.get(*b).address));
            order
        });
        let from = order.partition_point(|id| self.get(*id).address < wanted);
        let until = order.partition_point(|id| self.get(*id).address <= wanted);
        order.get(from..until).unwrap_or_default()
    }

    /// Instances of any type that have an identifier (a key of their type, or `id`, `arn`,
    /// `name`) of the same short form: for calls that no rule knows.
    #[must_use]
    pub fn naming(&self, identifier: &str, naming: &dyn Naming) -> &[InstanceId] {
        self.index.named(naming.short(identifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{AWS, TestNaming, inventory_of, resource, state_of};
    use serde_json::json;

    fn addresses(inventory: &Inventory, ids: &[InstanceId]) -> Vec<String> {
        ids.iter()
            .map(|id| inventory.get(*id).address().to_string())
            .collect()
    }

    #[test]
    fn modules_counts_and_keys_become_addresses_and_the_rest_stays_out() {
        let state = state_of(&json!([
            {"mode": "data", "type": "aws_ami", "name": "x", "instances": [{"attributes": {"id": "ami-1"}}]},
            {"mode": "managed", "type": "aws_iam_role", "name": "old", "provider": "provider.aws",
             "instances": [{"attributes_flat": {"id": "r", "tags.%": "0"}}]},
            {"module": "module.bus[\"eu.west\"].module.queues", "mode": "managed", "type": "aws_sqs_queue",
             "name": "this", "provider": AWS, "instances": [
                {"index_key": "orders.\"vip\"", "attributes": {"name": "orders-vip"}},
                {"index_key": "orders", "attributes": {"name": "orders"}, "status": "tainted"}]},
            {"mode": "managed", "type": "aws_instance", "name": "web", "provider": AWS, "instances": [
                {"index_key": 0, "attributes": {"id": "i-0"}},
                {"index_key": 1, "attributes": {"id": "i-1"}, "deposed": "b2f6a1c0"},
                {"index_key": 1, "attributes": {"id": "i-2"}}]}
        ]));
        let inventory = inventory_of(&[&state]);
        let all: Vec<_> = inventory
            .instances()
            .map(|(_, instance)| (instance.address().to_string(), instance.is_tainted()))
            .collect();
        let bus = "module.bus[\"eu.west\"].module.queues.aws_sqs_queue.this";
        assert_eq!(
            all,
            [
                ("aws_iam_role.old".into(), false),
                (format!("{bus}[\"orders.\\\"vip\\\"\"]"), false),
                (format!("{bus}[\"orders\"]"), true),
                ("aws_instance.web[0]".into(), false),
                ("aws_instance.web[1]".into(), false),
            ]
        );
        assert_eq!(inventory.of_type("aws_instance").len(), 2);
        assert_eq!(inventory.of_type("aws_ami"), []);
        let old = inventory.get(inventory.of_type("aws_iam_role")[0]);
        assert_eq!(
            Value::Object(old.attributes()),
            json!({"id": "r", "tags": {}})
        );
        let file = &inventory.states()[0];
        assert_eq!((file.resources, file.serial), (5, Some(7)));
        assert_eq!(file.lineage.as_deref(), Some("aaaa-bbbb"));
        assert_eq!(file.terraform_version.as_deref(), Some("1.9.5"));
    }

    #[test]
    fn candidates_are_found_by_each_key_of_their_type_in_its_short_form() {
        let inventory = inventory_of(&[&state_of(&json!([
            resource(
                "aws_instance",
                "web",
                AWS,
                &json!({
                "id": "i-1", "arn": "arn:aws:ec2:eu-west-1:111111111111:instance/i-1",
                "root_block_device": [{"volume_id": "vol-1"}], "subnet_id": "subnet-1"})
            ),
            resource(
                "aws_lb",
                "front",
                AWS,
                &json!({"arn": "arn:x", "subnets": ["subnet-1", "subnet-2"]})
            ),
            resource(
                "aws_unknown",
                "thing",
                AWS,
                &json!({"id": "i-1", "name": "thing", "size": 5})
            ),
        ]))]);
        let naming = TestNaming::default();
        for (kind, key, identifier, expected) in [
            ("aws_instance", "id", "i-1", 1),
            (
                "aws_instance",
                "id",
                "arn:aws:ec2:eu-west-1:111111111111:instance/i-1",
                1,
            ),
            ("aws_instance", "root_block_device.volume_id", "vol-1", 1),
            ("aws_instance", "subnet_id", "subnet-1", 0),
            ("aws_instance", "id", "vol-1", 0),
            ("aws_instance", "id", "i-2", 0),
            ("aws_lb", "subnets", "subnet-2", 1),
            ("aws_lb", "id", "i-1", 0),
            ("aws_unknown", "id", "i-1", 0),
        ] {
            let found = inventory.candidates(kind, key, identifier, &naming);
            assert_eq!(found.len(), expected, "{kind} {key} {identifier}");
        }
        assert_eq!(
            addresses(&inventory, inventory.naming("i-1", &naming)),
            ["aws_instance.web", "aws_unknown.thing"]
        );
        assert_eq!(inventory.naming("5", &naming), []);
        let unknown = inventory.get(inventory.of_type("aws_unknown")[0]);
        assert_eq!(
            Value::Object(unknown.attributes()),
            json!({"id": "i-1", "name": "thing"})
        );
        let mut types: Vec<_> = inventory.types().collect();
        types.sort_unstable();
        assert_eq!(types, ["aws_instance", "aws_lb", "aws_unknown"]);
    }

    #[test]
    fn a_resource_that_two_states_hold_is_there_twice() {
        let state = state_of(&json!([
            resource("aws_instance", "a", AWS, &json!({"id": "i-0"})),
            resource("aws_instance", "web", AWS, &json!({"id": "i-1"}))
        ]));
        let inventory = inventory_of(&[&state, &state]);
        let found = inventory.find_address("aws_instance.web");
        let states: Vec<_> = found
            .iter()
            .map(|id| &*inventory.get(*id).state().location)
            .collect();
        assert_eq!(states, ["state-0", "state-1"]);
        assert_eq!(
            inventory.candidates("aws_instance", "id", "i-1", &TestNaming::default()),
            found
        );
        assert_eq!(inventory.find_address("aws_instance"), []);
        assert_eq!(inventory.find_address("aws_instance.x"), []);
    }

    #[test]
    fn attributes_and_secrets_are_kept_and_one_bad_value_costs_itself_alone() {
        let state = r#"{"version": 4, "resources": [{"mode": "managed", "type": "aws_instance", "name": "a",
            "instances": [{"attributes": {"id": "i-1", "huge": 1e999, "tags": {"a b": "c  d"}},
                           "sensitive_attributes": [[{"type": "get_attr", "value": "tags"}]]}]}]}"#;
        let inventory = inventory_of(&[state]);
        let (_, instance) = inventory.instances().next().expect("one");
        assert_eq!(
            Value::Object(instance.attributes()),
            json!({"id": "i-1", "tags": {"a b": "c  d"}})
        );
        let secret: AttributePath = "tags[\"a b\"]".parse().expect("path");
        assert!(instance.sensitive().iter().any(|path| path.covers(&secret)));
    }
}
