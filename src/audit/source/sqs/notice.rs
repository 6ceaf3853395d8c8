//! What a message of a queue says: which objects are new in a bucket.
//!
//! Four senders are known: S3 itself (Amazon S3 User Guide, *Event message structure*), S3 through
//! EventBridge (*EventBridge event message structure*), CloudTrail's own notifications (*Configuring
//! Amazon SNS notifications for CloudTrail*), and SNS as an envelope around any of them.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use crate::audit::cloudtrail::layout::{Level, Name, Place, looks_like_log};
use crate::s3::Location;

/// A new object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Where it lies.
    pub location: Location,
    /// Its length, where the message tells.
    pub size: Option<u64>,
}

/// What SNS and CloudTrail say to see whether someone listens.
const VALIDATION: &str = "CloudTrail validation message.";

/// The objects that a message names; none where it says nothing of new ones.
///
/// # Errors
/// In words, when it is something else.
pub fn objects(body: &str) -> Result<Vec<Object>, &'static str> {
    let text = body.trim();
    if text == VALIDATION {
        return Ok(Vec::new());
    }
    let value: Value = serde_json::from_str(text).map_err(|_| "it is no JSON")?;
    match value.get("Type").and_then(Value::as_str) {
        Some("Notification") => {
            let inner = value.get("Message").and_then(Value::as_str);
            let inner = inner
                .ok_or("it is an SNS notification without a message")?
                .trim();
            if inner == VALIDATION {
                return Ok(Vec::new());
            }
            let inner = serde_json::from_str(inner)
                .map_err(|_| "it is an SNS notification of something that is no JSON")?;
            plain(&inner)
        }
        Some("SubscriptionConfirmation") => {
            Err("it asks to confirm the queue's subscription to an SNS topic")
        }
        _ => plain(&value),
    }
}

/// The objects that a message without an envelope names.
fn plain(value: &Value) -> Result<Vec<Object>, &'static str> {
    const STRANGE: &str = "it is no notification of S3, EventBridge or CloudTrail";
    if let Some(records) = value.get("Records").and_then(Value::as_array) {
        let mut objects = Vec::new();
        for record in records {
            objects.extend(of_s3(record).ok_or(STRANGE)?);
        }
        return Ok(objects);
    }
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if value.get("s3Bucket").is_some() {
        return of_cloudtrail(value).ok_or(STRANGE);
    }
    if value.get("source").and_then(Value::as_str) == Some("aws.s3") {
        return of_event_bridge(value).ok_or(STRANGE);
    }
    Err(STRANGE)
}

#[derive(Deserialize)]
struct S3Record {
    #[serde(rename = "eventName")]
    event: String,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Named,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Named {
    key: String,
    size: Option<u64>,
}

impl Entity {
    fn object(self, key: &str) -> Option<Object> {
        let fits = !self.bucket.name.is_empty() && !key.is_empty();
        fits.then(|| Object {
            location: Location::new(&self.bucket.name, key),
            size: self.object.size,
        })
    }
}

/// The object of one of S3's records, if it says that one was made. Keys are encoded as in a form.
fn of_s3(record: &Value) -> Option<Vec<Object>> {
    let record = S3Record::deserialize(record).ok()?;
    let event = record.event.trim_start_matches("s3:");
    if !event.starts_with("ObjectCreated:") {
        return Some(Vec::new());
    }
    let spaced = record.s3.object.key.replace('+', " ");
    let key = percent_decode_str(&spaced).decode_utf8().ok()?;
    record.s3.object(&key).map(|object| vec![object])
}

/// The object of one of EventBridge's events. Keys are written as they are.
fn of_event_bridge(event: &Value) -> Option<Vec<Object>> {
    if event.get("detail-type")?.as_str()? != "Object Created" {
        return Some(Vec::new());
    }
    let entity = Entity::deserialize(event.get("detail")?).ok()?;
    let key = entity.object.key.clone();
    entity.object(&key).map(|object| vec![object])
}

/// The objects of one of CloudTrail's notifications.
fn of_cloudtrail(value: &Value) -> Option<Vec<Object>> {
    let bucket = value
        .get("s3Bucket")?
        .as_str()
        .filter(|name| !name.is_empty())?;
    let keys = value.get("s3ObjectKey")?.as_array()?.iter();
    let object = |key: &Value| {
        Some(Object {
            location: Location::new(bucket, key.as_str().filter(|key| !key.is_empty())?),
            size: None,
        })
    };
    keys.map(object).collect()
}

/// The name of an object without its folders.
pub fn name_of(object: &Object) -> &str {
    let key = object.location.key.as_str();
    key.rsplit('/').next().unwrap_or(key)
}

/// Whether an object can be a log file. Buckets tell of all that comes into them.
pub fn is_log(object: &Object) -> bool {
    let (folder, name) = object
        .location
        .key
        .rsplit_once('/')
        .unwrap_or(("", &object.location.key));
    match Name::of(name) {
        Name::Log { .. } => true,
        Name::Sibling => false,
        Name::Other => looks_like_log(name) && Place::of(folder.split('/')).level != Level::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn s3(event: &str, key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": event,
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "logs"},
                "object": {"key": key, "size": 7}},
        }]})
    }

    fn sns(message: &str) -> String {
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message})
            .to_string()
    }

    #[test]
    fn every_known_sender_names_its_objects() {
        let bridge = |kind: &str| {
            json!({"version": "0", "source": "aws.s3", "detail-type": kind,
                "detail": {"bucket": {"name": "logs"}, "object": {"key": "a+b %41.gz", "size": 7}}})
        };
        let own = json!({"s3Bucket": "logs", "s3ObjectKey": ["a.gz", "b+c.gz"]}).to_string();
        let encoded = s3("ObjectCreated:Put", "a+b/%C3%A9%2B%3D.gz").to_string();
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "logs"});
        let table: &[(String, &[&str])] = &[
            (encoded.clone(), &["a b/é+=.gz"]),
            (sns(&encoded), &["a b/é+=.gz"]),
            (s3("s3:ObjectCreated:Copy", "x").to_string(), &["x"]),
            (s3("ObjectRemoved:Delete", "x").to_string(), &[]),
            (bridge("Object Created").to_string(), &["a+b %41.gz"]),
            (bridge("Object Deleted").to_string(), &[]),
            (own.clone(), &["a.gz", "b+c.gz"]),
            (sns(&own), &["a.gz", "b+c.gz"]),
            (test.to_string(), &[]),
            (sns(&test.to_string()), &[]),
            (VALIDATION.to_owned(), &[]),
            (sns(VALIDATION), &[]),
            ("{\"Records\": []}".to_owned(), &[]),
        ];
        for (body, expected) in table {
            let found = objects(body).unwrap();
            let keys: Vec<&str> = found.iter().map(|one| one.location.key.as_str()).collect();
            assert_eq!(keys, *expected, "{body}");
            assert!(found.iter().all(|one| one.location.bucket == "logs"));
        }
        assert_eq!(objects(&encoded).unwrap()[0].size, Some(7));
    }

    #[test]
    fn anything_else_is_refused_in_words() {
        for (body, part) in [
            ("hello", "no JSON"),
            ("[]", "no notification"),
            (
                "{\"Records\": [{\"eventName\": \"ObjectCreated:Put\"}]}",
                "no notification",
            ),
            ("{\"Records\": [7]}", "no notification"),
            ("{\"s3Bucket\": \"logs\"}", "no notification"),
            (
                "{\"s3Bucket\": \"\", \"s3ObjectKey\": [\"x\"]}",
                "no notification",
            ),
            (
                "{\"s3Bucket\": \"logs\", \"s3ObjectKey\": [7]}",
                "no notification",
            ),
            ("{\"source\": \"aws.s3\"}", "no notification"),
            ("{\"Type\": \"Notification\"}", "without a message"),
            (&sns("hello"), "no JSON"),
            ("{\"Type\": \"SubscriptionConfirmation\"}", "confirm"),
            (
                &s3("ObjectCreated:Put", "%FF").to_string(),
                "no notification",
            ),
        ] {
            let refused = objects(body).unwrap_err();
            assert!(refused.contains(part), "{body}: {refused}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = objects(&text);
            let _ = objects(&sns(&text));
        }

        #[test]
        fn a_key_that_s3_encoded_is_read_as_it_was(key in "x\\PC{0,40}") {
            let encoded = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .replace("%20", "+");
            let found = objects(&s3("ObjectCreated:Put", &encoded).to_string()).unwrap();
            assert_eq!(found[0].location.key, key);
        }
    }

    #[test]
    fn only_log_files_are_read() {
        let day = "p/AWSLogs/111111111111/CloudTrail/eu-west-1/2026/01/15";
        let digests = "AWSLogs/111111111111/CloudTrail-Digest/eu-west-1/2026/01/15";
        let config = "AWSLogs/111111111111/Config/eu-west-1/2026/1/15/ConfigHistory";
        for (key, expected) in [
            (
                format!("{day}/111111111111_CloudTrail_eu-west-1_20260115T1035Z_x.json.gz"),
                true,
            ),
            (
                format!("{digests}/111111111111_CloudTrail-Digest_eu-west-1_t_x.json.gz"),
                false,
            ),
            (format!("{config}/111111111111_Config_x.json.gz"), false),
            ("copies/events.jsonl".to_owned(), true),
            ("events.json".to_owned(), true),
            ("states/prod.tfstate".to_owned(), false),
            ("notes.txt".to_owned(), false),
        ] {
            let object = Object {
                location: Location::new("logs", &key),
                size: None,
            };
            assert_eq!(is_log(&object), expected, "{key}");
        }
    }
}
