//! No deflate stream makes the decoder panic, and of a sound one it inflates what zlib does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tfdrift_fuzz::inflate;

fuzz_target!(|bytes: &[u8]| inflate(bytes));
