//! A change as lines of Terraform-like code, and the difference of two such texts.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::align::{align, align_plain};
use super::text::visible;
use super::value::{Change, Side, document, inline, name};
use crate::drift::model::{Drift, Kind};

/// What Terraform believes and what the evidence ends with, as lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    /// Terraform's side.
    pub before: Vec<String>,
    /// The evidence's side.
    pub after: Vec<String>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which side has it.
    pub tag: ChangeTag,
    /// Which pair of texts it comes from, counted from 0.
    pub part: usize,
    /// Its text, without a mark and without a line break.
    pub text: String,
}

/// Neighbouring lines that differ, with some that do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// `@@ -1,3 +1,4 @@`
    pub header: String,
    /// The lines, those that are gone before those that are new.
    pub lines: Vec<Line>,
}

/// A whole drift as pairs of texts: one for each attribute in order of path, or one for the
/// resource itself.
pub fn of_drift(drift: &Drift, reveal: bool) -> Vec<Sides> {
    let mut attributes: Vec<_> = drift.attributes.iter().collect();
    attributes.sort_by(|a, b| a.path.cmp(&b.path));
    let parts = attributes.into_iter().map(|one| {
        let mut change = Change::of(one, reveal);
        // What was there before Terraform set it, nobody says.
        if drift.is_applied() {
            change.before = Side::Absent;
        }
        of_change(&one.path, &change)
    });
    match drift.kind {
        Kind::Modified => parts.collect(),
        Kind::Deleted => {
            let inside = parts.flat_map(|part| part.before).collect();
            vec![Sides {
                before: block(drift, inside),
                after: Vec::new(),
            }]
        }
        Kind::Unmanaged => {
            let inside = parts.flat_map(|part| part.after).collect();
            vec![Sides {
                before: Vec::new(),
                after: block(drift, inside),
            }]
        }
    }
}

/// A resource block around the lines of its attributes.
fn block(drift: &Drift, inside: Vec<String>) -> Vec<String> {
    let label = drift
        .own_name()
        .or(drift.resource_id.as_deref())
        .unwrap_or_default();
    let mut lines = vec![format!(
        "resource {} {} {{",
        inline(&Value::from(drift.resource_type.as_str())),
        inline(&Value::from(label))
    )];
    for (key, value) in [
        ("id", &drift.resource_id),
        ("name", &drift.resource_name),
        ("arn", &drift.arn),
    ] {
        if let Some(value) = value {
            lines.push(format!(
                "  {key} = {}",
                inline(&Value::from(value.as_str()))
            ));
        }
    }
    lines.extend(inside.into_iter().map(|line| format!("  {line}")));
    lines.push("}".to_owned());
    lines
}

/// One attribute as two texts.
pub fn of_change(path: &str, change: &Change) -> Sides {
    let path = visible(path);
    let (before, after) = match (&change.before, &change.after) {
        (Side::Known(before), Side::Known(after)) => pair(before, after),
        (before, after) => (alone(before), alone(after)),
    };
    let mut sides = Sides {
        before: assign(&path, before),
        after: assign(&path, after),
    };
    if change.before == Side::Secret && change.after == Side::Secret {
        // Two secrets look alike; that they differ is the point.
        if let Some(last) = sides.after.last_mut() {
            last.push_str(" # changed");
        }
    }
    sides
}

fn pair(before: &Value, after: &Value) -> (Vec<String>, Vec<String>) {
    if let (Value::String(old), Value::String(new)) = (before, after) {
        if let (Some(old), Some(new)) = (document(old), document(new)) {
            let (old, new) = align(&old, &new);
            let (old_lines, new_lines) = (encoded(&old), encoded(&new));
            if old_lines != new_lines {
                return (old_lines, new_lines);
            }
        }
        if old.trim_end().contains('\n') || new.trim_end().contains('\n') {
            return (text(old), text(new));
        }
    }
    let (laid_out, aligned) = align_plain(before, after);
    let lines = (pretty(&laid_out), pretty(&aligned));
    // A list whose members only changed places reads as equal once aligned: show it as it is.
    if lines.0 == lines.1 {
        (pretty(before), pretty(after))
    } else {
        lines
    }
}

fn alone(side: &Side) -> Vec<String> {
    match side {
        Side::Absent => Vec::new(),
        Side::Unknown => vec!["(not known: the log does not show it)".to_owned()],
        Side::Secret => vec![side.inline()],
        Side::Known(Value::String(held)) => match document(held) {
            Some(value) => encoded(&value),
            None if held.trim_end().contains('\n') => text(held),
            None => vec![inline(&Value::from(held.as_str()))],
        },
        Side::Known(value) => pretty(value),
    }
}

fn assign(path: &str, mut lines: Vec<String>) -> Vec<String> {
    if let (Some(first), false) = (lines.first_mut(), path.is_empty()) {
        *first = format!("{path} = {first}");
    }
    lines
}

fn encoded(value: &Value) -> Vec<String> {
    let mut lines = pretty(value);
    if let Some(first) = lines.first_mut() {
        first.insert_str(0, "jsonencode(");
    }
    if let Some(last) = lines.last_mut() {
        last.push(')');
    }
    lines
}

fn text(held: &str) -> Vec<String> {
    let mut lines = vec!["<<-EOT".to_owned()];
    lines.extend(held.lines().map(|line| format!("  {}", visible(line))));
    lines.push("EOT".to_owned());
    lines
}

/// A value over several lines, each member on one, as Terraform prints it.
pub fn pretty(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    spread(value, 0, "", "", &mut lines);
    lines
}

fn spread(value: &Value, depth: usize, start: &str, end: &str, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Array(items) if !items.is_empty() => {
            lines.push(format!("{indent}{start}["));
            for item in items {
                spread(item, depth + 1, "", ",", lines);
            }
            lines.push(format!("{indent}]{end}"));
        }
        Value::Object(members) if !members.is_empty() => {
            lines.push(format!("{indent}{start}{{"));
            for (key, value) in members {
                spread(value, depth + 1, &format!("{} = ", name(key)), "", lines);
            }
            lines.push(format!("{indent}}}{end}"));
        }
        other => lines.push(format!("{indent}{start}{}{end}", inline(other))),
    }
}

/// Where the pairs of texts differ, one pair after the other, with `context` equal lines around.
pub fn hunks(parts: &[Sides], context: usize) -> Vec<Hunk> {
    let each = parts.iter().enumerate();
    let lines: Vec<Line> = each
        .flat_map(|(part, sides)| difference(part, sides))
        .collect();
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut reach = 0;
    let mut place = Place::default();
    for (index, line) in lines.iter().enumerate() {
        let ahead = lines.iter().skip(index).take(context + 1);
        let starts = ahead.into_iter().any(|line| line.tag != ChangeTag::Equal);
        if line.tag != ChangeTag::Equal {
            reach = index + context + 1;
        }
        if starts || index < reach {
            if index == 0 || !place.inside {
                hunks.push(Hunk {
                    header: String::new(),
                    lines: Vec::new(),
                });
                place.open();
            }
            if let Some(hunk) = hunks.last_mut() {
                hunk.lines.push(line.clone());
                place.count(line.tag);
                hunk.header = place.header();
            }
        } else {
            place.inside = false;
            place.count(line.tag);
        }
    }
    hunks
}

fn difference(part: usize, sides: &Sides) -> Vec<Line> {
    let before: Vec<&str> = sides.before.iter().map(String::as_str).collect();
    let after: Vec<&str> = sides.after.iter().map(String::as_str).collect();
    TextDiff::from_slices(&before, &after)
        .iter_all_changes()
        .map(|change| Line {
            tag: change.tag(),
            part,
            text: (*change.value()).to_owned(),
        })
        .collect()
}

/// Line numbers of a hunk while it grows.
#[derive(Default)]
struct Place {
    inside: bool,
    /// Lines of each side before the hunk.
    skipped: [usize; 2],
    /// Lines of each side in the hunk.
    held: [usize; 2],
}

impl Place {
    fn open(&mut self) {
        self.skipped = [
            self.skipped[0] + self.held[0],
            self.skipped[1] + self.held[1],
        ];
        self.held = [0, 0];
        self.inside = true;
    }

    fn count(&mut self, tag: ChangeTag) {
        self.held[0] += usize::from(tag != ChangeTag::Insert);
        self.held[1] += usize::from(tag != ChangeTag::Delete);
    }

    fn header(&self) -> String {
        let range = |skipped: usize, held: usize| match held {
            0 => format!("{skipped},0"),
            1 => (skipped + 1).to_string(),
            _ => format!("{},{held}", skipped + 1),
        };
        let before = range(self.skipped[0], self.held[0]);
        let after = range(self.skipped[1], self.held[1]);
        format!("@@ -{before} +{after} @@")
    }
}

/// The mark in front of a line of a diff.
pub fn mark(tag: ChangeTag) -> char {
    match tag {
        ChangeTag::Delete => '-',
        ChangeTag::Insert => '+',
        ChangeTag::Equal => ' ',
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(before: Value, after: Value) -> Vec<String> {
        let change = Change {
            before: Side::Known(before),
            after: Side::Known(after),
            added: None,
            removed: None,
        };
        hunks(&[of_change("policy", &change)], 0)
            .into_iter()
            .flat_map(|hunk| hunk.lines)
            .map(|line| format!("{}{}", mark(line.tag), line.text))
            .collect()
    }

    #[test]
    fn of_a_policy_only_the_changed_line_shows() {
        let before = json!(
            {"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow",
             "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": ["s3:GetObject", "s3:ListBucket"]}]}
        );
        let after = json!(
            {"Statement": {"Action": ["s3:ListBucket", "s3:GetObject"], "Effect": "Allow",
             "Principal": {"AWS": "*"}, "Sid": "Read"}, "Version": "2012-10-17"}
        );
        assert_eq!(
            changed(
                Value::from(before.to_string()),
                Value::from(after.to_string())
            ),
            [
                "-        AWS = \"arn:aws:iam::123456789012:root\"",
                "+        AWS = \"*\"",
            ]
        );
    }

    #[test]
    fn of_a_list_only_the_new_member_shows() {
        assert_eq!(
            changed(json!(["sg-1", "sg-2"]), json!(["sg-2", "sg-3", "sg-1"])),
            ["+  \"sg-3\","]
        );
    }

    #[test]
    fn of_a_text_only_the_changed_line_shows() {
        assert_eq!(
            changed(json!("#!/bin/sh\necho a\n"), json!("#!/bin/sh\necho b\n")),
            ["-  echo a", "+  echo b"]
        );
    }

    #[test]
    fn hunks_are_those_of_a_unified_diff() {
        proptest::proptest!(|(before in lines(), after in lines(), context in 0_usize..4)| {
            let old: Vec<&str> = before.iter().map(String::as_str).collect();
            let new: Vec<&str> = after.iter().map(String::as_str).collect();
            let expected: Vec<String> = TextDiff::from_slices(&old, &new)
                .unified_diff()
                .context_radius(context)
                .iter_hunks()
                .map(|hunk| hunk.header().to_string().trim_end().to_owned())
                .collect();
            let ours: Vec<String> =
                hunks(&[Sides { before, after }], context).into_iter().map(|h| h.header).collect();
            proptest::prop_assert_eq!(ours, expected);
        });
    }

    fn lines() -> impl proptest::strategy::Strategy<Value = Vec<String>> {
        proptest::collection::vec("[abc]", 0..24)
    }

    #[test]
    fn a_change_of_order_alone_still_shows() {
        assert!(!changed(json!(["a", "b"]), json!(["b", "a"])).is_empty());
    }

    #[test]
    fn two_secrets_that_differ_show_as_a_change() {
        let change = Change {
            before: Side::Secret,
            after: Side::Secret,
            added: None,
            removed: None,
        };
        let sides = of_change("password", &change);
        assert_eq!(sides.before, ["password = (sensitive)"]);
        assert_eq!(sides.after, ["password = (sensitive) # changed"]);
    }
}
