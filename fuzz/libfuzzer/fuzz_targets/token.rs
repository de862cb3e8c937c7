//! See `liaison_fuzz::token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::token(bytes));
