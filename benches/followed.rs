//! What a scan costs when every call is followed: `cargo bench --bench followed -- [CALLS] [RESOURCES]`.
//!
//! Makes a state of so many instances and an archive in which each record is a change of one of
//! them (`cargo build --release` first), scans it and prints time and peak memory. The files lie in
//! a temporary folder, which is removed again; ten million calls take 1 GB there.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures to a person"
)]

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use flate2::{Compression, write::GzEncoder};

#[path = "whole/mod.rs"]
#[allow(dead_code)]
mod whole;

/// Calls in one log file.
const FILE: usize = 20_000;

fn main() -> io::Result<()> {
    let mut numbers = env::args().filter_map(|word| word.parse().ok());
    let calls: usize = numbers.next().unwrap_or(1_000_000);
    let resources: usize = numbers.next().unwrap_or(1_000);
    let folder = tempfile::tempdir()?;
    let states = folder.path().join("states");
    let trail = folder.path().join("trail");
    fs::create_dir(&states)?;
    fs::create_dir(&trail)?;
    state(&states.join("a.tfstate"), resources)?;
    let files = calls.div_ceil(FILE);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|thread| {
                let trail = &trail;
                scope.spawn(move || {
                    (thread..files)
                        .step_by(2)
                        .try_for_each(|number| log(trail, number, calls, resources))
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread stopped")))
        })
    })?;
    let mut command =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/tfdrift"));
    command
        .args([
            "scan", "--quiet", "--since", "all", "--output", "json", "--state",
        ])
        .arg(&states)
        .arg("--trail")
        .arg(&trail);
    let name = format!("{calls} calls on {resources} resources");
    if let Some(run) = whole::measured(command, name) {
        println!(
            "{}: {:.1} s, peak memory {:.0} MB",
            run.name,
            run.time.as_secs_f64(),
            run.peak.unwrap_or_default() as f64 / 1e6
        );
    }
    Ok(())
}

/// A state of so many instances.
fn state(path: &Path, resources: usize) -> io::Result<()> {
    let mut text = String::from(
        r#"{"version":4,"serial":1,"lineage":"x","resources":[{"mode":"managed","type":"aws_instance","name":"x","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":["#,
    );
    for number in 0..resources {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"index_key":{number},"attributes":{{"id":"i-{number:017x}","arn":"arn:aws:ec2:eu-central-1:111122223333:instance/i-{number:017x}","disable_api_termination":true,"instance_type":"t3.micro"}}}}"#
        );
    }
    text.push_str("]}]}");
    fs::write(path, text)
}

/// One log file: calls that turn an attribute off and on again.
fn log(trail: &Path, file: usize, calls: usize, resources: usize) -> io::Result<()> {
    let mut text = String::from(r#"{"Records":["#);
    let first = file * FILE;
    for number in first..calls.min(first + FILE) {
        let comma = if number == first { "" } else { "," };
        // As logs have it, not in order within a file.
        let time = first + (number * 7_919) % FILE;
        let (day, hour, minute, second) = (
            time / 864_000 % 28 + 1,
            time / 36_000 % 24,
            time / 600 % 60,
            time / 10 % 60,
        );
        let (resource, value) = (number % resources, (number / resources).is_multiple_of(2));
        let id = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let _ = write!(
            text,
            r#"{comma}{{"eventVersion":"1.09","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:alice","arn":"arn:aws:sts::111122223333:assumed-role/operations/alice{}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/operations","accountId":"111122223333","userName":"operations"}},"attributes":{{"creationDate":"2026-01-15T09:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z","eventSource":"ec2.amazonaws.com","eventName":"ModifyInstanceAttribute","awsRegion":"eu-central-1","sourceIPAddress":"10.0.{}.{}","userAgent":"aws-cli/2.17.0","requestParameters":{{"instanceId":"i-{resource:017x}","disableApiTermination":{{"value":{value}}}}},"responseElements":{{"requestId":"{id:016x}","_return":true}},"requestID":"{id:016x}","eventID":"{id:016x}-0000-4000-8000-{number:012}","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#,
            number % 50,
            number % 7,
            number % 250
        );
    }
    text.push_str("]}");
    let path = trail.join(format!(
        "111122223333_CloudTrail_eu-central-1_20260115T{:04}Z_{file:08}.json.gz",
        file % 2400
    ));
    let mut out = GzEncoder::new(fs::File::create(path)?, Compression::fast());
    out.write_all(text.as_bytes())?;
    out.finish()?;
    Ok(())
}
