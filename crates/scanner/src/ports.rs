//! Ports: which to try and which of them are open.

mod frequency;
mod scan;
mod set;
mod window;

pub(crate) use scan::scan;
pub use set::{PortSet, PortSetError};
