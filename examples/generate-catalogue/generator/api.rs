//! What AWS's own models say of an API call: which members it takes and gives.
//!
//! `catalogue/inputs/aws-api.txt.gz` holds one line per operation:
//! `SOURCE OPERATION API PAYLOAD|INPUT|OUTPUT`. A member is `Name`, `*` if it is required, `=wire`
//! if the log may spell it so, then `:x` for a value of kind `x` (`s` string, `n` number, `b` bool,
//! `t` time, `x` bytes), `[` and a list's member, `{` and a map's value, or `(members)`.

use std::collections::BTreeMap;

use super::words::snake;

/// What a member holds.
#[derive(Debug, Clone)]
pub enum Shape {
    Value(char),
    List(Box<Shape>),
    Map(Box<Shape>),
    Struct(Vec<Member>),
}

/// A member of a request, a response or a structure in them.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub required: bool,
    pub wire: Option<String>,
    pub shape: Shape,
}

/// One operation of one API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The API, as `elbv2`: several may share a source and an operation's name.
    pub api: String,
    /// The member that is the body, where it is not the whole input.
    pub payload: Option<String>,
    pub input: Vec<Member>,
    pub output: Vec<Member>,
}

/// All operations by source (without `.amazonaws.com`) and name.
#[derive(Debug, Default)]
pub struct Api {
    operations: BTreeMap<(String, String), Vec<Operation>>,
}

/// Events that S3 logs under another name than the operation's.
const RENAMED: [(&str, &str); 8] = [
    ("PutBucketPublicAccessBlock", "PutPublicAccessBlock"),
    ("DeleteBucketPublicAccessBlock", "DeletePublicAccessBlock"),
    ("PutAccountPublicAccessBlock", "PutPublicAccessBlock"),
    ("DeleteAccountPublicAccessBlock", "DeletePublicAccessBlock"),
    ("PutBucketLifecycle", "PutBucketLifecycleConfiguration"),
    (
        "PutBucketNotification",
        "PutBucketNotificationConfiguration",
    ),
    (
        "PutAccelerateConfiguration",
        "PutBucketAccelerateConfiguration",
    ),
    (
        "PutBucketObjectLockConfiguration",
        "PutObjectLockConfiguration",
    ),
];

impl Api {
    /// Reads the model.
    pub fn read(text: &str) -> Option<Self> {
        let mut api = Self::default();
        for line in text.lines() {
            let mut parts = line.splitn(3, '|');
            let mut head = parts.next()?.splitn(4, ' ');
            let source = head.next()?.to_owned();
            let name = head.next()?.to_owned();
            let operation = Operation {
                api: head.next()?.to_owned(),
                payload: head
                    .next()
                    .filter(|payload| !payload.is_empty())
                    .map(str::to_owned),
                input: Reader {
                    rest: parts.next()?,
                }
                .members()?,
                output: Reader {
                    rest: parts.next()?,
                }
                .members()?,
            };
            api.operations
                .entry((source, name))
                .or_default()
                .push(operation);
        }
        Some(api)
    }

    /// The operations that a log may mean by an event.
    pub fn operations(&self, source: &str, event: &str) -> &[Operation] {
        let renamed = RENAMED
            .iter()
            .find(|(logged, _)| source == "s3" && *logged == event);
        let name = renamed.map_or(event, |(_, operation)| operation);
        self.operations
            .get(&(source.to_owned(), name.to_owned()))
            .map_or(&[], Vec::as_slice)
    }
}

impl Operation {
    /// An input member.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.input.iter().find(|member| member.name == name)
    }

    /// Follows a dotted path of member names (or their snake case), through lists; maps end it.
    pub fn at(&self, path: &str) -> Option<Vec<Hop<'_>>> {
        let mut hops = Vec::new();
        let mut members = self.input.as_slice();
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let member = members
                .iter()
                .find(|member| member.name == name)
                .or_else(|| members.iter().find(|member| snake(&member.name) == name))?;
            let mut shape = &member.shape;
            let mut lists = 0;
            while let Shape::List(inner) = shape {
                lists += 1;
                shape = inner;
            }
            hops.push(Hop {
                member,
                lists,
                shape,
            });
            match shape {
                Shape::Struct(inner) => members = inner,
                _ if names.peek().is_some() => return None,
                _ => {}
            }
        }
        (!hops.is_empty()).then_some(hops)
    }
}

/// A member passed on a path.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    pub member: &'a Member,
    /// How many lists were opened.
    pub lists: usize,
    /// What is in them.
    pub shape: &'a Shape,
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn members(&mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let name = self.word()?.to_owned();
            let required = self.skip("*");
            let wire = if self.skip("=") {
                Some(self.word()?.to_owned())
            } else {
                None
            };
            let shape = self.shape()?;
            members.push(Member {
                name,
                required,
                wire,
                shape,
            });
            self.skip(" ");
        }
        Some(members)
    }

    fn shape(&mut self) -> Option<Shape> {
        if self.skip(":") {
            let mut chars = self.rest.chars();
            let kind = chars.next()?;
            self.rest = chars.as_str();
            Some(Shape::Value(kind))
        } else if self.skip("[") {
            Some(Shape::List(Box::new(self.shape()?)))
        } else if self.skip("{") {
            Some(Shape::Map(Box::new(self.shape()?)))
        } else if self.skip("(") {
            let members = self.members()?;
            self.skip(")").then_some(Shape::Struct(members))
        } else {
            None
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        let end = self.rest.find([':', '[', '{', '(', '*', '='])?;
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word)
    }

    fn skip(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}
