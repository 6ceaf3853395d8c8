//! Judges by what means a call was made, and keeps what in the record says so.
//!
//! An agent string can be set to anything by anyone. It is good enough to tell a console from a
//! program, and not good enough to prove that Terraform was run by someone who may (for that, see
//! [`Principals`]) or that an AWS service called (for that, the log's own fields must agree).

use std::net::IpAddr;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use super::model::{Actor, Origin, OriginClass};
use super::principals::Principals;
use crate::audit::call::Caller;

/// Judges by what means a call was made.
///
/// The console comes first, since calls made there carry the names of services too; then other
/// infrastructure as code, whose agents may quote Terraform's; then Terraform; then services acting
/// on their own or on someone's behalf; then programs.
#[must_use]
pub fn origin(caller: &Caller, actor: &Actor, iac_principals: Option<&Principals>) -> Origin {
    let agent = unwrapped(caller.user_agent.as_deref().unwrap_or_default());
    let known = Agent::of(agent);
    let quoted = || match known {
        Some(known) => format!("userAgent: {} ({})", excerpt(agent), known.name),
        None => format!("userAgent: {}", excerpt(agent)),
    };
    let service = service(caller, agent);

    if caller.from_console {
        let by = caller
            .invoked_by
            .iter()
            .map(|by| format!("invokedBy: {by}"));
        let flag = std::iter::once("sessionCredentialFromConsole".to_owned());
        return judged(OriginClass::Console, flag.chain(by).collect());
    }
    match (known.map(|known| known.class), service) {
        (Some(Class::Console), None | Some(Service { certain: false, .. })) => {
            judged(OriginClass::Console, vec![quoted()])
        }
        (Some(Class::OtherIac), _) => judged(OriginClass::OtherIac, vec![quoted()]),
        (_, Some(service)) if service.is_cloudformation() => {
            judged(OriginClass::OtherIac, vec![service.evidence()])
        }
        (Some(Class::Iac), _) => terraform(quoted(), caller, actor, iac_principals),
        (_, Some(service)) => judged(OriginClass::AwsService, vec![service.evidence()]),
        (Some(Class::CliSdk), None) => judged(OriginClass::CliSdk, vec![quoted()]),
        (None, None) if agent.is_empty() => {
            judged(OriginClass::Unknown, vec!["no userAgent".to_owned()])
        }
        (None, None) => judged(OriginClass::Unknown, vec![quoted()]),
    }
}

fn judged(class: OriginClass, evidence: Vec<String>) -> Origin {
    Origin { class, evidence }
}

fn terraform(
    agent: String,
    caller: &Caller,
    actor: &Actor,
    iac_principals: Option<&Principals>,
) -> Origin {
    let Some(principals) = iac_principals else {
        return judged(OriginClass::Iac, vec![agent]);
    };
    if let Some(name) = principals.matching(caller, actor) {
        judged(OriginClass::Iac, vec![agent, format!("may apply: {name}")])
    } else {
        let name = caller.arn.as_deref().unwrap_or(&actor.name);
        judged(
            OriginClass::IacUnverified,
            vec![agent, format!("not allowed to apply: {name}")],
        )
    }
}

/// An AWS service that made the call, by itself or on someone's behalf.
#[derive(Debug, Clone, Copy)]
struct Service<'a> {
    /// The field of the record that names it.
    field: &'static str,
    name: &'a str,
    /// Whether it is certain even if the agent is one that consoles use as well.
    certain: bool,
}

impl Service<'_> {
    fn evidence(self) -> String {
        format!("{}: {}", self.field, self.name)
    }

    fn is_cloudformation(self) -> bool {
        self.name == "cloudformation.amazonaws.com"
            || self.name.ends_with(".cloudformation.amazonaws.com")
    }
}

fn service<'a>(caller: &'a Caller, agent: &'a str) -> Option<Service<'a>> {
    let invoked_by = caller.invoked_by.as_deref().filter(|name| is_service(name));
    let address = caller.source_ip.as_deref();
    let from_service = address.filter(|address| is_service(address));
    if let Some(name) = invoked_by {
        let certain = from_service.is_some() || caller.kind == "AWSService";
        return Some(Service {
            field: "invokedBy",
            name,
            certain,
        });
    }
    if caller.kind == "AWSService" {
        return Some(Service {
            field: "userIdentity",
            name: "AWSService",
            certain: true,
        });
    }
    // Only the service itself can assume a service-linked role.
    let linked = caller
        .issuer_arn
        .as_deref()
        .filter(|arn| arn.contains(":role/aws-service-role/"));
    if let Some(name) = linked {
        return Some(Service {
            field: "sessionIssuer",
            name,
            certain: true,
        });
    }
    if let Some(name) = from_service {
        return Some(Service {
            field: "sourceIPAddress",
            name,
            certain: true,
        });
    }
    // A caller with an address of its own wrote the agent string itself.
    let has_address = address.is_some_and(|address| address.parse::<IpAddr>().is_ok());
    (is_service(agent) && !has_address).then_some(Service {
        field: "userAgent",
        name: agent,
        certain: false,
    })
}

/// Whether it is the name of a service's principal, the console's sign-in apart.
fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com")
        && Agent::of(name).is_none_or(|agent| agent.class != Class::Console)
}

/// S3 wraps agent strings in brackets.
fn unwrapped(agent: &str) -> &str {
    let agent = agent.trim();
    agent
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(agent)
        .trim()
}

/// As much of an agent string as evidence needs to quote.
fn excerpt(agent: &str) -> String {
    match agent.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", agent.get(..end).unwrap_or_default()),
        None => agent.to_owned(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Class {
    Console,
    OtherIac,
    Iac,
    CliSdk,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    #[default]
    Anywhere,
    Start,
    Whole,
}

/// One kind of agent, and the tokens it is known by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    class: Class,
    /// What evidence calls it.
    name: String,
    #[serde(default)]
    at: Place,
    tokens: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agents {
    agent: Vec<Agent>,
}

const TABLE: &str = include_str!("agents.toml");

/// The table, its tokens ready to be looked for all at once.
struct Known {
    agents: Vec<Agent>,
    /// Whose each token is.
    owners: Vec<usize>,
    tokens: AhoCorasick,
}

static KNOWN: LazyLock<Option<Known>> = LazyLock::new(|| {
    // A test holds the embedded table to its grammar.
    let agents = toml::from_str::<Agents>(TABLE).ok()?.agent;
    let tokens = agents.iter().flat_map(|agent| &agent.tokens);
    let tokens = AhoCorasick::new(tokens).ok()?;
    let owners = agents.iter().enumerate();
    let owners = owners.flat_map(|(number, agent)| vec![number; agent.tokens.len()]);
    Some(Known {
        owners: owners.collect(),
        agents,
        tokens,
    })
});

impl Agent {
    /// The first of the table that a text has a token of.
    fn of(text: &str) -> Option<&'static Self> {
        let known = KNOWN.as_ref()?;
        let found = known.tokens.find_overlapping_iter(text);
        let fitting = found.filter_map(|found| {
            let owner = *known.owners.get(found.pattern().as_usize())?;
            let agent = known.agents.get(owner)?;
            let fits = match agent.at {
                Place::Anywhere => true,
                Place::Start => found.start() == 0,
                Place::Whole => found.len() == text.len(),
            };
            fits.then_some((owner, agent))
        });
        fitting
            .min_by_key(|(owner, _)| *owner)
            .map(|(_, agent)| agent)
    }
}

#[cfg(test)]
mod tests {
    use super::super::actor::actor;
    use super::*;
    use OriginClass::{AwsService, CliSdk, Console, Iac, IacUnverified, OtherIac, Unknown};

    const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) \
        terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3 os/linux";

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn user(agent: &str) -> Caller {
        Caller {
            kind: "IAMUser".to_owned(),
            arn: some("arn:aws:iam::123456789012:user/frank"),
            user_name: some("frank"),
            source_ip: some("203.0.113.7"),
            user_agent: some(agent),
            ..Caller::default()
        }
    }

    fn role(role: &str, session: &str, agent: &str) -> Caller {
        Caller {
            kind: "AssumedRole".to_owned(),
            arn: Some(format!(
                "arn:aws:sts::123456789012:assumed-role/{role}/{session}"
            )),
            principal_id: Some(format!("AROAEXAMPLE0001:{session}")),
            issuer_name: some(role),
            issuer_arn: Some(format!("arn:aws:iam::123456789012:role/ci/{role}")),
            user_name: None,
            ..user(agent)
        }
    }

    fn judge(caller: &Caller, principals: Option<&Principals>) -> Origin {
        origin(caller, &actor(caller), principals)
    }

    #[test]
    fn the_table_of_agents_can_be_read() {
        let agents = toml::from_str::<Agents>(TABLE).unwrap().agent;
        assert!(
            agents
                .iter()
                .all(|agent| !agent.name.is_empty() && !agent.tokens.is_empty())
        );
    }

    #[test]
    fn an_agent_string_alone_tells_the_means() {
        let table = [
            ("AWS Internal", Console),
            ("console.ec2.amazonaws.com", Console),
            ("signin.amazonaws.com", Console),
            (
                "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750 Linux/5.10.225]",
                Console,
            ),
            ("[Mozilla/5.0 (Windows NT 10.0; Win64; x64)]", Console),
            ("Coral/Netty4", Console),
            ("RDS Console, aws-internal/3 aws-sdk-java/1.11.975", Console),
            (TERRAFORM, Iac),
            (
                "[APN/1.0 HashiCorp/1.0 Terraform/1.9.5 terraform-provider-aws/5.60.0]",
                Iac,
            ),
            (
                "aws-sdk-go/1.36.28 (go1.15.5; linux; amd64) APN/1.0 HashiCorp/1.0 Terraform/0.12.24",
                Iac,
            ),
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.5.5 crossplane-provider-aws/v1.2",
                OtherIac,
            ),
            (
                "APN/1.0 Pulumi/1.0 Pulumi-Aws/6.0 aws-sdk-go-v2/1.36.3",
                OtherIac,
            ),
            ("aws-cdk/2.150.0 aws-sdk-js/3.600.0", OtherIac),
            (
                "APN/1.0 HashiCorp/1.0 Packer/1.11.0 aws-sdk-go/1.44.114",
                CliSdk,
            ),
            (
                "aws-cli/2.17.5 md/awscrt#0.20.11 md/command#ec2.modify-instance-attribute",
                CliSdk,
            ),
            ("[aws-cli/2.15.30 Python/3.11.8 Linux/6.1]", CliSdk),
            ("Boto3/1.34.131 md/Botocore#1.34.131", CliSdk),
            ("aws-sdk-rust/1.3.1 os/linux", CliSdk),
            ("curl/8.5.0", CliSdk),
            ("autoscaling.amazonaws.com", Unknown),
            ("cloudformation.amazonaws.com", Unknown),
            ("terraform", Unknown),
            ("example-user-agent", Unknown),
            ("[]", Unknown),
            ("", Unknown),
        ];
        for (agent, class) in table {
            let origin = judge(&user(agent), None);
            assert_eq!(origin.class, class, "{agent}");
            assert_eq!(origin.evidence.len(), 1, "{agent}");
        }
    }

    #[test]
    fn the_logs_own_fields_outweigh_the_agent_string() {
        let service = |name: &str| Caller {
            source_ip: some(name),
            invoked_by: some(name),
            ..role("Ops", "lena@example.com", name)
        };
        let linked = Caller {
            issuer_arn: some(
                "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/\
                 AWSServiceRoleForAutoScaling",
            ),
            ..role(
                "AWSServiceRoleForAutoScaling",
                "AutoScaling",
                "AWS Internal",
            )
        };
        let table = [
            (
                "flag",
                Caller {
                    from_console: true,
                    ..user("aws-cli/2.31.1 exec-env/CloudShell")
                },
                Console,
            ),
            (
                "flag and service",
                Caller {
                    from_console: true,
                    ..service("autoscaling.amazonaws.com")
                },
                Console,
            ),
            (
                "console's sign-in as invoker",
                Caller {
                    invoked_by: some("signin.amazonaws.com"),
                    ..user("signin.amazonaws.com")
                },
                Console,
            ),
            (
                "console agent that carries an invoker",
                Caller {
                    invoked_by: some("ec2.amazonaws.com"),
                    ..user("AWS Internal")
                },
                Console,
            ),
            (
                "service for a person",
                service("autoscaling.amazonaws.com"),
                AwsService,
            ),
            (
                "service behind a console agent",
                Caller {
                    user_agent: some("AWS Internal"),
                    ..service("rds.amazonaws.com")
                },
                AwsService,
            ),
            ("service-linked role", linked, AwsService),
            (
                "CloudFormation for a person",
                service("cloudformation.amazonaws.com"),
                OtherIac,
            ),
            (
                "CloudFormation by address",
                Caller {
                    invoked_by: None,
                    ..service("cloudformation.amazonaws.com")
                },
                OtherIac,
            ),
            (
                "stack sets",
                service("member.org.stacksets.cloudformation.amazonaws.com"),
                OtherIac,
            ),
            (
                "service identity",
                Caller {
                    kind: "AWSService".to_owned(),
                    invoked_by: some("rds.amazonaws.com"),
                    ..Caller::default()
                },
                AwsService,
            ),
            (
                "service identity without a name",
                Caller {
                    kind: "AWSService".to_owned(),
                    user_agent: some("AWS Internal"),
                    ..Caller::default()
                },
                AwsService,
            ),
            (
                "agent of a service, no address",
                Caller {
                    source_ip: None,
                    ..user("events.amazonaws.com")
                },
                AwsService,
            ),
            ("nothing known", Caller::default(), Unknown),
        ];
        for (case, caller, class) in table {
            let origin = judge(&caller, None);
            assert_eq!(origin.class, class, "{case}: {:?}", origin.evidence);
        }
    }

    #[test]
    fn with_principals_only_a_listed_one_is_terraform() {
        let principals = Principals::new(["Terraform*"]);
        let table = [
            (role("TerraformDeploy", "ci-4711", TERRAFORM), Iac),
            (role("Dev", "lena", TERRAFORM), IacUnverified),
            (user(TERRAFORM), IacUnverified),
            (role("TerraformDeploy", "ci-4711", "aws-cli/2.17.5"), CliSdk),
        ];
        for (caller, class) in table {
            let origin = judge(&caller, Some(&principals));
            assert_eq!(origin.class, class, "{:?}", caller.arn);
        }
    }

    #[test]
    fn evidence_quotes_a_long_agent_in_part() {
        let origin = judge(&user(&"é".repeat(500)), None);
        assert_eq!(origin.evidence, [format!("userAgent: {}…", "é".repeat(80))]);
    }
}
