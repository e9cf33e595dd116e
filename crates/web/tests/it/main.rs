//! The HTTP habits as a caller meets them.

mod input;
mod problem;
