//! Answers to the review queue. What a person says is kept in the names of the finding, so that the next run knows it too.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde_json::json;

use crate::jobs::AssessFindings;
use crate::model::{Finding, HappeningKind, Resolution, Review, ReviewId};
use crate::service::{Results, lock_of};
use crate::store::reviews::After;
use crate::{actions, errors, store};

impl Results {
    /// Open reviews, oldest first.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a foreign cursor.
    pub async fn reviews(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Review>> {
        let scope = actor.scope(actions::SURVEY)?;
        let rows = page.rows()?;
        let reviews = store::reviews::list(&self.backends.db, &scope, page.after()?, rows).await?;
        Page::cut(reviews, rows, |review| After(review.id))
    }

    /// Answers a review: the finding is new, or it is one of the candidates and becomes part of it.
    ///
    /// # Errors
    /// `NotFound` when there is no such open review; `Invalid` when the answer is no candidate; `Forbidden`.
    pub async fn resolve(&self, actor: &Actor, id: ReviewId, resolution: Resolution) -> Result<Finding> {
        let mut change = Change::begin(&self.backends, actor, actions::REVIEW).await?;
        let outcome = if resolution.same_as.is_some() { "same" } else { "new" };
        let review = store::reviews::take(&mut change, id, outcome, resolution.same_as).await?.ok_or_else(errors::review_not_found)?;
        let scope = change.scope();
        let newer = review.finding_id;
        let target = store::findings::target_now(&mut change, newer).await?;
        change.lock(lock_of(actor, target)).await?;
        let finding = match resolution.same_as {
            None => {
                store::reviews::settle(&mut change, newer).await?;
                newer
            }
            Some(older) => {
                // Nobody decides about either while they become one.
                store::decisions::lock(&mut change, &[older, newer]).await?;
                if !review.candidates.contains(&older)
                    || !store::reviews::merge(&mut change, older, newer, &review.import_id.to_string()).await?
                {
                    return Err(errors::no_candidate(older));
                }
                store::decisions::derive_again(&mut change, &[older]).await?;
                AssessFindings::enqueue(&mut change, &[older]).await?;
                let note = Some("a person said that it is the same".to_owned());
                store::ingest::add_history(&mut change, Some(review.import_id), None, &[(older, HappeningKind::Moved, note)]).await?;
                older
            }
        };
        change.subject("finding", finding);
        change.detail(json!({ "review": id, "outcome": outcome, "finding": newer, "same_as": resolution.same_as }));
        let now = change.now();
        change.commit().await?;
        store::findings::get(&self.backends.db, &scope, now, finding).await?.ok_or_else(|| errors::finding_not_found(finding))
    }
}
