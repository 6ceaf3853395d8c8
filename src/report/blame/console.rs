//! `console`: a framed block per resource, with every call and all that is known of it.

use std::io::{self, Write};

use super::super::console::Page;
use super::super::lines::of_change;
use super::super::paint::Paint;
use super::super::table::{arrow, evidence as write_evidence, labelled};
use super::super::text::{visible, width, wrap};
use super::super::{Style, words};
use super::{
    as_of, believed, change, deed, evidence, in_brief, is_later, left_out, no_attributes, nothing,
    runs, side, standing, totals,
};
use crate::drift::history::{Blame, Held, History, Move, Step};

/// Writes histories as framed blocks.
pub fn write(blame: &Blame, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    labelled("Window  ", &words::window(&blame.window), false, style, out)?;
    labelled("States  ", &words::states(&blame.states), false, style, out)?;
    let block = Block {
        blame,
        page: Page {
            style,
            paint: Paint {
                colour: style.colour,
            },
        },
    };
    if blame.histories.is_empty() {
        writeln!(out)?;
        for line in wrap(&nothing(blame), style.width) {
            writeln!(out, "{line}")?;
        }
    }
    for history in &blame.histories {
        writeln!(out)?;
        block.write(history, out)?;
    }
    writeln!(out)?;
    write_evidence(&blame.evidence, &evidence(blame), style, out)
}

struct Block<'a> {
    blame: &'a Blame,
    page: Page<'a>,
}

impl Block<'_> {
    fn rule(&self, out: &mut dyn Write) -> io::Result<()> {
        let style = self.page.style;
        let rule = if style.unicode { "━" } else { "=" }.repeat(style.width.clamp(20, 100));
        writeln!(out, "{}", self.page.paint.place(&rule))
    }

    fn write(&self, history: &History, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        self.rule(out)?;
        let title = format!("{}{}", page.icon("📜"), visible(&history.subject()));
        for line in wrap(&title, page.room(0)) {
            writeln!(out, "{}", page.paint.strong(&line))?;
        }
        self.rule(out)?;
        page.heading("📦", "Resource", out)?;
        let facts = [
            ("Type", &history.resource_type),
            ("Name", &history.resource_name),
            ("ID", &history.resource_id),
            ("ARN", &history.arn),
            ("Account", &history.account),
            ("Region", &history.region),
            ("State", &history.state),
        ];
        for (label, fact) in facts {
            if let Some(fact) = fact {
                page.detail(label, &visible(fact), out)?;
            }
        }
        writeln!(out)?;
        self.attributes(history, out)?;
        writeln!(out)?;
        self.steps(history, out)?;
        self.rule(out)
    }

    fn attributes(&self, history: &History, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        page.heading("👤", &as_of(self.blame), out)?;
        let indent = " ".repeat(page.indent() + 2);
        if let Some(standing) = standing(history) {
            for line in wrap(standing, page.room(indent.len())) {
                writeln!(out, "{indent}{}", page.paint.alarm(&line))?;
            }
        }
        if history.attributes.is_empty() {
            for line in wrap(&no_attributes(self.blame, history), page.room(indent.len())) {
                writeln!(out, "{indent}{line}")?;
            }
        }
        for held in &history.attributes {
            self.held(held, history, out)?;
        }
        Ok(())
    }

    fn held(&self, held: &Held, history: &History, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        let indent = page.indent() + 2;
        let blanks = " ".repeat(indent);
        let text = format!("{} = {}", visible(&held.path), side(&held.value).inline());
        for (position, line) in wrap(&text, page.room(indent + 2)).iter().enumerate() {
            let more = if position == 0 { "" } else { "  " };
            writeln!(out, "{blanks}{more}{}", page.paint.strong(line))?;
        }
        let below = |text: &str, paint: &dyn Fn(&str) -> String, out: &mut dyn Write| {
            for line in wrap(text, page.room(indent + 4)) {
                writeln!(out, "{blanks}    {}", paint(&line))?;
            }
            io::Result::Ok(())
        };
        if let Some(believed) = believed(held, arrow(page.style)) {
            below(&believed, &|line| page.paint.alarm(line), out)?;
        }
        match history.culprit(held) {
            Some(step) => {
                let event = &step.event;
                let by = format!(
                    "{} ({}) with {} at {}",
                    words::who(&event.actor),
                    event.origin.class.word(),
                    visible(&event.name),
                    words::instant(event.time)
                );
                below(&by, &|line| line.to_owned(), out)
            }
            None if self.blame.at.is_some() => Ok(()),
            None => below(
                "no call in the window set it",
                &|line| page.paint.faint(line),
                out,
            ),
        }
    }

    fn steps(&self, history: &History, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        page.heading("📞", &totals(history), out)?;
        let mut later = false;
        for run in runs(self.blame, history) {
            let step = run.first;
            if !later && is_later(self.blame, step) {
                later = true;
                writeln!(out, "\n{}{}", page.icon("⏩"), page.paint.strong("Later:"))?;
            }
            writeln!(out)?;
            self.step(step, out)?;
            if run.count > 1 {
                let last = words::instant(run.last.event.time);
                page.detail(
                    "Again",
                    &format!("{} more, the last at {last}", run.count - 1),
                    out,
                )?;
            }
        }
        if let Some(left_out) = left_out(history) {
            writeln!(out)?;
            let indent = " ".repeat(page.indent());
            for line in wrap(&left_out, page.room(indent.len())) {
                writeln!(out, "{indent}{}", page.paint.faint(&line))?;
            }
        }
        Ok(())
    }

    fn step(&self, step: &Step, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        let event = &step.event;
        let actor = &event.actor;
        let indent = " ".repeat(page.indent());
        let title = format!("{}  {}", words::instant(event.time), words::call(event));
        for line in wrap(&title, page.room(indent.len())) {
            writeln!(out, "{indent}{}", page.paint.strong(&line))?;
        }
        if let Some(error) = &event.error {
            for line in wrap(
                &format!("REFUSED: {}", visible(error)),
                page.room(indent.len() + 2),
            ) {
                writeln!(out, "{indent}  {}", page.paint.alarm(&line))?;
            }
        }
        let mut who = words::who(actor);
        if !actor.kind.is_empty() {
            who.push_str(&format!(" ({})", visible(&actor.kind)));
        }
        if let Some(role) = actor.role.as_ref().filter(|role| **role != actor.name) {
            who.push_str(&format!(" as {}", visible(role)));
        }
        match actor.mfa {
            Some(true) => who.push_str(", with MFA"),
            Some(false) => who.push_str(", without MFA"),
            None => {}
        }
        page.detail("By", &who, out)?;
        if let Some(from) = &actor.source_ip {
            page.detail("From", &visible(from), out)?;
        }
        page.detail("Origin", &words::origin(&event.origin), out)?;
        page.detail("Event ID", &visible(&event.event_id), out)?;
        if let Some(deed) = deed(step) {
            page.detail("Did", &deed, out)?;
        }
        for one in &step.changes {
            self.change(one, step.refused(), out)?;
        }
        Ok(())
    }

    fn change(&self, one: &Move, refused: bool, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        let both = change(one);
        let label = if refused { "Would Set" } else { "Set" };
        let path = visible(&one.path);
        let arrow = arrow(page.style);
        if one.moved && both.is_long() {
            page.detail(label, &path, out)?;
            if one.added.is_some() || one.removed.is_some() {
                return self.members(one, out);
            }
            return page.difference(&[of_change(&one.path, &both)], out);
        }
        let text = format!("{path}: {}", in_brief(one, arrow));
        // Only what is sure to stand on one line can be painted in parts.
        if one.moved && both.is_plain() && width(&text) <= page.room(page.indent() + 19) {
            let painted = format!(
                "{path}: {} {arrow} {}",
                page.paint.gone(&both.before.inline()),
                page.paint.fresh(&both.after.inline())
            );
            return page.painted(label, &painted, out);
        }
        page.detail(label, &text, out)
    }

    /// Members of a list that came and went.
    fn members(&self, one: &Move, out: &mut dyn Write) -> io::Result<()> {
        let page = &self.page;
        let indent = " ".repeat(page.indent() + 4);
        for (members, sign) in [(&one.removed, '-'), (&one.added, '+')] {
            for member in members.iter().flatten() {
                let text = format!("{sign} {}", super::super::value::inline(member));
                for (position, line) in wrap(&text, page.room(indent.len() + 2)).iter().enumerate()
                {
                    let more = if position == 0 { "" } else { "  " };
                    let line = if sign == '-' {
                        page.paint.gone(line)
                    } else {
                        page.paint.fresh(line)
                    };
                    writeln!(out, "{indent}{more}{line}")?;
                }
            }
        }
        Ok(())
    }
}
