//! Stories of findings, on both engines.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a failed step is a failed test; the server under test is a task")]

mod accepted;
mod beside;
mod carried;
mod correlated;
mod counts;
mod decisions;
mod gone;
mod identity;
mod imports;
mod laws;
mod learned;
mod lifecycle;
mod linked;
mod mapped;
mod meanwhile;
mod notes;
mod options;
mod recorded;
mod risk;
mod routes;
mod rulings;
mod scanned;
mod story;
mod trends;
mod units;
mod varied;
