//! About whom a stream brings events: about everybody in the organisation, but those who were taken out.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use super::Integrations;
use crate::model::SubjectOrder;
use crate::{actions, errors, store, subject};

/// Subjects one stream can leave out.
const MOST: i64 = 10_000;

impl Integrations {
    /// Brings events about a subject, again when it was taken out before.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for what is no subject; `Forbidden`.
    pub async fn add_subject(&self, actor: &Actor, order: &SubjectOrder) -> Result<()> {
        self.change_subject(actor, order, true).await
    }

    /// Brings no more events about a subject.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for what is no subject; `Conflict` when too many are left out; `Forbidden`.
    pub async fn remove_subject(&self, actor: &Actor, order: &SubjectOrder) -> Result<()> {
        self.change_subject(actor, order, false).await
    }

    async fn change_subject(&self, actor: &Actor, order: &SubjectOrder, is_wanted: bool) -> Result<()> {
        subject::check(&order.subject)?;
        let mut change = Change::begin(self.backends(), actor, actions::CHANGE_SUBJECTS).await?;
        let stream = store::streams::hold(&mut change, order.stream_id).await?.ok_or_else(errors::no_stream)?;
        let fingerprint = subject::fingerprint(&order.subject);
        if is_wanted {
            store::streams::include(&mut change, stream.id, &fingerprint).await?;
        } else if store::streams::excluded(&mut change, stream.id).await? < MOST {
            store::streams::exclude(&mut change, stream.id, &fingerprint).await?;
        } else {
            return Err(errors::too_many_subjects(MOST));
        }
        change.subject("event_stream", stream.id);
        change.detail(json!({ "subject": order.subject, "wanted": is_wanted }));
        change.commit().await
    }
}
