//! What of a value may be told.

use serde_json::Value;

use super::Trace;
use crate::drift::history::Content;
use crate::drift::live::{Known, map_path};
use crate::drift::secret;

impl Trace<'_> {
    pub(super) fn is_secret(&self, path: &str) -> bool {
        secret::is_secret(path, self.ground.marks, self.ground.facts)
    }

    pub(super) fn content(&self, path: &str, known: Option<&Known>, sensitive: bool) -> Content {
        match known {
            None | Some(Known::SetBy(_)) => Content::Unknown,
            Some(Known::Value(Value::Null)) => Content::Unset,
            Some(Known::Value(value)) if self.telling.reveal => Content::Value(value.clone()),
            Some(Known::Value(_)) if sensitive => Content::Secret,
            Some(Known::Value(value)) => Content::Value(self.without_secrets(path, value.clone())),
        }
    }

    /// A value with the secrets that it holds further inside hidden.
    pub(super) fn without_secrets(&self, path: &str, value: Value) -> Value {
        match value {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| match item {
                    // Marks name members by number, lists of secrets know no numbers.
                    Value::Object(_) if index > 0 => {
                        let item = self.without_secrets(&format!("{path}[{index}]"), item);
                        self.without_secrets(path, item)
                    }
                    item => self.without_secrets(&format!("{path}[{index}]"), item),
                })
                .collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, member)| {
                    let path = map_path(path, &name);
                    let hidden = !member.is_null() && self.is_secret(&path);
                    let member = if hidden {
                        Value::from(secret::MASK)
                    } else {
                        self.without_secrets(&path, member)
                    };
                    (name, member)
                })
                .collect(),
            other => other,
        }
    }
}
