//! `tfdrift verify`: are the log files of a window complete and untouched?

mod json;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use jiff::Timestamp;

use super::args::{Global, ScanArgs, VerifyArgs};
use super::error::Error;
use super::terminal::Terminal;
use super::values::{OutputSpec, check_outputs};
use super::{inputs, interrupt, note, output};
use crate::audit::cloudtrail::digest::finding::{Finding, Grade, Kind};
use crate::audit::cloudtrail::digest::keys::PublicKeys;
use crate::audit::cloudtrail::span::DEFAULT_LAG;
use crate::audit::decode::Problem;
use crate::audit::pipeline::Stop;
use crate::audit::source::TrailLocation;
use crate::audit::verify::keys::{CloudTrail, KeySource, NoSource};
use crate::audit::verify::{Ask, Proof, Source, Witness, verify};
use crate::s3;
use crate::window::{Bound, Window};

/// The formats that this command writes.
const FORMATS: [&str; 2] = ["console", "json"];

/// Runs the command.
///
/// # Errors
/// When the command line does not fit together, or a place or file cannot be used at all.
pub fn run(args: &VerifyArgs, global: &Global) -> Result<ExitCode, Error> {
    let now = Timestamp::now();
    let outputs = outputs(args)?;
    let window = Window::resolve(
        args.since.as_ref().unwrap_or(&Bound::Now),
        args.until.as_ref().unwrap_or(&Bound::Now),
        now,
    )?;
    let (s3, _) = inputs::aws(&args.reach, &args.accounts)?;
    let limit = args.time_limit;
    let stop = limit.map_or_else(Stop::default, |limit| Stop::after(limit, Instant::now()));
    interrupt::ends(&stop);
    let sources = args.trails.iter().map(|text| {
        let location: TrailLocation = text.parse()?;
        Source::new(&location, &s3, &stop).map_err(|problem| {
            let remedy = problem.remedy.unwrap_or_default();
            Error::Usage(format!(
                "--trail {}: {}; {remedy}",
                problem.location, problem.problem
            ))
        })
    });
    let sources = sources.collect::<Result<Vec<_>, Error>>()?;
    if !global.quiet {
        note(&format!("window {window}"));
    }
    let proof = prove(
        &sources,
        window,
        now,
        (&args.accounts, &args.regions),
        &args.public_keys,
        (&s3, &stop),
        None,
    )?;
    let terminal = Terminal::stdout(global.colour);
    for spec in &outputs {
        let mut out = Vec::new();
        let colour = terminal.colour && spec.file.is_none();
        let written = match spec.format {
            "json" => json::write(&proof, &window, &mut out),
            _ => text::write(&proof, &window, colour, &mut out),
        };
        output::put(spec.file.as_deref(), |to| {
            written.and_then(|()| to.write_all(&out))
        })?;
    }
    Ok(ExitCode::from(exit_code(&proof)))
}

fn outputs(args: &VerifyArgs) -> Result<Vec<OutputSpec>, Error> {
    if let Some(other) = args
        .outputs
        .iter()
        .find(|output| !FORMATS.contains(&output.format))
    {
        return Err(Error::Usage(format!(
            "-o {}: `tfdrift verify` writes {}",
            other.format,
            FORMATS.join(" and ")
        )));
    }
    check_outputs(&args.outputs).map_err(Error::Usage)?;
    Ok(match args.outputs.as_slice() {
        [] => vec![OutputSpec {
            format: "console",
            file: None,
        }],
        outputs => outputs.to_vec(),
    })
}

/// Proves what it can of a window, with the keys of files or, where none is given, CloudTrail's.
///
/// # Errors
/// When a file of keys is none.
pub fn prove(
    sources: &[Source],
    window: Window,
    now: Timestamp,
    (accounts, regions): (&[String], &[String]),
    files: &[PathBuf],
    (s3, stop): (&s3::Options, &Stop),
    read: Option<&Witness>,
) -> Result<Proof, Error> {
    let mut keys = PublicKeys::default();
    for path in files {
        let text = std::fs::read(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        let more = PublicKeys::from_json(&text).map_err(|problem| {
            Error::Usage(format!("--public-keys {}: {problem}", path.display()))
        })?;
        keys.extend(more);
    }
    let source: Box<dyn KeySource> = if files.is_empty() {
        Box::new(CloudTrail::new(s3, stop).map_err(crate::audit::pipeline::Error::Threads)?)
    } else {
        Box::new(NoSource)
    };
    let ask = Ask {
        window,
        lag: DEFAULT_LAG,
        now,
        accounts: accounts.to_vec(),
        regions: regions.to_vec(),
        keys,
        source: &*source,
        read,
    };
    Ok(verify(sources, &ask))
}

/// What keeps the log files of a scan from being proved, as problems of its evidence.
///
/// # Errors
/// When a file of keys is none.
pub fn problems(
    trails: &[TrailLocation],
    args: &ScanArgs,
    (options, stop): (&s3::Options, &Stop),
    window: Window,
    now: Timestamp,
    read: &Witness,
) -> Result<Vec<Problem>, Error> {
    if stop.is_due() {
        return Ok(vec![Problem {
            location: "log files".to_owned(),
            place: None,
            problem: format!("{}: they were not verified", stop.reason()),
            remedy: Some(Kind::NotVerified.remedy().to_owned()),
        }]);
    }
    let mut problems = Vec::new();
    let mut sources = Vec::new();
    for trail in trails {
        match Source::new(trail, options, stop) {
            Ok(source) => sources.push(source),
            Err(problem) => problems.push(Problem {
                problem: format!("not provable: {}", problem.problem),
                ..problem
            }),
        }
    }
    let narrowed = (&*args.filter.place.accounts, &*args.filter.place.regions);
    let files = &args.input.public_keys;
    let reach = (options, stop);
    let proof = prove(&sources, window, now, narrowed, files, reach, Some(read))?;
    let found = proof.findings.into_iter();
    let grave = found.filter(|found| found.kind.grade() > Grade::Note);
    problems.extend(grave.map(|found| Problem {
        problem: format!("{}: {}", grade(&found), found.problem),
        place: None,
        remedy: Some(found.kind.remedy().to_owned()),
        location: found.location,
    }));
    Ok(problems)
}

/// The exit code that a proof comes to.
fn exit_code(proof: &Proof) -> u8 {
    match proof.grade() {
        Some(Grade::Tampered) => 2,
        Some(Grade::Unproven) => 3,
        Some(Grade::Note) | None => 0,
    }
}

/// The word for what a proof comes to.
fn verdict(proof: &Proof) -> &'static str {
    match proof.grade() {
        Some(Grade::Tampered) => "tampered",
        Some(Grade::Unproven) => "not-provable",
        Some(Grade::Note) | None => "intact",
    }
}

/// The word for how much a finding weighs.
fn grade(finding: &Finding) -> &'static str {
    match finding.kind.grade() {
        Grade::Tampered => "tampered",
        Grade::Unproven => "unproven",
        Grade::Note => "note",
    }
}
