//! What loading the rules costs: `cargo bench --bench catalogue`.
//!
//! Prints the time of finding the headings of all rule files, of parsing the rules that a small
//! state needs, and of parsing all there are on one and on all cores, and the memory that the
//! parsed rules take (Linux only). The best of several runs counts.
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

fn main() {
    let before = memory();
    let all = Catalogue::builtin();
    let headings = memory();
    let count = all
        .services()
        .filter_map(|service| all.service(service))
        .count();
    let parsed = memory();
    let mib = |from: Option<usize>, to: Option<usize>| {
        to.zip(from).map_or(f64::NAN, |(to, from)| {
            to.saturating_sub(from) as f64 / f64::from(1 << 20)
        })
    };
    println!(
        "memory   headings {:.1} MiB, rules of {count} services {:.1} MiB",
        mib(before, headings),
        mib(headings, parsed)
    );

    let builtin = best(|| timed(|| drop(std::hint::black_box(Catalogue::builtin()))));
    println!("headings {builtin:.2} ms");
    let small = best(|| {
        let catalogue = Catalogue::builtin();
        timed(|| {
            for name in SMALL {
                std::hint::black_box(catalogue.keys(name));
            }
        })
    });
    println!(
        "small    {small:.2} ms: the services that speak of {} types",
        SMALL.len()
    );
    let one = best(|| {
        let catalogue = Catalogue::builtin();
        timed(|| {
            catalogue.services().for_each(|name| {
                std::hint::black_box(catalogue.service(name));
            });
        })
    });
    println!("all      {one:.2} ms on one core");
    let many = best(|| {
        let catalogue = Catalogue::builtin();
        let names: Vec<&str> = catalogue.services().collect();
        timed(|| {
            names.par_iter().for_each(|name| {
                std::hint::black_box(catalogue.service(name));
            });
        })
    });
    println!(
        "all      {many:.2} ms on {} cores",
        rayon::current_num_threads()
    );
}
