//! `html`: one self-contained page that a person opens after an incident. It needs no network and
//! runs only the script in this folder: a content security policy names its hash. Everything is
//! there without the script, which filters, sorts and opens.

pub mod card;
mod policy;
pub mod timeline;

use std::io::{self, Write};

use super::sections::{Section, Standing, failed, sections};
use super::xml::escape;
use super::{Style, words};
use crate::drift::model::{Drift, Evidence, Kind, OriginClass, Report, Severity, StateSummary};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes the report as one page.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let sections = sections(report, style);
    let title = format!("Terraform drift, {}", words::window(&report.window));
    open(&title, "Skip to the drifts", true, out)?;
    hero(report, &sections, out)?;
    timeline::write(report, &sections, failed(report, style), out)?;
    tools(&sections, out)?;
    let mut ids = card::Ids::default();
    let named: Vec<(&Section<'_>, Vec<String>)> = sections
        .iter()
        .map(|section| {
            (
                section,
                section.drifts.iter().map(|drift| ids.of(drift)).collect(),
            )
        })
        .collect();
    table(&named, style, out)?;
    for (section, ids) in &named {
        writeln!(
            out,
            "<section data-section><h2>{}</h2>",
            section.standing.heading()
        )?;
        for (drift, id) in section.drifts.iter().zip(ids) {
            card::write(drift, id, section.standing, style, out)?;
        }
        writeln!(out, "</section>")?;
    }
    refused(report, style, out)?;
    refreshed(report, out)?;
    foot(report, out)
}

/// Text for an element or an attribute.
pub fn text(text: &str) -> std::borrow::Cow<'_, str> {
    escape(text, false)
}

/// Opens a page: its head, its policy, what stands above everything. Without `script` none may run.
pub fn open(title: &str, skip: &str, script: bool, out: &mut dyn Write) -> io::Result<()> {
    let runs = if script {
        format!("'{}'", policy::hash(SCRIPT))
    } else {
        "'none'".to_owned()
    };
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src {runs}; base-uri 'none'; form-action 'none'",
        policy::hash(STYLE),
    );
    let buttons = if script {
        r#"<button id="open" type="button" hidden>Open all</button>
<button id="theme" type="button" hidden>Light / dark</button>
"#
    } else {
        ""
    };
    writeln!(
        out,
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="tfdrift">
<title>{}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#drifts">{skip}</a>
<header class="top">
<div class="brand"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M3 8h11a3.5 3.5 0 1 0-3.4-4.4"/><path d="M3 13h15.5a3 3 0 1 1-2.9 3.8"/><path d="M3 18h7"/></svg>tfdrift</div>
{buttons}</header>
<main>"##,
        text(title),
    )
}

fn hero(report: &Report, sections: &[Section<'_>], out: &mut dyn Write) -> io::Result<()> {
    let open = words::open(report);
    let title = match (open, words::trust(&report.evidence)) {
        (0, words::Trust::Complete) if report.summary.told_before > 0 => {
            "Nothing new drifted".to_owned()
        }
        (0, words::Trust::Complete) => "Nothing drifted".to_owned(),
        (0, words::Trust::Incomplete) => {
            "No drift found, but the evidence is incomplete".to_owned()
        }
        (0, words::Trust::Empty) => "No evidence, and so no verdict".to_owned(),
        _ => format!(
            "{} behind Terraform’s back",
            words::count(open, "resource changed", "resources changed")
        ),
    };
    writeln!(out, r#"<div class="hero"><h1>{}</h1>"#, text(&title))?;
    writeln!(
        out,
        r#"<p class="lead">From <b>{}</b> to <b>{}</b></p>"#,
        report
            .window
            .since
            .map_or_else(|| "the beginning".to_owned(), words::instant),
        words::instant(report.window.until)
    )?;
    writeln!(
        out,
        r#"<p class="lead">{}</p>"#,
        text(&words::totals(report))
    )?;
    basis(&report.evidence, &words::evidence(&report.evidence), out)?;
    if !sections.is_empty() {
        tiles(report, out)?;
    }
    writeln!(out, "</div>")
}

/// What was read, as `read` says it, and what could not be read or judged.
pub fn basis(evidence: &Evidence, read: &str, out: &mut dyn Write) -> io::Result<()> {
    let complete = words::trust(evidence) == words::Trust::Complete;
    let (class, sign) = if complete {
        ("basis", "✓")
    } else {
        ("basis alarm", "!")
    };
    writeln!(
        out,
        r#"<div class="{class}"><span class="sign" aria-hidden="true">{sign}</span><div><p>Evidence {}</p>"#,
        text(read)
    )?;
    let unreadable = evidence.unreadable.iter().map(words::unreadable);
    let unmapped = evidence
        .unmapped
        .iter()
        .map(|item| format!("not judged: {}", words::unmapped(item)));
    let notes: Vec<String> = unreadable.chain(unmapped).collect();
    if !notes.is_empty() {
        writeln!(out, "<ul>")?;
        for note in &notes {
            writeln!(out, "<li>{}</li>", text(note))?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</div></div>")
}

fn tiles(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<div class="tiles" role="group" aria-label="Filter by severity">"#
    )?;
    for severity in Severity::ALL {
        let number = report
            .summary
            .by_severity
            .get(&severity)
            .copied()
            .unwrap_or_default();
        let word = severity.word();
        let none = if number == 0 { " none" } else { "" };
        writeln!(
            out,
            r#"<button type="button" class="tile {word}{none}" data-severity="{word}" aria-pressed="false"><b>{number}</b><span>{word}</span></button>"#
        )?;
    }
    writeln!(out, "</div>")
}

fn tools(sections: &[Section<'_>], out: &mut dyn Write) -> io::Result<()> {
    let drifts = || sections.iter().flat_map(|section| section.drifts.iter());
    let mut who: Vec<String> = drifts()
        .flat_map(|drift| drift.events.iter().map(|event| words::who(&event.actor)))
        .collect();
    who.sort();
    who.dedup();
    let mut origins: Vec<OriginClass> = drifts()
        .flat_map(|drift| drift.events.iter().map(|event| event.origin.class))
        .collect();
    origins.sort();
    origins.dedup();
    let mut kinds: Vec<&str> = drifts().map(|drift| drift.kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    writeln!(
        out,
        r#"<h2 id="list">Drifts</h2>
<div class="tools" id="tools" role="search" hidden>
<input id="q" type="search" placeholder="Search resources, people, calls, values" aria-label="Search" aria-keyshortcuts="/" autocomplete="off" spellcheck="false">"#
    )?;
    let origins: Vec<String> = origins
        .iter()
        .map(|class| class.word().to_owned())
        .collect();
    let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
    for (id, label, options) in [
        ("kind", "Any kind", kinds),
        ("who", "Anyone", who),
        ("origin", "Any origin", origins),
    ] {
        writeln!(
            out,
            r#"<select id="{id}" aria-label="{label}"><option value="">{label}</option>"#
        )?;
        for option in options {
            writeln!(out, r#"<option value="{0}">{0}</option>"#, text(&option))?;
        }
        writeln!(out, "</select>")?;
    }
    writeln!(
        out,
        r#"<button id="clear" type="button">Clear <kbd>Esc</kbd></button>
<output id="count" aria-live="polite"></output>
</div>"#
    )
}

fn table(
    sections: &[(&Section<'_>, Vec<String>)],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if sections.is_empty() {
        return writeln!(
            out,
            r#"<div class="panel empty" id="drifts">No drift to list.</div><p id="none" hidden></p>"#
        );
    }
    writeln!(
        out,
        r#"<div class="panel scroll"><table id="drifts">
<thead><tr><th data-sort scope="col"><button type="button">Severity</button></th><th data-sort scope="col"><button type="button">Resource</button></th><th scope="col">Change</th><th data-sort scope="col"><button type="button">Who</button></th><th data-sort scope="col"><button type="button">When (UTC)</button></th></tr></thead>
<tbody>"#
    )?;
    for (section, ids) in sections {
        for (drift, id) in section.drifts.iter().zip(ids) {
            row(drift, id, section.standing, style, out)?;
        }
    }
    writeln!(
        out,
        r#"</tbody></table><p class="empty" id="none" hidden>No drift fits the filter.</p></div>"#
    )
}

fn row(
    drift: &Drift,
    id: &str,
    standing: Standing,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let tone = tone(drift, standing);
    let word = drift.severity.word();
    let rank = Severity::ALL
        .iter()
        .position(|&other| other == drift.severity)
        .unwrap_or_default();
    writeln!(
        out,
        r##"<tr data-drift="{id}"><td class="sev" data-key="{rank}"><span class="pill {tone}">{word}</span></td><td class="res mono"><a href="#{id}">{}</a></td><td class="what mono">{}</td>"##,
        subject(drift),
        card::change_in_brief(drift, style)
    )?;
    match drift.culprit() {
        Some(event) => writeln!(
            out,
            r#"<td class="who">{} {}</td><td class="when" data-key="{}">{}</td></tr>"#,
            text(&words::who(&event.actor)),
            card::origin_tag(event.origin.class),
            event.time,
            event.time.strftime("%Y-%m-%d %H:%M:%S"),
        ),
        None => writeln!(out, "<td></td><td></td></tr>"),
    }
}

/// The address with its modules made faint.
fn subject(drift: &Drift) -> String {
    let subject = drift.subject();
    let own = drift.address.as_deref().and_then(|address| {
        let at = address.rfind(&format!("{}.", drift.resource_type))?;
        Some((address.get(..at)?, address.get(at..)?))
    });
    match own {
        Some((modules, own)) if !modules.is_empty() => {
            format!(
                r#"<span class="mod">{}</span>{}"#,
                breakable(modules),
                breakable(own)
            )
        }
        _ => breakable(&subject),
    }
}

/// A name that may be broken behind its dots and underscores.
pub fn breakable(name: &str) -> String {
    text(name).replace('.', ".<wbr>").replace('_', "_<wbr>")
}

/// The class that colours a drift: its severity while it is open.
fn tone(drift: &Drift, standing: Standing) -> &'static str {
    match standing {
        Standing::Open => drift.severity.word(),
        _ => "quiet",
    }
}

fn refused(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let calls = failed(report, style);
    if calls.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        r#"<section><h2>Refused calls</h2><div class="panel scroll"><table>
<thead><tr><th scope="col">When (UTC)</th><th scope="col">Call</th><th scope="col">Resource</th><th scope="col">Who</th><th scope="col">Refused with</th></tr></thead><tbody>"#
    )?;
    for call in calls {
        let event = &call.event;
        writeln!(
            out,
            r#"<tr><td class="when">{}</td><td class="mono">{}</td><td class="mono">{}</td><td class="who">{} {}</td><td class="mono">{}</td></tr>"#,
            event.time.strftime("%Y-%m-%d %H:%M:%S"),
            text(&event.name),
            text(&call.address),
            text(&words::who(&event.actor)),
            card::origin_tag(event.origin.class),
            text(event.error.as_deref().unwrap_or("refused")),
        )?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn refreshed(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.refreshed.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        r#"<section><h2>Found changed by the plan's refresh</h2><div class="panel scroll"><table>
<thead><tr><th scope="col">Resource</th><th scope="col">Explained by the evidence</th><th scope="col">Who</th><th scope="col">Not in the evidence</th></tr></thead><tbody>"#
    )?;
    for found in &report.refreshed {
        let gone = found.kind == Kind::Deleted;
        let paths = |paths: &[String], is_here: bool| {
            let whole = (gone && is_here).then(|| "the whole resource".to_owned());
            let all: Vec<String> = paths.iter().cloned().chain(whole).collect();
            all.join(", ")
        };
        writeln!(
            out,
            r#"<tr><td class="mono">{}</td><td class="mono">{}</td><td class="who">{}</td><td class="mono">{}</td></tr>"#,
            text(&found.address),
            text(&paths(&found.explained, !found.drifts.is_empty())),
            text(&found.actors.join(", ")),
            text(&paths(&found.unexplained, found.drifts.is_empty())),
        )?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn foot(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    close(&report.states, true, out)
}

/// Closes a page: the states, what wrote it, and the script where one may run.
pub fn close(states: &[StateSummary], script: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</main>\n<footer>")?;
    if !states.is_empty() {
        writeln!(
            out,
            r#"<h2>States</h2><div class="panel scroll"><table><thead><tr><th scope="col">Location</th><th scope="col">Serial</th><th scope="col">Resources</th><th scope="col">Written</th></tr></thead><tbody>"#
        )?;
        for state in states {
            writeln!(
                out,
                r#"<tr><td class="mono">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"#,
                text(&state.location),
                state
                    .serial
                    .map(|serial| serial.to_string())
                    .unwrap_or_default(),
                state.resources,
                state.as_of.map(words::instant).unwrap_or_default(),
            )?;
        }
        writeln!(out, "</tbody></table></div>")?;
    }
    let script = if script {
        format!("<script>{SCRIPT}</script>\n")
    } else {
        String::new()
    };
    writeln!(
        out,
        "<p>Written by {} {} from audit logs and Terraform states alone. Nothing was changed.</p>\n</footer>\n{script}</body>\n</html>",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
    )
}

/// A page without its script, its style and their hashes, for snapshots.
#[cfg(test)]
pub fn without_assets(page: &str) -> String {
    page.replace(STYLE, "[STYLE]")
        .replace(SCRIPT, "[SCRIPT]")
        .replace(&policy::hash(STYLE), "[HASH OF STYLE]")
        .replace(&policy::hash(SCRIPT), "[HASH OF SCRIPT]")
}

#[cfg(test)]
mod tests;
