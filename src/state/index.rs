//! Finds instances by identifier, in a time that does not depend on how many there are.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use super::draft::Identifier;
use super::inventory::{InstanceId, Naming};

/// Instances by the short forms of their identifiers.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Every short form once, with its number.
    shorts: HashMap<Box<str>, u32>,
    /// Instances by number of the short form, whatever its key.
    named: Vec<Group>,
    types: HashMap<Arc<str>, OfType>,
}

/// What is known of one resource type.
#[derive(Debug, Default)]
struct OfType {
    all: Vec<InstanceId>,
    /// The keys of the type; identifiers give them by position.
    keys: Vec<String>,
    /// Instances by position of the key and number of the short form.
    by_key: HashMap<(u16, u32), Group>,
}

/// Instances that share an identifier: nearly always one.
#[derive(Debug, Default)]
enum Group {
    #[default]
    None,
    One(InstanceId),
    Many(Vec<InstanceId>),
}

impl Group {
    fn add(&mut self, id: InstanceId) {
        match self {
            Self::None => *self = Self::One(id),
            Self::One(known) if *known == id => {}
            Self::One(known) => *self = Self::Many(vec![*known, id]),
            Self::Many(known) if known.last() == Some(&id) => {}
            Self::Many(known) => known.push(id),
        }
    }

    fn as_slice(&self) -> &[InstanceId] {
        match self {
            Self::None => &[],
            Self::One(id) => slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

impl Index {
    pub(crate) fn add(
        &mut self,
        id: InstanceId,
        resource_type: &Arc<str>,
        identifiers: Vec<Identifier>,
        naming: &dyn Naming,
    ) {
        let of_type = self
            .types
            .entry(Arc::clone(resource_type))
            .or_insert_with(|| OfType {
                keys: naming.keys(resource_type).unwrap_or_default().to_vec(),
                ..OfType::default()
            });
        of_type.all.push(id);
        for Identifier { key, short } in identifiers {
            let next = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
            let number = *self.shorts.entry(short).or_insert(next);
            if number == next {
                self.named.push(Group::default());
            }
            if let Some(group) = self.named.get_mut(number as usize) {
                group.add(id);
            }
            if let Some(key) = key {
                of_type.by_key.entry((key, number)).or_default().add(id);
            }
        }
    }

    pub(crate) fn candidates(&self, resource_type: &str, key: &str, short: &str) -> &[InstanceId] {
        let find = || {
            // First what nearly always ends the search: most calls are about nothing managed.
            let number = self.shorts.get(short)?;
            let of_type = self.types.get(resource_type)?;
            let key = of_type.keys.iter().position(|known| known == key)?;
            of_type.by_key.get(&(u16::try_from(key).ok()?, *number))
        };
        find().map_or(&[], Group::as_slice)
    }

    pub(crate) fn named(&self, short: &str) -> &[InstanceId] {
        let group = self
            .shorts
            .get(short)
            .and_then(|number| self.named.get(*number as usize));
        group.map_or(&[], Group::as_slice)
    }

    /// Every short form once, in no order.
    pub(crate) fn shorts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shorts.keys().map(|short| &**short)
    }

    pub(crate) fn has(&self, short: &str) -> bool {
        self.shorts.contains_key(short)
    }

    pub(crate) fn of_type(&self, resource_type: &str) -> &[InstanceId] {
        self.types
            .get(resource_type)
            .map_or(&[], |of_type| &of_type.all)
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(|name| &**name)
    }
}
