//! Search over findings, observations, targets, audit entries and figures. The index is a projection: the database notes what
//! changes, this context carries it over, and what a hit shows is read from the database again.

pub mod actions;
mod errors;
mod feed;
mod http;
mod index;
mod jobs;
mod model;
mod rebuild;
mod service;
mod store;

pub use http::routes;
pub use index::IndexName;
pub use jobs::{RebuildIndex, jobs};
pub use model::{Answer, FieldKind, Hit, IndexField, IndexState, NewRebuild, Question, Rebuilding};
pub use service::Search;
