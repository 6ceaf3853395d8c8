//! Resources that were made outside every state, for as long as a replay lasts. What a call says of
//! one finds it by its names, however many there are.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;
use serde_json::Value;

use super::effect::Created;
use super::model::{Attribute, Event};
use crate::catalogue::aws::identifier;
use crate::catalogue::path::members;

/// A resource that was made outside every state.
#[derive(Debug, Clone)]
pub struct Unmanaged {
    /// What it is.
    pub created: Created,
    /// The calls that made it, oldest first.
    pub by: Vec<usize>,
    /// Account of the call.
    pub account: String,
    /// Region of the call.
    pub region: String,
}

/// What a call says of resources that no state has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meant<'c> {
    /// Their type.
    pub(super) resource_type: &'c str,
    /// The names that it gives them: attribute and value.
    pub(super) names: &'c [(String, String)],
    /// The call.
    pub(super) call: &'c Event,
}

/// The resources that still stand, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// None where one is gone.
    list: Vec<Option<Unmanaged>>,
    gone: usize,
    /// Where in the list one may be that a hash of type, account and a name's short form stands for.
    places: HashTable<(u64, usize)>,
    hasher: RandomState,
}

impl Made {
    /// Resources that may be gone before places are dealt out anew.
    const GONE: usize = 1_024;

    /// Takes what a call makes; what was made before gets what the call adds.
    pub(super) fn make(&mut self, created: Created, number: usize, call: &Event) {
        let identity = identity(&created, &call.account);
        let is_it = |old: &Unmanaged| self::identity(&old.created, &old.account) == identity;
        let hashes = self.hashes(&created, &call.account);
        let known = self
            .places(&hashes)
            .find(|place| self.at(*place).is_some_and(is_it));
        if let Some(old) = known.and_then(|place| self.list.get_mut(place)?.as_mut()) {
            old.by.push(number);
            grow(&mut old.created, &created);
            return;
        }
        let made = Unmanaged {
            created,
            by: vec![number],
            account: call.account.clone(),
            region: call.region.clone(),
        };
        self.index(self.list.len(), &made, hashes);
        self.list.push(Some(made));
    }

    /// What was made and removed within the window is nothing.
    pub(super) fn remove(&mut self, meant: Meant<'_>) {
        let places = self.meant(meant);
        self.end(&places);
    }

    /// What loses the last of its members is gone. What goes is told by path.
    pub(super) fn lessen(&mut self, meant: Meant<'_>, taken: &[(&str, Value)]) {
        let is_spent = |attribute: &Attribute| {
            taken.iter().all(|(path, _)| *path != attribute.path)
                || matches!(&attribute.after, Some(Value::Array(held)) if held.is_empty())
        };
        let mut places = self.meant(meant);
        places.retain(|place| {
            let Some(old) = self.list.get_mut(*place).and_then(Option::as_mut) else {
                return false;
            };
            for attribute in &mut old.created.attributes {
                let gone = taken.iter().find(|(path, _)| *path == attribute.path);
                if let (Some((_, gone)), Some(Value::Array(held))) = (gone, &mut attribute.after) {
                    held.retain(|member| !members(gone).contains(&member));
                }
            }
            old.created.attributes.iter().all(is_spent)
        });
        self.end(&places);
    }

    /// All that still stand.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Unmanaged> {
        self.list.iter().flatten()
    }

    /// Takes all that still stand.
    pub(super) fn take(&mut self) -> Vec<Unmanaged> {
        self.places.clear();
        self.gone = 0;
        let list = std::mem::take(&mut self.list);
        list.into_iter().flatten().collect()
    }

    fn at(&self, place: usize) -> Option<&Unmanaged> {
        self.list.get(place)?.as_ref()
    }

    /// Where those are that a call means, each once.
    fn meant(&self, meant: Meant<'_>) -> Vec<usize> {
        let ground = self.ground(meant.resource_type, &meant.call.account);
        let names = meant.names.iter();
        let hashes: Vec<u64> = names.map(|(_, value)| self.hash(ground, value)).collect();
        let is_meant = |old: &Unmanaged| {
            old.created.resource_type == meant.resource_type
                && old.account == meant.call.account
                && is_named(&old.created, meant.names)
        };
        let places = self.places(&hashes);
        places
            .filter(|place| self.at(*place).is_some_and(is_meant))
            .collect()
    }

    /// Where one may be that all these hashes stand for.
    fn places(&self, hashes: &[u64]) -> impl Iterator<Item = usize> {
        let rarest = self.rarest(hashes).into_iter();
        rarest.flat_map(|hash| self.of(hash))
    }

    /// Where those may be that a hash stands for.
    fn of(&self, hash: u64) -> impl Iterator<Item = usize> {
        let places = self.places.iter_hash(hash);
        places.filter_map(move |(own, place)| (*own == hash).then_some(*place))
    }

    /// The one that stands for hardly more than any other. None is counted to its end that stands
    /// for many.
    fn rarest(&self, hashes: &[u64]) -> Option<u64> {
        let mut limit = 4_usize;
        hashes.first()?;
        loop {
            let is_rare = |hash: &&u64| self.of(**hash).take(limit).count() < limit;
            if let Some(rare) = hashes.iter().find(is_rare) {
                return Some(*rare);
            }
            limit = limit.saturating_mul(4);
        }
    }

    /// What stands for a resource: whatever its identity names, each once.
    fn hashes(&self, created: &Created, account: &str) -> Vec<u64> {
        let ground = self.ground(&created.resource_type, account);
        let names = created.names.iter().map(|(_, value)| value);
        let names = names.chain(&created.id);
        let mut hashes: Vec<u64> = names.map(|name| self.hash(ground, name)).collect();
        if hashes.is_empty() {
            hashes.push(ground);
        }
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    fn ground(&self, resource_type: &str, account: &str) -> u64 {
        self.hasher.hash_one((resource_type, account))
    }

    /// Names that can mean the same have one hash.
    fn hash(&self, ground: u64, name: &str) -> u64 {
        self.hasher.hash_one((ground, identifier::short(name)))
    }

    /// Notes where one is to be found: by its own hashes, and by that of its ARN.
    fn index(&mut self, place: usize, made: &Unmanaged, mut hashes: Vec<u64>) {
        if let Some(arn) = &made.created.arn {
            let ground = self.ground(&made.created.resource_type, &made.account);
            let hash = self.hash(ground, arn);
            if !hashes.contains(&hash) {
                hashes.push(hash);
            }
        }
        for hash in hashes {
            self.places
                .insert_unique(hash, (hash, place), |(hash, _)| *hash);
        }
    }

    /// Lets go what is no longer there.
    fn end(&mut self, places: &[usize]) {
        for place in places {
            if let Some(old) = self.list.get_mut(*place) {
                self.gone += usize::from(old.take().is_some());
            }
        }
        if self.gone > Self::GONE && self.gone * 2 > self.list.len() {
            let standing = self.take();
            for (place, made) in standing.iter().enumerate() {
                let hashes = self.hashes(&made.created, &made.account);
                self.index(place, made, hashes);
            }
            self.list = standing.into_iter().map(Some).collect();
        }
    }
}

/// What tells one unmanaged resource from another.
type Identity<'a> = (&'a str, &'a str, &'a [(String, String)], Option<&'a str>);

fn identity<'a>(created: &'a Created, account: &'a str) -> Identity<'a> {
    let id = created.id.as_deref();
    (&created.resource_type, account, &created.names, id)
}

/// What was made before gets the members that a further call adds.
fn grow(old: &mut Created, more: &Created) {
    for added in &more.attributes {
        if !old.grows.contains(&added.path) {
            continue;
        }
        let held = old.attributes.iter_mut().find(|own| own.path == added.path);
        match (held.map(|own| &mut own.after), &added.after) {
            (Some(Some(Value::Array(held))), Some(Value::Array(new))) => {
                let new: Vec<Value> = new
                    .iter()
                    .filter(|new| !held.contains(new))
                    .cloned()
                    .collect();
                held.extend(new);
            }
            (None, _) => old.attributes.push(added.clone()),
            _ => {}
        }
    }
}

/// Whether names that a call gives are those of a resource made before.
pub(super) fn is_named(created: &Created, names: &[(String, String)]) -> bool {
    let held = |key: &str| {
        let mut names = created.names.iter().rev();
        names.find(|(own, _)| own == key).map(|(_, value)| value)
    };
    let by_id = |value: &str| {
        let own = created.id.iter().chain(&created.arn);
        own.into_iter().any(|own| identifier::same(own, value))
    };
    !names.is_empty()
        && names.iter().all(|(key, value)| match held(key) {
            Some(own) => identifier::same(own, value),
            None => by_id(value),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::audit::call::Call;
    use crate::drift::effect::Caused;
    use crate::drift::model::Certainty;

    fn call(account: &str) -> Caused {
        let account = account.to_owned();
        Caused::of(
            Call {
                account,
                ..Call::default()
            },
            None,
        )
    }

    fn named(names: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        names.iter().map(owned).collect()
    }

    fn created(id: Option<&str>, arn: Option<&str>, names: &[(&str, &str)]) -> Created {
        Created {
            resource_type: String::from("aws_x"),
            id: id.map(str::to_owned),
            arn: arn.map(str::to_owned),
            names: named(names),
            parent: None,
            attributes: Vec::new(),
            grows: Vec::new(),
        }
    }

    fn meant<'c>(names: &'c [(String, String)], call: &'c Caused) -> Meant<'c> {
        Meant {
            resource_type: "aws_x",
            names,
            call: &call.event,
        }
    }

    #[test]
    fn what_is_made_is_found_by_any_of_its_names() {
        let arn = "arn:aws:x:eu-central-1:1:x/i-1";
        let one = || created(Some("i-1"), Some(arn), &[("name", "a"), ("zone", "z")]);
        for (names, is_it) in [
            (&[("name", "a")][..], true),
            (&[("zone", "z"), ("name", "a")], true),
            (&[("id", "i-1")], true),
            (&[("id", arn)], true),
            (&[("whatever", "i-1"), ("zone", "z")], true),
            (&[("name", "a"), ("zone", "other")], false),
            (&[("name", "z")], false),
            (&[], false),
        ] {
            let (mut made, here, elsewhere) = (Made::default(), call("1"), call("2"));
            made.make(one(), 0, &here.event);
            made.remove(meant(&named(names), &elsewhere));
            assert_eq!(made.iter().count(), 1);
            made.remove(meant(&named(names), &here));
            assert_eq!(made.iter().count(), usize::from(!is_it), "{names:?}");
        }
    }

    #[test]
    fn what_is_made_twice_is_one_and_grows() {
        let members = |after: Value| Created {
            attributes: vec![Attribute {
                path: String::from("members"),
                before: None,
                after: Some(after),
                certainty: Certainty::Exact,
                sensitive: false,
                added: None,
                removed: None,
                by: Vec::new(),
            }],
            grows: vec![String::from("members")],
            ..created(None, None, &[])
        };
        let (mut made, call) = (Made::default(), call("1"));
        made.make(members(json!(["a"])), 0, &call.event);
        made.make(members(json!(["a", "b"])), 1, &call.event);
        let standing = made.take();
        assert_eq!(standing.len(), 1);
        assert_eq!(standing[0].by, [0, 1]);
        assert_eq!(
            standing[0].created.attributes[0].after,
            Some(json!(["a", "b"]))
        );
    }

    #[test]
    fn one_among_very_many_of_a_name_is_found_by_another() {
        let (mut made, call) = (Made::default(), call("1"));
        for number in 0..5_000 {
            let record = format!("record-{number}");
            made.make(
                created(None, None, &[("zone", "z"), ("name", &record)]),
                number,
                &call.event,
            );
        }
        for number in 0..4_900 {
            let names = named(&[("zone", "z"), ("name", &format!("record-{number}"))]);
            made.remove(meant(&names, &call));
        }
        assert!(
            made.list.len() < 2_500,
            "places of what is gone are dealt out anew"
        );
        assert_eq!(made.rarest(&[]), None);
        assert_eq!(
            made.iter().map(|old| old.by[0]).collect::<Vec<_>>(),
            (4_900..5_000).collect::<Vec<_>>()
        );
        made.remove(meant(&named(&[("zone", "z")]), &call));
        assert_eq!(made.iter().count(), 0);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Make(Option<String>, Vec<(String, String)>),
        Remove(Vec<(String, String)>),
    }

    fn step() -> impl Strategy<Value = Step> {
        let text = || prop::sample::select(vec!["a", "b/a", "c", "arn:aws:x:r:1:x/a", "a."]);
        let text = move || text().prop_map(str::to_owned);
        let key = || prop::sample::select(vec!["name", "zone", "id"]).prop_map(str::to_owned);
        let names = move || prop::collection::vec((key(), text()), 0..3);
        prop_oneof![
            (prop::option::of(text()), names()).prop_map(|(id, names)| Step::Make(id, names)),
            names().prop_map(Step::Remove),
        ]
    }

    proptest! {
        #[test]
        fn whatever_stands_is_what_a_plain_list_holds(steps in prop::collection::vec(step(), 0..30)) {
            let (mut made, call) = (Made::default(), call("1"));
            let mut plain: Vec<(Created, Vec<usize>)> = Vec::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Make(id, names) => {
                        let new = Created { id, names, ..created(None, None, &[]) };
                        let own = identity(&new, "1");
                        match plain.iter_mut().find(|(old, _)| identity(old, "1") == own) {
                            Some((_, by)) => by.push(number),
                            None => plain.push((new.clone(), vec![number])),
                        }
                        made.make(new, number, &call.event);
                    }
                    Step::Remove(names) => {
                        plain.retain(|(old, _)| !is_named(old, &names));
                        made.remove(meant(&names, &call));
                    }
                }
            }
            let standing: Vec<_> = made.take().into_iter().map(|old| old.by).collect();
            prop_assert_eq!(standing, plain.into_iter().map(|(_, by)| by).collect::<Vec<_>>());
        }
    }
}
