//! Takes an import back: everything stands exactly as before it, except what people said since.

use std::time::Duration;

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use crate::events::ImportUndone;
use crate::jobs::AssessFindings;
use crate::model::{Import, ImportId, ImportState};
use crate::service::{Results, lock_of};
use crate::{actions, errors, store};

/// How long copies of what an import changed are kept.
pub(crate) const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

impl Results {
    /// Takes an import back. The newest goes first: what came later was compared with what it brought.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` with the reason when it is part of a scan, is not done, was built on, or people decided about
    /// what it brought; `Forbidden`.
    pub async fn undo(&self, actor: &Actor, id: ImportId) -> Result<Import> {
        let mut change = Change::begin(&self.backends, actor, actions::UNDO).await?;
        let import = store::imports::get_now(&mut change, id).await?.ok_or_else(errors::import_not_found)?;
        change.lock(lock_of(actor, import.target_id)).await?;
        // Somebody else may have taken it back while this waited.
        let import = store::imports::get_now(&mut change, id).await?.ok_or_else(errors::import_not_found)?;
        if import.scan_id.is_some() {
            return Err(errors::not_undoable("it is part of a scan"));
        }
        if import.state != ImportState::Done {
            return Err(errors::not_undoable(&format!("it is {}", import.state)));
        }
        if import.created_at + KEPT < change.now() {
            return Err(errors::not_undoable("what it changed is kept for ninety days only"));
        }
        let service = import.service.clone().unwrap_or_default();
        let ended = import.ended_at.unwrap_or(import.created_at);
        if let Some(later) = store::undo::later(&mut change, id, import.target_id, &service, ended).await? {
            return Err(errors::not_undoable(&format!("import {later} came after it; undo that one first")));
        }
        store::undo::hold(&mut change, id).await?;
        let decided = store::undo::decided(&mut change, id).await?;
        if decided > 0 {
            return Err(errors::not_undoable(&format!("people decided about or wrote notes on {decided} of the findings it brought")));
        }
        let restored = store::undo::restore(&mut change, id).await?;
        store::decisions::derive_again(&mut change, &restored).await?;
        AssessFindings::enqueue(&mut change, &restored).await?;
        change.publish(&ImportUndone { import_id: id, target_id: import.target_id }).await?;
        change.subject("import", id);
        change.detail(json!({ "filename": import.filename, "restored": restored.len(), "removed": import.summary.created }));
        let now = change.now();
        change.commit().await?;
        Ok(Import { state: ImportState::Undone, ended_at: Some(now), ..import })
    }
}
