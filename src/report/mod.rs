//! Renders what a scan found: one file per format, all of them leaves. Reports know
//! [`crate::drift::model`] and nothing else, read no environment and open no file.
//!
//! Every format shows the same drifts, the most severe first, says the window in UTC, and says
//! what the verdict rests on and whether that was complete. All text that came out of a log or a
//! state is hostile: each format escapes what would act in its medium.

mod align;
pub mod blame;
mod console;
mod diff;
mod falco;
pub mod github;
mod gitlab;
mod html;
mod json;
mod jsonl;
mod junit;
mod lines;
mod markdown;
pub(crate) mod paint;
mod remedy;
mod safe_json;
mod sarif;
mod sections;
mod side_by_side;
mod table;
pub(crate) mod text;
mod value;
mod words;
mod xml;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write as _};
use std::str::FromStr;

use crate::drift::model::Report;

/// The formats a report can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One line per drift, fitted to the width.
    Table,
    /// A framed block per drift with the full story.
    Console,
    /// A unified diff per resource.
    Diff,
    /// Both sides of each resource beside each other.
    SideBySide,
    /// Markdown for pull requests and Slack.
    Markdown,
    /// One JSON object, for programs.
    Json,
    /// One JSON object per line.
    Jsonl,
    /// SARIF 2.1.0, for GitHub code scanning.
    Sarif,
    /// JUnit XML.
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's Code Quality report.
    Gitlab,
    /// One self-contained page.
    Html,
    /// Alerts as Falco emits them.
    Falco,
    /// Terraform code that puts drift right.
    Remedy,
}

impl Format {
    /// Every format, in the order the help lists them.
    pub const ALL: [Self; 14] = [
        Self::Table,
        Self::Console,
        Self::Diff,
        Self::SideBySide,
        Self::Markdown,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Junit,
        Self::Github,
        Self::Gitlab,
        Self::Html,
        Self::Falco,
        Self::Remedy,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Console => "console",
            Self::Diff => "diff",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::SideBySide => "side-by-side",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Html => "html",
            Self::Falco => "falco",
            Self::Remedy => "remedy",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is no report format; the formats are {}", Format::ALL.map(Format::word).join(", "))]
pub struct UnknownFormat {
    /// What was asked for.
    pub word: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| UnknownFormat {
                word: word.to_owned(),
            })
    }
}

/// Lines of text for a terminal, with what would act in one made visible.
#[must_use]
pub fn plain(lines: &str) -> String {
    lines
        .lines()
        .map(text::visible)
        .collect::<Vec<_>>()
        .join("\n")
}

/// How a report is to look.
#[derive(Debug, Clone)]
pub struct Style {
    /// Whether to colour `table`, `console`, `diff` and `side-by-side`.
    pub colour: bool,
    /// Columns that a line may take in the formats for terminals.
    pub width: usize,
    /// Whether the terminal shows icons, arrows and heavy rules; else plain ASCII is drawn.
    pub unicode: bool,
    /// What else to list beside open drifts.
    pub show: Show,
    /// Whether to print the values of sensitive attributes.
    pub reveal: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 80,
            unicode: true,
            show: Show::default(),
            reveal: false,
        }
    }
}

/// What a report lists beside open drifts. Everything is off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "four independent switches of one flag"
)]
pub struct Show {
    /// Drifts that were put back within the window.
    pub resolved: bool,
    /// Drifts that a rule of the user's hides.
    pub suppressed: bool,
    /// Changes made by Terraform alone, in a section of their own.
    pub iac: bool,
    /// Calls on managed resources that AWS refused.
    pub failed: bool,
}

impl Show {
    /// Everything there is.
    pub const ALL: Self = Self {
        resolved: true,
        suppressed: true,
        iac: true,
        failed: true,
    };
}

/// Writes a report in one format.
///
/// # Errors
///
/// Whatever `out` refuses; rendering itself cannot fail.
pub fn render(
    format: Format,
    report: &Report,
    style: &Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut buffered = io::BufWriter::with_capacity(64 << 10, out);
    let out: &mut dyn io::Write = &mut buffered;
    match format {
        Format::Table => table::write(report, style, out),
        Format::Console => console::write(report, style, out),
        Format::Diff => diff::write(report, style, out),
        Format::Markdown => markdown::write(report, style, out),
        Format::SideBySide => side_by_side::write(report, style, out),
        Format::Json => json::write(report, style, out),
        Format::Jsonl => jsonl::write(report, style, out),
        Format::Sarif => sarif::write(report, style, out),
        Format::Junit => junit::write(report, style, out),
        Format::Github => github::write(report, style, out),
        Format::Gitlab => gitlab::write(report, style, out),
        Format::Html => html::write(report, style, out),
        Format::Falco => falco::write(report, style, out),
        Format::Remedy => remedy::write(report, style, out),
    }?;
    buffered.flush()
}
