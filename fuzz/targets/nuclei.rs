//! Any bytes read as nuclei output.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check(importers::Format::Nuclei, bytes));
