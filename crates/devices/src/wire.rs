//! The contract with phones as Rust: the messages of `proto/tyrian/v1/device.proto`, and how they meet what this context says itself.

mod enums;
mod readings;
mod said;
mod told;

pub(crate) use readings::decode;
pub(crate) use said::{Said, What};
pub(crate) use told::{Refusal, Told, Word, millis};

/// The generated messages and services.
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated; the contract itself carries the comments")]
pub mod v1 {
    tonic::include_proto!("tyrian.v1");
}

/// The contract as descriptors, for reflection.
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/device.fds"));
