//! `diff`: a unified diff per resource, from what Terraform believes to what the evidence ends
//! with. Lines before and between the diffs begin with `#`, which tools for diffs pass over.

use std::io::{self, Write};

use similar::ChangeTag;

use super::lines::{hunks, mark, of_drift};
use super::paint::Paint;
use super::sections::{Standing, failed, sections};
use super::text::{visible, wrap};
use super::{Style, words};
use crate::drift::model::{Drift, Report};

/// Equal lines around what differs.
const CONTEXT: usize = 3;
/// Comments stand on one line each, whatever the width: a diff goes into files.
const WHOLE: usize = usize::MAX;

/// Writes the report as unified diffs.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    preamble(report, WHOLE, paint, out)?;
    let sections = sections(report, style);
    if sections
        .iter()
        .all(|section| section.standing != Standing::Open)
    {
        comment(&words::nothing_drifted(report), WHOLE, paint, out)?;
    }
    for section in &sections {
        if section.standing != Standing::Open {
            writeln!(out)?;
            comment(section.standing.heading(), WHOLE, paint, out)?;
        }
        for drift in &section.drifts {
            writeln!(out)?;
            about(drift, WHOLE, paint, out)?;
            one(drift, style, paint, out)?;
        }
    }
    let refused = failed(report, style);
    if !refused.is_empty() {
        writeln!(out)?;
        comment("Refused calls", WHOLE, paint, out)?;
    }
    for call in refused {
        let line = format!(
            "{} {}",
            words::instant(call.event.time),
            words::refused(call)
        );
        comment(&line, WHOLE, paint, out)?;
    }
    Ok(())
}

/// The window, the totals and the evidence, as comments.
pub fn preamble(
    report: &Report,
    width: usize,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    comment(
        &format!("Window: {}", words::window(&report.window)),
        width,
        paint,
        out,
    )?;
    comment(
        &format!("Total: {}", words::totals(report)),
        width,
        paint,
        out,
    )?;
    comment(
        &format!("Evidence: {}", words::evidence(&report.evidence)),
        width,
        paint,
        out,
    )?;
    for item in &report.evidence.unreadable {
        comment(
            &format!("Not read: {}", words::unreadable(item)),
            width,
            paint,
            out,
        )?;
    }
    for item in &report.evidence.unmapped {
        comment(
            &format!("Not judged: {}", words::unmapped(item)),
            width,
            paint,
            out,
        )?;
    }
    Ok(())
}

/// Writes a comment, each of its lines at most `width` columns.
pub fn comment(text: &str, width: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(text, width.saturating_sub(2)) {
        writeln!(out, "{}", paint.faint(&format!("# {line}")))?;
    }
    Ok(())
}

/// Who made the drift and how much it matters, as comments above its diff.
pub fn about(drift: &Drift, width: usize, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut line = format!("{} {}", drift.severity.word(), drift.kind.word());
    if let Some(ending) = words::ending(drift) {
        line.push_str(&format!(", {ending}"));
    }
    comment(&line, width, paint, out)?;
    for event in &drift.events {
        let line = format!(
            "{} {} by {} ({})",
            words::instant(event.time),
            words::call(event),
            words::who(&event.actor),
            event.origin.class.word()
        );
        comment(&line, width, paint, out)?;
    }
    Ok(())
}

fn one(drift: &Drift, style: &Style, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let subject = visible(&drift.subject()).into_owned();
    writeln!(
        out,
        "{}",
        paint.strong(&format!("--- terraform/{subject} (Terraform State)"))
    )?;
    writeln!(
        out,
        "{}",
        paint.strong(&format!("+++ runtime/{subject} (Actual Configuration)"))
    )?;
    for hunk in hunks(&of_drift(drift, style.reveal), CONTEXT) {
        writeln!(out, "{}", paint.place(&hunk.header))?;
        for line in hunk.lines {
            let text = format!("{}{}", mark(line.tag), line.text);
            let text = match line.tag {
                ChangeTag::Delete => paint.gone(&text),
                ChangeTag::Insert => paint.fresh(&text),
                ChangeTag::Equal => text,
            };
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}
