//! Finds the person or machine behind a call among the facts that the log holds about the caller.

use super::model::Actor;
use crate::audit::call::Caller;

/// Role names that IAM Identity Center makes: `AWSReservedSSO_<permission set>_<hash>`.
const SSO_ROLE: &str = "AWSReservedSSO_";

/// Names who called, best name first.
///
/// A person outlives the role they took: the source identity, the session of a single-sign-on
/// role, and a session that reads like a mail address come before the role. Any other session name
/// (`ci-4711`, an instance id) is noise, so the role stands for it.
#[must_use]
pub fn actor(caller: &Caller) -> Actor {
    let role = role(caller);
    Actor {
        name: name(caller, role).unwrap_or("unknown").to_owned(),
        kind: caller.kind.clone(),
        arn: caller.arn.clone(),
        account: caller.account.clone(),
        role: role.map(str::to_owned),
        source_ip: caller.source_ip.clone(),
        user_agent: caller.user_agent.clone(),
        mfa: caller.mfa,
    }
}

/// The permission set behind a single-sign-on role's name, as people know it.
#[must_use]
pub fn permission_set(role: &str) -> Option<&str> {
    let (set, _hash) = role.strip_prefix(SSO_ROLE)?.rsplit_once('_')?;
    filled(Some(set))
}

fn name<'a>(caller: &'a Caller, role: Option<&'a str>) -> Option<&'a str> {
    let session = session(caller);
    filled(caller.source_identity.as_deref())
        .or_else(|| session.filter(|_| role.is_some_and(|role| role.starts_with(SSO_ROLE))))
        .or_else(|| session.filter(|session| session.contains('@')))
        // The log gives the account's alias as the user name of root.
        .or_else(|| (caller.kind == "Root").then_some("root"))
        .or_else(|| filled(caller.user_name.as_deref()))
        .or(role)
        .or_else(|| filled(caller.invoked_by.as_deref()))
        .or(session)
        .or_else(|| issuing_user(caller))
        .or_else(|| filled(caller.arn.as_deref()).map(|arn| user_in(arn).unwrap_or(arn)))
        .or_else(|| filled(caller.principal_id.as_deref()))
}

/// The name of the assumed role: from the session's issuer, else from the session's ARN.
fn role(caller: &Caller) -> Option<&str> {
    let issuer = caller.issuer_arn.as_deref();
    // A federated user's session is issued by a user, which is no role.
    if issuer.is_some_and(|arn| !arn.contains(":role/")) {
        return None;
    }
    let from_name =
        || filled(caller.issuer_name.as_deref()).filter(|_| issuer.is_some() || assumed(caller));
    let from_issuer = || issuer.and_then(|arn| filled(arn.rsplit('/').next()));
    from_name()
        .or_else(from_issuer)
        .or_else(|| assumed_role(caller.arn.as_deref()?).map(|parts| parts.0))
}

fn assumed(caller: &Caller) -> bool {
    caller.kind == "AssumedRole"
        || caller
            .arn
            .as_deref()
            .is_some_and(|arn| assumed_role(arn).is_some())
}

/// The user that issued a federated session.
fn issuing_user(caller: &Caller) -> Option<&str> {
    filled(caller.issuer_name.as_deref()).or_else(|| caller.issuer_arn.as_deref().and_then(user_in))
}

/// The session name of a role, or what stands in its place: behind the colon of the principal id
/// (also for a principal of another account, which has nothing else), or at the end of the ARN.
fn session(caller: &Caller) -> Option<&str> {
    let in_principal = || {
        caller
            .principal_id
            .as_deref()?
            .rsplit_once(':')
            .map(|parts| parts.1)
    };
    let in_arn = || assumed_role(caller.arn.as_deref()?).map(|parts| parts.1);
    filled(in_principal()).or_else(|| filled(in_arn()))
}

/// Role and session of `arn:aws:sts::123456789012:assumed-role/ROLE/SESSION`.
fn assumed_role(arn: &str) -> Option<(&str, &str)> {
    let (role, session) = arn.split_once(":assumed-role/")?.1.split_once('/')?;
    Some((filled(Some(role))?, session))
}

/// The user of `arn:aws:iam::123456789012:user/path/USER`.
fn user_in(arn: &str) -> Option<&str> {
    filled(arn.split_once(":user/")?.1.rsplit('/').next())
}

/// Nothing, when the log says nothing or hides what it says.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim)
        .filter(|text| !text.is_empty() && *text != "HIDDEN_DUE_TO_SECURITY_REASONS")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn session_of(role: &str, session: &str) -> Caller {
        Caller {
            kind: "AssumedRole".to_owned(),
            arn: Some(format!(
                "arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
            )),
            principal_id: Some(format!("AROAEXAMPLE0001:{session}")),
            account: some(ACCOUNT),
            issuer_name: some(role),
            issuer_arn: Some(format!("arn:aws:iam::{ACCOUNT}:role/path/{role}")),
            ..Caller::default()
        }
    }

    fn of_kind(kind: &str) -> Caller {
        Caller {
            kind: kind.to_owned(),
            ..Caller::default()
        }
    }

    #[test]
    fn the_best_name_wins_and_the_role_is_kept_beside_it() {
        let sso = "AWSReservedSSO_Power_User_0123456789abcdef";
        let table: Vec<(&str, Caller, &str, Option<&str>)> = vec![
            (
                "source identity before all",
                Caller {
                    source_identity: some("nina"),
                    ..session_of(sso, "bob@example.com")
                },
                "nina",
                Some(sso),
            ),
            (
                "single sign-on session",
                session_of(sso, "bob"),
                "bob",
                Some(sso),
            ),
            (
                "mail address as session",
                session_of("Ops", "lena@example.com"),
                "lena@example.com",
                Some("Ops"),
            ),
            (
                "a machine's session",
                session_of("TerraformDeploy", "ci-4711"),
                "TerraformDeploy",
                Some("TerraformDeploy"),
            ),
            (
                "role from the issuer's ARN",
                Caller {
                    issuer_name: None,
                    ..session_of("Deploy", "x")
                },
                "Deploy",
                Some("Deploy"),
            ),
            (
                "role from the session's ARN",
                Caller {
                    issuer_name: None,
                    issuer_arn: None,
                    ..session_of("Deploy", "x")
                },
                "Deploy",
                Some("Deploy"),
            ),
            (
                "single sign-on without a principal id",
                Caller {
                    principal_id: None,
                    ..session_of(sso, "bob")
                },
                "bob",
                Some(sso),
            ),
            (
                "IAM user",
                Caller {
                    user_name: some("alice"),
                    arn: some("arn:aws:iam::123456789012:user/alice"),
                    ..of_kind("IAMUser")
                },
                "alice",
                None,
            ),
            (
                "IAM user whose name is hidden",
                Caller {
                    user_name: some("HIDDEN_DUE_TO_SECURITY_REASONS"),
                    arn: some("arn:aws:iam::123456789012:user/team/alice"),
                    ..of_kind("IAMUser")
                },
                "alice",
                None,
            ),
            (
                "federated by a user, under a name of its own",
                Caller {
                    principal_id: some("123456789012:carol"),
                    issuer_name: some("broker"),
                    issuer_arn: some("arn:aws:iam::123456789012:user/broker"),
                    ..of_kind("FederatedUser")
                },
                "carol",
                None,
            ),
            (
                "root",
                Caller {
                    arn: some("arn:aws:iam::123456789012:root"),
                    principal_id: some(ACCOUNT),
                    ..of_kind("Root")
                },
                "root",
                None,
            ),
            (
                "root of an account with an alias",
                Caller {
                    user_name: some("acme-prod"),
                    ..of_kind("Root")
                },
                "root",
                None,
            ),
            (
                "a service",
                Caller {
                    invoked_by: some("rds.amazonaws.com"),
                    ..of_kind("AWSService")
                },
                "rds.amazonaws.com",
                None,
            ),
            (
                "only the invoking service is known",
                Caller {
                    invoked_by: some("secretsmanager.amazonaws.com"),
                    ..Caller::default()
                },
                "secretsmanager.amazonaws.com",
                None,
            ),
            (
                "SAML user",
                Caller {
                    user_name: some("dora"),
                    principal_id: some("provider:dora"),
                    ..of_kind("SAMLUser")
                },
                "dora",
                None,
            ),
            (
                "principal of another account",
                Caller {
                    principal_id: some("AROAEXAMPLE0002:nina@partner.example"),
                    account: some("210987654321"),
                    ..of_kind("AWSAccount")
                },
                "nina@partner.example",
                None,
            ),
            (
                "principal of another account with a plain session",
                Caller {
                    principal_id: some("AROAEXAMPLE0002:deploy-7"),
                    ..of_kind("AWSAccount")
                },
                "deploy-7",
                None,
            ),
            (
                "principal of another account without a session",
                Caller {
                    principal_id: some("AIDAEXAMPLE0003"),
                    ..of_kind("AWSAccount")
                },
                "AIDAEXAMPLE0003",
                None,
            ),
            (
                "an ARN of unknown shape",
                Caller {
                    arn: some("arn:aws:x::1:y"),
                    ..of_kind("Directory")
                },
                "arn:aws:x::1:y",
                None,
            ),
            ("nothing at all", Caller::default(), "unknown", None),
        ];
        for (case, caller, name, role) in table {
            let actor = actor(&caller);
            assert_eq!(
                (actor.name.as_str(), actor.role.as_deref()),
                (name, role),
                "{case}"
            );
            assert_eq!(actor.kind, caller.kind, "{case}");
        }
    }

    #[test]
    fn a_permission_set_keeps_the_underscores_of_its_name() {
        assert_eq!(
            permission_set("AWSReservedSSO_Power_User_0123456789abcdef"),
            Some("Power_User")
        );
        assert_eq!(permission_set("TerraformDeploy"), None);
        assert_eq!(permission_set("AWSReservedSSO_"), None);
    }

    #[test]
    fn facts_are_carried_over_as_recorded() {
        let caller = Caller {
            mfa: Some(true),
            source_ip: some("203.0.113.7"),
            user_agent: some("curl/8.5.0"),
            ..session_of("Ops", "x")
        };
        let actor = actor(&caller);
        assert_eq!(actor.mfa, Some(true));
        assert_eq!(
            (actor.source_ip, actor.user_agent),
            (caller.source_ip, caller.user_agent)
        );
        assert_eq!((actor.arn, actor.account), (caller.arn, caller.account));
    }
}
