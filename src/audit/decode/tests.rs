//! What the decoder makes of whole files, and that it finds what a plain reading finds.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in short texts"
)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::inflate::tests::gzip;
use super::{Decoder, Filter, Prospect, Tally};
use crate::audit::call::Call;
use crate::window::Window;

fn window() -> Window {
    Window {
        since: Some("2026-01-15T10:00:00Z".parse().unwrap()),
        until: "2026-01-15T11:00:00Z".parse().unwrap(),
    }
}

fn everything() -> Filter<'static> {
    Filter {
        window: window(),
        accounts: vec![],
        regions: vec![],
        wanted: &|_| true,
        failed: false,
    }
}

fn decode(bytes: &[u8], filter: &Filter) -> (Vec<Call>, Tally) {
    let (mut calls, mut tally) = (Vec::new(), Tally::default());
    Decoder::new().file("a.json", bytes, filter, &mut tally, &mut |call| {
        calls.push(call);
    });
    (calls, tally)
}

/// A record of a change, with some members set or replaced.
fn record(members: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "accountId": "1", "userName": "alice"},
        "eventTime": "2026-01-15T10:35:10Z", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances",
        "awsRegion": "eu-central-1", "requestParameters": null, "eventID": "e", "readOnly": false,
        "eventType": "AwsApiCall", "recipientAccountId": "1",
    });
    let Value::Object(members) = members else {
        panic!("members are an object")
    };
    record.as_object_mut().unwrap().extend(members);
    record
}

fn file(records: &[Value]) -> Vec<u8> {
    json!({ "Records": records }).to_string().into_bytes()
}

fn ids(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.id.as_str()).collect()
}

/// `place: problem (remedy)` of each problem.
fn problems(tally: &Tally) -> String {
    let lines: Vec<String> = tally
        .problems
        .iter()
        .map(|problem| {
            assert_eq!(problem.location, "a.json");
            format!(
                "{}: {} ({})",
                problem.place.as_deref().unwrap_or("-"),
                problem.problem,
                problem.remedy.as_deref().unwrap_or("-")
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn only_changes_in_the_window_are_calls_and_all_records_are_counted() {
    let bytes = file(&[
        record(json!({"eventID": "change"})),
        record(json!({"eventID": "read", "readOnly": true})),
        record(json!({"eventID": "first second", "eventTime": "2026-01-15T10:00:00Z"})),
        record(json!({"eventID": "too early", "eventTime": "2026-01-15T09:59:59Z"})),
        record(json!({"eventID": "too late", "eventTime": "2026-01-15T11:00:00Z"})),
        record(json!({"eventID": "failed", "errorCode": "AccessDenied"})),
        record(json!({"eventID": "failed read", "readOnly": true, "errorCode": "AccessDenied"})),
        record(json!({"eventID": "sign-in", "eventType": "AwsConsoleSignIn"})),
        record(json!({"eventID": "dry run", "requestParameters": {"dryRun": true}})),
    ]);
    let (calls, tally) = decode(&bytes, &everything());
    assert_eq!(ids(&calls), ["change", "first second"]);
    let length = bytes.len() as u64;
    assert_eq!(
        tally,
        Tally {
            files: 1,
            known: 0,
            vouched: false,
            bytes: length,
            inflated: length,
            records: 9,
            in_window: 7,
            writes: 2,
            failed_calls: 1,
            problems: vec![]
        }
    );

    let (calls, same) = decode(
        &bytes,
        &Filter {
            failed: true,
            ..everything()
        },
    );
    assert_eq!(ids(&calls), ["change", "first second", "failed"]);
    assert_eq!(calls[2].error.as_deref(), Some("AccessDenied"));
    assert_eq!(same, tally);
}

#[test]
fn a_filter_narrows_the_calls_and_not_the_totals() {
    let bytes = file(&[
        record(json!({"eventID": "a"})),
        record(json!({"eventID": "b", "recipientAccountId": "2"})),
        record(json!({"eventID": "c", "awsRegion": "us-east-1"})),
        record(json!({"eventID": "d", "eventName": "StopInstances20260101"})),
        record(
            json!({"eventID": "e", "recipientAccountId": null, "userIdentity": {"accountId": "2"}}),
        ),
    ]);
    let calls = |filter: Filter| {
        let (calls, tally) = decode(&bytes, &filter);
        assert_eq!((tally.in_window, tally.writes), (5, 5));
        ids(&calls).join("")
    };
    assert_eq!(calls(everything()), "abcde");
    assert_eq!(
        calls(Filter {
            accounts: vec!["2".into(), "3".into()],
            ..everything()
        }),
        "be"
    );
    assert_eq!(
        calls(Filter {
            regions: vec!["us-east-1".into()],
            ..everything()
        }),
        "c"
    );
    let stops = |call: &Prospect<'_>| {
        call.service() == "ec2.amazonaws.com" && call.name().starts_with("Stop")
    };
    assert_eq!(
        calls(Filter {
            wanted: &stops,
            ..everything()
        }),
        "d"
    );
}

#[test]
fn every_form_of_file_is_read() {
    let records = [
        record(json!({"eventID": "a"})),
        record(json!({"eventID": "b"})),
    ];
    let [a, b] = records.each_ref().map(Value::to_string);
    let whole = file(&records);
    let lines = format!("{a}\n{b}\n").into_bytes();
    for (form, bytes) in [
        ("plain", whole.clone()),
        ("gzip", gzip(&whole)),
        ("pretty", serde_json::to_vec_pretty(&json!({ "Records": records })).unwrap()),
        ("members of their own", [gzip(&file(&records[..1])), gzip(&file(&records[1..]))].concat()),
        ("a record over two members", [gzip(&whole[..100]), gzip(&whole[100..])].concat()),
        ("lines", lines.clone()),
        ("lines, gzip", gzip(&lines)),
        ("array", json!(records).to_string().into_bytes()),
        ("EventBridge", json!([{"detail": records[0]}, {"detail-type": "AWS API Call via CloudTrail", "detail": records[1]}]).to_string().into_bytes()),
        ("LookupEvents", json!({"Events": [{"CloudTrailEvent": a}, {"CloudTrailEvent": b}]}).to_string().into_bytes()),
    ] {
        let (calls, tally) = decode(&bytes, &everything());
        assert_eq!((ids(&calls).concat(), problems(&tally)), ("ab".to_owned(), String::new()), "{form}");
        assert_eq!((tally.files, tally.bytes, tally.records, tally.writes), (1, bytes.len() as u64, 2, 2), "{form}");
    }
}

#[test]
fn a_correction_names_what_it_corrects() {
    let bytes = file(&[record(
        json!({"eventID": "new", "addendum": {"reason": "UPDATED_DATA", "originalEventID": "old"}}),
    )]);
    let (calls, _) = decode(&bytes, &everything());
    assert_eq!(
        (calls[0].id.as_str(), calls[0].corrects.as_deref()),
        ("new", Some("old"))
    );
}

#[test]
fn bad_input_is_named_and_what_can_be_read_is_read() {
    let whole = file(&[
        record(json!({"eventID": "a"})),
        record(json!({"eventID": "b"})),
    ]);
    let packed = gzip(&whole);
    let mut flipped = packed.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 0xff;
    let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let mut report = String::new();
    for (form, bytes) in [
        ("empty", vec![]),
        ("blank", b" \r\n".to_vec()),
        ("gzip of nothing", gzip(b"")),
        ("cut off", whole[..whole.len() - 60].to_vec()),
        ("gzip cut off in its text", gzip(&whole[..whole.len() - 60])),
        ("gzip cut off", packed[..packed.len() - 12].to_vec()),
        ("gzip cut off in its header", packed[..7].to_vec()),
        ("gzip with a wrong checksum", flipped),
        ("gzip and garbage", [&packed[..], b"garbage"].concat()),
        ("no JSON", b"<html></html>".to_vec()),
        ("other JSON", br#"{"version":4,"resources":[]}"#.to_vec()),
        ("a number", b"7".to_vec()),
        ("Parquet", b"PAR1\x15\x04".to_vec()),
        ("zstd", b"\x28\xb5\x2f\xfd\x04".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("gzip twice", gzip(&packed)),
        (
            "times",
            file(&[
                record(json!({"eventTime": null})),
                record(json!({"eventTime": "soon"})),
                record(json!({"eventTime": 1})),
                record(json!({"eventID": "a"})),
            ]),
        ),
        ("no records", br#"{"Records":[1,null,{"a":1}]}"#.to_vec()),
        (
            "nested too deep",
            String::from_utf8(whole.clone())
                .unwrap()
                .replacen("null", &nested, 1)
                .into_bytes(),
        ),
        (
            "broken inside",
            String::from_utf8(whole.clone())
                .unwrap()
                .replacen("\"alice\"", "alice", 1)
                .into_bytes(),
        ),
    ] {
        let (calls, tally) = decode(&bytes, &everything());
        report += &format!("{form}\n  calls: {}\n", ids(&calls).join(" "));
        for line in problems(&tally).lines() {
            report += &format!("  {line}\n");
        }
    }
    insta::assert_snapshot!(report);
}

/// A source of choices for spelling JSON out.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// Writes JSON as no one would, but anyone may: members in any order and twice, white space
/// anywhere, escapes for any character.
fn spell(value: &Value, hostile: bool, choices: &mut Choices, out: &mut String) {
    let space = |choices: &mut Choices, out: &mut String| {
        if hostile && choices.one_in(6) {
            out.push_str([" ", "\t", "\n  ", "\r\n\t"][choices.below(4)]);
        }
    };
    space(choices, out);
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            let decoy = [
                json!("decoy"),
                json!(true),
                json!({"readOnly": true, "eventName": "GetDecoy"}),
                json!(null),
                json!("2026-01-15T10:00:00Z"),
                json!("}\"{"),
            ][choices.below(6)]
            .clone();
            if hostile {
                for last in (1..members.len()).rev() {
                    members.swap(last, choices.below(last + 1));
                }
                if !members.is_empty() && choices.one_in(4) {
                    // The decoy comes first, so it is not the one that counts.
                    let (key, _) = members[choices.below(members.len())];
                    members.insert(0, (key, &decoy));
                }
            }
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                space(choices, out);
                spell_text(key, hostile, choices, out);
                space(choices, out);
                out.push(':');
                spell(value, hostile, choices, out);
            }
            space(choices, out);
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (index, value) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                spell(value, hostile, choices, out);
            }
            space(choices, out);
            out.push(']');
        }
        Value::String(text) => spell_text(text, hostile, choices, out),
        other => out.push_str(&other.to_string()),
    }
    space(choices, out);
}

fn spell_text(text: &str, hostile: bool, choices: &mut Choices, out: &mut String) {
    if !(hostile && choices.one_in(4)) {
        out.push_str(&Value::from(text).to_string());
        return;
    }
    out.push('"');
    for letter in text.chars() {
        if choices.one_in(3) {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            let quoted = Value::from(letter.to_string()).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
    out.push('"');
}

/// What a record may hold beside what it is judged by, look-alikes above all.
fn hostile_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "\\",
            "\"",
            "\\\"",
            "{",
            "}]",
            "},{\"eventVersion\":\"1.08\"",
            "\",\"readOnly\":true,\"",
            "é😀",
            "\u{0}",
            "a\\u0022"
        ])
        .prop_map(Value::from),
        "\\PC{0,80}".prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "readOnly",
        "eventTime",
        "eventName",
        "eventSource",
        "errorCode",
        "eventID",
        "Records",
        "dryRun",
        "detail",
        "",
        "\"",
        "a",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..4).prop_map(|members| members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()),
        ]
    })
}

/// A record: each field in one of the ways it may be met, or missing.
fn hostile_record() -> impl Strategy<Value = Value> {
    let member = |key: &'static str, values: Vec<Value>| {
        prop::option::weighted(0.8, prop::sample::select(values))
            .prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    };
    let any_member =
        |key: &'static str| hostile_value().prop_map(move |value| Some((key.to_owned(), value)));
    let judged = (
        prop::sample::select(vec![
            json!("2026-01-15T10:35:10Z"),
            json!("2026-01-15T10:00:00Z"),
            json!("2026-01-15T11:00:00Z"),
            json!("2026-01-15T10:59:59.5Z"),
            json!("2025-01-31T10:00:00Z"),
            json!("now"),
            json!(null),
        ])
        .prop_map(|time| Some(("eventTime".to_owned(), time))),
        member(
            "eventSource",
            vec![
                json!("ec2.amazonaws.com"),
                json!("s3.amazonaws.com"),
                json!(1),
            ],
        ),
        member(
            "eventName",
            vec![
                json!("RunInstances"),
                json!("DescribeInstances"),
                json!("GetObject"),
                json!("PutBucketPolicy"),
                json!("Get\"X\\"),
            ],
        ),
        member(
            "readOnly",
            vec![
                json!(true),
                json!(false),
                json!("true"),
                json!("false"),
                json!(null),
                json!(0),
            ],
        ),
        member(
            "errorCode",
            vec![
                json!("AccessDenied"),
                json!(null),
                json!(""),
                json!({"a": 1}),
            ],
        ),
        member("errorMessage", vec![json!("no \"way\""), json!(null)]),
        member(
            "eventType",
            vec![
                json!("AwsApiCall"),
                json!("AwsServiceEvent"),
                json!("AwsConsoleSignIn"),
            ],
        ),
        member("awsRegion", vec![json!("eu-central-1"), json!("us-east-1")]),
        member("recipientAccountId", vec![json!("1"), json!("2")]),
        member(
            "eventID",
            vec![json!("0d1c6a3e-0000-4000-8000-000000000001"), json!("x")],
        ),
    );
    let others = (
        any_member("requestParameters"),
        any_member("responseElements"),
        any_member("userAgent"),
        any_member("userIdentity"),
    );
    (judged, others).prop_map(|((a, b, c, d, e, f, g, h, i, j), (k, l, m, n))| {
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
            .into_iter()
            .flatten()
            .collect::<Map<_, _>>()
            .into()
    })
}

/// What is compared of a call.
type Seen = (
    String,
    String,
    String,
    String,
    String,
    Value,
    Value,
    Option<String>,
);

fn seen(call: Call) -> Seen {
    // An id made of the content is not the plain reading's to know.
    let id = if call.id.starts_with("content-") {
        String::new()
    } else {
        call.id
    };
    (
        call.time.to_string(),
        id,
        call.service,
        call.name,
        call.region,
        call.request,
        call.response,
        call.error,
    )
}

/// The plain reading: parse it all, then look.
fn plain(records: &[&Value], failed: bool, region: Option<&str>) -> (Vec<Seen>, [u64; 4], usize) {
    let (mut calls, mut totals, mut timeless) = (Vec::new(), [0; 4], 0);
    for record in records {
        totals[0] += 1;
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let Ok(time) = text("eventTime").parse::<jiff::Timestamp>() else {
            timeless += 1;
            continue;
        };
        if !window().contains(time) {
            continue;
        }
        totals[1] += 1;
        let read_only = match &record["readOnly"] {
            Value::Bool(flag) => *flag,
            Value::String(word) => word == "true",
            _ => text("eventName").starts_with("Get") || text("eventName").starts_with("Describe"),
        };
        if read_only || !["", "AwsApiCall"].contains(&text("eventType").as_str()) {
            continue;
        }
        let error = [text("errorCode"), text("errorMessage")]
            .into_iter()
            .find(|error| !error.is_empty());
        if error.is_some() {
            totals[3] += 1;
        } else if [json!(true), json!("true")].contains(&record["requestParameters"]["dryRun"]) {
            continue;
        } else {
            totals[2] += 1;
        }
        if (failed || error.is_none()) && region.is_none_or(|region| text("awsRegion") == region) {
            calls.push((
                time.to_string(),
                text("eventID"),
                text("eventSource"),
                text("eventName"),
                text("awsRegion"),
                record["requestParameters"].clone(),
                record["responseElements"].clone(),
                error,
            ));
        }
    }
    (calls, totals, timeless)
}

proptest! {
    #[test]
    fn a_plain_reading_finds_the_same(
        records in prop::collection::vec(hostile_record(), 0..8),
        hostile: bool, seed: u64, form in 0..4usize, packed: bool, failed: bool, narrow: bool, cut in prop::option::of(0.0..1.0f64),
    ) {
        let mut choices = Choices(seed);
        let (mut text, mut ends) = (String::new(), Vec::new());
        text.push_str(["{\"Records\":[", "[", "", "{\"x\":[{\"}\":0}],\"Records\" : ["][form]);
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                text.push_str([",", ",", "\n", " , "][form]);
            }
            let mut spelt = String::new();
            spell(record, hostile, &mut choices, &mut spelt);
            // A top-level object is read line by line, where there are lines.
            text.push_str(spelt.trim());
            ends.push(text.len());
        }
        text.push_str(["]}", "]", "\n", "],\"y\":\"]\"}"][form]);
        let mut bytes = text.into_bytes();
        if let Some(cut) = cut {
            bytes.truncate((bytes.len() as f64 * cut) as usize);
        }
        let whole: Vec<&Value> = records.iter().zip(&ends).filter(|(_, end)| **end <= bytes.len()).map(|(record, _)| record).collect();

        let region = narrow.then_some("us-east-1");
        let filter = Filter { failed, regions: region.map(str::to_owned).into_iter().collect(), ..everything() };
        let (calls, tally) = decode(&if packed { gzip(&bytes) } else { bytes }, &filter);
        let (expected, [count, in_window, writes, failed_calls], timeless) = plain(&whole, failed, region);
        prop_assert_eq!(calls.into_iter().map(seen).collect::<Vec<_>>(), expected);
        prop_assert_eq!((tally.in_window, tally.writes, tally.failed_calls), (in_window, writes, failed_calls));
        if cut.is_none() {
            prop_assert_eq!(tally.records, count);
            prop_assert_eq!(tally.problems.len(), timeless + usize::from(records.is_empty() && form == 2));
        } else {
            prop_assert!((count..=count + 1).contains(&tally.records));
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        records in prop::collection::vec(hostile_record(), 1..4), seed: u64, packed: bool,
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[]:,\n\x00\xff5".to_vec())), 1..6),
    ) {
        let mut text = String::new();
        spell(&json!({ "Records": records }), true, &mut Choices(seed), &mut text);
        let mut bytes = if packed { gzip(text.as_bytes()) } else { text.into_bytes() };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let (calls, tally) = decode(&bytes, &everything());
        prop_assert!(calls.len() as u64 <= tally.writes);
    }
}
