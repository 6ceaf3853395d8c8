//! What several tests share.
#![allow(dead_code, reason = "no test uses all of it")]

pub mod digest;
pub mod http;
pub mod instances;
pub mod run;
pub mod s3;

/// A log file, not compressed, with one record of each of these times.
pub fn records(times: &[&str]) -> String {
    let records: Vec<String> = times.iter().map(|time| record(time)).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// A record of a call that changes something; its id is its time.
pub fn record(time: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","userName":"ann"}},"eventTime":"{time}","eventSource":"ec2.amazonaws.com","eventName":"ModifyInstanceAttribute","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli","requestParameters":{{"instanceId":"i-1"}},"responseElements":null,"eventID":"{time}","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111111111111","eventCategory":"Management"}}"#
    )
}

/// As gzip.
pub fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}
