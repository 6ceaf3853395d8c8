//! Instances, by number: a state that holds some, and log files of calls that change them.

use serde_json::{Value, json};

use super::gzip;

/// The account that they are in.
pub const ACCOUNT: &str = "111111111111";

/// The id of an instance.
pub fn instance(number: usize) -> String {
    format!("i-{number:017}")
}

/// A state of so many instances, each of `t3.micro`, with its termination protection on.
pub fn state(instances: usize) -> String {
    let resources: Vec<Value> = (0..instances)
        .map(|number| {
            json!({
                "mode": "managed", "type": "aws_instance", "name": format!("i{number}"),
                "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
                "instances": [{"schema_version": 1, "attributes": {
                    "id": instance(number),
                    "arn": format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{}", instance(number)),
                    "instance_type": "t3.micro",
                    "disable_api_termination": true,
                }}],
            })
        })
        .collect();
    json!({"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "l", "outputs": {},
        "resources": resources})
    .to_string()
}

/// A call at a time of the day that gives an instance another value.
pub fn record(id: &str, clock: &str, number: usize, parameter: &str, value: &Value) -> Value {
    json!({
        "eventVersion": "1.08", "eventID": id, "eventTime": format!("2026-01-15T{clock}Z"),
        "userIdentity": {"type": "IAMUser", "userName": "ann", "accountId": ACCOUNT},
        "eventSource": "ec2.amazonaws.com", "eventName": "ModifyInstanceAttribute",
        "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2",
        "requestParameters": {"instanceId": instance(number), parameter: {"value": value}},
        "responseElements": {"_return": true}, "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
    })
}

/// A call that makes an instance an `m5.large`.
pub fn resized(id: &str, clock: &str, number: usize) -> Value {
    record(id, clock, number, "instanceType", &json!("m5.large"))
}

/// A log file, not compressed.
pub fn log(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// A log file as it is delivered.
pub fn packed(records: &[Value]) -> Vec<u8> {
    gzip(&log(records))
}
