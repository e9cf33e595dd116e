//! What people wrote down about a finding.

use async_graphql::{ID, SimpleObject};
use results::FindingNote;

use super::Moment;

/// What a person wrote down about a finding. Nothing follows from it.
#[derive(SimpleObject)]
#[graphql(name = "FindingNote")]
pub(crate) struct NoteNode {
    /// Its id.
    id: ID,
    /// The words, as they were written.
    text: String,
    /// Who, by name.
    written_by_name: String,
    /// When.
    created_at: Moment,
}

impl From<FindingNote> for NoteNode {
    fn from(note: FindingNote) -> Self {
        Self { id: note.id.to_string().into(), text: note.text, written_by_name: note.written_by_name, created_at: Moment(note.created_at) }
    }
}
