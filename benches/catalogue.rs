//! What loading the rules costs: `cargo bench --bench catalogue`.
//!
//! Prints the time of the start (the index of all services, calls and types), of what a small
//! state needs (the rules of the calls that touch its types), of a lookup, and of reading every rule
//! there is on one and on all cores, with the schemas of their types read before and not; and the
//! memory that this takes (Linux only). The best of several runs counts.
#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program that prints figures to a person"
)]

use std::fs;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use tfdrift::catalogue::Catalogue;

/// Types of a small web application's state.
const SMALL: [&str; 8] = [
    "aws_instance",
    "aws_security_group",
    "aws_iam_role",
    "aws_s3_bucket",
    "aws_lambda_function",
    "aws_db_instance",
    "aws_lb",
    "aws_sqs_queue",
];

const RUNS: usize = 15;

fn best(mut run: impl FnMut() -> Duration) -> f64 {
    let runs = (0..RUNS).map(|_| run());
    runs.min().unwrap_or_default().as_secs_f64() * 1000.0
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Resident memory, in bytes.
fn memory() -> Option<usize> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// Reads every rule of a service.
fn read(catalogue: &Catalogue, service: &str) -> usize {
    let service = catalogue.service(service);
    std::hint::black_box(service.map_or(0, |service| service.calls().count()))
}

fn main() {
    let before = memory();
    let all = Catalogue::builtin();
    let started = memory();
    let cold = timed(|| {
        for name in SMALL {
            std::hint::black_box(all.keys(name));
        }
    });
    let small_read = memory();
    let mut count = 0;
    let first = timed(|| count = all.services().map(|name| read(&all, name)).sum::<usize>());
    let parsed = memory();
    let mib = |from: Option<usize>, to: Option<usize>| {
        to.zip(from).map_or(f64::NAN, |(to, from)| {
            to.saturating_sub(from) as f64 / f64::from(1 << 20)
        })
    };
    println!(
        "memory   start {:.1} MiB, small {:.1} MiB, rules of all {count} calls with their schemas {:.1} MiB",
        mib(before, started),
        mib(started, small_read),
        mib(started, parsed)
    );

    let start = best(|| timed(|| drop(std::hint::black_box(Catalogue::builtin()))));
    println!("start    {start:.2} ms");
    let small = best(|| {
        let catalogue = Catalogue::builtin();
        timed(|| {
            for name in SMALL {
                std::hint::black_box(catalogue.keys(name));
            }
        })
    });
    println!(
        "small    {small:.2} ms ({:.2} ms the first time): the calls that touch {} types",
        cold.as_secs_f64() * 1000.0,
        SMALL.len()
    );
    let calls = [
        ("ec2.amazonaws.com", "ModifyInstanceAttribute"),
        (
            "lambda.amazonaws.com",
            "UpdateFunctionConfiguration20150331v2",
        ),
        ("ec2.amazonaws.com", "DescribeInstances"),
        ("kms.amazonaws.com", "GenerateDataKey"),
    ];
    let lookups = best(|| {
        timed(|| {
            for _ in 0..1000 {
                for (service, event) in calls {
                    std::hint::black_box(all.changes(service, event));
                }
            }
        })
    });
    println!("lookup   {:.1} ns", lookups * 1e6 / 4000.0);
    let one = best(|| {
        let catalogue = Catalogue::builtin();
        timed(|| {
            catalogue.services().for_each(|name| {
                read(&catalogue, name);
            });
        })
    });
    println!(
        "all      {one:.2} ms on one core ({:.2} ms the first time, with the schemas of all types)",
        first.as_secs_f64() * 1000.0
    );
    let many = best(|| {
        let catalogue = Catalogue::builtin();
        let names: Vec<&str> = catalogue.services().collect();
        timed(|| {
            names.par_iter().for_each(|name| {
                read(&catalogue, name);
            });
        })
    });
    println!(
        "all      {many:.2} ms on {} cores",
        rayon::current_num_threads()
    );
}
