//! Stories of a device: readings in, judgements and explanations out.
#![cfg(test)]

mod deciding;
mod handover;
mod hostile;
mod phone;
mod scoring;
