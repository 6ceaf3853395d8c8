//! A call before anything is built of it: enough to tell whether anyone wants it.

use std::borrow::Cow;

use super::texts::{Text, any_text};
use crate::audit::cloudtrail::fields::Fields;
use crate::audit::cloudtrail::keys::Key;

/// A call that is not parsed yet, as its record's own fields tell it.
#[derive(Debug)]
pub struct Prospect<'a> {
    service: Cow<'a, str>,
    name: Cow<'a, str>,
    fields: &'a Fields<'a>,
}

impl<'a> Prospect<'a> {
    pub(crate) fn of(fields: &'a Fields<'a>) -> Self {
        Self {
            service: fields.text(Key::Service).unwrap_or_default(),
            name: fields.text(Key::Name).unwrap_or_default(),
            fields,
        }
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

    /// Whether any text or number that the call holds passes a test: in what was asked, what came
    /// back, what the log adds, and the resources it lists; not in who called. True as well where
    /// only parsing can tell.
    pub fn says(&self, mut test: impl FnMut(&Text<'_>) -> bool) -> bool {
        [Key::Request, Key::Response, Key::Extra, Key::Resources]
            .into_iter()
            .filter_map(|key| self.fields.value(key))
            .any(|value| any_text(value, &mut test))
    }
}
