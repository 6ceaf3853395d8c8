//! Attributes as Terraform kept them before 0.12: one map of texts whose keys are paths.
//!
//! `tags.%` counts a map, `ingress.#` a list or a set, `ingress.123.from_port` stands in one of
//! its members. Without the schema every value stays text; comparing is by meaning, so that `"5"`
//! is 5. Members of a set are named by a hash and come in its order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Deeper nesting than any schema has is left as part of a name.
const DEEPEST: usize = 32;

/// The nested attributes that a flat map stands for.
pub(super) fn expand(flat: &BTreeMap<String, String>) -> Map<String, Value> {
    let entries: Vec<_> = flat
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    members_of(&entries, DEEPEST)
}

type Entry<'a> = (&'a str, &'a str);

/// An object: its entries grouped by the first part of their keys.
fn members_of(entries: &[Entry<'_>], depth: usize) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, inner) in group(entries, depth) {
        members.insert(name.to_owned(), value_of(&inner, depth.saturating_sub(1)));
    }
    members
}

/// What the entries below one name amount to. An empty key is the name itself.
fn value_of(entries: &[Entry<'_>], depth: usize) -> Value {
    let find = |wanted: &str| entries.iter().find(|(key, _)| *key == wanted);
    let inner: Vec<_> = entries
        .iter()
        .copied()
        .filter(|(key, _)| !matches!(*key, "" | "#" | "%"))
        .collect();
    let is_numbered = inner
        .iter()
        .all(|(key, _)| key.starts_with(|first: char| first.is_ascii_digit()));
    if find("%").is_some() || (find("#").is_some() && !is_numbered) {
        let texts = inner
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
        return Value::Object(texts.collect());
    }
    if find("#").is_some() {
        let mut members: Vec<_> = group(&inner, depth)
            .into_iter()
            .map(|(name, inner)| (name.parse::<u64>().unwrap_or(u64::MAX), inner))
            .collect();
        members.sort_by_key(|(number, _)| *number);
        let members = members.into_iter();
        return members
            .map(|(_, inner)| value_of(&inner, depth.saturating_sub(1)))
            .collect();
    }
    match find("") {
        Some((_, text)) => Value::from(*text),
        None => Value::Object(members_of(entries, depth)),
    }
}

/// Entries by the first part of their keys, which is taken off.
fn group<'a>(entries: &[Entry<'a>], depth: usize) -> BTreeMap<&'a str, Vec<Entry<'a>>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (key, value) in entries {
        let (name, inner) = match key.split_once('.') {
            Some(split) if depth > 0 => split,
            _ => (*key, ""),
        };
        groups.entry(name).or_default().push((inner, *value));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn expanded(flat: &[(&str, &str)]) -> Value {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Value::Object(expand(&flat.iter().map(own).collect()))
    }

    #[test]
    fn maps_lists_sets_and_blocks_are_nested_again() {
        assert_eq!(
            expanded(&[
                ("id", "i-1"),
                ("ebs_block_device.#", "0"),
                ("root_block_device.#", "1"),
                ("root_block_device.0.volume_size", "8"),
                ("root_block_device.0.tags.%", "1"),
                ("root_block_device.0.tags.a.b", "c"),
                ("security_groups.#", "2"),
                ("security_groups.3814588639", "sg-2"),
                ("security_groups.17", "sg-1"),
                ("tags.%", "2"),
                ("tags.Name", "web"),
                ("tags.kubernetes.io/role", "node"),
                ("zones.#", "11"),
                ("zones.10", "k"),
                ("zones.9", "j"),
            ]),
            json!({
                "id": "i-1", "ebs_block_device": [],
                "root_block_device": [{"volume_size": "8", "tags": {"a.b": "c"}}],
                "security_groups": ["sg-1", "sg-2"],
                "tags": {"Name": "web", "kubernetes.io/role": "node"},
                "zones": ["j", "k"],
            })
        );
    }

    #[test]
    fn the_oldest_states_count_a_map_like_a_list() {
        assert_eq!(
            expanded(&[("tags.#", "1"), ("tags.Name", "web")]),
            json!({"tags": {"Name": "web"}})
        );
        assert_eq!(expanded(&[("tags.#", "0")]), json!({"tags": []}));
    }

    #[test]
    fn a_key_of_a_thousand_parts_does_no_harm() {
        let key = "a.".repeat(100_000);
        let Value::Object(outer) = expanded(&[(&key, "x")]) else {
            panic!("an object")
        };
        assert_eq!(outer.len(), 1);
    }

    proptest! {
        #[test]
        fn no_flat_map_is_too_strange(
            flat in proptest::collection::btree_map("[a-c0-9.#%]{0,12}", "[a-z]{0,3}", 0..12),
        ) {
            let outer = expand(&flat);
            let names = flat.keys().map(|key| key.split('.').next().unwrap_or_default());
            for name in names {
                prop_assert!(outer.contains_key(name));
            }
        }
    }
}
