//! What loading an inventory costs: `cargo bench --bench inventory`.
//!
//! Prints how fast one large state and many small ones load, in MB of state text a second, what
//! memory that takes at its highest (Linux only), and what finding an instance costs as their
//! number grows. The states are written to a temporary folder first; the time of that is left out.
//!
//! Options behind `--`: `--mb N` for the size of the large state (default 200).
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program that prints figures to a person"
)]
#![recursion_limit = "256"]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use tfdrift::state::{Loaded, Naming, Scope, StateLocation, load};

/// Names as AWS's are, for the types that the generator makes.
struct BenchNaming(BTreeMap<&'static str, Vec<String>>);

impl BenchNaming {
    fn new() -> Self {
        let keys = |keys: &[&str]| keys.iter().map(ToString::to_string).collect();
        Self(BTreeMap::from([
            (
                "aws_instance",
                keys(&["id", "arn", "root_block_device.volume_id"]),
            ),
            ("aws_iam_role", keys(&["id", "name", "arn"])),
            ("aws_security_group_rule", keys(&["security_group_id"])),
        ]))
    }
}

impl Naming for BenchNaming {
    fn keys(&self, resource_type: &str) -> Option<&[String]> {
        self.0.get(resource_type).map(Vec::as_slice)
    }

    fn short<'a>(&self, identifier: &'a str) -> &'a str {
        identifier.rsplit([':', '/']).next().unwrap_or(identifier)
    }

    fn scope(&self, identifier: &str) -> Option<Scope> {
        let mut parts = identifier.strip_prefix("arn:")?.split(':').skip(2);
        let mut part = || {
            parts
                .next()
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
        };
        let region = part();
        Some(Scope {
            account: part(),
            region,
        })
    }
}

/// Writes a state of at least `bytes` bytes, or of `count` instances, as Terraform lays it out.
/// One resource in four is of a type that no rule knows. Returns the number of instances.
fn write_state(path: &Path, first: usize, count: usize, bytes: usize) -> io::Result<usize> {
    let mut out = BufWriter::new(File::create(path)?);
    let mut written = 0;
    let mut made = 0;
    write!(
        out,
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.9.5\",\n  \"serial\": 12,\n  \
         \"lineage\": \"0d6b3a52\",\n  \"outputs\": {{}},\n  \"resources\": [\n"
    )?;
    while made < count || written < bytes {
        let number = first + made;
        let comma = if made == 0 { "" } else { ",\n" };
        let (kind, attributes) = match number % 4 {
            0 | 1 => ("aws_instance", instance(number)),
            2 => ("aws_iam_role", role(number)),
            _ => ("aws_glue_job", job(number)),
        };
        let resource = json!({
            "module": format!("module.team[\"{}\"].module.app", number % 50),
            "mode": "managed", "type": kind, "name": format!("r{}", number / 10),
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"index_key": number % 10, "schema_version": 1, "attributes": attributes,
                "sensitive_attributes": [], "private": "eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==",
                "dependencies": ["aws_vpc.main", "aws_subnet.private", "data.aws_ami.base"]}]
        });
        let text = serde_json::to_string_pretty(&resource)?.replace('\n', "\n    ");
        write!(out, "{comma}    {text}")?;
        written += text.len() + comma.len() + 4;
        made += 1;
    }
    write!(out, "\n  ],\n  \"check_results\": null\n}}\n")?;
    out.flush()?;
    Ok(made)
}

fn instance(number: usize) -> serde_json::Value {
    let id = format!("i-{number:017x}");
    json!({
        "ami": "ami-0c55b159cbfafe1f0", "arn": format!("arn:aws:ec2:eu-west-1:123456789012:instance/{id}"),
        "associate_public_ip_address": false, "availability_zone": "eu-west-1a", "capacity_reservation_specification": [
            {"capacity_reservation_preference": "open", "capacity_reservation_target": []}],
        "cpu_core_count": 1, "cpu_options": [{"amd_sev_snp": "", "core_count": 1, "threads_per_core": 2}],
        "cpu_threads_per_core": 2, "credit_specification": [{"cpu_credits": "unlimited"}], "disable_api_stop": false,
        "disable_api_termination": true, "ebs_block_device": [], "ebs_optimized": false, "enclave_options": [{"enabled": false}],
        "ephemeral_block_device": [], "get_password_data": false, "hibernation": false, "host_id": "",
        "iam_instance_profile": "app", "id": id, "instance_initiated_shutdown_behavior": "stop",
        "instance_lifecycle": "", "instance_market_options": [], "instance_state": "running", "instance_type": "t3.medium",
        "ipv6_address_count": 0, "ipv6_addresses": [], "key_name": "", "launch_template": [],
        "maintenance_options": [{"auto_recovery": "default"}],
        "metadata_options": [{"http_endpoint": "enabled", "http_protocol_ipv6": "disabled",
            "http_put_response_hop_limit": 2, "http_tokens": "required", "instance_metadata_tags": "disabled"}],
        "monitoring": false, "network_interface": [], "outpost_arn": "", "password_data": "", "placement_group": "",
        "primary_network_interface_id": format!("eni-{number:017x}"), "private_dns": "ip-10-0-1-17.eu-west-1.compute.internal",
        "private_dns_name_options": [{"enable_resource_name_dns_a_record": false, "hostname_type": "ip-name"}],
        "private_ip": "10.0.1.17", "public_dns": "", "public_ip": "",
        "root_block_device": [{"delete_on_termination": true, "device_name": "/dev/xvda", "encrypted": true, "iops": 3000,
            "kms_key_id": "arn:aws:kms:eu-west-1:123456789012:key/5e3b6d1c-8c1b-4b1e-9c7a-0c8e9a1f2b3c", "tags": {},
            "tags_all": {}, "throughput": 125, "volume_id": format!("vol-{number:017x}"), "volume_size": 30, "volume_type": "gp3"}],
        "secondary_private_ips": [], "security_groups": [], "source_dest_check": true, "subnet_id": "subnet-0a1b2c3d4e5f60718",
        "tags": {"Name": format!("app-{number}"), "Owner": "platform", "Env": "prod"},
        "tags_all": {"Name": format!("app-{number}"), "Owner": "platform", "Env": "prod"}, "tenancy": "default",
        "timeouts": null, "user_data": "f5b2c1d0e9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4", "user_data_base64": null,
        "user_data_replace_on_change": false, "volume_tags": null, "vpc_security_group_ids": ["sg-0123456789abcdef0"]
    })
}

fn role(number: usize) -> serde_json::Value {
    let name = format!("role-{number}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "ec2.amazonaws.com"}}]})
    .to_string();
    json!({
        "arn": format!("arn:aws:iam::123456789012:role/{name}"), "assume_role_policy": policy,
        "create_date": "2025-03-01T10:00:00Z", "description": "what the app runs as", "force_detach_policies": false,
        "id": name, "inline_policy": [{"name": "read", "policy": policy}],
        "managed_policy_arns": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"], "max_session_duration": 3600,
        "name": name, "name_prefix": "", "path": "/", "permissions_boundary": "", "tags": {"Owner": "platform"},
        "tags_all": {"Owner": "platform"}, "unique_id": format!("AROA{number:017}")
    })
}

fn job(number: usize) -> serde_json::Value {
    json!({
        "arn": format!("arn:aws:glue:eu-west-1:123456789012:job/job-{number}"), "command": [{"name": "glueetl",
            "python_version": "3", "script_location": "s3://scripts/job.py"}], "connections": [],
        "default_arguments": {"--enable-metrics": "true", "--job-language": "python", "--TempDir": "s3://temp/"},
        "description": "", "execution_class": "", "execution_property": [{"max_concurrent_runs": 1}],
        "glue_version": "4.0", "id": format!("job-{number}"), "max_capacity": 10, "max_retries": 0,
        "name": format!("job-{number}"), "number_of_workers": 10, "role_arn": "arn:aws:iam::123456789012:role/glue",
        "tags": {}, "tags_all": {}, "timeout": 2880, "worker_type": "G.1X"
    })
}

/// Peak resident memory of this process so far, in MB; none where the system does not tell.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

fn timed_load(path: &Path, naming: &BenchNaming) -> (Loaded, f64) {
    let start = Instant::now();
    let loaded = load(&[StateLocation::Path(path.into())], None, naming);
    (loaded, start.elapsed().as_secs_f64())
}

fn report(what: &str, bytes: u64, loaded: &Loaded, seconds: f64) {
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{what:<28} {:>8} instances {megabytes:>7.0} MB {seconds:>7.3} s {:>6.0} MB/s",
        loaded.inventory.instances().count(),
        megabytes / seconds
    );
}

fn report_lookup(loaded: &Loaded, naming: &BenchNaming) {
    let count = loaded.inventory.instances().count();
    let wanted: Vec<_> = (0..100_000_usize)
        .map(|number| format!("i-{:017x}", number * 7919 % (2 * count)))
        .collect();
    let start = Instant::now();
    let found = wanted
        .iter()
        .filter(|id| {
            !loaded
                .inventory
                .candidates("aws_instance", "id", id, naming)
                .is_empty()
        })
        .count();
    let each = start.elapsed().as_secs_f64() * 1e9 / wanted.len() as f64;
    println!("lookup among {count:>8} instances {each:>6.0} ns each, {found} of 100000 found");
}

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    // `cargo test --all-targets` runs this too, without the flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let megabytes = arguments
        .windows(2)
        .find(|pair| pair[0] == "--mb")
        .and_then(|pair| pair[1].parse().ok())
        .unwrap_or(200_usize);
    let naming = BenchNaming::new();
    let folder = tempfile::tempdir()?;

    let large = folder.path().join("large.tfstate");
    write_state(&large, 0, 0, megabytes * 1_000_000)?;
    let size = fs::metadata(&large)?.len();
    let before = peak_memory().unwrap_or_default();
    for round in 0..5 {
        let (loaded, seconds) = timed_load(&large, &naming);
        report("one large state", size, &loaded, seconds);
        if round == 0
            && let Some(peak) = peak_memory()
        {
            println!(
                "{:<28} {peak:.0} MB, {:.2} × the state ({before:.0} MB before)",
                "peak memory",
                peak * 1e6 / size as f64
            );
        }
    }

    for count in [100, 10_000, 200_000] {
        let states = folder.path().join(format!("states-{count}"));
        fs::create_dir(&states)?;
        let files = (count / 400).max(1);
        let mut bytes = 0;
        for file in 0..files {
            let path = states.join(format!("{file:04}.tfstate"));
            let each = count / files;
            write_state(&path, file * each, each, 0)?;
            bytes += fs::metadata(&path)?.len();
        }
        let (loaded, seconds) = timed_load(&states, &naming);
        report(&format!("{files} states"), bytes, &loaded, seconds);
        report_lookup(&loaded, &naming);
    }
    Ok(())
}
