//! Questions through the endpoint, on both engines.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests serve on a socket of their own")]

mod limits;
mod questions;
mod socket;
mod story;
