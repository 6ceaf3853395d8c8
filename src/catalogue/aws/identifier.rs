//! How AWS names things: ARNs, ids and names, and when two of them mean the same.

/// The parts of an ARN (AWS General Reference, *Amazon Resource Names*).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The service, as `ec2`.
    pub service: &'a str,
    /// The region; empty for global resources.
    pub region: &'a str,
    /// The account; empty where names are unique everywhere.
    pub account: &'a str,
    /// What the service calls the resource: `instance/i-0abc`, `role/path/app`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads an ARN.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let _partition = parts.next().filter(|part| !part.is_empty())?;
        let (service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let account_like = account.is_empty() || account == "aws" || account.len() == 12;
        (!service.is_empty() && !resource.is_empty() && account_like).then(|| Self {
            service,
            region,
            account,
            resource: resource.strip_suffix(":*").unwrap_or(resource),
        })
    }

    /// The resource's own name or id, without its kind: `i-0abc`, `path/app`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let rest = self.resource;
        let name = rest.find(['/', ':']).map_or(rest, |at| &rest[at + 1..]);
        if self.service == "secretsmanager" {
            without_suffix(name)
        } else {
            name
        }
    }
}

/// A secret's name without the six random characters that its ARN adds.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((own, random))
            if random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            own
        }
        _ => name,
    }
}

/// The short form under which an identifier is indexed: identifiers that can mean the same have the same one.
#[must_use]
pub fn short(identifier: &str) -> &str {
    let name = Arn::parse(identifier).map_or(identifier, |arn| arn.name());
    let name = name.strip_suffix('.').unwrap_or(name);
    let name = name.strip_suffix(":*").unwrap_or(name);
    name.rsplit(['/', ':'])
        .find(|part| !part.is_empty())
        .unwrap_or(name)
}

/// Whether two identifiers mean the same resource, account and region being equal.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (Arn::parse(one), Arn::parse(other)) {
        (Some(one), Some(other)) => one == other,
        (Some(arn), None) => named_by(&arn, other),
        (None, Some(arn)) => named_by(&arn, one),
        (None, None) => plain(one) == plain(other),
    }
}

fn named_by(arn: &Arn<'_>, name: &str) -> bool {
    let name = plain(name);
    let own = arn.name();
    !name.is_empty()
        && (name == own
            || name == arn.resource
            || (arn.service == "iam" && own.rsplit('/').next() == Some(name))
            || arn
                .resource
                .split_once([':', '/'])
                .is_some_and(|(_, rest)| rest == name))
}

/// Without the decorations that some APIs add and others leave out.
fn plain(text: &str) -> &str {
    let text = text.strip_prefix("/hostedzone/").unwrap_or(text);
    text.strip_suffix('.')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_mean_the_same_are_the_same_and_share_a_short_form() {
        let cases = [
            (
                "arn:aws:ecs:us-east-1:123456789012:service/prod/api",
                "prod/api",
                true,
            ),
            (
                "arn:aws:ecs:us-east-1:123456789012:service/prod/api",
                "api",
                false,
            ),
            (
                "arn:aws:ecs:us-east-1:123456789012:cluster/prod",
                "prod",
                true,
            ),
            (
                "arn:aws:lambda:us-east-1:123456789012:function:resize",
                "resize",
                true,
            ),
            (
                "arn:aws:logs:us-east-1:123456789012:log-group:/app/web:*",
                "/app/web",
                true,
            ),
            (
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db/master-Qw3rTy",
                "prod/db/master",
                true,
            ),
            (
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db/master-Qw3rTy",
                "prod/db/master-replica",
                false,
            ),
            (
                "arn:aws:kms:us-east-1:123456789012:key/7c1f-9d",
                "7c1f-9d",
                true,
            ),
            ("arn:aws:sns:us-east-1:123456789012:alerts", "alerts", true),
            ("arn:aws:iam::123456789012:role/team/app", "app", true),
            (
                "arn:aws:iam::123456789012:policy/ecs-deploy",
                "arn:aws:iam::123456789012:policy/team/ecs-deploy",
                false,
            ),
            ("/hostedzone/Z1", "Z1", true),
            ("worker-1", "worker-10", false),
            ("orders", "orders.dlq", false),
        ];
        for (one, other, want) in cases {
            assert_eq!(same(one, other), want, "{one} {other}");
            assert_eq!(same(other, one), want, "{other} {one}");
            if want {
                assert_eq!(short(one), short(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_an_arn_is_none() {
        for text in [
            "arn:",
            "arn:aws:s3",
            "arn:aws:ec2:us-east-1:12:instance/i-1",
            "i-1",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
