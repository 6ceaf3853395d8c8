//! No bytes make the decoder panic, and of JSON it finds what a plain reading finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfdrift_fuzz::{Asked, hold};

fuzz_target!(|bytes: &[u8]| {
    // The length decides what is asked, so that a file is an input as it is.
    hold(bytes, &Asked::numbered((bytes.len() % 8) as u8));
});
