//! The provider's resource types: which arguments exist, of what type, nested how.
//!
//! The source is `aws/schema.txt`, one line per resource type, sorted: the type, then its members
//! separated by blanks. An attribute is `name:TYPE`, a block `nameNESTING(members)`.
//!
//! | | |
//! | --- | --- |
//! | `TYPE` | `s` string, `n` number, `b` bool, `a` anything, `[T` list, `<T` set, `{T` map |
//! | `NESTING` | `1` list of at most one, `.` object, `[` list, `<` set, `{` map |
//! | behind either | `!` computed only, `?` configurable and computed, nothing: configurable |
//!
//! `timeouts` blocks are left out: they exist in Terraform alone.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::members::Members;

const AWS: &str = include_str!("aws/schema.txt");

/// Deeper nesting than any provider schema has; a bound for the recursion.
const DEEPEST: usize = 64;

/// Type of an attribute, as Terraform's provider schema has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text; JSON documents too.
    String,
    /// A JSON document in which a number is not its text. No schema says so; rules do.
    Typed,
    /// Any number.
    Number,
    /// True or false.
    Bool,
    /// Ordered, with repetition.
    List(Box<Type>),
    /// Unordered, without repetition.
    Set(Box<Type>),
    /// Text keys.
    Map(Box<Type>),
    /// Anything (dynamic).
    Any,
}

/// A plain attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// Whether a configuration may set it (required or optional).
    pub configurable: bool,
    /// Whether the provider may fill it in.
    pub computed: bool,
}

/// How a block is nested in its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// A list of at most one; written `name[0]`, drifts inside.
    ListOfOne,
    /// An object; written `name`, drifts inside.
    Single,
    /// A list; drifts whole.
    List,
    /// A set; drifts whole, order does not count.
    Set,
    /// A map of blocks by key; drifts key by key.
    Map,
}

impl Nesting {
    /// Whether changes are told inside the block, instead of for the block as a whole.
    #[must_use]
    pub fn drifts_inside(self) -> bool {
        matches!(self, Self::ListOfOne | Self::Single | Self::Map)
    }
}

/// A nested block, or an attribute of object type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// How it is nested.
    pub nesting: Nesting,
    /// Whether a configuration may set it.
    pub configurable: bool,
    /// What it holds.
    pub body: Body,
}

/// Attributes and blocks of a resource type or of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Plain attributes by name.
    pub attributes: Members<Attribute>,
    /// Nested blocks by name.
    pub blocks: Members<Block>,
}

/// Where a path leads in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The blocks passed on the way, outermost first. The last is the block itself when the path
    /// ends at one.
    pub steps: Vec<Step<'a>>,
    /// What is there.
    pub leaf: Leaf<'a>,
}

/// A block passed on the way to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// Name of the block.
    pub name: &'a str,
    /// How it is nested.
    pub nesting: Nesting,
    /// Whether a configuration may set it.
    pub configurable: bool,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf<'a> {
    /// A plain attribute.
    Attribute(&'a str, &'a Attribute),
    /// A member of a map (the rest of the path is its key), of this type.
    Key(&'a str, &'a Type),
    /// A block as a whole.
    Block(&'a Block),
}

impl Place<'_> {
    /// How many of `steps` lead to what is told as one value: the index of the first list or set
    /// of blocks, or none when the leaf itself is told.
    #[must_use]
    pub fn whole_at(&self) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| !step.nesting.drifts_inside())
    }

    /// Whether a configuration may set it: it and every block on the way.
    #[must_use]
    pub fn configurable(&self) -> bool {
        self.steps.iter().all(|step| step.configurable)
            && match self.leaf {
                Leaf::Attribute(_, attribute) => attribute.configurable,
                Leaf::Key(..) | Leaf::Block(_) => true,
            }
    }
}

impl Body {
    /// Follows a path without indexes: `metadata_options.http_tokens`, `ingress.cidr_blocks`,
    /// `tags`, `tags.Owner`. None when there is no such argument.
    #[must_use]
    pub fn at<'a>(&'a self, path: &'a str) -> Option<Place<'a>> {
        let mut body = self;
        let mut rest = path;
        let mut steps = Vec::new();
        loop {
            let (name, behind) = match rest.split_once('.') {
                Some((name, behind)) => (name, Some(behind)),
                None => (rest, None),
            };
            if let Some((name, attribute)) = body.attributes.get_key_value(name) {
                let leaf = match (behind, &attribute.ty) {
                    (None, _) => Leaf::Attribute(name, attribute),
                    (Some(key), Type::Map(member)) => Leaf::Key(key, member),
                    (Some(key), Type::Any) => Leaf::Key(key, &attribute.ty),
                    _ => return None,
                };
                return Some(Place { steps, leaf });
            }
            let (name, block) = body.blocks.get_key_value(name)?;
            steps.push(Step {
                name,
                nesting: block.nesting,
                configurable: block.configurable,
            });
            match behind {
                None => {
                    return Some(Place {
                        steps,
                        leaf: Leaf::Block(block),
                    });
                }
                Some(behind) => {
                    body = &block.body;
                    rest = behind;
                }
            }
        }
    }
}

/// Looks up a resource type of the AWS provider. Parsed on first use, kept for the process.
#[must_use]
pub fn resource(resource_type: &str) -> Option<&'static Body> {
    static PARSED: OnceLock<RwLock<HashMap<&'static str, &'static Body>>> = OnceLock::new();
    let parsed = PARSED.get_or_init(RwLock::default);
    // A poisoned lock still guards a whole map: entries are inserted complete or not at all.
    let known = parsed
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .get(resource_type)
        .copied();
    if known.is_some() {
        return known;
    }
    let (name, members) = line(resource_type)?;
    let body = Reader { rest: members }.body(0)?;
    let mut parsed = parsed
        .write()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // One leak per type and process, so that callers can hold the body freely.
    Some(
        parsed
            .entry(name)
            .or_insert_with(|| Box::leak(Box::new(body))),
    )
}

/// Every resource type of the AWS provider, sorted.
pub fn types() -> impl Iterator<Item = &'static str> {
    AWS.lines().filter_map(|line| Some(line.split_once(' ')?.0))
}

/// Finds the line of a type by halving the text: nothing has to be indexed beforehand.
fn line(resource_type: &str) -> Option<(&'static str, &'static str)> {
    let (mut low, mut high) = (0, AWS.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = AWS
            .get(low..middle)?
            .rfind('\n')
            .map_or(low, |newline| low + newline + 1);
        let end = AWS
            .get(start..)?
            .find('\n')
            .map_or(AWS.len(), |length| start + length);
        let (name, members) = AWS.get(start..end)?.split_once(' ')?;
        match name.cmp(resource_type) {
            std::cmp::Ordering::Equal => return Some((name, members)),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

/// Reads the notation of the module's page.
struct Reader {
    rest: &'static str,
}

impl Reader {
    fn body(&mut self, depth: usize) -> Option<Body> {
        if depth > DEEPEST {
            return None;
        }
        let (mut attributes, mut blocks) = (Vec::new(), Vec::new());
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let name = self.name()?;
            let nesting = match self.next()? {
                ':' => {
                    let ty = self.ty(0)?;
                    let (configurable, computed) = self.flags();
                    let attribute = Attribute {
                        ty,
                        configurable,
                        computed,
                    };
                    attributes.push((name.into(), attribute));
                    self.skip(' ');
                    continue;
                }
                '1' => Nesting::ListOfOne,
                '.' => Nesting::Single,
                '[' => Nesting::List,
                '<' => Nesting::Set,
                '{' => Nesting::Map,
                _ => return None,
            };
            self.skip('(').then_some(())?;
            let inner = self.body(depth + 1)?;
            self.skip(')').then_some(())?;
            let block = Block {
                nesting,
                configurable: self.flags().0,
                body: inner,
            };
            blocks.push((name.into(), block));
            self.skip(' ');
        }
        Some(Body {
            attributes: attributes.into_iter().collect(),
            blocks: blocks.into_iter().collect(),
        })
    }

    fn ty(&mut self, depth: usize) -> Option<Type> {
        if depth > DEEPEST {
            return None;
        }
        Some(match self.next()? {
            's' => Type::String,
            'n' => Type::Number,
            'b' => Type::Bool,
            'a' => Type::Any,
            '[' => Type::List(Box::new(self.ty(depth + 1)?)),
            '<' => Type::Set(Box::new(self.ty(depth + 1)?)),
            '{' => Type::Map(Box::new(self.ty(depth + 1)?)),
            _ => return None,
        })
    }

    /// Configurable, computed.
    fn flags(&mut self) -> (bool, bool) {
        if self.skip('!') {
            (false, true)
        } else {
            (true, self.skip('?'))
        }
    }

    /// A name, up to what cannot stand in one. A digit before `(` is a nesting.
    fn name(&mut self) -> Option<&'static str> {
        let end = self.rest.find([':', '.', '[', '<', '{', '('])?;
        let end = if self.rest.as_bytes().get(end) == Some(&b'(') {
            end.checked_sub(1)?
        } else {
            end
        };
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(name)
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn skip(&mut self, what: char) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_sorted_found_and_read_to_its_end() {
        let names: Vec<_> = types().collect();
        assert_eq!(names.len(), 1735);
        assert!(names.is_sorted());
        for name in names {
            let (_, members) = line(name).expect(name);
            let mut reader = Reader { rest: members };
            let body = reader.body(0).expect(name);
            assert_eq!(reader.rest, "", "{name}");
            assert!(!body.attributes.is_empty(), "{name}");
            assert_eq!(resource(name), Some(&body));
        }
    }

    #[test]
    fn what_is_no_type_is_not_found() {
        for name in [
            "",
            "aws",
            "aws_instanc",
            "aws_instance ",
            "zzz",
            "\u{fffd}",
            "null_resource",
        ] {
            assert_eq!(resource(name), None, "{name}");
        }
    }

    #[test]
    fn a_path_tells_its_type_and_every_nesting() {
        let instance = resource("aws_instance").expect("known");
        let place = instance.at("metadata_options.http_tokens").expect("there");
        let steps: Vec<_> = place.steps.iter().map(|s| (s.name, s.nesting)).collect();
        assert_eq!(steps, [("metadata_options", Nesting::ListOfOne)]);
        assert_eq!(place.whole_at(), None);
        let Leaf::Attribute("http_tokens", attribute) = place.leaf else {
            panic!("{place:?}");
        };
        assert_eq!(attribute.ty, Type::String);
        assert!(place.configurable());

        let group = resource("aws_security_group").expect("known");
        let place = group.at("ingress.cidr_blocks").expect("there");
        assert_eq!(place.whole_at(), Some(0));
        assert!(matches!(
            group.at("ingress").expect("there").leaf,
            Leaf::Block(_)
        ));

        assert!(matches!(
            instance.at("tags.Name of it").expect("there").leaf,
            Leaf::Key("Name of it", Type::String)
        ));
        assert!(!instance.at("arn").expect("there").configurable());
        for path in [
            "",
            "nothing",
            "arn.x",
            "metadata_options.nothing",
            "tags_all.",
        ] {
            assert_eq!(
                instance.at(path).is_some(),
                path == "tags_all.",
                "{path}: an empty key is a key, the others lead nowhere"
            );
        }
    }
}
