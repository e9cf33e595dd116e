//! Any bytes read as nmap output.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::check(importers::Format::Nmap, bytes));
