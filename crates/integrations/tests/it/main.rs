//! Stories of the transmitter on both kinds of engines, with receivers that speak HTTP and check signatures.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "a receiver runs beside the test")]

mod managing;
mod polling;
mod pushing;
mod receiver;
mod stage;
