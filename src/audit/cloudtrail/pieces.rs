//! Finds the records in a file that comes piece by piece, as in one that is there whole.
//!
//! Records in a list, or one per line, are read as they come. Whatever else a file holds is left to
//! the [archive](super::archive) once all of it is there.

use super::archive::{Archive, Lost, Records, first_list};
use super::fields::Outline;
use crate::audit::decode::scan::Cursor;

/// What has been read of a file, and how to go on.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    amid: Amid,
    /// Whether what comes next is to be read when all is there.
    waits: bool,
    /// How much of the file has been read.
    base: usize,
    count: u64,
    losses: u32,
}

#[derive(Debug, Default, Clone, Copy)]
enum Amid {
    /// Nothing has been read.
    #[default]
    Start,
    /// Between values that stand in nothing else.
    Document,
    /// In a list of records.
    List {
        /// Whether the list is a member of an object that stands in nothing else.
        is_wrapped: bool,
        /// Whether a comma or the end of the list comes next.
        is_behind: bool,
    },
}

impl Pieces {
    /// How many records there were, also those that could not be read.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Reads on in what follows of the file, as far as it is there, and returns how much that was.
    /// The rest is to be given again, with more behind it.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        records: &mut impl Records,
    ) -> usize {
        let mut archive = Archive {
            base: self.base,
            count: self.count,
            losses: self.losses,
            records,
        };
        let read = if is_last {
            let rest = self.rest(bytes, &mut archive);
            archive.document(bytes, rest);
            bytes.len()
        } else {
            self.some(bytes, &mut archive)
        };
        (self.count, self.losses) = (archive.count, archive.losses);
        self.base += read;
        read
    }

    /// Reads what is open to its end, in a text that is there to its end.
    fn rest<R: Records>(&self, bytes: &[u8], archive: &mut Archive<R>) -> Result<usize, Lost> {
        match self.amid {
            Amid::Start => Ok(behind_mark(bytes)),
            Amid::Document => Ok(0),
            Amid::List {
                is_wrapped,
                is_behind,
            } => {
                let end = archive.items(bytes, 0, 0, is_behind)?;
                if is_wrapped {
                    archive.members(bytes, end, 0, end, true)
                } else {
                    Ok(end)
                }
            }
        }
    }

    /// Reads what is plain to read.
    fn some<R: Records>(&mut self, bytes: &[u8], archive: &mut Archive<R>) -> usize {
        let mut at = 0;
        while !self.waits {
            let next = match self.amid {
                Amid::Start if bytes.len() < MARK.len() => None,
                Amid::Start => {
                    self.amid = Amid::Document;
                    Some(behind_mark(bytes))
                }
                Amid::Document => self.value(bytes, at, archive),
                Amid::List {
                    is_wrapped,
                    is_behind: true,
                } => self.behind(bytes, at, is_wrapped),
                Amid::List {
                    is_wrapped,
                    is_behind: false,
                } => {
                    let end = self.item(bytes, at, archive);
                    if end.is_some() {
                        self.amid = Amid::List {
                            is_wrapped,
                            is_behind: true,
                        };
                    }
                    end
                }
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    }

    /// Reads a value that stands in nothing else, or goes into a list.
    fn value<R: Records>(
        &mut self,
        bytes: &[u8],
        at: usize,
        archive: &mut Archive<R>,
    ) -> Option<usize> {
        let mut cursor = Cursor::new(bytes, at);
        let (list, is_wrapped) = match cursor.peek()? {
            b'{' => (first_list(bytes, cursor.at), true),
            b'[' => (Some(cursor.at + 1), false),
            _ => return self.wait(),
        };
        if let Some(list) = list {
            // A list without anything in it ends as behind its last item.
            let is_behind = Cursor::new(bytes, list).peek()? == b']';
            self.amid = Amid::List {
                is_wrapped,
                is_behind,
            };
            return Some(list);
        }
        let length = memchr::memchr(b'\n', bytes.get(cursor.at..)?)?;
        let line = bytes.get(..cursor.at + length)?;
        let end = self.item(line, cursor.at, archive);
        end.or_else(|| self.wait())
    }

    /// Reads a record.
    #[inline]
    fn item<R: Records>(
        &mut self,
        bytes: &[u8],
        at: usize,
        archive: &mut Archive<R>,
    ) -> Option<usize> {
        let mut cursor = Cursor::new(bytes, at);
        if cursor.peek()? != b'{' {
            return self.wait();
        }
        let object = Outline::read(bytes, cursor.at)?;
        if !object.has_time() {
            return self.wait();
        }
        archive.record(&object);
        Some(object.end())
    }

    /// Steps over what stands behind an item of a list.
    #[inline]
    fn behind(&mut self, bytes: &[u8], at: usize, is_wrapped: bool) -> Option<usize> {
        let mut cursor = Cursor::new(bytes, at);
        match cursor.peek()? {
            b',' => {
                self.amid = Amid::List {
                    is_wrapped,
                    is_behind: false,
                };
            }
            b']' => {
                if is_wrapped {
                    cursor.at += 1;
                    if cursor.peek()? != b'}' {
                        return self.wait();
                    }
                }
                self.amid = Amid::Document;
            }
            _ => return self.wait(),
        }
        Some(cursor.at + 1)
    }

    fn wait(&mut self) -> Option<usize> {
        self.waits = true;
        None
    }
}

/// What some programs put before a text in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

fn behind_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(MARK) {
        MARK.len()
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::archive::{Place, Records};
    use super::super::fields::Outline;
    use super::Pieces;

    /// All that was told, in order.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Seen(Vec<String>);

    impl Records for Seen {
        fn record(&mut self, number: u64, record: &Outline) {
            let json = String::from_utf8_lossy(record.json());
            self.0.push(format!("{number} {json}"));
        }

        fn unreadable(&mut self, place: Place, problem: &str) {
            self.0.push(format!("{place:?} {problem}"));
        }

        fn cut_off(&mut self, place: Place) {
            self.0.push(format!("{place:?} cut off"));
        }
    }

    fn whole(text: &[u8]) -> (Seen, u64) {
        let (mut seen, mut pieces) = (Seen::default(), Pieces::default());
        assert_eq!(pieces.read(text, true, &mut seen), text.len());
        (seen, pieces.count())
    }

    /// Reads a text of which more and more is there; tells also the most that was held.
    fn piecewise(text: &[u8], lengths: &[usize]) -> (Seen, u64, usize) {
        let (mut seen, mut pieces) = (Seen::default(), Pieces::default());
        let (mut start, mut end, mut most) = (0, 0, 0);
        let mut lengths = lengths.iter().cycle();
        loop {
            end = (end + lengths.next().unwrap_or(&1)).min(text.len());
            most = most.max(end - start);
            start += pieces.read(&text[start..end], end == text.len(), &mut seen);
            assert!(start <= end);
            if end == text.len() {
                assert_eq!(start, end);
                return (seen, pieces.count(), most);
            }
        }
    }

    #[test]
    fn of_lists_and_lines_only_a_record_and_a_piece_are_held() {
        let record = r#"{"eventTime":"A","eventName":"A","list":[1,{"eventTime":2}]}"#;
        let records = vec![record; 500];
        for text in [
            format!("{{\"Records\":[{}]}}", records.join(",")),
            format!("\u{feff} {{ \"Records\" : [ {} ] }}\n", records.join(" , ")),
            format!("[{}]", records.join(",\n")),
            records.join("\n"),
            format!("{{\"Records\":[{}]}}\n", records[..5].join(",")).repeat(100),
            format!("{{\"Records\":[]}}\n[]\n{record}\n").repeat(500),
        ] {
            let (seen, count, most) = piecewise(text.as_bytes(), &[50]);
            assert_eq!((seen, count), whole(text.as_bytes()));
            assert_eq!(count, 500);
            assert!(most < 200, "{most} bytes of {}", &text[..40]);
        }
    }

    fn parts() -> impl Strategy<Value = String> {
        const PARTS: [&str; 24] = [
            r#"{"Records":["#,
            r#"{"Events" : ["#,
            r#"{"a":1,"Records":["#,
            "[",
            "]",
            "}",
            "{",
            ",",
            " ",
            "\n",
            "\n\n",
            "\"",
            r#"{"eventTime":"A","eventName":"A"}"#,
            r#"{"eventTime":"B","a":{"b":[1]}}"#,
            r#"{"eventName":"C"}"#,
            r#"{"detail":{"eventTime":"D","eventName":"D"}}"#,
            r#"{"x":"\"}"#,
            r#"{"eventTime":"#,
            r#"{"Records":[{"eventTime":"E"}]}"#,
            r#"{"digestStartTime":1}"#,
            "17",
            r#","b":null"#,
            "\u{feff}",
            "{\n \"eventTime\" : \"F\"\n}",
        ];
        let part = prop::sample::select(&PARTS[..]);
        let sound = prop::sample::select(vec![
            "{\"eventTime\":\"A\"},",
            "{\"eventTime\":\"A\"}\n",
            "{\"Records\":[{\"eventTime\":\"A\"}]}\n",
        ]);
        let any = prop::collection::vec(part, 0..25).prop_map(|parts| parts.concat());
        (prop::option::of(sound), 0_usize..9, any).prop_map(|(sound, times, any)| {
            let start = if times % 2 == 0 { "{\"Records\":[" } else { "" };
            format!("{start}{}{any}", sound.unwrap_or_default().repeat(times))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_file_in_pieces_is_read_as_one_that_is_whole(
            text in parts(), lengths in prop::collection::vec(1_usize..60, 1..5), cut in 0_usize..10,
        ) {
            let text = text.as_bytes();
            let text = &text[..text.len().saturating_sub(if cut < 5 { 0 } else { cut })];
            let (seen, count, _) = piecewise(text, &lengths);
            prop_assert_eq!((seen, count), whole(text));
        }
    }
}
