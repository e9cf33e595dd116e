//! Stories of scans against real listeners, with the real nmap and sslscan, on both engines.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests start tasks and processes themselves, and a failed step is a failed test"
)]

mod interrupting;
mod lab;
mod live;
mod permission;
mod stage;
mod tools;
