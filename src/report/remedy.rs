//! `remedy`: Terraform code that puts drift right, to be looked at and then added to the configuration:
//! import blocks for what is unmanaged, removed blocks for what is to stay gone. Nothing is executed.

use std::io::{self, Write};

use super::sections::{Standing, failed, shown};
use super::text::visible;
use super::{Style, words};
use crate::drift::model::Report;

/// Writes the blocks; all else is comments.
pub(super) fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    comment(out, &format!("tfdrift, {}", words::window(&report.window)))?;
    comment(out, &words::evidence(&report.evidence))?;
    for unreadable in &report.evidence.unreadable {
        comment(out, &words::unreadable(unreadable))?;
    }
    for (standing, drift) in shown(report, style) {
        writeln!(out)?;
        if standing != Standing::Open {
            comment(out, standing.heading())?;
        }
        comment(out, &words::sentence(drift, style))?;
        comment(out, &drift.remedy.summary)?;
        if let Some(command) = &drift.remedy.command {
            comment(out, command)?;
        }
        if let Some(code) = drift
            .remedy
            .hcl
            .as_ref()
            .filter(|_| standing == Standing::Open)
        {
            for line in code.lines() {
                writeln!(out, "{}", visible(line))?;
            }
        }
    }
    for call in failed(report, style) {
        writeln!(out)?;
        comment(
            out,
            &format!(
                "refused: {} {} on {}",
                words::instant(call.event.time),
                words::call(&call.event),
                call.address
            ),
        )?;
    }
    Ok(())
}

fn comment(out: &mut dyn Write, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(out, "# {}", visible(text))
}

#[cfg(test)]
mod tests {
    use super::super::tests::rendered;
    use super::super::{Format, Style, fixture};

    #[test]
    fn every_line_is_a_comment_or_belongs_to_a_block() {
        let text = rendered(Format::Remedy, &fixture::rich(), &Style::default());
        let mut depth = 0_usize;
        for line in text.lines() {
            let opens = !line.starts_with('#') && line.ends_with('{');
            assert!(
                line.is_empty() || line.starts_with("# ") || depth > 0 || opens,
                "{line}"
            );
            depth += usize::from(opens);
            depth -= usize::from(!line.starts_with('#') && line.trim() == "}");
        }
        assert_eq!(depth, 0);
        assert!(text.contains("import {"), "{text}");
    }
}
