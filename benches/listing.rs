//! What listing a bucket costs: `cargo bench --bench listing -- [KEYS] [MILLISECONDS]`.
//!
//! Starts a store in this process that knows so many keys (default 2,000,000) and answers each
//! request after so many milliseconds (default 30), lists it as a scan does, reads nothing, and
//! prints requests, time and the memory that came on top. Buckets of four shapes: folders of a few
//! log files over many days, folders of a few over many accounts, one folder that holds all of a
//! day, and copies of many accounts and days in one folder. What a proof lists is measured too.
#![allow(
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a program that prints figures to a person"
)]

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tfdrift::audit::cloudtrail::digest::finding::{Finding, Kind};
use tfdrift::audit::cloudtrail::digest::keys::PublicKeys;
use tfdrift::audit::decode::Filter;
use tfdrift::audit::pipeline::{self, NoProgress, Options, Stop, Watch};
use tfdrift::audit::verify::keys::NoSource;
use tfdrift::audit::verify::{Ask, Source, verify};
use tfdrift::window::Window;
use tokio::net::TcpListener;

/// Keys in one answer, as S3 gives them.
const PAGE: usize = 1_000;

/// The last day of all buckets.
const LAST: jiff::civil::Date = jiff::civil::date(2026, 1, 15);

/// What is listed.
struct Bucket {
    /// In the order of their bytes.
    keys: Vec<String>,
    delay: Duration,
    requests: AtomicU64,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

/// Wants no log file, and counts how many there were to want.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Watch for Count {
    fn wants(&self, _: &str) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --all-targets` runs this too, without the flag.
    if !env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let mut numbers = env::args().filter_map(|word| word.parse().ok());
    let keys: usize = numbers.next().unwrap_or(2_000_000);
    let delay = Duration::from_millis(numbers.next().unwrap_or(30) as u64);
    let few = 27;
    for (name, accounts, regions, days, copied) in [
        (
            "few a day, 10 accounts",
            10,
            17,
            (keys / (170 * few)).max(1),
            false,
        ),
        ("few an account, 1 day", keys / (17 * few), 17, 1, false),
        ("all in one folder", 1, 1, 1, false),
        ("copied into one folder", 10, 17, 30, true),
    ] {
        let mut keys = bucket(accounts, regions, days, keys);
        if copied {
            let name = |key: &String| format!("copies/{}", key.rsplit('/').next().unwrap_or(key));
            keys = keys.iter().map(name).collect();
            keys.sort_unstable();
        }
        let bucket = Bucket {
            keys,
            delay,
            requests: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
        };
        list(name, bucket, days, copied)?;
    }
    Ok(())
}

/// So many keys, spread evenly over the days, ending with 2026-01-15.
fn bucket(accounts: usize, regions: usize, days: usize, keys: usize) -> Vec<String> {
    let accounts = accounts.max(1);
    let each = (keys / (accounts * regions * days)).max(1);
    let mut all = Vec::with_capacity(keys);
    for account in 0..accounts {
        for region in 0..regions {
            for day in (0..days).rev() {
                let date = LAST.saturating_sub(jiff::Span::new().days(day as i64));
                let (folder, stamp) = (date.strftime("%Y/%m/%d"), date.strftime("%Y%m%d"));
                for number in 0..each {
                    let minute = number * 24 * 60 / each;
                    all.push(format!(
                        "AWSLogs/{account:012}/CloudTrail/eu-west-{region:02}/{folder}/\
                         {account:012}_CloudTrail_eu-west-{region:02}_{stamp}T{:02}{:02}Z_\
                         {number:016x}.json.gz",
                        minute / 60,
                        minute % 60
                    ));
                }
            }
        }
    }
    all
}

fn list(name: &str, bucket: Bucket, days: usize, copied: bool) -> Result<(), Box<dyn Error>> {
    let bucket = Arc::new(bucket);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener, Arc::clone(&bucket)));

    let count = Arc::new(Count::default());
    let options = Options {
        s3: tfdrift::s3::Options {
            endpoint: Some(format!("http://{address}")),
            region: Some("us-east-1".to_owned()),
            credentials: Some(("AKIAEXAMPLE".to_owned(), "secret".to_owned())),
            ..tfdrift::s3::Options::default()
        },
        watches: vec![count.clone()],
        ..Options::default()
    };
    let filter = Filter {
        window: Window {
            since: Some(midnight(1 - days as i64)?),
            until: midnight(1)?,
        },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: true,
    };
    let place = if copied {
        "s3://logs/copies/"
    } else {
        "s3://logs/AWSLogs/"
    };
    let trails = [place.parse()?];
    // Twice, as the first tells of the time before.
    let before = peak_memory().min(peak_memory());
    let start = Instant::now();
    let tally = pipeline::read(&trails, &filter, &options, &NoProgress, &|_| {})?;
    assert_eq!(tally.problems, []);
    let (found, keys) = (count.0.load(Ordering::Relaxed), bucket.keys.len());
    assert_eq!(found, keys as u64, "of {name}");
    tell(name, &bucket, start, before);
    if !copied {
        let source = Source::new(&trails[0], &options.s3, &Stop::default());
        let source = source.map_err(|problem| problem.problem)?;
        let ask = Ask {
            window: filter.window,
            lag: options.lag,
            now: filter.window.until,
            accounts: Vec::new(),
            regions: Vec::new(),
            keys: PublicKeys::default(),
            source: &NoSource,
            read: None,
        };
        bucket.requests.store(0, Ordering::Relaxed);
        bucket.most_running.store(0, Ordering::Relaxed);
        let before = peak_memory().min(peak_memory());
        let start = Instant::now();
        let proof = verify(&[source], &ask);
        // There are no digests: what is found of each region is that.
        let none = |found: &Finding| found.kind == Kind::NoDigests;
        assert!(proof.findings.iter().all(none) && !proof.findings.is_empty());
        tell("  for a proof", &bucket, start, before);
    }
    runtime.shutdown_background();
    Ok(())
}

fn tell(name: &str, bucket: &Bucket, start: Instant, memory: f64) {
    let (seconds, keys) = (start.elapsed().as_secs_f64(), bucket.keys.len());
    println!(
        "{name:<24} {keys:>8} keys {:>7} requests {:>4} at once {seconds:>6.1} s {:>9.0} keys/s \
         {:>4.0} MB more",
        bucket.requests.load(Ordering::Relaxed),
        bucket.most_running.load(Ordering::Relaxed),
        keys as f64 / seconds,
        (peak_memory() - memory) / 1e6
    );
}

/// The beginning of the day that lies so many days behind the last.
fn midnight(days: i64) -> Result<jiff::Timestamp, jiff::Error> {
    let day = LAST.saturating_add(jiff::Span::new().days(days));
    Ok(day.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
}

/// Peak resident memory of this process in bytes, since the last time it was asked for where the
/// system can forget; 0 where it does not tell.
fn peak_memory() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    let _ = fs::write("/proc/self/clear_refs", "5");
    kilobytes.unwrap_or_default() * 1024.0
}

async fn serve(listener: TcpListener, bucket: Arc<Bucket>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let bucket = Arc::clone(&bucket);
        tokio::spawn(async move {
            let answer = service_fn(|request| answer(request, &bucket));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection
                .serve_connection(TokioIo::new(socket), answer)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    bucket: &Bucket,
) -> Result<Response<Full<Bytes>>, Infallible> {
    bucket.requests.fetch_add(1, Ordering::Relaxed);
    let running = bucket.running.fetch_add(1, Ordering::Relaxed) + 1;
    bucket.most_running.fetch_max(running, Ordering::Relaxed);
    tokio::time::sleep(bucket.delay).await;
    let page = page(&bucket.keys, request.uri().query().unwrap_or_default());
    bucket.running.fetch_sub(1, Ordering::Relaxed);
    Ok(Response::new(Full::new(Bytes::from(page))))
}

/// One answer to `ListObjectsV2`.
fn page(keys: &[String], query: &str) -> String {
    let asked = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name));
        let value = pair.and_then(|rest| rest.strip_prefix('='))?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    let prefix = asked("prefix").unwrap_or_default();
    let folders = asked("delimiter").is_some();
    let behind = asked("continuation-token").or_else(|| asked("start-after"));
    let mut at = keys.partition_point(|key| {
        *key < prefix || behind.as_ref().is_some_and(|behind| key <= behind)
    });
    let (mut contents, mut common) = (String::new(), String::new());
    let mut last = "";
    let mut listed = 0;
    while let Some(key) = keys.get(at).filter(|key| key.starts_with(&prefix))
        && listed < PAGE
    {
        let slash = key.get(prefix.len()..).and_then(|rest| rest.find('/'));
        if let (true, Some(slash)) = (folders, slash) {
            let folder = &key[..=prefix.len() + slash];
            let _ = write!(
                common,
                "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"
            );
            at += keys[at..].partition_point(|key| key.starts_with(folder));
        } else {
            let _ = write!(
                contents,
                "<Contents><Key>{key}</Key><LastModified>2026-01-15T10:00:00.000Z</LastModified>\
                 <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>4711</Size>\
                 <StorageClass>STANDARD</StorageClass></Contents>"
            );
            at += 1;
        }
        listed += 1;
        last = &keys[at - 1];
    }
    let more = keys.get(at).is_some_and(|key| key.starts_with(&prefix));
    let token = if more {
        format!("<NextContinuationToken>{last}</NextContinuationToken>")
    } else {
        String::new()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>logs</Name><KeyCount>{listed}</KeyCount>\
         <MaxKeys>{PAGE}</MaxKeys><IsTruncated>{more}</IsTruncated>{token}{contents}{common}\
         </ListBucketResult>"
    )
}
