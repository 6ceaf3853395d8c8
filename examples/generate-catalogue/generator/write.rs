//! Writes rules as TOML, the same for the same input.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::values::{Source, Values};

/// One target of one event.
#[derive(Debug, Clone)]
pub struct Target {
    pub resource_type: String,
    pub effect: &'static str,
    /// Alternatives of attribute and source.
    pub find: Vec<BTreeMap<String, Source>>,
    pub arn: Option<Source>,
    /// Type, attribute, source.
    pub parent: Option<(String, String, Source)>,
    pub when: Vec<String>,
    /// The call names nothing: an account and region have one.
    pub only: bool,
    pub values: Values,
    /// Event whose `set` this one starts from.
    pub like: Option<String>,
}

/// All rules of a service.
#[derive(Debug, Default)]
pub struct Service {
    pub scope: Option<&'static str>,
    pub never: BTreeMap<String, BTreeSet<String>>,
    pub operates: BTreeMap<String, String>,
    /// By event and type.
    pub targets: BTreeMap<String, BTreeMap<String, Target>>,
}

/// The text of a service's file.
pub fn file(source: &str, service: &Service) -> String {
    let mut out = String::from(
        "# Written by `cargo run --example generate-catalogue`. Corrections belong in ../rules.\n",
    );
    let _ = writeln!(out, "service = \"{source}.amazonaws.com\"");
    if let Some(scope) = service.scope {
        let _ = writeln!(out, "scope = \"{scope}\"");
    }
    for (resource_type, never) in &service.never {
        let names: Vec<String> = never.iter().map(|name| quoted(name)).collect();
        let _ = writeln!(
            out,
            "\n[type.{resource_type}]\nnever = [{}]",
            names.join(", ")
        );
    }
    let events: BTreeSet<&String> = service
        .operates
        .keys()
        .chain(service.targets.keys())
        .collect();
    for event in events {
        if let Some(why) = service.operates.get(event) {
            let _ = writeln!(out, "\n[{event}]\noperates = {}", quoted(why));
            continue;
        }
        for target in service
            .targets
            .get(event)
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            out.push('\n');
            write_target(&mut out, event, target);
        }
    }
    out
}

fn write_target(out: &mut String, event: &str, target: &Target) {
    let _ = writeln!(out, "[{event}.{}]", key(&target.resource_type));
    if target.effect != "update" {
        let _ = writeln!(out, "effect = \"{}\"", target.effect);
    }
    if !target.when.is_empty() {
        let texts: Vec<String> = target.when.iter().map(|text| quoted(text)).collect();
        let _ = writeln!(out, "when = [{}]", texts.join(", "));
    }
    match target.find.as_slice() {
        [] => {
            let _ = writeln!(out, "only = {}", target.only);
        }
        [only] => {
            for (attribute, source) in only {
                let _ = writeln!(out, "find.{} = {}", key(attribute), value(source));
            }
        }
        several => {
            let tables: Vec<String> = several.iter().map(table).collect();
            let _ = writeln!(out, "find = [{}]", tables.join(", "));
        }
    }
    if let Some(arn) = &target.arn {
        let _ = writeln!(out, "arn = {}", value(arn));
    }
    if let Some((resource_type, attribute, source)) = &target.parent {
        let _ = writeln!(
            out,
            "parent.{resource_type}.{attribute} = {}",
            value(source)
        );
    }
    if let Some(like) = &target.like {
        let _ = writeln!(out, "like = \"{like}\"");
    }
    for (word, entries) in [
        ("set", &target.values.set),
        ("add", &target.values.add),
        ("remove", &target.values.remove),
    ] {
        for (attribute, source) in entries {
            let _ = writeln!(out, "{word}.{} = {}", key(attribute), value(source));
        }
    }
}

fn table(find: &BTreeMap<String, Source>) -> String {
    let pairs: Vec<String> = find
        .iter()
        .map(|(name, source)| format!("{} = {}", key(name), value(source)))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

fn value(source: &Source) -> String {
    let list = |paths: &[String]| {
        let texts: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
        if let [only] = texts.as_slice() {
            only.clone()
        } else {
            format!("[{}]", texts.join(", "))
        }
    };
    match source {
        Source::Paths(paths) if paths.len() == 1 => list(paths),
        Source::Paths(paths) => format!("{{ from = {} }}", list(paths)),
        Source::Unknown(paths) => format!("{{ from = {}, unknown = true }}", list(paths)),
        Source::Constant(literal) => format!("{{ value = {literal} }}"),
        Source::Template(text) => format!("{{ template = {} }}", quoted(text)),
    }
}

fn key(name: &str) -> String {
    let bare = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    if bare { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    if text.contains('"') {
        format!("'{text}'")
    } else {
        format!("\"{text}\"")
    }
}
