//! Turns a file of Falco's alerts into a log file, part by part.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};

use crate::audit::cloudtrail::falco::{Flaw, record};
use crate::audit::decode::Problem;

/// About how many bytes of records make a part.
const PART: usize = 8 << 20;

/// A line longer than this is no alert: the longest record has some hundred kilobytes.
const LONGEST: u64 = 16 << 20;

/// Reads alerts line by line and sends their records on, one on each line, at least one part.
/// Stops early when `send` says that nobody takes them. Returns what could not be read.
pub(super) fn convert(
    name: &str,
    reader: impl Read,
    mut send: impl FnMut(Vec<u8>) -> bool,
) -> Vec<Problem> {
    let mut reader = BufReader::new(reader);
    let mut flaws: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    let mut problems = Vec::new();
    let (mut part, mut line, mut number) = (Vec::new(), Vec::new(), 0_u64);
    loop {
        line.clear();
        number += 1;
        match reader.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                problems.push(problem(
                    name,
                    number,
                    format!("cannot be read on: {error}"),
                    None,
                ));
                break;
            }
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let missing = match record(&line) {
            Ok(Some(record)) => {
                part.extend_from_slice(record.to_string().as_bytes());
                part.push(b'\n');
                if part.len() >= PART && !send(std::mem::take(&mut part)) {
                    return problems;
                }
                continue;
            }
            Ok(None) => continue,
            Err(Flaw::Missing(field)) => field,
            Err(Flaw::NoAlert) => "",
        };
        let (_, count) = flaws.entry(missing).or_insert((number, 0));
        *count += 1;
    }
    // A file without an alert was read all the same.
    if part.is_empty() {
        part.extend_from_slice(b"{\"Records\":[]}\n");
    }
    send(part);
    for (missing, (first, count)) in flaws {
        let others = match count {
            1 => String::new(),
            count => format!(", and {} more like it", count - 1),
        };
        problems.push(if missing.is_empty() {
            let what = format!("this line is no alert in JSON{others}");
            problem(
                name,
                first,
                what,
                Some("set `json_output: true` in falco.yaml".to_owned()),
            )
        } else {
            let what = format!("the alert does not tell all that is needed{others}: {missing}");
            let remedy = format!("let the rule's output print {missing}, and best %ct.request too");
            problem(name, first, what, Some(remedy))
        });
    }
    problems
}

fn problem(name: &str, line: u64, problem: String, remedy: Option<String>) -> Problem {
    Problem {
        location: name.to_owned(),
        place: Some(format!("line {line}")),
        problem,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"source":"aws_cloudtrail","time":"2026-01-15T10:35:10Z","output_fields":{"ct.name":"X","ct.src":"ec2.amazonaws.com","ct.region":"r","ct.user.accountid":"1"}}"#;

    fn run(text: &str) -> (Vec<Vec<u8>>, Vec<String>) {
        let mut parts = Vec::new();
        let problems = convert("falco:x", text.as_bytes(), |part| {
            parts.push(part);
            true
        });
        let told = problems.iter().map(|problem| {
            let place = problem.place.as_deref().unwrap_or_default();
            format!("{place}: {}", problem.problem)
        });
        (parts, told.collect())
    }

    #[test]
    fn every_alert_is_a_line_and_bad_ones_are_counted_by_what_they_lack() {
        let poor = GOOD.replace("\"ct.name\":\"X\",", "");
        let (parts, told) = run(&format!("{GOOD}\n\nplain text\n{poor}\n{poor}\n{GOOD}"));
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].split_inclusive(|byte| *byte == b'\n').count(), 2);
        assert_eq!(
            told,
            [
                "line 3: this line is no alert in JSON",
                "line 4: the alert does not tell all that is needed, and 1 more like it: %ct.name"
            ]
        );
    }

    #[test]
    fn many_alerts_make_several_parts_and_none_make_an_empty_one() {
        let (parts, _) = run(&format!("{GOOD}\n").repeat(60_000));
        assert!(parts.len() > 1);
        let records: usize = parts
            .iter()
            .map(|part| part.split(|byte| *byte == b'\n').count() - 1)
            .sum();
        assert_eq!(records, 60_000);
        assert_eq!(run("").0, [b"{\"Records\":[]}\n"]);
    }
}
