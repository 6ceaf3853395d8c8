//! What a history is asked of: an address, an id or an ARN, with or without an attribute behind it.

use super::super::names::{ShortOnly, values_at};
use super::super::rule::plain_path;
use crate::catalogue::aws::identifier::{self, Arn};
use crate::catalogue::schema;
use crate::drift::effect::Resolver;
use crate::state::inventory::{InstanceId, Inventory};
use crate::state::{Address, AttributePath};

/// Names that are offered where one was not found.
const OFFERED: usize = 5;

/// Attributes by which people know a resource, beside its id and ARN.
const NAMES: [&str; 5] = ["name", "bucket", "identifier", "function_name", "key_id"];

/// What was asked for, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which resources.
    pub who: Who,
    /// Which attribute of them; all when none. Terraform's path.
    pub path: Option<String>,
}

/// Which resources a history is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// These, which states hold.
    Managed(Vec<InstanceId>),
    /// One that no state has, known by what calls name it.
    Stranger(Stranger),
}

/// A resource that no state has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Its type, where that was given.
    pub resource_type: Option<String>,
    /// Its id, name or ARN.
    pub name: String,
}

/// Why nobody can tell what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No state holds the address.
    #[error("no state holds `{address}`{}", offer(near, "it may be"))]
    Address {
        /// What was asked for.
        address: String,
        /// Addresses that are much like it.
        near: Vec<String>,
    },
    /// The type has no such attribute.
    #[error(
        "{resource_type} has no attribute `{path}`{}",
        offer(near, "it may be")
    )]
    Attribute {
        /// The type.
        resource_type: String,
        /// What was asked for.
        path: String,
        /// Attributes that are much like it.
        near: Vec<String>,
    },
    /// What was asked for lies in other places than were asked for.
    #[error("`{0}` lies in none of the accounts and regions that were asked for")]
    Elsewhere(String),
    /// The text cannot name anything.
    #[error(
        "`{0}` names no resource; write an address, an id, an ARN or TYPE/ID, as aws_instance/i-0abc"
    )]
    Nothing(String),
}

fn offer(near: &[String], words: &str) -> String {
    match near {
        [] => String::new(),
        near => format!("; {words} {}", near.join(", ")),
    }
}

/// Understands what was asked for.
///
/// # Errors
///
/// When it is an address that no state holds, an attribute that its type does not have, or no name.
pub fn find(text: &str, resolver: &Resolver<'_>) -> Result<Subject, Unknown> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_whitespace) && !text.contains('"') {
        return Err(Unknown::Nothing(text.to_owned()));
    }
    let inventory = resolver.inventory;
    if let Ok((address, rest)) = Address::split(text) {
        let found = at_address(inventory, &address);
        if !found.is_empty() {
            let path = path_behind(rest, &address.resource_type)?;
            return Ok(managed(found, path));
        }
        if is_address(text) {
            return Err(Unknown::Address {
                address: address.to_string(),
                near: addresses_near(inventory, &address),
            });
        }
    }
    let (resource_type, name) = match text.split_once('/') {
        Some((kind, name)) if schema::resource(kind).is_some() && !name.is_empty() => {
            (Some(kind), name)
        }
        _ => (None, text),
    };
    let found = named(resolver, resource_type, name);
    if !found.is_empty() {
        return Ok(managed(found, None));
    }
    // An id may hold dots of its own: the longest that a state knows counts.
    for (at, _) in name.rmatch_indices(['.', '[']) {
        let (Some(id), Some(rest)) = (name.get(..at), name.get(at..)) else {
            continue;
        };
        let found = named(resolver, resource_type, id);
        let kind = found
            .first()
            .map(|first| inventory.get(*first).resource_type());
        if let Some(kind) = kind {
            let path = path_behind(rest, kind)?;
            return Ok(managed(found, path));
        }
    }
    Ok(Subject {
        who: Who::Stranger(Stranger {
            resource_type: resource_type.map(str::to_owned),
            name: name.to_owned(),
        }),
        path: None,
    })
}

/// Whether a text can only be an address, which means nothing without a state.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.starts_with("module.")
        || Address::split(text)
            .is_ok_and(|(address, _)| schema::resource(&address.resource_type).is_some())
}

fn managed(found: Vec<InstanceId>, path: Option<String>) -> Subject {
    Subject {
        who: Who::Managed(found),
        path,
    }
}

/// Instances at an address; without a key, all instances of the resource.
fn at_address(inventory: &Inventory, wanted: &Address) -> Vec<InstanceId> {
    let found = inventory.instances().filter(|(_, instance)| {
        let own = instance.address();
        own.module == wanted.module
            && own.resource_type == wanted.resource_type
            && own.name == wanted.name
            && (wanted.key.is_none() || own.key == wanted.key)
    });
    found.map(|(id, _)| id).collect()
}

/// The attribute that stands behind an address, in Terraform's own spelling.
fn path_behind(rest: &str, resource_type: &str) -> Result<Option<String>, Unknown> {
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    if rest.is_empty() {
        return Ok(None);
    }
    let path = rest
        .parse::<AttributePath>()
        .map_or_else(|_| rest.to_owned(), |path| path.to_string());
    let Some(body) = schema::resource(resource_type) else {
        return Ok(Some(path));
    };
    let plain = plain_path(&path);
    if body.at(&plain).is_some() {
        return Ok(Some(path));
    }
    let names = body.attributes.keys().chain(body.blocks.keys());
    Err(Unknown::Attribute {
        resource_type: resource_type.to_owned(),
        near: nearest(&plain, names.map(crate::catalogue::text::Text::as_str)),
        path,
    })
}

fn addresses_near(inventory: &Inventory, wanted: &Address) -> Vec<String> {
    let all: Vec<String> = inventory
        .instances()
        .map(|(_, instance)| instance.address().to_string())
        .collect();
    nearest(&wanted.to_string(), all.iter().map(String::as_str))
}

/// The names most like a text, the nearest first.
fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut near: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let distance = distance(text, name);
            let inside = name.contains(text) || text.contains(name);
            (inside || distance <= 2 + text.chars().count() / 5).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter()
        .take(OFFERED)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// How many letters must come, go or change to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(256).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (down, letter) in one.chars().take(256).enumerate() {
        let mut diagonal = down;
        let mut left = down + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, against) in row.iter_mut().skip(1).zip(&other) {
            let change = diagonal + usize::from(letter != *against);
            diagonal = *cell;
            left = change.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Instances that an id, an ARN or else a name means.
fn named(resolver: &Resolver<'_>, resource_type: Option<&str>, name: &str) -> Vec<InstanceId> {
    let candidates: Vec<InstanceId> = resolver
        .inventory
        .naming(name, &ShortOnly)
        .iter()
        .copied()
        .filter(|id| {
            resource_type.is_none_or(|kind| kind == resolver.inventory.get(*id).resource_type())
        })
        .collect();
    let by = |keys: &[&str]| -> Vec<InstanceId> {
        let fits = |id: &&InstanceId| {
            let texts = |key| {
                values_at(resolver, **id, key)
                    .into_iter()
                    .filter_map(|value| value.as_str().filter(|text| !text.is_empty()))
            };
            match Arn::parse(name) {
                Some(arn) => arn_means(resolver, **id, &arn, name, keys),
                None => keys
                    .iter()
                    .any(|key| texts(*key).any(|own| identifier::same(own, name))),
            }
        };
        candidates.iter().filter(fits).copied().collect()
    };
    let by_id = by(&["id", "arn"]);
    if by_id.is_empty() { by(&NAMES) } else { by_id }
}

/// Whether an ARN is that of an instance: its own where it has one, else one that fits its id.
fn arn_means(
    resolver: &Resolver<'_>,
    id: InstanceId,
    arn: &Arn<'_>,
    text: &str,
    keys: &[&str],
) -> bool {
    let own = |key| {
        values_at(resolver, id, key)
            .first()
            .and_then(|v| v.as_str())
    };
    if let Some(own) = own("arn").filter(|own| !own.is_empty()) {
        return identifier::same(own, text);
    }
    let instance = resolver.inventory.get(id);
    let fits = |asked: &str, own: Option<&str>| asked.is_empty() || own.is_none_or(|o| o == asked);
    let of_service = resolver
        .catalogue
        .services_of(instance.resource_type())
        .any(|rules| rules.service.split('.').next() == Some(arn.service));
    of_service
        && fits(arn.account, instance.account())
        && fits(arn.region, instance.region())
        && keys
            .iter()
            .any(|key| own(key).is_some_and(|own| identifier::same(own, text)))
}

/// Whether a path that a call touched belongs to the one that was asked for: is it, lies in it, or
/// is told as the whole that it lies in.
#[must_use]
pub fn concerns(asked: &str, touched: &str) -> bool {
    let (asked, touched) = (plain_path(asked), plain_path(touched));
    let inside = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    inside(&asked, &touched) || inside(&touched, &asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::drift::names::AwsNaming;
    use crate::state;

    const STATE: &str = r#"{"version": 4, "resources": [
        {"mode": "managed", "module": "module.web", "type": "aws_instance", "name": "app", "instances": [
            {"index_key": 0, "attributes": {"id": "i-0aa", "arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0aa"}},
            {"index_key": 1, "attributes": {"id": "i-0bb", "arn": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0bb"}}]},
        {"mode": "managed", "type": "aws_s3_bucket", "name": "lake", "instances": [
            {"attributes": {"id": "lake.example.com", "bucket": "lake.example.com"}}]},
        {"mode": "managed", "type": "aws_s3_bucket_versioning", "name": "lake", "instances": [
            {"attributes": {"id": "lake.example.com", "bucket": "lake.example.com"}}]},
        {"mode": "managed", "type": "aws_iam_role", "name": "app", "instances": [
            {"attributes": {"id": "app", "name": "app", "arn": "arn:aws:iam::111122223333:role/svc/app"}}]}
    ]}"#;

    fn asked(text: &str) -> Result<(Vec<String>, Option<String>), Unknown> {
        let catalogue = Catalogue::builtin();
        let naming = AwsNaming::new(&catalogue);
        let loaded = state::load_text("x.tfstate", STATE.as_bytes(), &naming);
        let resolver = Resolver::new(&catalogue, &loaded.inventory);
        let subject = find(text, &resolver)?;
        let who = match subject.who {
            Who::Managed(found) => found
                .iter()
                .map(|id| loaded.inventory.get(*id).address().to_string())
                .collect(),
            Who::Stranger(stranger) => vec![format!(
                "{}/{}",
                stranger.resource_type.unwrap_or_default(),
                stranger.name
            )],
        };
        Ok((who, subject.path))
    }

    #[test]
    fn an_address_an_id_an_arn_and_a_name_are_understood() {
        let first = "module.web.aws_instance.app[0]";
        let table: [(&str, &[&str], Option<&str>); 16] = [
            (first, &[first], None),
            (
                "module.web.aws_instance.app",
                &[first, "module.web.aws_instance.app[1]"],
                None,
            ),
            (
                "module.web.aws_instance.app[0].instance_type",
                &[first],
                Some("instance_type"),
            ),
            (
                "module.web.aws_instance.app[0].root_block_device[0].volume_size",
                &[first],
                Some("root_block_device[0].volume_size"),
            ),
            (
                r#"module.web.aws_instance.app[0].tags["a.b/c"]"#,
                &[first],
                Some(r#"tags["a.b/c"]"#),
            ),
            (
                r#"module.web.aws_instance.app[0].tags["Owner"]"#,
                &[first],
                Some("tags.Owner"),
            ),
            ("i-0aa", &[first], None),
            ("i-0aa.tags.Owner", &[first], Some("tags.Owner")),
            ("aws_instance/i-0aa", &[first], None),
            (
                "arn:aws:ec2:eu-west-1:111122223333:instance/i-0aa",
                &[first],
                None,
            ),
            (
                "lake.example.com",
                &["aws_s3_bucket.lake", "aws_s3_bucket_versioning.lake"],
                None,
            ),
            (
                "arn:aws:s3:::lake.example.com",
                &["aws_s3_bucket.lake", "aws_s3_bucket_versioning.lake"],
                None,
            ),
            (
                "aws_s3_bucket/lake.example.com",
                &["aws_s3_bucket.lake"],
                None,
            ),
            (
                "arn:aws:iam::111122223333:role/svc/app",
                &["aws_iam_role.app"],
                None,
            ),
            (
                "arn:aws:iam::444455556666:role/svc/app",
                &["/arn:aws:iam::444455556666:role/svc/app"],
                None,
            ),
            ("aws_instance/i-0cc", &["aws_instance/i-0cc"], None),
        ];
        for (text, who, path) in table {
            let (found, found_path) = asked(text).unwrap();
            assert_eq!(found, who, "{text}");
            assert_eq!(found_path.as_deref(), path, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_is_near() {
        let table = [
            (
                "module.web.aws_instance.ap[0]",
                "module.web.aws_instance.app[0]",
            ),
            ("aws_instance.app", "module.web.aws_instance.app[0]"),
            (
                "module.web.aws_instance.app[0].instance_typ",
                "instance_type",
            ),
            ("aws_iam_role.app.nmae", "name"),
            ("two words", "TYPE/ID"),
            ("", "TYPE/ID"),
        ];
        for (text, hint) in table {
            let refused = asked(text).unwrap_err().to_string();
            assert!(refused.contains(hint), "{text}: {refused}");
        }
    }

    #[test]
    fn an_attribute_concerns_what_it_is_holds_and_lies_in() {
        let table = [
            ("tags", "tags.Owner", true),
            ("tags.Owner", "tags.Owner", true),
            ("tags.Owner", "tags", true),
            ("tags.Owner", "tags.Name", false),
            ("tags", "tags_all", false),
            (
                "root_block_device",
                "root_block_device[0].volume_size",
                true,
            ),
            (
                "root_block_device.volume_size",
                "root_block_device[0].volume_size",
                true,
            ),
            ("ingress[1].from_port", "ingress", true),
            (r#"tags["a.b"]"#, r#"tags["a.b"]"#, true),
        ];
        for (asked, touched, expected) in table {
            assert_eq!(concerns(asked, touched), expected, "{asked} {touched}");
        }
    }
}
