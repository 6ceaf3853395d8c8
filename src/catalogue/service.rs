//! The rules of one service, read one call at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use super::aws;
use super::load;
use super::pack::{Offset, Pack, PackedService};
use super::rule::{CallRule, Scope, TypeFacts};
use super::text::Text;
use super::tree::{Table, Tree};

/// The rules of one service. A call's rule is read when it is first asked for, and kept.
#[derive(Debug)]
pub struct Service {
    /// The event source.
    pub service: String,
    /// How far its names reach.
    pub scope: Scope,
    events: Vec<Event>,
    /// Places in `events` by event name.
    places: NameMap<usize>,
    facts: Option<Place>,
    types: OnceLock<BTreeMap<Text, TypeFacts>>,
    learnt: OnceLock<BTreeSet<String>>,
}

#[derive(Debug)]
struct Event {
    name: Text,
    operates: bool,
    learns: bool,
    place: Place,
    rule: OnceLock<Option<Box<CallRule>>>,
}

/// Where a table is before it is understood.
#[derive(Debug)]
enum Place {
    /// In the binary.
    Packed(Pack, Offset),
    /// Given, or changed, by the user.
    Own(Table),
}

impl Place {
    fn table(&self) -> Option<Table> {
        match self {
            Self::Packed(pack, offset) => pack.table(*offset),
            Self::Own(table) => Some(table.clone()),
        }
    }
}

impl Service {
    /// A service in the binary.
    pub(super) fn packed(pack: Pack, packed: PackedService) -> Self {
        let events = packed.events.iter().map(|event| Event {
            name: event.name.into(),
            operates: event.operates,
            learns: event.learns,
            place: Place::Packed(pack, event.rule),
            rule: OnceLock::new(),
        });
        Self {
            facts: packed.facts.map(|offset| Place::Packed(pack, offset)),
            ..Self::new(packed.name.to_owned(), packed.scope, events.collect())
        }
    }

    /// A service whose merged rules are these.
    pub(super) fn own(name: &str, scope: Scope, mut merged: Table) -> Self {
        let facts = match merged.remove("type") {
            Some(Tree::Table(facts)) => Some(Place::Own(facts)),
            _ => None,
        };
        let events = merged.into_iter().filter_map(|(name, rule)| match rule {
            Tree::Table(table) => Some(Event {
                name,
                operates: table.contains_key("operates"),
                learns: table.contains_key("learns"),
                place: Place::Own(table),
                rule: OnceLock::new(),
            }),
            _ => None,
        });
        Self {
            facts,
            ..Self::new(name.to_owned(), scope, events.collect())
        }
    }

    fn new(service: String, scope: Scope, events: Vec<Event>) -> Self {
        let places = events.iter().enumerate();
        Self {
            service,
            scope,
            places: places
                .map(|(place, event)| (event.name.clone(), place))
                .collect(),
            events,
            facts: None,
            types: OnceLock::new(),
            learnt: OnceLock::new(),
        }
    }

    /// Everything that the files say of the service, as one table.
    pub(super) fn merged(&self) -> Table {
        let mut merged = Table::new();
        let scope = match self.scope {
            Scope::Regional => "regional",
            Scope::Global => "global",
            Scope::Partition => "partition",
        };
        merged.insert("service".into(), Tree::Text(self.service.clone().into()));
        merged.insert("scope".into(), Tree::Text(scope.into()));
        if let Some(facts) = self.facts.as_ref().and_then(Place::table) {
            merged.insert("type".into(), Tree::Table(facts));
        }
        let events = self.events.iter();
        merged.extend(
            events
                .filter_map(|event| Some((event.name.clone(), Tree::Table(event.place.table()?)))),
        );
        merged
    }

    fn event(&self, name: &str) -> Option<&Event> {
        let name = aws::shape::without_version(name);
        self.events.get(*self.places.get(name)?)
    }

    /// Whether a call changes something that Terraform may hold: not if it only operates. None when
    /// no rule speaks of it. Reads nothing. The event name may carry a version suffix.
    #[must_use]
    pub fn changes(&self, event: &str) -> Option<bool> {
        self.event(event).map(|event| !event.operates)
    }

    /// The rule of a call. The event name may carry a version suffix.
    #[must_use]
    pub fn call(&self, event: &str) -> Option<&CallRule> {
        self.event(event).and_then(|event| self.read(event))
    }

    fn read<'a>(&'a self, event: &'a Event) -> Option<&'a CallRule> {
        let rule = event.rule.get_or_init(|| {
            let other = |name: &str| self.event(name)?.place.table();
            let typed = |name: &str| match self.types().get(name) {
                Some(facts) => facts.typed.clone(),
                None => Vec::new(),
            };
            let beside = load::Beside {
                other: &other,
                typed: &typed,
            };
            let table = event.place.table()?;
            load::rule(&event.name, &table, &beside).map(Box::new)
        });
        rule.as_deref()
    }

    /// The rules of all calls. Reads them all.
    pub fn calls(&self) -> impl Iterator<Item = &CallRule> {
        self.events.iter().filter_map(|event| self.read(event))
    }

    /// The names of all calls.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.events.iter().map(|event| event.name.as_str())
    }

    /// The keys, in lower case, of requests at which calls may give names that earlier calls taught. Reads the
    /// rules that teach.
    #[must_use]
    pub fn learnt(&self) -> &BTreeSet<String> {
        self.learnt.get_or_init(|| {
            let teaching = self.events.iter().filter(|event| event.learns);
            teaching
                .filter_map(|event| self.read(event))
                .flat_map(|rule| &rule.learns)
                .flat_map(|lesson| &lesson.keys)
                .map(|key| key.to_ascii_lowercase())
                .collect()
        })
    }

    /// Facts about types by type.
    #[must_use]
    pub fn types(&self) -> &BTreeMap<Text, TypeFacts> {
        self.types.get_or_init(|| {
            let table = self.facts.as_ref().and_then(Place::table);
            load::types(&table.unwrap_or_default())
        })
    }
}

/// A map by names that the catalogue knows.
pub(super) type NameMap<T> = HashMap<Text, T, BuildHasherDefault<NameHasher>>;

/// Mixes eight bytes at a time. The names in a map are the catalogue's own, so that nobody can
/// choose them to collide; what is looked up may be anything.
#[derive(Debug, Default)]
pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.write_u64(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        // The map takes its place from the low bits and its tag from the high ones.
        self.0 ^ (self.0 >> 32)
    }
}
