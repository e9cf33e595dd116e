//! End to end: the real binary, real servers, the public API.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests start processes and read the environment")]

mod attest;
mod breaker;
mod contract;
mod cut_import;
mod decide;
mod full_disk;
mod kill;
mod limits;
mod local;
mod outage;
mod server;
mod simulate;
mod simulate_lines;
mod split;
mod story;
mod threat;
mod wrong_use;
