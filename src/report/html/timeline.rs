//! Who did what when: one lane per actor, one dot per call, drawn without a script.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{card, text, tone};
use crate::drift::model::{Drift, Event, FailedCall, Report, Window};
use crate::report::sections::Section;
use crate::report::text::{Cut, fit};
use crate::report::words;

/// Lanes that are drawn; who did least shares the last one.
const LANES: usize = 10;
/// Calls that are drawn and listed.
const MOST: usize = 1_000;
const WIDTH: f64 = 1_120.0;
const LEFT: f64 = 236.0;
const RIGHT: f64 = 24.0;
const LANE: f64 = 42.0;
const TOP: f64 = 12.0;
const OTHERS: &str = "everyone else";

/// One call on the timeline.
pub struct Mark<'a> {
    /// The call.
    pub event: &'a Event,
    /// What it is about.
    pub subject: String,
    /// Id of the element that tells more; none for a refused call.
    pub id: Option<String>,
    /// The class that colours it.
    pub tone: &'static str,
}

/// Writes the timeline of every call that a shown drift or a refused call holds.
pub fn write(
    report: &Report,
    sections: &[Section<'_>],
    failed: &[FailedCall],
    out: &mut dyn Write,
) -> io::Result<()> {
    of_marks(&report.window, marks(sections, failed), out)
}

/// Writes a timeline of calls.
pub fn of_marks(window: &Window, mut marks: Vec<Mark<'_>>, out: &mut dyn Write) -> io::Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    // They come with the most severe first.
    let left_out = marks.len().saturating_sub(MOST);
    marks.truncate(MOST);
    marks.sort_by_key(|mark| mark.event.time);
    let span = Span::of(window, &marks);
    let lanes = lanes(&marks);
    writeln!(out, r#"<h2>Who did what</h2><div class="panel timeline">"#)?;
    draw(&marks, &lanes, &span, out)?;
    list(&marks, left_out, out)?;
    writeln!(out, "</div>")
}

fn marks<'a>(sections: &[Section<'a>], failed: &'a [FailedCall]) -> Vec<Mark<'a>> {
    let mut ids = card::Ids::default();
    let mut marks = Vec::new();
    for section in sections {
        for drift in &section.drifts {
            let drift: &'a Drift = drift;
            let id = ids.of(drift);
            marks.extend(drift.events.iter().map(|event| Mark {
                event,
                subject: drift.subject(),
                id: Some(id.clone()),
                tone: tone(drift, section.standing),
            }));
        }
    }
    marks.extend(failed.iter().map(|call| Mark {
        event: &call.event,
        subject: call.address.clone(),
        id: None,
        tone: "refused",
    }));
    marks
}

/// Actors in order of their first call, with the lane each has.
fn lanes<'a>(marks: &[Mark<'a>]) -> Vec<(String, &'a Event)> {
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for mark in marks {
        *calls.entry(words::who(&mark.event.actor)).or_default() += 1;
    }
    let mut busiest: Vec<(&String, &usize)> = calls.iter().collect();
    busiest.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
    let own = if calls.len() > LANES {
        LANES - 1
    } else {
        LANES
    };
    let own: Vec<&String> = busiest.into_iter().take(own).map(|(who, _)| who).collect();
    let mut lanes: Vec<(String, &Event)> = Vec::new();
    for mark in marks {
        let who = words::who(&mark.event.actor);
        if own.contains(&&who) && !lanes.iter().any(|(known, _)| *known == who) {
            lanes.push((who, mark.event));
        }
    }
    if let (true, Some(mark)) = (calls.len() > LANES, marks.first()) {
        lanes.push((OTHERS.to_owned(), mark.event));
    }
    lanes
}

/// The time that the drawing covers: the calls and a little around, within the window.
struct Span {
    since: i64,
    until: i64,
}

impl Span {
    fn of(window: &Window, marks: &[Mark<'_>]) -> Self {
        let times = || marks.iter().map(|mark| mark.event.time.as_second());
        let first = times().min().unwrap_or_default();
        let last = times().max().unwrap_or_default();
        let around = ((last - first) / 20).max(120);
        let since = (first - around).max(window.since.map_or(i64::MIN, Timestamp::as_second));
        let until = (last + around).min(window.until.as_second());
        // A window that ends where its only call stands still needs a width.
        Self {
            since: since.min(first),
            until: until.max(last).max(since + 60),
        }
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "seconds of a few years are exact in a f64"
    )]
    fn x(&self, second: i64) -> f64 {
        let share = (second - self.since) as f64 / (self.until - self.since) as f64;
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    /// Instants for the scale: between three and eight, at round times.
    fn ticks(&self) -> Vec<i64> {
        const STEPS: [i64; 16] = [
            10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
            604_800, 2_592_000, 31_536_000,
        ];
        let length = self.until - self.since;
        let step = STEPS
            .into_iter()
            .find(|step| length / step <= 7)
            .unwrap_or(31_536_000);
        let first = self.since.div_euclid(step) * step;
        (0..10)
            .map(|number| first + number * step)
            .filter(|tick| *tick >= self.since && *tick <= self.until)
            .collect()
    }

    fn label(&self, second: i64) -> String {
        let format = match self.until - self.since {
            0..=600 => "%H:%M:%S",
            601..=86_400 => "%H:%M",
            86_401..=604_800 => "%m-%d %H:%M",
            _ => "%Y-%m-%d",
        };
        Timestamp::from_second(second)
            .map(|time| time.to_zoned(TimeZone::UTC).strftime(format).to_string())
            .unwrap_or_default()
    }
}

#[allow(clippy::cast_precision_loss, reason = "a handful of lanes")]
fn draw(
    marks: &[Mark<'_>],
    lanes: &[(String, &Event)],
    span: &Span,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bottom = TOP + LANE * lanes.len() as f64;
    let height = bottom + 30.0;
    writeln!(
        out,
        r#"<div class="scroll"><svg viewBox="0 0 {WIDTH} {height}" role="group" aria-label="Calls by actor over time">"#
    )?;
    for tick in span.ticks() {
        let x = span.x(tick);
        writeln!(
            out,
            r#"<line x1="{x:.1}" y1="{TOP}" x2="{x:.1}" y2="{bottom}"/><text x="{x:.1}" y="{}" text-anchor="middle">{}</text>"#,
            bottom + 19.0,
            span.label(tick)
        )?;
    }
    let middle = |lane: usize| TOP + LANE * (lane as f64 + 0.5);
    for (lane, (who, event)) in lanes.iter().enumerate() {
        let y = middle(lane);
        let name = fit(who, 31, Cut::End, "…");
        writeln!(
            out,
            r#"<line class="rail" x1="{LEFT}" y1="{y}" x2="{}" y2="{y}"/><text class="lane" x="0" y="{}">{}</text>"#,
            WIDTH - RIGHT,
            y - 1.0,
            text(&name)
        )?;
        if who != OTHERS {
            writeln!(
                out,
                r#"<text class="origin" x="0" y="{}">{}</text>"#,
                y + 13.0,
                event.origin.class.word()
            )?;
        }
    }
    let lane_of = |mark: &Mark<'_>| {
        let who = words::who(&mark.event.actor);
        lanes
            .iter()
            .position(|(known, _)| *known == who)
            .unwrap_or(lanes.len().saturating_sub(1))
    };
    for mark in marks {
        dot(
            mark,
            span.x(mark.event.time.as_second()),
            middle(lane_of(mark)),
            out,
        )?;
    }
    writeln!(out, "</svg></div>")
}

fn dot(mark: &Mark<'_>, x: f64, y: f64, out: &mut dyn Write) -> io::Result<()> {
    let title = format!(
        "{} {} on {} by {}",
        words::instant(mark.event.time),
        mark.event.name,
        mark.subject,
        words::who(&mark.event.actor)
    );
    match &mark.id {
        Some(id) => writeln!(
            out,
            r##"<a href="#{id}"><title>{}</title><circle class="{}" cx="{x:.1}" cy="{y}" r="8"/></a>"##,
            text(&title),
            mark.tone
        ),
        None => writeln!(
            out,
            r#"<g><title>refused: {}</title><path class="refused" d="M{:.1} {:.1}l10 10m0 -10l-10 10"/></g>"#,
            text(&title),
            x - 5.0,
            y - 5.0
        ),
    }
}

fn list(marks: &[Mark<'_>], left_out: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<details class="calls"><summary>{} in order</summary><div class="scroll"><table>
<thead><tr><th scope="col">When (UTC)</th><th scope="col">Who</th><th scope="col">Call</th><th scope="col">Resource</th></tr></thead><tbody>"#,
        words::count(marks.len(), "call", "calls")
    )?;
    for mark in marks {
        let subject = match &mark.id {
            Some(id) => format!(r##"<a href="#{id}">{}</a>"##, text(&mark.subject)),
            None => text(&mark.subject).into_owned(),
        };
        let refused = mark.event.error.as_deref().filter(|_| mark.id.is_none());
        let refused = refused
            .map(|error| format!(" refused: {error}"))
            .unwrap_or_default();
        writeln!(
            out,
            r#"<tr><td class="when">{}</td><td class="who">{} {}</td><td class="mono">{}{}</td><td class="res mono">{subject}</td></tr>"#,
            mark.event.time.strftime("%Y-%m-%d %H:%M:%S"),
            text(&words::who(&mark.event.actor)),
            card::origin_tag(mark.event.origin.class),
            text(&words::call(mark.event)),
            text(&refused),
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    if left_out > 0 {
        writeln!(
            out,
            "<p>{} left out.</p>",
            words::count(left_out, "less severe call", "less severe calls")
        )?;
    }
    writeln!(out, "</details>")
}
