//! Files of JSON lines that are too large to hold whole: cut at line ends into parts that any
//! worker can take.

use std::io::Read;
use std::sync::Arc;

use super::budget::{Budget, Share};

/// Length that parts are cut to.
pub const LENGTH: usize = 8 << 20;

/// A stretch of whole lines.
#[derive(Debug)]
pub struct Part<'a> {
    /// The file it belongs to.
    pub location: Arc<str>,
    /// Where in the file it begins.
    pub offset: u64,
    /// The lines.
    pub bytes: Vec<u8>,
    /// What it draws of the budget for parts that wait.
    pub share: Share<'a>,
}

/// Whether the beginning of a file shows that each line is a JSON object of its own.
#[must_use]
pub fn are_lines(head: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'\n', head) else {
        return false;
    };
    let first = head.get(..end).unwrap_or_default().trim_ascii();
    // Of one object over many lines, the first is a bracket or ends amid the object.
    first.len() > 2 && first.starts_with(b"{") && first.ends_with(b"}")
}

/// Cuts what a reader holds, behind `head` which was read already, into parts. Stops early when
/// `send` says that nobody takes them. A line longer than `longest` is cut.
///
/// # Errors
/// When reading fails; what was read until then was sent.
pub fn cut<'a>(
    location: &Arc<str>,
    head: Vec<u8>,
    mut reader: impl Read,
    longest: usize,
    budget: &'a Budget,
    mut send: impl FnMut(Part<'a>) -> bool,
) -> std::io::Result<()> {
    let (mut bytes, mut offset, mut most) = (head, 0, LENGTH);
    loop {
        let missing = most.saturating_sub(bytes.len());
        let read = reader.by_ref().take(missing as u64).read_to_end(&mut bytes);
        let at_end = !matches!(read, Ok(count) if count == missing);
        let end = match memchr::memrchr(b'\n', &bytes) {
            _ if at_end => bytes.len(),
            Some(end) => end + 1,
            None if most < longest => {
                most = most.saturating_mul(2).min(longest);
                continue;
            }
            None => bytes.len(),
        };
        let rest = bytes.split_off(end);
        let length = bytes.len() as u64;
        if length > 0 {
            let share = budget.draw(length);
            let part = Part {
                location: Arc::clone(location),
                offset,
                bytes,
                share,
            };
            if !send(part) {
                return Ok(());
            }
        }
        if at_end {
            return read.map(|_| ());
        }
        (bytes, offset, most) = (rest, offset + length, LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_all(text: &[u8], head: usize, longest: usize) -> Vec<(u64, Vec<u8>)> {
        let budget = Budget::new(1 << 30);
        let mut parts = Vec::new();
        let (head, rest) = text.split_at(head);
        cut(
            &Arc::from("-"),
            head.to_vec(),
            rest,
            longest,
            &budget,
            |part| {
                parts.push((part.offset, part.bytes));
                true
            },
        )
        .unwrap();
        parts
    }

    #[test]
    fn parts_are_whole_lines_and_together_the_file() {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
        let text = line.repeat(20) + "{\"last\":1}";
        let parts = cut_all(text.as_bytes(), 3 << 20, 1 << 30);
        assert!(parts.len() > 2);
        let mut offset = 0;
        for (number, (at, bytes)) in parts.iter().enumerate() {
            assert_eq!(*at, offset);
            assert!(bytes.ends_with(b"\n") || number + 1 == parts.len());
            offset += bytes.len() as u64;
        }
        assert_eq!(parts.concat_bytes(), text.as_bytes());
    }

    trait ConcatBytes {
        fn concat_bytes(&self) -> Vec<u8>;
    }

    impl ConcatBytes for Vec<(u64, Vec<u8>)> {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|(_, bytes)| bytes).copied().collect()
        }
    }

    #[test]
    fn a_line_longer_than_a_part_stays_whole_unless_it_is_longer_than_allowed() {
        let text = format!("{}\n{}", "x".repeat(3 * LENGTH), "{}\n".repeat(LENGTH));
        let whole = cut_all(text.as_bytes(), 0, 4 * LENGTH);
        let first = whole.first().unwrap();
        assert!(first.1.len() > 3 * LENGTH && first.1.ends_with(b"\n"));
        let cut = cut_all(text.as_bytes(), 0, LENGTH);
        assert_eq!(cut.first().map(|part| part.1.len()), Some(LENGTH));
        for parts in [whole, cut] {
            assert_eq!(parts.concat_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn lines_are_told_from_documents() {
        for (head, expected) in [
            ("{\"a\":1}\n{\"b\":2}", true),
            ("{\"a\":1}\r\n", true),
            ("{\n  \"Records\": [", false),
            ("{\"Records\":[\n{\"a\":1}", false),
            ("{\"Records\":[]}", false),
            ("[{\"a\":1}]\n", false),
            ("", false),
        ] {
            assert_eq!(are_lines(head.as_bytes()), expected, "{head}");
        }
    }
}
