//! The audit log: `Change` is the only way to write, every change leaves an entry in the same transaction,
//! and a Merkle tree with signed checkpoints makes later edits visible to anybody holding an export.

pub mod actions;
mod append;
mod change;
mod documents;
pub mod entry;
mod errors;
mod export;
mod filter;
mod http;
mod jobs;
pub mod note;
mod prepare;
mod proof;
mod sequence;
mod service;
mod signing;
mod store;
pub mod tree;
mod tree_store;
pub mod verify;

pub use change::Change;
pub use documents::ENTRIES;
pub use entry::{AuditEntry, Entry, EntryId, Record};
pub use export::Export;
pub use filter::Filter;
pub use http::routes;
pub use jobs::{VerifyLog, jobs};
pub use proof::Proof;
pub use service::{Audit, Proven};
