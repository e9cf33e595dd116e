//! Ports: which to try and which of them are open.

mod closed;
mod frequency;
mod scan;
mod set;
mod window;

pub(crate) use scan::{Scanned, scan};
pub use set::{PortSet, PortSetError};
