//! The program as users run it, in a folder and an environment of its own.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::s3::{CREDENTIALS, Store};

/// An instance and the call that changed its type.
pub const TRAIL: &str = r#"{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","userName":"ann","arn":"arn:aws:iam::111111111111:user/ann","accountId":"111111111111"},"eventTime":"2026-01-15T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"ModifyInstanceAttribute","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-cli/2","requestParameters":{"instanceId":"i-0123456789abcdef0","instanceType":{"value":"m5.large"}},"responseElements":{"_return":true},"eventID":"e-1","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111111111111","eventCategory":"Management"}]}"#;

/// A state of one instance, of this type.
pub fn state(instance_type: &str) -> String {
    json!({"version": 4, "terraform_version": "1.9.5", "serial": 7, "lineage": "l", "outputs": {},
        "resources": [{"mode": "managed", "type": "aws_instance", "name": "web",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"schema_version": 1, "attributes": {
                "id": "i-0123456789abcdef0", "instance_type": instance_type,
                "arn": "arn:aws:ec2:eu-west-1:111111111111:instance/i-0123456789abcdef0"},
                "sensitive_attributes": []}]}]})
    .to_string()
}

/// The program in a folder and an empty environment, where it does not look for the machine's role.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tfdrift"));
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// The program in an empty environment, in a folder of its own with a log file `trail.json`.
pub struct Run {
    pub folder: TempDir,
    pub environment: Vec<(String, String)>,
}

impl Run {
    /// In an empty folder.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("trail.json"), TRAIL).unwrap();
        Self {
            folder,
            environment: Vec::new(),
        }
    }

    /// The same, with a variable of the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, with the store as its AWS.
    pub fn at(self, store: &Store) -> Self {
        self.with("AWS_ENDPOINT_URL_S3", &store.endpoint())
            .with("AWS_ACCESS_KEY_ID", CREDENTIALS.0)
            .with("AWS_SECRET_ACCESS_KEY", CREDENTIALS.1)
            .with("AWS_REGION", "us-east-1")
    }

    /// Writes a file in the folder.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs the program.
    pub fn run(&self, words: &[&str]) -> Output {
        program(self.folder.path())
            .args(words)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap()
    }

    /// A scan of the morning of the log file: its exit code, its JSON and what it said beside.
    pub fn scan(&self, words: &[&str]) -> (i32, Value, String) {
        let mut all = vec!["scan", "-o", "json"];
        all.extend(words);
        for (flag, value) in [
            ("--since", "2026-01-15T09:00:00Z"),
            ("--until", "2026-01-15T11:00:00Z"),
            ("--trail", "trail.json"),
        ] {
            if !words.contains(&flag) {
                all.extend([flag, value]);
            }
        }
        let output = self.run(&all);
        let said = String::from_utf8(output.stderr).unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report, said)
    }
}

/// A value before a drift, by the path of its attribute.
pub fn before<'r>(report: &'r Value, path: &str) -> Option<&'r Value> {
    let attributes = report["drifts"].as_array()?.iter().flat_map(|drift| {
        let attributes = drift["attributes"].as_array();
        attributes.into_iter().flatten()
    });
    attributes
        .filter(|attribute| attribute["path"] == path)
        .map(|attribute| &attribute["before"])
        .next()
}
