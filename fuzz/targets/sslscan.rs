//! Any bytes read as sslscan output.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check(importers::Format::Sslscan, bytes));
