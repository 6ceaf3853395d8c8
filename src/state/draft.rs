//! One resource instance on its way from a state's text into the inventory: what is kept of its
//! attributes, and what it can be named by.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::address::{Address, Key, ModuleStep};
use super::inventory::{Naming, Scope};
use super::path::{AttributePath, Step};

/// Attributes by which providers commonly name a resource; kept even when no rule knows the type.
const NAMES: [&str; 3] = ["id", "arn", "name"];

/// The attribute by which a provider tells the region of a resource.
const REGION: &str = "region";

/// What all instances of one resource type share.
pub(crate) struct Kind {
    /// The resource type.
    pub(crate) name: Arc<str>,
    /// What calls may name an instance by; none when no rule knows the type.
    keys: Option<Vec<AttributePath>>,
}

impl Kind {
    pub(crate) fn new(name: &str, naming: &dyn Naming) -> Self {
        let paths = |keys: &[String]| keys.iter().map(|key| parse_key(key)).collect();
        Self {
            name: name.into(),
            keys: naming.keys(name).map(paths),
        }
    }

    fn mentions(&self, attribute: &str) -> bool {
        NAMES.contains(&attribute)
            || attribute == REGION
            || self.keys.iter().flatten().any(
                |key| matches!(key.steps().first(), Some(Step::Name(name)) if **name == *attribute),
            )
    }
}

/// A key that is not in the syntax of paths matches nothing.
fn parse_key(key: &str) -> AttributePath {
    key.parse().unwrap_or_default()
}

/// An instance as a state shows it.
pub(crate) struct Found<'a> {
    pub(crate) module: Arc<[ModuleStep]>,
    pub(crate) kind: Arc<Kind>,
    pub(crate) name: Arc<str>,
    pub(crate) key: Option<Key>,
    /// The provider configuration that manages it, alias and all.
    pub(crate) provider: Arc<str>,
    /// Whether Terraform will replace it with the next apply.
    pub(crate) tainted: bool,
    /// The attributes: a JSON object.
    pub(crate) attributes: Cow<'a, str>,
    /// Which of them are secret.
    pub(crate) sensitive: Vec<AttributePath>,
}

impl Found<'_> {
    pub(crate) fn address(&self) -> Address {
        Address {
            module: Arc::clone(&self.module),
            resource_type: Arc::clone(&self.kind.name),
            name: Arc::clone(&self.name),
            key: self.key.clone(),
        }
    }
}

/// An instance as the inventory takes it.
pub(crate) struct Draft {
    pub(crate) address: Address,
    pub(crate) provider: Arc<str>,
    pub(crate) tainted: bool,
    pub(crate) attributes: Box<str>,
    pub(crate) sensitive: Box<[AttributePath]>,
    pub(crate) identifiers: Vec<Identifier>,
    /// What its own identifier tells of account and region.
    pub(crate) scope: Option<Scope>,
    /// The region that an attribute tells.
    pub(crate) region: Option<String>,
}

/// Something a call may name the instance by.
pub(crate) struct Identifier {
    /// Position among the keys of the type; none for a common name that is no key.
    pub(crate) key: Option<u16>,
    /// Its short form.
    pub(crate) short: Box<str>,
}

impl Draft {
    /// Keeps of an instance what later questions can be about. `buffer` is scratch space.
    ///
    /// # Errors
    ///
    /// When the attributes are no JSON object.
    pub(crate) fn new(
        found: Found<'_>,
        naming: &dyn Naming,
        buffer: &mut String,
    ) -> Result<Self, serde_json::Error> {
        buffer.clear();
        compact(&found.attributes, buffer);
        let members = select(buffer, &found.kind)?;
        let text = |name: &str| {
            let member = members.iter().rev().find(|(member, _)| member == name)?;
            serde_json::from_str::<Cow<'_, str>>(member.1.get())
                .ok()
                .filter(|text| !text.is_empty())
        };

        let mut identifiers = Vec::new();
        for (number, key) in (0_u16..).zip(found.kind.keys.iter().flatten()) {
            let Some((Step::Name(root), inner)) = key.steps().split_first() else {
                continue;
            };
            if let Some((_, value)) = members.iter().rev().find(|(name, _)| **name == **root) {
                each_text(value, inner, &mut |identifier| {
                    identifiers.push(Identifier {
                        key: Some(number),
                        short: naming.short(identifier).into(),
                    });
                });
            }
        }
        for name in NAMES {
            if let Some(identifier) = text(name) {
                let short = naming.short(&identifier);
                if identifiers.iter().all(|known| *known.short != *short) {
                    identifiers.push(Identifier {
                        key: None,
                        short: short.into(),
                    });
                }
            }
        }
        let scope = ["arn", "id"]
            .into_iter()
            .find_map(|name| naming.scope(&text(name)?));
        let region = text(REGION).map(Cow::into_owned);
        let attributes = if found.kind.keys.is_some() {
            buffer.as_str().into()
        } else {
            object_of(&members)
        };
        Ok(Self {
            address: found.address(),
            provider: found.provider,
            tainted: found.tainted,
            attributes,
            sensitive: found.sensitive.into(),
            identifiers,
            scope,
            region,
        })
    }
}

type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// The attributes that identify, unparsed.
fn select<'a>(attributes: &'a str, kind: &Kind) -> Result<Members<'a>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(attributes);
    let members = reader.deserialize_map(Selection { kind })?;
    reader.end()?;
    Ok(members)
}

struct Selection<'k> {
    kind: &'k Kind,
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Selection<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if self.kind.mentions(&name) {
                members.push((name, value));
            }
        }
        Ok(members)
    }
}

fn object_of(members: &Members<'_>) -> Box<str> {
    let mut out = String::from("{");
    for (position, (name, value)) in members.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(name.as_ref()).to_string());
        out.push(':');
        out.push_str(value.get());
    }
    out.push('}');
    out.into()
}

/// Calls `each` with every text or number at `path`; members of lists on the way all count.
fn each_text(raw: &RawValue, path: &[Step], each: &mut dyn FnMut(&str)) {
    if path.is_empty()
        && let Ok(text) = serde_json::from_str::<Name<'_>>(raw.get())
    {
        if !text.0.is_empty() {
            each(&text.0);
        }
    } else if let Ok(value) = serde_json::from_str::<Value>(raw.get()) {
        each_text_of(&value, path, each);
    }
}

fn each_text_of(value: &Value, path: &[Step], each: &mut dyn FnMut(&str)) {
    match (value, path.split_first()) {
        (Value::String(text), None) if !text.is_empty() => each(text),
        (Value::Number(number), None) => each(&number.to_string()),
        (Value::Object(members), Some((Step::Name(name), inner))) => {
            if let Some(member) = members.get(&**name) {
                each_text_of(member, inner, each);
            }
        }
        (Value::Array(members), Some((Step::Index(index), inner))) => {
            let member = usize::try_from(*index).ok().and_then(|at| members.get(at));
            if let Some(member) = member {
                each_text_of(member, inner, each);
            }
        }
        (Value::Array(members), _) => {
            for member in members {
                each_text_of(member, path, each);
            }
        }
        _ => {}
    }
}

/// Copies a JSON text without the white space between its tokens.
fn compact(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len());
    let (mut from, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.push_str(text.get(from..at - 1).unwrap_or_default());
                while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
                    at += 1;
                }
                from = at;
            }
            _ => {}
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// The position behind the closing quote of a string whose inside begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found + 1;
        match bytes.get(at - 1) {
            Some(b'\\') => at += 1,
            _ => return at,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_of_lists_on_the_way_to_an_identifier_all_count() {
        let value = json!({"block": [{"id": "a"}, {"id": ""}, {"id": 7}], "ids": ["x", null, "y"], "map": {"k.v": "z"}});
        for (path, expected) in [
            ("block.id", vec!["a", "7"]),
            ("block[0].id", vec!["a"]),
            ("ids", vec!["x", "y"]),
            ("map[\"k.v\"]", vec!["z"]),
            ("block", vec![]),
            ("nothing.id", vec![]),
        ] {
            let path: AttributePath = path.parse().expect(path);
            let mut found = Vec::new();
            each_text_of(&value, path.steps(), &mut |text| {
                found.push(text.to_owned());
            });
            assert_eq!(found, expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn compacting_changes_nothing_but_white_space(
            texts in proptest::collection::vec("[\"\\\\ \\n\\t:,{}\u{e9}a]{0,8}", 0..5),
        ) {
            let value = json!({"list": texts, "nested": {"a b": [1, {"x": null}]}});
            let pretty = serde_json::to_string_pretty(&value).expect("serialises");
            let mut out = String::new();
            compact(&pretty, &mut out);
            prop_assert_eq!(out, value.to_string());
        }
    }
}
