//! Reads values out of one call, as a rule asks.

use serde_json::{Map, Value};

use super::path::{self, Path, Root};
use super::rule::{
    Build, Change, Condition, Each, Kind, Operation, Pair, Source, TemplatePart, Test,
};
use super::schema::Type;
use super::text::Text;
use super::value::{Given, coerce, holds_hidden, is_blank, is_hidden, single};

/// The parts of one call that rules may look at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What was asked.
    pub request: &'a Value,
    /// What came back.
    pub response: &'a Value,
    /// What the log adds.
    pub extra: &'a Value,
    /// The ARNs that the record lists, as a list.
    pub resources: &'a Value,
    /// A member of the rule's `each`; null outside one.
    pub item: &'a Value,
}

impl<'a> View<'a> {
    /// The same call, seen from a member of a list.
    #[must_use]
    pub fn with_item(self, item: &'a Value) -> Self {
        Self { item, ..self }
    }

    fn root(&self, root: Root) -> &'a Value {
        match root {
            Root::Request => self.request,
            Root::Response => self.response,
            Root::Item => self.item,
            Root::Extra => self.extra,
            Root::Resources => self.resources,
        }
    }

    /// Whether all conditions hold.
    #[must_use]
    pub fn holds(&self, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| {
            let found = match self.raw(&condition.path) {
                Given::Value(value) => Some(value),
                Given::Hidden | Given::Alike(_) => Some(Value::String(String::from("hidden"))),
                Given::Absent => None,
            };
            match &condition.test {
                Test::Present => found.is_some(),
                Test::Absent => found.is_none(),
                Test::Is(text) => found.is_some_and(|value| is_text(&value, text)),
                Test::IsNot(text) => !found.is_some_and(|value| is_text(&value, text)),
            }
        })
    }

    /// The members that a rule's `each` makes of a call.
    #[must_use]
    pub fn each(&self, each: &Each) -> Vec<Value> {
        match each {
            Each::Path(path) => match self.raw(path) {
                Given::Value(value) => path::members(&value).into_iter().cloned().collect(),
                _ => Vec::new(),
            },
            Each::Expander(name) => super::aws::expand::expand(name, self),
        }
    }

    /// What stands at a path, in the log's own spelling.
    #[must_use]
    pub fn raw(&self, path: &Path) -> Given {
        let root = self.root(path.root);
        if is_hidden(root) {
            return Given::Hidden;
        }
        let picked = path::select(root, &path.steps);
        let blank = |value: &Value| {
            if path.is_keyed() {
                value.is_null()
            } else {
                is_blank(value)
            }
        };
        let values: Vec<&Value> = picked
            .values
            .into_iter()
            .filter(|value| !blank(value))
            .collect();
        if picked.hidden || values.iter().any(|value| is_hidden(value)) {
            return Given::Hidden;
        }
        match (values.as_slice(), picked.many) {
            ([], _) => Given::Absent,
            ([value], false) => Given::Value((*value).clone()),
            (values, _) => Given::Value(
                values
                    .iter()
                    .flat_map(|value| match value {
                        Value::Array(list) => list.clone(),
                        value => vec![(*value).clone()],
                    })
                    .collect(),
            ),
        }
    }

    /// What a source gives, before it is made to fit a type. What holds something hidden is hidden.
    #[must_use]
    pub fn source(&self, source: &Source) -> Given {
        self.found(source, false)
    }

    /// What a source gives. Of blocks, parts may be hidden: only what the rule looks at counts.
    fn found(&self, source: &Source, partly: bool) -> Given {
        if source.present {
            return self.presence(source);
        }
        let mut given = Given::Absent;
        if !source.more().template.is_empty() {
            given = self.template(&source.more().template);
        }
        for path in &source.from {
            given = self.raw(path);
            if given == Given::Absent && source.blank && self.stands_empty(path) {
                given = Given::Value(Value::String(String::new()));
            }
            if given != Given::Absent {
                break;
            }
        }
        let asked = source.from.is_empty() && source.more().template.is_empty();
        if source.unknown {
            // That nothing is left is told, whatever the rest would be.
            if matches!(&given, Given::Value(Value::Array(list)) if list.is_empty()) {
                return given;
            }
            return if asked || given != Given::Absent || self.touches(source) {
                Given::Hidden
            } else {
                Given::Absent
            };
        }
        if let Some(value) = &source.more().value
            && (asked || given != Given::Absent)
        {
            given = Given::Value(value.clone());
        }
        match given {
            Given::Value(value) if !partly && holds_hidden(&value) => Given::Hidden,
            Given::Value(value) => {
                let value = source
                    .more()
                    .transforms
                    .iter()
                    .fold(value, |value, transform| transform.apply(value));
                if value.is_null() {
                    return self.default(source);
                }
                Given::Value(mapped(value, source))
            }
            Given::Absent => self.default(source),
            Given::Hidden | Given::Alike(_) => Given::Hidden,
        }
    }

    /// What holds when a call leaves a source out.
    fn default(&self, source: &Source) -> Given {
        let more = source.more();
        let replaced = |path: &Path| self.stands_empty(path);
        match &more.default {
            Some(default) if more.within.as_ref().is_none_or(replaced) => {
                Given::Value(default.clone())
            }
            _ => Given::Absent,
        }
    }

    /// Whether a source lies in a list that the call gives without members: then nothing is left of it.
    /// A list of keys and values says nothing of the keys that it leaves out.
    fn is_emptied(&self, source: &Source) -> bool {
        let emptied = |path: &Path| {
            let asked = matches!(path.root, Root::Request | Root::Item);
            let picked = asked.then(|| path::select(self.root(path.root), &path.steps));
            !path.is_keyed() && picked.is_some_and(|picked| picked.emptied)
        };
        !source.unknown && !source.present && source.from.iter().any(emptied)
    }

    /// One empty block if a path is there at all, none if what stands around it is.
    fn presence(&self, source: &Source) -> Given {
        let found = |path: &Path, steps: &[path::Step]| {
            let picked = path::select(self.root(path.root), steps);
            picked.values.iter().any(|value| !value.is_null())
        };
        for path in &source.from {
            if found(path, &path.steps) {
                return Given::Value(Value::Array(vec![Value::Object(Map::new())]));
            }
            let around = path.steps.split_last().map_or(&[][..], |(_, above)| above);
            if !around.is_empty() && found(path, around) {
                return Given::Value(Value::Array(Vec::new()));
            }
        }
        Given::Absent
    }

    /// Whether an empty text or an empty object stands at a path.
    fn stands_empty(&self, path: &Path) -> bool {
        let picked = path::select(self.root(path.root), &path.steps);
        picked.values.iter().any(|value| !value.is_null())
    }

    /// Whether a path is there at all, though blank: `environment: {}`.
    fn touches(&self, source: &Source) -> bool {
        source.alone
            && source.from.iter().any(|path| {
                path::select(self.root(path.root), &path.steps)
                    .values
                    .iter()
                    .any(|value| !value.is_null())
            })
    }

    fn template(&self, parts: &[TemplatePart]) -> Given {
        let mut text = String::new();
        for part in parts {
            match part {
                TemplatePart::Literal(literal) => text.push_str(literal),
                TemplatePart::Path(path) => match self.raw(path) {
                    Given::Value(value) => match single(&value) {
                        Value::String(part) => text.push_str(part),
                        part => text.push_str(&part.to_string()),
                    },
                    other => return other,
                },
            }
        }
        Given::Value(Value::String(text))
    }

    /// The texts that a call names something by; several when it names several. A document is no
    /// name.
    #[must_use]
    pub fn texts(&self, source: &Source) -> Vec<String> {
        match self.source(source) {
            Given::Value(value) => path::members(&value)
                .into_iter()
                .filter(|member| !single(member).is_object() && !single(member).is_array())
                .filter_map(|member| coerce(member, &Type::String))
                .filter_map(|text| text.as_str().map(unescaped))
                .filter(|text| !text.is_empty())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The value that a change makes.
    #[must_use]
    pub fn build(&self, build: &Build) -> Given {
        match build {
            Build::Leaf(source, ty) => match self.source(source) {
                Given::Value(value) => coerce(&value, ty).map_or(Given::Hidden, Given::Value),
                other => other,
            },
            Build::Alike(source, kind) => match (self.source(source), kind) {
                (Given::Hidden, _) => self.spelt(source),
                (Given::Value(value), Kind::Value(ty)) => {
                    coerce(&value, ty).map_or(Given::Hidden, Given::Value)
                }
                (given, _) => given,
            },
            Build::Blocks(source, fields) => match self.found(source, true) {
                Given::Value(value) => {
                    let mut blocks = Vec::new();
                    for member in path::members(&value) {
                        match self.with_member(member).fields(fields) {
                            Given::Value(block) => blocks.push(block),
                            Given::Hidden | Given::Alike(_) => return Given::Hidden,
                            Given::Absent => {}
                        }
                    }
                    Given::Value(Value::Array(blocks))
                }
                other => other,
            },
            Build::One { in_list, fields } => match self.fields(fields) {
                Given::Value(block) => Given::Value(if *in_list {
                    Value::Array(vec![block])
                } else {
                    block
                }),
                other => other,
            },
        }
    }

    /// What stands where a source points, in the log's own spelling.
    fn spelt(&self, source: &Source) -> Given {
        let paths = source.from.iter().map(|path| self.raw(path));
        match paths.into_iter().find(|given| *given != Given::Absent) {
            Some(Given::Value(value)) if !holds_hidden(&value) => Given::Alike(value),
            _ => Given::Hidden,
        }
    }

    fn with_member<'b>(&self, member: &'b Value) -> View<'b>
    where
        'a: 'b,
    {
        View {
            item: member,
            ..*self
        }
    }

    fn fields(&self, fields: &[(Text, Build)]) -> Given {
        let mut block = Map::new();
        for (name, build) in fields {
            match self.build(build) {
                Given::Value(value) => {
                    block.insert(name.to_string(), value);
                }
                Given::Hidden | Given::Alike(_) => return Given::Hidden,
                Given::Absent => {}
            }
        }
        if block.is_empty() {
            Given::Absent
        } else {
            Given::Value(Value::Object(block))
        }
    }

    /// What a call says of the changes of a target: those that it says something of.
    #[must_use]
    pub fn changes<'r>(&self, changes: &'r [Change]) -> Vec<(&'r Change, Given)> {
        let mut given: Vec<(&Change, Given)> = changes
            .iter()
            .map(|change| match (&change.build, self.build(&change.build)) {
                (Build::Leaf(source, _), Given::Absent)
                    if change.operation == Operation::Set && self.is_emptied(source) =>
                {
                    (change, Given::Value(Value::Null))
                }
                (_, given) => (change, given),
            })
            .filter(|(_, given)| *given != Given::Absent)
            .collect();
        let clears = |given: &Given| matches!(given, Given::Value(value) if is_blank(value));
        if given
            .iter()
            .any(|(change, given)| !change.alone && !clears(given))
        {
            given.retain(|(change, _)| !change.alone);
        }
        given
    }

    /// The parts of a name as the call gives them, several when it names several. None if a part is missing.
    #[must_use]
    pub fn names<'r>(&self, pairs: &'r [Pair]) -> Option<Vec<(&'r Pair, Vec<String>)>> {
        pairs
            .iter()
            .map(|pair| {
                let texts = self.texts(&pair.source);
                (pair.optional || !texts.is_empty()).then_some((pair, texts))
            })
            .collect()
    }
}

/// A name; an ARN in the path of a URL may be logged as it stood there.
fn unescaped(name: &str) -> String {
    if is_escaped_arn(name) {
        return percent_encoding::percent_decode_str(name)
            .decode_utf8_lossy()
            .into_owned();
    }
    name.to_owned()
}

/// Whether a text is an ARN as it stands in the path of a URL.
#[must_use]
pub fn is_escaped_arn(text: &str) -> bool {
    text.get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("arn%3a"))
}

fn mapped(value: Value, source: &Source) -> Value {
    if source.more().map.is_empty() {
        return value;
    }
    match value {
        Value::Array(list) => list
            .into_iter()
            .map(|member| mapped(member, source))
            .collect(),
        value => {
            let key = match single(&value) {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            source
                .more()
                .map
                .get(key.as_str())
                .cloned()
                .unwrap_or(value)
        }
    }
}

fn is_text(value: &Value, text: &str) -> bool {
    match single(value) {
        Value::String(found) => found.eq_ignore_ascii_case(text),
        Value::Array(list) => list.iter().any(|member| is_text(member, text)),
        found => found.to_string().eq_ignore_ascii_case(text),
    }
}
