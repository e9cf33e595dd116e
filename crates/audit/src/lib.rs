//! The audit log: `Change` is the only way to write, every change leaves an entry in the same transaction,
//! and a Merkle tree with signed checkpoints makes later edits visible to anybody holding an export.

mod append;
mod change;
pub mod entry;
mod errors;
mod filter;
pub mod note;
mod prepare;
mod store;
pub mod tree;
pub mod verify;

pub use change::Change;
pub use entry::{AuditEntry, Entry, EntryId, Record};
pub use filter::Filter;
