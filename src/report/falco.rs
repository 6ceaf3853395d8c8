//! `falco`: JSON lines as Falco emits them, so that what takes Falco's alerts (falcosidekick) takes
//! drifts. Every field of `output_fields` is a string and none is empty. The last line tells of the
//! scan itself.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::safe_json::compact;
use super::sections::{Standing, failed, shown};
use super::value::Change;
use super::{Style, words};
use crate::drift::model::{Drift, Event, Kind, Report, Severity};

#[derive(Serialize)]
struct Alert<'a> {
    hostname: &'a str,
    output: String,
    output_fields: BTreeMap<&'static str, String>,
    priority: &'static str,
    rule: &'static str,
    source: &'static str,
    tags: Vec<&'static str>,
    time: String,
}

/// Writes the report as Falco alerts.
pub fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut emit = |alert: Alert<'_>| {
        compact(&alert, out)?;
        writeln!(out)
    };
    for (standing, drift) in shown(report, style) {
        emit(of_drift(standing, drift, report, style))?;
    }
    for call in failed(report, style) {
        let mut fields = of_event(&call.event);
        put(&mut fields, "tfdrift.address", &call.address);
        window(&mut fields, report);
        emit(alert(
            "Terraform resource call refused",
            "Notice",
            call.event.time,
            words::refused(call),
            fields,
            &call.event.account,
        ))?;
    }
    let complete = words::trust(&report.evidence) == words::Trust::Complete;
    let mut fields = BTreeMap::new();
    window(&mut fields, report);
    put(&mut fields, "tfdrift.total", &words::totals(report));
    put(
        &mut fields,
        "tfdrift.evidence",
        &words::evidence(&report.evidence),
    );
    put(&mut fields, "tfdrift.complete", &complete.to_string());
    let unreadable: Vec<String> = report
        .evidence
        .unreadable
        .iter()
        .take(10)
        .map(words::unreadable)
        .collect();
    put(&mut fields, "tfdrift.unreadable", &unreadable.join("; "));
    let output = format!(
        "{}. Evidence {}",
        words::totals(report),
        words::evidence(&report.evidence)
    );
    let priority = if complete { "Informational" } else { "Warning" };
    let account = report
        .drifts
        .first()
        .map_or("", |drift| drift.account.as_str());
    emit(alert(
        "Terraform drift scan",
        priority,
        report.window.until,
        output,
        fields,
        account,
    ))
}

fn alert<'a>(
    rule: &'static str,
    priority: &'static str,
    time: Timestamp,
    output: String,
    output_fields: BTreeMap<&'static str, String>,
    hostname: &'a str,
) -> Alert<'a> {
    let time = time.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
    let clock = time.get(11..29).unwrap_or_default();
    Alert {
        hostname: if hostname.is_empty() {
            "tfdrift"
        } else {
            hostname
        },
        output: format!("{clock}: {priority} {output}"),
        output_fields,
        priority,
        rule,
        source: "aws_cloudtrail",
        tags: vec!["aws", "cloud", "drift", "terraform"],
        time,
    }
}

fn of_drift<'a>(standing: Standing, drift: &'a Drift, report: &Report, style: &Style) -> Alert<'a> {
    let rule = match (standing, drift.kind) {
        (Standing::Resolved, _) => "Terraform drift resolved",
        (Standing::Suppressed, _) => "Terraform drift suppressed",
        (Standing::Iac, _) => "Terraform change",
        (Standing::Open, Kind::Modified) => "Terraform resource modified",
        (Standing::Open, Kind::Deleted) => "Terraform resource deleted",
        (Standing::Open, Kind::Unmanaged) => "Unmanaged resource created",
    };
    let priority = match (standing, drift.severity) {
        (Standing::Open, Severity::Critical) => "Critical",
        (Standing::Open, Severity::High) => "Error",
        (Standing::Open, Severity::Medium) => "Warning",
        (Standing::Open, Severity::Low) => "Notice",
        _ => "Informational",
    };
    let mut fields = drift.culprit().map(of_event).unwrap_or_default();
    window(&mut fields, report);
    put(&mut fields, "tfdrift.id", &drift.id);
    put(&mut fields, "tfdrift.kind", drift.kind.word());
    put(&mut fields, "tfdrift.status", drift.status.word());
    put(&mut fields, "tfdrift.severity", drift.severity.word());
    put(&mut fields, "tfdrift.type", &drift.resource_type);
    put(&mut fields, "tfdrift.account", &drift.account);
    put(&mut fields, "aws.region", &drift.region);
    put(&mut fields, "tfdrift.rules", &drift.rules.join(", "));
    let optional = [
        ("tfdrift.address", &drift.address),
        ("tfdrift.resource_id", &drift.resource_id),
        ("tfdrift.arn", &drift.arn),
        ("tfdrift.parent", &drift.parent),
        ("tfdrift.state", &drift.state),
        ("tfdrift.command", &drift.remedy.command),
    ];
    for (key, value) in optional {
        put(&mut fields, key, value.as_deref().unwrap_or_default());
    }
    let paths: Vec<&str> = drift
        .attributes
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    put(&mut fields, "tfdrift.attributes", &paths.join(", "));
    let changes: Vec<Change> = drift
        .attributes
        .iter()
        .map(|one| Change::of(one, style.reveal))
        .collect();
    let side = |of: fn(&Change) -> &super::value::Side| {
        changes
            .iter()
            .map(|change| of(change).inline())
            .collect::<Vec<_>>()
            .join(", ")
    };
    put(
        &mut fields,
        "tfdrift.before",
        &side(|change| &change.before),
    );
    put(&mut fields, "tfdrift.after", &side(|change| &change.after));
    put(
        &mut fields,
        "tfdrift.evidence",
        &words::evidence(&report.evidence),
    );
    let time = drift
        .culprit()
        .map_or(report.window.until, |event| event.time);
    alert(
        rule,
        priority,
        time,
        words::sentence(drift, style),
        fields,
        &drift.account,
    )
}

/// The fields of a call under the names that Falco's CloudTrail plugin gives them.
fn of_event(event: &Event) -> BTreeMap<&'static str, String> {
    let actor = &event.actor;
    let mut fields = BTreeMap::new();
    put(&mut fields, "ct.id", &event.event_id);
    put(&mut fields, "ct.time", &event.time.to_string());
    put(&mut fields, "ct.src", &event.source);
    put(&mut fields, "ct.name", &event.name);
    put(&mut fields, "ct.region", &event.region);
    put(
        &mut fields,
        "ct.error",
        event.error.as_deref().unwrap_or_default(),
    );
    put(&mut fields, "ct.user", &actor.name);
    put(&mut fields, "ct.user.identitytype", &actor.kind);
    put(
        &mut fields,
        "ct.user.accountid",
        actor.account.as_deref().unwrap_or_default(),
    );
    put(
        &mut fields,
        "ct.user.arn",
        actor.arn.as_deref().unwrap_or_default(),
    );
    put(
        &mut fields,
        "ct.srcip",
        actor.source_ip.as_deref().unwrap_or_default(),
    );
    put(
        &mut fields,
        "ct.useragent",
        actor.user_agent.as_deref().unwrap_or_default(),
    );
    put(
        &mut fields,
        "tfdrift.role",
        actor.role.as_deref().unwrap_or_default(),
    );
    put(&mut fields, "tfdrift.origin", event.origin.class.word());
    fields
}

fn window(fields: &mut BTreeMap<&'static str, String>, report: &Report) {
    let since = report.window.since.map(|since| since.to_string());
    put(
        fields,
        "tfdrift.window.since",
        since.as_deref().unwrap_or("the beginning"),
    );
    put(
        fields,
        "tfdrift.window.until",
        &report.window.until.to_string(),
    );
}

/// Puts a field that has a value; one without is left out.
fn put(fields: &mut BTreeMap<&'static str, String>, key: &'static str, value: &str) {
    if !value.is_empty() {
        fields.insert(key, value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Format, Show, fixture, tests::rendered};
    use super::*;

    #[test]
    fn every_line_is_an_alert_that_falcosidekick_takes() {
        const PRIORITIES: [&str; 5] = ["Critical", "Error", "Warning", "Notice", "Informational"];
        for report in [
            fixture::rich(),
            fixture::nothing(),
            fixture::incomplete(),
            fixture::empty(),
        ] {
            let text = rendered(
                Format::Falco,
                &report,
                &Style {
                    show: Show::ALL,
                    ..Style::default()
                },
            );
            assert!(!text.is_empty());
            for line in text.lines() {
                let alert: Value = serde_json::from_str(line).expect("JSON");
                for key in ["output", "rule", "hostname", "source"] {
                    assert!(
                        alert[key].as_str().is_some_and(|text| !text.is_empty()),
                        "{key}: {line}"
                    );
                }
                let time = alert["time"].as_str().expect("a time");
                assert!(time.parse::<Timestamp>().is_ok(), "{time}");
                assert!(PRIORITIES.contains(&alert["priority"].as_str().expect("a priority")));
                assert!(
                    alert["tags"]
                        .as_array()
                        .is_some_and(|tags| tags.iter().all(Value::is_string))
                );
                let fields = alert["output_fields"].as_object().expect("fields");
                assert!(!fields.is_empty());
                assert!(
                    fields
                        .values()
                        .all(|value| value.as_str().is_some_and(|text| !text.is_empty())),
                    "{line}"
                );
            }
        }
    }
}
