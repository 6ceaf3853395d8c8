//! Calls that tag: of one type, or of whatever an ARN names.

use std::collections::{BTreeMap, BTreeSet};

use tfdrift::catalogue::schema;

use super::api::{Hop, Operation, Shape};
use super::identify::Subject;
use super::inputs::{Inputs, Kind, Verb};
use super::values::{Source, Values, tags_member};
use super::words::{snake, verb_and_noun};
use super::write::{Service, Target};
use super::{find, pick, spell};

/// Parameters that name a resource of any type.
const ANY: [&str; 14] = [
    "resource_arn",
    "resource",
    "resource_id",
    "arn",
    "resource_name",
    "resource_identifier",
    "tag_resource_arn",
    "resource_arns",
    "resource_ids",
    "resources",
    "resource_arn_list",
    "load_balancer_arns",
    "tagging_resource_arn",
    "resource_name_arn",
];

/// Adds the rules of all calls that tag.
pub fn add(
    inputs: &Inputs,
    services: &mut BTreeMap<String, Service>,
    left_out: &mut BTreeSet<(String, String, &'static str)>,
) {
    for (resource_type, rows) in &inputs.calls {
        let Some(body) =
            schema::resource(resource_type).filter(|body| body.attributes.contains_key("tags"))
        else {
            continue;
        };
        let subject = Subject::new(resource_type, body);
        for row in rows
            .iter()
            .filter(|row| row.verbs.contains(&Verb::Tag) && row.kind == Kind::Primary)
        {
            let mut leave = |why| {
                left_out.insert((
                    resource_type.clone(),
                    format!("{}:{}", row.source, row.event),
                    why,
                ));
            };
            if !row.event.contains("Tag") && !row.event.contains("tag") {
                continue;
            }
            let any: Option<(String, Hop<'_>, &Operation)> = inputs
                .api
                .operations(&row.source, &row.event)
                .iter()
                .find_map(|operation| {
                    let member = operation
                        .input
                        .iter()
                        .find(|member| ANY.contains(&snake(&member.name).as_str()))?;
                    let hop = operation.at(&member.name)?.pop()?;
                    Some((member.name.clone(), hop, operation))
                });
            let service = services.entry(row.source.clone()).or_default();
            if let Some((name, hop, operation)) = any {
                let Some(values) = tag_values(&row.source, &row.event, operation) else {
                    leave("no tags in the call");
                    continue;
                };
                let paths = if row.source == "ec2" {
                    vec![
                        String::from("resourcesSet.resourceId"),
                        String::from("resourceId"),
                    ]
                } else {
                    spell::request(&row.source, operation, &[hop])
                };
                let by = |attribute: &str| {
                    BTreeMap::from([(attribute.to_owned(), Source::Paths(paths.clone()))])
                };
                let arn = snake(&name).contains("arn");
                let find = match (row.source.as_str(), arn) {
                    ("ec2", _) => vec![by("id")],
                    (_, true) => vec![by("arn")],
                    _ => vec![by("arn"), by("id")],
                };
                let target = target("*", find, values);
                service
                    .targets
                    .entry(row.event.clone())
                    .or_default()
                    .insert(String::from("*"), target);
            } else if !about(resource_type, &row.event) {
                leave("tags another type");
            } else if let Some((operation, mappings)) = pick(inputs, resource_type, row) {
                let Some(values) = tag_values(&row.source, &row.event, operation) else {
                    leave("no tags in the call");
                    continue;
                };
                match subject.of_update(&row.source, &row.event, operation, mappings, None) {
                    Some(identity) => {
                        let target = target(resource_type, find(&identity), values);
                        let targets = service.targets.entry(row.event.clone()).or_default();
                        targets.entry(resource_type.clone()).or_insert(target);
                    }
                    None => leave("names no instance"),
                }
            }
        }
    }
}

/// Whether a call like `TagInstanceProfile` is about this type.
fn about(resource_type: &str, event: &str) -> bool {
    let noun = super::words::words(&snake(verb_and_noun(event).1));
    let kind = super::words::words(resource_type.trim_start_matches("aws_"));
    let noun: Vec<String> = noun
        .into_iter()
        .filter(|word| !matches!(word.as_str(), "tag" | "to" | "from"))
        .collect();
    noun.iter().all(|word| {
        kind.contains(word)
            || matches!(
                word.as_str(),
                "resource" | "open" | "i" | "d" | "saml" | "id"
            )
    })
}

fn target(resource_type: &str, find: Vec<BTreeMap<String, Source>>, values: Values) -> Target {
    Target {
        resource_type: resource_type.to_owned(),
        effect: "update",
        find,
        arn: None,
        parent: None,
        when: Vec::new(),
        only: false,
        values,
        like: None,
    }
}

fn tag_values(source: &str, event: &str, operation: &Operation) -> Option<Values> {
    let (verb, _) = verb_and_noun(event);
    let removes = matches!(verb, "Untag" | "Remove" | "Delete" | "Batch" | "Unlink")
        && !event.starts_with("BatchTag");
    let name = String::from("tags");
    let mut values = Values::default();
    if source == "ec2" {
        let paths = Source::Paths(vec![String::from("tagSet"), String::from("tag")]);
        if removes {
            values.remove.insert(name, paths)
        } else {
            values.add.insert(name, paths)
        };
        return Some(values);
    }
    if removes {
        let hop = operation.input.iter().find_map(|member| {
            let keys = matches!(&member.shape, Shape::List(inner) if matches!(**inner, Shape::Value(_)))
                && matches!(
                    snake(&member.name).as_str(),
                    "tag_keys" | "keys" | "tag_key_list" | "tags" | "tags_to_remove" | "tag_key" | "tags_to_delete" | "remove_tag_keys" | "keys_to_remove"
                );
            keys.then(|| operation.at(&member.name)).flatten()?.pop()
        });
        let hop = hop.or_else(|| tags_member(operation))?;
        values.remove.insert(
            name,
            Source::Paths(spell::request(source, operation, &[hop])),
        );
    } else {
        let hop = tags_member(operation)?;
        values.add.insert(
            name,
            Source::Paths(spell::request(source, operation, &[hop])),
        );
    }
    Some(values)
}
