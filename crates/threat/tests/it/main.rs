//! Stories of a device: readings in, judgements and explanations out.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests read the environment")]

mod deciding;
mod evaluating;
mod handover;
mod hostile;
mod phone;
mod scoring;
