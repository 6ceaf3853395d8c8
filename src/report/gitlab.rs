//! `gitlab`: GitLab's Code Quality report, an array of issues. Window and evidence stand in the
//! body of each; evidence that is not complete is an issue of its own.

use std::io::{self, Write};

use serde::Serialize;

use super::safe_json::pretty;
use super::sections::{Standing, failed, shown};
use super::{Style, words};
use crate::drift::model::{Drift, Report, Severity};

#[derive(Serialize)]
struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    categories: [&'static str; 1],
    content: Content,
    location: Location,
}

#[derive(Serialize)]
struct Content {
    body: String,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u64,
}

/// Writes the report as a Code Quality report.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let basis = format!(
        "Window: {}. Evidence: {}.",
        words::window(&report.window),
        words::evidence(&report.evidence)
    );
    let issue = |fingerprint: String,
                 check: &str,
                 severity,
                 description: String,
                 (file, line): (String, u64)| Issue {
        kind: "issue",
        description,
        check_name: check.to_owned(),
        fingerprint,
        severity,
        categories: ["Security"],
        content: Content {
            body: basis.clone(),
        },
        location: Location {
            path: path_in_repository(&file),
            lines: Lines { begin: line },
        },
    };
    let mut issues = Vec::new();
    if words::trust(&report.evidence) != words::Trust::Complete {
        issues.push(issue(
            "evidence-incomplete".to_owned(),
            "tfdrift/evidence-incomplete",
            "major",
            incomplete(report),
            (first_state(report), 1),
        ));
    }
    for (standing, drift) in shown(report, style) {
        let severity = match (standing, drift.severity) {
            (Standing::Open, Severity::Critical) => "blocker",
            (Standing::Open, Severity::High) => "critical",
            (Standing::Open, Severity::Medium) => "major",
            (Standing::Open, Severity::Low) => "minor",
            _ => "info",
        };
        let check = format!("tfdrift/{}", rule(drift));
        let description = words::sentence(drift, style);
        issues.push(issue(
            drift.id.clone(),
            &check,
            severity,
            description,
            position(drift, report),
        ));
    }
    for call in failed(report, style) {
        issues.push(issue(
            format!("refused-{}", call.event.event_id),
            "tfdrift/refused-call",
            "info",
            words::refused(call),
            (first_state(report), 1),
        ));
    }
    pretty(&issues, out)?;
    writeln!(out)
}

fn incomplete(report: &Report) -> String {
    let mut text = format!("The evidence is {}", words::evidence(&report.evidence));
    for item in report.evidence.unreadable.iter().take(10) {
        text.push_str(&format!("; not read: {}", words::unreadable(item)));
    }
    text
}

/// The rule that a drift is filed under: the first severity rule that matched, else its kind.
pub fn rule(drift: &Drift) -> String {
    let named = drift.rules.first().map(|rule| {
        rule.chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_./".contains(*c))
            .take(100)
            .collect::<String>()
    });
    named
        .filter(|rule| !rule.is_empty())
        .unwrap_or_else(|| format!("resource-{}", drift.kind.word()))
}

/// Where a drift is to be shown: its Terraform code, else the state that holds it, else the first
/// state there is.
pub fn position(drift: &Drift, report: &Report) -> (String, u64) {
    match (&drift.source, &drift.state) {
        (Some(source), _) => (source.file.clone(), source.line.max(1)),
        (None, Some(state)) => (state.clone(), 1),
        (None, None) => (first_state(report), 1),
    }
}

pub fn first_state(report: &Report) -> String {
    report
        .states
        .first()
        .map(|state| state.location.clone())
        .filter(|location| !location.is_empty() && location != "-")
        .unwrap_or_else(|| "terraform.tfstate".to_owned())
}

/// A location as a path that CI systems take: with forward slashes, no `./` in front.
pub fn path_in_repository(location: &str) -> String {
    let path = location.replace('\\', "/");
    let path = path.trim_start_matches("./");
    if path.is_empty() {
        "terraform.tfstate".to_owned()
    } else {
        path.to_owned()
    }
}
