//! Holds every rule against the provider's schema and AWS's API models, and the generated ones against their inputs.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test may end where it fails, and says what it counted"
)]

#[path = "../examples/generate-catalogue/generator/mod.rs"]
mod generator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use generator::api::{Member, Operation, Shape};
use generator::inputs::Inputs;
use generator::words::{lower_first, singular};
use tfdrift::catalogue::load::{RuleText, ServiceRules, load_all};
use tfdrift::catalogue::rule::{Provenance, ResourceType};
use tfdrift::catalogue::schema;
use tfdrift::catalogue::text::Text;
use toml::{Table, Value};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn inputs() -> &'static Inputs {
    static INPUTS: OnceLock<Inputs> = OnceLock::new();
    INPUTS.get_or_init(|| Inputs::read(&root().join("catalogue/inputs")).expect("readable inputs"))
}

/// File name, text and weight of every rule file.
fn files() -> Vec<(String, String, Provenance)> {
    let mut files = Vec::new();
    for (folder, provenance) in [
        ("generated", Provenance::Generated),
        ("rules", Provenance::Handwritten),
    ] {
        let folder = root().join("src/catalogue/aws").join(folder);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        paths.sort();
        for path in paths
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        {
            let text = std::fs::read_to_string(&path).expect("readable");
            files.push((
                path.strip_prefix(root())
                    .unwrap_or(&path)
                    .display()
                    .to_string(),
                text,
                provenance,
            ));
        }
    }
    files
}

fn services() -> BTreeMap<String, ServiceRules> {
    let files = files();
    let mut texts: BTreeMap<String, Vec<RuleText<'_>>> = BTreeMap::new();
    for (file, text, provenance) in &files {
        let table: Table = text
            .parse()
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let service = table
            .get("service")
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{file}: no service"));
        texts.entry(service.to_owned()).or_default().push(RuleText {
            file,
            text,
            provenance: *provenance,
        });
    }
    let mut problems = Vec::new();
    let services = texts
        .into_iter()
        .map(|(service, texts)| {
            let (rules, errors) = load_all(&texts);
            problems.extend(errors.into_iter().map(|error| error.to_string()));
            (service, rules)
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{} rules cannot be used:\n{}",
        problems.len(),
        problems.join("\n")
    );
    services
}

#[test]
fn the_generated_rules_are_current() {
    let generated = generator::generate(inputs());
    let folder = root().join("src/catalogue/aws/generated");
    let mut stale = Vec::new();
    for (name, text) in &generated.files {
        if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            stale.push(name.clone());
        }
    }
    for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if Path::new(&name)
            .extension()
            .is_some_and(|end| end == "toml")
            && !generated.files.contains_key(&name)
        {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "run `cargo run --example generate-catalogue`; stale: {}",
        stale.join(" ")
    );
}

#[test]
fn every_parameter_that_a_rule_reads_is_in_the_api_model() {
    let allowed: Table = std::fs::read_to_string(root().join("catalogue/inputs/allow.toml"))
        .expect("readable")
        .parse()
        .expect("a table");
    let mut unknown = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (file, text, _) in files() {
        let table: Table = text.parse().expect("a table");
        let source = table
            .get("service")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let source = source.trim_end_matches(".amazonaws.com");
        for (event, call) in table
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "service" | "scope" | "type"))
        {
            let operations = inputs().api.operations(source, event);
            let mut paths = BTreeSet::new();
            collect(call, call.get("each").and_then(Value::as_str), &mut paths);
            if operations.is_empty() && !paths.is_empty() {
                let key = format!("{source}:{event}");
                if !allowed.contains_key(&key) {
                    unknown.insert(format!("{file}: [{event}] is no operation of {source}"));
                }
                used.insert(key);
                continue;
            }
            for path in paths {
                let steps = steps(&path);
                if steps.is_empty()
                    || operations
                        .iter()
                        .any(|operation| has(source, operation, &steps))
                {
                    continue;
                }
                let key = format!("{source}:{event} {path}");
                let general = format!("{source} {path}");
                let leave = allowed
                    .keys()
                    .find(|allowed| match allowed.strip_suffix('*') {
                        Some(beginning) => {
                            key.starts_with(beginning) || general.starts_with(beginning)
                        }
                        None => **allowed == key || **allowed == general,
                    });
                match leave {
                    Some(leave) => drop(used.insert(leave.clone())),
                    None => drop(unknown.insert(format!("{file}: [{event}] {path}"))),
                }
            }
        }
    }
    let unneeded: Vec<&String> = allowed.keys().filter(|key| !used.contains(*key)).collect();
    assert!(
        unneeded.is_empty(),
        "allow.toml lists what needs no leave: {unneeded:?}"
    );
    let list: Vec<String> = unknown.into_iter().collect();
    assert!(
        list.is_empty(),
        "{} parameters are not in the model:\n{}",
        list.len(),
        list.join("\n")
    );
}

/// The paths of all sources under a value; `item.…` is seen from the list that `each` walks.
fn collect(value: &Value, each: Option<&str>, paths: &mut BTreeSet<String>) {
    let Some(table) = value.as_table() else {
        return;
    };
    for (key, value) in table {
        match (key.as_str(), value) {
            ("find" | "set" | "add" | "remove" | "parent" | "id" | "arn", value) => {
                sources(value, each, paths);
            }
            ("learns", Value::Table(lesson)) => {
                let each = lesson.get("each").and_then(Value::as_str).or(each);
                for (key, value) in lesson {
                    if matches!(key.as_str(), "is" | "was" | "gives") {
                        sources(value, each, paths);
                    }
                }
            }
            (_, Value::Table(_)) => {
                let each = value.get("each").and_then(Value::as_str).or(each);
                collect(value, each, paths);
            }
            (_, Value::Array(list)) => {
                for value in list {
                    let each = value.get("each").and_then(Value::as_str).or(each);
                    collect(value, each, paths);
                }
            }
            _ => {}
        }
    }
}

fn sources(value: &Value, each: Option<&str>, paths: &mut BTreeSet<String>) {
    let mut add = |text: &str| {
        let path = text.split(" | ").next().unwrap_or_default().trim();
        let path = match (path.strip_prefix("item."), each) {
            (Some(rest), Some(each)) if !each.starts_with('@') => format!("{each}.{rest}"),
            (Some(_), _) => return,
            (None, _) if path == "item" => return,
            _ => path.to_owned(),
        };
        paths.insert(path);
    };
    match value {
        Value::String(text) => add(text),
        Value::Array(list) => list.iter().for_each(|value| sources(value, each, paths)),
        Value::Table(table) => {
            let is_source = ["from", "value", "template", "unknown", "default", "map"]
                .iter()
                .any(|key| {
                    table
                        .get(*key)
                        .is_some_and(|value| *key != "from" || !value.is_table())
                })
                && !table.values().all(|value| {
                    value.is_str()
                        && !table.contains_key("value")
                        && !table.contains_key("template")
                });
            if is_source || table.get("from").is_some_and(|from| !from.is_table()) {
                match table.get("from") {
                    Some(Value::String(text)) => add(text),
                    Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).for_each(add),
                    _ => {}
                }
                if let Some(template) = table.get("template").and_then(Value::as_str) {
                    for part in template.split('{').skip(1) {
                        paths.extend(
                            part.split_once('}')
                                .map(|(path, _)| path.to_owned())
                                .filter(|path| !path.starts_with("item")),
                        );
                    }
                }
            } else {
                table.values().for_each(|value| sources(value, each, paths));
            }
        }
        _ => {}
    }
}

/// Names of a path, up to the first key: `response` first if it starts there.
fn steps(path: &str) -> Vec<String> {
    let plain = path.split("[\"").next().unwrap_or_default();
    let steps: Vec<String> = plain
        .split('.')
        .filter(|step| !step.is_empty())
        .map(str::to_owned)
        .collect();
    match steps.first().map(String::as_str) {
        // What the log adds, and what reading adds, is in no model.
        Some("extra" | "resources" | "patch" | "call") => Vec::new(),
        _ => steps,
    }
}

fn has(source: &str, operation: &Operation, steps: &[String]) -> bool {
    let (members, steps) = match steps.split_first() {
        Some((first, rest)) if first == "response" => {
            // Only what making calls give is in the model.
            if operation.output.is_empty() {
                return true;
            }
            (&operation.output, rest)
        }
        _ => (&operation.input, steps),
    };
    if source == "s3"
        && matches!(
            steps.first().map(String::as_str),
            Some("bucketName" | "key" | "Host" | "host" | "bucketPolicy")
        )
    {
        return true;
    }
    let flat = matches!(source, "rds" | "elasticache" | "redshift");
    // The body may stand under the name of its request.
    let wrapped = steps
        .first()
        .is_some_and(|first| first.ends_with("Request") || first.ends_with("Input"));
    if wrapped && steps.len() > 1 && inside(members, &steps[1..]) {
        return true;
    }
    // SNS logs one attribute as a name and a value; reading makes a map of them.
    let pair = ["AttributeName", "AttributeValue"];
    if steps.first().is_some_and(|first| first == "attributes")
        && pair
            .iter()
            .all(|name| members.iter().any(|member| member.name == *name))
    {
        return true;
    }
    inside(members, steps)
        || members.iter().any(|member| {
            // Some responses leave out the structure that holds everything.
            flat && matches!(&member.shape, Shape::Struct(fields) if inside(fields, steps))
        })
}

/// Keys under which services wrap a single value or a list.
const WRAPPERS: [&str; 5] = ["items", "item", "member", "value", "content"];

fn inside(members: &[Member], steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    if members.is_empty()
        || (WRAPPERS.contains(&step.to_lowercase().as_str()) && inside(members, rest))
    {
        return true;
    }
    // `{quantity, items}` is read as its items.
    let items = members.iter().find(|member| member.name == "Items");
    if let Some(Shape::List(inner)) = items.map(|items| &items.shape)
        && let Shape::Struct(fields) = inner.as_ref()
        && inside(fields, steps)
    {
        return true;
    }
    members
        .iter()
        .filter(|member| is_spelt(member, step))
        .any(|member| {
            let mut shape = &member.shape;
            while let Shape::List(inner) = shape {
                shape = inner;
            }
            match shape {
                // XML lists name their elements: `Tagging.TagSet.Tag.Key`.
                Shape::Struct(fields) => {
                    let listed = matches!(member.shape, Shape::List(_));
                    inside(fields, rest)
                        || (listed
                            && rest.first().is_some_and(|name| !is_a_field(fields, name))
                            && inside(fields, &rest[1..]))
                }
                Shape::Map(_) => true,
                // EC2 names the members of a list of texts: `groupSet.groupId`.
                Shape::Value(_) => rest.len() <= 1,
                Shape::List(_) => false,
            }
        })
}

fn is_a_field(fields: &[Member], name: &str) -> bool {
    fields.iter().any(|field| is_spelt(field, name))
}

fn is_spelt(member: &Member, step: &str) -> bool {
    let one = singular(&member.name);
    let list = matches!(member.shape, Shape::List(_));
    let mut spellings = vec![
        member.name.clone(),
        format!("{}Set", lower_first(&one)),
        format!("{}Set", lower_first(&member.name)),
    ];
    spellings.extend(member.wire.clone());
    if list {
        spellings.push(one);
        let stem = member.name.trim_end_matches("Ids").trim_end_matches("Id");
        spellings.extend([format!("{stem}Set"), format!("{stem}sSet")]);
    }
    if matches!(
        member.name.as_str(),
        "SecurityGroupIds" | "Groups" | "SecurityGroups"
    ) {
        spellings.extend([String::from("groupSet"), String::from("groupId")]);
    }
    spellings
        .iter()
        .any(|spelling| spelling.eq_ignore_ascii_case(step))
}

#[test]
fn a_call_that_only_operates_changes_nothing() {
    for (service, rules) in services() {
        for call in rules.calls.values().filter(|call| call.operates.is_some()) {
            assert!(
                call.targets.is_empty(),
                "{service} {}: operates, and yet has a target",
                call.event
            );
        }
    }
}

#[test]
fn the_catalogue_knows_as_much_as_it_promises() {
    let services = services();
    let mut types = BTreeSet::new();
    let mut calls = 0;
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    // What names an instance is watched too: it changes only by an end and a new beginning.
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    let mut never: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rules in services.values() {
        calls += rules
            .calls
            .values()
            .filter(|call| call.operates.is_some() || !call.targets.is_empty())
            .count();
        for (name, facts) in &rules.types {
            never
                .entry(name.to_string())
                .or_default()
                .extend(facts.never.iter().cloned());
        }
        for target in rules.calls.values().flat_map(|call| &call.targets) {
            let ResourceType::Named(name) = &target.resource_type else {
                continue;
            };
            types.insert(name.to_string());
            named.extend(
                target
                    .find
                    .iter()
                    .flatten()
                    .map(|pair| (name.to_string(), pair.attribute.to_string())),
            );
            for change in &target.changes {
                pairs.insert((name.to_string(), change.attribute.to_string()));
                if let tfdrift::catalogue::rule::Shape::Blocks { fields, .. } = &change.shape {
                    below(name, &change.attribute, fields, &mut pairs);
                }
            }
        }
    }
    let (mut known, mut all) = (0, 0);
    let mut poor = Vec::new();
    for name in inputs().ranking.iter().take(150) {
        let Some(body) = schema::resource(name) else {
            continue;
        };
        let skip = |argument: &Text| {
            let terraform = argument.ends_with("_prefix")
                || argument.contains("_wo")
                || inputs().never.iter().any(|never| *never == **argument);
            terraform
                || never
                    .get(name)
                    .is_some_and(|never| never.contains(argument.as_str()))
        };
        let arguments: Vec<&Text> = body
            .attributes
            .iter()
            .filter(|(name, attribute)| attribute.configurable && !skip(name))
            .map(|(name, _)| name)
            .chain(
                body.blocks
                    .iter()
                    .filter(|(_, block)| block.configurable)
                    .map(|(name, _)| name),
            )
            .collect();
        let tagged = |argument: &str| argument == "tags";
        let missing: Vec<&str> = arguments
            .iter()
            .map(|argument| argument.as_str())
            .filter(|argument| {
                !tagged(argument)
                    && !pairs.iter().chain(&named).any(|(other, path)| {
                        other == name
                            && (path == argument || path.starts_with(&format!("{argument}.")))
                    })
            })
            .collect();
        known += arguments.len() - missing.len();
        all += arguments.len();
        if !missing.is_empty() {
            poor.push(format!("{name}: {}", missing.join(" ")));
        }
    }
    // In tenths of a percent.
    let share = known * 1000 / all;
    eprintln!(
        "types with a rule {}, calls {calls}, pairs {}, top 150: {known} of {all} arguments, {}.{} %",
        types.len(),
        pairs.len(),
        share / 10,
        share % 10
    );
    let silent: Vec<&str> = inputs()
        .calls
        .keys()
        .map(String::as_str)
        .filter(|name| !types.contains(*name))
        .collect();
    eprintln!("types without a rule: {}", silent.join(" "));
    eprintln!("not watched:\n{}", poor.join("\n"));
    assert!(types.len() >= 1650, "{} types", types.len());
    assert!(calls >= 4300, "{calls} calls");
    assert!(pairs.len() >= 8000, "{} pairs", pairs.len());
    assert!(
        share >= 900,
        "{known} of {all} arguments of the most used types"
    );
}

fn below(
    name: &str,
    above: &str,
    fields: &tfdrift::catalogue::rule::Fields,
    pairs: &mut BTreeSet<(String, String)>,
) {
    for (field, known) in fields {
        let path = format!("{above}.{field}");
        if let Some((_, inner)) = &known.inner {
            below(name, &path, inner, pairs);
        } else {
            pairs.insert((name.to_owned(), path));
        }
    }
}
