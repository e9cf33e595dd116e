//! Stories of targets and authorisations, on both engines.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod authorizing;
mod exchange;
mod recording;
mod routes;
