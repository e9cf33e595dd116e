//! Pages that follow the server: a stream of server-sent events that says when the page should be read anew, and nothing else.

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::response::Response;
use base::{Kind, Result};
use devices::News;
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout};
use web::Standing;
use web::live::{Update, sse};

use crate::Services;

/// What nobody tells, such as a new score, is looked for this often.
const LOOK: Duration = Duration::from_secs(2);
/// Several changes at once are one reading.
const REST: Duration = Duration::from_millis(250);
/// After this the browser comes back, and with it the question whether its viewer may still see this.
const LONGEST: Duration = Duration::from_secs(600);

/// Where a stream stands.
struct Watch<R> {
    news: News,
    read: R,
    last: Option<u64>,
    ends: Instant,
}

/// What a page shows, as one number to compare.
pub(crate) fn digest(shown: &impl Serialize) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_vec(shown).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// Tells the browser whenever what `read` gives is another than before; at first, than what the page was made from.
pub(crate) fn follow<R, F>(services: &Services, standing: Standing, news: News, seen: Option<u64>, read: R) -> Response
where
    R: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<u64>> + Send + 'static,
{
    let watch = Watch { news, read, last: seen, ends: Instant::now() + LONGEST };
    sse(futures::stream::unfold(watch, turn), standing, services.tasks.stop())
}

/// The next word, and the stream after it.
async fn turn<R, F>(mut watch: Watch<R>) -> Option<(Update, Watch<R>)>
where
    R: Fn() -> F,
    F: Future<Output = Result<u64>>,
{
    loop {
        let before = watch.last;
        match (watch.read)().await {
            Ok(state) => watch.last = Some(state),
            // Gone, or no longer theirs to see.
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => return None,
            Err(error) => tracing::debug!(%error, "what a page shows cannot be read; it is tried again"),
        }
        if watch.last != before {
            return Some((Update::new("changed", serde_json::Value::Null), watch));
        }
        if Instant::now() >= watch.ends {
            return None;
        }
        sleep_until(Instant::now() + REST).await;
        if let Ok(None) = timeout(LOOK, watch.news.next()).await {
            return None;
        }
    }
}
