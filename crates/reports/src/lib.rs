//! Reports: a frozen snapshot of findings and coverage, and the documents made from it.
//!
//! Invariant: every form of a report comes from the same frozen bytes; rendering reads nothing else.

mod charts;
mod language;
mod printable;
mod render;
pub mod snapshot;
mod view;

pub use render::{Format, RenderError, Typesetter, document, page};
pub use snapshot::{Frozen, Language, Snapshot};
