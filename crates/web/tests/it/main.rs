//! The HTTP habits as a caller meets them.
#![expect(clippy::unwrap_used, reason = "functions beside the tests may fail them too")]

mod idempotency;
mod input;
mod live;
mod problem;
