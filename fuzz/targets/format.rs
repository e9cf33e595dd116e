//! Any bytes read as output of the format that `FUZZ_FORMAT` names.
#![no_main]

use std::sync::LazyLock;

use importers::Format;
use libfuzzer_sys::fuzz_target;

static FORMAT: LazyLock<Format> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_FORMAT").unwrap_or_default();
    match name.parse() {
        Ok(format) => format,
        Err(error) => panic!("FUZZ_FORMAT: {error}"),
    }
});

fuzz_target!(|bytes: &[u8]| fuzz::check(*FORMAT, bytes));
