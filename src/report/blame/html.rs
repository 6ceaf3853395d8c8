//! `html`: the history on one self-contained page that looks as that of a scan does and runs no
//! script at all.

use std::io::{self, Write};

use super::super::html::{basis, breakable, card, close, open, text, timeline};
use super::super::lines::{Sides, of_change, pretty};
use super::super::text::{Cut, fit, visible};
use super::super::words;
use super::{
    Run, as_of, believed, change, deed, evidence, identity, is_later, left_out, no_attributes,
    nothing, runs, side, standing, totals,
};
use crate::drift::history::{Blame, Deed, Held, History, Move, Step};
use crate::drift::model::OriginClass;

/// Columns of a value in the table of attributes.
const LONGEST: usize = 240;

/// Writes histories as one page.
pub fn write(blame: &Blame, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("History of {}", blame.asked);
    open(&title, "Skip to the attributes", false, out)?;
    hero(blame, out)?;
    for (number, history) in blame.histories.iter().enumerate() {
        if blame.histories.len() > 1 {
            writeln!(
                out,
                r#"<h1 class="mono">{}</h1><p class="lead">{}</p>"#,
                breakable(&history.subject()),
                text(&identity(history))
            )?;
        }
        attributes(blame, history, number, out)?;
        steps(blame, history, number, out)?;
    }
    close(&blame.states, false, out)
}

fn hero(blame: &Blame, out: &mut dyn Write) -> io::Result<()> {
    let (title, lead) = match blame.histories.as_slice() {
        [] => (breakable(&blame.asked), nothing(blame)),
        [one] => (breakable(&one.subject()), identity(one)),
        many => (
            breakable(&blame.asked),
            words::count(many.len(), "resource", "resources"),
        ),
    };
    writeln!(
        out,
        r#"<div class="hero"><h1>{title}</h1><p class="lead">{}</p><p class="lead">Calls from <b>{}</b> to <b>{}</b></p>"#,
        text(&lead),
        blame
            .window
            .since
            .map_or_else(|| "the beginning".to_owned(), words::instant),
        words::instant(blame.window.until)
    )?;
    basis(&blame.evidence, &evidence(blame), out)?;
    writeln!(out, "</div>")
}

fn attributes(
    blame: &Blame,
    history: &History,
    number: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let id = if number == 0 { r#" id="drifts""# } else { "" };
    writeln!(out, "<h2{id}>{}</h2>", text(&as_of(blame)))?;
    if let Some(standing) = standing(history) {
        writeln!(out, r#"<p class="lead"><b>{}</b></p>"#, text(standing))?;
    }
    if history.attributes.is_empty() {
        return writeln!(
            out,
            r#"<div class="panel empty">{}</div>"#,
            text(&no_attributes(blame, history))
        );
    }
    writeln!(
        out,
        r#"<div class="panel scroll"><table>
<thead><tr><th scope="col">Attribute</th><th scope="col">Value</th><th scope="col">Who</th><th scope="col">When (UTC)</th></tr></thead><tbody>"#
    )?;
    for held in &history.attributes {
        row(held, history, number, out)?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn row(held: &Held, history: &History, number: usize, out: &mut dyn Write) -> io::Result<()> {
    let value = fit(&side(&held.value).inline(), LONGEST, Cut::End, "…");
    write!(
        out,
        r#"<tr><td class="res mono">{}</td><td class="what mono">{}"#,
        breakable(&held.path),
        text(&value)
    )?;
    if let Some(believed) = believed(held, "→") {
        let believed = fit(&believed, LONGEST, Cut::End, "…");
        write!(
            out,
            r#"<span class="note"><del>{}</del></span>"#,
            text(&believed)
        )?;
    }
    match (held.by, history.culprit(held)) {
        (Some(by), Some(step)) => writeln!(
            out,
            r##"</td><td class="who">{} {}</td><td class="when"><a href="#{}">{}</a></td></tr>"##,
            text(&words::who(&step.event.actor)),
            card::origin_tag(step.event.origin.class),
            id(number, by),
            step.event.time.strftime("%Y-%m-%d %H:%M:%S")
        ),
        _ => writeln!(
            out,
            r#"</td><td class="who"><span class="note">no call in the window</span></td><td></td></tr>"#
        ),
    }
}

/// Id of the element that tells of a step.
fn id(history: usize, step: usize) -> String {
    format!("d-{history}-{step}")
}

/// The class that colours a step.
fn tone(step: &Step) -> &'static str {
    match step.deed {
        _ if step.refused() => "high",
        Deed::Removed => "critical",
        _ if step.event.origin.class == OriginClass::Iac => "quiet",
        Deed::Named | Deed::Operated => "quiet",
        Deed::Unjudged => "medium",
        Deed::Made | Deed::Changed | Deed::Hung | Deed::Unhung => "low",
    }
}

fn steps(blame: &Blame, history: &History, number: usize, out: &mut dyn Write) -> io::Result<()> {
    let marks = history.steps.iter().enumerate().map(|(at, step)| {
        let changed: Vec<&str> = step.changes.iter().map(|one| one.path.as_str()).collect();
        timeline::Mark {
            event: &step.event,
            subject: if changed.is_empty() {
                history.subject()
            } else {
                changed.join(", ")
            },
            id: (!step.refused()).then(|| id(number, at)),
            tone: tone(step),
        }
    });
    timeline::of_marks(&blame.window, marks.collect(), out)?;
    writeln!(out, "<h2>{}</h2>", text(&totals(history)))?;
    let mut later = false;
    for run in runs(blame, history) {
        let step = run.first;
        if !later && is_later(blame, step) {
            later = true;
            writeln!(out, "<h2>Later</h2>")?;
        }
        write_step(&run, &id(number, run.number), out)?;
    }
    if let Some(left_out) = left_out(history) {
        writeln!(out, r#"<p class="lead">{}</p>"#, text(&left_out))?;
    }
    Ok(())
}

fn write_step(run: &Run<'_>, id: &str, out: &mut dyn Write) -> io::Result<()> {
    let step = run.first;
    let event = &step.event;
    let again = match run.count {
        1 => String::new(),
        count => format!(r#"<span class="tag">×{count}</span>"#),
    };
    let refused = event
        .error
        .as_deref()
        .map(|error| format!(r#"<span class="pill high">refused: {}</span>"#, text(error)))
        .unwrap_or_default();
    writeln!(
        out,
        r#"<details class="drift panel {}" id="{id}" open>
<summary><span class="name mono">{}</span>{again}{refused}<span class="tag">{}</span>{}<span class="note">{}</span></summary>
<div class="body"><div>"#,
        tone(step),
        breakable(&event.name),
        text(&words::who(&event.actor)),
        card::origin_tag(event.origin.class),
        words::instant(event.time),
    )?;
    if let Some(deed) = deed(step) {
        writeln!(out, r"<h3>What it did</h3><p>{}</p>", text(&deed))?;
    }
    let heading = if step.refused() {
        "What it would have set"
    } else {
        "What it set"
    };
    if !step.changes.is_empty() {
        writeln!(out, "<h3>{heading}</h3>")?;
        let sides: Vec<Sides> = step
            .changes
            .iter()
            .filter(|one| one.moved)
            .map(sides)
            .collect();
        if !sides.is_empty() {
            card::differing(&sides, out)?;
        }
        for one in step.changes.iter().filter(|one| !one.moved) {
            writeln!(
                out,
                r#"<span class="note"><span class="mono">{} = {}</span>, as before</span>"#,
                text(&one.path),
                text(&fit(&side(&one.after).inline(), LONGEST, Cut::End, "…"))
            )?;
        }
    }
    writeln!(out, r#"</div><div><h3>Who did it</h3><ol class="chain">"#)?;
    card::link(event, out)?;
    writeln!(out, "</ol></div></div></details>")
}

/// Both sides of a change; of a list of which only members are known, these.
fn sides(one: &Move) -> Sides {
    let both = change(one);
    let unknown = both.before.value().is_none() || both.after.value().is_none();
    if !unknown || (one.added.is_none() && one.removed.is_none()) {
        return of_change(&one.path, &both);
    }
    let lines = |members: &Option<Vec<_>>| -> Vec<String> {
        let members = members.iter().flatten().flat_map(pretty);
        let mut lines = vec![format!("{} = [", visible(&one.path))];
        lines.extend(members.map(|line| format!("  {line}")));
        lines.push("]".to_owned());
        lines
    };
    Sides {
        before: lines(&one.removed),
        after: lines(&one.added),
    }
}
