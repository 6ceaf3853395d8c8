//! Renders the history of a resource: one file per format, all of them leaves, as the reports of a
//! scan are. Here is what all of them say in the same words.

mod console;
mod html;
mod json;
mod table;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};

use super::text::visible;
use super::value::{Change, Side};
use super::{Format, Style, words};
use crate::drift::history::{Blame, Content, Deed, Held, History, Move, Standing, Step};

/// The formats a history can be written in.
pub const FORMATS: [Format; 4] = [Format::Table, Format::Console, Format::Json, Format::Html];

/// Writes a history in one of [`FORMATS`]; any other becomes a table.
///
/// # Errors
///
/// Whatever `out` refuses; rendering itself cannot fail.
pub fn render(
    format: Format,
    blame: &Blame,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut buffered = io::BufWriter::new(out);
    let out: &mut dyn io::Write = &mut buffered;
    match format {
        Format::Console => console::write(blame, style, out),
        Format::Json => json::write(blame, out),
        Format::Html => html::write(blame, out),
        _ => table::write(blame, style, out),
    }?;
    buffered.flush()
}

/// A value as all reports print it.
fn side(content: &Content) -> Side {
    match content {
        Content::Unset => Side::Absent,
        Content::Unknown => Side::Unknown,
        Content::Secret => Side::Secret,
        Content::Value(value) => Side::Known(value.clone()),
    }
}

/// A change as all reports print it.
fn change(step: &Move) -> Change {
    Change {
        before: side(&step.before),
        after: side(&step.after),
        added: step.added.clone(),
        removed: step.removed.clone(),
    }
}

/// What became of an attribute, in a few words.
fn in_brief(step: &Move, arrow: &str) -> String {
    let change = change(step);
    if !step.moved {
        return format!("{}, as before", change.after.inline());
    }
    let members: Vec<String> = [(&step.removed, '-'), (&step.added, '+')]
        .into_iter()
        .flat_map(|(members, sign)| {
            let members = members.iter().flatten();
            members.map(move |member| format!("{sign} {}", super::value::inline(member)))
        })
        .collect();
    if members.is_empty() {
        words::in_brief(&change, arrow)
    } else {
        members.join(" ")
    }
}

/// What a step did beside setting attributes, in a sentence; none where the attributes tell it.
fn deed(step: &Step) -> Option<String> {
    let about = step.about.as_deref().map(visible);
    let about = about.as_deref();
    let refused = step.refused();
    let text = match (step.deed, about) {
        (Deed::Changed, _) => return None,
        (Deed::Made, _) if refused => "would have made it".to_owned(),
        (Deed::Made, _) => "made it".to_owned(),
        (Deed::Removed, _) if refused => "would have removed it".to_owned(),
        (Deed::Removed, _) => "removed it".to_owned(),
        (Deed::Hung, about) => format!("made {} on it", about.unwrap_or("something")),
        (Deed::Unhung, about) => format!("removed {} from it", about.unwrap_or("something")),
        (Deed::Named, Some(about)) => format!("touches it through {about}"),
        (Deed::Named, None) => "changes none of its attributes".to_owned(),
        (Deed::Operated, Some(why)) => format!("only uses it: {why}"),
        (Deed::Operated, None) => "only uses it".to_owned(),
        (Deed::Unjudged, _) => "no rule knows what it changes".to_owned(),
    };
    Some(text)
}

/// Where a call came from: a source address, or the AWS service that called.
fn from(step: &Step) -> String {
    step.event
        .actor
        .source_ip
        .as_deref()
        .map(|from| visible(from).into_owned())
        .unwrap_or_default()
}

/// What the heading does not say: type and id, account and region, as far as known.
fn identity(history: &History) -> String {
    let mut text = match (
        &history.address,
        &history.resource_type,
        &history.resource_id,
    ) {
        (None, ..) => "in no state".to_owned(),
        (_, Some(kind), Some(id)) => format!("{} {}", visible(kind), visible(id)),
        (_, Some(one), None) | (_, None, Some(one)) => visible(one).into_owned(),
        (_, None, None) => String::new(),
    };
    if let Some(account) = &history.account {
        text.push_str(&format!(", account {}", visible(account)));
    }
    if let Some(region) = &history.region {
        text.push_str(&format!(", {}", visible(region)));
    }
    text
}

/// What all attributes that are told have in common: the time they are of.
fn as_of(blame: &Blame) -> String {
    match blame.at {
        Some(at) => format!("As of {}", words::instant(at)),
        None => "What calls set, and whose call it was".to_owned(),
    }
}

/// That there is nothing to tell of attributes, and why.
fn no_attributes(blame: &Blame, history: &History) -> String {
    let path = history.path.as_deref().map(visible);
    match (history.standing, path, blame.at) {
        (Standing::NotYet, _, _) => "It was not there yet.".to_owned(),
        (_, Some(path), _) => format!("No call in the window set {path}, and no state holds it."),
        (_, None, Some(_)) => "Nothing is known of its attributes.".to_owned(),
        (_, None, None) => "No call in the window set an attribute.".to_owned(),
    }
}

/// How it stands, where it is not simply there.
fn standing(history: &History) -> Option<&'static str> {
    match history.standing {
        Standing::There => None,
        Standing::Gone => Some("It was removed; this is what it was last."),
        Standing::NotYet => Some("A later call made it."),
    }
}

/// What Terraform believes of an attribute, where that is something else.
fn believed(held: &Held, arrow: &str) -> Option<String> {
    let drift = held.drift.as_ref()?;
    let both = change(drift);
    Some(if both.is_long() && both.before.value().is_some() {
        format!("Terraform believes otherwise: {}", in_brief(drift, arrow))
    } else {
        format!("Terraform believes {}", both.before.inline())
    })
}

/// Calls that came one after the other, by one actor, and tell nothing but that they were made.
struct Run<'a> {
    /// The number of the first in its history.
    number: usize,
    first: &'a Step,
    last: &'a Step,
    count: usize,
}

/// Steps with such calls folded into one.
fn runs<'a>(blame: &Blame, history: &'a History) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let empty = |step: &Step| step.changes.is_empty() && step.deed == Deed::Named;
    for (number, step) in history.steps.iter().enumerate() {
        let (one, event) = (step, &step.event);
        match runs.last_mut() {
            Some(run)
                if (empty(one) || (one.refused() && one.changes.is_empty()))
                    && run.first.deed == one.deed
                    && run.first.about == one.about
                    && run.first.event.error == event.error
                    && run.first.event.source == event.source
                    && run.first.event.name == event.name
                    && run.first.event.actor == event.actor
                    && is_later(blame, run.first) == is_later(blame, one) =>
            {
                run.last = step;
                run.count += 1;
            }
            _ => runs.push(Run {
                number,
                first: step,
                last: step,
                count: 1,
            }),
        }
    }
    runs
}

/// That calls were left out, and how to see them.
fn left_out(history: &History) -> Option<String> {
    (history.operations > 0).then(|| {
        format!(
            "{} that only {} it left out; --show operations lists them",
            words::count(history.operations, "call", "calls"),
            if history.operations == 1 {
                "uses"
            } else {
                "use"
            }
        )
    })
}

/// How many calls there were, by how many.
fn totals(history: &History) -> String {
    let mut who: Vec<String> = history
        .steps
        .iter()
        .map(|step| words::who(&step.event.actor))
        .collect();
    who.sort();
    who.dedup();
    match history.steps.len() {
        0 => "No call in the window concerns it.".to_owned(),
        calls => format!(
            "{} by {}",
            words::count(calls, "call", "calls"),
            words::count(who.len(), "actor", "actors")
        ),
    }
}

/// What was read, in one line.
fn evidence(blame: &Blame) -> String {
    let matched = words::count(
        blame.evidence.matched,
        "call that concerns it",
        "calls that concern it",
    );
    words::evidence_with(&blame.evidence, &matched)
}

/// That nothing named what was asked for.
fn nothing(blame: &Blame) -> String {
    format!(
        "Nothing is known of {}: no state holds it, and no call in the window names it.",
        visible(&blame.asked)
    )
}

/// Whether a step came after the instant that is told.
fn is_later(blame: &Blame, step: &Step) -> bool {
    blame.at.is_some_and(|at| step.event.time > at)
}
