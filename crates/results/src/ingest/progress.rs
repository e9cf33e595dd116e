//! Live progress of an import: the latest word under `import:progress:{import_id}`, each word on the bus channel of that name.
//! Progress is a courtesy: a store that is away never stops an import.

use std::time::Duration;

use backends::Backends;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{ImportId, ImportState};

const KEPT_FOR: Duration = Duration::from_secs(3600);

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// The import.
    pub import_id: ImportId,
    /// Where it stands.
    pub state: ImportState,
    /// How far it is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub fraction: f32,
    /// What it is doing, in a few words.
    #[schema(max_length = 300)]
    pub message: String,
}

/// Key and channel of an import's progress.
pub(crate) fn channel(id: ImportId) -> String {
    format!("import:progress:{id}")
}

/// The last word, if the hot store has one.
pub(crate) async fn last(backends: &Backends, id: ImportId) -> Option<ImportProgress> {
    serde_json::from_slice(&backends.hot.get(&channel(id)).await.ok()??).ok()
}

/// Says how far an import is; the silent one says nothing.
#[derive(Clone, Default)]
pub(crate) struct Reporter {
    listener: Option<(Backends, ImportId)>,
}

impl Reporter {
    pub(crate) fn of(backends: &Backends, id: ImportId) -> Self {
        Self { listener: Some((backends.clone(), id)) }
    }

    pub(crate) async fn say(&self, state: ImportState, fraction: f32, message: &str) {
        let Some((backends, id)) = &self.listener else { return };
        let word = ImportProgress { import_id: *id, state, fraction, message: message.chars().take(300).collect() };
        let Ok(bytes) = serde_json::to_vec(&word) else { return };
        let name = channel(*id);
        if let Err(error) = backends.hot.set(&name, &bytes, Some(KEPT_FOR)).await {
            tracing::debug!(%error, "the progress of an import is not kept");
        }
        if let Err(error) = backends.bus.publish(&name, bytes).await {
            tracing::debug!(%error, "the progress of an import is not told");
        }
    }
}
