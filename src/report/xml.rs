//! Text in XML 1.0.

use std::borrow::Cow;

use super::text::acts;

/// Text for an attribute or an element of XML 1.0. What XML cannot hold or what acts on a reader is
/// written out visibly; line breaks stay where `lines` says so.
pub fn escape(text: &str, lines: bool) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '<' | '>' | '&' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    if !text.chars().any(|c| special(c) || acts(c)) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut after_hash = false;
    for character in text.chars() {
        // A log that this is printed to may obey `##[command]`.
        let second_hash = character == '#' && after_hash;
        after_hash = character == '#';
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '#' if second_hash => out.push_str("&#35;"),
            '\n' if lines => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if acts(character) || special(character) => out.extend(character.escape_unicode()),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_up_and_controls_do_not_survive() {
        let cases = [
            ("plain 日本語", false, "plain 日本語"),
            (
                "<a href=\"x\">&'</a>",
                false,
                "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;",
            ),
            ("a\nb", false, "a\\nb"),
            ("a\nb", true, "a\nb"),
            (
                "]]>\u{0}\u{1b}\u{202e}\u{ffff}",
                true,
                "]]&gt;\\u{0}\\u{1b}\\u{202e}\\u{ffff}",
            ),
            ("##[x]", true, "#&#35;[x]"),
        ];
        for (text, lines, expected) in cases {
            assert_eq!(escape(text, lines), expected, "{text:?}");
        }
    }
}
