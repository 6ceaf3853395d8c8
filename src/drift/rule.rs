//! One rule about severity: which drifts it speaks of, and what must hold of their values.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::model::{Attribute, Certainty, Drift, Kind, Severity};
use super::{policy, wildcard};

/// What the rules may look at.
///
/// Judge before secrets are masked, and give the attributes of an unmanaged resource where its
/// creation shows them, even if the report leaves them out.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What happened to the resource.
    pub kind: Kind,
    /// Terraform's resource type.
    pub resource_type: &'a str,
    /// The id that AWS knows it by.
    pub resource_id: Option<&'a str>,
    /// The account it lives in, to tell a foreign one.
    pub account: &'a str,
    /// What differs, or, of a new resource, what it was made with.
    pub attributes: &'a [Attribute],
}

impl<'a> From<&'a Drift> for View<'a> {
    fn from(drift: &'a Drift) -> Self {
        Self {
            kind: drift.kind,
            resource_type: &drift.resource_type,
            resource_id: drift.resource_id.as_deref(),
            account: &drift.account,
            attributes: &drift.attributes,
        }
    }
}

/// One judgement: which drifts it is about, and how much they matter.
///
/// All that is stated must hold; where several values are listed, one of them is enough.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable name, in kebab case.
    pub id: String,
    /// How much it matters.
    #[serde(deserialize_with = "severity_word")]
    pub severity: Severity,
    /// One sentence that says why.
    pub why: String,
    /// What must have happened; a change, if nothing is said.
    #[serde(default = "modified", deserialize_with = "kind_words")]
    pub kinds: Vec<Kind>,
    /// [Globs](super::wildcard) of resource types.
    #[serde(default = "anything")]
    pub types: Vec<String>,
    /// Globs of ids, where a resource is judged by its id alone.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Globs of attribute paths, written without indexes (`root_block_device.volume_size`).
    /// Nothing said: the resource as a whole.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Values that Terraform believes.
    #[serde(default)]
    before: OneOrMany,
    /// Values that the evidence ends with. False also stands for "not set".
    #[serde(default)]
    after: OneOrMany,
    /// Texts that are new anywhere inside the value.
    #[serde(default)]
    gained: Vec<String>,
    /// Texts that are gone from anywhere inside the value.
    #[serde(default)]
    lost: Vec<String>,
    /// Whether nothing is left of the value.
    #[serde(default)]
    unset: bool,
    /// Whether the number became smaller, but not zero.
    #[serde(default)]
    decreased: bool,
    /// Whether the attribute is secret.
    #[serde(default)]
    sensitive: bool,
    /// What a policy newly allows.
    #[serde(default)]
    policy: Option<policy::Grant>,
}

impl Rule {
    /// Whether it speaks of such a resource and of what happened to it.
    pub(super) fn is_about(&self, view: &View<'_>) -> bool {
        let fits =
            |globs: &[String], text: &str| globs.iter().any(|glob| wildcard::matches(glob, text));
        self.kinds.contains(&view.kind)
            && fits(&self.types, view.resource_type)
            && (self.ids.is_empty() || view.resource_id.is_some_and(|id| fits(&self.ids, id)))
    }

    pub(super) fn has_conditions(&self) -> bool {
        self.sensitive || self.looks_at_values()
    }

    fn looks_at_values(&self) -> bool {
        !self.after.0.is_empty()
            || !self.gained.is_empty()
            || !self.lost.is_empty()
            || self.unset
            || self.decreased
            || self.policy.is_some()
    }

    pub(super) fn matches(&self, attribute: &Attribute, path: &str, account: &str) -> bool {
        let in_place = self.attributes.is_empty()
            || self
                .attributes
                .iter()
                .any(|glob| wildcard::matches(glob, path));
        if !in_place || (self.sensitive && !attribute.sensitive) {
            return false;
        }
        let before = attribute.before.as_ref().unwrap_or(&Value::Null);
        let after = attribute.after.as_ref().unwrap_or(&Value::Null);
        if !self.before.allows(before) {
            return false;
        }
        // A value that nobody saw fits no condition; rules without one still apply.
        if attribute.certainty == Certainty::Indeterminate {
            return !self.looks_at_values();
        }
        let gained = |text: &String| match &attribute.added {
            Some(added) => added.iter().any(|member| holds(member, text)),
            None => holds(after, text) && !holds(before, text),
        };
        let lost = |text: &String| holds(before, text) && !holds(after, text);
        self.after.allows(after)
            && (self.gained.is_empty() || self.gained.iter().any(gained))
            && (self.lost.is_empty() || self.lost.iter().any(lost))
            && (!self.unset || (is_unset(after) && !is_unset(before)))
            && (!self.decreased || decreased(before, after))
            && self
                .policy
                .is_none_or(|grant| grant.is_new(before, after, account))
    }
}

/// A path without indexes and with dotted keys: `a[0].b` is `a.b`, `tags["x/y"]` is `tags.x/y`.
#[must_use]
pub fn plain_path(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((head, tail)) = rest.split_once('[') {
        plain.push_str(head);
        if let Some(quoted) = tail.strip_prefix('"') {
            let Some((key, after)) = quoted.split_once("\"]") else {
                rest = tail;
                break;
            };
            plain.push('.');
            plain.push_str(key);
            rest = after;
        } else {
            rest = tail.split_once(']').map_or("", |parts| parts.1);
        }
    }
    plain.push_str(rest);
    plain
}

/// Whether a text stands anywhere in a value as a whole string.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string == text,
        Value::Array(members) => members.iter().any(|member| holds(member, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(members) => members.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn decreased(before: &Value, after: &Value) -> bool {
    match (number(before), number(after)) {
        (Some(before), Some(after)) => after < before && after > 0.0,
        _ => false,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Whether two scalars mean the same, one of which may be written as text.
fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Bool(false), found) if is_unset(found) => true,
        (Value::Bool(wanted), Value::String(text)) => text.parse() == Ok(*wanted),
        (Value::Number(_), found) => number(wanted) == number(found),
        (wanted, found) => wanted == found,
    }
}

/// One value or a list of them, any of which will do; none allows everything.
#[derive(Debug, Clone, Default)]
struct OneOrMany(Vec<Value>);

impl OneOrMany {
    fn allows(&self, found: &Value) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| same(wanted, found))
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Array(values) => Ok(Self(values)),
            Value::Object(_) => Err(D::Error::custom(
                "expected a text, a number, true or false, or a list of them",
            )),
            value => Ok(Self(vec![value])),
        }
    }
}

/// Reads the word of a severity.
///
/// # Errors
///
/// With the words that exist.
pub fn parse_severity(word: &str) -> Result<Severity, String> {
    let found = Severity::ALL
        .into_iter()
        .find(|severity| severity.word() == word);
    found.ok_or_else(|| format!("`{word}` is no severity; write critical, high, medium or low"))
}

/// Reads the word of a kind.
///
/// # Errors
///
/// With the words that exist.
pub fn parse_kind(word: &str) -> Result<Kind, String> {
    let found = [Kind::Modified, Kind::Deleted, Kind::Unmanaged]
        .into_iter()
        .find(|kind| kind.word() == word);
    found.ok_or_else(|| {
        format!("`{word}` is no kind of drift; write modified, deleted or unmanaged")
    })
}

fn severity_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    parse_severity(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn kind_words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Kind>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words
        .iter()
        .map(|word| parse_kind(word).map_err(D::Error::custom))
        .collect()
}

fn modified() -> Vec<Kind> {
    vec![Kind::Modified]
}

fn anything() -> Vec<String> {
    vec!["*".to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_rule_is_refused_with_what_would_be_right() {
        let table = [
            (
                "id = 'x'\nwhy = ''\nseverity = 'urgent'",
                "critical, high, medium or low",
            ),
            (
                "id = 'x'\nwhy = ''\nseverity = 'low'\nkinds = ['changed']",
                "modified, deleted or unmanaged",
            ),
            (
                "id = 'x'\nwhy = ''\nseverity = 'low'\nattribute = ['a']",
                "attributes",
            ),
            (
                "id = 'x'\nwhy = ''\nseverity = 'low'\npolicy = 'admin'",
                "administration",
            ),
            ("why = ''\nseverity = 'low'", "id"),
        ];
        for (text, hint) in table {
            let refused = toml::from_str::<Rule>(text).unwrap_err().to_string();
            assert!(refused.contains(hint), "{refused}");
        }
    }

    #[test]
    fn paths_lose_their_indexes_and_keep_their_keys() {
        let table = [
            ("a[0].b[12].c", "a.b.c"),
            ("tags.Owner", "tags.Owner"),
            (r#"tags["a.b/c"]"#, "tags.a.b/c"),
            (r#"a[0].tags["x]y"].z"#, "a.tags.x]y.z"),
            ("a[", "a"),
            ("a[\"", "a\""),
        ];
        for (path, expected) in table {
            assert_eq!(plain_path(path), expected);
        }
    }
}
