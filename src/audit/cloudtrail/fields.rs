//! Judges a record by its own fields, unparsed: is it a call that anyone wants?

use std::borrow::Cow;
use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::Value;

use super::clock::Clock;
use super::keys::{Glance, Key, Values};
use super::lenient::{Flag, repaired};
use super::record::Identity;
use crate::audit::decode::scan::{Cursor, Raw};

/// An object at first sight: enough to tell most reads from the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    glance: Glance,
}

impl<'a> Outline<'a> {
    /// Reads the object whose `{` stands at a byte; none when it does not end.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        let (glance, end) = Glance::at(bytes, at)?;
        Some(Self {
            bytes,
            at,
            end,
            glance,
        })
    }

    /// The byte behind the object.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// The object as text.
    pub(crate) fn json(&self) -> &'a [u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    /// Whether the object says when it was, as only a record does.
    pub(crate) fn has_time(&self) -> bool {
        self.glance.time != 0
    }

    /// When a record's call completed; none when it does not say so, or not in words of time.
    #[inline]
    pub(crate) fn time(&self, clock: &mut Clock) -> Option<Timestamp> {
        time(self.bytes, self.glance.time, clock)
    }

    /// Whether a record says in the plainest words that it changed nothing. When it does not, its
    /// fields are to be asked.
    #[inline]
    pub(crate) fn is_read(&self) -> bool {
        let value = self.bytes.get(self.glance.read_only..).unwrap_or_default();
        self.glance.read_only != 0 && value.starts_with(b"true")
    }

    /// A closer look.
    pub(crate) fn fields(&self) -> Fields<'a> {
        let values = Values::at(self.bytes, self.at);
        Fields {
            bytes: self.bytes,
            values: values.unwrap_or_default(),
        }
    }
}

/// Where an object's own members stand that decide what it is. Of a key that stands twice the
/// last counts, as it does for a parser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    values: Values,
}

impl<'a> Fields<'a> {
    /// Whether a member is there.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.start(key) != 0
    }

    /// The byte behind the colon of a member; 0 when it is missing.
    #[inline]
    fn start(&self, key: Key) -> usize {
        self.values.of(key)
    }

    /// The value of a member, unparsed; none when it is missing.
    pub(crate) fn raw(&self, key: Key) -> Option<Raw<'a>> {
        raw(self.bytes, self.start(key))
    }

    /// The first byte of a member's value, and where it stands.
    pub(crate) fn opening(&self, key: Key) -> Option<(u8, usize)> {
        let mut cursor = Cursor::new(self.bytes, self.start(key));
        let first = cursor.peek().filter(|_| self.has(key))?;
        Some((first, cursor.at))
    }

    /// A string member; none when it is missing or something else.
    pub(crate) fn text(&self, key: Key) -> Option<Cow<'a, str>> {
        text(self.bytes, self.start(key))
    }

    /// A boolean member, which some records hold as a string.
    #[inline]
    fn flag(&self, key: Key) -> Option<bool> {
        match self.raw(key)? {
            Raw::Plain(b"true") => Some(true),
            Raw::Plain(b"false") => Some(false),
            Raw::Text(_) | Raw::Escaped(_) => self.text(key).as_deref().and_then(Flag::word),
            Raw::Plain(_) | Raw::Nest(_) => None,
        }
    }

    /// Whether any field is there that only a record has.
    pub(crate) fn is_record(&self) -> bool {
        self.has(Key::Time) || self.has(Key::Service) || self.has(Key::Name)
    }

    /// The account whose resources a record is about. Records before version 1.02 name the
    /// caller's alone.
    pub(crate) fn account(&self) -> Option<Cow<'a, str>> {
        self.text(Key::Account)
            .or_else(|| match self.raw(Key::Identity)? {
                Raw::Nest(json) => serde_json::from_slice::<Identity>(json).ok()?.account(),
                Raw::Text(_) | Raw::Escaped(_) | Raw::Plain(_) => None,
            })
    }

    /// The account that a call of this record would have: empty if none is told, none when only
    /// parsing can tell.
    pub(crate) fn call_account(&self) -> Option<Cow<'a, str>> {
        if let Some(account) = self.text(Key::Account).filter(|text| !text.is_empty()) {
            return Some(account);
        }
        match self.raw(Key::Identity) {
            Some(Raw::Nest(json)) => {
                let identity = serde_json::from_slice::<Identity>(json).ok()?;
                Some(identity.account().unwrap_or_default())
            }
            _ => Some(Cow::Borrowed("")),
        }
    }

    /// A member's value and whatever stands behind it; none when it is missing.
    pub(crate) fn value(&self, key: Key) -> Option<&'a [u8]> {
        let start = self.start(key);
        (start != 0).then(|| self.bytes.get(start..).unwrap_or_default())
    }

    /// Tells what a record did.
    #[inline]
    pub(crate) fn effect(&self) -> Effect {
        let read_only = match self.flag(Key::ReadOnly) {
            Some(read_only) => read_only,
            None => self.text(Key::Name).is_some_and(|name| is_read(&name)),
        };
        if read_only || self.text(Key::Type).is_some_and(|kind| is_noise(&kind)) {
            return Effect::None;
        }
        let says = |key| self.text(key).is_some_and(|said| !said.is_empty());
        if says(Key::ErrorCode) || says(Key::ErrorMessage) {
            return Effect::Failed;
        }
        if self.is_dry_run() {
            return Effect::None;
        }
        Effect::Change
    }

    /// Whether a request asked only what would happen.
    fn is_dry_run(&self) -> bool {
        let Some(Raw::Nest(request)) = self.raw(Key::Request) else {
            return false;
        };
        // Parsed only when the word may be there, spelt out or with escapes.
        if SOUGHT.iter().all(|word| word.find(request).is_none()) {
            return false;
        }
        let Ok(request) = serde_json::from_slice::<Value>(request) else {
            return false;
        };
        ["dryRun", "DryRun"]
            .iter()
            .filter_map(|key| request.get(key))
            .any(|asked| asked.as_bool().or_else(|| Flag::word(asked.as_str()?)) == Some(true))
    }
}

/// The value behind a colon, unparsed; none for 0, which stands for a missing member.
fn raw(bytes: &[u8], start: usize) -> Option<Raw<'_>> {
    if start == 0 {
        return None;
    }
    Cursor::new(bytes, start).value().ok()
}

/// The string behind a colon; none when there is something else.
fn text(bytes: &[u8], start: usize) -> Option<Cow<'_, str>> {
    match raw(bytes, start)? {
        Raw::Text(text) => Some(String::from_utf8_lossy(text)),
        Raw::Escaped(json) => serde_json::from_slice(json)
            .or_else(|_| serde_json::from_slice(repaired(json).as_bytes()))
            .ok()
            .map(Cow::Owned),
        Raw::Nest(_) | Raw::Plain(_) => None,
    }
}

/// The time behind a colon; none when there is something else.
#[inline]
fn time(bytes: &[u8], start: usize, clock: &mut Clock) -> Option<Timestamp> {
    let quoted = bytes.get(start..).and_then(<[u8]>::first_chunk::<22>);
    // Neither digits nor what stands between them ends a string early.
    if let Some([b'"', time @ .., b'"']) = quoted
        && let Some(time) = clock.read(time)
    {
        return Some(time);
    }
    text(bytes, start)?.parse().ok()
}

/// What a request holds that has `dryRun` or `DryRun` among its keys.
static SOUGHT: LazyLock<[Finder; 2]> = LazyLock::new(|| [Finder::new("ryRun"), Finder::new("\\u")]);

/// What a record's own fields say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing by its nature: a read, or no API call.
    None,
    /// It changed something.
    Change,
    /// It would have changed something, but failed.
    Failed,
}

/// Whether an operation only reads, by its verb: for records that do not say so themselves.
///
/// The verbs are those under which AWS's API models hold reads alone, and `Assume…`, which hands
/// out a session and changes no resource.
fn is_read(name: &str) -> bool {
    const VERBS: [&str; 22] = [
        "Assume",
        "Calculate",
        "Check",
        "Count",
        "Describe",
        "Detect",
        "Discover",
        "Get",
        "Head",
        "Is",
        "List",
        "Lookup",
        "Poll",
        "Preview",
        "Query",
        "Resolve",
        "Retrieve",
        "Scan",
        "Search",
        "Select",
        "Simulate",
        "Validate",
    ];
    let name = name
        .strip_prefix("Batch")
        .filter(|rest| starts_word(rest))
        .unwrap_or(name);
    VERBS
        .iter()
        .any(|verb| name.strip_prefix(verb).is_some_and(starts_word))
}

/// Whether a name's rest starts a new word, or is empty.
fn starts_word(rest: &str) -> bool {
    !rest.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// Whether records of a type are no API calls: what services do by themselves, sign-ins, what the
/// console logs beside its calls, unusual activity, and the passage through a VPC endpoint.
fn is_noise(event_type: &str) -> bool {
    matches!(
        event_type,
        "AwsServiceEvent"
            | "AwsConsoleSignIn"
            | "AwsConsoleAction"
            | "AwsCloudTrailInsight"
            | "AwsVpceEvent"
    )
}

#[cfg(test)]
mod tests {
    use super::{Clock, Effect, Fields, Outline, is_read};
    use jiff::Timestamp;

    fn fields(record: &str) -> Fields<'_> {
        Outline::read(record.as_bytes(), 0).unwrap().fields()
    }

    #[test]
    fn a_record_is_judged_by_its_own_fields() {
        for (record, expected) in [
            (
                r#"{"eventName":"RunInstances","readOnly":false}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"RunInstances","readOnly":true}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"RunInstances","readOnly":"true"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"GetThings","readOnly":"False"}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"RunInstances","readOnly":"tru\u0065"}"#,
                Effect::None,
            ),
            (
                r#"{"readOnly":true,"eventName":"RunInstances","readOnly":false}"#,
                Effect::Change,
            ),
            (
                r#"{"read\u004fnly":true,"eventName":"RunInstances"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"RunInstances","requestParameters":{"readOnly":true}}"#,
                Effect::Change,
            ),
            (r#"{"eventName":"DescribeInstances"}"#, Effect::None),
            (
                r#"{"eventName":"DescribeInstances","readOnly":null}"#,
                Effect::None,
            ),
            (r#"{"eventName":"Describ\u0065Instances"}"#, Effect::None),
            (r#"{"eventName":"RunInstances"}"#, Effect::Change),
            (
                r#"{"eventName":"RunInstances","errorCode":"Client.UnauthorizedOperation"}"#,
                Effect::Failed,
            ),
            (
                r#"{"eventName":"RunInstances","errorMessage":"no"}"#,
                Effect::Failed,
            ),
            (
                r#"{"eventName":"RunInstances","errorCode":null}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"RunInstances","errorCode":""}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"RunInstances","responseElements":{"errorCode":"x"}}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"DescribeInstances","errorCode":"x"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn","errorMessage":"x"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"RotateKey","eventType":"AwsServiceEvent"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"RunInstances","eventType":"AwsCloudTrailInsight"}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"RunInstances","eventType":"AwsApiCall"}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":{"dryRun":true}}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":{"dry\u0052un":"true"}}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":{"DryRun":true,"dryRun":false}}"#,
                Effect::None,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":{"dryRun":false}}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":{"a":{"dryRun":true}}}"#,
                Effect::Change,
            ),
            (
                r#"{"eventName":"PutThing","requestParameters":"dryRun"}"#,
                Effect::Change,
            ),
        ] {
            assert_eq!(fields(record).effect(), expected, "{record}");
            let outline = Outline::read(record.as_bytes(), 0).unwrap();
            assert!(!outline.is_read() || expected == Effect::None, "{record}");
        }
    }

    #[test]
    fn verbs_are_whole_words() {
        for read in [
            "GetObject",
            "ListBuckets",
            "BatchGetItem",
            "AssumeRole",
            "AssumeRoleWithSAML",
            "Query",
            "Scan",
            "HeadObject",
            "LookupEvents",
            "GetObject20150331",
        ] {
            assert!(is_read(read), "{read}");
        }
        for write in [
            "Getaway",
            "ListenForIt",
            "Isolate",
            "BatchWriteItem",
            "Batch",
            "Checkout",
            "CreateGet",
            "",
            "get",
        ] {
            assert!(!is_read(write), "{write}");
        }
    }

    #[test]
    fn an_account_is_the_recipient_or_the_caller() {
        for (record, expected) in [
            (
                r#"{"recipientAccountId":"1","userIdentity":{"accountId":"2"}}"#,
                Some("1"),
            ),
            (r#"{"userIdentity":{"accountId":"2"}}"#, Some("2")),
            (
                r#"{"userIdentity":{"sessionContext":{"accountId":"2"}}}"#,
                None,
            ),
            (r#"{"userIdentity":null}"#, None),
        ] {
            assert_eq!(fields(record).account().as_deref(), expected, "{record}");
        }
    }

    fn time(record: &str) -> Option<Timestamp> {
        Outline::read(record.as_bytes(), 0)
            .unwrap()
            .time(&mut Clock::default())
    }

    fn timed(text: &str) -> Option<Timestamp> {
        time(&format!("{{\"eventTime\":\"{text}\"}}"))
    }

    #[test]
    fn a_time_is_an_instant_in_any_spelling() {
        let expected: Timestamp = "2026-01-15T10:35:10Z".parse().unwrap();
        for text in [
            "2026-01-15T10:35:10Z",
            "2026-01-15T10:35:10.000Z",
            "2026-01-15T11:35:10+01:00",
            "2026-01-15T10:35:10\\u005a",
        ] {
            assert_eq!(timed(text), Some(expected), "{text}");
        }
        assert_eq!(
            time("{ \"eventTime\" : \"2026-01-15T10:35:10Z\" }"),
            Some(expected)
        );
        for text in [
            "",
            "yesterday",
            "2026-01-15",
            "2026-01-15T10:35:10",
            "2026-02-30T10:35:10Z",
            "2026-13-01T00:00:00Z",
            "2026-01-15T24:35:10Z",
        ] {
            assert_eq!(timed(text), None, "{text}");
        }
        for record in [
            "{}",
            r#"{"eventTime":null}"#,
            r#"{"eventTime":1768473310}"#,
            r#"{"x":{"eventTime":"2026-01-15T10:35:10Z"}}"#,
        ] {
            assert_eq!(time(record), None, "{record}");
        }
    }
}
