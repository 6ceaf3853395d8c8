//! Parse, run, exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// What calls and drifts are made of comes and goes in small pieces, on many threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tfdrift::cli::main()
}
