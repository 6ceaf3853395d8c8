//! What the catalogue says of one call, in words that a person or a program can read.

use std::fmt::{self, Write as _};

use super::path::{Path, Root, Step};
use super::rule::{
    Build, Change, Condition, Each, EffectKind, Lesson, Operation, Pair, Provenance, ResourceType,
    Source, Target, TemplatePart, Test,
};
use super::{Catalogue, aws};

/// One call as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The event source.
    pub service: String,
    /// The event name, without version suffix.
    pub event: String,
    /// Why the call changes nothing that Terraform holds, if so.
    pub operates: Option<String>,
    /// What must hold for the rule to count.
    pub when: Vec<String>,
    /// The list whose members are calls of their own.
    pub each: Option<String>,
    /// Types of which only the first that the state holds is changed.
    pub owners: Vec<String>,
    /// Names that later calls use and no state knows.
    pub learns: Vec<Learnt>,
    /// What the call may change.
    pub targets: Vec<Explained>,
}

/// A name that a call teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// The keys of requests at which later calls give it.
    pub at: Vec<String>,
    /// Where this call says it.
    pub is: String,
    /// Where it says the name that this one takes the place of.
    pub was: Option<String>,
}

/// One resource type that a call may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The type; none for any that carries tags.
    pub resource_type: Option<String>,
    /// What happens to it.
    pub effect: EffectKind,
    /// Who wrote the rule.
    pub provenance: Provenance,
    /// What must hold, for this type.
    pub when: Vec<String>,
    /// The list whose members are calls of their own, for this type.
    pub each: Option<String>,
    /// Whether there is one of them in an account and region, so that nothing has to name it.
    pub only: bool,
    /// How the instance is found: alternatives of attribute and source.
    pub find: Vec<Vec<(String, String)>>,
    /// What a created one hangs on: `aws_iam_role.name`, and the source.
    pub parent: Vec<(String, String)>,
    /// Types whose instances own the change instead.
    pub yields: Vec<String>,
    /// Attributes that change.
    pub changes: Vec<Changed>,
}

/// One attribute that a call changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The dotted path.
    pub attribute: String,
    /// Whether it takes the value, or members come or go.
    pub operation: Operation,
    /// Where the call says it.
    pub source: String,
    /// Whether the log shows the value.
    pub shown: bool,
}

/// Finds a call by what a person writes: `ec2:ModifyInstanceAttribute`,
/// `ec2.amazonaws.com/ModifyInstanceAttribute`, whatever the case.
///
/// # Errors
/// What comes close to it, as `service/event`: the event in other services, or events of the
/// service that look alike.
pub fn find(catalogue: &Catalogue, service: &str, event: &str) -> Result<Explanation, Vec<String>> {
    let service = service.to_ascii_lowercase();
    let source = if service.contains('.') {
        service
    } else {
        format!("{service}.amazonaws.com")
    };
    let event = aws::shape::without_version(event);
    let rules = catalogue.service(&source);
    let rule = rules.and_then(|rules| {
        rules.call(event).or_else(|| {
            let found = rules.names().find(|name| name.eq_ignore_ascii_case(event));
            rules.call(found?)
        })
    });
    let Some(rule) = rule else {
        return Err(close_to(catalogue, &source, event));
    };
    Ok(Explanation {
        service: source,
        event: rule.event.to_string(),
        operates: rule.operates.clone().map(String::from),
        when: rule.when.iter().map(condition).collect(),
        each: rule.each.as_ref().map(each),
        owners: rule.owners.iter().map(ToString::to_string).collect(),
        learns: rule.learns.iter().map(learnt).collect(),
        targets: rule.targets.iter().map(target).collect(),
    })
}

fn learnt(lesson: &Lesson) -> Learnt {
    Learnt {
        at: lesson.keys.iter().map(ToString::to_string).collect(),
        is: source(&lesson.is, "item"),
        was: lesson.was.as_ref().map(|was| source(was, "item")),
    }
}

/// How many look-alikes are worth naming.
const NAMED: usize = 6;

fn close_to(catalogue: &Catalogue, service: &str, event: &str) -> Vec<String> {
    let mut close = Vec::new();
    let mut services: Vec<&str> = catalogue.services().collect();
    services.sort_unstable();
    for other in services {
        let Some(rules) = catalogue.service(other) else {
            continue;
        };
        let alike = |name: &str| {
            if other == service {
                likeness(name, event) >= 0.6
            } else {
                name.eq_ignore_ascii_case(event)
            }
        };
        let names = rules.names().filter(|name| alike(name));
        close.extend(names.map(|name| (likeness(name, event), format!("{other}/{name}"))));
    }
    close.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    close
        .into_iter()
        .take(NAMED)
        .map(|(_, name)| name)
        .collect()
}

/// The share of pairs of neighbouring letters that two names have in common (Sørensen and Dice).
fn likeness(one: &str, other: &str) -> f64 {
    let pairs = |text: &str| -> Vec<[u8; 2]> {
        let lower = text.to_ascii_lowercase().into_bytes();
        lower
            .windows(2)
            .filter_map(|pair| pair.try_into().ok())
            .collect()
    };
    let (one, mut other) = (pairs(one), pairs(other));
    let all = u32::try_from(one.len() + other.len()).unwrap_or(u32::MAX);
    let mut common = 0_u32;
    for pair in one {
        if let Some(at) = other.iter().position(|candidate| *candidate == pair) {
            other.swap_remove(at);
            common += 1;
        }
    }
    if all == 0 {
        0.0
    } else {
        f64::from(2 * common) / f64::from(all)
    }
}

fn target(target: &Target) -> Explained {
    let pair = |pair: &Pair| {
        let mark = match pair {
            Pair { optional: true, .. } => "?",
            Pair { other: true, .. } => "!",
            _ => "",
        };
        (
            format!("{}{mark}", pair.attribute),
            source(&pair.source, ""),
        )
    };
    let parent = target.parent.iter().flat_map(|parent| {
        let find = parent.find.iter().map(pair);
        find.map(|(attribute, source)| (format!("{}.{attribute}", parent.resource_type), source))
    });
    Explained {
        resource_type: match &target.resource_type {
            ResourceType::Named(name) => Some(name.to_string()),
            ResourceType::AnyTagged => None,
        },
        effect: target.effect,
        provenance: target.provenance,
        when: target.when.iter().map(condition).collect(),
        each: target.each.as_ref().map(each),
        only: target.only,
        find: target
            .find
            .iter()
            .map(|alternative| alternative.iter().map(pair).collect())
            .collect(),
        parent: parent.collect(),
        yields: target
            .yields
            .iter()
            .map(|(other, _)| other.to_string())
            .collect(),
        changes: target.changes.iter().flat_map(changed).collect(),
    }
}

fn changed(change: &Change) -> Vec<Changed> {
    let mut out = Vec::new();
    unfold(
        &change.attribute,
        change.operation,
        &change.build,
        "",
        &mut out,
    );
    out
}

/// One line per leaf; what is relative to a list is written out behind the list's own path.
fn unfold(
    attribute: &str,
    operation: Operation,
    build: &Build,
    item: &str,
    out: &mut Vec<Changed>,
) {
    let mut line = |from: &Source| {
        let shown = !from.unknown;
        out.push(Changed {
            attribute: attribute.to_owned(),
            operation,
            source: source(from, item),
            shown,
        });
    };
    match build {
        Build::Leaf(from, _) | Build::Alike(from, _) => line(from),
        Build::Blocks(from, fields) => {
            line(from);
            let inside = format!("{}[].", source(from, item));
            for (name, field) in fields {
                unfold(
                    &format!("{attribute}.{name}"),
                    operation,
                    field,
                    &inside,
                    out,
                );
            }
        }
        Build::One { fields, .. } => {
            for (name, field) in fields {
                unfold(&format!("{attribute}.{name}"), operation, field, item, out);
            }
        }
    }
}

fn each(each: &Each) -> String {
    match each {
        Each::Path(found) => path(found, ""),
        Each::Expander(name) => format!("@{name}"),
    }
}

fn condition(condition: &Condition) -> String {
    let path = path(&condition.path, "");
    match &condition.test {
        Test::Present => format!("{path} is given"),
        Test::Absent => format!("{path} is not given"),
        Test::Is(text) => format!("{path} is {text}"),
        Test::IsNot(text) => format!("{path} is not {text}"),
    }
}

/// A source as a person reads it. `item` stands for what relative paths start from.
fn source(source: &Source, item: &str) -> String {
    let paths: Vec<String> = source.from.iter().map(|from| path(from, item)).collect();
    let mut text = paths.join(" or ");
    if let Some(value) = &source.more().value {
        text = match text.as_str() {
            "" => value.to_string(),
            given => format!("{value} if {given} is given"),
        };
    }
    if !source.more().template.is_empty() {
        let part = |part: &TemplatePart| match part {
            TemplatePart::Literal(text) => text.to_string(),
            TemplatePart::Path(from) => format!("{{{}}}", path(from, item)),
        };
        text = source.more().template.iter().map(part).collect();
    }
    for transform in &source.more().transforms {
        text = format!("{text} | {transform}");
    }
    if let Some(default) = &source.more().default {
        text = format!("{text}, else {default}");
        let within = source.more().within.as_ref();
        if let Some(within) = within.filter(|within| !within.steps.is_empty()) {
            text = format!("{text} if {} is given", path(within, item));
        }
    }
    if source.present {
        text = format!("whether {text} is there");
    }
    if source.unknown {
        let hidden = "value not in the log";
        text = if text.is_empty() {
            hidden.to_owned()
        } else {
            format!("{text} ({hidden})")
        };
    }
    text
}

fn path(path: &Path, item: &str) -> String {
    let root = match path.root {
        Root::Request => "",
        Root::Response => "response.",
        Root::Item if item.is_empty() => "item.",
        Root::Item => item,
        Root::Extra => "extra.",
        Root::Resources => "resources.",
    };
    let mut text = root.to_owned();
    for step in &path.steps {
        match step {
            Step::Name(name) => {
                text.push_str(name);
                text.push('.');
            }
            Step::Key(key) => {
                text.truncate(text.trim_end_matches('.').len());
                let _ = write!(text, "[{key:?}].");
            }
        }
    }
    text.trim_end_matches('.').to_owned()
}

impl fmt::Display for super::transform::Transform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plus(more) => write!(out, "plus:{more}"),
            Self::Times(factor) => write!(out, "times:{factor}"),
            Self::Divide(factor) => write!(out, "divide:{factor}"),
            Self::Before(separator) => write!(out, "before:{separator}"),
            Self::After(separator) => write!(out, "after:{separator}"),
            // The words that rules write are the names of the others in lower case.
            other => write!(out, "{}", format!("{other:?}").to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::transform::Transform;

    #[test]
    fn a_call_is_found_however_it_is_written() {
        let catalogue = Catalogue::builtin();
        for (service, event) in [
            ("ec2", "ModifyInstanceAttribute"),
            ("EC2.amazonaws.com", "modifyinstanceattribute"),
            ("lambda", "UpdateFunctionConfiguration20150331v2"),
        ] {
            assert!(
                find(&catalogue, service, event).is_ok(),
                "{service} {event}"
            );
        }
    }

    #[test]
    fn what_is_not_found_is_answered_with_what_comes_close() {
        let catalogue = Catalogue::builtin();
        let close = find(&catalogue, "ec2", "ModifyInstanceAttributes").expect_err("no such call");
        assert_eq!(
            close.first().map(String::as_str),
            Some("ec2.amazonaws.com/ModifyInstanceAttribute")
        );
        let close =
            find(&catalogue, "cloudwatch", "PutMetricAlarm").expect_err("another service's");
        assert_eq!(close, ["monitoring.amazonaws.com/PutMetricAlarm"]);
    }

    #[test]
    fn sources_read_as_rules_write_them() {
        let mut catalogue = Catalogue::default();
        let text = r#"
service = "ecs.amazonaws.com"
[UpdateService.aws_ecs_service]
when = ["!dryRun", "mode=on"]
whole = "networkConfiguration"
find.name = "service | tail"
find."cluster?" = ["cluster", "response.service.clusterArn"]
set.desired_count = { from = ["desiredCount", "count"], default = 1 }
set.enable_ecs_managed_tags = { value = true }
set.health_check_grace_period_seconds = { unknown = true }
set."load_balancer" = "loadBalancers"
set."network_configuration.assign_public_ip" = "networkConfiguration.awsvpcConfiguration.assignPublicIp"
set."load_balancer.container_name" = "loadBalancers.containerName"
add.tags = 'tags["a.b"]'
"#;
        let text = text.replace(
            r#"["cluster", "response.service.clusterArn"]"#,
            r#"{ from = ["cluster", "response.service.clusterArn"] }"#,
        );
        catalogue.add("small.toml", &text).expect("a catalogue");
        let found = find(&catalogue, "ecs", "UpdateService").expect("found");
        let target = found.targets.first().expect("a target");
        assert_eq!(target.when, ["dryRun is not given", "mode is on"]);
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(
            target.find,
            [[
                pair("name", "service | tail"),
                pair("cluster?", "cluster or response.service.clusterArn")
            ]]
        );
        let changes: Vec<(&str, &str)> = target
            .changes
            .iter()
            .map(|change| (change.attribute.as_str(), change.source.as_str()))
            .collect();
        assert_eq!(
            changes,
            [
                ("tags", r#"tags["a.b"]"#),
                ("desired_count", "desiredCount or count, else 1"),
                ("enable_ecs_managed_tags", "true"),
                ("health_check_grace_period_seconds", "value not in the log"),
                ("load_balancer", "loadBalancers"),
                (
                    "load_balancer.container_name",
                    "loadBalancers[].containerName"
                ),
                (
                    "network_configuration.assign_public_ip",
                    "networkConfiguration.awsvpcConfiguration.assignPublicIp, else false if networkConfiguration is given"
                ),
            ]
        );
    }

    #[test]
    fn transforms_are_written_as_they_are_read() {
        for word in [
            "not",
            "urldecode",
            "csv",
            "times:60",
            "divide:1024",
            "before:/",
            "after::",
            "dns",
            "function",
        ] {
            let transform = Transform::parse(word).expect("a transform");
            assert_eq!(transform.to_string(), word);
        }
    }
}
