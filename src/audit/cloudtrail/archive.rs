//! Finds the records in a file, whatever it wraps them in: `{"Records":[…]}`, an array, single
//! objects, one per line or spread over many, EventBridge events, LookupEvents' answers.

use serde::de::IgnoredAny;

use super::fields::Outline;
use super::keys::Key;
use crate::audit::decode::scan::{Cursor, Raw, Stop};

/// Where something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A byte of the text, from 0.
    Byte(usize),
    /// A record of the file, from 1.
    Record(u64),
}

/// What the records of a file are handed to.
pub(crate) trait Records {
    /// Takes a record and its number in the file.
    fn record(&mut self, number: u64, record: &Outline);

    /// Takes note of what could not be read.
    fn unreadable(&mut self, place: Place, problem: &str);

    /// Takes note that the text ends too early.
    fn cut_off(&mut self, place: Place);
}

/// Wrappers within wrappers that are gone into: a list of pages of LookupEvents' answers is one.
const DEPTH: u32 = 2;

/// How often reading is taken up again behind damage. Each time may cost a walk to the end.
const LOSSES: u32 = 100;

/// Damage that could not be stepped over: nothing is known from this byte on.
pub(super) struct Lost(usize);

pub(super) struct Archive<'r, R> {
    /// How far in the file the text starts.
    pub base: usize,
    /// Records that there were, also those that could not be read.
    pub count: u64,
    /// How often reading was taken up again.
    pub losses: u32,
    pub records: &'r mut R,
}

impl<R: Records> Archive<'_, R> {
    /// Reads values one after the other until the text ends, from where reading came to.
    pub(super) fn document(&mut self, bytes: &[u8], mut read: Result<usize, Lost>) {
        loop {
            let at = match read {
                Ok(end) => end,
                Err(Lost(from)) => {
                    let Some(next) = next_line(bytes, from) else {
                        return;
                    };
                    self.losses += 1;
                    if self.losses > LOSSES {
                        self.unreadable(next, "too much is damaged; the rest was not read");
                        return;
                    }
                    next
                }
            };
            let mut cursor = Cursor::new(bytes, at);
            read = match cursor.peek() {
                None => return,
                // Between the lines of an array whose start was damaged.
                Some(b',') => Ok(cursor.at + 1),
                Some(b'{') => self.top(bytes, cursor.at),
                Some(b'[') => self.list(bytes, cursor.at, 0),
                Some(_) => {
                    self.unreadable(cursor.at, "no JSON object or array starts here");
                    Err(Lost(cursor.at))
                }
            };
        }
    }

    /// Reads an object that stands in nothing else.
    fn top(&mut self, bytes: &[u8], at: usize) -> Result<usize, Lost> {
        // Records are read as they come, so that those of a file that is cut off are found.
        if first_list(bytes, at).is_some() {
            return self.wrapper(bytes, at, 0);
        }
        // One object per line is the rule. Looking no further than the line keeps the damage of
        // one from reaching the next.
        let line = memchr::memchr(b'\n', bytes.get(at..).unwrap_or_default())
            .map_or(bytes.len(), |length| at + length);
        if let Some(object) = Outline::read(bytes.get(..line).unwrap_or_default(), at) {
            return self.accept(bytes, at, &object, 0).map(|()| object.end());
        }
        let Some(object) = Outline::read(bytes, at) else {
            return self.wrapper(bytes, at, 0);
        };
        // A string that is not closed swallows lines until quotes happen to match again.
        if serde_json::from_slice::<IgnoredAny>(object.json()).is_err() {
            self.count += 1;
            self.unreadable(at, "is no JSON");
            return Err(Lost(at));
        }
        self.accept(bytes, at, &object, 0).map(|()| object.end())
    }

    /// Reads the lists of records among an object's own members.
    fn wrapper(&mut self, bytes: &[u8], at: usize, depth: u32) -> Result<usize, Lost> {
        let first = Cursor::new(bytes, at + 1).peek();
        self.members(bytes, at + 1, depth, at, first == Some(b'}'))
    }

    /// Reads the lists of records among an object's own members from a byte in it, which is behind
    /// a member or before one. Behind damage, more is looked for behind `from`: behind what was
    /// read, if anything was.
    pub(super) fn members(
        &mut self,
        bytes: &[u8],
        at: usize,
        depth: u32,
        mut from: usize,
        mut is_behind: bool,
    ) -> Result<usize, Lost> {
        let mut cursor = Cursor::new(bytes, at);
        loop {
            if std::mem::replace(&mut is_behind, true) {
                match cursor.peek() {
                    Some(b',') => cursor.at += 1,
                    Some(b'}') => return Ok(cursor.at + 1),
                    Some(_) => return Err(self.lose(Stop::At(cursor.at), from)),
                    None => return Err(self.lose(Stop::End, from)),
                }
            }
            let member = cursor.text().and_then(|key| {
                cursor.eat(b':')?;
                Ok((is_list_key(key), cursor.peek().ok_or(Stop::End)?))
            });
            let (lists, first) = member.map_err(|stop| self.lose(stop, from))?;
            if lists && first == b'[' {
                cursor.at = self.list(bytes, cursor.at, depth)?;
                from = cursor.at;
            } else {
                cursor.value().map_err(|stop| self.lose(stop, from))?;
            }
        }
    }

    /// Reads the records of an array.
    fn list(&mut self, bytes: &[u8], at: usize, depth: u32) -> Result<usize, Lost> {
        let first = Cursor::new(bytes, at + 1).peek();
        self.items(bytes, at + 1, depth, first == Some(b']'))
    }

    /// Reads the records of an array from a byte in it, which is behind an item or before one.
    pub(super) fn items(
        &mut self,
        bytes: &[u8],
        at: usize,
        depth: u32,
        mut is_behind: bool,
    ) -> Result<usize, Lost> {
        let mut cursor = Cursor::new(bytes, at);
        loop {
            if std::mem::replace(&mut is_behind, true) {
                match cursor.peek() {
                    Some(b',') => cursor.at += 1,
                    Some(b']') => return Ok(cursor.at + 1),
                    Some(_) => return Err(self.lose(Stop::At(cursor.at), cursor.at)),
                    None => return Err(self.lose(Stop::End, cursor.at)),
                }
            }
            let first = cursor.peek();
            let start = cursor.at;
            if first == Some(b'{') {
                let Some(object) = Outline::read(bytes, start) else {
                    self.count += 1;
                    self.records.cut_off(Place::Record(self.count));
                    return Err(Lost(start));
                };
                self.accept(bytes, start, &object, depth)?;
                cursor.at = object.end();
            } else {
                cursor.value().map_err(|stop| self.lose(stop, start))?;
                self.count += 1;
                self.records
                    .unreadable(Place::Record(self.count), "is no JSON object");
            }
        }
    }

    /// Notes that reading ended early.
    fn lose(&mut self, stop: Stop, from: usize) -> Lost {
        match stop {
            Stop::End => self.records.cut_off(Place::Byte(self.base + from)),
            Stop::At(place) => self.unreadable(place, "is no JSON"),
        }
        Lost(from)
    }

    fn unreadable(&mut self, at: usize, problem: &str) {
        let place = Place::Byte(self.base + at);
        self.records.unreadable(place, problem);
    }

    /// Takes an object for what it is: a record, or what one is wrapped in.
    #[inline]
    fn accept(
        &mut self,
        bytes: &[u8],
        at: usize,
        object: &Outline,
        depth: u32,
    ) -> Result<(), Lost> {
        if object.has_time() {
            self.record(object);
            return Ok(());
        }
        self.unwrap(bytes, at, object, depth)
    }

    fn unwrap(
        &mut self,
        bytes: &[u8],
        at: usize,
        object: &Outline,
        depth: u32,
    ) -> Result<(), Lost> {
        let fields = object.fields();
        let is_list = |key| matches!(fields.opening(key), Some((b'[', _)));
        if fields.is_record() {
            self.record(object);
        } else if depth < DEPTH && (is_list(Key::Records) || is_list(Key::Events)) {
            self.wrapper(bytes, at, depth + 1)?;
        } else if let Some((b'{', detail)) = fields.opening(Key::Detail) {
            // EventBridge carries events that are no audit records, too.
            if let Some(record) =
                Outline::read(bytes, detail).filter(|record| record.fields().is_record())
            {
                self.record(&record);
            }
        } else if let Some(record) = fields.text(Key::Lookup) {
            match Outline::read(record.as_bytes(), 0) {
                Some(record) if record.fields().is_record() => self.record(&record),
                _ => self.stranger(),
            }
        } else if !fields.has(Key::Digest) {
            self.stranger();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn record(&mut self, record: &Outline) {
        self.count += 1;
        self.records.record(self.count, record);
    }

    fn stranger(&mut self) {
        self.count += 1;
        self.records
            .unreadable(Place::Record(self.count), "is no CloudTrail record");
    }
}

/// Whether a key is that of a list of records or of LookupEvents' events.
fn is_list_key(key: Raw) -> bool {
    match key {
        Raw::Text(key) => matches!(key, b"Records" | b"Events"),
        Raw::Escaped(json) => serde_json::from_slice::<String>(json)
            .is_ok_and(|key| matches!(key.as_str(), "Records" | "Events")),
        Raw::Nest(_) | Raw::Plain(_) => false,
    }
}

/// Where the list starts, behind its `[`, if the first member of an object is a list of records.
pub(super) fn first_list(bytes: &[u8], at: usize) -> Option<usize> {
    let mut cursor = Cursor::new(bytes, at + 1);
    let lists = is_list_key(cursor.text().ok()?);
    cursor.eat(b':').ok()?;
    (lists && cursor.peek() == Some(b'[')).then_some(cursor.at + 1)
}

/// The start of the first line behind a byte that starts like JSON.
fn next_line(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', rest)
        .map(|newline| newline + 1)
        .find(|start| matches!(rest.get(*start), Some(b'{' | b'[')))
        .map(|start| from + start)
}

#[cfg(test)]
mod tests {
    use super::super::pieces::Pieces;
    use super::{Key, Outline, Place, Records};

    #[derive(Debug, Default)]
    struct Seen {
        names: Vec<String>,
        problems: Vec<String>,
    }

    impl Records for Seen {
        fn record(&mut self, number: u64, record: &Outline) {
            let json = record.json();
            assert!(json.starts_with(b"{") && json.ends_with(b"}"));
            let name = record
                .fields()
                .text(Key::Name)
                .unwrap_or_default()
                .into_owned();
            self.names.push(format!("{number}{name}"));
        }

        fn unreadable(&mut self, place: Place, problem: &str) {
            self.problems.push(format!("{place:?} {problem}"));
        }

        fn cut_off(&mut self, place: Place) {
            self.problems.push(format!("{place:?} cut off"));
        }
    }

    fn seen(text: &str) -> (String, Vec<String>) {
        let mut seen = Seen::default();
        Pieces::default().read(text.as_bytes(), true, &mut seen);
        (seen.names.join(" "), seen.problems)
    }

    #[test]
    fn records_are_found_in_every_wrapping() {
        let a = r#"{"eventName":"A","requestParameters":{"Records":[{"eventName":"X"}]}}"#;
        let b = r#"{"eventTime":"B","eventName":"B"}"#;
        let pretty = |text: &str| {
            serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).unwrap())
                .unwrap()
        };
        let string = |text: &str| serde_json::to_string(text).unwrap();
        let both = format!(r#"{{"Records":[{a},{b}]}}"#);
        for (form, text) in [
            ("records", both.clone()),
            ("pretty", pretty(&both)),
            (
                "windows",
                format!("\u{feff}{}\r\n", pretty(&both).replace('\n', "\r\n")),
            ),
            (
                "list last",
                format!(r#"{{"x":{{"Records":[{{"eventName":"X"}}]}},"Records":[{a},{b}]}}"#),
            ),
            ("escaped key", format!(r#"{{"\u0052ecords":[{a},{b}]}}"#)),
            (
                "two lists",
                format!(r#"{{"Records":[{a}],"y":null,"Records" : [ {b} ] }}"#),
            ),
            (
                "files one after the other",
                format!(r#"{{"Records":[{a}]}}{{"Records":[]}}{{"Records":[{b}]}}"#),
            ),
            ("array", format!("[{a},{b}]")),
            ("lines", format!("{a}\n{b}\n")),
            ("lines, windows", format!("{a}\r\n\r\n{b}")),
            ("pretty objects", format!("{}\n{}", pretty(a), pretty(b))),
            ("no lines at all", format!("{a} {b}")),
            (
                "EventBridge, lines",
                format!(
                    "{{\"version\":\"0\",\"source\":\"aws.ec2\",\"detail\":{a}}}\n{{\"detail\": {b}}}"
                ),
            ),
            (
                "EventBridge, array",
                pretty(&format!("[{{\"detail\":{a}}},{{\"detail\":{b}}}]")),
            ),
            (
                "LookupEvents",
                format!(
                    r#"{{"Events":[{{"EventId":"1","EventTime":1.5,"CloudTrailEvent":{}}},{{"CloudTrailEvent":{}}}],"NextToken":"x"}}"#,
                    string(a),
                    string(&pretty(b))
                ),
            ),
            (
                "pages",
                format!(
                    r#"[{{"Events":[{{"CloudTrailEvent":{}}}]}},{{"Events":[{{"CloudTrailEvent":{}}}]}}]"#,
                    string(a),
                    string(b)
                ),
            ),
        ] {
            assert_eq!(seen(&text), ("1A 2B".to_owned(), vec![]), "{form}");
        }
        assert_eq!(seen(b), ("1B".to_owned(), vec![]));
        assert_eq!(seen(&pretty(b)), ("1B".to_owned(), vec![]));
    }

    #[test]
    fn what_holds_no_record_is_no_problem() {
        for text in [
            r#"{"Records":[]}"#,
            "[]",
            r#"{"awsAccountId":"1","digestStartTime":"2026-01-15T10:00:00Z","logFiles":[{"s3Object":"x"}]}"#,
            r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"running"}}"#,
        ] {
            assert_eq!(seen(text), (String::new(), vec![]), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_beside_damage_is_read() {
        let a = r#"{"eventName":"A","x":{"y":1}}"#;
        let b = r#"{"eventName":"B","x":"y"}"#;
        for (text, names, problems) in [
            (
                format!(r#"{{"Records":[{a},{b},{}"#, &a[..20]),
                "1A 2B",
                &["Record(3) cut off"][..],
            ),
            (
                format!(r#"{{"Records":[{a},{b}"#),
                "1A 2B",
                &["Byte(67) cut off"],
            ),
            (format!(r#"{{"Records":[{a},"#), "1A", &["Byte(42) cut off"]),
            (
                format!(r#"{{"x":1,"Records":[{a},{}"#, &b[..9]),
                "1A",
                &["Record(2) cut off"],
            ),
            (
                format!(r#"{{"Records":[{a},{{"eventName":oops?}},7,{b}]}}"#),
                "1A 2 4B",
                &["Record(3) is no JSON object"],
            ),
            (
                format!(r#"{{"Records":[{a} {b}]}}"#),
                "1A",
                &["Byte(42) is no JSON"],
            ),
            (
                format!("{a}\n{}\n{b}", &a[..14]),
                "1A 2B",
                &["Byte(47) is no JSON"],
            ),
            (
                format!("{a}\n{}\n{b}", &a[..10]),
                "1A 2B",
                &["Byte(43) is no JSON"],
            ),
            (format!("{a}\n{}", &a[..10]), "1A", &["Byte(30) cut off"]),
            (
                format!("2026 {a}\n{b}\noops"),
                "1B",
                &[
                    "Byte(0) no JSON object or array starts here",
                    "Byte(61) no JSON object or array starts here",
                ],
            ),
            ("{}".to_owned(), "", &["Record(1) is no CloudTrail record"]),
            (
                r#"{"a":{}}"#.to_owned(),
                "",
                &["Record(1) is no CloudTrail record"],
            ),
            (
                r#"{"Events":[{"CloudTrailEvent":"{"},{"CloudTrailEvent":"{}"}]}"#.to_owned(),
                "",
                &[
                    "Record(1) is no CloudTrail record",
                    "Record(2) is no CloudTrail record",
                ],
            ),
            (
                "name,time\nA,B\n".to_owned(),
                "",
                &["Byte(0) no JSON object or array starts here"],
            ),
        ] {
            assert_eq!(
                seen(&text),
                (
                    names.to_owned(),
                    problems
                        .iter()
                        .map(|problem| (*problem).to_owned())
                        .collect()
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn damage_everywhere_is_given_up_on() {
        let (names, problems) = seen(&"{\"a\n".repeat(100_000));
        assert_eq!(names, "");
        assert!(problems.len() < 300);
        assert!(problems.last().unwrap().ends_with("the rest was not read"));
    }
}
