//! Workers: claim, run under a heartbeat and a time limit, write the ending. One loop per queue.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base::{Actor, Error, Id, Kind, Source};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::JobId;
use super::handlers::{Handler, Handlers};
use super::queue::{self, Claimed, Ending};
use super::run::Run;
use crate::{Backends, errors};

/// How long a claimed job stays with a worker that says nothing.
const LEASE: Duration = Duration::from_secs(30);
/// How often a worker renews its lease.
const RENEWAL: Duration = Duration::from_secs(8);
/// How often a worker looks for a cancel order.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often a queue is looked at when no hint arrives.
const POLL: Duration = Duration::from_secs(1);
/// How long finished jobs and events are kept.
const MEMORY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many jobs of each queue run at once.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// For queues not named.
    pub each: usize,
    /// By queue.
    pub by_queue: BTreeMap<String, usize>,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { each: 4, by_queue: BTreeMap::new() }
    }
}

/// The running workers of one process.
pub struct Worker;

impl Worker {
    /// Starts one loop per queue and the housekeeping; they stop with the process.
    ///
    /// # Errors
    /// The database's.
    pub async fn start(backends: &Backends, handlers: &Handlers, concurrency: &Concurrency) -> base::Result<()> {
        // On an embedded database nobody else can hold a lease, so a restart takes all work up at once; before the
        // first claim of its own, which must not be taken back.
        queue::reclaim(&backends.db, backends.clock.now(), !backends.db.is_shared()).await?;
        let handlers = Arc::new(handlers.clone());
        let name: Id<Worker> = backends.ids.next();
        for queue in handlers.queues() {
            let slots = concurrency.by_queue.get(queue).copied().unwrap_or(concurrency.each);
            let looper = Loop { backends: backends.clone(), handlers: handlers.clone(), queue, name: name.to_string() };
            backends.tasks.spawn("jobs.queue", looper.serve(slots));
        }
        backends.tasks.spawn("jobs.housekeeping", housekeeping(backends.clone(), handlers));
        Ok(())
    }
}

struct Loop {
    backends: Backends,
    handlers: Arc<Handlers>,
    queue: &'static str,
    name: String,
}

impl Loop {
    async fn serve(self, slots: usize) {
        let stop = self.backends.tasks.stop();
        let free = Arc::new(Semaphore::new(slots));
        let looper = Arc::new(self);
        loop {
            let permit = tokio::select! {
                () = stop.cancelled() => return,
                permit = free.clone().acquire_owned() => permit,
            };
            let Ok(permit) = permit else { return };
            let woken = looper.backends.wake.notified();
            let backends = &looper.backends;
            match queue::claim(&backends.db, looper.queue, &looper.name, backends.clock.now(), LEASE).await {
                Ok(Some(claimed)) => {
                    let looper = looper.clone();
                    backends.tasks.spawn("jobs.run", async move {
                        attempt(&looper.backends, &looper.handlers, claimed).await;
                        drop(permit);
                    });
                }
                Ok(None) => {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = woken => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(queue = looper.queue, %error, "cannot claim a job");
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
            }
        }
    }
}

/// Runs one claimed job to its end and writes the ending; tells what went wrong.
pub(super) async fn attempt(backends: &Backends, handlers: &Handlers, claimed: Claimed) -> Option<Error> {
    let Claimed { id, name, payload, actor, attempts, max_attempts, fence } = claimed;
    let cancel = backends.tasks.stop().child_token();
    let run = Run {
        job: id,
        attempt: attempts,
        is_last: attempts >= max_attempts,
        actor,
        cancel: cancel.clone(),
        fence,
        db: backends.db.clone(),
        clock: backends.clock.clone(),
    };
    // The same correlation id from the request at the edge to the last job it caused.
    let correlation_id = run.actor.origin.correlation_id.as_deref().unwrap_or_default();
    let span = tracing::info_span!("job", correlation_id, job = %id, name);
    let outcome = match handlers.by_name.get(name.as_str()) {
        Some(handler) => guarded(backends, handler, payload, run.clone(), &cancel).instrument(span.clone()).await,
        None => (Err(errors::job_unknown(&name)), false),
    };
    let (result, asked_to_cancel) = outcome;
    let now = backends.clock.now();
    let ending = match &result {
        Ok(()) => Ending::Done,
        Err(_) if asked_to_cancel => Ending::Cancelled,
        Err(_) if backends.tasks.stop().is_cancelled() => Ending::Released { at: now },
        Err(error) if run.is_last || is_final(error.kind()) => Ending::Dead { error: error.to_string() },
        Err(error) => Ending::Retry { at: now + error.wait().unwrap_or_else(|| backoff(attempts, fence)), error: error.to_string() },
    };
    let state = match &ending {
        Ending::Done => "done",
        Ending::Retry { .. } => "retry",
        Ending::Dead { .. } => "dead",
        Ending::Cancelled => "cancelled",
        Ending::Released { .. } => "released",
    };
    metrics::counter!("jobs_total", "job" => name.clone(), "state" => state).increment(1);
    span.in_scope(|| match &result {
        // What nobody asked for comes round every minute.
        Ok(()) if correlation_id.is_empty() => tracing::debug!(attempt = attempts, "job done"),
        Ok(()) => tracing::info!(attempt = attempts, "job done"),
        Err(error) => tracing::warn!(attempt = attempts, state, %error, cause = ?std::error::Error::source(error), "job failed"),
    });
    match queue::finish(&backends.db, id, fence, now, ending).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(job = %id, %name, "lease was lost before the end could be written"),
        Err(error) => tracing::error!(job = %id, %name, %error, "end could not be written; the lease will run out"),
    }
    result.err()
}

/// Runs the handler beside its heartbeat; the flag tells whether somebody asked to cancel.
async fn guarded(
    backends: &Backends,
    handler: &Handler,
    payload: serde_json::Value,
    run: Run,
    cancel: &CancellationToken,
) -> (base::Result<()>, bool) {
    let asked = AtomicBool::new(false);
    // Both are polled all the time: a heartbeat awaited alone could wait for the connection its own job holds.
    let outcome = tokio::select! {
        result = tokio::time::timeout(handler.timeout, (handler.run)(payload, run.clone())) => {
            result.unwrap_or_else(|_| Err(errors::job_timeout(handler.timeout)))
        }
        never = heartbeat(backends, run.job, run.fence, cancel, &asked) => match never {},
    };
    (outcome, asked.load(Ordering::Relaxed))
}

/// Looks for a cancel order every second (a read) and renews the lease now and then (a write); cancels the run when the lease is lost.
async fn heartbeat(backends: &Backends, job: JobId, fence: i64, cancel: &CancellationToken, asked: &AtomicBool) -> Infallible {
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut renewed = Instant::now();
    loop {
        beat.tick().await;
        let word = if renewed.elapsed() < RENEWAL {
            queue::standing(&backends.db, job, fence).await
        } else {
            renewed = Instant::now();
            queue::renew(&backends.db, job, fence, backends.clock.now() + LEASE).await
        };
        match word {
            Ok(Some(false)) => {}
            Ok(Some(true)) => {
                asked.store(true, Ordering::Relaxed);
                cancel.cancel();
            }
            Ok(None) => cancel.cancel(),
            Err(error) => tracing::warn!(%job, %error, "heartbeat failed"),
        }
    }
}

/// Errors that trying again cannot mend.
const fn is_final(kind: Kind) -> bool {
    matches!(kind, Kind::Invalid | Kind::Forbidden | Kind::NotFound | Kind::Conflict | Kind::Unauthenticated)
}

/// 1 s, 2 s, 4 s … up to 5 min, spread by up to a half so that a crowd does not come back together.
fn backoff(attempts: u32, seed: i64) -> Duration {
    let whole = Duration::from_secs(1 << attempts.saturating_sub(1).min(8)).min(Duration::from_secs(300));
    let spread = u64::try_from(whole.as_millis() / 2).unwrap_or(0).max(1);
    let jitter = u64::from_ne_bytes(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).to_ne_bytes()) % spread;
    whole + Duration::from_millis(jitter)
}

async fn housekeeping(backends: Backends, handlers: Arc<Handlers>) {
    let stop = backends.tasks.stop();
    let mut purge_in = 0_u32;
    loop {
        let round = async {
            let now = backends.clock.now();
            if queue::reclaim(&backends.db, now, false).await? > 0 {
                super::wake(&backends);
            }
            fire_schedules(&backends, &handlers).await?;
            if purge_in == 0 {
                queue::purge(&backends.db, now - MEMORY).await?;
                purge_in = 3600;
            }
            purge_in -= 1;
            Ok::<(), Error>(())
        };
        if let Err(error) = round.await {
            tracing::warn!(%error, "job housekeeping failed; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Enqueues the scheduled jobs that are due; on one node only.
pub(super) async fn fire_schedules(backends: &Backends, handlers: &Handlers) -> base::Result<()> {
    let now = backends.clock.now();
    let nobody = Actor::system(Id::from_uuid(uuid::Uuid::nil()), Source::Job);
    for (name, handler) in &handlers.by_name {
        let Some(schedule) = handler.schedule else { continue };
        if !queue::may_fire(&backends.db, name, now).await? {
            continue;
        }
        let mut tx = backends.db.begin().await?;
        if queue::fires(&mut tx, name, now, schedule.every).await? {
            let new = queue::NewJob {
                name,
                queue: handler.queue,
                payload: serde_json::json!({}),
                attempts: handler.attempts,
                run_at: now,
                dedup_key: Some("schedule"),
            };
            queue::insert(backends, &mut tx, &nobody, new).await?;
            tx.commit().await?;
            super::wake(backends);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_and_stays_bounded() {
        assert!(backoff(1, 1) < Duration::from_millis(1_501));
        assert!(backoff(3, 7) >= Duration::from_secs(4));
        assert!(backoff(40, 9) <= Duration::from_secs(450));
    }
}
