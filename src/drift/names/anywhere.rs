//! Finds resources by names that stand where no rule looks: the ARNs that a log lists beside a call,
//! and any text in a call of an unknown kind.

use serde_json::Value;

use super::{ShortOnly, lies_in, matching, values_at};
use crate::audit::call::Call;
use crate::catalogue::aws::identifier;
use crate::catalogue::rule::{Pair, ResourceType, Scope, Target};
use crate::drift::effect::Resolver;
use crate::state::inventory::InstanceId;

/// Finds what the ARNs beside an omitted request mean.
#[must_use]
pub fn by_resources(
    resolver: &Resolver<'_>,
    target: &Target,
    resources: &Value,
    call: &Call,
    scope: Scope,
) -> Vec<InstanceId> {
    let ResourceType::Named(resource_type) = &target.resource_type else {
        return Vec::new();
    };
    let arns: Vec<String> = resources
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|text| !matches!(*text, "true" | "false" | "0"))
        .map(str::to_owned)
        .collect();
    for alternative in &target.find {
        let required: Vec<&Pair> = alternative.iter().filter(|pair| !pair.optional).collect();
        if let [pair] = required.as_slice()
            && !pair.other
            && !arns.is_empty()
        {
            let instances = matching(
                resolver,
                resource_type,
                &[(*pair, arns.clone())],
                call,
                scope,
            );
            if !instances.is_empty() {
                return instances;
            }
        }
    }
    Vec::new()
}

/// Managed resources that a call of an unknown kind names, by id or ARN, among types of its service.
#[must_use]
pub fn named_anywhere(
    resolver: &Resolver<'_>,
    request: &Value,
    resources: &Value,
    call: &Call,
) -> Vec<InstanceId> {
    let mut texts = Vec::new();
    collect_texts(request, 0, &mut texts);
    collect_texts(resources, 0, &mut texts);
    let mut instances = Vec::new();
    for text in texts {
        for instance in resolver.inventory.naming(text, &ShortOnly) {
            let resource_type = resolver.inventory.get(*instance).resource_type();
            let of_service = resolver
                .catalogue
                .services_of(resource_type)
                .any(|rules| rules.service == call.service);
            let named = of_service
                && ["id", "arn"].iter().any(|key| {
                    values_at(resolver, *instance, key).iter().any(|value| {
                        value
                            .as_str()
                            .is_some_and(|own| identifier::same(own, text))
                    })
                });
            if named
                && lies_in(
                    resolver,
                    *instance,
                    std::iter::once(&text.to_owned()),
                    call,
                    Scope::Regional,
                )
            {
                instances.push(*instance);
            }
        }
    }
    instances.sort_unstable();
    instances.dedup();
    instances
}

/// Texts that could be identifiers; a log may nest deeply to tire a reader out.
pub(in crate::drift) fn collect_texts<'v>(value: &'v Value, depth: usize, out: &mut Vec<&'v str>) {
    const DEEPEST: usize = 6;
    const MOST: usize = 256;
    if depth > DEEPEST || out.len() > MOST {
        return;
    }
    match value {
        Value::String(text)
            if (3..2048).contains(&text.len()) && !text.contains(char::is_whitespace) =>
        {
            out.push(text);
        }
        Value::Array(list) => list
            .iter()
            .for_each(|member| collect_texts(member, depth + 1, out)),
        Value::Object(map) => map
            .values()
            .for_each(|member| collect_texts(member, depth + 1, out)),
        _ => {}
    }
}
