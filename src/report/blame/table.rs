//! `table`: whose call each attribute comes from, one line each; then the calls, one line each with
//! what they changed below.

use std::io::{self, Write};

use super::super::paint::Paint;
use super::super::table::{arrow, ellipsis, evidence as write_evidence, labelled, shares, when};
use super::super::text::{Cut, fit, guarded, pad, visible, width, wrap};
use super::super::{Style, words};
use super::{
    Run, as_of, believed, change, deed, evidence, from, identity, in_brief, is_later, left_out,
    no_attributes, nothing, runs, side, standing, totals,
};
use crate::drift::history::{Blame, History, Step};

/// Blanks between columns.
const GAP: usize = 2;
const ATTRIBUTES: [&str; 5] = ["ATTRIBUTE", "VALUE", "WHO", "ORIGIN", "WHEN"];
const LEAST_OF_ATTRIBUTES: [usize; 5] = [16, 12, 8, 6, 0];
const CALLS: [&str; 5] = ["WHEN", "WHO", "ORIGIN", "FROM", "CALL"];
const LEAST_OF_CALLS: [usize; 5] = [0, 10, 7, 9, 16];

/// Writes histories as tables.
pub fn write(blame: &Blame, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    labelled("Window  ", &words::window(&blame.window), false, style, out)?;
    labelled("States  ", &words::states(&blame.states), false, style, out)?;
    if blame.histories.is_empty() {
        writeln!(out)?;
        for line in wrap(&nothing(blame), style.width) {
            writeln!(out, "{line}")?;
        }
    }
    for history in &blame.histories {
        write_history(blame, history, style, out)?;
    }
    writeln!(out)?;
    write_evidence(&blame.evidence, &evidence(blame), style, out)
}

fn write_history(
    blame: &Blame,
    history: &History,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    writeln!(out)?;
    for line in wrap(&visible(&history.subject()), style.width) {
        writeln!(out, "{}", paint.strong(&line))?;
    }
    for line in wrap(&identity(history), style.width) {
        writeln!(out, "{}", paint.faint(&line))?;
    }
    writeln!(out)?;
    if blame.at.is_some() {
        writeln!(out, "{}", paint.strong(&as_of(blame)))?;
    }
    if let Some(standing) = standing(history) {
        writeln!(out, "{}", paint.alarm(standing))?;
    }
    if history.attributes.is_empty() {
        for line in wrap(&no_attributes(blame, history), style.width) {
            writeln!(out, "{line}")?;
        }
    } else {
        attributes(blame, history, style, out)?;
    }
    writeln!(out)?;
    if history.steps.is_empty() {
        writeln!(out, "{}", totals(history))?;
    } else {
        calls(blame, history, style, out)?;
    }
    if let Some(left_out) = left_out(history) {
        writeln!(out)?;
        for line in wrap(&left_out, style.width) {
            writeln!(out, "{}", paint.faint(&line))?;
        }
    }
    Ok(())
}

fn attributes(
    blame: &Blame,
    history: &History,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let when = when(&blame.window);
    let paint = Paint {
        colour: style.colour,
    };
    let rows = history.attributes.iter().map(|held| {
        let by = history.culprit(held).map(|step| &step.event);
        let none = if style.unicode { "–" } else { "-" };
        Row {
            cells: [
                visible(&held.path).into_owned(),
                side(&held.value).inline(),
                by.map_or(none.to_owned(), |event| words::who(&event.actor)),
                by.map_or(String::new(), |event| event.origin.class.word().to_owned()),
                by.map_or(String::new(), |event| when(event.time)),
            ],
            alarming: held.drift.is_some(),
            below: believed(held, arrow(style))
                .map(|text| {
                    let text = fit(
                        &text,
                        style.width.saturating_sub(2),
                        Cut::End,
                        ellipsis(style),
                    );
                    paint.alarm(&text)
                })
                .into_iter()
                .collect(),
        }
    });
    let columns = Columns {
        header: ATTRIBUTES,
        least: LEAST_OF_ATTRIBUTES,
        by_end: Some(0),
    };
    grid(&columns, &rows.collect::<Vec<_>>(), None, style, out)
}

fn calls(blame: &Blame, history: &History, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let when = when(&blame.window);
    let runs = runs(blame, history);
    let row = |run: &Run<'_>| {
        let (step, event) = (run.first, &run.first.event);
        let times = match run.count {
            1 => String::new(),
            count => format!(" {}{count}", if style.unicode { "×" } else { "x" }),
        };
        Row {
            cells: [
                when(event.time),
                words::who(&event.actor),
                event.origin.class.word().to_owned(),
                from(step),
                format!("{}{times}", visible(&event.name)),
            ],
            alarming: step.refused(),
            below: below(step, style),
        }
    };
    let rows: Vec<Row<5>> = runs.iter().map(row).collect();
    let later = runs.iter().position(|run| is_later(blame, run.first));
    let columns = Columns {
        header: CALLS,
        least: LEAST_OF_CALLS,
        by_end: None,
    };
    grid(&columns, &rows, later, style, out)
}

/// What a call changed, a line for each attribute.
fn below(step: &Step, style: &Style) -> Vec<String> {
    let paint = Paint {
        colour: style.colour,
    };
    let room = style.width.saturating_sub(2);
    let cut = |text: &str| fit(text, room, Cut::End, ellipsis(style));
    let mut lines: Vec<String> = Vec::new();
    if let Some(error) = &step.event.error {
        lines.push(paint.alarm(&cut(&format!("refused: {}", visible(error)))));
    }
    lines.extend(deed(step).map(|deed| paint.faint(&cut(&deed))));
    for one in &step.changes {
        let path = visible(&one.path);
        let both = change(one);
        let would = if step.refused() { "would set " } else { "" };
        let text = format!("{would}{path}: {}", in_brief(one, arrow(style)));
        let plain = one.moved && both.is_plain() && one.added.is_none() && one.removed.is_none();
        if plain && width(&text) <= room {
            lines.push(format!(
                "{would}{path}: {} {} {}",
                paint.gone(&both.before.inline()),
                arrow(style),
                paint.fresh(&both.after.inline())
            ));
        } else {
            lines.push(cut(&text));
        }
    }
    lines
}

/// A row, with lines below it that take the whole width.
struct Row<const N: usize> {
    cells: [String; N],
    alarming: bool,
    below: Vec<String>,
}

/// How rows are laid out.
struct Columns<const N: usize> {
    header: [&'static str; N],
    /// What a column keeps when room is short; 0 for what is never cut.
    least: [usize; N],
    /// The column of which the end tells most.
    by_end: Option<usize>,
}

/// Writes rows in columns that fit the width; those from `later` on below a heading.
fn grid<const N: usize>(
    layout: &Columns<N>,
    rows: &[Row<N>],
    later: Option<usize>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    let mut natural = layout.header.map(width);
    for row in rows {
        for (column, cell) in natural.iter_mut().zip(&row.cells) {
            *column = (*column).max(width(cell));
        }
    }
    let room = style.width.saturating_sub(GAP * (N - 1));
    let columns = shares(natural, layout.least, room);
    let line = |cells: [&str; N]| -> String {
        let mut line = String::new();
        for (number, (cell, room)) in cells.into_iter().zip(columns).enumerate() {
            let cut = if layout.by_end == Some(number) {
                Cut::Start
            } else {
                Cut::End
            };
            let cell = fit(cell, room, cut, ellipsis(style));
            line.push_str(&pad(&cell, room + GAP));
        }
        guarded(line.trim_end().to_owned())
    };
    writeln!(out, "{}", paint.faint(&line(layout.header)))?;
    for (number, row) in rows.iter().enumerate() {
        if later == Some(number) {
            writeln!(out, "{}", paint.strong("later:"))?;
        }
        let text = line(row.cells.each_ref().map(String::as_str));
        if row.alarming {
            writeln!(out, "{}", paint.alarm(&text))?;
        } else {
            writeln!(out, "{text}")?;
        }
        for line in &row.below {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}
