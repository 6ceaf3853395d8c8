use super::*;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Watch as _;

fn time(text: &str) -> Timestamp {
    format!("2026-01-{text}Z").parse().unwrap()
}

fn window(since: &str, until: &str) -> Window {
    Window {
        since: Some(time(since)),
        until: time(until),
    }
}

fn log(region: &str, stamp: &str) -> String {
    format!("111111111111_CloudTrail_{region}_202601{stamp}Z_x.json.gz")
}

fn problem(location: &str) -> Problem {
    Problem {
        location: location.to_owned(),
        place: None,
        problem: "it is broken".to_owned(),
        remedy: None,
    }
}

/// A reading of files of `eu-west-1`, and what was wrong with it.
fn reading(seen: &Seen, stamps: &[&str], problems: &[&str]) -> Reading {
    for stamp in stamps {
        let name = log("eu-west-1", stamp);
        assert!(seen.wants(&name), "{name}");
        seen.read(&format!("some/folder/{name}"), b"", true);
    }
    let problems: Vec<Problem> = problems.iter().map(|location| problem(location)).collect();
    seen.finish(&problems, false)
}

fn call(id: &str, at: &str) -> Call {
    Call {
        id: id.to_owned(),
        time: time(at),
        ..Call::default()
    }
}

fn kept(id: &str, at: &str) -> Kept {
    Kept {
        call: call(id, at),
        touches: None,
        applier: None,
        renames: false,
    }
}

fn ids(checkpoint: &Checkpoint) -> Vec<&str> {
    checkpoint
        .calls()
        .iter()
        .map(|call| call.id.as_str())
        .collect()
}

/// What a scan leaves that gathered nothing.
fn follow(before: Option<&Checkpoint>, window: &Window, read: &Reading) -> Checkpoint {
    let gathered = Gathered::default();
    Checkpoint::next(before, Scope::default(), window, read, gathered, FRESH)
}

#[test]
fn the_next_scan_looks_some_hours_back_and_leaves_out_what_was_read() {
    let seen = Seen::default();
    let read = reading(&seen, &["15T0400", "15T0800", "15T1155", "15T1200"], &[]);
    let first = window("15T00:00:00", "15T12:00:00");
    let checkpoint = follow(None, &first, &read);
    assert_eq!(checkpoint.since(FRESH), time("15T06:00:00"));
    let seen = Seen::after(Some(&checkpoint));
    // Too old to be asked for; read; read; may have been written to until after the window.
    for (stamp, wanted) in [
        ("15T0400", true),
        ("15T0800", false),
        ("15T1155", false),
        ("15T1200", true),
        ("15T0805", true),
    ] {
        assert_eq!(seen.wants(&log("eu-west-1", stamp)), wanted, "{stamp}");
    }
    assert!(seen.wants(&log("us-east-1", "15T0800")));
    assert!(seen.wants("events.json"));
    assert_eq!(seen.skipped(), 2);
}

#[test]
fn names_of_hours_ago_are_known_as_long_as_files_may_come_late() {
    let day = SignedDuration::from_hours(24);
    let next = |before: Option<&Checkpoint>, since: &str, until: &str, read: &Reading, late| {
        let window = window(since, until);
        let gathered = Gathered::default();
        let next = Checkpoint::next(before, Scope::default(), &window, read, gathered, late);
        Checkpoint::read(&next.write().unwrap()).unwrap()
    };
    let wants = |checkpoint: &Checkpoint, stamps: &[&str]| -> Vec<bool> {
        let seen = Seen::after(Some(checkpoint));
        let wants = |stamp: &&str| seen.wants(&log("eu-west-1", stamp));
        stamps.iter().map(wants).collect()
    };
    let read = reading(&Seen::default(), &["14T0100", "14T1300", "15T1100"], &[]);
    let first = next(None, "14T00:00:00", "15T12:00:00", &read, day);
    assert_eq!(first.since(day), time("14T12:00:00"));
    assert_eq!(wants(&first, &["14T1300", "15T1100"]), [false, false]);
    assert!(first.since(FRESH) == time("15T06:00:00"));
    assert_eq!(wants(&first, &["14T1305", "15T1105"]), [true, true]);
    // Longer than before: not what is forgotten, but what is yet to be.
    let week = SignedDuration::from_hours(7 * 24);
    assert_eq!(first.since(week), time("14T12:00:00"));
    let read = reading(&Seen::after(Some(&first)), &["14T1305", "15T1900"], &[]);
    let second = next(Some(&first), "14T12:00:00", "16T12:00:00", &read, week);
    assert_eq!(second.since(week), time("14T12:00:00"));
    let stamps = ["14T1300", "14T1305", "15T1100", "15T1900"];
    assert_eq!(wants(&second, &stamps), [false; 4]);
    assert_eq!(second.since(day), time("15T12:00:00"));
    // Shorter: the days before are gone for good.
    let third = next(
        Some(&second),
        "15T12:00:00",
        "16T13:00:00",
        &Reading::default(),
        day,
    );
    assert_eq!(third.since(week), time("15T13:00:00"));
    assert_eq!(wants(&third, &stamps), [true, true, false, false]);
}

#[test]
fn what_was_written_before_hashes_were_kept_reaches_back_six_hours() {
    let first = window("14T00:00:00", "15T12:00:00");
    let read = reading(&Seen::default(), &["15T0100", "15T1100"], &[]);
    let gathered = Gathered::default();
    let checkpoint = Checkpoint::next(None, Scope::default(), &first, &read, gathered, LATE);
    let mut text: serde_json::Value = serde_json::from_slice(&checkpoint.write().unwrap()).unwrap();
    text.as_object_mut().unwrap().remove("known_since").unwrap();
    let place = &mut text["places"]["111111111111/eu-west-1"];
    place.as_object_mut().unwrap().remove("older").unwrap();
    let before = Checkpoint::read(text.to_string().as_bytes()).unwrap();
    assert_eq!(before.since(LATE), time("15T06:00:00"));
    let second = window("15T06:00:00", "15T20:00:00");
    let read = Reading::default();
    let gathered = Gathered::default();
    let scope = Scope::default();
    let next = Checkpoint::next(Some(&before), scope, &second, &read, gathered, LATE);
    assert_eq!(next.since(LATE), time("15T06:00:00"));
    assert!(!Seen::after(Some(&next)).wants(&log("eu-west-1", "15T1100")));
}

#[test]
fn nothing_before_the_first_scan_is_asked_for() {
    let read = Reading::default();
    let first = window("15T11:00:00", "15T12:00:00");
    let checkpoint = follow(None, &first, &read);
    assert_eq!(checkpoint.since(FRESH), time("15T11:00:00"));
    let second = window("15T11:00:00", "15T20:00:00");
    let next = follow(Some(&checkpoint), &second, &read);
    assert_eq!(next.since(FRESH), time("15T14:00:00"));
    let all = Window {
        since: None,
        until: time("15T20:00:00"),
    };
    let next = follow(None, &all, &read);
    assert_eq!(next.since(FRESH), time("15T14:00:00"));
}

#[test]
fn a_file_that_could_not_be_read_holds_its_place_back_and_is_read_again() {
    let first = window("14T00:00:00", "15T12:00:00");
    let read = reading(&Seen::default(), &["15T1000"], &[]);
    let before = follow(None, &first, &read);
    let second = window("15T06:00:00", "15T22:00:00");
    let broken = log("eu-west-1", "15T1300");
    let seen = Seen::after(Some(&before));
    seen.read(&broken, b"", false);
    let read = reading(&seen, &["15T1305"], &[&format!("s3://logs/{broken}")]);
    let next = follow(Some(&before), &second, &read);
    assert_eq!(next.since(FRESH), time("15T06:00:00"));
    let seen = Seen::after(Some(&next));
    assert!(seen.wants(&broken));
    assert!(!seen.wants(&log("eu-west-1", "15T1000")));
    assert!(!seen.wants(&log("eu-west-1", "15T1305")));
    // But not for ever.
    let late = window("15T06:00:00", "27T12:00:00");
    let read = reading(&seen, &[], &[&broken]);
    let next = follow(Some(&next), &late, &read);
    assert_eq!(next.since(FRESH), time("20T06:00:00"));
}

#[test]
fn what_could_not_be_listed_holds_everything_back() {
    let first = window("14T00:00:00", "15T12:00:00");
    let read = reading(&Seen::default(), &["15T1000"], &[]);
    let before = follow(None, &first, &read);
    let second = window("15T06:00:00", "15T22:00:00");
    let read = reading(&Seen::after(Some(&before)), &[], &["s3://logs"]);
    let next = follow(Some(&before), &second, &read);
    assert_eq!(next.since(FRESH), time("15T06:00:00"));
}

#[test]
fn calls_stay_while_late_ones_can_meet_them_or_their_drift_is_open() {
    let told = |id: &str, calls: &[&str]| Told {
        id: id.to_owned(),
        content: "content".to_owned(),
        calls: calls.iter().map(ToString::to_string).collect(),
    };
    let gathered = Gathered {
        calls: vec![
            kept("young", "15T11:00:00"),
            kept("old", "15T01:00:00"),
            kept("old-and-open", "15T02:00:00"),
            kept("young", "15T11:00:00"),
        ],
        drifts: vec![told("open", &["old-and-open"]), told("closed", &[])],
    };
    let first = window("15T00:00:00", "15T12:00:00");
    let checkpoint = Checkpoint::next(
        None,
        Scope::default(),
        &first,
        &Reading::default(),
        gathered,
        FRESH,
    );
    assert_eq!(ids(&checkpoint), ["old-and-open", "young"]);
    assert!(checkpoint.knows("open", "content") && checkpoint.knows("closed", "content"));
    assert!(!checkpoint.knows("open", "other") && !checkpoint.knows("none", "content"));
}

#[test]
fn of_calls_of_hours_ago_only_those_stay_that_later_ones_do_not_cover() {
    let sets = |id: &str, at: &str| Kept {
        touches: Some(vec![Touch {
            slot: "size".to_owned(),
            part: None,
        }]),
        ..kept(id, at)
    };
    let calls = vec![
        sets("do", "15T01:00:00"),
        kept("born", "15T01:30:00"),
        sets("undo", "15T02:00:00"),
        sets("do-again", "15T11:00:00"),
        sets("undo-again", "15T11:30:00"),
    ];
    let (first, read) = (window("14T00:00:00", "15T12:00:00"), Reading::default());
    for (late, expected) in [
        (FRESH, &["do-again", "undo-again"][..]),
        (LATE, &["born", "undo", "do-again", "undo-again"]),
    ] {
        let (scope, drifts) = (Scope::default(), Vec::new());
        let calls = calls.clone();
        let gathered = Gathered { calls, drifts };
        let checkpoint = Checkpoint::next(None, scope, &first, &read, gathered, late);
        assert_eq!(ids(&checkpoint), expected);
    }
}

#[test]
fn what_was_renamed_is_remembered_as_long_as_there_is_room() {
    let renames = |id: &str, at: &str| Kept {
        renames: true,
        touches: Some(Vec::new()),
        ..kept(id, at)
    };
    let more = (0..RENAMES).map(|number| renames(&format!("new-{number}"), "14T02:00:00"));
    for (calls, known) in [
        (vec![renames("old", "14T01:00:00")], 1),
        (vec![kept("old", "14T01:00:00")], 0),
        (
            more.chain([renames("old", "14T01:00:00")]).collect(),
            RENAMES,
        ),
    ] {
        let gathered = Gathered {
            calls,
            drifts: Vec::new(),
        };
        let first = window("14T00:00:00", "15T12:00:00");
        let read = Reading::default();
        let next = Checkpoint::next(None, Scope::default(), &first, &read, gathered, FRESH);
        let is_known = next.calls().iter().any(|call| call.id == "old");
        assert_eq!((next.calls().len(), is_known), (known, known == 1));
    }
}

#[test]
fn a_checkpoint_is_read_as_it_was_written() {
    let mut full = call("id", "15T11:00:00");
    full.request = serde_json::json!({"z": 1, "a": [null, "x"]});
    full.caller.mfa = Some(true);
    full.error = Some("Client.X".to_owned());
    let gathered = Gathered {
        calls: vec![Kept {
            call: full,
            touches: None,
            applier: None,
            renames: false,
        }],
        drifts: Vec::new(),
    };
    let first = window("15T00:00:00", "15T12:00:00");
    let read = reading(&Seen::default(), &["15T0800"], &[]);
    let checkpoint = Checkpoint::next(None, Scope::default(), &first, &read, gathered, FRESH);
    let text = checkpoint.write().unwrap();
    let again = Checkpoint::read(&text).unwrap();
    assert_eq!(format!("{again:?}"), format!("{checkpoint:?}"));
}

#[test]
fn what_is_no_checkpoint_is_refused_in_words() {
    let first = window("15T00:00:00", "15T12:00:00");
    let checkpoint = follow(None, &first, &Reading::default());
    let text = String::from_utf8(checkpoint.write().unwrap()).unwrap();
    let newer = text.replace("\"version\":1", "\"version\":2");
    for (text, part) in [
        ("", "no checkpoint"),
        ("{}", "no checkpoint"),
        ("{\"version\":4,\"resources\":[]}", "no checkpoint"),
        (&newer, "newer tfdrift"),
    ] {
        let refused = Checkpoint::read(text.as_bytes()).unwrap_err();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_history_is_complete_up_to_the_first_stretch_that_it_did_not_tell() {
    let told = |seen: &Seen, pairs: &[(&str, &str)]| {
        assert_eq!(seen.known("lookup:eu-west-1"), []);
        for (since, until) in pairs {
            let (since, until) = (time(since), time(until));
            seen.told("lookup:eu-west-1", Stretch { since, until });
        }
    };
    let known = |checkpoint: &Checkpoint| -> Vec<String> {
        let stretches = Seen::after(Some(checkpoint)).known("lookup:eu-west-1");
        let text = |one: &Stretch| format!("{} {}", one.since, one.until);
        stretches.iter().map(text).collect()
    };
    let first = window("15T00:00:00", "15T12:00:00");
    let broken = [problem("lookup:eu-west-1")];
    let seen = Seen::default();
    told(&seen, &[("15T10:00:00", "15T11:30:00")]);
    let read = seen.finish(&broken, false);
    let next = follow(None, &first, &read);
    assert_eq!(next.since(FRESH), time("15T00:00:00"));
    assert_eq!(known(&next), ["2026-01-15T10:00:00Z 2026-01-15T11:30:00Z"]);

    // The gap is filled; what is behind it counts too.
    let seen = Seen::default();
    told(&seen, &[("15T00:00:00", "15T10:00:00")]);
    let read = seen.finish(&[], false);
    let next = follow(Some(&next), &first, &read);
    assert_eq!(next.since(FRESH), time("15T05:30:00"));
    assert_eq!(known(&next), ["2026-01-15T00:00:00Z 2026-01-15T11:30:00Z"]);

    // What was told to a scan that was cut short may not have been heard.
    let seen = Seen::default();
    told(&seen, &[("15T00:00:00", "15T11:30:00")]);
    let read = seen.finish(&[problem("")], true);
    let next = follow(None, &first, &read);
    assert_eq!(
        (next.since(FRESH), known(&next).len()),
        (time("15T00:00:00"), 0)
    );
}
