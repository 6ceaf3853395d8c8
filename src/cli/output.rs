//! Writes reports to where they were asked for.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::{OutputSpec, When};
use super::error::Error;
use crate::drift::model::Report;
use crate::report::{self, Format, Show, Style};

/// How terminals and files are to be written to.
#[derive(Debug, Clone)]
pub struct Manner {
    /// When to use colour.
    pub colour: When,
    /// What else to list.
    pub show: Show,
    /// Whether secret values are printed.
    pub reveal: bool,
}

impl Manner {
    fn style(&self, to_terminal: bool) -> Style {
        let colour = match self.colour {
            When::Always => true,
            When::Never => false,
            When::Auto => to_terminal && allows_colour(),
        };
        Style { colour, width: width(to_terminal), unicode: unicode(), show: self.show, reveal: self.reveal }
    }
}

/// Writes all reports; one that cannot be written does not keep the others from being written.
///
/// # Errors
/// The first failure, after everything else is written.
pub fn write(outputs: &[OutputSpec], report: &Report, manner: &Manner) -> Result<(), Error> {
    let mut first = Ok(());
    for output in outputs {
        let done = one(output, report, manner);
        first = first.and(done);
    }
    first
}

fn one(output: &OutputSpec, report: &Report, manner: &Manner) -> Result<(), Error> {
    let format: Format = output.format.parse().map_err(|error| Error::Usage(format!("-o: {error}")))?;
    let to_terminal = output.file.is_none() && io::stdout().is_terminal();
    let mut text = Vec::new();
    let rendered = report::render(format, report, &manner.style(to_terminal), &mut text);
    match &output.file {
        None => {
            rendered.map_err(Error::Stdout)?;
            to_stdout(&text)
        }
        Some(file) => rendered
            .and_then(|()| replace(file, &text))
            .map_err(|source| Error::Output { place: file.display().to_string(), source }),
    }
}

/// Writes text to stdout.
///
/// # Errors
/// When stdout does not take it, a closed pipe among the reasons.
pub fn to_stdout(text: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text).and_then(|()| out.flush()).map_err(Error::Stdout)
}

/// Writes a file whole or not at all, where the folder allows it.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    // A pipe or a device is written to, never replaced.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(file, text);
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, file)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

fn allows_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && !set("CI") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns to fit: the terminal's, `COLUMNS`, else a width that suits log viewers.
fn width(to_terminal: bool) -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = if to_terminal { terminal_width() } else { None };
    asked.or(terminal).unwrap_or(120).clamp(40, 400)
}

fn terminal_width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from)
}

/// Whether text beyond ASCII is welcome.
fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf") || !(locale == "c" || locale == "posix")
    })
}
