//! A rule as the engine uses it: what one call changes, and how it names what it changes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::path::Path;
use super::schema::{Block, Type};
use super::text::Text;
use super::transform::Transform;

/// Everything the catalogue says of one call.
#[derive(Debug, Clone, Default)]
pub struct CallRule {
    /// Event name without version suffix.
    pub event: Text,
    /// Why the call changes nothing that Terraform holds, if it does not.
    pub operates: Option<Text>,
    /// The rule counts only if all of these hold.
    pub when: Vec<Condition>,
    /// The call is many calls in one.
    pub each: Option<Each>,
    /// Of these types only the first that the state holds a match of is changed.
    pub owners: Vec<Text>,
    /// Names that later calls use and no state knows.
    pub learns: Vec<Lesson>,
    /// What the call may touch.
    pub targets: Vec<Target>,
}

/// A name that a call teaches: later calls of the service that give it mean what this call means.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The keys of requests at which later calls give it.
    pub keys: Vec<Text>,
    /// The call teaches many.
    pub each: Option<Each>,
    /// The name.
    pub is: Source,
    /// The name that it takes the place of.
    pub was: Option<Source>,
    /// What stands before the name in the last part of an ARN, if later calls may give one.
    pub arn: Option<Text>,
    /// Names are told apart by these, too: keys of later calls, and where this one says the same.
    pub within: Vec<(Text, Source)>,
    /// What it tells beside the name, as if later calls said it there.
    pub gives: Vec<(Text, Source)>,
}

/// One resource type that a call may touch.
#[derive(Debug, Clone)]
pub struct Target {
    /// The type, or any that carries tags.
    pub resource_type: ResourceType,
    /// What the call does to the resource.
    pub effect: EffectKind,
    /// How the call names the instance: alternatives, the first that matches counts.
    pub find: Vec<Vec<Pair>>,
    /// The call names nothing: an account and region have one such resource.
    pub only: bool,
    /// The id of what a call creates.
    pub id: Option<Source>,
    /// The ARN of what a call creates.
    pub arn: Option<Source>,
    /// What a created resource hangs on.
    pub parent: Option<Parent>,
    /// Types and attributes that, if they name this resource, own the change instead.
    pub yields: Vec<(Text, Text)>,
    /// What no state has is gone with the last of the members that this takes from it.
    pub ends: bool,
    /// So is what a state has.
    pub ends_managed: bool,
    /// The target counts only if all of these hold.
    pub when: Vec<Condition>,
    /// The call is many calls in one, for this target.
    pub each: Option<Each>,
    /// Attributes that change.
    pub changes: Vec<Change>,
    /// Which file the target stands in.
    pub provenance: Provenance,
}

/// Which resource types a target is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceType {
    /// This one.
    Named(Text),
    /// Any that carries `tags`; the call names it by id or ARN.
    AnyTagged,
}

/// What a call does to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EffectKind {
    /// Changes attributes.
    Update,
    /// Makes it.
    Create,
    /// Removes it.
    Delete,
    /// Changes it if it is there, else makes it.
    Put,
}

/// One part of how a call names an instance.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The state's attribute, a dotted path without indexes.
    pub attribute: Text,
    /// Where the call says it.
    pub source: Source,
    /// Whether the call may leave it out; the attribute must be empty then.
    pub optional: bool,
    /// Whether the attribute must hold none of what the call says: a list leaves out the rest.
    pub other: bool,
}

/// What a created resource hangs on.
#[derive(Debug, Clone)]
pub struct Parent {
    /// Its type.
    pub resource_type: Text,
    /// How the call names it.
    pub find: Vec<Pair>,
}

/// How one call becomes many.
#[derive(Debug, Clone, PartialEq)]
pub enum Each {
    /// Each member of the list at a path.
    Path(Path),
    /// A named expander, without its `@`.
    Expander(String),
}

/// Something that must hold for a rule to count.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Where to look.
    pub path: Path,
    /// What to find there.
    pub test: Test,
}

/// What a condition looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Anything.
    Present,
    /// Nothing.
    Absent,
    /// This text, number or truth, whatever its type.
    Is(String),
    /// Anything but this.
    IsNot(String),
}

/// What happens to an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It takes the value.
    Set,
    /// These members come.
    Add,
    /// These members go.
    Remove,
}

/// One attribute that a call changes.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happens.
    pub operation: Operation,
    /// The dotted path without indexes, as in the rule file.
    pub attribute: Text,
    /// Terraform's path, as reports show it: `metadata_options[0].http_tokens`.
    pub path: Text,
    /// How values compare.
    pub shape: Shape,
    /// How the value is made.
    pub build: Build,
    /// Counts only if no other change of the target does.
    pub alone: bool,
    /// For blocks: the attribute that tells one from another.
    pub key: Option<Text>,
    /// For blocks: the members are there already, and only this of them changes.
    pub apart: Option<Box<Apart>>,
}

/// How members that are there already get another value of one of their attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    /// The attribute.
    pub by: Text,
    /// If they are in this list they are another's; if not, nobody knows which members are meant.
    pub elsewhere: Option<Text>,
}

/// How values of an attribute compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A value of this type.
    Plain(Type),
    /// The value of a tag: none, and an empty one, are two.
    Tag(Type),
    /// Blocks spelt as the state spells them, of which all is known.
    Spelt,
    /// A list (or set, when unordered) of blocks, of which these fields are known.
    Blocks {
        /// Whether order counts.
        ordered: bool,
        /// What the rule knows of each block.
        fields: Fields,
    },
}

impl Shape {
    /// Takes in what another rule knows of the same attribute.
    pub fn widen(&mut self, other: &Self) {
        if let (Self::Blocks { fields, .. }, Self::Blocks { fields: more, .. }) = (self, other) {
            widen(fields, more);
        }
    }
}

fn widen(fields: &mut Fields, more: &Fields) {
    for (name, field) in more {
        match fields.get_mut(name) {
            Some(Field {
                inner: Some((_, own)),
                ..
            }) => {
                if let Some((_, inner)) = &field.inner {
                    widen(own, inner);
                }
            }
            Some(_) => {}
            None => {
                fields.insert(name.clone(), field.clone());
            }
        }
    }
}

/// The fields of a block that a rule knows.
pub type Fields = BTreeMap<Text, Field>;

/// One field of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// How its values compare. None for a block of its own, held in `inner`.
    pub ty: Option<Type>,
    /// Whether the provider may fill it in: then a call that leaves it out says nothing of it.
    pub computed: bool,
    /// Fields of a nested block, and whether order counts among several.
    pub inner: Option<(bool, Fields)>,
}

/// How a value is made from a call.
#[derive(Debug, Clone)]
pub enum Build {
    /// From one place.
    Leaf(Source, Type),
    /// A list of blocks: each member of the list is `item` for the fields.
    Blocks(Source, Vec<(Text, Build)>),
    /// From one place, spelt so that it can only be told to be what the attribute is already.
    Alike(Source, Kind),
    /// One block, kept in a list of one or as an object.
    One {
        /// Whether it is kept in a list.
        in_list: bool,
        /// Its fields.
        fields: Vec<(Text, Build)>,
    },
}

/// What an attribute is in the schema.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A block, or several.
    Block(&'static Block),
    /// A value of this type.
    Value(Type),
}

/// Where a value comes from. Most are a path and no more, so that the rest stands apart.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Paths, the first that is there counts.
    pub from: Vec<Path>,
    /// The call changes it, the record does not show to what.
    pub unknown: bool,
    /// Only whether it is there counts, though it may be blank: a block that is, or is not.
    pub present: bool,
    /// An empty text (or object) is a value: it takes away what was there.
    pub blank: bool,
    /// For a list whose order means nothing, though Terraform keeps one.
    pub unordered: bool,
    /// Counts only if nothing else of the target does.
    pub alone: bool,
    /// What few sources say; see [`Source::more`].
    pub rest: Option<Box<More>>,
}

/// What few sources say beside their paths.
#[derive(Debug, Clone, Default)]
pub struct More {
    /// A constant.
    pub value: Option<Value>,
    /// Literal parts and paths, joined.
    pub template: Vec<TemplatePart>,
    /// Changes of spelling, in order.
    pub transforms: Vec<Transform>,
    /// Words that become other values.
    pub map: BTreeMap<Text, Value>,
    /// The value when the call leaves it out.
    pub default: Option<Value>,
    /// The default counts only if this object is there, though it may be blank.
    pub within: Option<Path>,
    /// Left out of what is replaced whole, it stays as it is.
    pub kept: bool,
    /// For blocks: the attribute that tells one from another.
    pub key: Option<Text>,
    /// For blocks: the only attribute that changes of members that are there already.
    pub apart: Option<Text>,
    /// The list that such members may be in instead.
    pub elsewhere: Option<Text>,
    /// Whether a number in it is not its text.
    pub typed: bool,
    /// With `unknown`: the call's blocks differ from the state's in spelling alone.
    pub spelt: bool,
}

impl Source {
    /// What it says beside its paths; of most, nothing.
    #[must_use]
    pub fn more(&self) -> &More {
        static NOTHING: More = More {
            value: None,
            template: Vec::new(),
            transforms: Vec::new(),
            map: BTreeMap::new(),
            default: None,
            within: None,
            kept: false,
            key: None,
            apart: None,
            elsewhere: None,
            typed: false,
            spelt: false,
        };
        self.rest.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be filled in.
    pub fn more_mut(&mut self) -> &mut More {
        self.rest.get_or_insert_default()
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplatePart {
    /// As it stands.
    Literal(Text),
    /// What a path leads to.
    Path(Path),
}

/// Which file a rule stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provenance {
    /// Made by the generator.
    Generated,
    /// Written by hand.
    Handwritten,
    /// Given by the user.
    User,
}

/// What is known of a resource type beside its schema.
#[derive(Debug, Clone, Default)]
pub struct TypeFacts {
    /// Arguments that exist only in Terraform.
    pub never: Vec<String>,
    /// Attributes whose values are never shown.
    pub secret: Vec<String>,
    /// JSON documents in which a number is not its text: `5` and `"5"` are two.
    pub typed: Vec<String>,
    /// The attribute that names it for people.
    pub name: Option<String>,
}

/// How far names of a service reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Unique in an account and region.
    #[default]
    Regional,
    /// Unique in an account; one region logs all calls.
    Global,
    /// Unique everywhere.
    Partition,
}
