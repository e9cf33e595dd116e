//! Reports: a frozen snapshot of findings and coverage, and the documents made from it.
//!
//! Invariant: every form of a report comes from the same frozen bytes; rendering reads nothing else.

pub mod actions;
mod charts;
mod errors;
mod gather;
mod http;
mod jobs;
mod language;
mod model;
mod printable;
mod render;
mod service;
pub mod snapshot;
mod store;
mod view;

pub use http::routes;
pub use jobs::{RenderReport, jobs};
pub use model::{File, NewReport, Report, ReportId, ReportState, Selection};
pub use render::{Format, RenderError, Typesetter, document, page};
pub use service::{Config, ReportCompleted, Reports};
pub use snapshot::{Frozen, Snapshot};
