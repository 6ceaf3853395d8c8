//! A small map by name that takes no more room than its members.

use super::text::Text;

/// Members by name, sorted. Made once and then only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members<T>(Box<[(Text, T)]>);

impl<T> Members<T> {
    fn place(&self, name: &str) -> Option<usize> {
        let found = self.0.binary_search_by(|(own, _)| own.as_str().cmp(name));
        found.ok()
    }

    /// The member of a name, with the name.
    #[must_use]
    pub fn get_key_value(&self, name: &str) -> Option<(&Text, &T)> {
        let (name, member) = self.0.get(self.place(name)?)?;
        Some((name, member))
    }

    /// The member of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.get_key_value(name).map(|(_, member)| member)
    }

    /// Whether there is a member of a name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and members, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &T)> {
        self.0.iter().map(|(name, member)| (name, member))
    }

    /// The names, sorted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> {
        self.0.iter().map(|(name, _)| name)
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

/// Of several members of one name the first is kept.
impl<T> FromIterator<(Text, T)> for Members<T> {
    fn from_iter<I: IntoIterator<Item = (Text, T)>>(members: I) -> Self {
        let mut members: Vec<(Text, T)> = members.into_iter().collect();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        members.dedup_by(|later, first| later.0 == first.0);
        Self(members.into())
    }
}

impl<'a, T> IntoIterator for &'a Members<T> {
    type Item = (&'a Text, &'a T);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (Text, T)>, fn(&'a (Text, T)) -> (&'a Text, &'a T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, member)| (name, member))
    }
}
