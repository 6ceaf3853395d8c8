//! The plain reading: parse all of it, then look.

use jiff::Timestamp;
use serde_json::Value;
use tfdrift::audit::call::{Call, Caller};

use crate::Asked;
use crate::json::Json;

/// What a plain reading finds.
#[derive(Debug, Default)]
pub struct Plain {
    /// The calls, as [`told`].
    pub calls: Vec<String>,
    /// As in `Tally`.
    pub records: u64,
    /// As in `Tally`.
    pub in_window: u64,
    /// As in `Tally`.
    pub writes: u64,
    /// As in `Tally`.
    pub failed_calls: u64,
    /// Things that are no records, or records without a time.
    pub problems: u64,
}

/// Everything about a call. An id made of the content is not the plain reading's to know.
pub fn told(mut call: Call) -> String {
    if call.id.starts_with("content-") {
        call.id = String::new();
    }
    format!("{call:?}")
}

/// Reads a text of JSON; none when it is something else, or not wholly JSON.
pub fn read(text: &[u8], asked: &Asked) -> Option<Plain> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let mut reading = Reading {
        asked,
        found: Plain::default(),
    };
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Json>() {
        match value.ok()? {
            Json::Array(elements) => reading.list(&elements, 0)?,
            Json::Leaf(_) => return None,
            object @ Json::Object(_) if begins_with_list(&object) => reading.wrapper(&object, 0)?,
            object @ Json::Object(_) => reading.object(&object, 0)?,
        }
    }
    Some(reading.found)
}

struct Reading<'a> {
    asked: &'a Asked,
    found: Plain,
}

impl Reading<'_> {
    fn list(&mut self, elements: &[Json], depth: u32) -> Option<()> {
        for element in elements {
            match element {
                Json::Object(_) => self.object(element, depth)?,
                _ => self.stranger(),
            }
        }
        Some(())
    }

    fn wrapper(&mut self, object: &Json, depth: u32) -> Option<()> {
        let Json::Object(members) = object else {
            return None;
        };
        for (key, value) in members {
            if let (true, Json::Array(elements)) = (is_list_key(key), value) {
                self.list(elements, depth)?;
            }
        }
        Some(())
    }

    /// Takes an object for what it is. None when only the decoder's own rules could tell.
    fn object(&mut self, object: &Json, depth: u32) -> Option<()> {
        let lists = |key: &str| matches!(object.get(key), Some(Json::Array(_)));
        if is_record(object) {
            self.record(object);
        } else if depth < 2 && (lists("Records") || lists("Events")) {
            self.wrapper(object, depth + 1)?;
        } else if let Some(detail @ Json::Object(_)) = object.get("detail") {
            if is_record(detail) {
                self.record(detail);
            }
        } else if let Some(text) = object.text("CloudTrailEvent") {
            if !text.starts_with('{') {
                self.stranger();
                return Some(());
            }
            match serde_json::from_str(text).ok()? {
                record if is_record(&record) => self.record(&record),
                _ => self.stranger(),
            }
        } else if object.get("digestStartTime").is_none() {
            self.stranger();
        }
        Some(())
    }

    fn stranger(&mut self) {
        self.found.records += 1;
        self.found.problems += 1;
    }

    fn record(&mut self, record: &Json) {
        self.found.records += 1;
        let time = record.text("eventTime");
        let Some(time) = time.and_then(|time| time.parse::<Timestamp>().ok()) else {
            self.found.problems += 1;
            return;
        };
        if !self.asked.window.contains(time) {
            return;
        }
        self.found.in_window += 1;
        let reads = || reads(record.text("eventName").unwrap_or_default());
        if record.flag("readOnly").unwrap_or_else(reads) || is_noise(record) {
            return;
        }
        let error = said(record, "errorCode").or_else(|| said(record, "errorMessage"));
        if error.is_some() {
            self.found.failed_calls += 1;
            if !self.asked.failed {
                return;
            }
        } else if is_dry_run(record) {
            return;
        } else {
            self.found.writes += 1;
        }
        let own = record
            .get("userIdentity")
            .and_then(|who| who.text("accountId"));
        let account = record.text("recipientAccountId").or(own);
        if is_asked(&self.asked.regions, record.text("awsRegion"))
            && is_asked(&self.asked.accounts, account)
        {
            self.found.calls.push(told(call(record, time, error)));
        }
    }
}

fn is_asked(asked: &[String], found: Option<&str>) -> bool {
    asked.is_empty() || found.is_some_and(|found| asked.iter().any(|asked| asked == found))
}

fn is_list_key(key: &str) -> bool {
    key == "Records" || key == "Events"
}

fn begins_with_list(object: &Json) -> bool {
    let Json::Object(members) = object else {
        return false;
    };
    let first = members.first();
    first.is_some_and(|(key, value)| is_list_key(key) && matches!(value, Json::Array(_)))
}

fn is_record(object: &Json) -> bool {
    let keys = ["eventTime", "eventSource", "eventName"];
    keys.iter().any(|key| object.get(key).is_some())
}

fn is_noise(record: &Json) -> bool {
    matches!(
        record.text("eventType"),
        Some(
            "AwsServiceEvent"
                | "AwsConsoleSignIn"
                | "AwsConsoleAction"
                | "AwsCloudTrailInsight"
                | "AwsVpceEvent"
        )
    )
}

fn is_dry_run(record: &Json) -> bool {
    let Some(request) = record.get("requestParameters") else {
        return false;
    };
    let asks = |key| request.flag(key) == Some(true);
    asks("dryRun") || asks("DryRun")
}

/// Whether a name begins with a verb of reading, as a word of its own.
fn reads(name: &str) -> bool {
    const VERBS: &str = "Assume Calculate Check Count Describe Detect Discover Get Head Is List \
        Lookup Poll Preview Query Resolve Retrieve Scan Search Select Simulate Validate";
    let name = behind("Batch", name).unwrap_or(name);
    VERBS
        .split_whitespace()
        .any(|verb| behind(verb, name).is_some())
}

/// What stands behind the word that a name begins with.
fn behind<'a>(word: &str, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(word)?;
    (!rest.starts_with(|letter: char| letter.is_ascii_lowercase())).then_some(rest)
}

/// A member that is a string and says something.
fn said(object: &Json, key: &str) -> Option<String> {
    let text = object.text(key).filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

fn call(record: &Json, time: Timestamp, error: Option<String>) -> Call {
    let nothing = Json::Leaf(Value::Null);
    let of = |object: &'_ Json, key: &str| object.get(key).cloned().unwrap_or(nothing.clone());
    let value = |key: &str| of(record, key).value();
    let identity = of(record, "userIdentity");
    let session = of(&identity, "sessionContext");
    let (issuer, attributes) = (of(&session, "sessionIssuer"), of(&session, "attributes"));
    let account = said(&identity, "accountId");
    let resources = match record.get("resources") {
        Some(Json::Array(elements)) => elements
            .iter()
            .filter_map(|resource| resource.last(&["ARN", "arn"])?.as_str())
            .filter(|arn| !arn.is_empty())
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    Call {
        time,
        id: said(record, "eventID")
            .filter(|id| !id.starts_with("content-"))
            .unwrap_or_default(),
        shared_id: said(record, "sharedEventID"),
        corrects: said(&of(record, "addendum"), "originalEventID"),
        service: said(record, "eventSource").unwrap_or_default(),
        name: said(record, "eventName").unwrap_or_default(),
        account: said(record, "recipientAccountId")
            .or_else(|| account.clone())
            .unwrap_or_default(),
        region: said(record, "awsRegion").unwrap_or_default(),
        request: value("requestParameters"),
        response: value("responseElements"),
        extra: value("additionalEventData"),
        api_version: said(record, "apiVersion"),
        resources,
        caller: Caller {
            kind: said(&identity, "type").unwrap_or_default(),
            arn: said(&identity, "arn"),
            principal_id: said(&identity, "principalId"),
            account,
            user_name: said(&identity, "userName"),
            issuer_name: said(&issuer, "userName"),
            issuer_arn: said(&issuer, "arn"),
            source_identity: said(&session, "sourceIdentity")
                .or_else(|| said(&attributes, "sourceIdentity")),
            invoked_by: said(&identity, "invokedBy"),
            mfa: attributes.flag("mfaAuthenticated"),
            from_console: record.flag("sessionCredentialFromConsole") == Some(true),
            source_ip: said(record, "sourceIPAddress"),
            user_agent: said(record, "userAgent"),
        },
        error,
    }
}
