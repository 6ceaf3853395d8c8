//! Writes reports to where they were asked for.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::args::When;
use super::error::Error;
use super::terminal::Terminal;
use super::values::OutputSpec;
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
    fn style(&self, to_stdout: bool) -> Style {
        let terminal = Terminal::stdout(self.colour);
        Style {
            colour: terminal.colour && (to_stdout || self.colour == When::Always),
            width: terminal.width,
            unicode: terminal.unicode,
            show: self.show,
            reveal: self.reveal,
        }
    }
}

/// Writes all reports; one that cannot be written does not keep the others from being written.
///
/// # Errors
/// The first failure, after everything else is written.
pub fn write(outputs: &[OutputSpec], report: &Report, manner: &Manner) -> Result<(), Error> {
    let written = each(outputs, manner, &|format, style, out| {
        report::render(format, report, style, out)
    });
    let for_github = outputs
        .iter()
        .any(|output| output.format == Format::Github.word());
    if for_github {
        return written.and(to_github(report, &manner.style(false)));
    }
    written
}

/// Adds a summary and step outputs to the files that a GitHub Actions step names in its environment
/// (GitHub Actions, *Workflow commands*).
fn to_github(report: &Report, style: &Style) -> Result<(), Error> {
    let texts = [
        (
            "GITHUB_STEP_SUMMARY",
            report::github::summary(report, style),
        ),
        ("GITHUB_OUTPUT", report::github::outputs(report)),
    ];
    for (variable, text) in texts {
        let Some(file) = std::env::var_os(variable).filter(|file| !file.is_empty()) else {
            continue;
        };
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&file)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| Error::Output {
                place: Path::new(&file).display().to_string(),
                source,
            })?;
    }
    Ok(())
}

/// Writes all outputs that `render` makes, as [`write()`] does.
///
/// # Errors
/// The first failure, after everything else is written.
pub fn each(outputs: &[OutputSpec], manner: &Manner, render: &Render<'_>) -> Result<(), Error> {
    let mut first = Ok(());
    for output in outputs {
        let done = one(output, manner, render);
        first = first.and(done);
    }
    first
}

/// Renders something in a format.
type Render<'a> = dyn Fn(Format, &Style, &mut dyn io::Write) -> io::Result<()> + 'a;

fn one(output: &OutputSpec, manner: &Manner, render: &Render<'_>) -> Result<(), Error> {
    let format: Format = output
        .format
        .parse()
        .map_err(|error| Error::Usage(format!("-o: {error}")))?;
    let style = manner.style(output.file.is_none());
    put(output.file.as_deref(), |out| render(format, &style, out))
}

/// Writes to a file, whole or not at all, or to stdout.
///
/// # Errors
/// When it is not taken; of stdout, a closed pipe among the reasons.
pub fn put(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<(), Error> {
    let Some(file) = file else {
        let mut out = io::stdout().lock();
        let written = write(&mut out).and_then(|()| out.flush());
        return written.map_err(Error::Stdout);
    };
    replace(file, write).map_err(|source| Error::Output {
        place: file.display().to_string(),
        source,
    })
}

/// Writes text to stdout.
///
/// # Errors
/// When stdout does not take it, a closed pipe among the reasons.
pub fn to_stdout(text: &[u8]) -> Result<(), Error> {
    put(None, |out| out.write_all(text))
}

/// Writes a file whole or not at all, where the folder allows it.
fn replace(
    file: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    // A pipe or a device is written to, never replaced.
    if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return write(&mut fs::File::create(file)?);
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    fs::File::create(&beside)
        .and_then(|mut out| write(&mut out))
        .and_then(|()| fs::rename(&beside, file))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}
