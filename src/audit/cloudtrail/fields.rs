//! Judges a record by its own fields, unparsed: is it a call that anyone wants?

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::lenient::{Flag, repaired};
use super::record::Identity;
use crate::audit::decode::blocks::{Look, Sight, look};
use crate::audit::decode::scan::{Kind, Span, Stop, object};

/// Where an object's own members stand that decide what it is. Of a key that stands twice the
/// last counts, as it does for a parser.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fields {
    pub time: Span,
    pub service: Span,
    pub name: Span,
    pub read_only: Span,
    pub error_code: Span,
    pub error_message: Span,
    pub event_type: Span,
    pub account: Span,
    pub region: Span,
    pub identity: Span,
    pub request: Span,
    /// The record inside an EventBridge event.
    pub detail: Span,
    /// The record, as a string, inside an event of LookupEvents.
    pub lookup: Span,
    /// Whether there is a list of records or of LookupEvents' events.
    pub lists: bool,
    /// Whether it is a digest, which lists log files and holds no record.
    pub digest: bool,
}

impl Fields {
    /// Reads the object whose `{` stands at a byte; returns the byte behind its `}` as well.
    ///
    /// # Errors
    ///
    /// When the object does not end, or its own level is no JSON.
    #[inline]
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<(Self, usize), Stop> {
        let mut fields = Self::default();
        let end = look(Read { bytes, at, fields: &mut fields })?;
        Ok((fields, end))
    }

    #[inline(always)]
    fn note(&mut self, key: &[u8], value: Span, bytes: &[u8]) {
        match key {
            b"eventTime" => self.time = value,
            b"eventSource" => self.service = value,
            b"eventName" => self.name = value,
            b"readOnly" => self.read_only = value,
            b"errorCode" => self.error_code = value,
            b"errorMessage" => self.error_message = value,
            b"eventType" => self.event_type = value,
            b"recipientAccountId" => self.account = value,
            b"awsRegion" => self.region = value,
            b"userIdentity" => self.identity = value,
            b"requestParameters" => self.request = value,
            b"detail" => self.detail = value,
            b"CloudTrailEvent" => self.lookup = value,
            b"digestStartTime" => self.digest = true,
            b"Records" | b"Events" => self.lists |= bytes.get(value.start) == Some(&b'['),
            _ => {}
        }
    }

    #[cold]
    fn note_escaped(&mut self, key: &[u8], value: Span, bytes: &[u8]) {
        if let Ok(key) = serde_json::from_slice::<String>(key) {
            self.note(key.as_bytes(), value, bytes);
        }
    }

    /// Whether any field is there that only a record has.
    pub(crate) fn is_record(&self) -> bool {
        [self.time, self.service, self.name]
            .iter()
            .any(|span| span.kind != Kind::Missing)
    }
}

struct Read<'a> {
    bytes: &'a [u8],
    at: usize,
    fields: &'a mut Fields,
}

impl Look for Read<'_> {
    type Found = Result<usize, Stop>;

    #[inline(always)]
    fn look<S: Sight>(self, sight: S) -> Result<usize, Stop> {
        let Self { bytes, at, fields } = self;
        object(bytes, at, sight, |key, value| {
            if key.kind == Kind::Text {
                fields.note(key.of(bytes), value, bytes);
            } else {
                fields.note_escaped(key.json(bytes), value, bytes);
            }
        })
    }
}

/// A string member; none when it is missing or something else.
#[inline]
pub(crate) fn text(bytes: &[u8], span: Span) -> Option<Cow<'_, str>> {
    match span.kind {
        Kind::Text => Some(String::from_utf8_lossy(span.of(bytes))),
        Kind::Escaped => {
            let json = span.json(bytes);
            serde_json::from_slice(json)
                .or_else(|_| serde_json::from_slice(repaired(json).as_bytes()))
                .ok()
                .map(Cow::Owned)
        }
        Kind::Missing | Kind::Nest | Kind::Plain => None,
    }
}

/// A boolean member, which some records hold as a string.
#[inline]
fn flag(bytes: &[u8], span: Span) -> Option<bool> {
    match span.kind {
        Kind::Plain => match span.of(bytes) {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        },
        Kind::Text | Kind::Escaped => text(bytes, span).as_deref().and_then(Flag::word),
        Kind::Missing | Kind::Nest => None,
    }
}

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

/// Tells what a record did.
pub(crate) fn effect(bytes: &[u8], fields: &Fields) -> Effect {
    let read_only = match flag(bytes, fields.read_only) {
        Some(read_only) => read_only,
        None => text(bytes, fields.name).is_some_and(|name| is_read(&name)),
    };
    if read_only || text(bytes, fields.event_type).is_some_and(|kind| is_noise(&kind)) {
        return Effect::None;
    }
    let said = |span| text(bytes, span).is_some_and(|said| !said.is_empty());
    if said(fields.error_code) || said(fields.error_message) {
        return Effect::Failed;
    }
    if is_dry_run(bytes, fields.request) {
        return Effect::None;
    }
    Effect::Change
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

/// Whether a request asked only what would happen.
fn is_dry_run(bytes: &[u8], request: Span) -> bool {
    let json = request.json(bytes);
    // Parsed only when the word may be there, spelt out or with escapes.
    let may = |word: &str| memchr::memmem::find(json, word.as_bytes()).is_some();
    if request.kind != Kind::Nest || !(may("ryRun") || may("\\u")) {
        return false;
    }
    let Ok(request) = serde_json::from_slice::<Value>(json) else {
        return false;
    };
    ["dryRun", "DryRun"]
        .iter()
        .filter_map(|key| request.get(key))
        .any(|asked| asked.as_bool().or_else(|| Flag::word(asked.as_str()?)) == Some(true))
}

/// The account whose resources a record is about. Records before version 1.02 name the caller's
/// alone.
pub(crate) fn account<'a>(bytes: &'a [u8], fields: &Fields) -> Option<Cow<'a, str>> {
    text(bytes, fields.account).or_else(|| {
        serde_json::from_slice::<Identity>(fields.identity.json(bytes))
            .ok()?
            .account()
    })
}

/// When a record's call completed; none when it does not say so, or not in words of time.
pub(crate) fn time(bytes: &[u8], span: Span) -> Option<Timestamp> {
    if span.kind == Kind::Text
        && let Some(time) = span.of(bytes).try_into().ok().and_then(plain_time)
    {
        return Some(time);
    }
    text(bytes, span)?.parse().ok()
}

/// Reads `2026-01-15T10:35:10Z`, the one form that CloudTrail writes; none for any other.
fn plain_time(text: &[u8; 20]) -> Option<Timestamp> {
    let [
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        hours @ ..,
        b'Z',
    ] = text
    else {
        return None;
    };
    let [h0, h1, b':', n0, n1, b':', s0, s1] = hours else {
        return None;
    };
    let pair = |tens: &u8, ones: &u8| {
        let [tens, ones] = [tens, ones].map(|digit| digit.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
    };
    let (year, month, day) = (
        pair(y0, y1)? * 100 + pair(y2, y3)?,
        pair(m0, m1)?,
        pair(d0, d1)?,
    );
    let (hour, minute, second) = (pair(h0, h1)?, pair(n0, n1)?, pair(s0, s1)?);
    if !(1..=12).contains(&month)
        || !(1..=28).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        // Also the days at a month's end and leap seconds, which the calendar has to judge.
        return None;
    }
    // Days since 1970-01-01 of a year that starts in March, so that its leap day comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468;
    Timestamp::from_second(((days * 24 + hour) * 60 + minute) * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::{Effect, Fields, account, effect, is_read, plain_time, time};
    use crate::audit::decode::scan::{Kind, Span};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn fields(record: &str) -> Fields {
        Fields::read(record.as_bytes(), 0).unwrap().0
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
            assert_eq!(
                effect(record.as_bytes(), &fields(record)),
                expected,
                "{record}"
            );
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
            assert_eq!(
                account(record.as_bytes(), &fields(record)).as_deref(),
                expected,
                "{record}"
            );
        }
    }

    fn timed(text: &str, kind: Kind) -> Option<Timestamp> {
        let quoted = format!("\"{text}\"");
        time(
            quoted.as_bytes(),
            Span {
                start: 1,
                end: quoted.len() - 1,
                kind,
            },
        )
    }

    #[test]
    fn a_time_is_an_instant_in_any_spelling() {
        let expected: Timestamp = "2026-01-15T10:35:10Z".parse().unwrap();
        for (text, kind) in [
            ("2026-01-15T10:35:10Z", Kind::Text),
            ("2026-01-15T10:35:10.000Z", Kind::Text),
            ("2026-01-15T11:35:10+01:00", Kind::Text),
            ("2026-01-15T10:35:10\\u005a", Kind::Escaped),
        ] {
            assert_eq!(timed(text, kind), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-01-15",
            "2026-01-15T10:35:10",
            "2026-02-30T10:35:10Z",
            "2026-13-01T00:00:00Z",
            "2026-01-15T24:35:10Z",
        ] {
            assert_eq!(timed(text, Kind::Text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_plain_time_is_the_calendars(year in 0i16..10_000, month in 0u8..14, day in 0u8..33, hour in 0u8..26, minute in 0u8..62, second in 0u8..62) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
            let calendar = text.parse::<Timestamp>().ok();
            prop_assert_eq!(timed(&text, Kind::Text), calendar);
            let plain = plain_time(text.as_bytes().try_into().unwrap());
            prop_assert!(plain.is_none() || plain == calendar, "{text}");
            prop_assert!(plain.is_some() || calendar.is_none() || day > 28 || second > 59, "{text}");
        }
    }
}
