//! Any bytes verified as an export of the audit log: a report or an error, never a panic, and only
//! what is empty or whole is called intact.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(report) = audit::verify::export(bytes, audit::verify::Trust::default()) {
        assert_eq!(report.is_intact(), report.problems.is_empty());
    }
});
