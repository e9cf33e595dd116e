//! Stories of a device: readings in, judgements and explanations out.
#![cfg(test)]

mod hostile;
mod phone;
mod scoring;
