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
        bare == *secret
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
        || SECRET_ENDINGS
            .iter()
            .any(|ending| leaf == *ending || leaf.ends_with(&format!("_{ending}")))
        || (matches!(
            top,
            "master_password" | "master_user_password" | "user_data_base64_secret"
        ))
}

/// Hides a value, if there is one.
#[must_use]
pub fn masked(value: Option<Value>) -> Option<Value> {
    value.map(|_| Value::String(MASK.to_owned()))
}
