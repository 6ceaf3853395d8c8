//! One drift on the page: what changed, the calls that led there, how to put it back.

use std::collections::HashSet;
use std::io::{self, Write};

use similar::ChangeTag;

use super::{subject, text, tone};
use crate::drift::model::{Drift, Event, Kind, OriginClass};
use crate::report::lines::{Hunk, Line, Sides, hunks, mark, of_drift};
use crate::report::sections::Standing;
use crate::report::text::{is_link, visible};
use crate::report::value::Change;
use crate::report::{Style, words};

/// Equal lines around what differs.
const CONTEXT: usize = 4;
/// Lines of one drift's difference; a browser must be able to draw thousands of drifts.
const LONGEST: usize = 2_000;

/// Hands out ids for drifts, none twice.
#[derive(Default)]
pub struct Ids {
    known: HashSet<String>,
}

impl Ids {
    /// The id of the element that tells of a drift.
    pub fn of(&mut self, drift: &Drift) -> String {
        let own: String = drift
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let mut id = format!("d-{own}");
        let mut number = 1;
        while !self.known.insert(id.clone()) {
            number += 1;
            id = format!("d-{own}-{number}");
        }
        id
    }
}

/// Writes one drift, open if it is critical.
pub fn write(
    drift: &Drift,
    id: &str,
    standing: Standing,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = drift
        .events
        .iter()
        .map(|event| text(&words::who(&event.actor)).into_owned());
    let mut who: Vec<String> = names.collect();
    who.sort();
    who.dedup();
    let mut origins: Vec<&str> = drift
        .events
        .iter()
        .map(|event| event.origin.class.word())
        .collect();
    origins.dedup();
    let open = if tone(drift, standing) == "critical" {
        " open"
    } else {
        ""
    };
    let severity = drift.severity.word();
    writeln!(
        out,
        r#"<details class="drift panel {}" id="{id}" data-severity="{severity}" data-kind="{}" data-who="{}" data-origin="{}"{open}>"#,
        tone(drift, standing),
        drift.kind.word(),
        who.join("&#10;"),
        origins.join(" "),
    )?;
    write!(
        out,
        r#"<summary><span class="name mono">{}</span><span class="pill {}">{severity}</span><span class="tag">{}</span>"#,
        subject(drift),
        tone(drift, standing),
        drift.kind.word(),
    )?;
    if let Some(ending) = words::ending(drift) {
        write!(out, r#"<span class="tag">{}</span>"#, text(&ending))?;
    }
    writeln!(out, "</summary>\n<div class=\"body\"><div>")?;
    difference(drift, style, out)?;
    remedy(drift, out)?;
    writeln!(out, "</div><div>")?;
    chain(drift, out)?;
    facts(drift, out)?;
    writeln!(out, "</div></div></details>")
}

/// What changed in a few words, old and new told apart.
pub fn change_in_brief(drift: &Drift, style: &Style) -> String {
    let (path, brief) = words::what(drift, style.reveal, "→");
    let Some(path) = path else {
        return text(&cut(&brief)).into_owned();
    };
    let more = match drift.attributes.len() {
        0 | 1 => String::new(),
        many => format!(r#"<span class="note">and {} more</span>"#, many - 1),
    };
    let change = drift
        .attributes
        .first()
        .map(|one| Change::of(one, style.reveal));
    match change {
        Some(change) if change.is_plain() => format!(
            "{} <del>{}</del> → <ins>{}</ins>{more}",
            text(&path),
            text(&cut(&change.before.inline())),
            text(&cut(&change.after.inline()))
        ),
        _ => {
            let one = drift.attributes.first();
            let brief = one
                .map(|one| words::change(drift, one, style.reveal, "→"))
                .unwrap_or_default();
            format!(
                "{} <span class=\"note\">{}</span>{more}",
                text(&path),
                text(&cut(&brief))
            )
        }
    }
}

fn cut(text: &str) -> String {
    crate::report::text::fit(text, 160, crate::report::text::Cut::End, "…")
}

/// By what means a call was made, as a tag; loud where it claims to be what it may not be.
pub fn origin_tag(class: OriginClass) -> String {
    let warn = if class == OriginClass::IacUnverified {
        " warn"
    } else {
        ""
    };
    format!(r#"<span class="tag{warn}">{}</span>"#, class.word())
}

fn difference(drift: &Drift, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let heading = match drift.kind {
        Kind::Modified => "What Terraform believes, and what is",
        Kind::Deleted => "Gone",
        Kind::Unmanaged => "Made outside of every state",
    };
    write!(out, "<h3>{heading}</h3>")?;
    differing(&of_drift(drift, style.reveal), out)?;
    let setters = drift
        .attributes
        .iter()
        .filter_map(|one| Some((one, words::setter(drift, one)?)));
    for (attribute, event) in setters {
        writeln!(
            out,
            r#"<span class="note"><span class="mono">{}</span> set by {} with {}</span>"#,
            text(&attribute.path),
            text(&words::who(&event.actor)),
            text(&event.name)
        )?;
    }
    Ok(())
}

/// Pairs of texts, line by line, what differs marked.
pub fn differing(parts: &[Sides], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<pre>")?;
    let hunks = hunks(parts, CONTEXT);
    if hunks.is_empty() {
        write!(out, r#"<span class="h">ended as it began</span>"#)?;
    }
    let mut room = LONGEST;
    for (position, hunk) in hunks.iter().enumerate() {
        if position > 0 {
            write!(out, r#"<span class="h">⋯</span>"#)?;
        }
        for (line, (start, end)) in marked(hunk).into_iter().take(room) {
            write_line(line, start, end, out)?;
        }
        room = room.saturating_sub(hunk.lines.len());
    }
    let all: usize = hunks.iter().map(|hunk| hunk.lines.len()).sum();
    if all > LONGEST {
        write!(
            out,
            r#"<span class="h">and {} more lines</span>"#,
            all - LONGEST
        )?;
    }
    writeln!(out, "</pre>")
}

fn write_line(line: &Line, start: usize, end: usize, out: &mut dyn Write) -> io::Result<()> {
    let class = match line.tag {
        ChangeTag::Delete => " class=\"g\"",
        ChangeTag::Insert => " class=\"n\"",
        ChangeTag::Equal => "",
    };
    let sign = mark(line.tag);
    let part = |from: usize, to: usize| line.text.get(from..to).unwrap_or_default();
    let (head, changed, rest) = (part(0, start), part(start, end), part(end, line.text.len()));
    if changed.is_empty() {
        return write!(out, "<span{class}>{sign} {}</span>", text(&line.text));
    }
    write!(
        out,
        "<span{class}>{sign} {}<mark>{}</mark>{}</span>",
        text(head),
        text(changed),
        text(rest)
    )
}

/// The lines of a hunk with the bytes that differ where one line replaced one.
fn marked(hunk: &Hunk) -> Vec<(&Line, (usize, usize))> {
    let mut lines: Vec<(&Line, (usize, usize))> =
        hunk.lines.iter().map(|line| (line, (0, 0))).collect();
    for index in 1..lines.len() {
        let alone = |at: Option<usize>, tag: ChangeTag| {
            at.and_then(|at| hunk.lines.get(at))
                .is_none_or(|line| line.tag != tag)
        };
        let (Some(old), Some(new)) = (hunk.lines.get(index - 1), hunk.lines.get(index)) else {
            continue;
        };
        let pair = old.tag == ChangeTag::Delete
            && new.tag == ChangeTag::Insert
            && old.part == new.part
            && alone(index.checked_sub(2), ChangeTag::Delete)
            && alone(Some(index + 1), ChangeTag::Insert);
        if !pair {
            continue;
        }
        let common = common_start(&old.text, &new.text);
        let end = common_end(
            old.text.get(common..).unwrap_or_default(),
            new.text.get(common..).unwrap_or_default(),
        );
        for (at, line) in [(index - 1, old), (index, new)] {
            if let Some(entry) = lines.get_mut(at) {
                entry.1 = whole_words(&line.text, common, line.text.len() - end);
            }
        }
    }
    lines
}

/// A stretch of text made longer until it cuts no word.
fn whole_words(text: &str, start: usize, end: usize) -> (usize, usize) {
    let inside = |c: &char| c.is_alphanumeric() || *c == '_';
    let (head, tail) = (
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    );
    let before: usize = head
        .chars()
        .rev()
        .take_while(inside)
        .map(char::len_utf8)
        .sum();
    let after: usize = tail.chars().take_while(inside).map(char::len_utf8).sum();
    (start - before, end + after)
}

fn common_start(a: &str, b: &str) -> usize {
    a.chars()
        .zip(b.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum()
}

fn common_end(a: &str, b: &str) -> usize {
    let ends = a.chars().rev().zip(b.chars().rev());
    ends.take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum()
}

fn chain(drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, r#"<h3>Who did it</h3><ol class="chain">"#)?;
    for event in &drift.events {
        link(event, out)?;
    }
    writeln!(out, "</ol>")
}

/// One call in a chain, with who made it and what tells.
pub fn link(event: &Event, out: &mut dyn Write) -> io::Result<()> {
    let actor = &event.actor;
    writeln!(
        out,
        r#"<li><time datetime="{}">{}</time><b>{}</b> {}<br><span class="mono">{}</span>"#,
        event.time,
        words::instant(event.time),
        text(&words::who(actor)),
        origin_tag(event.origin.class),
        text(&words::call(event)),
    )?;
    let mut facts = vec![actor.kind.clone()];
    let optional = [
        ("role ", &actor.role),
        ("account ", &actor.account),
        ("from ", &actor.source_ip),
    ];
    facts.extend(
        optional
            .into_iter()
            .filter_map(|(label, value)| value.as_ref().map(|value| format!("{label}{value}"))),
    );
    match actor.mfa {
        Some(true) => facts.push("with MFA".to_owned()),
        Some(false) => facts.push("without MFA".to_owned()),
        None => {}
    }
    writeln!(
        out,
        r#"<span class="note">{}</span>"#,
        text(&facts.join(", "))
    )?;
    if !event.origin.evidence.is_empty() {
        let evidence = event.origin.evidence.join(", ");
        writeln!(
            out,
            r#"<span class="note">judged by {}</span>"#,
            text(&evidence)
        )?;
    }
    if let Some(agent) = &actor.user_agent {
        writeln!(
            out,
            r#"<span class="note">agent {}</span>"#,
            text(&cut(agent))
        )?;
    }
    writeln!(
        out,
        r#"<span class="note mono">{}</span></li>"#,
        text(&event.event_id)
    )
}

fn facts(drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    let source = drift.source.as_ref().map(ToString::to_string);
    let rules = (!drift.rules.is_empty()).then(|| drift.rules.join(", "));
    let facts = [
        ("Type", Some(&drift.resource_type)),
        ("Name", drift.resource_name.as_ref()),
        ("ID", drift.resource_id.as_ref()),
        ("ARN", drift.arn.as_ref()),
        ("Parent", drift.parent.as_ref()),
        ("Account", Some(&drift.account)),
        ("Region", Some(&drift.region)),
        ("State", drift.state.as_ref()),
        ("Code", source.as_ref()),
        ("Rules", rules.as_ref()),
    ];
    writeln!(out, "<h3>Resource</h3><dl>")?;
    for (label, value) in facts {
        if let Some(value) = value {
            writeln!(
                out,
                r#"<dt>{label}</dt><dd class="mono">{}</dd>"#,
                text(value)
            )?;
        }
    }
    writeln!(out, "</dl>")
}

fn remedy(drift: &Drift, out: &mut dyn Write) -> io::Result<()> {
    let remedy = &drift.remedy;
    if *remedy == crate::drift::model::Remedy::default() {
        return Ok(());
    }
    writeln!(
        out,
        r#"<div class="remedy"><h3>To put it back</h3><p>{}</p>"#,
        text(&remedy.summary)
    )?;
    if let Some(command) = &remedy.command {
        writeln!(
            out,
            r#"<pre class="code">{}</pre>"#,
            text(&visible(command))
        )?;
    }
    if let Some(code) = &remedy.hcl {
        let lines: Vec<_> = code.trim_end().lines().map(visible).collect();
        let code = crate::report::xml::escape(&lines.join("\n"), true).into_owned();
        writeln!(out, r#"<pre class="code">{code}</pre>"#)?;
    }
    if let Some(url) = remedy.console_url.as_deref().filter(|url| is_link(url)) {
        writeln!(
            out,
            r#"<p><a href="{}" rel="noopener noreferrer" target="_blank">Open in the AWS console</a></p>"#,
            text(url)
        )?;
    }
    writeln!(out, "</div>")
}
