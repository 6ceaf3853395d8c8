//! `sarif`: SARIF 2.1.0, as GitHub code scanning takes it. A result per drift, the most severe
//! first and never more than GitHub shows; window and evidence stand in the invocation.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::gitlab::{position, rule};
use super::safe_json::pretty;
use super::sections::{Standing, failed, shown};
use super::text::visible;
use super::value::Change;
use super::{Style, words};
use crate::drift::model::{Drift, FailedCall, Kind, Report, Severity};

/// Results that GitHub shows of one run; it takes 25,000 and drops what is over this.
const MOST: usize = 5_000;
/// Places in one story that GitHub shows; it takes 10,000.
const MOST_OF_STORY: usize = 1_000;
/// The rule of a refused call.
const REFUSED: &str = "refused-call";

/// Writes the report as SARIF.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let shown = shown(report, style);
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
    for (_, drift) in shown.iter().take(MOST) {
        let known = rules.entry(rule(drift)).or_insert_with(|| Rule {
            severity: drift.severity,
            kind: Some(drift.kind),
        });
        known.severity = known.severity.max(drift.severity);
    }
    let refused = failed(report, style);
    let room = MOST.saturating_sub(shown.len());
    if !refused.is_empty() && room > 0 {
        rules.insert(
            REFUSED.to_owned(),
            Rule {
                severity: Severity::Low,
                kind: None,
            },
        );
    }
    let place = |id: &str| {
        rules
            .keys()
            .position(|known| known == id)
            .unwrap_or_default()
    };
    let mut results: Vec<Value> = shown
        .iter()
        .take(MOST)
        .map(|(standing, drift)| {
            let id = rule(drift);
            result(*standing, drift, place(&id), &id, report, style)
        })
        .collect();
    results.extend(
        refused
            .iter()
            .take(room)
            .map(|call| refused_result(call, place(REFUSED), report)),
    );
    let left_out = (shown.len() + refused.len()).saturating_sub(results.len());
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|(id, rule)| rule.descriptor(id)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "tfdrift/"},
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation(report, left_out)],
            "results": results,
            "properties": {
                "window": {
                    "since": report.window.since.map(|time| time.to_string()),
                    "until": report.window.until.to_string(),
                },
                "evidence": words::evidence(&report.evidence),
                "complete": words::trust(&report.evidence) == words::Trust::Complete,
                "total": words::totals(report),
            },
        }],
    });
    pretty(&log, out)?;
    writeln!(out)
}

struct Rule {
    /// The gravest of its results.
    severity: Severity,
    /// What happened to the resource; none for a refused call.
    kind: Option<Kind>,
}

impl Rule {
    fn descriptor(&self, id: &str) -> Value {
        let (short, help) = match self.kind {
            Some(Kind::Modified) => (
                "An attribute is not what Terraform believes",
                "Plan and apply Terraform to put it back, or take the change into the code.",
            ),
            Some(Kind::Deleted) => (
                "A resource that Terraform manages is gone",
                "Apply Terraform to make it again, or take it out of the code.",
            ),
            Some(Kind::Unmanaged) => (
                "A resource was made outside of every Terraform state",
                "Import it into Terraform, or remove it.",
            ),
            None => (
                "A call on a managed resource was refused",
                "Ask who made the call, and why.",
            ),
        };
        json!({
            "id": id,
            "name": id,
            "shortDescription": {"text": short},
            "fullDescription": {"text": short},
            "help": {"text": help, "markdown": help},
            "defaultConfiguration": {"level": level(self.severity)},
            "properties": {
                "tags": ["security", "terraform", "drift"],
                "security-severity": score(self.severity),
                "precision": "very-high",
            },
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The score by which GitHub sorts security results: over 9 is critical, 7 high, 4 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn result(
    standing: Standing,
    drift: &Drift,
    index: usize,
    id: &str,
    report: &Report,
    style: &Style,
) -> Value {
    let (kind, level) = match standing {
        Standing::Open | Standing::Suppressed => ("fail", level(drift.severity)),
        Standing::Resolved => ("pass", "none"),
        Standing::Iac => ("informational", "none"),
    };
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": {"text": message(&words::sentence(drift, style))},
        "locations": [location(drift, report)],
        "partialFingerprints": {"tfdriftId/v1": drift.id},
        "properties": properties(drift, style),
    });
    if let Some(members) = result.as_object_mut() {
        if standing == Standing::Suppressed {
            let why = words::ending(drift).unwrap_or_default();
            members.insert(
                "suppressions".to_owned(),
                json!([{"kind": "external", "status": "accepted", "justification": why}]),
            );
        }
        if !drift.events.is_empty() {
            members.insert("codeFlows".to_owned(), story(drift, report));
        }
    }
    result
}

fn properties(drift: &Drift, style: &Style) -> Value {
    let attributes: Vec<Value> = drift
        .attributes
        .iter()
        .map(|attribute| {
            let change = Change::of(attribute, style.reveal);
            json!({
                "path": attribute.path,
                "before": change.before.value(),
                "after": change.after.value(),
                "certainty": attribute.certainty.word(),
            })
        })
        .collect();
    json!({
        "severity": drift.severity.word(),
        "driftKind": drift.kind.word(),
        "status": drift.status.word(),
        "account": drift.account,
        "region": drift.region,
        "resourceId": drift.resource_id,
        "attributes": attributes,
        "actor": drift.culprit().map(|event| event.actor.name.clone()),
        "origin": drift.culprit().map(|event| event.origin.class.word()),
        "remedy": drift.remedy.command,
    })
}

fn refused_result(call: &FailedCall, index: usize, report: &Report) -> Value {
    let file = super::gitlab::first_state(report);
    json!({
        "ruleId": REFUSED,
        "ruleIndex": index,
        "kind": "informational",
        "level": "none",
        "message": {"text": message(&words::refused(call))},
        "locations": [{
            "physicalLocation": physical(&file, 1),
            "logicalLocations": [{"fullyQualifiedName": call.address, "kind": "resource"}],
        }],
        "partialFingerprints": {"tfdriftId/v1": call.event.event_id},
    })
}

/// The text of a message, in which brackets would make links.
fn message(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '[' | ']') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn location(drift: &Drift, report: &Report) -> Value {
    let (file, line) = position(drift, report);
    json!({
        "physicalLocation": physical(&file, line),
        "logicalLocations": [{
            "fullyQualifiedName": visible(&drift.subject()),
            "kind": "resource",
        }],
    })
}

fn physical(file: &str, line: u64) -> Value {
    json!({"artifactLocation": {"uri": uri(file)}, "region": {"startLine": line}})
}

/// The calls that led to a drift, as GitHub draws the steps of a story.
fn story(drift: &Drift, report: &Report) -> Value {
    let steps: Vec<Value> = drift
        .events
        .iter()
        .take(MOST_OF_STORY)
        .map(|event| {
            let text = format!(
                "{} {} by {} ({})",
                words::instant(event.time),
                words::call(event),
                words::who(&event.actor),
                words::origin(&event.origin),
            );
            let mut place = location(drift, report);
            if let Some(members) = place.as_object_mut() {
                members.insert("message".to_owned(), json!({"text": message(&text)}));
            }
            json!({"location": place, "executionTimeUtc": event.time.to_string()})
        })
        .collect();
    json!([{"threadFlows": [{"locations": steps}]}])
}

fn invocation(report: &Report, left_out: usize) -> Value {
    let complete = words::trust(&report.evidence) == words::Trust::Complete;
    let note =
        |level: &str, text: String| json!({"level": level, "message": {"text": message(&text)}});
    let mut notes = vec![note(
        if complete { "note" } else { "error" },
        format!(
            "Window: {}. Evidence {}.",
            words::window(&report.window),
            words::evidence(&report.evidence)
        ),
    )];
    let unreadable = report.evidence.unreadable.iter().take(100);
    notes.extend(
        unreadable.map(|item| note("error", format!("Not read: {}", words::unreadable(item)))),
    );
    let unmapped = report.evidence.unmapped.iter().take(100);
    notes.extend(
        unmapped.map(|item| note("note", format!("Not judged: {}", words::unmapped(item)))),
    );
    if left_out > 0 {
        notes.push(note(
            "warning",
            format!("{} left out", words::count(left_out, "result", "results")),
        ));
    }
    let mut invocation = Map::new();
    invocation.insert("executionSuccessful".to_owned(), json!(complete));
    invocation.insert("toolExecutionNotifications".to_owned(), Value::from(notes));
    Value::Object(invocation)
}

/// A location as a URI reference: what has a scheme keeps it, a path stays relative.
fn uri(location: &str) -> String {
    let location = super::gitlab::path_in_repository(location);
    let (scheme, path) = match location.split_once("://") {
        Some((scheme, rest))
            if scheme.chars().all(|c| c.is_ascii_alphanumeric()) && !scheme.is_empty() =>
        {
            (format!("{scheme}://"), rest.to_owned())
        }
        _ if location.starts_with('/') => ("file://".to_owned(), location),
        _ => (String::new(), location),
    };
    let mut out = scheme;
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Show, fixture, tests::rendered};
    use super::*;

    fn log(report: &Report) -> Value {
        let style = Style {
            show: Show::ALL,
            ..Style::default()
        };
        serde_json::from_str(&rendered(Format::Sarif, report, &style)).expect("JSON")
    }

    #[test]
    fn locations_become_uris_that_name_the_same() {
        let cases = [
            ("terraform.tfstate", "terraform.tfstate"),
            ("./infra/a b.tf", "infra/a%20b.tf"),
            ("C:\\states\\x", "C%3A/states/x"),
            ("/abs/日.tfstate", "file:///abs/%E6%97%A5.tfstate"),
            ("s3://bucket/key?x#y", "s3://bucket/key%3Fx%23y"),
            ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ];
        for (location, expected) in cases {
            assert_eq!(uri(location), expected);
        }
    }

    #[test]
    fn what_is_written_fits_types_made_from_the_official_schema_and_nothing_is_lost() {
        fn missing(ours: &Value, theirs: &Value, path: &str, lost: &mut Vec<String>) {
            match (ours, theirs) {
                (Value::Object(ours), Value::Object(theirs)) => {
                    for (key, value) in ours {
                        let path = format!("{path}/{key}");
                        match theirs.get(key) {
                            Some(other) => missing(value, other, &path, lost),
                            None if value.is_null() => {}
                            None => lost.push(path),
                        }
                    }
                }
                (Value::Array(ours), Value::Array(theirs)) => {
                    for (value, other) in ours.iter().zip(theirs) {
                        missing(value, other, path, lost);
                    }
                }
                _ if ours == theirs => {}
                _ => lost.push(format!("{path}: {ours} became {theirs}")),
            }
        }
        for report in [
            fixture::rich(),
            fixture::nothing(),
            fixture::incomplete(),
            fixture::empty(),
        ] {
            let log = log(&report);
            let typed: serde_sarif::sarif::Sarif =
                serde_json::from_value(log.clone()).expect("fits the schema's types");
            let back = serde_json::to_value(typed).expect("JSON");
            let mut lost = Vec::new();
            missing(&log, &back, "", &mut lost);
            assert!(lost.is_empty(), "{lost:#?}");
        }
    }

    #[test]
    fn every_result_names_its_rule_a_place_and_a_fingerprint() {
        let mut ids = Vec::new();
        for report in [
            fixture::rich(),
            fixture::nothing(),
            fixture::incomplete(),
            fixture::empty(),
        ] {
            let log = log(&report);
            assert_eq!(log["version"], "2.1.0");
            let run = &log["runs"][0];
            let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
            let results = run["results"].as_array().expect("results");
            assert_eq!(results.len(), report.drifts.len() + report.failed.len());
            for result in results {
                let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index"));
                assert_eq!(rules[index.expect("small")]["id"], result["ruleId"]);
                assert!(
                    result["message"]["text"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty())
                );
                let physical = &result["locations"][0]["physicalLocation"];
                assert!(physical["artifactLocation"]["uri"].is_string());
                assert!(
                    physical["region"]["startLine"]
                        .as_u64()
                        .is_some_and(|line| line > 0)
                );
                // A level other than none belongs to failures alone.
                assert_eq!(result["kind"] == "fail", result["level"] != "none");
                ids.push(result["partialFingerprints"]["tfdriftId/v1"].to_string());
            }
            let complete = run["invocations"][0]["executionSuccessful"].as_bool();
            assert_eq!(
                complete,
                Some(words::trust(&report.evidence) == words::Trust::Complete)
            );
        }
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "fingerprints are unique");
    }

    #[test]
    fn results_stay_within_what_github_shows_and_say_what_is_left_out() {
        let mut report = fixture::rich();
        let one = report.drifts.first().cloned().expect("a drift");
        report.drifts = vec![one; MOST + 7];
        let log = log(&report);
        assert_eq!(
            log["runs"][0]["results"].as_array().map(Vec::len),
            Some(MOST)
        );
        assert!(
            log["runs"][0]["invocations"][0]
                .to_string()
                .contains("8 results left out")
        );
    }
}
