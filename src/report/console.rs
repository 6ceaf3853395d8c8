//! `console`: a framed block per drift, with the full story for a person at a terminal.

use std::io::{self, Write};

use super::lines::{hunks, mark, of_change, of_drift};
use super::paint::Paint;
use super::sections::{Standing, failed, sections};
use super::table::{arrow, footer, header, verdict};
use super::text::{visible, width, wrap};
use super::value::{Change, Side};
use super::{Style, words};
use crate::drift::model::{Attribute, Drift, Event, FailedCall, Kind, Report, Severity, Status};
use similar::ChangeTag;

/// Columns of the label before a value.
const LABEL: usize = 18;
/// Columns of the label of a detail below a heading, so that all values stand in one column.
const DETAIL: usize = 16;
/// Lines of one attribute's difference that are printed; a policy can be thousands.
const LONGEST: usize = 60;

/// Writes the report as framed blocks.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page {
        style,
        paint: Paint {
            colour: style.colour,
        },
    };
    header(report, style, out)?;
    let sections = sections(report, style);
    if sections
        .iter()
        .all(|section| section.standing != Standing::Open)
    {
        verdict(report, style, out)?;
    }
    for section in &sections {
        if section.standing != Standing::Open || sections.len() > 1 {
            writeln!(out, "\n{}", page.paint.strong(section.standing.heading()))?;
        }
        for drift in &section.drifts {
            writeln!(out)?;
            page.block(drift, out)?;
        }
    }
    let refused = failed(report, style);
    if !refused.is_empty() {
        writeln!(out, "\n{}", page.paint.strong("Refused calls"))?;
        for call in refused {
            page.refused(call, out)?;
        }
    }
    footer(report, style, out)
}

/// A page that is written line by line.
pub struct Page<'a> {
    /// How it is to look.
    pub style: &'a Style,
    /// What paints it.
    pub paint: Paint,
}

impl Page<'_> {
    fn rule(&self, severity: Severity, out: &mut dyn Write) -> io::Result<()> {
        let rule =
            if self.style.unicode { "━" } else { "=" }.repeat(self.style.width.clamp(20, 100));
        writeln!(out, "{}", self.paint.severity(severity, &rule))
    }

    /// An icon that takes two columns everywhere, or nothing.
    pub fn icon(&self, icon: &str) -> String {
        if self.style.unicode {
            format!("{icon} ")
        } else {
            String::new()
        }
    }

    fn block(&self, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
        let paint = self.paint;
        let culprit = drift.culprit();
        self.rule(drift.severity, out)?;
        let (icon, title) = match drift.status {
            Status::Open => ("🚨", "DRIFT DETECTED"),
            Status::Reconciled if drift.is_applied() => ("🔧", "CHANGED BY TERRAFORM"),
            Status::Reverted | Status::Reconciled => ("✅", "DRIFT RESOLVED"),
            Status::Suppressed => ("🔕", "DRIFT SUPPRESSED"),
        };
        let title = format!("{}{title}: {}", self.icon(icon), visible(&drift.subject()));
        for line in wrap(&title, self.room(0)) {
            writeln!(out, "{}", paint.strong(&line))?;
        }
        self.rule(drift.severity, out)?;

        self.severity(drift, out)?;
        if let Some(ending) = words::ending(drift) {
            self.field("🏁", "Status", &ending, out)?;
        }
        self.heading("📦", "Resource", out)?;
        self.resource(drift, out)?;
        writeln!(out)?;
        match drift.kind {
            Kind::Modified => {}
            Kind::Deleted => self.whole(drift, "the whole resource is gone", out)?,
            Kind::Unmanaged => self.whole(drift, "created outside of every state", out)?,
        }
        if drift.kind == Kind::Modified {
            for attribute in &drift.attributes {
                self.attribute(drift, attribute, out)?;
            }
        }
        if let Some(event) = culprit {
            self.heading("👤", "Changed By", out)?;
            self.actor(event, out)?;
            writeln!(out)?;
            self.field("🕒", "Timestamp", &words::instant(event.time), out)?;
        }
        self.calls(drift, out)?;
        self.remedy(drift, out)?;
        self.rule(drift.severity, out)
    }

    fn severity(&self, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
        let icon = match drift.severity {
            Severity::Critical => "🔴",
            Severity::High => "🟠",
            Severity::Medium => "🟡",
            Severity::Low => "🔵",
        };
        let word = drift.severity.word().to_uppercase();
        let painted = self.paint.severity(drift.severity, &word);
        let rules: Vec<_> = drift.rules.iter().map(|rule| visible(rule)).collect();
        let rules = rules.join(", ");
        let fits = width(&word) + width(&rules) + 2 <= self.room(self.indent() + LABEL + 1);
        if rules.is_empty() || !fits {
            self.label(icon, "Severity", &painted, "", out)?;
            return if rules.is_empty() {
                Ok(())
            } else {
                self.detail("Rules", &rules, out)
            };
        }
        self.label(
            icon,
            "Severity",
            &painted,
            &self.paint.faint(&format!("  {rules}")),
            out,
        )
    }

    /// Columns that are left behind an indent.
    pub fn room(&self, indent: usize) -> usize {
        self.style.width.saturating_sub(indent).max(12)
    }

    /// Columns that an icon takes.
    pub fn indent(&self) -> usize {
        if self.style.unicode { 3 } else { 0 }
    }

    /// A heading with its icon.
    pub fn heading(&self, icon: &str, label: &str, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{}{}",
            self.icon(icon),
            self.paint.strong(&format!("{label}:"))
        )
    }

    /// A label with a value that is painted already and known to be short.
    fn label(
        &self,
        icon: &str,
        label: &str,
        value: &str,
        beside: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let label = super::text::pad(&format!("{label}:"), LABEL);
        writeln!(
            out,
            "{}{} {value}{beside}",
            self.icon(icon),
            self.paint.strong(&label)
        )
    }

    /// A label with a value that may need several lines.
    fn field(&self, icon: &str, label: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = self.indent() + LABEL + 1;
        for (position, line) in wrap(value, self.room(indent)).iter().enumerate() {
            if position == 0 {
                self.label(icon, label, line, "", out)?;
            } else {
                writeln!(out, "{}{line}", " ".repeat(indent))?;
            }
        }
        Ok(())
    }

    /// A detail that is painted already and known to fit on its line.
    pub fn painted(&self, label: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
        let label = super::text::pad(&format!("{label}:"), DETAIL);
        let indent = " ".repeat(self.indent() + 2);
        writeln!(out, "{indent}{} {value}", self.paint.faint(&label))
    }

    /// A detail below a heading, over as many lines as it needs.
    pub fn detail(&self, label: &str, value: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = self.indent() + 2;
        let label = super::text::pad(&format!("{label}:"), DETAIL);
        for (position, line) in wrap(value, self.room(indent + DETAIL + 1))
            .iter()
            .enumerate()
        {
            let label = if position == 0 {
                label.clone()
            } else {
                " ".repeat(DETAIL)
            };
            writeln!(
                out,
                "{}{} {line}",
                " ".repeat(indent),
                self.paint.faint(&label)
            )?;
        }
        Ok(())
    }

    fn resource(&self, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
        self.detail("Type", &visible(&drift.resource_type), out)?;
        let name = drift.own_name();
        if let Some(name) = name {
            self.detail("Name", &visible(name), out)?;
        }
        self.detail(
            "ID",
            &visible(drift.resource_id.as_deref().unwrap_or("not known")),
            out,
        )?;
        if let Some(parent) = &drift.parent {
            self.detail("Parent", &visible(parent), out)?;
        }
        let place = format!("{} in {}", visible(&drift.account), visible(&drift.region));
        self.detail("Account", &place, out)?;
        if let Some(state) = &drift.state {
            self.detail("State", &visible(state), out)?;
        }
        if let Some(source) = &drift.source {
            self.detail("Code", &visible(&source.to_string()), out)?;
        }
        Ok(())
    }

    fn whole(&self, drift: &Drift, what: &str, out: &mut dyn Write) -> io::Result<()> {
        self.field("🔧", "Changed", what, out)?;
        self.heading("🔄", "Value Change", out)?;
        let sides = of_drift(drift, self.style.reveal);
        self.difference(&sides, out)?;
        writeln!(out)
    }

    fn attribute(
        &self,
        drift: &Drift,
        attribute: &Attribute,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.change(drift, attribute, out)?;
        if let Some(event) = words::setter(drift, attribute) {
            let line = format!(
                "{} with {} at {}",
                words::who(&event.actor),
                visible(&event.name),
                words::instant(event.time)
            );
            self.detail("Set By", &line, out)?;
        }
        writeln!(out)
    }

    fn change(&self, drift: &Drift, attribute: &Attribute, out: &mut dyn Write) -> io::Result<()> {
        self.field("🔧", "Changed Attribute", &visible(&attribute.path), out)?;
        let change = Change::of(attribute, self.style.reveal);
        if change.is_long() && drift.is_applied() {
            self.heading("🔄", "Value Change", out)?;
            let set = Change {
                before: Side::Absent,
                ..change
            };
            return self.difference(&[of_change(&attribute.path, &set)], out);
        }
        if change.is_long() && !change.came_back() {
            self.heading("🔄", "Value Change", out)?;
            return self.difference(&[of_change(&attribute.path, &change)], out);
        }
        if change.came_back() {
            self.field(
                "🔄",
                "Value Change",
                &words::change(drift, attribute, self.style.reveal, ""),
                out,
            )?;
            return Ok(());
        }
        let (before, after) = (
            format!("- {}", change.before.inline()),
            format!("+ {}", change.after.inline()),
        );
        let arrow = arrow(self.style);
        let (gone, new) = (self.paint.gone(&before), self.paint.fresh(&after));
        let indent = self.indent() + LABEL + 1;
        if width(&before) + width(&after) + width(arrow) + 2 <= self.room(indent) {
            self.label(
                "🔄",
                "Value Change",
                &format!("{gone} {arrow} {new}"),
                "",
                out,
            )?;
        } else {
            self.heading("🔄", "Value Change", out)?;
            for (side, is_new) in [(before, false), (after, true)] {
                for line in wrap(&side, self.room(self.indent().max(2))) {
                    let line = if is_new {
                        self.paint.fresh(&line)
                    } else {
                        self.paint.gone(&line)
                    };
                    writeln!(out, "{}{line}", " ".repeat(self.indent().max(2)))?;
                }
            }
        }
        Ok(())
    }

    /// Texts that differ, line by line.
    pub fn difference(&self, sides: &[super::lines::Sides], out: &mut dyn Write) -> io::Result<()> {
        let indent = " ".repeat(self.indent().max(2));
        let hunks = hunks(sides, 2);
        let total: usize = hunks.iter().map(|hunk| hunk.lines.len()).sum();
        let mut printed = 0;
        for (position, hunk) in hunks.iter().enumerate() {
            if position > 0 && printed < LONGEST {
                let gap = if self.style.unicode { "⋮" } else { "..." };
                writeln!(out, "{indent}{}", self.paint.faint(gap))?;
            }
            for line in hunk.lines.iter().take(LONGEST.saturating_sub(printed)) {
                let room = self.room(indent.len() + 2);
                for (position, part) in wrap_code(&line.text, room).into_iter().enumerate() {
                    let sign = if position == 0 { mark(line.tag) } else { ' ' };
                    let text = format!("{sign} {part}");
                    let text = match line.tag {
                        ChangeTag::Delete => self.paint.gone(&text),
                        ChangeTag::Insert => self.paint.fresh(&text),
                        ChangeTag::Equal => self.paint.faint(&text),
                    };
                    writeln!(out, "{indent}{}", text.trim_end())?;
                }
                printed += 1;
            }
        }
        if total > LONGEST {
            writeln!(out, "{indent}and {} more lines", total - LONGEST)?;
        }
        Ok(())
    }

    fn actor(&self, event: &Event, out: &mut dyn Write) -> io::Result<()> {
        let actor = &event.actor;
        self.detail("User", &words::who(actor), out)?;
        self.detail("Type", &visible(&actor.kind), out)?;
        let optional = [
            ("Account", actor.account.as_deref()),
            ("Role", actor.role.as_deref()),
            ("Source Address", actor.source_ip.as_deref()),
        ];
        for (label, value) in optional {
            if let Some(value) = value {
                self.detail(label, &visible(value), out)?;
            }
        }
        if let Some(mfa) = actor.mfa {
            self.detail("MFA", if mfa { "yes" } else { "no" }, out)?;
        }
        self.detail("Origin", &words::origin(&event.origin), out)
    }

    fn calls(&self, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
        match drift.events.as_slice() {
            [] => Ok(()),
            [one] => {
                self.field("📞", "Call", &words::call(one), out)?;
                self.field("🔖", "Event ID", &visible(&one.event_id), out)
            }
            many => {
                self.heading("📞", "Calls", out)?;
                for event in many {
                    let indent = " ".repeat(self.indent().max(2));
                    let line = format!(
                        "{}  {} by {} ({})",
                        words::instant(event.time),
                        words::call(event),
                        words::who(&event.actor),
                        event.origin.class.word(),
                    );
                    for (position, part) in
                        wrap(&line, self.room(indent.len() + 4)).iter().enumerate()
                    {
                        let more = if position == 0 { "" } else { "    " };
                        writeln!(out, "{indent}{more}{part}")?;
                    }
                }
                Ok(())
            }
        }
    }

    fn remedy(&self, drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
        let remedy = &drift.remedy;
        let empty = remedy.summary.is_empty() && remedy.command.is_none() && remedy.hcl.is_none();
        if empty && remedy.console_url.is_none() {
            return Ok(());
        }
        writeln!(out)?;
        self.heading("💡", "To Put It Back", out)?;
        let indent = " ".repeat(self.indent().max(2));
        if !remedy.summary.is_empty() {
            for line in wrap(&visible(&remedy.summary), self.room(indent.len())) {
                writeln!(out, "{indent}{line}")?;
            }
        }
        if let Some(command) = &remedy.command {
            // Never broken over lines: it is there to be copied.
            writeln!(
                out,
                "{indent}{} {}",
                self.paint.faint("$"),
                visible(command)
            )?;
        }
        for line in remedy.hcl.iter().flat_map(|code| code.lines()) {
            writeln!(out, "{indent}{}", visible(line))?;
        }
        if let Some(url) = &remedy.console_url {
            writeln!(out, "{indent}{}", self.paint.faint(&visible(url)))?;
        }
        Ok(())
    }

    fn refused(&self, failed: &FailedCall, out: &mut dyn Write) -> io::Result<()> {
        let line = format!(
            "{}  {}",
            words::instant(failed.event.time),
            words::refused(failed)
        );
        for (position, part) in wrap(&line, self.room(6)).iter().enumerate() {
            writeln!(out, "{}{part}", if position == 0 { "  " } else { "      " })?;
        }
        Ok(())
    }
}

/// Breaks a line of code, the rest indented deeper than its start.
fn wrap_code(text: &str, room: usize) -> Vec<String> {
    if width(text) <= room {
        return vec![text.to_owned()];
    }
    let blanks = (text.len() - text.trim_start().len()).min(room / 2);
    let more = " ".repeat(blanks + 2);
    wrap(text.trim_start(), room.saturating_sub(blanks + 2))
        .into_iter()
        .enumerate()
        .map(|(position, part)| {
            if position == 0 {
                format!("{}{part}", " ".repeat(blanks))
            } else {
                format!("{more}{part}")
            }
        })
        .collect()
}
