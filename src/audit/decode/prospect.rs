//! A call before anything is built of it: enough to tell whether anyone wants it.

use std::borrow::Cow;

use jiff::Timestamp;
use memchr::memmem;

use super::scan::Raw;
use super::texts::{Text, any_text};
use crate::audit::call::Call;
use crate::audit::cloudtrail::fields::Fields;
use crate::audit::cloudtrail::keys::Key;
use crate::audit::cloudtrail::record;

/// A call that is not parsed yet, as its record's own fields tell it.
#[derive(Debug)]
pub struct Prospect<'a> {
    service: Cow<'a, str>,
    name: Cow<'a, str>,
    fields: &'a Fields<'a>,
    json: &'a [u8],
    time: Timestamp,
}

/// A call that was put aside unparsed.
#[derive(Debug)]
pub struct Aside {
    json: Box<[u8]>,
    time: Timestamp,
}

impl Aside {
    /// How many bytes it takes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.json.len() + size_of::<Self>()
    }

    /// Parses it; none when it is no JSON.
    #[must_use]
    pub fn call(&self) -> Option<Call> {
        record::call(&self.json, self.time).ok()
    }
}

impl<'a> Prospect<'a> {
    pub(crate) fn of(fields: &'a Fields<'a>, json: &'a [u8], time: Timestamp) -> Self {
        Self {
            json,
            time,
            service: fields.text(Key::Service).unwrap_or_default(),
            name: fields.text(Key::Name).unwrap_or_default(),
            fields,
        }
    }

    /// The call, to be parsed when it turns out that someone wants it.
    #[must_use]
    pub fn aside(&self) -> Aside {
        Aside {
            json: self.json.into(),
            time: self.time,
        }
    }

    /// Whether what was asked may hold a key, in whatever letters; if need be `beyond`, the record.
    #[must_use]
    pub fn mentions(&self, key: &str, beyond: bool) -> bool {
        let key = key.as_bytes();
        let text = match (beyond, self.fields.raw(Key::Request)) {
            (false, Some(Raw::Nest(request))) => request,
            _ => self.json,
        };
        let Some(first) = key.first() else {
            return true;
        };
        let begins = |first: u8| {
            memmem::find_iter(text, &[b'"', first])
                .filter_map(|at| text.get(at + 1..at + 1 + key.len()))
                .any(|text| text.eq_ignore_ascii_case(key))
        };
        begins(first.to_ascii_lowercase())
            || begins(first.to_ascii_uppercase())
            || memmem::find(text, b"\\u").is_some()
    }

    /// The service, as the log names it.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The operation, as the log names it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account whose resources the call is about, empty if none is told; none when only
    /// parsing can tell.
    #[must_use]
    pub fn account(&self) -> Option<Cow<'a, str>> {
        self.fields.call_account()
    }

    /// Whether any text or number that the call holds passes a test: in what was asked and the
    /// resources that the log lists, and if need be `beyond`, in what came back and what the log adds;
    /// not in who called. True as well where only parsing can tell.
    pub fn says(&self, beyond: bool, mut test: impl FnMut(&Text<'_>) -> bool) -> bool {
        let asked = self.values([Key::Request, Key::Resources]);
        let beyond = beyond.then(|| self.values([Key::Response, Key::Extra]));
        asked
            .chain(beyond.into_iter().flatten())
            .any(|value| any_text(value, &mut test))
    }

    /// Members of the record, as JSON, and whatever stands behind each.
    fn values<const N: usize>(&self, keys: [Key; N]) -> impl Iterator<Item = &'a [u8]> {
        keys.into_iter().filter_map(|key| self.fields.value(key))
    }
}
