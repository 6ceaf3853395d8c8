//! `tfdrift coverage`: what of a state can be watched, what the rules cover, what one call changes.

mod json;
mod text;

use std::process::ExitCode;

use super::args::{CoverageArgs, Global};
use super::error::Error;
use super::terminal::Terminal;
use super::{inputs, note, output};
use crate::catalogue::coverage::{Figures, figures};
use crate::catalogue::explain::{self, Explanation};
use crate::drift::coverage::{Resource, Totals, resources, totals};
use crate::s3;
use crate::state::{self, Problem, StateFile};

/// What was asked, answered.
enum Answer {
    States {
        states: Vec<StateFile>,
        problems: Vec<Problem>,
        resources: Vec<Resource>,
        totals: Totals,
    },
    Catalogue(Figures),
    Call(Explanation),
    /// No rule knows the call; what comes close.
    Unknown {
        call: String,
        close: Vec<String>,
    },
}

/// Runs the command. That something is not watched is an answer, no failure: exit code 0, and 3
/// when a state that was asked for could not be read beside others that could.
///
/// # Errors
/// When no state can be read of those asked for, or a file of rules is none.
pub fn run(args: &CoverageArgs, global: &Global) -> Result<ExitCode, Error> {
    let answer = answer(args, global)?;
    let mut out = Vec::new();
    let written = if args.json {
        json::write(&answer, &mut out)
    } else {
        let terminal = Terminal::stdout(global.colour);
        text::write(&answer, &terminal, &mut out)
    };
    written.map_err(Error::Stdout)?;
    output::to_stdout(&out)?;
    let incomplete = matches!(&answer, Answer::States { problems, .. } if !problems.is_empty());
    Ok(ExitCode::from(if incomplete { 3 } else { 0 }))
}

fn answer(args: &CoverageArgs, global: &Global) -> Result<Answer, Error> {
    let catalogue = inputs::catalogue(&args.catalogues)?;
    if let Some((service, event)) = &args.call {
        return Ok(match explain::find(&catalogue, service, event) {
            Ok(explanation) => Answer::Call(explanation),
            Err(close) => Answer::Unknown {
                call: format!("{service}:{event}"),
                close,
            },
        });
    }
    if args.catalogue_only {
        return Ok(Answer::Catalogue(figures(&catalogue)));
    }
    if args.states.is_empty() {
        let found = state::discover(std::path::Path::new("."), &|name| std::env::var(name).ok());
        if found.locations.is_empty() {
            if !global.quiet {
                let problems = found.problems.iter().map(|problem| format!("{problem}\n"));
                let problems: String = problems.collect();
                note(&crate::report::plain(&format!(
                    "{problems}these are the figures of the rules"
                )));
            }
            return Ok(Answer::Catalogue(figures(&catalogue)));
        }
    }
    let s3 = s3::Options {
        path_style: args.path_style.then_some(true),
        ..s3::Options::default()
    };
    let reach = inputs::Reach {
        s3,
        passphrase: inputs::passphrase(args.state_passphrase_env.as_deref())?,
        ..inputs::Reach::default()
    };
    let loaded = inputs::states(&args.states, &reach, &catalogue)?;
    let resources = resources(&catalogue, &loaded.inventory);
    let totals = totals(&resources);
    let states = loaded.inventory.states().to_vec();
    Ok(Answer::States {
        states,
        problems: loaded.problems,
        resources,
        totals,
    })
}
