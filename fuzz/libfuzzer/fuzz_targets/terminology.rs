//! See `liaison_fuzz::terminology`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::terminology(bytes));
