//! The state formats of Terraform before 0.12: versions 1 to 3.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Flaw, Parsed, draft_all, flat};
use crate::state::address::{Key, ModuleStep};
use crate::state::draft::{Found, Kind};
use crate::state::inventory::Naming;

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: Vec<String>,
    #[serde(default)]
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    primary: Option<Primary>,
    #[serde(default)]
    provider: String,
}

#[derive(Deserialize)]
struct Primary {
    #[serde(default)]
    id: String,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    tainted: bool,
}

/// Reads the `modules` of a state.
///
/// # Errors
///
/// When they are of another shape.
pub(super) fn read(modules: &str, naming: &dyn Naming) -> Result<Parsed, serde_json::Error> {
    let modules: Vec<Module> = serde_json::from_str(modules)?;
    let mut kinds: HashMap<String, Arc<Kind>> = HashMap::new();
    let mut found = Vec::new();
    let mut flaws = Vec::new();
    for module in modules {
        // The first part is "root".
        let steps = module.path.iter().skip(1).map(|name| ModuleStep {
            name: name.as_str().into(),
            key: None,
        });
        let path: Arc<[ModuleStep]> = steps.collect();
        for (name, resource) in module.resources {
            let Some(primary) = resource.primary else {
                continue;
            };
            if name.starts_with("data.") {
                continue;
            }
            let mut parts = name.splitn(3, '.');
            let (Some(kind), Some(block)) = (parts.next(), parts.next()) else {
                flaws.push(Flaw {
                    place: format!("resource `{name}`"),
                    problem: "its name is not of the form type.name".to_owned(),
                });
                continue;
            };
            let kind = if resource.kind.is_empty() {
                kind
            } else {
                &resource.kind
            };
            let kind = kinds
                .entry(kind.to_owned())
                .or_insert_with_key(|kind| Arc::new(Kind::new(kind, naming)));
            let mut attributes = flat::expand(&primary.attributes.unwrap_or_default());
            if !primary.id.is_empty() {
                attributes.entry("id").or_insert(primary.id.into());
            }
            found.push(Found {
                module: Arc::clone(&path),
                kind: Arc::clone(kind),
                name: block.into(),
                key: parts
                    .next()
                    .and_then(|index| index.parse().ok())
                    .map(Key::Number),
                provider: resource.provider.as_str().into(),
                tainted: primary.tainted,
                attributes: Cow::Owned(Value::Object(attributes).to_string()),
                sensitive: Vec::new(),
            });
        }
    }
    let mut parsed = draft_all(found, naming);
    parsed.flaws.extend(flaws);
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use crate::state::testing::inventory_of;
    use serde_json::{Value, json};

    #[test]
    fn states_before_terraform_0_12_are_upgraded_as_they_are_read() {
        for version in 1..=3 {
            let state = json!({
                "version": version, "terraform_version": "0.11.14", "serial": 3, "lineage": "aaaa",
                "modules": [
                    {"path": ["root"], "outputs": {}, "resources": {
                        "aws_instance.web.1": {"type": "aws_instance", "depends_on": [], "deposed": [{"id": "i-0"}],
                            "provider": "provider.aws",
                            "primary": {"id": "i-1", "attributes": {"arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
                                "ebs_optimized": "false", "tags.%": "1", "tags.Name": "web"}, "meta": {}, "tainted": true}},
                        "aws_instance.only_deposed": {"type": "aws_instance", "primary": null, "deposed": [{"id": "i-9"}]},
                        "data.aws_ami.x": {"type": "aws_ami", "primary": {"id": "ami-1", "attributes": {"id": "ami-1"}}}}},
                    {"path": ["root", "net", "dns"], "resources": {
                        "aws_iam_role.r": {"type": "aws_iam_role", "provider": "provider.aws",
                            "primary": {"id": "r", "attributes": {"name": "r"}}}}}]
            });
            let inventory = inventory_of(&[&state.to_string()]);
            let found: Vec<_> = inventory
                .instances()
                .map(|(_, instance)| {
                    (
                        instance.address().to_string(),
                        instance.is_tainted(),
                        instance.account(),
                        Value::Object(instance.attributes()),
                    )
                })
                .collect();
            let account = Some("123456789012");
            let web = json!({"arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "id": "i-1",
                             "ebs_optimized": "false", "tags": {"Name": "web"}});
            assert_eq!(
                found,
                [
                    ("aws_instance.web[1]".into(), true, account, web),
                    (
                        "module.net.module.dns.aws_iam_role.r".into(),
                        false,
                        account,
                        json!({"id": "r", "name": "r"})
                    ),
                ]
            );
            let file = &inventory.states()[0];
            assert_eq!((file.serial, file.resources), (Some(3), 2));
        }
    }
}
