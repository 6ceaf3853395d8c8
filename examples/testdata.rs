//! Makes `testdata/organisation`: three accounts, two regions, two states, a day of log files with
//! noise and a handful of changes behind Terraform's back. The same bytes in every run.
//!
//! ```text
//! cargo run --example testdata [FOLDER]
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

const PROD: &str = "111122223333";
const DATA: &str = "222233334444";
const SANDBOX: &str = "333344445555";
const ACCOUNTS: [&str; 3] = [PROD, DATA, SANDBOX];
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const ORGANISATION: &str = "o-exampleorg1";
const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) \
    terraform-provider-aws/6.2.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.36.3 \
    os/linux lang/go#1.24.1";

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("testdata/organisation"), PathBuf::from);
    let folder = folder.as_path();
    states(folder)?;
    let mut records: Vec<Record> = noise().chain(story()).collect();
    records.sort_by_key(Record::file);
    for group in records.chunk_by(|one, other| one.file() == other.file()) {
        let path = folder.join("trail").join(group[0].file());
        let list: Vec<&Value> = group.iter().map(|record| &record.body).collect();
        write_gzip(&path, &json!({ "Records": list }))?;
    }
    Ok(())
}

/// One record and where it lies.
struct Record {
    account: &'static str,
    region: &'static str,
    /// Minute of the day.
    minute: u32,
    body: Value,
}

impl Record {
    fn file(&self) -> String {
        let (account, region) = (self.account, self.region);
        // A file holds what completed up to five minutes before its name; here an hour, to keep files few.
        let hour = self.minute / 60 + 1;
        let (day, hour) = (15 + hour / 24, hour % 24);
        let unique = format!(
            "{:016X}",
            mix(
                u64::from(day * 100 + hour),
                account.len() as u64 + u64::from(account.as_bytes()[0])
            )
        );
        format!(
            "AWSLogs/{ORGANISATION}/{account}/CloudTrail/{region}/2026/01/{day}/\
             {account}_CloudTrail_{region}_202601{day}T{hour:02}00Z_{unique}.json.gz"
        )
    }
}

/// A small generator of numbers that look random: splitmix64.
fn mix(seed: u64, salt: u64) -> u64 {
    let mut number = seed.wrapping_add(salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// Who makes a call, and by what means.
#[derive(Clone, Copy)]
enum Who {
    User(&'static str),
    Sso(&'static str, &'static str),
    Role(&'static str, &'static str),
    Service(&'static str),
    Root,
}

fn identity(who: Who, account: &str) -> Value {
    let session = |role: &str, path: &str, name: &str| {
        json!({"type": "AssumedRole", "principalId": format!("AROAEXAMPLE00000001:{name}"),
            "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"), "accountId": account,
            "accessKeyId": "ASIAEXAMPLE00000001",
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE00000001",
                "arn": format!("arn:aws:iam::{account}:role/{path}{role}"), "accountId": account, "userName": role},
                "attributes": {"creationDate": "2026-01-15T06:00:00Z", "mfaAuthenticated": "false"}}})
    };
    match who {
        Who::User(name) => json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE00000001",
            "arn": format!("arn:aws:iam::{account}:user/{name}"), "accountId": account,
            "accessKeyId": "AKIAEXAMPLE00000001", "userName": name}),
        Who::Sso(set, name) => session(
            &format!("AWSReservedSSO_{set}_0123456789abcdef"),
            "aws-reserved/sso.amazonaws.com/",
            name,
        ),
        Who::Role(role, name) => session(role, "", name),
        Who::Service(service) => json!({"type": "AWSService", "invokedBy": service}),
        Who::Root => {
            json!({"type": "Root", "principalId": account, "arn": format!("arn:aws:iam::{account}:root"),
            "accountId": account, "accessKeyId": ""})
        }
    }
}

/// A call before it is a record.
struct Call {
    account: &'static str,
    region: &'static str,
    at: &'static str,
    who: Who,
    agent: &'static str,
    service: &'static str,
    name: &'static str,
    request: Value,
    response: Value,
    error: Option<&'static str>,
}

const CONSOLE: &str = "AWS Internal";
const CLI: &str = "aws-cli/2.17.5 md/awscrt#0.20.11 os/macos#23.5.0 lang/python#3.11.9";
const BOTO: &str = "Boto3/1.34.131 md/Botocore#1.34.131 os/linux lang/python#3.12.3";

fn record(number: u64, call: Call, seconds: u32) -> Record {
    let minute = seconds / 60;
    let time = format!(
        "2026-01-15T{:02}:{:02}:{:02}Z",
        minute / 60,
        minute % 60,
        seconds % 60
    );
    let id = |salt| {
        let (high, low) = (mix(number, salt), mix(number, salt + 1));
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFFF_FFFF_FFFF
        )
    };
    let read_only = ["Get", "List", "Describe", "Head", "Assume", "Lookup"]
        .iter()
        .any(|verb| call.name.starts_with(verb));
    let mut body = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(call.who, call.account),
        "eventTime": time,
        "eventSource": format!("{}.amazonaws.com", call.service),
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": if call.agent.ends_with(".amazonaws.com") { call.agent } else { "203.0.113.7" },
        "userAgent": call.agent,
        "requestParameters": call.request,
        "responseElements": call.response,
        "requestID": id(3),
        "eventID": id(7),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    });
    if let Some(code) = call.error {
        body["errorCode"] = json!(code);
        body["errorMessage"] = json!("the call was refused");
    }
    if call.agent == CONSOLE {
        body["sessionCredentialFromConsole"] = json!("true");
    }
    Record {
        account: call.account,
        region: call.region,
        minute,
        body,
    }
}

/// What goes on all day and drifts nothing.
fn noise() -> impl Iterator<Item = Record> {
    (0..2_600_u64).map(|number| {
        let pick = mix(number, 1);
        let account = ACCOUNTS[usize::try_from(pick % 3).unwrap_or_default()];
        let region = REGIONS[usize::try_from(pick / 3 % 2).unwrap_or_default()];
        let seconds = u32::try_from(mix(number, 2) % 86_400).unwrap_or_default();
        let read = |service, name, request| Call {
            account, region, at: "", who: Who::Role("TerraformApply", "run-8842"), agent: TERRAFORM, service, name, request,
            response: Value::Null, error: None,
        };
        let call = match pick / 6 % 10 {
            0 => read("ec2", "DescribeInstances", json!({"instancesSet": {}, "filterSet": {}})),
            1 => read("s3", "GetBucketVersioning", json!({"bucketName": "acme-data-lake", "versioning": ""})),
            2 => read("iam", "GetRole", json!({"roleName": "app"})),
            3 => Call { who: Who::Service("ec2.amazonaws.com"), agent: "ec2.amazonaws.com",
                ..read("sts", "AssumeRole", json!({"roleArn": format!("arn:aws:iam::{account}:role/app"), "roleSessionName": "i-0a1b2c3d4e5f60718"})) },
            4 => Call { who: Who::Role("app", "i-0a1b2c3d4e5f60718"), agent: BOTO,
                ..read("secretsmanager", "GetSecretValue", json!({"secretId": "prod/db"})) },
            5 => Call { who: Who::Role("app", "i-0a1b2c3d4e5f60718"), agent: BOTO,
                ..read("logs", "CreateLogStream", json!({"logGroupName": "/app/web", "logStreamName": format!("web/{number}")})) },
            6 => Call { who: Who::User("auditor"), agent: CLI, ..read("rds", "DescribeDBInstances", json!({})) },
            7 => Call { who: Who::Role("AWSServiceRoleForECS", "ecs-service-scheduler"), agent: "ecs.amazonaws.com",
                ..read("elasticloadbalancing", "RegisterTargets", json!({"targetGroupArn": format!("arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/web/0011223344556677"),
                    "targets": [{"id": format!("10.0.2.{}", number % 250), "port": 8080}]})) },
            8 => Call { who: Who::Sso("Developer", "kim@example.com"), agent: CONSOLE, ..read("cloudwatch", "DescribeAlarms", json!({})) },
            _ => Call { who: Who::User("intern"), agent: CLI, error: Some("AccessDenied"),
                ..read("iam", "AttachRolePolicy", json!({"roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})) },
        };
        record(number, call, seconds)
    })
}

/// What people did behind Terraform's back, and what Terraform did about it.
fn story() -> impl Iterator<Item = Record> {
    let prod = |at, who, agent, service, name, request, response| Call {
        account: PROD,
        region: "us-east-1",
        at,
        who,
        agent,
        service,
        name,
        request,
        response,
        error: None,
    };
    let data = |at, who, agent, service, name, request| Call {
        account: DATA,
        region: "eu-west-1",
        at,
        who,
        agent,
        service,
        name,
        request,
        response: Value::Null,
        error: None,
    };
    let admin = Who::User("admin-user@example.com");
    let lena = Who::Sso("StorageAdmin", "lena@example.com");
    let apply = Who::Role("TerraformApply", "run-8842");
    let open = json!({"groupId": "sg-0f03f2135df0fe57f", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}});
    let calls = vec![
        prod(
            "08:05:00",
            apply,
            TERRAFORM,
            "ec2",
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-031b54593dd6d217c", "instanceType": {"value": "m6i.large"}}),
            json!({"_return": true}),
        ),
        prod(
            "10:35:10",
            admin,
            CONSOLE,
            "ec2",
            "ModifyInstanceAttribute",
            json!({"instanceId": "i-0dbee9e312b24c5fb", "disableApiTermination": {"value": false}}),
            json!({"_return": true}),
        ),
        prod(
            "10:36:40",
            admin,
            CONSOLE,
            "ec2",
            "AuthorizeSecurityGroupIngress",
            open,
            json!({"_return": true, "securityGroupRuleSet": {"items": [{"groupId": "sg-0f03f2135df0fe57f", "securityGroupRuleId": "sgr-0b63694ea3996bec2",
                "isEgress": false, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0"}]}}),
        ),
        prod(
            "11:20:00",
            Who::Sso("PowerUser", "bob@example.com"),
            CLI,
            "lambda",
            "UpdateFunctionConfiguration20150331v2",
            json!({"functionName": "image-resize", "memorySize": 3008, "environment": {}}),
            Value::Null,
        ),
        prod(
            "12:00:00",
            Who::User("contractor"),
            CLI,
            "iam",
            "AttachRolePolicy",
            json!({"roleName": "app", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
            Value::Null,
        ),
        prod(
            "13:10:00",
            admin,
            CONSOLE,
            "logs",
            "PutRetentionPolicy",
            json!({"logGroupName": "/app/web", "retentionInDays": 1}),
            Value::Null,
        ),
        prod(
            "13:40:00",
            apply,
            TERRAFORM,
            "logs",
            "PutRetentionPolicy",
            json!({"logGroupName": "/app/web", "retentionInDays": 90}),
            Value::Null,
        ),
        Call {
            error: Some("Client.OperationNotPermitted"),
            ..prod(
                "14:00:00",
                Who::User("contractor"),
                CLI,
                "ec2",
                "TerminateInstances",
                json!({"instancesSet": {"items": [{"instanceId": "i-031b54593dd6d217c"}]}}),
                Value::Null,
            )
        },
        Call {
            response: Value::Null,
            ..prod(
                "22:41:18",
                Who::Root,
                CONSOLE,
                "cloudtrail",
                "StopLogging",
                json!({"name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/organisation"}),
                Value::Null,
            )
        },
        data(
            "09:12:00",
            lena,
            CONSOLE,
            "s3",
            "DeleteBucketEncryption",
            json!({"bucketName": "acme-data-lake", "Host": "acme-data-lake.s3.eu-west-1.amazonaws.com", "encryption": ""}),
        ),
        data(
            "09:14:30",
            lena,
            CONSOLE,
            "rds",
            "ModifyDBInstance",
            json!({"dBInstanceIdentifier": "orders", "applyImmediately": true, "deletionProtection": false, "backupRetentionPeriod": 1}),
        ),
        data(
            "15:00:00",
            Who::User("dba"),
            CLI,
            "rds",
            "AddTagsToResource",
            json!({"resourceName": "arn:aws:rds:eu-west-1:222233334444:db:orders", "tags": [{"key": "Owner", "value": "dba"}]}),
        ),
        data(
            "16:00:00",
            Who::User("dba"),
            CLI,
            "dynamodb",
            "DeleteTable",
            json!({"tableName": "sessions"}),
        ),
    ];
    calls.into_iter().enumerate().map(|(number, call)| {
        let seconds = call.at.split(':').fold(0, |sum, part| {
            sum * 60 + part.parse::<u32>().unwrap_or_default()
        });
        record(1_000_000 + number as u64, call, seconds)
    })
}

fn states(folder: &Path) -> std::io::Result<()> {
    let tags = |name: &str| json!({"Name": name, "Owner": "platform"});
    let resource = |module: Option<&str>, kind: &str, name: &str, instances: Vec<Value>| {
        let mut out = json!({"mode": "managed", "type": kind, "name": name,
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": instances});
        if let Some(module) = module {
            out["module"] = json!(module);
        }
        out
    };
    let one = |attributes: Value| {
        vec![json!({"schema_version": 0, "attributes": attributes, "sensitive_attributes": []})]
    };
    let instance = |index: u32, id: &str| {
        json!({"index_key": index, "schema_version": 1, "sensitive_attributes": [], "attributes": {
            "ami": "ami-0a4ae7c5ba6723d77", "arn": format!("arn:aws:ec2:us-east-1:{PROD}:instance/{id}"), "disable_api_termination": true,
            "ebs_optimized": true, "id": id, "instance_type": "t3.small", "monitoring": false,
            "tags": tags(&format!("web-{index}")), "tags_all": tags(&format!("web-{index}")),
            "vpc_security_group_ids": ["sg-0f03f2135df0fe57f"]}})
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ec2.amazonaws.com"}}]});
    let platform = vec![
        resource(
            Some("module.web"),
            "aws_instance",
            "app",
            vec![
                instance(0, "i-0dbee9e312b24c5fb"),
                instance(1, "i-031b54593dd6d217c"),
            ],
        ),
        resource(
            None,
            "aws_security_group",
            "app",
            one(
                json!({"arn": format!("arn:aws:ec2:us-east-1:{PROD}:security-group/sg-0f03f2135df0fe57f"),
            "description": "app nodes", "id": "sg-0f03f2135df0fe57f", "name": "app", "vpc_id": "vpc-0792f9afd61f35a82", "tags": tags("app"), "tags_all": tags("app"),
            "egress": [], "ingress": [{"cidr_blocks": ["10.0.0.0/16"], "description": "from the load balancer", "from_port": 8080, "to_port": 8080,
                "protocol": "tcp", "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": false}]}),
            ),
        ),
        resource(
            None,
            "aws_iam_role",
            "app",
            one(
                json!({"arn": format!("arn:aws:iam::{PROD}:role/app"), "id": "app", "name": "app",
            "assume_role_policy": policy.to_string(), "max_session_duration": 3600, "path": "/", "tags": {}, "tags_all": {}}),
            ),
        ),
        resource(
            None,
            "aws_lambda_function",
            "resize",
            one(
                json!({"arn": format!("arn:aws:lambda:us-east-1:{PROD}:function:image-resize"),
            "function_name": "image-resize", "id": "image-resize", "memory_size": 512, "timeout": 30, "handler": "app.handler", "runtime": "python3.12",
            "tags": {}, "tags_all": {}}),
            ),
        ),
        resource(
            None,
            "aws_cloudwatch_log_group",
            "web",
            one(
                json!({"arn": format!("arn:aws:logs:us-east-1:{PROD}:log-group:/app/web"),
            "id": "/app/web", "name": "/app/web", "retention_in_days": 90, "tags": {}, "tags_all": {}}),
            ),
        ),
        resource(
            None,
            "aws_cloudtrail",
            "organisation",
            one(
                json!({"arn": format!("arn:aws:cloudtrail:us-east-1:{PROD}:trail/organisation"),
            "id": format!("arn:aws:cloudtrail:us-east-1:{PROD}:trail/organisation"), "name": "organisation", "enable_logging": true,
            "enable_log_file_validation": true, "is_multi_region_trail": true, "s3_bucket_name": "acme-trail", "tags": {}, "tags_all": {}}),
            ),
        ),
    ];
    let lake = vec![
        resource(
            None,
            "aws_s3_bucket",
            "lake",
            one(
                json!({"arn": "arn:aws:s3:::acme-data-lake", "bucket": "acme-data-lake", "id": "acme-data-lake",
            "region": "eu-west-1", "tags": tags("lake"), "tags_all": tags("lake")}),
            ),
        ),
        resource(
            None,
            "aws_s3_bucket_server_side_encryption_configuration",
            "lake",
            one(json!({"bucket": "acme-data-lake", "id": "acme-data-lake",
            "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": ""}], "bucket_key_enabled": true}]})),
        ),
        resource(
            Some("module.db[\"orders\"]"),
            "aws_db_instance",
            "this",
            one(
                json!({"arn": format!("arn:aws:rds:eu-west-1:{DATA}:db:orders"),
            "id": "db-ABCDEFGHIJKLMNOP", "identifier": "orders", "instance_class": "db.r6g.large", "deletion_protection": true, "backup_retention_period": 14,
            "publicly_accessible": false, "password": "not-a-real-password", "tags": tags("orders"), "tags_all": tags("orders")}),
            ),
        ),
        resource(
            None,
            "aws_dynamodb_table",
            "sessions",
            one(
                json!({"arn": format!("arn:aws:dynamodb:eu-west-1:{DATA}:table/sessions"), "id": "sessions",
            "name": "sessions", "billing_mode": "PAY_PER_REQUEST", "hash_key": "id", "tags": {}, "tags_all": {}}),
            ),
        ),
    ];
    for (number, (name, resources)) in [("platform", platform), ("data", lake)]
        .into_iter()
        .enumerate()
    {
        let state = json!({"version": 4, "terraform_version": "1.9.5", "serial": 7 + number,
            "lineage": format!("5c1f2a9e-7b0d-4c35-9a64-1f0e8d2b7c1{number}"), "outputs": {}, "resources": resources, "check_results": null});
        let path = folder.join("states").join(format!("{name}.tfstate"));
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, format!("{state:#}\n"))?;
    }
    Ok(())
}

fn write_gzip(path: &Path, value: &Value) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(fs::File::create(path)?, Compression::new(6));
    gzip.write_all(value.to_string().as_bytes())?;
    gzip.finish().map(drop)
}
