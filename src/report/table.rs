//! `table`: one line per drift, fitted to the width of the terminal.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};

use super::paint::Paint;
use super::sections::{Section, Standing, failed, sections};
use super::text::{Cut, fit, visible, width, wrap};
use super::{Style, words};
use crate::drift::model::{Drift, Evidence, FailedCall, Report, Severity, Window};

const HEADER: [&str; COLUMNS] = ["SEVERITY", "RESOURCE", "CHANGE", "WHO", "ORIGIN", "WHEN"];
const COLUMNS: usize = 6;
/// What a column keeps when room is short; severity and time are never cut.
const LEAST: [usize; COLUMNS] = [0, 14, 20, 8, 6, 0];
const RESOURCE: usize = 1;
const CHANGE: usize = 2;
/// Columns that a shortened attribute path keeps.
const LEAST_OF_PATH: usize = 8;
/// Blanks between columns.
const GAP: usize = 2;
/// Things that could not be read which are listed one by one.
const LISTED: usize = 10;

/// Writes the report as a table.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
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
        let headed = section.standing != Standing::Open || sections.len() > 1;
        if headed {
            writeln!(out, "\n{}", paint.strong(section.standing.heading()))?;
        } else {
            writeln!(out)?;
        }
        let when = when(&report.window);
        let rows = section
            .drifts
            .iter()
            .map(|drift| Row::of(drift, section, style, when));
        write_rows(HEADER, &rows.collect::<Vec<_>>(), style, out)?;
    }
    let refused = failed(report, style);
    if !refused.is_empty() {
        writeln!(out, "\n{}", paint.strong("Refused calls"))?;
        let when = when(&report.window);
        let rows: Vec<Row> = refused
            .iter()
            .map(|failed| Row::refused(failed, when))
            .collect();
        let mut header = HEADER;
        header[0] = "REFUSED";
        header[2] = "CALL";
        write_rows(header, &rows, style, out)?;
    }
    footer(report, style, out)
}

/// The lines above everything: what was looked at.
pub fn header(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    labelled(
        "Window  ",
        &words::window(&report.window),
        false,
        style,
        out,
    )?;
    labelled(
        "States  ",
        &words::states(&report.states),
        false,
        style,
        out,
    )
}

/// A label with a text beside it, over as many lines as it needs.
pub fn labelled(
    label: &str,
    text: &str,
    alarm: bool,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    for (position, line) in wrap(text, style.width.saturating_sub(9))
        .into_iter()
        .enumerate()
    {
        let label = if position == 0 { label } else { "        " };
        let line = if alarm { paint.alarm(&line) } else { line };
        writeln!(out, "{} {line}", paint.faint(label))?;
    }
    Ok(())
}

/// That nothing drifted, in words that say what this rests on.
pub fn verdict(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    writeln!(out)?;
    for line in wrap(&words::nothing_drifted(report), style.width) {
        let calm = words::trust(&report.evidence) == words::Trust::Complete;
        writeln!(
            out,
            "{}",
            if calm {
                paint.calm(&line)
            } else {
                paint.alarm(&line)
            }
        )?;
    }
    Ok(())
}

/// The lines below everything: totals, evidence, what could not be read or judged.
pub fn footer(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    labelled("Total   ", &words::totals(report), false, style, out)?;
    evidence(
        &report.evidence,
        &words::evidence(&report.evidence),
        style,
        out,
    )?;
    let notes = report.refreshed.iter().map(|found| {
        let (is_explained, text) = words::refreshed(found);
        (if is_explained { "= " } else { "? " }, text)
    });
    let paint = Paint {
        colour: style.colour,
    };
    let room = style.width.saturating_sub(11);
    write_notes(REFRESHED, &notes.collect::<Vec<_>>(), room, paint, out)
}

/// What comes above what a plan's refresh found.
const REFRESHED: &str = "Found changed by the plan's refresh:";

/// What was read, as `text` says it, and what could not be read or judged.
pub fn evidence(
    evidence: &Evidence,
    text: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let paint = Paint {
        colour: style.colour,
    };
    let complete = words::trust(evidence) == words::Trust::Complete;
    labelled("Evidence", text, !complete, style, out)?;
    let room = style.width.saturating_sub(11);
    let notes = evidence
        .unreadable
        .iter()
        .map(|item| ("! ", words::unreadable(item)));
    write_notes("Not read:", &notes.collect::<Vec<_>>(), room, paint, out)?;
    let notes = evidence
        .unmapped
        .iter()
        .map(|item| ("? ", words::unmapped(item)));
    write_notes(
        "Not judged, because no rule knows the call:",
        &notes.collect::<Vec<_>>(),
        room,
        paint,
        out,
    )
}

fn write_notes(
    heading: &str,
    notes: &[(&str, String)],
    room: usize,
    paint: Paint,
    out: &mut dyn Write,
) -> io::Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    for line in wrap(heading, room) {
        writeln!(out, "{} {line}", " ".repeat(8))?;
    }
    for (mark, note) in notes.iter().take(LISTED) {
        for (position, line) in wrap(note, room).into_iter().enumerate() {
            let mark = if position == 0 { mark } else { "  " };
            writeln!(out, "{} {}{line}", " ".repeat(8), paint.alarm(mark))?;
        }
    }
    if notes.len() > LISTED {
        writeln!(out, "{}   and {} more", " ".repeat(8), notes.len() - LISTED)?;
    }
    Ok(())
}

/// How to write a time: without the day when the window lies within one.
pub fn when(window: &Window) -> fn(jiff::Timestamp) -> String {
    let day = |time: jiff::Timestamp| time.to_zoned(jiff::tz::TimeZone::UTC).date();
    match window.since {
        Some(since) if day(since) == day(window.until) => words::clock,
        _ => words::day_and_clock,
    }
}

pub fn ellipsis(style: &Style) -> &'static str {
    if style.unicode { "…" } else { "..." }
}

pub fn arrow(style: &Style) -> &'static str {
    if style.unicode { "→" } else { "->" }
}

struct Row {
    severity: Option<Severity>,
    /// Bytes of the change that name an attribute.
    path: usize,
    cells: [String; COLUMNS],
}

impl Row {
    fn of(
        drift: &Drift,
        section: &Section<'_>,
        style: &Style,
        when: fn(jiff::Timestamp) -> String,
    ) -> Self {
        let (path, mut what) = words::what(drift, style.reveal, arrow(style));
        if let Some(ending) = words::ending(drift) {
            what = format!("{what} ({ending})");
        }
        let culprit = drift.culprit();
        let severity = (section.standing == Standing::Open).then_some(drift.severity);
        Self {
            severity,
            path: path.as_ref().map_or(0, String::len),
            cells: [
                drift.severity.word().to_owned(),
                visible(&drift.subject()).into_owned(),
                path.as_ref()
                    .map_or(String::new(), |path| format!("{path}: "))
                    + &what,
                culprit
                    .map(|event| words::who(&event.actor))
                    .unwrap_or_default(),
                culprit
                    .map(|event| event.origin.class.word().to_owned())
                    .unwrap_or_default(),
                culprit.map(|event| when(event.time)).unwrap_or_default(),
            ],
        }
    }

    fn refused(failed: &FailedCall, when: fn(jiff::Timestamp) -> String) -> Self {
        let event = &failed.event;
        let error = visible(event.error.as_deref().unwrap_or("refused")).into_owned();
        Self {
            severity: None,
            path: 0,
            cells: [
                "refused".to_owned(),
                visible(&failed.address).into_owned(),
                format!("{}: {error}", visible(&event.name)),
                words::who(&event.actor),
                event.origin.class.word().to_owned(),
                when(event.time),
            ],
        }
    }
}

fn write_rows(
    header: [&str; COLUMNS],
    rows: &[Row],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut natural = header.map(width);
    for row in rows {
        for (column, cell) in natural.iter_mut().zip(&row.cells) {
            *column = (*column).max(width(cell));
        }
    }
    let columns = shares(
        natural,
        LEAST,
        style.width.saturating_sub(GAP * (COLUMNS - 1)),
    );
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if style.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let cut = |cells: [&str; COLUMNS], path: usize| -> Vec<Cell> {
        cells
            .into_iter()
            .zip(columns)
            .enumerate()
            .map(|(column, (cell, room))| {
                let text = match column {
                    RESOURCE => fit(cell, room, cut_of_resource(cell), ellipsis(style)),
                    CHANGE => fit_change(cell, path, room, ellipsis(style)),
                    _ => fit(cell, room, Cut::End, ellipsis(style)),
                };
                Cell::new(text).set_alignment(CellAlignment::Left)
            })
            .collect()
    };
    table.set_header(
        cut(header, 0)
            .into_iter()
            .map(|cell| cell.add_attribute(Attribute::Dim)),
    );
    for row in rows {
        let mut cells = cut(row.cells.each_ref().map(String::as_str), row.path);
        if let (Some(severity), Some(first)) = (row.severity, cells.first_mut()) {
            *first = coloured(first.clone(), severity);
        }
        table.add_row(cells);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let right = if index + 1 == COLUMNS { 0 } else { GAP };
        column.set_padding((0, u16::try_from(right).unwrap_or_default()));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// An address tells most at its end; `TYPE (ID)` of what has no address, at its start.
fn cut_of_resource(subject: &str) -> Cut {
    if subject.ends_with(')') {
        Cut::End
    } else {
        Cut::Start
    }
}

/// Cuts a change to `room` columns: the start of the attribute's path goes first, because the
/// values and the last part of the path tell most.
fn fit_change(text: &str, path: usize, room: usize, mark: &str) -> String {
    let excess = width(text).saturating_sub(room);
    let (Some(name), Some(values)) = (text.get(..path), text.get(path..)) else {
        return fit(text, room, Cut::End, mark);
    };
    if excess == 0 || path == 0 {
        return fit(text, room, Cut::End, mark);
    }
    let columns = width(name).saturating_sub(excess).max(LEAST_OF_PATH);
    let name = fit(name, columns, Cut::Start, mark);
    fit(&format!("{name}{values}"), room, Cut::End, mark)
}

fn coloured(cell: Cell, severity: Severity) -> Cell {
    match severity {
        Severity::Critical => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Severity::High => cell.fg(Color::Red),
        Severity::Medium => cell.fg(Color::Yellow),
        Severity::Low => cell.fg(Color::Cyan),
    }
}

/// Widths of the columns within `room`: the widest gives first, none below its least.
pub fn shares<const N: usize>(natural: [usize; N], least: [usize; N], room: usize) -> [usize; N] {
    let mut columns = natural;
    let mut excess = columns.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        let widest = columns
            .iter_mut()
            .zip(least)
            .filter(|(column, least)| *least > 0 && **column > *least)
            .max_by_key(|(column, least)| **column * 100 / least);
        let Some((column, _)) = widest else { break };
        *column -= 1;
        excess -= 1;
    }
    columns
}
