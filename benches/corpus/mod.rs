//! Makes log archives of any size that look like those of a busy organisation: the key order,
//! lengths and repetition of real records, one record in ten a write, files from a kilobyte to
//! twenty megabytes.
//!
//! The same number of bytes always makes the same archive.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

/// Writes files of about `bytes` of JSON in all below a folder, laid out as a trail lays them
/// out, unless they are there already. Returns their paths, largest file first.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn archive(folder: &Path, bytes: u64) -> io::Result<Vec<PathBuf>> {
    let complete = folder.join("complete");
    if !complete.exists() {
        let mut generator = Generator::new(1);
        let mut left = bytes;
        let mut number = 0;
        while left > 0 {
            let length = generator.file_length().min(left.max(1000));
            let (text, _) = generator.file(length);
            let path = folder.join(generator.key(number));
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut encoder = GzEncoder::new(fs::File::create(path)?, Compression::new(6));
            encoder.write_all(text.as_bytes())?;
            encoder.finish()?;
            left = left.saturating_sub(text.len() as u64);
            number += 1;
        }
        fs::write(complete, "")?;
    }
    let mut files: Vec<(u64, PathBuf)> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "gz")
        })
        .map(|entry| Ok((entry.metadata()?.len(), entry.into_path())))
        .collect::<io::Result<_>>()?;
    files.sort_unstable_by(|one, other| other.cmp(one));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Whether a catalogue of the usual resource types would know a call.
#[must_use]
pub fn is_catalogued(service: &str, name: &str) -> bool {
    WRITES
        .iter()
        .any(|write| write.service == service && write.name == name && write.catalogued)
}

struct Write {
    service: &'static str,
    name: &'static str,
    catalogued: bool,
    request: &'static str,
    response: &'static str,
}

/// What is written, with `@` for eight hexadecimal digits.
const WRITES: [Write; 16] = [
    Write {
        service: "ssm.amazonaws.com",
        name: "UpdateInstanceInformation",
        catalogued: false,
        request: r#"{"instanceId":"i-0@@","agentVersion":"3.2.1705.0","agentStatus":"Active","platformType":"Linux","platformName":"Amazon Linux","platformVersion":"2023","iPAddress":"10.11.12.13","computerName":"ip-10-11-12-13.eu-central-1.compute.internal","agentName":"amazon-ssm-agent","availabilityZone":"eu-central-1a","availabilityZoneId":"euc1-az2","sSMConnectionChannel":"ssmmessages"}"#,
        response: "null",
    },
    Write {
        service: "logs.amazonaws.com",
        name: "CreateLogStream",
        catalogued: false,
        request: r#"{"logStreamName":"2026/01/15/[$LATEST]@@@@","logGroupName":"/aws/lambda/order-intake-production"}"#,
        response: "null",
    },
    Write {
        service: "config.amazonaws.com",
        name: "PutEvaluations",
        catalogued: false,
        request: r#"{"resultToken":"***","evaluations":[{"annotation":"The resource \"i-0@\" has {no} backup plan.","complianceResourceId":"i-0@@","complianceType":"NON_COMPLIANT","orderingTimestamp":"Jan 15, 2026, 10:00:00 AM","complianceResourceType":"AWS::EC2::Instance"}],"testMode":false}"#,
        response: r#"{"failedEvaluations":[]}"#,
    },
    Write {
        service: "ecs.amazonaws.com",
        name: "RegisterTaskDefinition",
        catalogued: true,
        request: r#"{"family":"orders-@","containerDefinitions":[{"name":"app","image":"111122223333.dkr.ecr.eu-central-1.amazonaws.com/orders:@","cpu":256,"memory":512,"essential":true,"mountPoints":[{"sourceVolume":"data","containerPath":"/data","readOnly":true}],"environment":[{"name":"STAGE","value":"HIDDEN_DUE_TO_SECURITY_REASONS"}],"portMappings":[{"containerPort":8080,"protocol":"tcp"}]}],"networkMode":"awsvpc","requiresCompatibilities":["FARGATE"]}"#,
        response: r#"{"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-central-1:111122223333:task-definition/orders:412","family":"orders-@","revision":412,"status":"ACTIVE","containerDefinitions":[{"name":"app","cpu":256,"memory":512,"mountPoints":[{"sourceVolume":"data","containerPath":"/data","readOnly":true}]}]}}"#,
    },
    Write {
        service: "ec2.amazonaws.com",
        name: "CreateTags",
        catalogued: true,
        request: r#"{"resourcesSet":{"items":[{"resourceId":"i-0@@"}]},"tagSet":{"items":[{"key":"Name","value":"web-@"},{"key":"kubernetes.io/cluster/production","value":"owned"}]}}"#,
        response: r#"{"requestId":"@-0000-4000-8000-@","_return":true}"#,
    },
    Write {
        service: "ec2.amazonaws.com",
        name: "CreateNetworkInterface",
        catalogued: true,
        request: r#"{"subnetId":"subnet-0@@","description":"aws-K8S-i-0@@","groupSet":{"items":[{"groupId":"sg-0@@"}]},"privateIpAddressesSet":{},"ipv6AddressCount":0,"clientToken":"@@@@"}"#,
        response: r#"{"requestId":"@-0000-4000-8000-@","networkInterface":{"networkInterfaceId":"eni-0@@","subnetId":"subnet-0@@","vpcId":"vpc-0@@","availabilityZone":"eu-central-1a","description":"aws-K8S-i-0@@","ownerId":"111122223333","requesterId":"AROAEXAMPLE","requesterManaged":false,"status":"pending","macAddress":"02:00:00:00:00:01","privateIpAddress":"10.11.12.13","sourceDestCheck":true,"interfaceType":"interface","groupSet":{"items":[{"groupId":"sg-0@@","groupName":"nodes"}]},"tagSet":{},"privateIpAddressesSet":{"item":[{"privateIpAddress":"10.11.12.13","primary":true}]}}}"#,
    },
    Write {
        service: "kms.amazonaws.com",
        name: "CreateGrant",
        catalogued: true,
        request: r#"{"keyId":"arn:aws:kms:eu-central-1:111122223333:key/@-0000-4000-8000-@@","granteePrincipal":"ec2.eu-central-1.amazonaws.com","operations":["Decrypt","GenerateDataKeyWithoutPlaintext"],"constraints":{"encryptionContextSubset":{"aws:ebs:id":"vol-0@@"}},"retiringPrincipal":"ec2.eu-central-1.amazonaws.com"}"#,
        response: r#"{"grantId":"@@@@@@@@","keyId":"arn:aws:kms:eu-central-1:111122223333:key/@-0000-4000-8000-@@"}"#,
    },
    Write {
        service: "athena.amazonaws.com",
        name: "StartQueryExecution",
        catalogued: false,
        request: r#"{"queryString":"***OMITTED***","clientRequestToken":"@@@@","queryExecutionContext":{"database":"analytics"},"resultConfiguration":{"outputLocation":"s3://results-@/"},"workGroup":"primary"}"#,
        response: r#"{"queryExecutionId":"@-0000-4000-8000-@@"}"#,
    },
    Write {
        service: "ssm.amazonaws.com",
        name: "PutComplianceItems",
        catalogued: false,
        request: r#"{"resourceId":"i-0@@","resourceType":"ManagedInstance","complianceType":"Association","executionSummary":{"executionTime":"Jan 15, 2026, 10:00:00 AM","executionId":"@-0000-4000-8000-@@"},"items":[{"id":"@-0000-4000-8000-@@","status":"COMPLIANT","severity":"UNSPECIFIED","details":{"DocumentName":"AWS-GatherSoftwareInventory"}}],"itemContentHash":""}"#,
        response: "null",
    },
    Write {
        service: "autoscaling.amazonaws.com",
        name: "UpdateAutoScalingGroup",
        catalogued: true,
        request: r#"{"autoScalingGroupName":"web-@","minSize":2,"maxSize":10,"desiredCapacity":4}"#,
        response: "null",
    },
    Write {
        service: "ec2.amazonaws.com",
        name: "AuthorizeSecurityGroupIngress",
        catalogued: true,
        request: r#"{"groupId":"sg-0@@","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"10.0.0.0/8","description":"internal"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}"#,
        response: r#"{"requestId":"@-0000-4000-8000-@","_return":true,"securityGroupRuleSet":{"items":[{"groupOwnerId":"111122223333","groupId":"sg-0@@","securityGroupRuleId":"sgr-0@@","isEgress":false,"ipProtocol":"tcp","fromPort":443,"toPort":443,"cidrIpv4":"10.0.0.0/8"}]}}"#,
    },
    Write {
        service: "iam.amazonaws.com",
        name: "PutRolePolicy",
        catalogued: true,
        request: r#"{"roleName":"service-@","policyName":"inline","policyDocument":"{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": [\"s3:GetObject\", \"s3:PutObject\"],\n      \"Resource\": \"arn:aws:s3:::data-@/*\"\n    }\n  ]\n}"}"#,
        response: "null",
    },
    Write {
        service: "s3.amazonaws.com",
        name: "PutBucketEncryption",
        catalogued: true,
        request: r#"{"bucketName":"data-@","Host":"data-@.s3.eu-central-1.amazonaws.com","encryption":"","ServerSideEncryptionConfiguration":{"Rule":{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}},"xmlns":"http://s3.amazonaws.com/doc/2006-03-01/"}}"#,
        response: "null",
    },
    Write {
        service: "lambda.amazonaws.com",
        name: "UpdateFunctionConfiguration20150331v2",
        catalogued: true,
        request: r#"{"functionName":"order-intake-@","memorySize":1024,"timeout":30,"environment":{}}"#,
        response: r#"{"functionName":"order-intake-@","functionArn":"arn:aws:lambda:eu-central-1:111122223333:function:order-intake-@","runtime":"python3.13","role":"arn:aws:iam::111122223333:role/order-intake","handler":"app.handler","codeSize":1048576,"timeout":30,"memorySize":1024,"lastModified":"2026-01-15T10:00:00.000+0000","version":"$LATEST","environment":{},"tracingConfig":{"mode":"Active"},"state":"Active"}"#,
    },
    Write {
        service: "rds.amazonaws.com",
        name: "ModifyDBInstance",
        catalogued: true,
        request: r#"{"dBInstanceIdentifier":"orders-@","backupRetentionPeriod":7,"applyImmediately":true,"allowMajorVersionUpgrade":false}"#,
        response: r#"{"dBInstanceIdentifier":"orders-@","dBInstanceClass":"db.r6g.large","engine":"postgres","dBInstanceStatus":"available","masterUsername":"admin","allocatedStorage":100,"preferredBackupWindow":"01:00-02:00","backupRetentionPeriod":1,"pendingModifiedValues":{"backupRetentionPeriod":7},"vpcSecurityGroups":[{"status":"active","vpcSecurityGroupId":"sg-0@@"}],"multiAZ":true,"engineVersion":"16.3","storageEncrypted":true,"dBInstanceArn":"arn:aws:rds:eu-central-1:111122223333:db:orders-@"}"#,
    },
    Write {
        service: "ec2.amazonaws.com",
        name: "ModifyInstanceAttribute",
        catalogued: true,
        request: r#"{"instanceId":"i-0@@","disableApiTermination":{"value":false}}"#,
        response: r#"{"requestId":"@-0000-4000-8000-@","_return":true}"#,
    },
];

/// What is read: service, name, request.
const READS: [(&str, &str, &str); 18] = [
    (
        "ec2.amazonaws.com",
        "DescribeInstances",
        r#"{"maxResults":1000,"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"},{"value":"pending"}]}},{"name":"tag:kubernetes.io/cluster/production","valueSet":{"items":[{"value":"owned"}]}}]}}"#,
    ),
    (
        "ec2.amazonaws.com",
        "DescribeNetworkInterfaces",
        r#"{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"eni-0@@"}]},"filterSet":{}}"#,
    ),
    (
        "ec2.amazonaws.com",
        "DescribeSecurityGroups",
        r#"{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-0@@"},{"groupId":"sg-0@@"}]},"filterSet":{}}"#,
    ),
    (
        "ec2.amazonaws.com",
        "DescribeVolumes",
        r#"{"maxResults":500,"volumeSet":{},"filterSet":{"items":[{"name":"attachment.instance-id","valueSet":{"items":[{"value":"i-0@@"}]}}]}}"#,
    ),
    (
        "ec2.amazonaws.com",
        "DescribeTags",
        r#"{"maxResults":1000,"filterSet":{"items":[{"name":"resource-id","valueSet":{"items":[{"value":"i-0@@"}]}}]}}"#,
    ),
    (
        "s3.amazonaws.com",
        "GetBucketEncryption",
        r#"{"bucketName":"data-@","Host":"data-@.s3.eu-central-1.amazonaws.com","encryption":""}"#,
    ),
    (
        "s3.amazonaws.com",
        "GetBucketAcl",
        r#"{"bucketName":"logs-@","Host":"logs-@.s3.eu-central-1.amazonaws.com","acl":""}"#,
    ),
    (
        "s3.amazonaws.com",
        "GetBucketPolicy",
        r#"{"bucketName":"logs-@","Host":"s3.eu-central-1.amazonaws.com","policy":""}"#,
    ),
    (
        "sts.amazonaws.com",
        "AssumeRole",
        r#"{"roleArn":"arn:aws:iam::111122223333:role/service-@","roleSessionName":"session-@","durationSeconds":3600,"externalId":"@-0000-4000-8000-@@"}"#,
    ),
    ("sts.amazonaws.com", "GetCallerIdentity", "null"),
    (
        "kms.amazonaws.com",
        "Decrypt",
        r#"{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:eu-central-1:111122223333:function:order-intake-@"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
    ),
    (
        "kms.amazonaws.com",
        "GenerateDataKey",
        r#"{"keyId":"arn:aws:kms:eu-central-1:111122223333:key/@-0000-4000-8000-@@","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::data-@/part-@.parquet"},"keySpec":"AES_256"}"#,
    ),
    (
        "iam.amazonaws.com",
        "GetRole",
        r#"{"roleName":"service-@"}"#,
    ),
    (
        "iam.amazonaws.com",
        "ListAttachedRolePolicies",
        r#"{"roleName":"service-@"}"#,
    ),
    (
        "elasticloadbalancing.amazonaws.com",
        "DescribeTargetHealth",
        r#"{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/@@"}"#,
    ),
    (
        "autoscaling.amazonaws.com",
        "DescribeAutoScalingGroups",
        r#"{"maxRecords":100,"autoScalingGroupNames":["web-@"]}"#,
    ),
    (
        "ecr.amazonaws.com",
        "BatchGetImage",
        r#"{"registryId":"111122223333","repositoryName":"orders","imageIds":[{"imageDigest":"sha256:@@@@@@@@"}],"acceptedMediaTypes":["application/vnd.docker.distribution.manifest.v2+json","application/vnd.oci.image.manifest.v1+json"]}"#,
    ),
    (
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        r#"{"secretId":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:orders/database-@"}"#,
    ),
];

const AGENTS: [&str; 10] = [
    "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.173.0 m/F ua/2.1",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.60.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/iam#1.34.3",
    "Boto3/1.34.144 md/Botocore#1.34.144 ua/2.0 os/linux#5.10.220-209.869.amzn2.x86_64 md/arch#x86_64 lang/python#3.12.4 md/pyimpl#CPython exec-env/AWS_Lambda_python3.12 cfg/retry-mode#legacy Botocore/1.34.144",
    "aws-cli/2.17.11 md/awscrt#0.20.11 ua/2.0 os/linux#6.1.94-99.176.amzn2023.x86_64 md/arch#x86_64 lang/python#3.11.8 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#ec2.describe-instances",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750 Linux/5.10.218-186.862.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.412-b09 java/1.8.0_412 vendor/Oracle_Corporation cfg/retry-mode/standard]",
    "kubernetes/v1.30.2-eks-db838b0 aws-sdk-go/1.44.241 (go1.22.4; linux; amd64) Amazon EKS cloud-provider-aws/v1.30.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "autoscaling.amazonaws.com",
    "config.amazonaws.com",
    "karpenter.sh-0.37.0 aws-sdk-go/1.54.19 (go1.22.5; linux; arm64)",
];

const REGIONS: [&str; 3] = ["eu-central-1", "us-east-1", "eu-west-1"];

/// Makes records one after the other.
pub struct Generator {
    state: u64,
    account: u64,
    region: usize,
}

impl Generator {
    /// A generator; the same seed makes the same records.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed,
            account: 0,
            region: 0,
        }
    }

    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Most files are small, and most bytes are in a few large ones.
    fn file_length(&mut self) -> u64 {
        let (least, most) = match self.below(100) {
            0..60 => (1_000, 50_000),
            60..90 => (100_000, 2_000_000),
            90..98 => (4_000_000, 10_000_000),
            _ => (18_000_000, 22_000_000),
        };
        least + self.next() % (most - least)
    }

    /// The key of a file, as a trail names it.
    fn key(&mut self, number: usize) -> String {
        let (account, region) = (self.account, REGIONS[self.region]);
        let (hour, minute) = (number / 12 % 24, number % 12 * 5);
        let unique = self.next();
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/2026/01/15/{account}_CloudTrail_{region}_20260115T{hour:02}{minute:02}Z_{unique:016x}.json.gz"
        )
    }

    /// A file of about as many bytes, and the number of its records.
    #[must_use]
    pub fn file(&mut self, length: u64) -> (String, u64) {
        self.account = 111_122_223_333 + self.below(4) as u64 * 111_111_111_111;
        self.region = self.below(REGIONS.len());
        let mut text = String::with_capacity(length as usize + 4096);
        text.push_str(r#"{"Records":["#);
        let mut records = 0;
        while records == 0 || (text.len() as u64) < length {
            if records > 0 {
                text.push(',');
            }
            self.record(&mut text);
            records += 1;
        }
        text.push_str("]}");
        (text, records)
    }

    /// Text with each `@` replaced by eight hexadecimal digits. Half of them are from a small
    /// stock, for what calls are about repeats.
    fn fill(&mut self, template: &str, text: &mut String) {
        let mut parts = template.split('@');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = if self.below(3) == 0 {
                self.next()
            } else {
                (self.next() % 200) * 21_474_836
            };
            let _ = write!(text, "{:08x}{part}", digits as u32);
        }
    }

    fn uuid(&mut self, text: &mut String) {
        let (high, low) = (self.next(), self.next());
        let _ = write!(
            text,
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            high as u32,
            (high >> 32) as u16,
            (high >> 48) & 0xfff,
            (low >> 48) & 0xfff,
            low & 0xffff_ffff_ffff
        );
    }

    fn identity(&mut self, text: &mut String) {
        let (account, who) = (self.account, self.below(24));
        let key = 0x0A5D_6E00_0000 + (self.next() % 400) * 7919;
        let minute = self.below(60);
        if who < 3 {
            let _ = write!(
                text,
                r#""userIdentity":{{"type":"IAMUser","principalId":"AIDAEXAMPLE{who:09}","arn":"arn:aws:iam::{account}:user/engineer-{who}","accountId":"{account}","accessKeyId":"AKIA{key:016X}","userName":"engineer-{who}"}},"#
            );
        } else if who < 5 {
            text.push_str(
                r#""userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com"},"#,
            );
        } else {
            let session = self.next() % 400 * 0x0101_0101;
            let _ = write!(
                text,
                r#""userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{who:09}:i-0{session:016x}","arn":"arn:aws:sts::{account}:assumed-role/platform-service-{who}/i-0{session:016x}","accountId":"{account}","accessKeyId":"ASIA{key:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{who:09}","arn":"arn:aws:iam::{account}:role/platform-service-{who}","accountId":"{account}","userName":"platform-service-{who}"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2026-01-15T09:{minute:02}:27Z","mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}}},"#
            );
        }
    }

    /// Appends a record.
    pub fn record(&mut self, text: &mut String) {
        let (account, region) = (self.account, REGIONS[self.region]);
        let write = (self.below(10) == 0).then(|| &WRITES[self.below(WRITES.len())]);
        let (service, name, request) = match write {
            Some(write) => (write.service, write.name, write.request),
            None => READS[self.below(READS.len())],
        };
        let response = write.map_or("null", |write| write.response);
        let read_only = write.is_none();
        let failed = self.below(12) == 0;
        text.push_str(r#"{"eventVersion":"1.09","#);
        self.identity(text);
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let _ = write!(
            text,
            r#""eventTime":"2026-01-15T{hour:02}:{minute:02}:{second:02}Z","eventSource":"{service}","eventName":"{name}","awsRegion":"{region}","#
        );
        let [third, fourth] = [self.below(16), self.below(250)];
        let agent = AGENTS[self.below(AGENTS.len())];
        let _ = write!(
            text,
            r#""sourceIPAddress":"10.20.{third}.{fourth}","userAgent":"{agent}","#
        );
        if failed {
            let _ = write!(
                text,
                r#""errorCode":"AccessDenied","errorMessage":"User: arn:aws:sts::{account}:assumed-role/platform-service-7/session is not authorized to perform: {name} on resource: \"*\" because no identity-based policy allows the {name} action","#
            );
        }
        text.push_str(r#""requestParameters":"#);
        self.fill(request, text);
        text.push_str(r#","responseElements":"#);
        self.fill(if failed { "null" } else { response }, text);
        text.push_str(r#","requestID":""#);
        self.uuid(text);
        text.push_str(r#"","eventID":""#);
        self.uuid(text);
        let _ = write!(text, r#"","readOnly":{read_only},"#);
        if service == "kms.amazonaws.com" {
            let _ = write!(
                text,
                r#""resources":[{{"accountId":"{account}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{account}:key/00000000-0000-4000-8000-000000000001"}}],"#
            );
        }
        let _ = write!(
            text,
            r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{}.{region}.amazonaws.com"}}"#,
            service.split('.').next().unwrap_or_default()
        );
        if agent.starts_with("Mozilla") {
            text.push_str(r#","sessionCredentialFromConsole":"true""#);
        }
        text.push('}');
    }
}
