//! Alerts of Falco's `cloudtrail` plugin, one JSON object on each line, made into records again.
//!
//! An alert holds the fields that its rule prints, under `output_fields`, by the names that the
//! plugin's documentation lists. What a rule does not print is not known, which is another thing
//! than empty: a request that is not there whole is marked as one that the log left out.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What `source` says of alerts that come from CloudTrail.
const SOURCE: &str = "aws_cloudtrail";

/// Fields that print a single parameter of a request, and its name in a record.
const PARAMETERS: [(&str, &str); 15] = [
    ("ct.request.availabilityzone", "availabilityZone"),
    ("ct.request.cluster", "cluster"),
    ("ct.request.functionname", "functionName"),
    ("ct.request.groupname", "groupName"),
    ("ct.request.host", "Host"),
    ("ct.request.name", "name"),
    ("ct.request.policy", "policy"),
    ("ct.request.serialnumber", "serialNumber"),
    ("ct.request.servicename", "serviceName"),
    ("ct.request.subnetid", "subnetId"),
    ("ct.request.taskdefinition", "taskDefinition"),
    ("ct.request.username", "userName"),
    ("s3.bucket", "bucketName"),
    ("s3.key", "key"),
    ("ecr.repository", "repositoryName"),
];

/// Fields that are a field of a record as they are.
const FIELDS: [(&str, &str); 12] = [
    ("ct.id", "eventID"),
    ("ct.name", "eventName"),
    ("ct.region", "awsRegion"),
    ("ct.error", "errorCode"),
    ("ct.errormessage", "errorMessage"),
    ("ct.srcip", "sourceIPAddress"),
    ("ct.useragent", "userAgent"),
    ("ct.readonly", "readOnly"),
    ("ct.eventtype", "eventType"),
    ("ct.apiversion", "apiVersion"),
    ("ct.sharedeventid", "sharedEventID"),
    (
        "ct.sessioncredentialfromconsole",
        "sessionCredentialFromConsole",
    ),
];

/// Why a line gives no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is no JSON object.
    NoAlert,
    /// Its rule prints too little: this is missing.
    Missing(&'static str),
}

/// The record that an alert tells of; none when it tells of something other than CloudTrail.
pub(crate) fn record(line: &[u8]) -> Result<Option<Value>, Flaw> {
    let Ok(Value::Object(alert)) = serde_json::from_slice::<Value>(line) else {
        return Err(Flaw::NoAlert);
    };
    let fields = match alert.get("output_fields") {
        Some(Value::Object(fields)) => Fields(fields),
        _ if alert.get("source").and_then(Value::as_str) == Some(SOURCE) => {
            return Err(Flaw::Missing("output_fields"));
        }
        _ => return Ok(None),
    };
    let source = alert.get("source").and_then(Value::as_str);
    let is_ours = source.map_or_else(|| fields.speaks_of_calls(), |source| source == SOURCE);
    if !is_ours {
        return Ok(None);
    }
    let mut record = Map::new();
    for (field, name) in FIELDS {
        if let Some(text) = fields.text(field) {
            record.insert(name.to_owned(), text.into());
        }
    }
    let service = fields.text("ct.src").map(str::to_owned).or_else(|| {
        let short = fields.text("ct.shortsrc")?;
        Some(format!("{short}.amazonaws.com"))
    });
    let needed = |value: Option<Value>, name| value.ok_or(Flaw::Missing(name));
    let service = needed(service.map(Value::from), "%ct.src")?;
    record.insert("eventSource".to_owned(), service);
    let time = time(&fields, &alert).map(|time| Value::from(time.to_string()));
    record.insert("eventTime".to_owned(), needed(time, "%ct.time")?);
    let account = account(&fields).map(Value::from);
    let account = needed(account, "%ct.recipientaccountid or %ct.user.accountid")?;
    record.insert("recipientAccountId".to_owned(), account);
    for (name, field) in [("eventName", "%ct.name"), ("awsRegion", "%ct.region")] {
        if !record.contains_key(name) {
            return Err(Flaw::Missing(field));
        }
    }
    record.insert("userIdentity".to_owned(), identity(&fields));
    record.insert("requestParameters".to_owned(), request(&fields));
    for (field, name) in [
        ("ct.response", "responseElements"),
        ("ct.additionaleventdata", "additionalEventData"),
        ("ct.resources", "resources"),
    ] {
        if let Some(value) = fields.json(field) {
            record.insert(name.to_owned(), value);
        }
    }
    if let Some(original) = fields.text("ct.addendum.originaleventid") {
        record.insert("addendum".to_owned(), json!({"originalEventID": original}));
    }
    Ok(Some(Value::Object(record)))
}

/// The fields of an alert.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// A field's text; none when it is missing or the plugin knew none.
    fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.0.get(name)?.as_str()?;
        (!text.is_empty() && text != "<NA>").then_some(text)
    }

    /// A field that prints a part of the record as JSON.
    fn json(&self, name: &str) -> Option<Value> {
        serde_json::from_str(self.text(name)?).ok()
    }

    fn speaks_of_calls(&self) -> bool {
        self.0.keys().any(|name| name.starts_with("ct."))
    }
}

/// When the call completed: as CloudTrail says, else as Falco says, which for a log that is read
/// is the same.
fn time(fields: &Fields<'_>, alert: &Map<String, Value>) -> Option<Timestamp> {
    let parse = |text: &str| text.parse::<Timestamp>().ok();
    let told = fields.text("ct.time").and_then(parse);
    told.or_else(|| {
        let time = parse(alert.get("time")?.as_str()?)?;
        Timestamp::from_second(time.as_second()).ok()
    })
}

fn account<'a>(fields: &Fields<'a>) -> Option<&'a str> {
    let of_principal = || fields.text("ct.user.arn")?.split(':').nth(4);
    let told = ["ct.recipientaccountid", "ct.user.accountid"];
    told.iter()
        .find_map(|name| fields.text(name))
        .or_else(of_principal)
        .filter(|account| !account.is_empty())
}

/// The caller. What `ct.user` prints depends on the kind of identity.
fn identity(fields: &Fields<'_>) -> Value {
    let mut identity = Map::new();
    for (field, name) in [
        ("ct.user.identitytype", "type"),
        ("ct.user.principalid", "principalId"),
        ("ct.user.arn", "arn"),
        ("ct.user.accountid", "accountId"),
    ] {
        if let Some(text) = fields.text(field) {
            identity.insert(name.to_owned(), text.into());
        }
    }
    let kind = fields.text("ct.user.identitytype");
    if let Some(user) = fields.text("ct.user").filter(|user| Some(*user) != kind) {
        match kind {
            Some("AWSService") => identity.insert("invokedBy".to_owned(), user.into()),
            Some("AssumedRole") => {
                let session = json!({"sessionIssuer": {"userName": user}});
                identity.insert("sessionContext".to_owned(), session)
            }
            _ => identity.insert("userName".to_owned(), user.into()),
        };
    }
    Value::Object(identity)
}

/// The request, or what is known of it, marked as left out in the way CloudTrail does.
fn request(fields: &Fields<'_>) -> Value {
    if let Some(request) = fields.json("ct.request") {
        return request;
    }
    let mut request = Map::new();
    for (field, name) in PARAMETERS {
        if let Some(text) = fields.text(field) {
            request.insert(name.to_owned(), text.into());
        }
    }
    request.insert("omitted".to_owned(), true.into());
    let reason = "the alert does not print %ct.request";
    request.insert("reason".to_owned(), reason.into());
    Value::Object(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(fields: &Value) -> Vec<u8> {
        let alert = json!({"hostname": "h", "output": "…", "priority": "Warning", "rule": "r",
            "source": "aws_cloudtrail", "time": "2026-01-15T10:35:10.500000000Z", "output_fields": fields});
        alert.to_string().into_bytes()
    }

    fn whole() -> Value {
        json!({"ct.id": "e-1", "ct.name": "ModifyInstanceAttribute", "ct.shortsrc": "ec2", "ct.region": "eu-west-1",
            "ct.error": "<NA>", "ct.user": "Admin", "ct.user.identitytype": "AssumedRole",
            "ct.user.arn": "arn:aws:sts::111111111111:assumed-role/Admin/ann", "ct.srcip": "192.0.2.1",
            "ct.useragent": "aws-cli/2", "ct.readonly": "false",
            "ct.request": "{\"instanceId\":\"i-1\",\"instanceType\":{\"value\":\"m5.large\"}}"})
    }

    #[test]
    fn an_alert_becomes_the_record_it_was_made_of() {
        let record = record(&alert(&whole())).unwrap().unwrap();
        let expected = json!({"eventID": "e-1", "eventName": "ModifyInstanceAttribute", "awsRegion": "eu-west-1",
            "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "readOnly": "false",
            "eventSource": "ec2.amazonaws.com", "eventTime": "2026-01-15T10:35:10Z", "recipientAccountId": "111111111111",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/Admin/ann",
                "sessionContext": {"sessionIssuer": {"userName": "Admin"}}},
            "requestParameters": {"instanceId": "i-1", "instanceType": {"value": "m5.large"}}});
        assert_eq!(record, expected);
    }

    #[test]
    fn a_request_that_is_not_printed_whole_is_one_that_was_left_out() {
        let mut fields = whole();
        fields["ct.request"] = "<NA>".into();
        fields["ct.request.functionname"] = "f".into();
        let record = record(&alert(&fields)).unwrap().unwrap();
        let request = &record["requestParameters"];
        assert_eq!(
            (&request["functionName"], &request["omitted"]),
            (&json!("f"), &json!(true))
        );
        assert!(crate_is_omitted(request));
    }

    /// As the catalogue tells: `omitted` beside a reason.
    fn crate_is_omitted(request: &Value) -> bool {
        request.get("omitted").is_some() && request.get("reason").is_some()
    }

    #[test]
    fn an_alert_that_tells_too_little_says_what_its_rule_should_print() {
        for (without, missing) in [
            ("ct.name", "%ct.name"),
            ("ct.shortsrc", "%ct.src"),
            ("ct.region", "%ct.region"),
            (
                "ct.user.arn",
                "%ct.recipientaccountid or %ct.user.accountid",
            ),
        ] {
            let mut fields = whole();
            fields.as_object_mut().unwrap().remove(without);
            assert_eq!(
                record(&alert(&fields)),
                Err(Flaw::Missing(missing)),
                "{without}"
            );
        }
        assert_eq!(record(b"{"), Err(Flaw::NoAlert));
        assert_eq!(record(b"[]"), Err(Flaw::NoAlert));
    }

    #[test]
    fn alerts_of_other_sources_are_passed_over() {
        for other in [
            r#"{"source":"syscall","output_fields":{"proc.name":"sh"}}"#,
            r#"{"output_fields":{"proc.name":"sh"}}"#,
            r#"{"source":"k8s_audit"}"#,
        ] {
            assert_eq!(record(other.as_bytes()), Ok(None), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,80}", time in "\\PC{0,30}") {
            let _ = record(line.as_bytes());
            let mut fields = whole();
            fields["ct.time"] = time.clone().into();
            fields["ct.user.arn"] = time.into();
            let _ = record(&alert(&fields));
        }
    }
}
