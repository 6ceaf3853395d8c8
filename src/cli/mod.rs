//! The command line: what was typed becomes what was meant, rooms are wired, errors become text.

pub mod args;
mod blame;
mod code;
pub mod completions;
pub mod config;
mod coverage;
mod demo;
mod error;
pub mod ignore;
mod inputs;
mod interrupt;
mod job;
mod memory;
mod output;
pub mod progress;
mod scan;
mod store;
pub mod terminal;
pub mod values;
mod verdict;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
pub use error::Error;

/// Parses the command line, does what it says, and tells the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no failure of ours.
            let _ = error.print();
            return ExitCode::from(args::exit_code(&error));
        }
    };
    match run(&cli) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}

fn run(cli: &Cli) -> Result<ExitCode, Error> {
    match &cli.command {
        Command::Scan(scan) => scan::run(scan, &cli.global),
        Command::Blame(blame) => blame::run(blame, &cli.global),
        Command::Verify(verify) => verify::run(verify, &cli.global),
        Command::Coverage(coverage) => coverage::run(coverage, &cli.global),
        Command::Demo(demo) => demo::run(demo, &cli.global),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            completions::completions(*shell, &mut text).map_err(Error::Stdout)?;
            output::to_stdout(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man => {
            let mut text = Vec::new();
            completions::man(&mut text).map_err(Error::Stdout)?;
            output::to_stdout(&text)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Says something on stderr, beside the report.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
