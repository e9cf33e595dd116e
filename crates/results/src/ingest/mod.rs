//! From what tools said to what we believe: one run is taken in whole, in one change, or not at all.

mod apply;
mod batch;
mod coverage;
mod matching;
mod preview;
mod rows;
mod settle;
mod write;

pub(crate) use apply::{Origin, apply};
pub(crate) use batch::{Batch, Gather};
pub(crate) use coverage::concerns;
pub(crate) use matching::Key;
pub use preview::{Preview, preview};
pub(crate) use preview::{gather, guess};
pub(crate) use rows::{FindingRow, KnownFinding};
pub(crate) use settle::settle;
