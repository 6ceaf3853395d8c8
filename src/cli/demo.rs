//! `tfdrift demo`: three scenarios on embedded data, through the code that `scan` runs.

use std::process::ExitCode;

use super::args::{DemoArgs, Global, ScanArgs};
use super::code::Code;
use super::config::Config;
use super::error::Error;
use super::job::{Job, shown};
use super::output::{self, Manner};
use super::values::{OutputSpec, check_outputs};
use crate::audit::decode::{Decoder, Tally};
use crate::audit::pipeline;
use crate::catalogue::Catalogue;
use crate::drift::names::AwsNaming;
use crate::state;
use crate::window::{Bound, Window};

const STATE: &[u8] = include_bytes!("../../testdata/demo/terraform.tfstate");
const TRAIL: &[u8] = include_bytes!("../../testdata/demo/trail.json");

/// Runs the command. What it finds is expected: exit code 0.
///
/// # Errors
/// When a report cannot be written.
pub fn run(args: &DemoArgs, global: &Global) -> Result<ExitCode, Error> {
    let outputs = match args.outputs.as_slice() {
        [] => vec![OutputSpec {
            format: "console",
            file: None,
        }],
        outputs => outputs.to_vec(),
    };
    check_outputs(&outputs).map_err(Error::Usage)?;
    let bound = |text: &str| text.parse::<Bound>();
    let now = jiff::Timestamp::now();
    let window = Window::resolve(
        &bound("2026-01-15T10:00:00Z")?,
        &bound("2026-01-15T11:00:00Z")?,
        now,
    )?;
    let catalogue = Catalogue::builtin();
    let loaded = state::load_text("terraform.tfstate", STATE, &AwsNaming::new(&catalogue));
    let scan = ScanArgs::default();
    let config = Config::default();
    let crew = pipeline::crew(&pipeline::Options::default())?;
    let job = Job {
        crew: &crew,
        code: &Code::default(),
        args: &scan,
        config: &config,
        window,
        catalogue: &catalogue,
        loaded: &loaded,
        memory: None,
    };
    let report = job.run(|filter, sink| {
        let mut tally = Tally::default();
        Decoder::new().file("trail.json", TRAIL, filter, &mut tally, &mut |call| {
            sink(call);
        });
        Ok::<_, Error>(tally)
    })?;
    let manner = Manner {
        colour: global.colour,
        show: shown(&[]),
        reveal: false,
    };
    output::write(&outputs, &report, &manner)?;
    Ok(ExitCode::SUCCESS)
}
