//! JSON that is safe to print: on a terminal, into a CI system's log, into a page.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::text::acts;

/// Writes a value over several lines, safe to print.
pub fn pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    // JSON is written in very small pieces.
    let mut out = BufWriter::with_capacity(64 << 10, out);
    over_lines(value, &mut out)?;
    out.flush()
}

fn over_lines(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let formatter = Safe {
        layout: PrettyFormatter::new(),
    };
    let mut serializer = Serializer::with_formatter(out, formatter);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes an object as [`pretty`] does, with what is made of a list in the place of the empty one
/// that it has under a key. A long list is written on all cores.
///
/// # Errors
/// When `out` takes no more, or the object has no such list.
pub fn pretty_with<T: Copy + Sync, U: Serialize>(
    object: &impl Serialize,
    key: &str,
    list: &[T],
    of: impl Fn(T) -> U + Sync,
    out: &mut dyn Write,
) -> io::Result<()> {
    /// Members that one thread writes at once: enough to be worth it, and little to hold.
    const PART: usize = 256;
    if list.is_empty() {
        return pretty(object, out);
    }
    let mut frame = Vec::new();
    over_lines(object, &mut frame)?;
    let list_start = format!("\n  \"{key}\": [");
    let start = memchr::memmem::find(&frame, list_start.as_bytes());
    let (head, tail) = start
        .and_then(|start| frame.split_at_checked(start + list_start.len()))
        .ok_or_else(|| io::Error::other(format!("no list of {key}")))?;
    out.write_all(head)?;
    for (round, list) in list.chunks(PART * rayon::current_num_threads()).enumerate() {
        // Lists within an object of their own: what is around them is cut off again.
        let parts: Vec<Vec<u8>> = list
            .par_chunks(PART)
            .map(|part| {
                let mut text = Vec::new();
                let part: Vec<U> = part.iter().copied().map(&of).collect();
                over_lines(&BTreeMap::from([("", part)]), &mut text)?;
                Ok(text)
            })
            .collect::<io::Result<_>>()?;
        for (number, part) in parts.iter().enumerate() {
            let members = part
                .strip_prefix(b"{\n  \"\": [")
                .and_then(|part| part.strip_suffix(b"\n  ]\n}"))
                .unwrap_or_default();
            if round + number > 0 {
                out.write_all(b",")?;
            }
            out.write_all(members)?;
        }
    }
    out.write_all(b"\n  ")?;
    out.write_all(tail)
}

/// Writes a value on one line, safe to print.
pub fn compact(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let formatter = Safe {
        layout: CompactFormatter,
    };
    value
        .serialize(&mut Serializer::with_formatter(out, formatter))
        .map_err(io::Error::from)
}

/// Lays JSON out as another formatter does, and escapes within strings what would act on a
/// terminal, a CI system's log or a page that the JSON is put into. The JSON means the same.
struct Safe<F> {
    layout: F,
}

impl<F: Formatter> Formatter for Safe<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'<' && byte != b'#';
        // Without an early end, many bytes are looked at together.
        if fragment
            .bytes()
            .fold(true, |all, byte| all & is_plain(byte))
        {
            return writer.write_all(fragment.as_bytes());
        }
        let mut start = 0;
        let mut after_hash = false;
        for (position, character) in fragment.char_indices() {
            // Logs obey `##[command]` wherever it stands.
            let second_hash = character == '#' && after_hash;
            after_hash = character == '#';
            if second_hash || character == '<' || acts(character) {
                writer.write_all(fragment.get(start..position).unwrap_or_default().as_bytes())?;
                let mut units = [0_u16; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                start = position + character.len_utf8();
            }
        }
        writer.write_all(fragment.get(start..).unwrap_or_default().as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.layout.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.layout.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_list_put_into_its_place_is_written_as_the_whole_would_be() {
        for length in [0, 1, 2, 255, 256, 257, 3_000] {
            let list: Vec<Value> = (0..length)
                .map(
                    |number| json!({"n": number, "\n  \"list\": [": ["\n  \"list\": []"], "e": []}),
                )
                .collect();
            let (mut whole, mut parts) = (Vec::new(), Vec::new());
            let object =
                |list: &[Value]| json!({"a": {"list": []}, "list": list, "z": "\n  \"list\": []"});
            pretty(&object(&list), &mut whole).unwrap();
            let list: Vec<&Value> = list.iter().collect();
            pretty_with(&object(&[]), "list", &list, |own| own, &mut parts).unwrap();
            assert_eq!(
                String::from_utf8(parts),
                String::from_utf8(whole),
                "{length}"
            );
        }
        let no_place = pretty_with(&json!({"a": 1}), "list", &[1], |own| own, &mut Vec::new());
        assert_eq!(no_place.unwrap_err().to_string(), "no list of list");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = json!({
            "a\u{202e}": "</script>\u{1b}[0m\u{9b}31m \u{2028}日本語\u{1f600}",
            "b": ["##[error]x", "#", "##", "\u{e0041}"],
            "c": {"d": null, "e": 1.5, "f": {}, "g": []}
        });
        for over_lines in [true, false] {
            let mut out = Vec::new();
            let done = if over_lines {
                pretty(&value, &mut out)
            } else {
                compact(&value, &mut out)
            };
            done.expect("a vector takes all");
            let text = String::from_utf8(out).expect("UTF-8");
            assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
            assert!(!text.contains("##[") && !text.contains('<'), "{text}");
            assert!(text.contains("日本語"));
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
        }
    }
}
