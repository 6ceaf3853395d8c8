//! One audited API call, cloud-neutral: what later rooms know of a log record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call that changed something, or tried to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Call {
    /// When it completed. Logs have whole seconds.
    #[serde(with = "instant")]
    pub time: Timestamp,
    /// The log's own id of the event, or a content hash where a record has none.
    pub id: String,
    /// Id shared by the copies that several accounts get of one call.
    pub shared_id: Option<String>,
    /// Id of the earlier event whose record this one corrects.
    pub corrects: Option<String>,
    /// The service, as the log names it: `ec2.amazonaws.com`.
    pub service: String,
    /// The operation, as the log names it: `UpdateFunctionConfiguration20150331v2`.
    pub name: String,
    /// The account whose resources the call is about.
    pub account: String,
    /// The region the call was made in.
    pub region: String,
    /// What was asked. `Null` when the log shows nothing.
    pub request: Value,
    /// What came back. `Null` when the log shows nothing.
    pub response: Value,
    /// What the log adds beside request and response (CloudTrail's `additionalEventData`).
    pub extra: Value,
    /// Version of the API called, where it tells one API from another of the same name.
    pub api_version: Option<String>,
    /// Full names (ARNs) of resources that the log says the call touched.
    pub resources: Vec<String>,
    /// Who called.
    pub caller: Caller,
    /// The code of the error it ended with; none when it succeeded.
    pub error: Option<String>,
}

/// The facts of a log about who called, as recorded, unjudged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Identity type: `IAMUser`, `AssumedRole`, `Root`, `AWSService`, ….
    pub kind: String,
    /// ARN of the principal.
    pub arn: Option<String>,
    /// Principal id; the part behind the colon is a role's session name.
    pub principal_id: Option<String>,
    /// Account of the principal.
    pub account: Option<String>,
    /// User name of an IAM user.
    pub user_name: Option<String>,
    /// Name of the role or user that issued the session.
    pub issuer_name: Option<String>,
    /// ARN of the role or user that issued the session.
    pub issuer_arn: Option<String>,
    /// The person that was named when the role was assumed.
    pub source_identity: Option<String>,
    /// The AWS service that called on someone's behalf.
    pub invoked_by: Option<String>,
    /// Whether the session had a second factor.
    pub mfa: Option<bool>,
    /// Whether the log says the session came from the web console.
    pub from_console: bool,
    /// Source address, or the name of the AWS service that called.
    pub source_ip: Option<String>,
    /// The agent string.
    pub user_agent: Option<String>,
}

/// Instants as RFC 3339, wherever a call is written down.
pub mod instant {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes an instant.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    /// Reads an instant.
    ///
    /// # Errors
    /// When it is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }

    /// The same for an instant that may be missing.
    pub mod maybe {
        use jiff::Timestamp;
        use serde::de::Error as _;
        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes an instant or null.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => to.collect_str(time),
                None => to.serialize_none(),
            }
        }

        /// Reads an instant or null.
        ///
        /// # Errors
        /// When it is neither.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            text.map(|text| text.parse().map_err(D::Error::custom))
                .transpose()
        }
    }
}
