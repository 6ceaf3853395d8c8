//! The values of an attribute as reports print them: secrets withheld, what is not known named.

use serde_json::Value;

use super::text::visible;
use crate::drift::model::{Attribute, Certainty};

/// What stands in place of a secret.
pub const SENSITIVE: &str = "(sensitive)";

/// One side of a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Side {
    /// There is no value: an added or removed map key.
    Absent,
    /// The call changed it, and the log does not say to what.
    Unknown,
    /// There is a value and it is not shown.
    Secret,
    /// The value.
    Known(Value),
}

impl Side {
    /// The side on one line, as Terraform code would write it.
    pub fn inline(&self) -> String {
        match self {
            Self::Absent => "(not set)".to_owned(),
            Self::Unknown => "(not known)".to_owned(),
            Self::Secret => SENSITIVE.to_owned(),
            Self::Known(value) => inline(value),
        }
    }

    /// The side for programs: a secret is a word, and what is absent or not known is none.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Absent | Self::Unknown => None,
            Self::Secret => Some(Value::from(SENSITIVE)),
            Self::Known(value) => Some(value.clone()),
        }
    }
}

/// What may be shown of an attribute. The only way from the model to any report.
#[derive(Debug, Clone)]
pub struct Change {
    /// What Terraform believes.
    pub before: Side,
    /// What the evidence ends with.
    pub after: Side,
    /// Members of a list or set that are new.
    pub added: Option<Vec<Value>>,
    /// Members of a list or set that are gone.
    pub removed: Option<Vec<Value>>,
}

impl Change {
    /// Reads an attribute; without `reveal` no value of a sensitive one gets past here.
    pub fn of(attribute: &Attribute, reveal: bool) -> Self {
        let secret = attribute.sensitive && !reveal;
        let side = |value: &Option<Value>| match value {
            None => Side::Absent,
            Some(_) if secret => Side::Secret,
            Some(value) => Side::Known(value.clone()),
        };
        let after = match (attribute.certainty, &attribute.after) {
            (Certainty::Indeterminate, None) => Side::Unknown,
            (_, after) => side(after),
        };
        let members = |values: &Option<Vec<Value>>| {
            values.as_ref().map(|values| {
                if secret {
                    values.iter().map(|_| Value::from(SENSITIVE)).collect()
                } else {
                    values.clone()
                }
            })
        };
        Self {
            before: side(&attribute.before),
            after,
            added: members(&attribute.added),
            removed: members(&attribute.removed),
        }
    }

    /// Whether the value ended as it began, as that of a drift that was put back.
    pub fn came_back(&self) -> bool {
        self.before == self.after && matches!(self.before, Side::Known(_) | Side::Absent)
    }

    /// Whether both sides can stand beside each other on one line and tell something.
    pub fn is_plain(&self) -> bool {
        let secrets = self.before == Side::Secret && self.after == Side::Secret;
        !self.is_long() && !self.came_back() && !secrets
    }

    /// Whether either side is better read as several lines: a list, a block, a document, a text of
    /// several lines.
    pub fn is_long(&self) -> bool {
        [&self.before, &self.after]
            .into_iter()
            .any(|side| match side {
                Side::Known(Value::Array(items)) => !items.is_empty(),
                Side::Known(Value::Object(members)) => !members.is_empty(),
                Side::Known(Value::String(text)) => {
                    document(text).is_some() || text.trim_end_matches('\n').contains('\n')
                }
                _ => false,
            })
    }
}

/// A value on one line, as Terraform code would write it.
pub fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(inline).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", name(key), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        // serde_json escapes C0 controls; what else acts is made visible.
        other => visible(&other.to_string()).into_owned(),
    }
}

/// A key as Terraform code would write it: bare when it is an identifier.
pub fn name(key: &str) -> String {
    let bare = key.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if bare {
        key.to_owned()
    } else {
        inline(&Value::from(key))
    }
}

/// The JSON object or array that a string holds, as policies do.
pub fn document(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attribute() -> Attribute {
        Attribute {
            path: "password".to_owned(),
            before: Some(json!("old-secret")),
            after: Some(json!(["new-secret"])),
            certainty: Certainty::Exact,
            sensitive: true,
            added: Some(vec![json!("new-secret")]),
            removed: Some(vec![json!({"k": "old-secret"})]),
            by: vec![],
        }
    }

    #[test]
    fn no_value_of_a_sensitive_attribute_gets_out_unless_revealed() {
        let hidden = format!("{:?}", Change::of(&attribute(), false));
        assert!(!hidden.contains("-secret"), "{hidden}");
        let revealed = format!("{:?}", Change::of(&attribute(), true));
        assert!(revealed.contains("old-secret") && revealed.contains("new-secret"));
    }

    #[test]
    fn values_read_as_terraform_code_on_one_line() {
        let cases = [
            (json!(true), "true"),
            (json!(null), "null"),
            (json!("t3.micro"), "\"t3.micro\""),
            (json!(["a", 1]), "[\"a\", 1]"),
            (
                json!({"from_port": 22, "a b": "\u{202e}x"}),
                "{ \"a b\" = \"\\u{202e}x\", from_port = 22 }",
            ),
            (json!({}), "{}"),
            (json!([]), "[]"),
        ];
        for (value, expected) in cases {
            assert_eq!(inline(&value), expected);
        }
    }
}
