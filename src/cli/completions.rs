//! Completions and the manual page, made of the same definition as the parser.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Cli;

/// The shells that completions are made for.
pub const SHELLS: [Shell; 5] = [
    Shell::Bash,
    Shell::Zsh,
    Shell::Fish,
    Shell::PowerShell,
    Shell::Elvish,
];

/// Writes the completions of a shell.
///
/// # Errors
///
/// If they cannot be written.
pub fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    // The generator panics on a writer that fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tfdrift", &mut script);
    out.write_all(&script)
}

/// The file that a shell looks for completions of `tfdrift` in.
#[must_use]
pub fn file_name(shell: Shell) -> String {
    use clap_complete::Generator as _;
    shell.file_name("tfdrift")
}

/// Writes the manual page: one page, a section for each command.
///
/// # Errors
///
/// If it cannot be written.
pub fn man(out: &mut impl Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    for sub in command.get_subcommands() {
        section(sub, out)?;
    }
    page.render_extra_section(out)?;
    page.render_version_section(out)
}

fn section(command: &Command, out: &mut impl Write) -> io::Result<()> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    page.render_extra_section(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    // What is a section of a page of its own is a part of one here.
    writeln!(out, ".SH \"TFDRIFT {}\"", command.get_name().to_uppercase())?;
    for line in text.lines() {
        match line.strip_prefix(".SH ") {
            Some(heading) => writeln!(out, ".SS {heading}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_a_section_for_each_command() {
        let mut page = Vec::new();
        man(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for heading in [
            ".SH NAME",
            ".SH \"TFDRIFT SCAN\"",
            ".SH \"TFDRIFT COMPLETIONS\"",
            ".SS OPTIONS",
        ] {
            assert!(page.contains(heading), "{heading}");
        }
        assert!(page.contains("iac\\-principal"));
    }

    #[test]
    fn a_closed_pipe_is_an_error_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for shell in SHELLS {
            let refused = completions(shell, &mut Closed).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
        }
        assert!(man(&mut Closed).is_err());
    }
}
