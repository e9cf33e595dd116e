//! What people write down about a finding, beside what they decide.

use base::{Id, Result, Time, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::FindingId;
use crate::errors;

/// Longest note, in characters.
const LONGEST: usize = 4000;

/// Names a note.
pub type NoteId = Id<FindingNote>;

/// What a person wrote down about a finding. Nothing follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingNote {
    /// Its id.
    pub id: NoteId,
    /// What it is about.
    pub finding_id: FindingId,
    /// The words, as they were written.
    #[schema(max_length = 4000)]
    pub text: String,
    /// Who.
    pub written_by: Option<UserId>,
    /// Who, by name.
    #[schema(max_length = 256)]
    pub written_by_name: String,
    /// When.
    pub created_at: Time,
}

/// A note to be kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// The words; line breaks stay.
    #[schema(min_length = 1, max_length = 4000)]
    pub text: String,
}

impl NewNote {
    /// The words without space around them.
    ///
    /// # Errors
    /// `Invalid` when there are none, or too many.
    pub(crate) fn checked(&self) -> Result<&str> {
        let text = self.text.trim();
        if text.is_empty() || text.chars().count() > LONGEST || text.contains('\0') {
            return Err(errors::note());
        }
        Ok(text)
    }
}
