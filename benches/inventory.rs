//! What an inventory costs as it grows: `cargo bench --bench inventory`.
//!
//! Prints how fast one large state and many small ones load, in MB of state text a second, what
//! memory that takes at its highest (Linux only), and what it costs to decide on a call, and to find
//! what it changes, among so many instances. Each size is measured in a process of its own. The
//! states are written to a temporary folder first; the time of that is left out.
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

use std::env;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use tfdrift::audit::decode::{Decoder, Filter, Tally};
use tfdrift::catalogue::Catalogue;
use tfdrift::drift::effect::Resolver;
use tfdrift::drift::names::AwsNaming;
use tfdrift::drift::sieve::Sieve;
use tfdrift::state::{Access, Loaded, StateLocation, load};
use tfdrift::window::Window;

/// Calls that are decided on.
const CALLS: usize = 20_000;

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

/// A log file of changes of instances, spread over all there are. Every second one is of an
/// instance that no state holds.
fn log(instances: usize) -> String {
    let records: Vec<_> = (0..CALLS)
        .map(|call| {
            let number = call * 7919 % (2 * instances);
            let held = number % instances;
            // Of four resources the first two are instances.
            let id = if number < instances {
                format!("i-{:017x}", held / 4 * 4 + held % 2)
            } else {
                format!("i-{:017x}", 0xf000_0000 + held)
            };
            json!({
                "eventVersion": "1.11", "userIdentity": {"type": "IAMUser", "userName": "ann",
                    "accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/ann"},
                "eventTime": "2026-01-15T10:00:00Z", "eventSource": "ec2.amazonaws.com",
                "eventName": "ModifyInstanceAttribute", "awsRegion": "eu-west-1",
                "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2.17.5",
                "requestParameters": {"instanceId": id, "disableApiTermination": {"value": false}},
                "responseElements": {"_return": true}, "eventID": format!("{call:036}"),
                "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
                "recipientAccountId": "123456789012", "eventCategory": "Management"
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

/// Microseconds that each call takes from its text to what it changes, and how many change anything.
fn matching(loaded: &Loaded, catalogue: &Catalogue) -> (f64, usize) {
    let text = log(loaded.inventory.instances().count());
    let resolver = Resolver::new(catalogue, &loaded.inventory);
    let sieve = Sieve::new(&resolver);
    let filter = Filter {
        window: Window {
            since: None,
            until: jiff::Timestamp::MAX,
        },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|call| sieve.wants(call),
        failed: false,
    };
    let mut decoder = Decoder::new();
    let mut best = f64::MAX;
    let mut found = 0;
    for _ in 0..5 {
        found = 0;
        let (mut tally, start) = (Tally::default(), Instant::now());
        decoder.file("log", text.as_bytes(), &filter, &mut tally, &mut |call| {
            found += usize::from(resolver.resolve(call).is_some());
        });
        assert!(tally.problems.is_empty(), "{:?}", tally.problems);
        best = best.min(start.elapsed().as_secs_f64());
    }
    (best * 1e6 / CALLS as f64, found)
}

/// Peak resident memory of this process so far, in MB; none where the system does not tell.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// Bytes of a file, or of all files in a folder.
fn size(path: &Path) -> io::Result<u64> {
    if path.is_file() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?.try_fold(0, |sum, entry| Ok(sum + entry?.metadata()?.len()))
}

/// Loads states and prints a line of the table.
fn measure(path: &Path) -> io::Result<()> {
    let catalogue = Catalogue::builtin();
    let naming = AwsNaming::new(&catalogue);
    let size = size(path)? as f64 / 1e6;
    let before = peak_memory().unwrap_or_default();
    let load = || {
        let start = Instant::now();
        let locations = [StateLocation::Path(path.into())];
        let loaded = load(&locations, Access::default(), &naming);
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        (loaded, start.elapsed().as_secs_f64())
    };
    let (loaded, first) = load();
    let peak = peak_memory().unwrap_or_default() - before;
    let seconds = (0..4).map(|_| load().1).fold(first, f64::min);
    let instances = loaded.inventory.instances().count();
    let (micros, found) = matching(&loaded, &catalogue);
    println!(
        "{instances:>9} {:>7} {size:>8.1} {seconds:>8.3} {:>7.0} {peak:>8.1} {:>7.2} {micros:>9.2} {found:>7}",
        loaded.inventory.states().len(),
        size / seconds,
        peak / size
    );
    Ok(())
}

/// The same in a process of its own, so that memory of one size is none of another's.
fn measure_apart(path: &Path) -> io::Result<()> {
    io::stdout().flush()?;
    let status = Command::new(env::current_exe()?)
        .args(["--bench", "--measure"])
        .arg(path)
        .status()?;
    assert!(status.success(), "{status}");
    Ok(())
}

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().collect();
    // `cargo test --all-targets` runs this too, without the flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let behind = |flag: &str| {
        let mut pairs = arguments.windows(2);
        pairs.find(|pair| pair[0] == flag).map(|pair| &pair[1])
    };
    if let Some(path) = behind("--measure") {
        return measure(Path::new(path));
    }
    let megabytes = behind("--mb").and_then(|number| number.parse().ok());
    let folder = tempfile::tempdir()?;
    println!(
        "instances  states       MB  seconds    MB/s  peak MB  × size   µs/call matched of {CALLS}"
    );
    for count in [100, 1_000, 10_000, 100_000, 200_000] {
        let states = folder.path().join(format!("states-{count}"));
        fs::create_dir(&states)?;
        let files = (count / 400).max(1);
        for file in 0..files {
            let path = states.join(format!("{file:04}.tfstate"));
            let each = count / files;
            write_state(&path, file * each, each, 0)?;
        }
        measure_apart(&states)?;
    }
    let large = folder.path().join("large.tfstate");
    write_state(&large, 0, 0, megabytes.unwrap_or(200_usize) * 1_000_000)?;
    measure_apart(&large)
}
