//! Notes on findings: who may read a finding reads them, who may decide writes them, who wrote one may take it
//! away, and so may whoever makes the organisation's rules: a password in a note must not stay because its author left.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde_json::json;

use crate::model::{FindingId, FindingNote, NewNote, NoteId};
use crate::service::Results;
use crate::store::notes::Before;
use crate::{actions, errors, store};

/// Findings whose notes are asked for together, and notes of each.
const FINDINGS: usize = 500;
const EACH: u32 = 50;

impl Results {
    /// What people wrote down about a finding, newest first.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Invalid` for a foreign cursor.
    pub async fn notes(&self, actor: &Actor, id: FindingId, page: &PageRequest) -> Result<Page<FindingNote>> {
        let scope = actor.scope(actions::READ)?;
        let rows = page.rows()?;
        let db = &self.backends.db;
        store::findings::get(db, &scope, self.backends.clock.now(), id).await?.ok_or_else(|| errors::finding_not_found(id))?;
        let notes = store::notes::of_finding(db, &scope, id, page.after()?, rows).await?;
        Page::cut(notes, rows, |note| Before(note.id))
    }

    /// The newest notes of each of these findings, as far as the reader may see those, newest first, in one statement; at most five hundred
    /// findings, fifty notes of each.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn notes_of(&self, actor: &Actor, ids: &[FindingId], each: u32) -> Result<Vec<FindingNote>> {
        let scope = actor.scope(actions::READ)?;
        match ids.get(..ids.len().min(FINDINGS)) {
            Some(ids) if !ids.is_empty() => store::notes::of_findings(&self.backends.db, &scope, ids, each.min(EACH)).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Writes a note.
    ///
    /// # Errors
    /// `Invalid` for no words or too many; `NotFound`; `Forbidden`.
    pub async fn note(&self, actor: &Actor, id: FindingId, new: &NewNote) -> Result<FindingNote> {
        let text = new.checked()?;
        let mut change = Change::begin(&self.backends, actor, actions::NOTE).await?;
        // Held, so that it is still there when the note is.
        let found = store::decisions::lock(&mut change, &[id]).await?.pop().ok_or_else(|| errors::finding_not_found(id))?;
        let note = FindingNote {
            id: change.id(),
            finding_id: id,
            text: text.to_owned(),
            written_by: actor.user,
            written_by_name: actor.username.clone(),
            created_at: change.now(),
        };
        store::notes::insert(&mut change, None, std::slice::from_ref(&note)).await?;
        change.subject("finding", id);
        // Not the words: what is taken away shall be gone.
        change.detail(json!({ "title": found.title, "note": note.id }));
        change.commit().await?;
        Ok(note)
    }

    /// Takes a note of one's own away, or any for whoever makes the organisation's rules.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`, also for a note of somebody else.
    pub async fn drop_note(&self, actor: &Actor, id: FindingId, note: NoteId) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::NOTE).await?;
        store::decisions::lock(&mut change, &[id]).await?.pop().ok_or_else(|| errors::finding_not_found(id))?;
        let written_by = store::notes::author(&mut change, id, note).await?.ok_or_else(errors::note_not_found)?;
        let is_own = written_by.is_some() && written_by == actor.user;
        if !is_own && !actor.may(actions::SET_POLICY) {
            return Err(errors::foreign_note());
        }
        store::notes::delete(&mut change, note).await?;
        change.subject("finding", id);
        change.detail(json!({ "dropped": note }));
        change.commit().await
    }
}
