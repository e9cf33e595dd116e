//! From what tools said to what we believe: one run is taken in whole, in one change, or not at all.

mod apply;
mod batch;
mod carried;
mod cluster;
mod coverage;
mod drift;
mod fate;
mod leftover;
mod matching;
mod preview;
mod progress;
mod reading;
mod rows;
mod settle;
mod spool;
mod write;

pub(crate) use apply::{Applied, Origin, apply};
pub(crate) use batch::{Batch, CERTAIN, Gather};
pub(crate) use cluster::{Flaw, cluster_of};
pub(crate) use coverage::concerns;
pub use preview::{Preview, preview};
pub use progress::ImportProgress;
pub(crate) use progress::{Reporter, channel, last};
pub(crate) use reading::{MAPPED, Reading, head};
pub(crate) use rows::{FindingRow, KnownFinding, NewKey, Read, Review, Ruling, Rulings, Seen, Unseen};
pub(crate) use settle::settle;
