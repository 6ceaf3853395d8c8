//! How a member of a request or response is spelt in the log (measured on real records).

use super::api::{Hop, Operation, Shape};
use super::words::{lower_first, singular};

/// The spellings of a path into a request, the likeliest first.
pub fn request(source: &str, operation: &Operation, hops: &[Hop<'_>]) -> Vec<String> {
    let mut spellings = vec![Vec::new()];
    for (depth, hop) in hops.iter().enumerate() {
        let segments = match source {
            "ec2" => ec2(hop),
            "s3" if operation.api == "s3" => s3(operation, hop, depth),
            _ => plain(operation, hop, depth),
        };
        let before = std::mem::take(&mut spellings);
        for segment in &segments {
            for path in &before {
                let mut path: Vec<String> = path.clone();
                path.extend(segment.iter().cloned());
                spellings.push(path);
            }
        }
    }
    // Deep paths with many spellings say less than they cost.
    spellings.truncate(4);
    spellings.into_iter().map(|path| path.join(".")).collect()
}

/// The spellings of a path into a response.
pub fn response(source: &str, hops: &[Hop<'_>]) -> Vec<String> {
    let names: Vec<String> = hops.iter().map(|hop| response_name(source, hop)).collect();
    let mut spellings = vec![format!("response.{}", names.join("."))];
    // These leave out the structure that holds everything.
    if matches!(source, "rds" | "elasticache" | "redshift") && names.len() > 1 {
        spellings.insert(0, format!("response.{}", names[1..].join(".")));
    }
    spellings
}

fn response_name(source: &str, hop: &Hop<'_>) -> String {
    if source == "ec2" && hop.lists > 0 {
        format!("{}Set", lower_first(&singular(&hop.member.name)))
    } else {
        lower_first(&hop.member.name)
    }
}

fn plain(operation: &Operation, hop: &Hop<'_>, depth: usize) -> Vec<Vec<String>> {
    let name = lower_first(&hop.member.name);
    let mut spellings = vec![vec![name]];
    // A parameter of the URL may be logged under the name it has there.
    if let Some(wire) = hop
        .member
        .wire
        .as_ref()
        .filter(|wire| depth == 0 && !wire.starts_with("x-") && !wire.contains("X-"))
    {
        let taken = operation
            .input
            .iter()
            .any(|member| member.name.eq_ignore_ascii_case(wire));
        if !taken {
            spellings.push(vec![wire.clone()]);
        }
    }
    spellings
}

/// Older calls have `{items: […]}` under a name ending in `Set`, newer ones the singular.
fn ec2(hop: &Hop<'_>) -> Vec<Vec<String>> {
    let name = &hop.member.name;
    if hop.lists == 0 {
        return vec![vec![lower_first(name)]];
    }
    let wire = hop.member.wire.clone().unwrap_or_else(|| singular(name));
    let old = match name.as_str() {
        "InstanceIds" => vec![String::from("instancesSet"), String::from("instanceId")],
        "SecurityGroupIds" | "SecurityGroups" | "Groups" => {
            vec![String::from("groupSet"), String::from("groupId")]
        }
        "Tags" => vec![String::from("tagSet")],
        _ if matches!(hop.shape, Shape::Struct(_)) => {
            vec![format!("{}Set", lower_first(&singular(name)))]
        }
        _ => vec![lower_first(name)],
    };
    vec![vec![wire], old]
}

/// The XML body under its root element, lists by the name of their elements.
fn s3(operation: &Operation, hop: &Hop<'_>, depth: usize) -> Vec<Vec<String>> {
    let name = &hop.member.name;
    if depth == 0 && operation.payload.as_deref() != Some(name) {
        let segment = match (name.as_str(), &hop.member.wire) {
            ("Bucket", _) => String::from("bucketName"),
            ("Key", _) => String::from("key"),
            (_, Some(wire)) => wire.clone(),
            _ => lower_first(name),
        };
        return vec![vec![segment]];
    }
    vec![vec![if hop.lists > 0 {
        singular(name)
    } else {
        name.clone()
    }]]
}
