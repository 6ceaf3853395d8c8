//! `junit`: JUnit XML, which every CI system draws. Each open drift at or over the threshold is a
//! failed test case, one below it passes and says so, as does a resolved one, a suppressed one is
//! skipped, and evidence that is not complete is an error.

use std::io::{self, Write};

use super::lines::{hunks, mark, of_drift};
use super::sections::{Standing, failed, shown};
use super::text::visible;
use super::xml::escape;
use super::{Style, words};
use crate::drift::model::{Drift, Report};

/// Writes the report as JUnit XML.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(report, style);
    let refused = failed(report, style);
    let fails = |drift: &Drift| report.threshold.counts(drift);
    let number = |counts: &dyn Fn(Standing, &Drift) -> bool| {
        let counted = shown
            .iter()
            .filter(|(standing, drift)| counts(*standing, drift));
        counted.count()
    };
    let failures = number(&|_, drift| fails(drift));
    let skipped = number(&|standing, _| standing == Standing::Suppressed);
    let complete = words::trust(&report.evidence) == words::Trust::Complete;
    let errors = usize::from(!complete);
    let tests = shown.len() + refused.len() + 1;

    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="tfdrift" tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="0">"#
    )?;
    writeln!(
        out,
        r#"  <testsuite name="tfdrift" tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="0" timestamp="{}">"#,
        report.window.until.strftime("%Y-%m-%dT%H:%M:%S"),
    )?;
    properties(report, out)?;
    evidence(report, complete, out)?;
    for (standing, drift) in shown {
        case(standing, fails(drift), drift, style, out)?;
    }
    for call in refused {
        open("refused", &call.address, out)?;
        let line = format!(
            "{} {}",
            words::instant(call.event.time),
            words::refused(call)
        );
        writeln!(
            out,
            "      <system-out>{}</system-out>",
            escape(&line, true)
        )?;
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn properties(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let since = report
        .window
        .since
        .map_or_else(|| "the beginning".to_owned(), |t| t.to_string());
    let properties = [
        ("window.since", since),
        ("window.until", report.window.until.to_string()),
        ("total", words::totals(report)),
        ("evidence", words::evidence(&report.evidence)),
        ("states", words::states(&report.states)),
    ];
    writeln!(out, "    <properties>")?;
    for (name, value) in properties {
        writeln!(
            out,
            r#"      <property name="{name}" value="{}"/>"#,
            escape(&value, false)
        )?;
    }
    writeln!(out, "    </properties>")
}

fn open(class: &str, name: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"    <testcase classname="{}" name="{}" time="0">"#,
        escape(class, false),
        escape(name, false)
    )
}

fn evidence(report: &Report, complete: bool, out: &mut dyn Write) -> io::Result<()> {
    let line = words::evidence(&report.evidence);
    open("tfdrift", "the evidence is complete", out)?;
    if complete {
        writeln!(
            out,
            "      <system-out>{}</system-out>",
            escape(&line, true)
        )?;
    } else {
        writeln!(
            out,
            r#"      <error type="incomplete-evidence" message="{}">"#,
            escape(&line, false)
        )?;
        for item in &report.evidence.unreadable {
            writeln!(out, "{}", escape(&words::unreadable(item), true))?;
        }
        writeln!(out, "      </error>")?;
    }
    writeln!(out, "    </testcase>")
}

fn case(
    standing: Standing,
    fails: bool,
    drift: &Drift,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    open(&drift.resource_type, &drift.subject(), out)?;
    let message = escape_message(drift, style);
    let story = story(drift, style);
    match standing {
        _ if fails => {
            writeln!(
                out,
                r#"      <failure type="{} {}" message="{message}">{}</failure>"#,
                drift.severity.word(),
                drift.kind.word(),
                escape(&story, true)
            )?;
        }
        Standing::Suppressed => {
            let reason = words::ending(drift).unwrap_or_default();
            writeln!(
                out,
                r#"      <skipped message="{}"/>"#,
                escape(&reason, false)
            )?;
            writeln!(
                out,
                "      <system-out>{}</system-out>",
                escape(&story, true)
            )?;
        }
        Standing::Open => {
            writeln!(
                out,
                "      <system-out>open, below the threshold: {message}\n{}</system-out>",
                escape(&story, true)
            )?;
        }
        Standing::Resolved | Standing::Iac => {
            writeln!(
                out,
                "      <system-out>{}</system-out>",
                escape(&story, true)
            )?;
        }
    }
    writeln!(out, "    </testcase>")
}

fn escape_message(drift: &Drift, style: &Style) -> String {
    escape(&words::sentence(drift, style), false).into_owned()
}

fn story(drift: &Drift, style: &Style) -> String {
    let mut lines = Vec::new();
    for hunk in hunks(&of_drift(drift, style.reveal), 3) {
        lines.push(hunk.header);
        lines.extend(
            hunk.lines
                .iter()
                .map(|line| format!("{}{}", mark(line.tag), line.text)),
        );
    }
    for event in &drift.events {
        lines.push(format!(
            "{} {} by {} ({})",
            words::instant(event.time),
            words::call(event),
            words::who(&event.actor),
            words::origin(&event.origin)
        ));
    }
    if let Some(command) = &drift.remedy.command {
        lines.push(format!(
            "{} {}",
            visible(&drift.remedy.summary),
            visible(command)
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use crate::drift::model::{Kind, Severity, Status, Threshold};
    use crate::report::tests::rendered;
    use crate::report::{Format, Style, fixture};

    #[test]
    fn what_fails_is_what_reaches_the_threshold() {
        use Kind::{Deleted, Modified, Unmanaged};
        for (kinds, severity, failures) in [
            (vec![Modified, Deleted], Severity::Low, 9),
            (vec![Modified, Deleted, Unmanaged], Severity::Low, 11),
            (vec![Modified, Deleted], Severity::Critical, 3),
            (vec![Deleted], Severity::Low, 1),
            (vec![], Severity::Low, 0),
        ] {
            let mut report = fixture::rich();
            report.threshold = Threshold { kinds, severity };
            let open = report
                .drifts
                .iter()
                .filter(|drift| drift.status == Status::Open);
            let text = rendered(Format::Junit, &report, &Style::default());
            let said = |what: &str| text.matches(what).count();
            assert_eq!(said("<failure "), failures);
            assert_eq!(said(&format!(r#"failures="{failures}""#)), 2);
            assert_eq!(said("below the threshold"), open.count() - failures);
        }
    }
}
