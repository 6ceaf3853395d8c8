//! Ctrl-C: the first one ends the reading, and what was read is still reported; a second one ends
//! the process.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::audit::pipeline::Stop;

/// What shells know as the exit code of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Lets Ctrl-C, and a polite kill, end a reading. Where the system takes no handler, signals end
/// the process as ever.
pub fn ends(stop: &Stop) {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the flag is not up yet when the first signal looks at it.
        let taken = flag::register_conditional_shutdown(signal, INTERRUPTED, stop.flag());
        let _ = taken.and_then(|_| flag::register(signal, stop.flag()));
    }
}
