//! The one place that turns errors into text for people.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::audit::pipeline;
use crate::audit::source::sqs::NotDeleted;
use crate::catalogue::load::LoadError;
use crate::drift::history::subject::Unknown;
use crate::{audit, checkpoint, state, window};

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The window cannot be made.
    #[error("{0}")]
    Window(#[from] window::Error),
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(#[from] super::config::Error),
    /// A trail location cannot be understood.
    #[error("--trail: {0}")]
    Trail(#[from] audit::source::TrailError),
    /// No trail was given.
    #[error("no log archive is given: add --trail s3://BUCKET, or a folder, file or - for stdin")]
    NoTrail,
    /// No state could be read.
    #[error("no Terraform state could be read")]
    NoState(Vec<state::Problem>),
    /// The log files cannot be read at all.
    #[error("{0}")]
    Read(#[from] pipeline::Error),
    /// The checkpoint cannot be used.
    #[error("--checkpoint: {0}")]
    Checkpoint(#[from] checkpoint::store::Error),
    /// A queue keeps what was read of it.
    #[error("{0}")]
    Queue(#[from] NotDeleted),
    /// A catalogue file cannot be used.
    #[error("--catalogue: {0}")]
    Catalogue(#[from] LoadError),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A report cannot be written.
    #[error("could not write the report to {place}: {source}")]
    Output {
        /// Where it was to go.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Standard output does not take text.
    #[error("could not write to stdout: {0}")]
    Stdout(io::Error),
    /// Nobody can tell what a history is asked of.
    #[error("{0}")]
    Subject(#[from] Unknown),
    /// What was typed does not fit together.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Says it on stderr; the exit code of a command that failed.
    #[must_use]
    pub fn report(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        let mut text = format!("tfdrift: {self}");
        if let Self::NoState(problems) = self {
            for problem in problems {
                let _ = write!(text, "\n  {problem}");
            }
            if problems.is_empty() {
                text.push_str(
                    "\n  give one with --state FILE, FOLDER, GLOB or s3://BUCKET/KEY, or run in a folder whose \
                     backend `terraform init` has set up",
                );
            }
        }
        super::note(&crate::report::plain(&text));
        ExitCode::FAILURE
    }

    fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Stdout(error) => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }
}
