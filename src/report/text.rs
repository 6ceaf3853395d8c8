//! Text for terminals: makes hostile characters visible, measures columns, cuts and wraps.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character acts on what displays it instead of being displayed: controls, bidirectional
/// overrides, invisible joiners and marks, line separators, tag characters.
pub fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Commands that CI systems obey wherever they stand in a line of output.
const LOG_COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// One line of text that is safe to print: what acts is written out, as `\n` or `\u{1b}`, and
/// commands to CI systems are broken.
pub fn visible(text: &str) -> Cow<'_, str> {
    let commands = text.contains("##") || starts_command(text);
    if !commands && !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if acts(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    if commands {
        for command in LOG_COMMANDS {
            if out.contains(command) {
                out = out.replace(command, &command.replacen("##", "#\\u{23}", 1));
            }
        }
        out = guarded(out);
    }
    Cow::Owned(out)
}

/// Whether a line is a command to GitHub, which obeys `::command::` at its start, after any blanks.
/// IPv6 addresses such as `::1` and `::/0` are none.
fn starts_command(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("::");
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A line that may begin in the middle of a text, broken if it has become a command to GitHub.
pub fn guarded(mut line: String) -> String {
    if starts_command(&line) {
        let start = line.len() - line.trim_start().len();
        line.replace_range(start..=start, "\\u{3a}");
    }
    line
}

/// Whether an address can stand in a link as it is.
pub fn is_link(url: &str) -> bool {
    url.starts_with("https://")
        && url
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'*+,;=%".contains(&byte))
}

/// Columns that a text takes in a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// What is left out when a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The end: the beginning tells most.
    End,
    /// The start: the end tells most, as in an address or a path.
    Start,
}

/// Cuts a text to at most `max` columns; the cut is marked by `mark`.
pub fn fit(text: &str, max: usize, cut: Cut, mark: &str) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let room = max.saturating_sub(width(mark));
    if room == 0 {
        return mark.chars().take(max).collect();
    }
    match cut {
        Cut::End => format!(
            "{}{mark}",
            take(text.chars(), room).into_iter().collect::<String>()
        ),
        Cut::Start => {
            let kept = take(text.chars().rev(), room);
            format!("{mark}{}", kept.into_iter().rev().collect::<String>())
        }
    }
}

/// The first characters of an iterator that fit into `room` columns. An emoji selector counts as
/// one column, because it can widen what stands before it.
fn take(characters: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    characters
        .take_while(|&character| {
            let columns = if character == '\u{fe0f}' {
                1
            } else {
                character.width().unwrap_or(1)
            };
            used += columns;
            used <= room
        })
        .collect()
}

/// Pads a text with blanks to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// Breaks a text into lines of at most `columns`, at blanks where it can.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let columns_of_word = width(word.trim_end());
        if used + columns_of_word > columns && !line.trim().is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        let mut rest = word;
        while width(rest.trim_end()) > columns {
            let head: String = take(rest.chars(), columns).into_iter().collect();
            if head.is_empty() {
                break;
            }
            rest = rest.get(head.len()..).unwrap_or_default();
            lines.push(head);
        }
        line.push_str(rest);
        used += width(rest);
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines.into_iter().map(guarded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_becomes_visible_and_all_else_stays() {
        let cases = [
            ("plain", "plain"),
            ("日本語 → ok", "日本語 → ok"),
            ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("  ::error::x", "  \\u{3a}:error::x"),
            ("ipv6 ::/0", "ipv6 ::/0"),
            ("::/0", "::/0"),
            ("x ##[group]y", "x #\\u{23}[group]y"),
            ("## heading", "## heading"),
            ("##vso[task.setvariable]", "#\\u{23}vso[task.setvariable]"),
        ];
        for (input, expected) in cases {
            assert_eq!(visible(input), expected, "{input:?}");
        }
    }

    #[test]
    fn a_cut_text_never_exceeds_its_columns() {
        for text in [
            "module.web.aws_instance.app",
            "日本語のとても長い名前",
            "a日b本c語",
            "❤️❤️❤️❤️",
        ] {
            for max in 0..12 {
                for cut in [Cut::End, Cut::Start] {
                    let fitted = fit(text, max, cut, "…");
                    assert!(width(&fitted) <= max, "{fitted:?} at {max}");
                }
            }
        }
        assert_eq!(fit("module.web.app", 8, Cut::Start, "…"), "…web.app");
        assert_eq!(fit("module.web.app", 8, Cut::End, "…"), "module.…");
        assert_eq!(fit("日本語", 5, Cut::End, "…"), "日本…");
    }

    #[test]
    fn wrapped_lines_keep_within_their_columns_and_lose_nothing_but_blanks() {
        let text = "a few words and averyveryverylongwordwithoutanyblank 日本語日本語日本語 end";
        for columns in 2..40 {
            let lines = wrap(text, columns);
            assert!(
                lines.iter().all(|line| width(line) <= columns),
                "{lines:?} at {columns}"
            );
            let joined: String = lines.concat().split(' ').collect();
            assert_eq!(joined, text.replace(' ', ""), "at {columns}");
        }
    }
}
