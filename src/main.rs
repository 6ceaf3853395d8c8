//! Parse, run, exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// What calls and drifts are made of comes and goes in small pieces, on many threads.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // A scan touches little of much memory: in pages of 2 MiB, it took half as much again, and
    // longer to be given it. Where the system refuses, pages stay as large as they are.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    tfdrift::cli::main()
}
