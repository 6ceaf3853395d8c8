//! The small piece of Terraform's expression syntax that addresses and attribute paths share:
//! identifiers, `[3]` and `["quoted"]`.

use std::fmt::{self, Write};

/// A text that is not in the syntax expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {problem}")]
pub struct SyntaxError {
    /// Where in the text, in bytes from its start.
    pub at: usize,
    /// What is wrong there.
    pub problem: &'static str,
}

/// What stands between brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bracket {
    /// `[3]`
    Number(u64),
    /// `["three"]`
    Text(String),
}

/// Whether a name can be written after a dot, without brackets and quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(is_identifier_character)
}

fn is_identifier_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

/// Writes a text between quotes, as Terraform does in addresses.
pub(crate) fn write_quoted(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            // `${` and `%{` would begin a template: the sign is doubled.
            '$' | '%' if rest.as_str().starts_with('{') => {
                out.write_char(character)?;
                out.write_char(character)?;
            }
            _ if is_printable(character) => out.write_char(character)?,
            _ if u32::from(character) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(character))?,
            _ => write!(out, "\\U{:08x}", u32::from(character))?,
        }
    }
    out.write_char('"')
}

/// Control, format and private characters and unusual spaces are written as escapes.
fn is_printable(character: char) -> bool {
    let hidden = matches!(u32::from(character),
        0xAD | 0x600..=0x605 | 0x61C | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF | 0xFFF0..=0xFFFB | 0xE_0000..=0x10_FFFF);
    character == ' ' || !(hidden || character.is_control() || character.is_whitespace())
}

/// Reads a text from left to right.
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What has not been read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(crate) fn error(&self, problem: &'static str) -> SyntaxError {
        SyntaxError {
            at: self.at,
            problem,
        }
    }

    /// Steps over `prefix` if it stands here.
    pub(crate) fn take(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    /// A name up to the next character that cannot be part of one.
    pub(crate) fn name(&mut self) -> Result<&'a str, SyntaxError> {
        let rest = self.rest();
        let end = rest
            .find(|character| !is_identifier_character(character))
            .unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() {
            return Err(self.error("a name is expected here"));
        }
        self.at += end;
        Ok(name)
    }

    /// `[3]` or `["three"]`, if a bracket stands here.
    pub(crate) fn bracket(&mut self) -> Result<Option<Bracket>, SyntaxError> {
        if !self.take("[") {
            return Ok(None);
        }
        let inner = if self.take("\"") {
            Bracket::Text(self.quoted()?)
        } else {
            let rest = self.rest();
            let end = rest
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(rest.len());
            let number = rest.get(..end).and_then(|digits| digits.parse().ok());
            let number = number.ok_or_else(|| self.error("an index is expected here"))?;
            self.at += end;
            Bracket::Number(number)
        };
        if self.take("]") {
            Ok(Some(inner))
        } else {
            Err(self.error("`]` is expected here"))
        }
    }

    fn quoted(&mut self) -> Result<String, SyntaxError> {
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let Some(character) = rest.chars().next() else {
                return Err(self.error("the closing quote is missing"));
            };
            self.at += character.len_utf8();
            match character {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                '$' | '%' => {
                    let doubled = rest
                        .get(1..)
                        .and_then(|after| after.strip_prefix(character))
                        .is_some_and(|after| after.starts_with('{'));
                    if doubled {
                        self.at += 1;
                    }
                    out.push(character);
                }
                _ => out.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let unknown = self.error("unknown escape");
        let character = self.rest().chars().next().ok_or(unknown.clone())?;
        self.at += character.len_utf8();
        let digits = match character {
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            '"' | '\\' => return Ok(character),
            'u' => 4,
            'U' => 8,
            _ => return Err(unknown),
        };
        let code = self
            .rest()
            .get(..digits)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(text, 16).ok())
            .and_then(char::from_u32)
            .ok_or(unknown)?;
        self.at += digits;
        Ok(code)
    }
}
