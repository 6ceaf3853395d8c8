//! Of records spelt in any way that JSON allows, the decoder finds what a plain reading finds.
//!
//! The input is not the file but the choices that one is made by, so that every input is JSON:
//! keys that stand twice, in any order, with escapes and white space anywhere, and look-alikes of
//! records wherever a value may stand.
#![no_main]

use std::fmt;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tfdrift_fuzz::{Asked, hold};

fuzz_target!(|file: File| {
    hold(file.text.as_bytes(), &Asked::numbered(file.asked));
});

/// A file and the question that is put to it.
struct File {
    asked: u8,
    text: String,
}

impl<'a> Arbitrary<'a> for File {
    fn arbitrary(choices: &mut Unstructured<'a>) -> Result<Self> {
        let asked = choices.arbitrary()?;
        let mut writer = Writer {
            choices: Unstructured::new(choices.bytes(choices.len())?),
            out: String::new(),
        };
        // An end of the choices is the end of the file, which is then no JSON: that must not matter.
        let _ = writer.file();
        Ok(Self {
            asked,
            text: writer.out,
        })
    }
}

impl fmt::Debug for File {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "asked {}\n{}", self.asked, self.text)
    }
}

/// Keys of records and of what wraps them, and some that nobody looks for.
const KEYS: &[&str] = &[
    "eventTime",
    "eventSource",
    "eventName",
    "readOnly",
    "errorCode",
    "errorMessage",
    "eventType",
    "recipientAccountId",
    "awsRegion",
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "resources",
    "detail",
    "CloudTrailEvent",
    "digestStartTime",
    "Records",
    "Events",
    "eventID",
    "sharedEventID",
    "apiVersion",
    "sessionContext",
    "sessionIssuer",
    "attributes",
    "accountId",
    "arn",
    "ARN",
    "type",
    "userName",
    "mfaAuthenticated",
    "sourceIdentity",
    "addendum",
    "originalEventID",
    "userAgent",
    "sessionCredentialFromConsole",
    "dryRun",
    "DryRun",
    "",
    "a",
    "xxeventName",
    "readonly",
    "eventname",
    "é",
    "\"",
    "\\",
];

/// Values that decide something, and texts that look like more than they are.
const TEXTS: &[&str] = &[
    "2026-01-15T10:35:10Z",
    "2026-01-15T01:00:00Z",
    "2026-01-15T11:00:00Z",
    "2026-01-15T10:59:59.5Z",
    "2026-01-15T11:30:00+01:00",
    "2026-01-15",
    "ec2.amazonaws.com",
    "RunInstances",
    "DescribeInstances",
    "Getaway",
    "BatchGetItem",
    "BatchPutItem",
    "AwsApiCall",
    "AwsConsoleSignIn",
    "AwsServiceEvent",
    "true",
    "False",
    "1",
    "us-east-1",
    "AccessDenied",
    "",
    "\"",
    "\\",
    "\\\"",
    "{",
    "}]",
    "},{\"eventVersion\":\"1.08\"",
    "\",\"readOnly\":true,\"",
    "\"readOnly\":true",
    "{\"eventTime\":\"2026-01-15T10:35:10Z\",\"eventName\":\"RunInstances\"}",
    "é😀",
    "\u{0}\u{7f}\u{2028}",
    "a long text of more than sixty-four bytes, so that what follows it stands in another block",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-17",
    "1e5",
    "0.25",
    "9223372036854775807",
    "18446744073709551615",
    "123456789012",
];

struct Writer<'a> {
    choices: Unstructured<'a>,
    out: String,
}

impl Writer<'_> {
    fn one_in(&mut self, bound: u8) -> Result<bool> {
        self.choices.ratio(1, bound)
    }

    fn file(&mut self) -> Result<()> {
        match self.choices.int_in_range(0..=5)? {
            0 | 1 => {
                self.out.push_str("{\"Records\":[");
                self.records(",")?;
                self.out.push_str("]}");
            }
            2 => {
                self.out.push('[');
                self.records(",")?;
                self.out.push(']');
            }
            3 => self.records("\n")?,
            4 => self.object(0)?,
            _ => {
                self.out.push_str("{\"Events\":[");
                self.events()?;
                self.out.push_str("]}");
            }
        }
        Ok(())
    }

    fn records(&mut self, between: &str) -> Result<()> {
        for number in 0..self.choices.int_in_range(0..=6)? {
            if number > 0 {
                self.out.push_str(between);
            }
            match self.choices.int_in_range(0..=9)? {
                0 => self.value(0)?,
                1 => self.object(0)?,
                _ => self.record()?,
            }
        }
        Ok(())
    }

    /// `LookupEvents`' answers: records as strings.
    fn events(&mut self) -> Result<()> {
        for number in 0..self.choices.int_in_range(0..=3)? {
            if number > 0 {
                self.out.push(',');
            }
            let before = std::mem::take(&mut self.out);
            let written = self.record();
            let record = std::mem::replace(&mut self.out, before);
            written?;
            self.out.push_str("{\"CloudTrailEvent\":");
            self.string(&record)?;
            self.out.push('}');
        }
        Ok(())
    }

    /// A record that will mostly pass, so that much of it is looked at.
    fn record(&mut self) -> Result<()> {
        self.out.push('{');
        self.space()?;
        if !self.one_in(8)? {
            self.out.push_str("\"eventTime\":\"2026-01-15T10:35:10Z\",");
        }
        if self.one_in(2)? {
            self.out
                .push_str("\"eventID\":\"0d1c6a3e-0000-4000-8000-000000000001\",\"readOnly\":");
            self.out
                .push_str(["true", "false"][usize::from(self.choices.arbitrary::<bool>()?)]);
            self.out.push(',');
        }
        self.members(0)?;
        self.out.push('}');
        Ok(())
    }

    fn object(&mut self, depth: u8) -> Result<()> {
        self.out.push('{');
        self.space()?;
        if !self.one_in(6)? {
            self.members(depth)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn members(&mut self, depth: u8) -> Result<()> {
        for number in 0..self.choices.int_in_range(1..=12)? {
            if number > 0 {
                self.out.push(',');
                self.space()?;
            }
            let key = *self.choices.choose(KEYS)?;
            self.string(key)?;
            self.space()?;
            self.out.push(':');
            self.value(depth + 1)?;
        }
        Ok(())
    }

    fn value(&mut self, depth: u8) -> Result<()> {
        self.space()?;
        match self.choices.int_in_range(0..=11)? {
            0 => self.out.push_str("null"),
            1 => self.out.push_str("true"),
            2 => self.out.push_str("false"),
            3 => {
                let number = *self.choices.choose(NUMBERS)?;
                self.out.push_str(number);
            }
            4 => {
                let text: String = self.choices.arbitrary()?;
                self.string(&text)?;
            }
            5 | 6 if depth < 6 => self.object(depth)?,
            7 if depth < 6 => {
                self.out.push('[');
                for number in 0..self.choices.int_in_range(0..=4)? {
                    if number > 0 {
                        self.out.push(',');
                    }
                    self.value(depth + 1)?;
                }
                self.out.push(']');
            }
            _ => {
                let text = *self.choices.choose(TEXTS)?;
                self.string(text)?;
            }
        }
        self.space()
    }

    fn space(&mut self) -> Result<()> {
        if self.one_in(8)? {
            let space = *self.choices.choose(&[
                " ",
                "\t",
                "\n  ",
                "\r\n\t",
                "                                ",
            ])?;
            self.out.push_str(space);
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<()> {
        let spelling = self.choices.int_in_range(0..=7)?;
        self.out.push('"');
        for letter in text.chars() {
            let escaped = match spelling {
                0 => true,
                1 => self.choices.arbitrary()?,
                _ => false,
            };
            match letter {
                _ if escaped => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                '"' | '\\' => self.out.extend(['\\', letter]),
                control if control < ' ' => {
                    self.out.push_str(&format!("\\u{:04X}", u32::from(control)));
                }
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
        Ok(())
    }
}
