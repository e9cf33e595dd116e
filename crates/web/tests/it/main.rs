//! The HTTP habits as a caller meets them.

mod idempotency;
mod input;
mod live;
mod problem;
