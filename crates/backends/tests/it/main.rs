//! Contract suites: the same stories on every engine.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may")]

mod blobs;
mod bus;
mod db;
mod engines;
mod hot;
mod jobs;
mod keys;
mod mail;
mod outbound;
mod search;
