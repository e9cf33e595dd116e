//! Background work of this context.

use backends::{Handlers, Job, Run};
use base::Result;
use serde::{Deserialize, Serialize};

use crate::index::IndexName;
use crate::rebuild;
use crate::service::Search;

/// Makes one index anew from the database.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RebuildIndex {
    /// Which.
    pub index: IndexName,
}

impl Job for RebuildIndex {
    const NAME: &'static str = "search.rebuild";
    const QUEUE: &'static str = "search_queue";
    const ATTEMPTS: u32 = 10;
    type Service = Search;

    async fn run(self, search: &Search, run: &Run) -> Result<()> {
        rebuild::run(search, self.index, Some(run)).await.map(drop)
    }
}

/// The jobs of this context.
#[must_use]
pub fn jobs(search: &Search) -> Handlers {
    Handlers::new().add::<RebuildIndex>(search.clone())
}
