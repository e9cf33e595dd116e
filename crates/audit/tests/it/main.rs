//! Stories of the audit log, on both engines.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod change;
mod log;
mod routes;
mod tamper;
mod thing;
