//! See `liaison_fuzz::resource`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| liaison_fuzz::resource(bytes));
