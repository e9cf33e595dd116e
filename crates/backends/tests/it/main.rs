//! Contract suites: the same stories on every engine.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may")]

mod db;
mod jobs;
