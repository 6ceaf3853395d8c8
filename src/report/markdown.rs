//! `markdown`: for pull requests and Slack. Stays below the size that GitHub takes in a comment
//! and says how much it left out.

use std::io::{self, Write};

use super::lines::{hunks, mark, of_drift};
use super::sections::{Standing, failed, sections};
use super::text::{is_link, visible};
use super::{Style, words};
use crate::drift::model::{Drift, Event, Kind, Report};

/// Characters that GitHub takes in a comment: 65,536, less some for what a wrapper adds.
const MOST: usize = 65_536 - 1_536;
/// Bytes of one drift; a single policy must not push out everything else.
const MOST_OF_ONE: usize = 12_000;
/// Equal lines around what differs.
const CONTEXT: usize = 3;
/// Notes of a kind that are listed one by one.
const LISTED: usize = 20;

/// Writes the report as Markdown.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(text(report, style, MOST).as_bytes())
}

/// The report as Markdown of at most `most` bytes (and so of at most as many characters).
pub fn text(report: &Report, style: &Style, most: usize) -> String {
    let mut page = head(report, style);
    let tail = tail(report, style);
    let note_room = 200;
    let mut left_out = 0;
    for section in sections(report, style) {
        if section.standing != Standing::Open && left_out == 0 {
            page.push_str(&format!("## {}\n\n", section.standing.heading()));
        }
        for drift in section.drifts {
            let block = drift_block(drift, style);
            if left_out == 0 && page.len() + block.len() + tail.len() + note_room <= most {
                page.push_str(&block);
            } else {
                left_out += 1;
            }
        }
    }
    if left_out > 0 {
        page.push_str(&format!(
            "> **{} left out** to stay below the size of a comment; the `json` and `html` formats hold everything.\n\n",
            words::count(left_out, "drift is", "drifts are"),
        ));
    }
    page.push_str(&tail);
    page
}

fn head(report: &Report, style: &Style) -> String {
    let open = words::open(report);
    let title = match open {
        0 => "No Terraform drift found".to_owned(),
        _ => format!(
            "Terraform drift: {}",
            words::count(open, "open drift", "open drifts")
        ),
    };
    let mut page = format!("# {title}\n\n");
    let nothing = !sections(report, style)
        .iter()
        .any(|section| section.standing == Standing::Open);
    if nothing {
        page.push_str(&format!("{}\n\n", words::nothing_drifted(report)));
    }
    let states: Vec<String> = report
        .states
        .iter()
        .take(LISTED)
        .map(|state| code(&short(&state.location)))
        .collect();
    page.push_str(&format!(
        "- **Window:** {}\n",
        words::window(&report.window)
    ));
    page.push_str(&format!("- **Total:** {}\n", words::totals(report)));
    page.push_str(&format!(
        "- **Evidence:** {}\n",
        words::evidence(&report.evidence)
    ));
    if !states.is_empty() {
        let more = report.states.len().saturating_sub(states.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        page.push_str(&format!("- **States:** {}{more}\n", states.join(", ")));
    }
    page.push('\n');
    page
}

fn tail(report: &Report, style: &Style) -> String {
    let mut page = String::new();
    let refused: Vec<String> = failed(report, style)
        .iter()
        .map(|call| {
            let time = words::instant(call.event.time);
            format!("{time}: {}", code(&short(&words::refused(call))))
        })
        .collect();
    list(&mut page, "Refused calls", &refused);
    let refreshed: Vec<String> = report
        .refreshed
        .iter()
        .map(|found| code(&short(&words::refreshed(found).1)))
        .collect();
    list(&mut page, "Found changed by the plan's refresh", &refreshed);
    let unreadable: Vec<String> = report
        .evidence
        .unreadable
        .iter()
        .map(|item| code(&short(&words::unreadable(item))))
        .collect();
    list(&mut page, "Could not be read", &unreadable);
    let unmapped: Vec<String> = report
        .evidence
        .unmapped
        .iter()
        .map(|item| code(&short(&words::unmapped(item))))
        .collect();
    list(
        &mut page,
        "Not judged, because no rule knows the call",
        &unmapped,
    );
    page
}

fn list(page: &mut String, heading: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.push_str(&format!("## {heading}\n\n"));
    for item in items.iter().take(LISTED) {
        page.push_str(&format!(
            "- {item}
"
        ));
    }
    if items.len() > LISTED {
        page.push_str(&format!("- and {} more\n", items.len() - LISTED));
    }
    page.push('\n');
}

fn drift_block(drift: &Drift, style: &Style) -> String {
    let icon = match drift.severity.word() {
        _ if !style.unicode => "",
        "critical" => "🔴 ",
        "high" => "🟠 ",
        "medium" => "🟡 ",
        _ => "🔵 ",
    };
    let heading = if drift.is_applied() {
        "Changed by Terraform"
    } else {
        "Drift Detected"
    };
    let mut block = format!("### {heading}: {}\n\n", plain(&drift.subject()));
    block.push_str(&format!(
        "- **Severity:** {icon}{}\n",
        drift.severity.word()
    ));
    if let Some(ending) = words::ending(drift) {
        block.push_str(&format!("- **Ended:** {}\n", plain(&ending)));
    }
    let id = drift
        .resource_id
        .as_deref()
        .map(|id| format!(" {}", code(id)))
        .unwrap_or_default();
    block.push_str(&format!(
        "- **Resource:** {}{id}\n",
        code(&drift.resource_type)
    ));
    block.push_str(&format!(
        "- **Account:** {} in {}\n",
        code(&drift.account),
        code(&drift.region)
    ));
    if let Some(parent) = &drift.parent {
        block.push_str(&format!("- **Hangs on:** {}\n", code(parent)));
    }
    if let Some(source) = &drift.source {
        block.push_str(&format!("- **Code:** {}\n", code(&source.to_string())));
    }
    let changed: Vec<String> = match drift.kind {
        Kind::Modified => drift.attributes.iter().map(|one| code(&one.path)).collect(),
        Kind::Deleted => vec!["the whole resource is gone".to_owned()],
        Kind::Unmanaged => vec!["created outside of every state".to_owned()],
    };
    let noun = if changed.len() > 1 {
        "Changed Attributes"
    } else {
        "Changed Attribute"
    };
    block.push_str(&format!("- **{noun}:** {}\n\n", changed.join(", ")));

    block.push_str("**Value Change**\n\n");
    block.push_str(&fenced(&difference(drift, style), "diff"));

    block.push_str("**Changed By**\n\n");
    match drift.events.as_slice() {
        [] => block.push_str("- not known\n"),
        events => {
            for event in events.iter().rev().take(LISTED) {
                block.push_str(&changed_by(event));
            }
            if events.len() > LISTED {
                block.push_str(&format!("- and {} earlier calls\n", events.len() - LISTED));
            }
        }
    }
    block.push('\n');
    block.push_str(&remedy(drift));
    block
}

fn changed_by(event: &Event) -> String {
    let actor = &event.actor;
    let mut line = format!("- **User:** {} ({})", code(&actor.name), code(&actor.kind));
    for (label, value) in [
        ("account", &actor.account),
        ("role", &actor.role),
        ("from", &actor.source_ip),
    ] {
        if let Some(value) = value {
            line.push_str(&format!(", {label} {}", code(value)));
        }
    }
    format!(
        "{line}\n  - **Time:** {}\n  - **Call:** {} ({})\n  - **Origin:** {}\n",
        words::instant(event.time),
        code(&words::call(event)),
        code(&event.event_id),
        origin(event),
    )
}

fn origin(event: &Event) -> String {
    let evidence: Vec<String> = event
        .origin
        .evidence
        .iter()
        .map(|item| code(item))
        .collect();
    let because = if evidence.is_empty() {
        String::new()
    } else {
        format!(", by {}", evidence.join(", "))
    };
    format!("{}{because}", event.origin.class.word())
}

fn difference(drift: &Drift, style: &Style) -> String {
    let mut text = String::new();
    let mut left_out = 0;
    for hunk in hunks(&of_drift(drift, style.reveal), CONTEXT) {
        for line in hunk.lines {
            let line = format!("{}{}{}\n", mark(line.tag), " ", line.text);
            if text.len() + line.len() <= MOST_OF_ONE {
                text.push_str(&line);
            } else {
                left_out += 1;
            }
        }
    }
    if left_out > 0 {
        text.push_str(&format!(
            "# {} left out\n",
            words::count(left_out, "line", "lines")
        ));
    }
    text
}

fn remedy(drift: &Drift) -> String {
    let remedy = &drift.remedy;
    let mut block = String::new();
    if !remedy.summary.is_empty() {
        block.push_str(&format!("**Put it back:** {}\n\n", plain(&remedy.summary)));
    }
    if let Some(command) = &remedy.command {
        block.push_str(&fenced(&visible(command), "sh"));
    }
    if let Some(hcl) = &remedy.hcl {
        let lines: Vec<_> = hcl.lines().map(|line| visible(line)).collect();
        block.push_str(&fenced(&lines.join("\n"), "hcl"));
    }
    if let Some(url) = remedy.console_url.as_deref().filter(|url| is_link(url)) {
        block.push_str(&format!("[Open in the AWS console]({url})\n\n"));
    }
    block
}

/// Text as a code span: no mark-up, mention or reference acts in it.
pub fn code(text: &str) -> String {
    if text.is_empty() {
        return "(none)".to_owned();
    }
    let text: String = visible(text).chars().take(2_000).collect();
    let fence = "`".repeat(longest_run(&text) + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// Text that stands bare where nothing in it acts, else a code span.
fn plain(text: &str) -> String {
    let harmless = |(position, character): (usize, char)| match character {
        '_' => {
            let inside = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
            let before = text
                .get(..position)
                .and_then(|head| head.chars().next_back());
            let after = text
                .get(position + 1..)
                .and_then(|rest| rest.chars().next());
            inside(before) && inside(after)
        }
        ' ' | '.' | '-' | '[' | ']' | '"' | '/' | ',' | ';' | '\'' => true,
        '(' | ')' => !text.contains("]("),
        ':' => text
            .get(position + 1..)
            .is_some_and(|rest| rest.starts_with(' ')),
        _ => character.is_alphanumeric(),
    };
    let lower = text.to_lowercase();
    let bare = text.char_indices().all(harmless)
        && text.starts_with(char::is_alphanumeric)
        && !lower.contains("www.");
    if bare { text.to_owned() } else { code(text) }
}

/// Lines in a fence that nothing in them can close.
fn fenced(text: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    format!("{fence}{language}\n{text}{end}{fence}\n\n")
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}
