//! `github`: workflow commands that GitHub Actions draws as annotations. What belongs into
//! `$GITHUB_STEP_SUMMARY` and `$GITHUB_OUTPUT` is given as text; who calls writes it there.

use std::io::{self, Write};

use super::gitlab::{path_in_repository, position};
use super::sections::{Standing, failed, shown};
use super::text::visible;
use super::{Style, markdown, words};
use crate::drift::model::{Report, Severity};

/// Annotations of one type that GitHub shows for a step.
const MOST: usize = 10;
/// Bytes that GitHub takes for the summary of a step: 1 MiB, less some for what is there already.
const MOST_OF_SUMMARY: usize = 1_000_000;

/// The types of an annotation, the most severe first.
const TYPES: [&str; 3] = ["error", "warning", "notice"];

/// Writes the report as workflow commands, never more of a type than GitHub shows; the last of a
/// type says how many more there are.
pub(super) fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut annotations: Vec<(&str, String, String)> = Vec::new();
    if words::trust(&report.evidence) != words::Trust::Complete {
        let title = "tfdrift: the evidence is not complete".to_owned();
        let mut lines = vec![words::evidence(&report.evidence)];
        lines.extend(
            report
                .evidence
                .unreadable
                .iter()
                .take(20)
                .map(words::unreadable),
        );
        annotations.push((
            "error",
            format!("title={}", property(&title)),
            lines.join("\n"),
        ));
    }
    for (standing, drift) in shown(report, style) {
        let kind = match (standing, drift.severity) {
            (Standing::Open, Severity::Critical | Severity::High) => "error",
            (Standing::Open, Severity::Medium) => "warning",
            _ => "notice",
        };
        let title = format!("Drift {}: {}", drift.kind.word(), drift.subject());
        let (file, line) = position(drift, report);
        let properties = format!(
            "file={},line={line},title={}",
            property(&visible(&path_in_repository(&file))),
            property(&visible(&title))
        );
        annotations.push((kind, properties, words::sentence(drift, style)));
    }
    for call in failed(report, style) {
        let title = format!("title={}", property("tfdrift: a refused call"));
        let line = format!(
            "{} {}",
            words::instant(call.event.time),
            words::refused(call)
        );
        annotations.push(("notice", title, line));
    }
    for kind in TYPES {
        let of_kind: Vec<_> = annotations
            .iter()
            .filter(|(of, _, _)| *of == kind)
            .collect();
        let room = if of_kind.len() > MOST { MOST - 1 } else { MOST };
        for (_, properties, message) in of_kind.iter().take(room) {
            writeln!(out, "::{kind} {properties}::{}", data(message))?;
        }
        if of_kind.len() > room {
            let more = format!(
                "{} more; the summary of this step lists them",
                of_kind.len() - room
            );
            writeln!(out, "::{kind} title=tfdrift::{}", data(&more))?;
        }
    }
    // Plain lines, for who reads the log; nothing at their start can be a command.
    writeln!(out, "Window: {}", words::window(&report.window))?;
    writeln!(out, "Total: {}", words::totals(report))?;
    writeln!(out, "Evidence: {}", words::evidence(&report.evidence))
}

/// Markdown for `$GITHUB_STEP_SUMMARY`.
#[must_use]
pub fn summary(report: &Report, style: &Style) -> String {
    markdown::text(report, style, MOST_OF_SUMMARY)
}

/// Lines for `$GITHUB_OUTPUT`: counts and the verdict, `name=value` each.
#[must_use]
pub fn outputs(report: &Report) -> String {
    let summary = &report.summary;
    let count = |severity| {
        summary
            .by_severity
            .get(&severity)
            .copied()
            .unwrap_or_default()
    };
    let complete = words::trust(&report.evidence) == words::Trust::Complete;
    let mut text = format!("drifted={}\n", words::open(report) > 0);
    let numbers = [
        ("open", words::open(report)),
        ("failing", report.failing),
        ("modified", summary.modified),
        ("deleted", summary.deleted),
        ("unmanaged", summary.unmanaged),
        ("resolved", summary.resolved),
        ("suppressed", summary.suppressed),
    ];
    for (name, number) in numbers {
        text.push_str(&format!("{name}={number}\n"));
    }
    for severity in Severity::ALL {
        text.push_str(&format!("{}={}\n", severity.word(), count(severity)));
    }
    text.push_str(&format!("complete={complete}\n"));
    text
}

/// The message of a command, as the runner reads it.
fn data(text: &str) -> String {
    escape(text, "%\r\n")
}

/// A property of a command, as the runner reads it.
fn property(text: &str) -> String {
    escape(text, "%\r\n:,")
}

/// Percent-encodes what the runner decodes. What acts on a reader of the log was made visible
/// before; only the line breaks of this file get here.
fn escape(text: &str, encoded: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if encoded.contains(character) {
            out.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Show, fixture, tests::rendered};
    use super::*;

    #[test]
    fn commands_are_encoded_as_the_runner_decodes_them() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }

    #[test]
    fn no_type_has_more_annotations_than_github_shows() {
        let mut report = fixture::rich();
        let more: Vec<_> = (0..30).flat_map(|_| fixture::rich().drifts).collect();
        report.drifts.extend(more);
        let text = rendered(
            Format::Github,
            &report,
            &Style {
                show: Show::ALL,
                ..Style::default()
            },
        );
        for kind in TYPES {
            let number = text
                .lines()
                .filter(|line| line.starts_with(&format!("::{kind} ")))
                .count();
            assert_eq!(number, MOST, "{kind}");
        }
        assert!(text.contains("more; the summary"));
    }

    #[test]
    fn outputs_are_names_with_plain_values() {
        let text = outputs(&fixture::rich());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "drifted=true",
                "open=11",
                "failing=9",
                "modified=8",
                "deleted=1",
                "unmanaged=2",
                "resolved=2",
                "suppressed=1",
                "critical=3",
                "high=4",
                "medium=3",
                "low=1",
                "complete=true",
            ]
        );
    }
}
