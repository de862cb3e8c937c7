//! See `liaison_fuzz::cahier2017`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::cahier2017(bytes));
