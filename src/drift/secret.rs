//! Which values are secret, and what stands in their place.

use serde_json::Value;

use crate::catalogue::rule::TypeFacts;
use crate::state::AttributePath;

/// What is shown in place of a secret value.
pub const MASK: &str = "(sensitive)";

/// Endings of attribute names whose values are secret whatever a state says: older states lack the provider's marks.
const SECRET_ENDINGS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_string",
    "secret_binary",
    "secret_key",
    "private_key",
    "auth_token",
    "access_token",
    "oauth_token",
    "api_key_value",
    "certificate_body_private",
    "shared_secret",
];

/// Whether values at a path are secret: marked by the state, listed by the catalogue, or named like a secret.
#[must_use]
pub fn is_secret(path: &str, marks: &[AttributePath], facts: &TypeFacts) -> bool {
    let bare = path.replace("[0]", "");
    let top = bare.split(['.', '[']).next().unwrap_or_default();
    let leaf = bare
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let listed = facts.secret.iter().any(|secret| {
        // A block that holds a secret is secret as a whole, as it is where the state marks it.
        bare == *secret
            || secret.starts_with(&format!("{bare}."))
            || bare.starts_with(&format!("{secret}."))
            || bare.starts_with(&format!("{secret}["))
    });
    let marked = path.parse::<AttributePath>().is_ok_and(|path| {
        marks
            .iter()
            .any(|mark| mark.covers(&path) || path.covers(mark))
    });
    listed
        || marked
        || is_secret_name(&leaf)
        || (matches!(
            top,
            "master_password" | "master_user_password" | "user_data_base64_secret"
        ))
}

fn is_secret_name(name: &str) -> bool {
    let ends = |ending: &str| {
        let rest = name.strip_suffix(ending);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    };
    SECRET_ENDINGS.into_iter().any(ends)
}

/// Hides what is named like a secret within the blocks of a value that is none itself.
pub fn mask_members(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(mask_members),
        Value::Object(map) => {
            for (name, member) in map {
                let holds_text = member.as_str().is_some_and(|text| !text.is_empty());
                if holds_text && is_secret_name(&name.to_ascii_lowercase()) {
                    *member = Value::String(MASK.to_owned());
                } else {
                    mask_members(member);
                }
            }
        }
        _ => {}
    }
}

/// Hides a value, if there is one.
#[must_use]
pub fn masked(value: Option<Value>) -> Option<Value> {
    value.map(|_| Value::String(MASK.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_block_that_holds_a_secret_is_secret() {
        let facts = TypeFacts {
            secret: vec![String::from("environment.variables")],
            ..TypeFacts::default()
        };
        for (path, secret) in [
            ("environment", true),
            ("environment[0].variables", true),
            ("environment[0].variables.TOKEN", true),
            ("environment_id", false),
            ("master_password", true),
            ("password_policy", false),
        ] {
            assert_eq!(is_secret(path, &[], &facts), secret, "{path}");
        }
    }

    #[test]
    fn secrets_within_blocks_are_hidden_and_nothing_else() {
        let mut value = json!([{"username": "admin", "password": "hunter2", "inner": [{"auth_token": "x", "note": ""}]}]);
        mask_members(&mut value);
        let hidden = json!([{"username": "admin", "password": MASK, "inner": [{"auth_token": MASK, "note": ""}]}]);
        assert_eq!(value, hidden);
    }
}
