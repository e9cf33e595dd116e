//! What can be followed.

use async_graphql::{Context, ID, Result, Subscription};
use futures::{Stream, StreamExt};
use scans::ScanId;

use crate::errors;
use crate::model::{ProgressNode, id};
use crate::query::{asking, services};

/// The things that move.
pub struct Subscription;

#[Subscription]
impl Subscription {
    /// How a scan goes on, until its last word.
    async fn scan_progress(
        &self,
        context: &Context<'_>,
        #[graphql(name = "id")] given: ID,
    ) -> Result<impl Stream<Item = ProgressNode> + use<>> {
        // What is no id is the id of nothing.
        let wanted = id(&given).unwrap_or_else(|| ScanId::from_uuid(uuid::Uuid::nil()));
        let words = services(context)?.scans.progress(&asking(context)?.actor, wanted, None).await;
        Ok(words.map_err(|error| errors::field(&error))?.map(Into::into))
    }
}
