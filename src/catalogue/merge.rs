//! Lays the rule files of one service over each other: generated, written by hand, the user's.

use std::collections::BTreeSet;

use super::text::Text;
use super::tree::{Table, Tree};

/// Under this key an event remembers the types whose targets the generator did not write:
/// `hand` or `user` by type. No event or type can have this name.
pub const AUTHORS: &str = "@authors";

/// Settings of an event that are no types.
pub const SETTINGS: [&str; 6] = ["operates", "when", "each", "owners", "learns", AUTHORS];

/// Lays a hand-written file over the generated one. An event that was written by hand is as it was
/// written; its targets keep the generated sources of attributes that the hand-written ones do not
/// speak of.
pub fn by_hand(into: &mut Table, file: Table) {
    for (event, rule) in file {
        let Tree::Table(mut rule) = rule else {
            into.insert(event, rule);
            continue;
        };
        let old = match into.get_mut(event.as_str()) {
            Some(Tree::Table(old)) => Some(old),
            _ => None,
        };
        match old {
            Some(old) if &*event == "type" => merge(old, rule),
            // The same event in another hand-written file of the service.
            Some(old) if old.contains_key(AUTHORS) => {
                sign(&mut rule, "hand");
                merge(old, rule);
            }
            Some(old) => {
                for (name, target) in &mut rule {
                    if let Some(Tree::Table(from)) = old.get(name.as_str()) {
                        fill(target, from);
                    }
                }
                sign(&mut rule, "hand");
                *old = rule;
            }
            None => {
                if &*event != "type" {
                    sign(&mut rule, "hand");
                }
                into.insert(event, Tree::Table(rule));
            }
        }
    }
}

/// Lays a user's file over the others, key by key.
pub fn by_user(into: &mut Table, mut file: Table) {
    for (event, rule) in &mut file {
        if let (true, Tree::Table(rule)) = (&**event != "type", rule) {
            sign(rule, "user");
        }
    }
    merge(into, file);
}

/// Writes down who wrote the targets of an event.
fn sign(rule: &mut Table, author: &'static str) {
    let types = rule.keys().filter(|key| !SETTINGS.contains(&key.as_str()));
    let authors = types
        .map(|name| (name.clone(), Tree::Text(author.into())))
        .collect();
    rule.insert(AUTHORS.into(), Tree::Table(authors));
}

/// Adds entries for attributes that a target does not speak of: of several tables, to the first that
/// always counts.
fn fill(target: &mut Tree, from: &Table) {
    let mut tables: Vec<&mut Table> = match target {
        Tree::Table(table) => vec![table],
        Tree::List(list) => list
            .iter_mut()
            .filter_map(|member| match member {
                Tree::Table(table) => Some(table),
                _ => None,
            })
            .collect(),
        _ => return,
    };
    let top = |attribute: &Text| attribute.split('.').next().unwrap_or_default().to_owned();
    let spoken: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| ["set", "add", "remove"].map(|key| table.get(key)))
        .filter_map(|entries| entries?.as_table())
        .flat_map(|entries| entries.keys().map(top))
        .collect();
    let several = tables.len() > 1;
    let always = tables.iter_mut().find(|table| {
        let narrowed = ["when", "each", "drop"]
            .iter()
            .any(|key| table.contains_key(*key));
        table.get("effect") == from.get("effect") && !(several && narrowed)
    });
    let (Some(table), Some(Tree::Table(entries))) = (always, from.get("set")) else {
        return;
    };
    if table.contains_key("like") {
        return;
    }
    let own = table
        .entry("set".into())
        .or_insert_with(|| Tree::Table(Table::new()));
    if let Tree::Table(own) = own {
        let missing = entries
            .iter()
            .filter(|(attribute, _)| !spoken.contains(&top(attribute)));
        own.extend(missing.map(|(attribute, source)| (attribute.clone(), source.clone())));
    }
}

/// Deep merge: tables key by key, anything else whole.
pub fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(key.as_str()), value) {
            (Some(Tree::Table(old)), Tree::Table(new)) if &*key != "find" => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
