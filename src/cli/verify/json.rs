//! `tfdrift verify -o json`: fields are only ever added.

use std::io::{self, Write};

use serde::Serialize;

use super::{grade, verdict};
use crate::audit::verify::Proof;
use crate::window::Window;

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    window: Span,
    verdict: &'static str,
    summary: Summary,
    chains: Vec<Chain<'a>>,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Span {
    since: Option<String>,
    until: String,
}

#[derive(Serialize)]
struct Summary {
    digests: usize,
    digests_proved: usize,
    log_files: usize,
    log_files_intact: usize,
}

#[derive(Serialize)]
struct Chain<'a> {
    account: &'a str,
    region: &'a str,
    trail: &'a str,
    home_region: &'a str,
    backfill: bool,
    digests: usize,
    digests_proved: usize,
    covered: Vec<Span>,
}

#[derive(Serialize)]
struct Finding<'a> {
    kind: &'static str,
    grade: &'static str,
    account: Option<&'a str>,
    region: Option<&'a str>,
    location: &'a str,
    problem: &'a str,
    remedy: &'static str,
    since: Option<String>,
    until: Option<String>,
}

/// Writes one object.
///
/// # Errors
/// When it cannot be written.
pub fn write(proof: &Proof, window: &Window, out: &mut dyn Write) -> io::Result<()> {
    let report = Report {
        schema_version: 1,
        tool: Tool {
            name: "tfdrift",
            version: env!("CARGO_PKG_VERSION"),
        },
        window: Span {
            since: window.since.map(|since| since.to_string()),
            until: window.until.to_string(),
        },
        verdict: verdict(proof),
        summary: Summary {
            digests: proof.chains.iter().map(|chain| chain.digests).sum(),
            digests_proved: proof.chains.iter().map(|chain| chain.proved).sum(),
            log_files: proof.log_files,
            log_files_intact: proof.matched,
        },
        chains: proof.chains.iter().map(chain).collect(),
        findings: proof.findings.iter().map(finding).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn chain(chain: &crate::audit::verify::ChainProof) -> Chain<'_> {
    let covered = chain.covered.iter().map(|(since, until)| Span {
        since: Some(since.to_string()),
        until: until.to_string(),
    });
    Chain {
        account: &chain.name.account,
        region: &chain.name.region,
        trail: &chain.name.trail,
        home_region: &chain.name.home,
        backfill: chain.name.backfill,
        digests: chain.digests,
        digests_proved: chain.proved,
        covered: covered.collect(),
    }
}

fn finding(found: &crate::audit::cloudtrail::digest::finding::Finding) -> Finding<'_> {
    Finding {
        kind: found.kind.word(),
        grade: grade(found),
        account: found.account.as_deref(),
        region: found.region.as_deref(),
        location: &found.location,
        problem: &found.problem,
        remedy: found.kind.remedy(),
        since: found.since.map(|since| since.to_string()),
        until: found.until.map(|until| until.to_string()),
    }
}
