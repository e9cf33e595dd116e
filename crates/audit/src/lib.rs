//! The audit log: `Change` is the only way to write, every change leaves an entry in the same transaction,
//! and a Merkle tree with signed checkpoints makes later edits visible to anybody holding an export.

pub mod entry;
pub mod note;
pub mod tree;
pub mod verify;

pub use entry::{AuditEntry, Entry, EntryId, Record};
