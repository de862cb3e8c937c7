//! See `liaison_fuzz::primitive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::primitive(bytes));
