//! `side-by-side`: what Terraform believes on the left, what the evidence ends with on the right.

use std::io::{self, Write};

use similar::ChangeTag;

use super::diff::{about, comment, preamble};
use super::lines::{Hunk, hunks, of_drift};
use super::paint::Paint;
use super::sections::{Standing, failed, sections};
use super::text::{Cut, fit, guarded, pad, visible, width, wrap};
use super::{Style, words};
use crate::drift::model::{Drift, Report};

/// Equal lines around what differs.
const CONTEXT: usize = 3;
/// Columns that one side needs to be of use.
const LEAST: usize = 16;

/// Writes the report with both sides beside each other.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    preamble(report, style.width, paint, out)?;
    let sections = sections(report, style);
    if sections
        .iter()
        .all(|section| section.standing != Standing::Open)
    {
        comment(&words::nothing_drifted(report), style.width, paint, out)?;
    }
    for section in &sections {
        if section.standing != Standing::Open {
            writeln!(out)?;
            comment(section.standing.heading(), style.width, paint, out)?;
        }
        for drift in &section.drifts {
            writeln!(out)?;
            one(drift, style, paint, out)?;
        }
    }
    let refused = failed(report, style);
    if !refused.is_empty() {
        writeln!(out)?;
        comment("Refused calls", style.width, paint, out)?;
    }
    for call in refused {
        let line = format!(
            "{} {}",
            words::instant(call.event.time),
            words::refused(call)
        );
        comment(&line, style.width, paint, out)?;
    }
    Ok(())
}

fn one(drift: &Drift, style: &Style, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for line in wrap(&visible(&drift.subject()), style.width) {
        writeln!(out, "{}", paint.strong(&line))?;
    }
    about(drift, style.width, paint, out)?;
    let columns = Columns::of(style);
    let rule = if style.unicode { "─" } else { "-" };
    let joint = if style.unicode { "┼" } else { "+" };
    columns.row("Terraform State", " ", "Actual Configuration", paint, out)?;
    let side = rule.repeat(columns.side + 1);
    writeln!(
        out,
        "{}",
        paint.faint(&format!("{side}{rule}{joint}{rule}{side}"))
    )?;
    for (position, hunk) in hunks(&of_drift(drift, style.reveal), CONTEXT)
        .iter()
        .enumerate()
    {
        if position > 0 {
            columns.row(columns.gap, " ", columns.gap, paint, out)?;
        }
        for (left, right) in pairs(hunk) {
            let sign = match (&left, &right) {
                (Some(left), Some(right)) if left == right => " ",
                (Some(_), Some(_)) => "~",
                (Some(_), None) => "-",
                _ => "+",
            };
            columns.row(
                &left.unwrap_or_default(),
                sign,
                &right.unwrap_or_default(),
                paint,
                out,
            )?;
        }
    }
    Ok(())
}

/// The lines of a hunk, those that are gone beside those that are new in their place.
fn pairs(hunk: &Hunk) -> Vec<(Option<String>, Option<String>)> {
    let mut pairs = Vec::new();
    let mut gone = Vec::new();
    let mut new = Vec::new();
    let mut settle = |gone: &mut Vec<String>, new: &mut Vec<String>| {
        let rows = gone.len().max(new.len());
        let mut left = std::mem::take(gone).into_iter();
        let mut right = std::mem::take(new).into_iter();
        let mut settled: Vec<_> = (0..rows).map(|_| (left.next(), right.next())).collect();
        pairs.append(&mut settled);
    };
    let mut equal = Vec::new();
    let mut part = 0;
    for line in &hunk.lines {
        if line.part != part {
            settle(&mut gone, &mut new);
            part = line.part;
        }
        match line.tag {
            ChangeTag::Delete => gone.push(line.text.clone()),
            ChangeTag::Insert => new.push(line.text.clone()),
            ChangeTag::Equal => {
                settle(&mut gone, &mut new);
                equal.push(line.text.clone());
                settle(&mut equal.clone(), &mut equal);
            }
        }
    }
    settle(&mut gone, &mut new);
    pairs
}

struct Columns {
    side: usize,
    bar: &'static str,
    gap: &'static str,
    mark: &'static str,
}

impl Columns {
    fn of(style: &Style) -> Self {
        // A line is LEFT, sign, bar, RIGHT, with a blank between each.
        let side = (style.width.saturating_sub(5) / 2).max(LEAST);
        if style.unicode {
            Self {
                side,
                bar: "│",
                gap: "⋮",
                mark: "…",
            }
        } else {
            Self {
                side,
                bar: "|",
                gap: "...",
                mark: "...",
            }
        }
    }

    fn row(
        &self,
        left: &str,
        sign: &str,
        right: &str,
        paint: Paint,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (lefts, rights) = (self.broken(left), self.broken(right));
        for row in 0..lefts.len().max(rights.len()) {
            let left = pad(lefts.get(row).map_or("", String::as_str), self.side);
            let right = rights.get(row).map_or("", String::as_str);
            let (left, right) = match sign {
                " " => (left, right.to_owned()),
                _ => (paint.gone(&left), paint.fresh(right)),
            };
            let sign = if row == 0 { sign } else { " " };
            let line = format!("{left} {sign} {} {right}", paint.faint(self.bar));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// A line over as many rows as it needs, at most three.
    fn broken(&self, text: &str) -> Vec<String> {
        const ROWS: usize = 3;
        let mut rows = Vec::new();
        let mut rest = text;
        while width(rest) > self.side && rows.len() + 1 < ROWS {
            let head = fit(rest, self.side, Cut::End, "");
            if head.is_empty() {
                break;
            }
            rest = rest.get(head.len()..).unwrap_or_default();
            rows.push(head);
        }
        rows.push(fit(rest, self.side, Cut::End, self.mark));
        rows.into_iter().map(guarded).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Sides;
    use super::*;

    #[test]
    fn what_is_gone_stands_beside_what_is_new_in_its_place() {
        let sides = [Sides {
            before: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            after: ["a", "B", "c", "d", "e"].map(str::to_owned).to_vec(),
        }];
        let rows: Vec<String> = hunks(&sides, 3)
            .iter()
            .flat_map(pairs)
            .map(|(left, right)| {
                format!("{}|{}", left.unwrap_or_default(), right.unwrap_or_default())
            })
            .collect();
        assert_eq!(rows, ["a|a", "b|B", "c|c", "d|d", "|e"]);
    }
}
