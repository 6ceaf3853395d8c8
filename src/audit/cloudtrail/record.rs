//! Parses one record into a call.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::lenient::{Flag, List, Text, lenient, repaired};
use crate::audit::call::{Call, Caller};

lenient! {
    /// The fields of a record that a call is made of.
    pub(crate) struct Record<'de> {
        service: Text<'de> = "eventSource",
        name: Text<'de> = "eventName",
        region: Text<'de> = "awsRegion",
        account: Text<'de> = "recipientAccountId",
        id: Text<'de> = "eventID",
        shared_id: Text<'de> = "sharedEventID",
        source_ip: Text<'de> = "sourceIPAddress",
        user_agent: Text<'de> = "userAgent",
        from_console: Flag = "sessionCredentialFromConsole",
        identity: Identity<'de> = "userIdentity",
        request: Value = "requestParameters",
        response: Value = "responseElements",
        extra: Value = "additionalEventData",
        api_version: Text<'de> = "apiVersion",
        resources: List<Resource<'de>> = "resources",
        error_code: Text<'de> = "errorCode",
        error_message: Text<'de> = "errorMessage",
        addendum: Addendum<'de> = "addendum",
    }
}

lenient! {
    /// Who called.
    pub(crate) struct Identity<'de> {
        kind: Text<'de> = "type",
        arn: Text<'de> = "arn",
        principal_id: Text<'de> = "principalId",
        account: Text<'de> = "accountId",
        user_name: Text<'de> = "userName",
        invoked_by: Text<'de> = "invokedBy",
        session: Session<'de> = "sessionContext",
    }
}

impl<'de> Identity<'de> {
    /// The caller's account.
    pub(crate) fn account(self) -> Option<Cow<'de, str>> {
        self.account.0
    }
}

lenient! {
    /// The session of temporary credentials.
    pub(crate) struct Session<'de> {
        issuer: Issuer<'de> = "sessionIssuer",
        attributes: Attributes<'de> = "attributes",
        source_identity: Text<'de> = "sourceIdentity",
    }
}

lenient! {
    /// The role or user that a session was made from.
    pub(crate) struct Issuer<'de> {
        user_name: Text<'de> = "userName",
        arn: Text<'de> = "arn",
    }
}

lenient! {
    /// What is known of how a session began.
    pub(crate) struct Attributes<'de> {
        mfa: Flag = "mfaAuthenticated",
        source_identity: Text<'de> = "sourceIdentity",
    }
}

lenient! {
    /// A resource that the log says a call touched.
    pub(crate) struct Resource<'de> {
        arn: Text<'de> = "ARN" | "arn",
    }
}

lenient! {
    /// Says that a record corrects an earlier one.
    pub(crate) struct Addendum<'de> {
        original: Text<'de> = "originalEventID",
    }
}

/// Parses a record whose time is known.
///
/// # Errors
///
/// When it is no JSON, nor can be made so by replacing single characters.
pub(crate) fn call(json: &[u8], time: Timestamp) -> Result<Call, serde_json::Error> {
    let parsed = match std::str::from_utf8(json) {
        Ok(text) => parse(text, time),
        Err(_) => parse(&String::from_utf8_lossy(json), time),
    };
    parsed.or_else(|error| parse(&repaired(json), time).map_err(|_| error))
}

fn parse(text: &str, time: Timestamp) -> Result<Call, serde_json::Error> {
    let record: Record = serde_json::from_str(text)?;
    let id = match record.id.owned() {
        Some(id) => id,
        None => content_id(&serde_json::from_str(text)?),
    };
    let identity = record.identity;
    let account = identity.account.owned();
    let session = identity.session;
    Ok(Call {
        time,
        id,
        shared_id: record.shared_id.owned(),
        corrects: record.addendum.original.owned(),
        service: record.service.owned().unwrap_or_default(),
        name: record.name.owned().unwrap_or_default(),
        // Records before version 1.02 name the caller's account alone.
        account: record
            .account
            .owned()
            .or_else(|| account.clone())
            .unwrap_or_default(),
        region: record.region.owned().unwrap_or_default(),
        request: record.request,
        response: record.response,
        extra: record.extra,
        api_version: record.api_version.owned(),
        resources: record
            .resources
            .0
            .into_iter()
            .filter_map(|resource| resource.arn.owned())
            .collect(),
        caller: Caller {
            kind: identity.kind.owned().unwrap_or_default(),
            arn: identity.arn.owned(),
            principal_id: identity.principal_id.owned(),
            account,
            user_name: identity.user_name.owned(),
            issuer_name: session.issuer.user_name.owned(),
            issuer_arn: session.issuer.arn.owned(),
            source_identity: session
                .source_identity
                .owned()
                .or_else(|| session.attributes.source_identity.owned()),
            invoked_by: identity.invoked_by.owned(),
            mfa: session.attributes.mfa.0,
            from_console: record.from_console.0 == Some(true),
            source_ip: record.source_ip.owned(),
            user_agent: record.user_agent.owned(),
        },
        error: record
            .error_code
            .owned()
            .or_else(|| record.error_message.owned()),
    })
}

/// An id made of what a record says, whatever its spelling: records of 2014 have no other.
fn content_id(record: &Value) -> String {
    let mut hash = Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    hash.value(record);
    format!("content-{:032x}", hash.0)
}

/// FNV-1a of 128 bits, which is the same in every build.
struct Hash(u128);

impl Hash {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte))
                .wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    /// Takes in a value with its kind and length, so that no two values read the same.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.bytes(b"n"),
            Value::Bool(flag) => self.bytes(if *flag { b"t" } else { b"f" }),
            Value::Number(number) => self.text(b"#", &number.to_string()),
            Value::String(text) => self.text(b"\"", text),
            Value::Array(list) => {
                self.text(b"[", &list.len().to_string());
                for element in list {
                    self.value(element);
                }
            }
            Value::Object(members) => {
                self.text(b"{", &members.len().to_string());
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                for (key, value) in members {
                    self.text(b"\"", key);
                    self.value(value);
                }
            }
        }
    }

    fn text(&mut self, kind: &[u8], text: &str) {
        self.bytes(kind);
        self.bytes(&text.len().to_le_bytes());
        self.bytes(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::call;
    use crate::audit::call::{Call, Caller};
    use jiff::Timestamp;
    use serde_json::{Value, json};

    fn parsed(record: &str) -> Call {
        call(record.as_bytes(), Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn every_fact_of_a_record_finds_its_place() {
        let record = json!({
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROAEXAMPLE:alice", "arn": "arn:aws:sts::1:assumed-role/Admin/alice",
                "accountId": "1", "accessKeyId": "ASIAEXAMPLE", "userName": "u", "invokedBy": "autoscaling.amazonaws.com",
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::1:role/Admin", "accountId": "1", "userName": "Admin"},
                    "attributes": {"creationDate": "2026-01-15T10:00:00Z", "mfaAuthenticated": "true"},
                    "sourceIdentity": "alice@example.com",
                },
            },
            "eventTime": "2026-01-15T10:35:10Z", "eventSource": "lambda.amazonaws.com",
            "eventName": "UpdateFunctionConfiguration20150331v2", "awsRegion": "eu-central-1",
            "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2", "errorCode": "Client.X", "errorMessage": "no",
            "requestParameters": {"functionName": "f"}, "responseElements": {"a": [1]}, "additionalEventData": {"service": "x"},
            "requestID": "r", "eventID": "e", "sharedEventID": "s", "readOnly": false, "apiVersion": "2015_03_31",
            "resources": [{"ARN": "arn:aws:lambda:::f", "type": "x"}, {"ARNPrefix": "y"}, {"arn": "arn:aws:s3:::b"}],
            "eventType": "AwsApiCall", "recipientAccountId": "2", "sessionCredentialFromConsole": "true",
            "addendum": {"reason": "UPDATED_DATA", "originalEventID": "o"},
        });
        let call = parsed(&record.to_string());
        insta::assert_debug_snapshot!(call);
    }

    #[test]
    fn a_record_of_other_types_than_expected_is_still_a_call() {
        let call = parsed(
            r#"{"eventID":"e","userIdentity":"root","resources":{"ARN":"x"},"userAgent":null,"awsRegion":7,"addendum":[],"requestParameters":"****"}"#,
        );
        assert_eq!(call.caller, Caller::default());
        assert_eq!((call.request, call.response), (json!("****"), Value::Null));
        assert!(call.resources.is_empty() && call.region.is_empty());
    }

    #[test]
    fn old_records_get_the_callers_account_and_an_id_of_their_content() {
        let one = parsed(
            r#"{"eventName":"RunInstances","userIdentity":{"accountId":"1"},"requestParameters":{"a":1,"b":2}}"#,
        );
        let same = parsed(
            r#"{ "requestParameters":{"b":2,"a":1},"userIdentity":{"accountId":"\u0031"}, "eventName":"RunInstances"}"#,
        );
        let other = parsed(
            r#"{"eventName":"RunInstances","userIdentity":{"accountId":"1"},"requestParameters":{"a":1,"b":"2"}}"#,
        );
        assert_eq!(one.account, "1");
        assert_eq!(one.id, same.id);
        assert_ne!(one.id, other.id);
        assert!(one.id.starts_with("content-"));
    }

    #[test]
    fn a_call_is_not_hidden_by_text_that_is_not_unicode() {
        assert_eq!(
            parsed(r#"{"eventID":"e","userAgent":"a\ud83d"}"#)
                .caller
                .user_agent
                .as_deref(),
            Some("a\u{fffd}")
        );
        let call = call(
            b"{\"eventID\":\"e\",\"userAgent\":\"a\xff\"}",
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(call.caller.user_agent.as_deref(), Some("a\u{fffd}"));
    }

    #[test]
    fn an_error_without_code_is_still_an_error() {
        assert_eq!(
            parsed(r#"{"errorMessage":"no"}"#).error.as_deref(),
            Some("no")
        );
        assert_eq!(
            parsed(r#"{"errorMessage":"no","errorCode":"X"}"#)
                .error
                .as_deref(),
            Some("X")
        );
        assert_eq!(parsed(r#"{"errorCode":null}"#).error, None);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for record in [r#"{"a":}"#, "{", r#"{"a":1e999}"#] {
            assert!(
                call(record.as_bytes(), Timestamp::UNIX_EPOCH).is_err(),
                "{record}"
            );
        }
    }
}
