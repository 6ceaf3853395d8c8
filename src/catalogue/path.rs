//! Paths into a call: where a rule finds a value, whatever shape the service logs it in.

use serde_json::Value;

use super::text::Text;
use super::value::is_hidden;

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// What was asked.
    Request,
    /// What came back.
    Response,
    /// A member of the rule's `each`, or of a list of blocks.
    Item,
    /// What the log adds beside request and response.
    Extra,
    /// The ARNs that the record lists.
    Resources,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A member of an object, whatever its case.
    Name(Text),
    /// A member of a map or of a list of key/value pairs. A final `*` matches any rest.
    Key(Text),
}

/// A path into a call, as `attributes["idle_timeout.timeout_seconds"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// The steps from there.
    pub steps: Vec<Step>,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path: write names with dots between them, and keys as [\"key\"]")]
pub struct PathError(String);

/// What a path led to.
#[derive(Debug, Default)]
pub struct Picked<'a> {
    /// The values, in order; several when the path went through a list.
    pub values: Vec<&'a Value>,
    /// Whether the path went through a list.
    pub many: bool,
    /// Whether the path came to a list without members.
    pub emptied: bool,
    /// Whether the way was barred by a value that the log hides.
    pub hidden: bool,
}

/// Keys under which services wrap a single value or a list.
const LIST_WRAPPERS: [&str; 3] = ["items", "item", "member"];
const KEY_NAMES: [&str; 9] = [
    "key",
    "name",
    "attributeName",
    "attributeKey",
    "tagKey",
    "parameterName",
    "optionName",
    "path",
    "id",
];
const VALUE_NAMES: [&str; 6] = [
    "value",
    "attributeValue",
    "tagValue",
    "parameterValue",
    "values",
    "content",
];

impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::of(&text.to_owned().into())
    }
}

impl Path {
    /// Reads a path as rules write it.
    ///
    /// # Errors
    /// When the text is no path.
    pub fn of(text: &Text) -> Result<Self, PathError> {
        let error = || PathError(text.to_string());
        let end = text.trim_end().len();
        let mut at = text.len() - text.trim_start().len();
        let mut steps = Vec::with_capacity(text.matches('.').count() + 1);
        while at < end {
            let rest = &text[at..end];
            if let Some(inner) = rest.strip_prefix("[\"") {
                let length = inner.find("\"]").ok_or_else(error)?;
                steps.push(Step::Key(text.part(at + 2..at + 2 + length)));
                at += length + 4;
            } else {
                let length = rest.find(['.', '[']).unwrap_or(rest.len());
                let name = &rest[..length];
                let plain =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '@');
                if name.is_empty() || !name.chars().all(plain) {
                    return Err(error());
                }
                steps.push(Step::Name(text.part(at..at + length)));
                at += length;
            }
            at += usize::from(text[at..].starts_with('.'));
        }
        let root = match steps.first() {
            Some(Step::Name(name)) => match name.as_str() {
                "response" => Root::Response,
                "item" => Root::Item,
                "extra" => Root::Extra,
                "resources" => Root::Resources,
                _ => Root::Request,
            },
            _ => return Err(error()),
        };
        if root != Root::Request {
            steps.remove(0);
        }
        Ok(Self { root, steps })
    }

    /// The rest of this path below another, if it starts with that one.
    #[must_use]
    pub fn below(&self, above: &Self) -> Option<Self> {
        let inside = self.root == above.root && self.steps.starts_with(&above.steps);
        inside.then(|| Self {
            root: Root::Item,
            steps: self.steps[above.steps.len()..].to_vec(),
        })
    }

    /// Whether the path names a member by key: there an empty text is a value.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Key(_)))
    }
}

/// Follows steps from a value.
#[must_use]
pub fn select<'a>(from: &'a Value, steps: &[Step]) -> Picked<'a> {
    let mut picked = Picked {
        values: vec![from],
        ..Picked::default()
    };
    for (depth, step) in steps.iter().enumerate() {
        let mut next = Vec::new();
        for value in std::mem::take(&mut picked.values) {
            let mut opened = Vec::new();
            open(value, &mut opened, &mut picked.many, step);
            picked.emptied |= opened.is_empty();
            for value in opened {
                if is_hidden(value) {
                    picked.hidden = true;
                    continue;
                }
                let found = member(value, step).or_else(|| {
                    if depth == 0 {
                        unwrapped(value).and_then(|inner| member(inner, step))
                    } else {
                        None
                    }
                });
                next.extend(found);
            }
        }
        picked.values = next;
        if picked.values.is_empty() {
            break;
        }
    }
    picked
}

/// The members of a list in any of the shapes that services log lists in; one value is a list of one.
#[must_use]
pub fn members(value: &Value) -> Vec<&Value> {
    let mut out = Vec::new();
    let mut many = false;
    open(value, &mut out, &mut many, &Step::Name(Text::default()));
    out.retain(|value| !value.is_null());
    out
}

fn open<'a>(value: &'a Value, out: &mut Vec<&'a Value>, many: &mut bool, step: &Step) {
    match value {
        // A key is looked for in a list of pairs as a whole.
        Value::Array(members)
            if matches!(step, Step::Key(_)) && members.iter().any(|m| pair_key(m).is_some()) =>
        {
            out.push(value);
        }
        Value::Array(members) => {
            *many = true;
            for member in members {
                open(member, out, many, step);
            }
        }
        Value::Object(map) => {
            let has_step = matches!(step, Step::Name(name) if map.keys().any(|k| k.eq_ignore_ascii_case(name)));
            if has_step {
                out.push(value);
            } else if let Some(inner) =
                LIST_WRAPPERS
                    .iter()
                    .find_map(|key| map.get(*key))
                    .filter(|_| {
                        map.keys()
                            .all(|k| LIST_WRAPPERS.contains(&k.as_str()) || k == "quantity")
                    })
            {
                *many = true;
                open(inner, out, many, step);
            } else if let Some(inner) = map
                .get("content")
                .filter(|_| map.len() == 2 && map.contains_key("tag"))
            {
                out.push(inner);
            } else {
                out.push(value);
            }
        }
        _ => out.push(value),
    }
}

fn member<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    static NONE: Value = Value::Array(Vec::new());
    match (value, step) {
        // `{"quantity": 0}` is a list without members, not a list left out.
        (Value::Object(map), Step::Name(name))
            if name.as_str() == "items"
                && map.get("quantity").is_some_and(|count| *count == 0)
                && !map.contains_key("items") =>
        {
            Some(&NONE)
        }
        (Value::Object(map), Step::Name(name)) => map.get(name.as_str()).or_else(|| {
            map.iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        }),
        (Value::Object(map), Step::Key(key)) => map.get(key.as_str()).or_else(|| {
            // A list of one pair is logged as the pair.
            (pair_key(value) == Some(key)).then(|| pair_value(value))?
        }),
        (Value::Array(pairs), Step::Key(key)) => pairs
            .iter()
            .rev()
            .find(|pair| pair_key(pair) == Some(key))
            .and_then(pair_value),
        _ => None,
    }
}

/// The key of a key/value pair, whatever the service calls it.
#[must_use]
pub fn pair_key(pair: &Value) -> Option<&str> {
    let map = pair.as_object()?;
    KEY_NAMES.iter().find_map(|name| {
        map.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str())
    })
}

/// The value of a key/value pair, whatever the service calls it.
#[must_use]
pub fn pair_value(pair: &Value) -> Option<&Value> {
    let map = pair.as_object()?;
    VALUE_NAMES.iter().find_map(|name| {
        map.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}

/// What a request or response wrapper holds: `{"ModifyVolumeRequest": {…}}`, `{"updateStageInput": {…}}`.
fn unwrapped(value: &Value) -> Option<&Value> {
    const ENDINGS: [&str; 4] = ["Request", "Req", "Input", "Response"];
    value.as_object()?.iter().find_map(|(key, inner)| {
        (inner.is_object() && ENDINGS.iter().any(|ending| key.ends_with(ending))).then_some(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(value: &Value, path: &str) -> Vec<String> {
        let path: Path = path.parse().expect("a path");
        select(value, &path.steps)
            .values
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn one_path_reads_every_shape() {
        let cases = [
            (
                json!({"groupSet": {"items": [{"groupId": "a"}, {"groupId": "b"}]}}),
                "groupSet.groupId",
            ),
            (
                json!({"GroupSet": [{"GroupId": "a"}, {"groupid": "b"}]}),
                "groupSet.groupId",
            ),
            (
                json!({"XRequest": {"groupSet": [{"groupId": {"tag": 1, "content": "a"}}, {"groupId": "b"}]}}),
                "groupSet.groupId",
            ),
        ];
        for (value, path) in cases {
            let got: Vec<String> = texts(&value, path)
                .into_iter()
                .map(|text| {
                    if text.contains("content") {
                        "\"a\"".to_owned()
                    } else {
                        text
                    }
                })
                .collect();
            assert_eq!(got, ["\"a\"", "\"b\""], "{value}");
        }
    }

    #[test]
    fn a_key_is_found_in_maps_and_in_lists_of_pairs() {
        let path = r#"attributes["idle_timeout.timeout_seconds"]"#;
        for value in [
            json!({"attributes": {"idle_timeout.timeout_seconds": "60"}}),
            json!({"attributes": [{"key": "x", "value": "1"}, {"key": "idle_timeout.timeout_seconds", "value": "60"}]}),
            json!({"attributes": {"key": "idle_timeout.timeout_seconds", "value": "60"}}),
        ] {
            assert_eq!(texts(&value, path), ["\"60\""], "{value}");
        }
    }

    #[test]
    fn a_hidden_value_on_the_way_is_seen() {
        let path: Path = "environment.variables".parse().expect("a path");
        let value = json!({"environment": "HIDDEN_DUE_TO_SECURITY_REASONS"});
        assert!(select(&value, &path.steps).hidden);
    }

    #[test]
    fn a_text_with_spaces_is_no_path() {
        for text in ["", "a b", "a..b", "[\"x"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
