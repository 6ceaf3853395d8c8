//! What every report says in the same words: the window, the totals, the evidence, the actor.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::text::visible;
use super::value::{Change, Side, inline};
use super::{Style, lines};
use crate::drift::model::{
    Actor, Attribute, Drift, Event, Evidence, FailedCall, Kind, Origin, Refreshed, Report,
    Severity, StateSummary, Status, Unmapped, Unreadable, Window,
};

/// How far a verdict can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// All that was asked for was there and was read.
    Complete,
    /// Something could not be read, or is missing.
    Incomplete,
    /// No log file was read at all.
    Empty,
}

/// How far the evidence carries.
pub fn trust(evidence: &Evidence) -> Trust {
    // It can be complete without a log file: all were read before, or digests say there is none.
    if evidence.complete {
        Trust::Complete
    } else if evidence.files == 0 {
        Trust::Empty
    } else {
        Trust::Incomplete
    }
}

/// An instant for people, in UTC: `2026-01-15 10:35:10 UTC`.
pub fn instant(time: Timestamp) -> String {
    let zoned = time.to_zoned(TimeZone::UTC);
    if time.subsec_nanosecond() == 0 {
        zoned.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    } else {
        zoned.strftime("%Y-%m-%d %H:%M:%S%.f UTC").to_string()
    }
}

/// A time of day: `10:35`.
pub fn clock(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}

/// A day without its year, and a time of day: `01-15 10:35`.
pub fn day_and_clock(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%m-%d %H:%M")
        .to_string()
}

/// A window for people, in UTC.
pub fn window(window: &Window) -> String {
    match window.since {
        Some(since) => format!("{} to {}", instant(since), instant(window.until)),
        None => format!("the beginning to {}", instant(window.until)),
    }
}

/// A number with its noun: `1 drift`, `48,211 records`.
pub fn count(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// A number with its thousands apart: `48,211`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Totals of open drift in one line, of every drift, shown or not.
pub fn totals(report: &Report) -> String {
    let summary = &report.summary;
    let open = summary.modified + summary.deleted + summary.unmanaged;
    let mut text = if open == 0 {
        "No open drift".to_owned()
    } else {
        let severities: Vec<String> = Severity::ALL
            .into_iter()
            .filter_map(|severity| {
                let number = summary
                    .by_severity
                    .get(&severity)
                    .copied()
                    .unwrap_or_default();
                (number > 0).then(|| format!("{number} {}", severity.word()))
            })
            .collect();
        let kinds: Vec<String> = [
            (summary.modified, Kind::Modified),
            (summary.deleted, Kind::Deleted),
            (summary.unmanaged, Kind::Unmanaged),
        ]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{number} {}", kind.word()))
        .collect();
        let severities = severities.join(", ");
        let kinds = kinds.join(", ");
        format!(
            "{}: {severities} ({kinds})",
            count(open, "open drift", "open drifts")
        )
    };
    for (number, word) in [
        (summary.resolved, "resolved"),
        (summary.suppressed, "suppressed"),
    ] {
        if number > 0 {
            text.push_str(&format!("; {} {word}", thousands(number as u64)));
        }
    }
    if !report.failed.is_empty() {
        text.push_str(&format!(
            "; {}",
            count(report.failed.len(), "refused call", "refused calls")
        ));
    }
    text
}

/// What was read, in one line that begins with how far it carries.
pub fn evidence(evidence: &Evidence) -> String {
    let matched = count(
        evidence.matched,
        "call on these states",
        "calls on these states",
    );
    evidence_with(evidence, &matched)
}

/// What was read, and what of it mattered, in one line that begins with how far it carries.
pub fn evidence_with(evidence: &Evidence, matched: &str) -> String {
    let read = format!(
        "{} in {}, {} of them in the window, {}, {matched}",
        count(evidence.records, "record", "records"),
        count(evidence.files, "log file", "log files"),
        thousands(evidence.in_window),
        count(evidence.writes, "write", "writes"),
    );
    match trust(evidence) {
        Trust::Complete => format!("complete: {read}"),
        Trust::Incomplete if evidence.unreadable.is_empty() => format!("INCOMPLETE: {read}"),
        Trust::Incomplete => format!(
            "INCOMPLETE: {} could not be read; {read}",
            count(evidence.unreadable.len(), "input", "inputs")
        ),
        Trust::Empty if evidence.unreadable.is_empty() => {
            "EMPTY: no log file was read for this window".to_owned()
        }
        Trust::Empty => format!(
            "EMPTY: no log file was read; {} could not be read",
            count(evidence.unreadable.len(), "input", "inputs")
        ),
    }
}

/// The verdict of a report that shows no open drift; says loudly when it rests on nothing.
pub fn nothing_drifted(report: &Report) -> String {
    match trust(&report.evidence) {
        Trust::Complete if open(report) > 0 => "Open drift lies outside what is shown.".to_owned(),
        Trust::Complete => match report.summary.told_before {
            0 => "Nothing drifted: what the log shows ends where Terraform believes.".to_owned(),
            1 => "Nothing new drifted; 1 drift is still open as told before.".to_owned(),
            known => format!("Nothing new drifted; {known} drifts are still open as told before."),
        },
        Trust::Incomplete => {
            "No drift was found, but the evidence is INCOMPLETE: this is no all-clear.".to_owned()
        }
        Trust::Empty => {
            "No drift was found, because there was NO EVIDENCE to find it in: this is no all-clear."
                .to_owned()
        }
    }
}

/// Open drifts of the run.
pub fn open(report: &Report) -> usize {
    report.summary.modified + report.summary.deleted + report.summary.unmanaged
}

/// States of the inventory in one line.
pub fn states(states: &[StateSummary]) -> String {
    let resources: usize = states.iter().map(|state| state.resources).sum();
    let names: Vec<String> = states
        .iter()
        .take(3)
        .map(|state| visible(&state.location).into_owned())
        .collect();
    let more = states.len().saturating_sub(names.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    match states.len() {
        0 => "none".to_owned(),
        _ => format!(
            "{} in {}{more}",
            count(resources, "managed resource", "managed resources"),
            names.join(", "),
        ),
    }
}

/// One thing that could not be read, on one line.
pub fn unreadable(unreadable: &Unreadable) -> String {
    let mut text = visible(&unreadable.location).into_owned();
    if let Some(place) = &unreadable.place {
        text.push_str(&format!(", {}", visible(place)));
    }
    text.push_str(&format!(": {}", visible(&unreadable.problem)));
    if let Some(remedy) = &unreadable.remedy {
        text.push_str(&format!(" ({})", visible(remedy)));
    }
    text
}

/// Calls that no rule knows, on one line.
pub fn unmapped(unmapped: &Unmapped) -> String {
    let mut text = format!(
        "{} of {}",
        count(unmapped.count, "call", "calls"),
        visible(&unmapped.event)
    );
    let named: Vec<_> = unmapped
        .addresses
        .iter()
        .take(3)
        .map(|name| visible(name))
        .collect();
    if !named.is_empty() {
        text.push_str(&format!(" on {}", named.join(", ")));
    }
    if unmapped.addresses.len() > named.len() {
        text.push_str(&format!(
            " and {} more",
            unmapped.addresses.len() - named.len()
        ));
    }
    text
}

/// Service and call: `ec2.amazonaws.com ModifyInstanceAttribute`.
pub fn call(event: &Event) -> String {
    format!("{} {}", visible(&event.source), visible(&event.name))
}

/// Name of the actor for people.
pub fn who(actor: &Actor) -> String {
    if actor.name.is_empty() {
        "unknown".to_owned()
    } else {
        visible(&actor.name).into_owned()
    }
}

/// Origin with what says so: `console (sessionCredentialFromConsole)`.
pub fn origin(origin: &Origin) -> String {
    if origin.evidence.is_empty() {
        origin.class.word().to_owned()
    } else {
        let evidence: Vec<_> = origin.evidence.iter().map(|item| visible(item)).collect();
        format!("{} ({})", origin.class.word(), evidence.join(", "))
    }
}

/// What happened to a drift's resource, in a few words, as a path and what became of it:
/// `deleted`, `tags.Owner` with `"a" → "b"`.
pub fn what(drift: &Drift, reveal: bool, arrow: &str) -> (Option<String>, String) {
    let whole = |text: &str| (None, text.to_owned());
    match drift.kind {
        Kind::Deleted => whole("deleted"),
        Kind::Unmanaged => match &drift.parent {
            Some(parent) => whole(&format!("created on {}", visible(parent))),
            None => whole("created"),
        },
        Kind::Modified => {
            let Some(first) = drift.attributes.first() else {
                return whole("changed");
            };
            let mut text = change(drift, first, reveal, arrow);
            if drift.attributes.len() > 1 {
                text.push_str(&format!(" (+{} more)", drift.attributes.len() - 1));
            }
            (Some(visible(&first.path).into_owned()), text)
        }
    }
}

/// What became of one attribute of a drift, in a few words.
pub fn change(drift: &Drift, attribute: &Attribute, reveal: bool, arrow: &str) -> String {
    let change = Change::of(attribute, reveal);
    if drift.is_applied() && change.came_back() {
        return format!("set to {}", change.before.inline());
    }
    in_brief(&change, arrow)
}

/// What became of a value, in a few words.
pub fn in_brief(change: &Change, arrow: &str) -> String {
    match (&change.before, &change.after) {
        _ if change.came_back() => return format!("back to {}", change.before.inline()),
        (Side::Secret, Side::Secret) => return format!("{} changed", change.before.inline()),
        (_, Side::Unknown) if change.is_long() => return "changed, new value not known".to_owned(),
        (Side::Known(_), Side::Known(_)) if change.is_long() => {}
        (before, after) => return format!("{} {arrow} {}", before.inline(), after.inline()),
    }
    let members: Vec<String> = [(&change.removed, '-'), (&change.added, '+')]
        .into_iter()
        .flat_map(|(members, mark)| {
            members
                .iter()
                .flatten()
                .map(move |member| format!("{mark} {}", inline(member)))
        })
        .collect();
    if !members.is_empty() {
        return members.join(" ");
    }
    let differing: Vec<String> = lines::hunks(&[lines::of_change("", change)], 0)
        .into_iter()
        .flat_map(|hunk| hunk.lines)
        .map(|line| format!("{} {}", lines::mark(line.tag), line.text.trim()))
        .collect();
    differing.join(" ")
}

/// The call that an attribute's value comes from, where a drift has calls of several kinds.
pub fn setter<'a>(drift: &'a Drift, attribute: &Attribute) -> Option<&'a Event> {
    let last = attribute.by.last()?;
    (drift.events.len() > 1 && drift.attributes.len() > 1)
        .then(|| drift.events().find(|event| event.event_id == *last))?
}

/// A drift in one sentence: what became of which resource, by whom, when.
pub fn sentence(drift: &Drift, style: &Style) -> String {
    let arrow = if style.unicode { "→" } else { "->" };
    let (path, change) = what(drift, style.reveal, arrow);
    let path = path.map_or(String::new(), |path| format!("{path}: "));
    let mut text = format!(
        "{} [{}] {path}{change}",
        visible(&drift.subject()),
        drift.severity.word()
    );
    if let Some(event) = drift.culprit() {
        text.push_str(&format!(
            ", by {} ({}) with {} at {}",
            who(&event.actor),
            event.origin.class.word(),
            call(event),
            instant(event.time)
        ));
    }
    if let Some(ending) = ending(drift) {
        text.push_str(&format!("; {ending}"));
    }
    text
}

/// How a drift ended, for those that are not open.
pub fn ending(drift: &Drift) -> Option<String> {
    match drift.status {
        Status::Open => None,
        Status::Reconciled if drift.is_applied() => None,
        Status::Reverted => Some("put back by hand".to_owned()),
        Status::Reconciled => Some("put back by Terraform".to_owned()),
        Status::Suppressed => Some(match &drift.suppressed_by {
            Some(reason) => format!("suppressed: {}", visible(reason)),
            None => "suppressed".to_owned(),
        }),
    }
}

/// What a plan's refresh found, on one line, and whether the evidence explains all of it.
pub fn refreshed(found: &Refreshed) -> (bool, String) {
    let address = visible(&found.address);
    let list = |paths: &[String]| {
        let paths: Vec<_> = paths.iter().map(|path| visible(path)).collect();
        paths.join(", ")
    };
    let actors = list(&found.actors);
    let by = if actors.is_empty() {
        "explained by the evidence".to_owned()
    } else {
        format!("changed by {actors}")
    };
    let mut parts = Vec::new();
    let gone = found.kind == Kind::Deleted;
    if gone && !found.drifts.is_empty() {
        parts.push(format!("gone, {by}"));
    }
    if !found.explained.is_empty() {
        parts.push(format!("{} {by}", list(&found.explained)));
    }
    let unexplained = if gone && found.drifts.is_empty() {
        "gone".to_owned()
    } else {
        list(&found.unexplained)
    };
    let is_explained = unexplained.is_empty();
    if !is_explained {
        parts.push(format!("{unexplained} not in the evidence of this window"));
    }
    (is_explained, format!("{address}: {}", parts.join("; ")))
}

/// A refused call on one line.
pub fn refused(failed: &FailedCall) -> String {
    format!(
        "{} on {} by {}: {}",
        call(&failed.event),
        visible(&failed.address),
        who(&failed.event.actor),
        visible(failed.event.error.as_deref().unwrap_or("refused")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn numbers_read_well() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (48_211, "48,211"),
            (1_234_567, "1,234,567"),
        ];
        for (number, expected) in cases {
            assert_eq!(thousands(number), expected);
        }
        assert_eq!(count(1_u64, "drift", "drifts"), "1 drift");
        assert_eq!(count(0_u64, "drift", "drifts"), "0 drifts");
    }

    #[test]
    fn what_was_told_before_is_no_all_clear() {
        let mut report = fixture::nothing();
        assert!(nothing_drifted(&report).starts_with("Nothing drifted"));
        report.summary.told_before = 2;
        let said = nothing_drifted(&report);
        assert_eq!(
            said,
            "Nothing new drifted; 2 drifts are still open as told before."
        );
    }

    #[test]
    fn evidence_that_is_missing_is_said_first() {
        let complete = Evidence {
            files: 1,
            complete: true,
            ..Evidence::default()
        };
        assert!(evidence(&complete).starts_with("complete: "));
        let incomplete = Evidence {
            files: 1,
            ..Evidence::default()
        };
        assert!(evidence(&incomplete).starts_with("INCOMPLETE: "));
        assert!(evidence(&Evidence::default()).starts_with("EMPTY: "));
        let known = Evidence {
            complete: true,
            ..Evidence::default()
        };
        assert!(evidence(&known).starts_with("complete: "));
    }
}
