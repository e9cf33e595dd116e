//! Stories of scans against real listeners, with the real nmap and sslscan, on both engines.
#![expect(clippy::disallowed_methods, reason = "tests start tasks and look at processes themselves")]

mod interrupting;
mod lab;
mod live;
mod permission;
mod stage;
mod tools;
