//! Questions through the endpoint, on both engines.
#![cfg(test)]

mod limits;
mod questions;
mod socket;
mod story;
