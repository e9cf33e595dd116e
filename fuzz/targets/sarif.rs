//! Any bytes read as sarif output.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check(importers::Format::Sarif, bytes));
