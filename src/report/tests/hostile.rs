//! Hostile text through every format: what would act in a medium is escaped there.

use std::sync::Arc;

use serde_json::{Value, json};

use super::rendered;
use crate::drift::model::{
    Actor, Attribute, Drift, Event, Origin, Remedy, Report, SourcePosition, Unmapped, Unreadable,
};
use crate::report::text::acts;
use crate::report::{Format, Show, Style, fixture};

/// Every text of a report that comes from a log, a state or the code, replaced by `text`.
pub fn filled_with(text: &str) -> Report {
    let own = || text.to_owned();
    let some = || Some(text.to_owned());
    let event = |event: &Event| Event {
        event_id: own(),
        source: own(),
        name: own(),
        actor: Actor {
            name: own(),
            kind: own(),
            arn: some(),
            account: some(),
            role: some(),
            source_ip: some(),
            user_agent: some(),
            mfa: None,
        },
        account: own(),
        region: own(),
        error: some(),
        origin: Origin {
            class: event.origin.class,
            evidence: vec![own(), own()],
        },
        ..event.clone()
    };
    let values = [
        json!(text),
        json!([text, {text: text}]),
        Value::from(json!({text: {text: [text]}}).to_string()),
        json!(format!("{text}\n{text}\n")),
    ];
    let attributes: Vec<Attribute> = values
        .iter()
        .map(|value| Attribute {
            added: Some(vec![value.clone()]),
            by: vec![own()],
            ..fixture::attribute(text, json!(["a", 1]), value.clone())
        })
        .collect();
    let mut report = fixture::rich();
    for found in &mut report.refreshed {
        found.state = own();
        found.address = own();
        found.explained = vec![own()];
        found.unexplained = vec![own()];
        found.actors = vec![own()];
    }
    for drift in &mut report.drifts {
        *drift = Drift {
            address: drift.address.as_ref().map(|_| own()),
            resource_type: own(),
            resource_id: some(),
            resource_name: some(),
            arn: some(),
            parent: some(),
            state: some(),
            source: drift.source.as_ref().map(|_| SourcePosition {
                file: own(),
                line: 1,
            }),
            account: own(),
            region: own(),
            attributes: attributes.clone(),
            events: drift.events().map(event).map(Arc::new).collect(),
            rules: vec![own()],
            suppressed_by: some(),
            remedy: Remedy {
                summary: own(),
                command: some(),
                hcl: Some(format!("{text}\n{text}")),
                console_url: some(),
            },
            ..drift.clone()
        };
    }
    for state in &mut report.states {
        state.location = own();
        state.lineage = some();
    }
    for failed in &mut report.failed {
        failed.address = own();
        failed.event = Arc::new(event(&failed.event));
    }
    report.evidence.complete = false;
    report.evidence.unreadable = vec![Unreadable {
        location: own(),
        place: some(),
        problem: own(),
        remedy: some(),
    }];
    report.evidence.unmapped = vec![Unmapped {
        event: own(),
        count: 1,
        addresses: vec![own()],
    }];
    report
}

/// Texts that would act somewhere; each holds `EVIL` where it would.
const HOSTILE: [&str; 22] = [
    "\u{1b}[31mEVIL\u{1b}[0m",
    "\u{9b}31mEVIL\u{7}\u{8}\u{0}",
    "\u{1b}]8;;https://EVIL\u{7}click\u{1b}]8;;\u{7}",
    "\u{202e}EVIL\u{2066}\u{200b}\u{feff}\u{e0041}",
    "a\r\n\nEVIL\u{2028}b\u{85}",
    "::error file=EVIL::x",
    "\n::set-output name=EVIL::x",
    "  ::add-mask::EVIL",
    "##[error]EVIL ##vso[task.complete]EVIL ##teamcity[EVIL]",
    "</script><script>EVIL()</script>",
    "\"><img src=x onerror=EVIL>",
    "' onmouseover='EVIL",
    "<!-- EVIL --> ]]> <![CDATA[EVIL",
    "&lt;EVIL&amp;",
    "**EVIL** _EVIL_ [EVIL](https://EVIL) ![EVIL](x) @EVIL/team #1",
    "`` EVIL ``` EVIL `",
    "\n```\n# EVIL\n",
    "| EVIL | EVIL |",
    "=cmd|' /C calc'!EVIL",
    "javascript:EVIL",
    "--- EVIL\n+++ EVIL\n@@ -1 +1 @@\n+EVIL",
    "100%EVIL%0A::error::EVIL",
];

#[test]
fn hostile_text_acts_in_no_format() {
    for format in Format::ALL {
        for text in HOSTILE {
            for width in [40, 80, 400] {
                let style = Style {
                    show: Show::ALL,
                    width,
                    ..Style::default()
                };
                let output = rendered(format, &filled_with(text), &style);
                let context = format!("{format} at {width} with {text:?}");
                let acting = output.chars().find(|&c| acts(c) && c != '\n');
                assert_eq!(acting, None, "{context}");
                for command in ["##[", "##vso[", "##teamcity["] {
                    assert!(!output.contains(command), "{context}");
                }
                for line in output.lines() {
                    let start = line.trim_start();
                    let ours = format == Format::Github
                        && ["::error ", "::warning ", "::notice "]
                            .iter()
                            .any(|own| line.starts_with(own));
                    assert!(ours || !start.starts_with("::"), "{context}: {line}");
                    // A table is what people paste into a spreadsheet.
                    let cell = format == Format::Table && line.starts_with("=cmd");
                    assert!(!cell, "{context}: {line}");
                }
                within_its_medium(format, &output, &context);
            }
        }
    }
}

fn within_its_medium(format: Format, output: &str, context: &str) {
    match format {
        Format::Json | Format::Sarif | Format::Gitlab => {
            let value: Value =
                serde_json::from_str(output).unwrap_or_else(|e| panic!("{context}: {e}"));
            assert!(
                value.to_string().contains("EVIL"),
                "{context}: the text itself is lost"
            );
            assert!(!output.contains("</"), "{context}");
        }
        Format::Jsonl | Format::Falco => {
            for line in output.lines() {
                assert!(
                    serde_json::from_str::<Value>(line).is_ok(),
                    "{context}: {line}"
                );
            }
        }
        Format::Junit => {
            for tag in output.split('<').skip(1) {
                let name = tag
                    .trim_start_matches('/')
                    .split([' ', '>', '/'])
                    .next()
                    .unwrap_or_default();
                let known = [
                    "?xml",
                    "testsuites",
                    "testsuite",
                    "properties",
                    "property",
                    "testcase",
                    "failure",
                    "error",
                    "skipped",
                    "system-out",
                ];
                assert!(known.contains(&name), "{context}: <{name}");
                let (inside, after) = tag.split_once('>').unwrap_or_default();
                assert_eq!(inside.matches('"').count() % 2, 0, "{context}: {inside}");
                assert!(!after.contains('>'), "{context}: {after}");
            }
        }
        Format::Markdown => {
            let bare = without_code(output);
            assert!(!bare.contains("EVIL"), "{context}:\n{bare}");
        }
        Format::Github => {
            let commands = output.lines().filter(|line| line.starts_with("::")).count();
            let report = filled_with("harmless");
            let style = Style {
                show: Show::ALL,
                ..Style::default()
            };
            let expected = rendered(format, &report, &style);
            let expected = expected
                .lines()
                .filter(|line| line.starts_with("::"))
                .count();
            assert_eq!(commands, expected, "{context}");
        }
        Format::Html => {
            let scripts: Vec<&str> = output
                .lines()
                .filter(|line| line.contains("<script"))
                .collect();
            assert_eq!(scripts.len(), 1, "{context}: {scripts:#?}");
            assert!(
                !output.contains("<img") && !output.contains("<svg onload"),
                "{context}"
            );
            assert!(!output.contains("href=\"javascript"), "{context}");
        }
        Format::Table | Format::Console | Format::Diff | Format::SideBySide | Format::Remedy => {}
    }
}

/// Markdown without its fenced blocks and code spans, read as CommonMark reads them.
fn without_code(markdown: &str) -> String {
    let mut bare = String::new();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let run = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(length) => {
                if run >= length && line.trim_matches('`').trim().is_empty() {
                    fence = None;
                }
            }
            None if run >= 3 && !line.trim_start_matches('`').contains('`') => fence = Some(run),
            None => {
                bare.push_str(&without_spans(line));
                bare.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    bare
}

fn without_spans(line: &str) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for (position, character) in line.char_indices().chain([(line.len(), ' ')]) {
        match (character, start) {
            ('`', None) => start = Some(position),
            ('`', Some(_)) | (_, None) => {}
            (_, Some(from)) => {
                runs.push((from, position - from));
                start = None;
            }
        }
    }
    let mut bare = String::new();
    let mut at = 0;
    let mut index = 0;
    while let Some(&(open, length)) = runs.get(index) {
        let close = runs
            .iter()
            .skip(index + 1)
            .position(|&(_, other)| other == length);
        if let Some(ahead) = close {
            bare.push_str(&line[at..open]);
            index += ahead + 1;
            at = runs[index].0 + length;
        }
        index += 1;
    }
    bare.push_str(&line[at..]);
    bare
}
