//! Merges the rule files of AWS and packs them into the form that `src/catalogue/pack.rs` reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[allow(dead_code, reason = "shared with the library, which uses all of it")]
#[path = "src/catalogue/merge.rs"]
mod merge;
#[allow(dead_code, reason = "shared with the library, which uses all of it")]
#[path = "src/catalogue/text.rs"]
mod text;
#[allow(dead_code, reason = "shared with the library, which uses all of it")]
#[path = "src/catalogue/tree.rs"]
mod tree;

use tree::{Table, Tree};

/// Where the rules lie, the generated first.
const FOLDERS: [&str; 2] = ["src/catalogue/aws/generated", "src/catalogue/aws/rules"];

fn main() -> Result<(), Box<dyn Error>> {
    for place in [
        "build.rs",
        "src/catalogue/merge.rs",
        "src/catalogue/text.rs",
        "src/catalogue/tree.rs",
    ] {
        println!("cargo::rerun-if-changed={place}");
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut services: BTreeMap<String, Table> = BTreeMap::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        for file in files(&root.join(folder))? {
            let text = fs::read_to_string(&file)?;
            // What is no TOML is named by the test that reads every rule.
            let table: toml::Table = text
                .parse()
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let table = tree::table_of(table);
            let Some(Tree::Text(name)) = table.get("service") else {
                return Err(format!("{}: no `service`", file.display()).into());
            };
            let merged = services.entry(name.to_string()).or_default();
            if folder == FOLDERS[0] {
                merge::merge(merged, table);
            } else {
                merge::by_hand(merged, table);
            }
        }
    }
    let mut packer = Packer::default();
    let bytes = packer.pack(&services)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("rules.txt"), packer.texts.concat())?;
    fs::write(out.join("rules.bin"), bytes)?;
    Ok(())
}

/// The rule files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Who speaks of a type: numbers of services, and calls.
#[derive(Default)]
struct Row {
    services: BTreeSet<usize>,
    calls: BTreeSet<(usize, String)>,
}

#[derive(Default)]
struct Packer {
    /// Every text once, by its number.
    texts: Vec<String>,
    numbers: HashMap<String, u64>,
    /// Trees and rows.
    body: Vec<u8>,
}

impl Packer {
    fn pack(&mut self, services: &BTreeMap<String, Table>) -> Result<Vec<u8>, Box<dyn Error>> {
        self.number_texts(services);
        let head = 4 * (self.texts.len() + 4);
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut index = Vec::new();
        varint(&mut index, services.len());
        for (number, (name, table)) in services.iter().enumerate() {
            let text = self.number(name)?;
            varint(&mut index, text);
            let scope = match table.get("scope") {
                None => 0,
                Some(Tree::Text(word)) => ["regional", "global", "partition"]
                    .iter()
                    .position(|known| *word == **known)
                    .ok_or_else(|| format!("{name}: `{word}` is no scope"))?,
                Some(_) => return Err(format!("{name}: `scope` is a word").into()),
            };
            varint(&mut index, scope);
            let facts = table.get("type");
            for name in facts
                .and_then(Tree::as_table)
                .into_iter()
                .flat_map(Table::keys)
            {
                rows.entry(name.to_string())
                    .or_default()
                    .services
                    .insert(number);
            }
            let facts = facts.map(|facts| self.tree(facts, head)).transpose()?;
            varint(&mut index, facts.unwrap_or_default());
            let events: Vec<_> = table
                .iter()
                .filter(|(key, _)| !["service", "scope", "type"].contains(&key.as_str()))
                .collect();
            varint(&mut index, events.len());
            for (event, rule) in events {
                let Tree::Table(table) = rule else {
                    return Err(
                        format!("{name}: `{event}` is neither a setting nor an event").into(),
                    );
                };
                let text = self.number(event)?;
                varint(&mut index, text);
                let place = self.tree(rule, head)?;
                let flags = usize::from(table.contains_key("learns")) << 1
                    | usize::from(table.contains_key("operates"));
                varint(&mut index, place << 2 | flags);
                self.rows(number, event, table, &mut rows);
            }
        }
        let mut types = Vec::new();
        varint(&mut types, rows.len());
        for (name, row) in &rows {
            let text = self.number(name)?;
            varint(&mut types, text);
            varint(&mut types, head + self.body.len());
            varint(&mut self.body, row.services.len());
            for service in &row.services {
                varint(&mut self.body, *service);
            }
            varint(&mut self.body, row.calls.len());
            for (service, event) in &row.calls {
                let text = self.number(event)?;
                varint(&mut self.body, *service);
                varint(&mut self.body, text);
            }
        }
        let mut out = Vec::new();
        let mut word = |number: usize| -> Result<(), Box<dyn Error>> {
            out.extend(u32::try_from(number)?.to_le_bytes());
            Ok(())
        };
        word(self.texts.len())?;
        let mut place = 0;
        for text in &self.texts {
            word(place)?;
            place += text.len();
        }
        word(place)?;
        word(head + self.body.len())?;
        word(head + self.body.len() + index.len())?;
        out.extend(&self.body);
        out.extend(index);
        out.extend(types);
        Ok(out)
    }

    /// Gives the texts that are used most the smallest numbers.
    fn number_texts(&mut self, services: &BTreeMap<String, Table>) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = |text: &str| *counts.entry(text.to_owned()).or_default() += 1;
        for (name, table) in services {
            count(name);
            visit(table, &mut count);
        }
        let mut texts: Vec<(String, usize)> = counts.into_iter().collect();
        texts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        self.texts = texts.into_iter().map(|(text, _)| text).collect();
        let numbered = self.texts.iter().cloned().zip(0..);
        self.numbers = numbered.collect();
    }

    fn number(&self, text: &str) -> Result<usize, Box<dyn Error>> {
        let number = self
            .numbers
            .get(text)
            .ok_or_else(|| format!("`{text}` was not counted"))?;
        Ok(usize::try_from(*number)?)
    }

    /// Writes a tree; gives its offset.
    fn tree(&mut self, tree: &Tree, head: usize) -> Result<usize, Box<dyn Error>> {
        let place = head + self.body.len();
        self.write(tree)?;
        Ok(place)
    }

    fn write(&mut self, tree: &Tree) -> Result<(), Box<dyn Error>> {
        match tree {
            Tree::Text(text) => {
                let number = self.number(text)?;
                varint(&mut self.body, number << 3);
            }
            Tree::Integer(number) => {
                let zigzag = ((number << 1) ^ (number >> 63)).cast_unsigned();
                varint(&mut self.body, usize::try_from(zigzag)? << 3 | 1);
            }
            Tree::Float(number) => {
                varint(&mut self.body, 2);
                self.body.extend(number.to_le_bytes());
            }
            Tree::Bool(truth) => varint(&mut self.body, usize::from(*truth) << 3 | 3),
            Tree::List(list) => {
                varint(&mut self.body, list.len() << 3 | 4);
                for member in list {
                    self.write(member)?;
                }
            }
            Tree::Table(table) => {
                varint(&mut self.body, table.len() << 3 | 5);
                for (key, value) in table {
                    let number = self.number(key)?;
                    varint(&mut self.body, number);
                    self.write(value)?;
                }
            }
        }
        Ok(())
    }

    /// Notes which types an event speaks of: as what it changes, what a created one hangs on, or
    /// what a target yields to.
    fn rows(&self, service: usize, event: &str, rule: &Table, rows: &mut BTreeMap<String, Row>) {
        let call = (service, event.to_owned());
        for (name, target) in rule {
            if merge::SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let targets: Vec<&Table> = match target {
                Tree::Table(table) => vec![table],
                Tree::List(list) => list.iter().filter_map(Tree::as_table).collect(),
                _ => continue,
            };
            for target in targets {
                if target.get("drop").is_some_and(|drop| drop.is(true)) {
                    continue;
                }
                let row = rows.entry(name.to_string()).or_default();
                row.services.insert(service);
                row.calls.insert(call.clone());
                let parents = target.get("parent").and_then(Tree::as_table);
                let mut beside: Vec<&str> = parents
                    .into_iter()
                    .flat_map(Table::keys)
                    .map(|name| &**name)
                    .collect();
                if let Some(Tree::List(yields)) = target.get("yields") {
                    let types = yields.iter().filter_map(Tree::as_text);
                    beside.extend(types.filter_map(|text| Some(text.split_once('.')?.0)));
                }
                for name in beside {
                    rows.entry(name.to_owned())
                        .or_default()
                        .calls
                        .insert(call.clone());
                }
            }
        }
    }
}

/// Visits every text of a table, keys too, and the types that texts name.
fn visit(table: &Table, count: &mut dyn FnMut(&str)) {
    fn within(tree: &Tree, count: &mut dyn FnMut(&str)) {
        match tree {
            Tree::Text(text) => {
                count(text);
                if let Some((name, _)) = text
                    .split_once('.')
                    .filter(|(name, _)| name.starts_with("aws_"))
                {
                    count(name);
                }
            }
            Tree::List(list) => list.iter().for_each(|member| within(member, count)),
            Tree::Table(table) => visit(table, count),
            Tree::Integer(_) | Tree::Float(_) | Tree::Bool(_) => {}
        }
    }
    for (key, value) in table {
        count(key);
        within(value, count);
    }
}

/// LEB128.
fn varint(out: &mut Vec<u8>, number: usize) {
    let mut rest = number;
    loop {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if rest == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}
