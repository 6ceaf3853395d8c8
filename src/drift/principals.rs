//! Who may apply Terraform, as the user lists them.

use super::actor::permission_set;
use super::model::Actor;
use super::wildcard;
use crate::audit::call::Caller;

/// Who may apply Terraform: [globs](super::wildcard) over ARNs, role ARNs, role names, user names
/// and actor names.
#[derive(Debug, Clone)]
pub struct Principals(Vec<String>);

impl Principals {
    /// Keeps globs. Any text is one.
    #[must_use]
    pub fn new<S: Into<String>>(globs: impl IntoIterator<Item = S>) -> Self {
        Self(globs.into_iter().map(Into::into).collect())
    }

    /// The name of the caller that a glob matches, if any does.
    ///
    /// Whoever may assume a role names the session, so a wildcard meant for roles must not reach
    /// a session's name: that counts only if it was written out in full.
    #[must_use]
    pub fn matching<'a>(&self, caller: &'a Caller, actor: &'a Actor) -> Option<&'a str> {
        let names = [
            caller.arn.as_deref(),
            caller.issuer_arn.as_deref(),
            actor.role.as_deref(),
            caller.user_name.as_deref(),
            Some(actor.name.as_str()).filter(|_| !names_itself(caller, actor)),
        ];
        let listed = |name: &&str| self.0.iter().any(|glob| wildcard::matches(glob, name));
        names.into_iter().flatten().find(listed).or_else(|| {
            let in_full =
                |name: &&str| name.contains('@') && self.0.iter().any(|glob| glob == name);
            Some(actor.name.as_str()).filter(in_full)
        })
    }
}

/// Whether the actor's name is a session name that the caller was free to choose. Single sign-on
/// sets the name itself, and a source identity needs a permission of its own.
fn names_itself(caller: &Caller, actor: &Actor) -> bool {
    let trusted = caller.source_identity.as_ref() == Some(&actor.name)
        || caller.user_name.as_ref() == Some(&actor.name)
        || actor
            .role
            .as_ref()
            .is_some_and(|role| *role == actor.name || permission_set(role).is_some());
    !trusted
}

#[cfg(test)]
mod tests {
    use super::super::actor::actor;
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn lists(glob: &str, caller: &Caller) -> bool {
        Principals::new([glob])
            .matching(caller, &actor(caller))
            .is_some()
    }

    #[test]
    fn a_session_is_listed_by_its_role_and_hardly_by_its_own_name() {
        let sso = "AWSReservedSSO_Admin_0123456789abcdef";
        let table = [
            ("TerraformDeploy", "TerraformDeploy", "ci-4711", true),
            ("Terraform*", "TerraformDeploy", "ci-4711", true),
            (
                "arn:aws:iam::*:role/ci/Terraform*",
                "TerraformDeploy",
                "ci",
                true,
            ),
            ("arn:aws:iam::*Deploy", "TerraformDeploy", "ci", true),
            (
                "arn:aws:sts::*:assumed-role/TerraformDeploy/*",
                "TerraformDeploy",
                "x",
                true,
            ),
            ("lena@example.com", sso, "lena@example.com", true),
            ("*@example.com", sso, "lena@example.com", true),
            ("ci@example.com", "Deploy", "ci@example.com", true),
            ("terraformdeploy", "TerraformDeploy", "ci", false),
            ("Terraform*", "Dev", "TerraformDeploy@x", false),
            ("TerraformDeploy", "Dev", "TerraformDeploy", false),
        ];
        for (glob, role, session, expected) in table {
            let caller = Caller {
                kind: "AssumedRole".to_owned(),
                arn: Some(format!(
                    "arn:aws:sts::123456789012:assumed-role/{role}/{session}"
                )),
                issuer_name: some(role),
                issuer_arn: Some(format!("arn:aws:iam::123456789012:role/ci/{role}")),
                ..Caller::default()
            };
            assert_eq!(lists(glob, &caller), expected, "{glob} on {role}/{session}");
        }
    }

    #[test]
    fn a_user_is_listed_by_name_or_arn() {
        let user = Caller {
            kind: "IAMUser".to_owned(),
            arn: some("arn:aws:iam::123456789012:user/frank"),
            user_name: some("frank"),
            ..Caller::default()
        };
        assert!(lists("frank", &user) && lists("arn:aws:iam::*:user/fr?nk", &user));
        assert!(!lists("fran", &user));
    }

    #[test]
    fn another_accounts_session_is_not_listed_by_the_name_it_chose() {
        let foreign = Caller {
            kind: "AWSAccount".to_owned(),
            principal_id: some("AROAEXAMPLE0002:TerraformDeploy"),
            ..Caller::default()
        };
        assert!(!lists("TerraformDeploy", &foreign));
    }
}
