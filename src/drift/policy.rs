//! What an IAM policy newly grants, as far as severity rules ask: administration, the public,
//! another account.

use serde::Deserialize;
use serde_json::Value;

/// Something that a policy may grant and that rules ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Every action on every resource, or every action of IAM, which comes to the same; also the
    /// ARN of a policy of AWS's that grants it.
    Administration,
    /// Anyone at all, under no condition.
    Public,
    /// A principal of another account, or anyone under a condition.
    Foreign,
}

impl Grant {
    /// Whether a value grants it that did not before. A policy is an object or its JSON text; an
    /// ARN is a text; lists of them count member by member.
    #[must_use]
    pub fn is_new(self, before: &Value, after: &Value, account: &str) -> bool {
        let had = self.holders(before, account);
        self.holders(after, account)
            .iter()
            .any(|holder| !had.contains(holder))
    }

    /// Who holds the grant; for administration, what grants it.
    fn holders(self, value: &Value, account: &str) -> Vec<String> {
        match value {
            Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
                serde_json::from_str(text)
                    .map(|policy| self.holders(&policy, account))
                    .unwrap_or_default()
            }
            Value::String(arn) => {
                let granted = self == Self::Administration
                    && ADMINISTRATION.iter().any(|name| is_of_aws(arn, name));
                if granted {
                    vec![arn.clone()]
                } else {
                    Vec::new()
                }
            }
            Value::Array(members) => members
                .iter()
                .flat_map(|member| self.holders(member, account))
                .collect(),
            Value::Object(policy) => match policy.get("Statement") {
                Some(statements) => many(statements)
                    .filter(|statement| {
                        text_in(statement, "Effect").any(|effect| effect == "Allow")
                    })
                    .flat_map(|statement| self.in_statement(statement, account))
                    .collect(),
                // A block that carries a policy, such as `inline_policy`.
                None => policy
                    .values()
                    .flat_map(|member| self.holders(member, account))
                    .collect(),
            },
            _ => Vec::new(),
        }
    }

    fn in_statement(self, statement: &Value, account: &str) -> Vec<String> {
        let conditional = statement
            .get("Condition")
            .is_some_and(|condition| condition.as_object().is_some_and(|tests| !tests.is_empty()));
        match self {
            Self::Administration => {
                let all = text_in(statement, "Resource").any(|resource| resource == "*");
                let any = |action: &&str| {
                    matches!(action.to_ascii_lowercase().as_str(), "*" | "*:*" | "iam:*")
                };
                let action = text_in(statement, "Action").find(any).filter(|_| all);
                action.map(str::to_owned).into_iter().collect()
            }
            Self::Public => principals(statement)
                .filter(|name| *name == "*" && !conditional)
                .map(str::to_owned)
                .collect(),
            Self::Foreign => principals(statement)
                .filter(|name| {
                    if *name == "*" {
                        conditional
                    } else {
                        is_foreign(name, account)
                    }
                })
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// Policies of AWS's that let their holder take all rights.
const ADMINISTRATION: [&str; 3] = [
    "AdministratorAccess",
    "IAMFullAccess",
    "AmazonEKSClusterAdminPolicy",
];

fn is_of_aws(arn: &str, name: &str) -> bool {
    arn.contains("::aws:") && arn.rsplit('/').next() == Some(name)
}

/// The AWS principals of a statement: accounts, ARNs, or `*`.
fn principals(statement: &Value) -> impl Iterator<Item = &str> {
    let principal = statement.get("Principal").unwrap_or(&Value::Null);
    let aws = principal.get("AWS").unwrap_or(if principal.is_string() {
        principal
    } else {
        &Value::Null
    });
    many(aws).filter_map(Value::as_str)
}

fn is_foreign(principal: &str, account: &str) -> bool {
    let named = principal.split(':').nth(4).unwrap_or(principal);
    named.len() == 12 && named.bytes().all(|byte| byte.is_ascii_digit()) && named != account
}

/// The texts of a member that may be one text or a list of them.
fn text_in<'a>(statement: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    many(statement.get(member).unwrap_or(&Value::Null)).filter_map(Value::as_str)
}

/// IAM writes one thing as itself and many as a list.
fn many(value: &Value) -> impl Iterator<Item = &Value> {
    let (one, list) = match value {
        Value::Array(list) => (None, list.as_slice()),
        one => (Some(one), [].as_slice()),
    };
    one.into_iter().chain(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ACCOUNT: &str = "123456789012";

    fn policy(statement: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": statement})
    }

    #[test]
    fn a_policy_grants_what_its_statements_allow() {
        let (administration, public, foreign) =
            (Grant::Administration, Grant::Public, Grant::Foreign);
        let table = [
            (
                administration,
                policy(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}])),
                true,
            ),
            (
                administration,
                policy(json!({"Effect": "Allow", "Action": ["s3:Get*", "*"], "Resource": ["*"]})),
                true,
            ),
            (
                administration,
                policy(json!({"Effect": "Allow", "Action": "IAM:*", "Resource": "*"})),
                true,
            ),
            (
                administration,
                policy(json!({"Effect": "Deny", "Action": "*", "Resource": "*"})),
                false,
            ),
            (
                administration,
                policy(json!({"Effect": "Allow", "Action": "ecs:*", "Resource": "*"})),
                false,
            ),
            (
                administration,
                policy(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/*"})),
                false,
            ),
            (
                administration,
                json!("arn:aws:iam::aws:policy/AdministratorAccess"),
                true,
            ),
            (
                administration,
                json!([
                    "arn:aws-cn:iam::aws:policy/job-function/x",
                    "arn:aws-cn:iam::aws:policy/AdministratorAccess"
                ]),
                true,
            ),
            (
                administration,
                json!("arn:aws:iam::123456789012:policy/AdministratorAccess"),
                false,
            ),
            (
                administration,
                json!([{"name": "x", "policy": "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}]),
                true,
            ),
            (
                public,
                policy(json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"})),
                true,
            ),
            (
                public,
                policy(json!({"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "sqs:*"})),
                true,
            ),
            (
                public,
                policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*"})),
                false,
            ),
            (
                public,
                policy(json!({"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "x"})),
                false,
            ),
            (
                public,
                policy(
                    json!({"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}),
                ),
                false,
            ),
            (
                foreign,
                policy(
                    json!({"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}),
                ),
                true,
            ),
            (
                foreign,
                policy(
                    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}),
                ),
                true,
            ),
            (
                foreign,
                policy(json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}})),
                true,
            ),
            (
                foreign,
                policy(
                    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:role/api"}}),
                ),
                false,
            ),
            (
                foreign,
                policy(json!({"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLE0001"}})),
                false,
            ),
            (
                foreign,
                policy(
                    json!({"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/x"}}),
                ),
                false,
            ),
            (public, json!("{ not json"), false),
            (public, json!({"Statement": 7}), false),
        ];
        for (grant, value, expected) in table {
            assert_eq!(
                grant.is_new(&Value::Null, &value, ACCOUNT),
                expected,
                "{grant:?} {value}"
            );
            let text = if value.is_string() {
                value.clone()
            } else {
                json!(value.to_string())
            };
            assert_eq!(
                grant.is_new(&Value::Null, &text, ACCOUNT),
                expected,
                "as text: {grant:?} {value}"
            );
            assert!(
                !grant.is_new(&value, &text, ACCOUNT),
                "nothing new: {grant:?} {value}"
            );
        }
    }

    #[test]
    fn one_more_account_is_new_beside_the_one_that_was_there() {
        let with =
            |accounts: Value| policy(json!({"Effect": "Allow", "Principal": {"AWS": accounts}}));
        let (before, after) = (
            with(json!("111122223333")),
            with(json!(["111122223333", "444455556666"])),
        );
        assert!(Grant::Foreign.is_new(&before, &after, ACCOUNT));
        assert!(!Grant::Foreign.is_new(&after, &before, ACCOUNT));
    }
}
