//! What an `import` block of Terraform names a resource by; the grammar is a table, `import.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::model::Drift;

/// An import id, as far as the evidence tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportId {
    /// All of it is known.
    Known(String),
    /// Parts of it are not; they stand as `<word>`.
    Partial(String),
    /// Terraform cannot import the type.
    Impossible,
}

const TABLE: &str = include_str!("import.toml");

/// Templates by type. A test holds the embedded table to its grammar.
static TEMPLATES: LazyLock<BTreeMap<String, String>> =
    LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

/// The import id of the resource that a drift is about.
#[must_use]
pub fn import_id(drift: &Drift) -> ImportId {
    let template = TEMPLATES
        .get(&drift.resource_type)
        .map_or("{id}", String::as_str);
    if template.is_empty() {
        return ImportId::Impossible;
    }
    let (filled, whole) = fill(template, drift);
    if whole {
        return ImportId::Known(filled);
    }
    // Some ids in states are in the form of the import already.
    match drift.resource_id.as_deref() {
        Some(id) if has_form(template, id) => ImportId::Known(id.to_owned()),
        _ => ImportId::Partial(filled),
    }
}

/// Fills a template in, and says whether nothing was missing.
fn fill(template: &str, drift: &Drift) -> (String, bool) {
    let (mut filled, mut whole) = (String::new(), true);
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Word { word, tail } => match value(word, drift) {
                Some(value) if tail => {
                    filled.push_str(value.rsplit(['/', ':']).next().unwrap_or_default());
                }
                Some(value) => filled.push_str(&value),
                None => {
                    whole = false;
                    filled.push('<');
                    filled.push_str(word);
                    filled.push('>');
                }
            },
        }
    }
    (filled, whole)
}

/// Whether a text holds all that stands between the words of a template, in order.
fn has_form(template: &str, text: &str) -> bool {
    let mut rest = text;
    let mut joints = 0;
    for piece in pieces(template) {
        if let Piece::Text(joint) = piece {
            let Some((before, after)) = rest.split_once(joint) else {
                return false;
            };
            if before.is_empty() {
                return false;
            }
            joints += 1;
            rest = after;
        }
    }
    joints > 0 && !rest.is_empty()
}

enum Piece<'a> {
    Text(&'a str),
    Word { word: &'a str, tail: bool },
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    template.split_inclusive('}').flat_map(|part| {
        let (text, word) = match part.strip_suffix('}').and_then(|part| part.split_once('{')) {
            Some((text, word)) => (text, Some(word)),
            None => (part, None),
        };
        let text = (!text.is_empty()).then_some(Piece::Text(text));
        let word = word.map(|word| match word.strip_suffix(":tail") {
            Some(word) => Piece::Word { word, tail: true },
            None => Piece::Word { word, tail: false },
        });
        text.into_iter().chain(word)
    })
}

fn value<'a>(word: &str, drift: &'a Drift) -> Option<Cow<'a, str>> {
    let id = drift.resource_id.as_deref();
    let text = match word {
        "id" => id,
        "arn" => drift
            .arn
            .as_deref()
            .or(id.filter(|id| id.starts_with("arn:"))),
        "account" | "catalog_id" => Some(drift.account.as_str()),
        "region" => Some(drift.region.as_str()),
        // The default bus is not always named.
        "event_bus_name" => return attribute(word, drift).or(Some(Cow::Borrowed("default"))),
        _ => return attribute(word, drift),
    };
    text.filter(|text| !text.is_empty()).map(Cow::Borrowed)
}

/// A scalar attribute of the resource, or the only member of a list.
fn attribute<'a>(name: &str, drift: &'a Drift) -> Option<Cow<'a, str>> {
    let found = drift
        .attributes
        .iter()
        .find(|attribute| attribute.path == name && !attribute.sensitive)?;
    let mut value = found.after.as_ref()?;
    if let Value::Array(members) = value
        && let [only] = members.as_slice()
    {
        value = only;
    }
    match value {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Owned(truth.to_string())),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::model::{Attribute, Certainty, Kind, Remedy, Severity, Status};
    use super::*;

    /// An unmanaged resource with some attributes.
    pub fn unmanaged(resource_type: &str, id: Option<&str>, attributes: &[(&str, Value)]) -> Drift {
        let attribute = |(path, after): &(&str, Value)| Attribute {
            path: (*path).to_owned(),
            before: None,
            after: Some(after.clone()),
            certainty: Certainty::Exact,
            sensitive: false,
            added: None,
            removed: None,
            by: Vec::new(),
        };
        Drift {
            id: "0123456789abcdef".to_owned(),
            kind: Kind::Unmanaged,
            status: Status::Open,
            severity: Severity::Medium,
            address: None,
            resource_type: resource_type.to_owned(),
            resource_id: id.map(str::to_owned),
            resource_name: None,
            arn: None,
            parent: None,
            state: None,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            attributes: attributes.iter().map(attribute).collect(),
            events: Vec::new(),
            rules: Vec::new(),
            suppressed_by: None,
            source: None,
            remedy: Remedy::default(),
        }
    }

    #[test]
    fn the_table_can_be_read_and_its_braces_close() {
        let table: BTreeMap<String, String> = toml::from_str(TABLE).unwrap();
        assert!(table.len() > 60, "{}", table.len());
        for (resource_type, template) in &table {
            assert!(resource_type.starts_with("aws_"), "{resource_type}");
            assert_eq!(
                template.matches('{').count(),
                template.matches('}').count(),
                "{template}"
            );
            let words = pieces(template)
                .filter(|piece| matches!(piece, Piece::Word { .. }))
                .count();
            assert_eq!(words, template.matches('{').count(), "{template}");
        }
    }

    #[test]
    fn each_type_is_named_as_its_import_wants_it() {
        let known = |id: &str| ImportId::Known(id.to_owned());
        let partial = |id: &str| ImportId::Partial(id.to_owned());
        let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        let table = [
            (unmanaged("aws_instance", Some("i-1"), &[]), known("i-1")),
            (unmanaged("aws_new_thing", None, &[]), partial("<id>")),
            (
                unmanaged(
                    "aws_iam_role_policy_attachment",
                    Some("ci-2026"),
                    &[("role", json!("ci")), ("policy_arn", json!(policy))],
                ),
                known("ci/arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ),
            (
                unmanaged(
                    "aws_iam_role_policy_attachment",
                    Some("ci/arn:aws:iam::aws:policy/ReadOnlyAccess"),
                    &[],
                ),
                known("ci/arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ),
            (
                unmanaged(
                    "aws_iam_role_policy_attachment",
                    Some("ci-2026"),
                    &[("role", json!("ci"))],
                ),
                partial("ci/<policy_arn>"),
            ),
            (
                unmanaged(
                    "aws_security_group_rule",
                    Some("sgr-1"),
                    &[
                        ("security_group_id", json!("sg-1")),
                        ("type", json!("ingress")),
                        ("protocol", json!("tcp")),
                        ("from_port", json!(22)),
                        ("to_port", json!(22)),
                        ("cidr_blocks", json!(["0.0.0.0/0"])),
                    ],
                ),
                known("sg-1_ingress_tcp_22_22_0.0.0.0/0"),
            ),
            (
                unmanaged(
                    "aws_ecs_service",
                    Some("arn:aws:ecs:us-east-1:123456789012:service/main/api"),
                    &[
                        (
                            "cluster",
                            json!("arn:aws:ecs:us-east-1:123456789012:cluster/main"),
                        ),
                        ("name", json!("api")),
                    ],
                ),
                known("main/api"),
            ),
            (
                unmanaged(
                    "aws_ecs_task_definition",
                    Some("arn:aws:ecs:us-east-1:1:task-definition/web:17"),
                    &[],
                ),
                known("arn:aws:ecs:us-east-1:1:task-definition/web:17"),
            ),
            (
                unmanaged(
                    "aws_cloudwatch_event_rule",
                    Some("r"),
                    &[("name", json!("r"))],
                ),
                known("default/r"),
            ),
            (
                unmanaged("aws_iam_group_membership", Some("x"), &[]),
                ImportId::Impossible,
            ),
        ];
        for (drift, expected) in table {
            assert_eq!(
                import_id(&drift),
                expected,
                "{} {:?}",
                drift.resource_type,
                drift.resource_id
            );
        }
    }

    #[test]
    fn a_secret_is_never_part_of_an_import_id() {
        let mut drift = unmanaged(
            "aws_iam_user_policy",
            None,
            &[("user", json!("eve")), ("name", json!("x"))],
        );
        for attribute in &mut drift.attributes {
            attribute.sensitive = true;
        }
        assert_eq!(
            import_id(&drift),
            ImportId::Partial("<user>:<name>".to_owned())
        );
    }
}
