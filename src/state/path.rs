//! Terraform's name for an attribute of a resource, or for a part of one.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::syntax::{Bracket, Cursor, SyntaxError, is_identifier, write_quoted};

/// Path of an attribute: `root_block_device[0].volume_size`, `tags["kubernetes.io/role"]`.
///
/// Attribute names and map keys are one kind of step: `tags.Owner` and `tags["Owner"]` are the
/// same path, written the first way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct AttributePath(Box<[Step]>);

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Into an object or a map.
    Name(Box<str>),
    /// Into a list.
    Index(u64),
}

impl AttributePath {
    /// The attributes in which two objects differ: of maps key by key, of a list of one block at
    /// most inside it, of any other list the whole.
    #[must_use]
    pub fn differences(one: &Value, other: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        differ(one, other, &mut Vec::new(), &mut found);
        found
    }

    /// The steps, from the resource inwards.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether `other` is this path or lies below it: `tags` covers `tags.token`.
    /// The empty path covers everything.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Reads a `sensitive_attributes` of a state: a list of paths, each a list of steps
    /// `{"type": "get_attr", "value": "name"}` or `{"type": "index", "value": …}`.
    ///
    /// What is of another shape is read so that rather too much than too little is covered: a
    /// bare step or text is a path of its own, and a path ends before a step that cannot be told,
    /// such as one into a set.
    #[must_use]
    pub fn from_sensitive_attributes(paths: &Value) -> Vec<Self> {
        let Value::Array(paths) = paths else {
            return Vec::new();
        };
        let read = |path: &Value| match path {
            Value::Array(steps) => Self(steps.iter().map_while(read_step).collect()),
            single => Self(read_step(single).into_iter().collect()),
        };
        paths.iter().map(read).collect()
    }

    /// Reads the marks of `terraform show -json` (`sensitive_values`): the shape of the value
    /// with `true` wherever it is sensitive.
    #[must_use]
    pub fn from_sensitive_values(marks: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        collect_marks(marks, &mut Vec::new(), &mut found);
        found
    }
}

fn differ(one: &Value, other: &Value, steps: &mut Vec<Step>, found: &mut Vec<AttributePath>) {
    // To a provider, what is not there, null and what is empty are mostly the same.
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    match (one, other) {
        _ if one == other || (is_nothing(one) && is_nothing(other)) => {}
        (Value::Object(left), Value::Object(right)) => {
            let new = right.keys().filter(|name| !left.contains_key(*name));
            for name in left.keys().chain(new) {
                let part =
                    |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
                steps.push(Step::Name(name.as_str().into()));
                differ(&part(left), &part(right), steps, found);
                steps.pop();
            }
        }
        (Value::Array(left), Value::Array(right)) => match (left.as_slice(), right.as_slice()) {
            ([left @ Value::Object(_)], [right @ Value::Object(_)]) => {
                steps.push(Step::Index(0));
                differ(left, right, steps, found);
                steps.pop();
            }
            _ => found.push(AttributePath(steps.clone().into())),
        },
        _ => found.push(AttributePath(steps.clone().into())),
    }
}

fn read_step(step: &Value) -> Option<Step> {
    match step {
        Value::String(name) => Some(Step::Name(name.as_str().into())),
        Value::Number(number) => number.as_u64().map(Step::Index),
        // The key of an index step is written with its type: {"type": "string", "value": "a"}.
        Value::Object(step) => read_step(step.get("value")?),
        _ => None,
    }
}

fn collect_marks(marks: &Value, steps: &mut Vec<Step>, found: &mut Vec<AttributePath>) {
    match marks {
        Value::Bool(true) => found.push(AttributePath(steps.clone().into())),
        Value::Array(members) => {
            for (index, mark) in (0..).zip(members) {
                steps.push(Step::Index(index));
                collect_marks(mark, steps, found);
                steps.pop();
            }
        }
        Value::Object(members) => {
            for (name, mark) in members {
                steps.push(Step::Name(name.as_str().into()));
                collect_marks(mark, steps, found);
                steps.pop();
            }
        }
        _ => {}
    }
}

impl FromIterator<Step> for AttributePath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if is_identifier(name) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(name)?;
                }
                Step::Name(name) => {
                    f.write_str("[")?;
                    write_quoted(f, name)?;
                    f.write_str("]")?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for AttributePath {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        let mut cursor = Cursor::new(text);
        let mut steps = Vec::new();
        while !cursor.is_at_end() {
            match cursor.bracket()? {
                Some(Bracket::Number(index)) => steps.push(Step::Index(index)),
                Some(Bracket::Text(name)) => steps.push(Step::Name(name.into())),
                None => {
                    if !steps.is_empty() && !cursor.take(".") {
                        return Err(cursor.error("`.` or `[` is expected here"));
                    }
                    steps.push(Step::Name(cursor.name()?.into()));
                }
            }
        }
        Ok(Self(steps.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn written(paths: &[AttributePath]) -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn differences_are_named_as_terraform_names_attributes() {
        let one = json!({"a": 1, "same": [1], "none": null, "tags": {"x": "1", "gone": "2", "a.b": "c"},
            "block": [{"size": 1, "kind": "k"}], "rules": [{"p": 1}, {"p": 2}], "list": [1, 2]});
        let other = json!({"a": 2, "same": [1], "none": [], "tags": {"x": "1", "new": "3", "a.b": "d"},
            "block": [{"size": 2, "kind": "k"}], "rules": [{"p": 1}], "list": [1]});
        let found = AttributePath::differences(&one, &other);
        let mut paths: Vec<String> = found.iter().map(ToString::to_string).collect();
        paths.sort();
        assert_eq!(
            paths,
            [
                "a",
                "block[0].size",
                "list",
                "rules",
                "tags.gone",
                "tags.new",
                "tags[\"a.b\"]"
            ]
        );
    }

    #[test]
    fn paths_are_written_in_terraforms_syntax() {
        for (text, canonical) in [
            ("instance_type", "instance_type"),
            (
                "root_block_device[0].volume_size",
                "root_block_device[0].volume_size",
            ),
            ("tags[\"Owner\"]", "tags.Owner"),
            ("tags.my-key", "tags.my-key"),
            (
                "tags[\"kubernetes.io/role\"]",
                "tags[\"kubernetes.io/role\"]",
            ),
            ("tags[\"0\"]", "tags[\"0\"]"),
            ("a[0][1].b", "a[0][1].b"),
        ] {
            let path: AttributePath = text.parse().expect(text);
            assert_eq!(path.to_string(), canonical);
        }
    }

    #[test]
    fn a_path_covers_itself_and_what_lies_below_but_no_namesake() {
        let path = |text: &str| text.parse::<AttributePath>().expect(text);
        for (outer, inner, expected) in [
            ("tags", "tags.token", true),
            ("tags", "tags", true),
            ("tags.token", "tags", false),
            ("tags", "tags_all", false),
            ("a[0]", "a[0].b", true),
            ("a[0]", "a[1].b", false),
            ("", "a", true),
        ] {
            assert_eq!(
                path(outer).covers(&path(inner)),
                expected,
                "{outer} {inner}"
            );
        }
    }

    #[test]
    fn every_shape_of_sensitive_attributes_is_understood() {
        let attribute = |name: &str| json!({"type": "get_attr", "value": name});
        for (shape, expected) in [
            (json!([[attribute("password")]]), vec!["password"]),
            (
                json!([[
                    attribute("master"), {"type": "index", "value": {"type": "number", "value": 0}},
                    attribute("key")
                ]]),
                vec!["master[0].key"],
            ),
            (
                json!([[attribute("tags"), {"type": "index", "value": {"type": "string", "value": "a/b"}}]]),
                vec!["tags[\"a/b\"]"],
            ),
            (
                json!([[attribute("setting"), {"type": "index", "value": {"type": ["object", {}], "value": {}}}]]),
                vec!["setting"],
            ),
            (
                json!([attribute("password"), attribute("token")]),
                vec!["password", "token"],
            ),
            (json!(["password"]), vec!["password"]),
            (json!([]), vec![]),
            (json!(null), vec![]),
        ] {
            assert_eq!(
                written(&AttributePath::from_sensitive_attributes(&shape)),
                expected
            );
        }
    }

    #[test]
    fn sensitive_values_are_read_from_their_marks() {
        let marks = json!({"password": true, "tags": {}, "block": [{"key": true}, {}], "map": {"a b": true}});
        assert_eq!(
            written(&AttributePath::from_sensitive_values(&marks)),
            ["block[0].key", "map[\"a b\"]", "password"]
        );
    }

    proptest! {
        #[test]
        fn every_path_survives_being_written_and_read(
            steps in proptest::collection::vec(prop_oneof![
                any::<u64>().prop_map(Step::Index),
                any::<String>().prop_map(|name| Step::Name(name.into())),
                "[a-z_]{1,6}".prop_map(|name| Step::Name(name.into())),
            ], 0..5),
        ) {
            let path: AttributePath = steps.into_iter().collect();
            prop_assert_eq!(path.to_string().parse::<AttributePath>(), Ok(path));
        }
    }
}
