//! Writes `src/catalogue/aws/generated/` from `catalogue/inputs/`.
//!
//! `cargo run --example generate-catalogue` writes the files; with `-- --review` it prints what a person should look at.

mod generator;

use std::path::Path;
use std::process::ExitCode;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command of the workshop"
)]
fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inputs = match generator::inputs::Inputs::read(&root.join("catalogue/inputs")) {
        Ok(inputs) => inputs,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let generated = generator::generate(&inputs);
    if std::env::args().any(|argument| argument == "--review") {
        for review in &generated.reviews {
            println!(
                "{}\t{}\t{}\t{}",
                review.why, review.call, review.attribute, review.member
            );
        }
        for (resource_type, call, why) in &generated.left_out {
            println!("left out: {why}\t{call} {resource_type}");
        }
        return ExitCode::SUCCESS;
    }
    let folder = root.join("src/catalogue/aws/generated");
    match write(&folder, &generated) {
        Ok(bytes) => {
            println!("{} files, {bytes} bytes", generated.files.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, generated: &generator::Generated) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let stale = entry.path().extension().is_some_and(|end| end == "toml")
            && !entry
                .file_name()
                .to_str()
                .is_some_and(|name| generated.files.contains_key(name));
        if stale {
            std::fs::remove_file(entry.path())?;
        }
    }
    let mut bytes = 0;
    for (name, text) in &generated.files {
        std::fs::write(folder.join(name), text)?;
        bytes += text.len();
    }
    Ok(bytes)
}
