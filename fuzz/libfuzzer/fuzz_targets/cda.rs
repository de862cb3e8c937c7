//! See `liaison_fuzz::cda`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::cda(bytes));
