//! The SQL of the queue. Every statement that ends or renews a run names the fence it was claimed with.

use std::time::Duration;

use base::{Actor, Result, Source, TenantId, Time};
use serde_json::Value as Json;

use super::{Job, JobId};
use crate::db::{Sql, Tx, sql};
use crate::{Backends, Db};

/// A claimed job.
pub(super) struct Claimed {
    pub(super) id: JobId,
    pub(super) name: String,
    pub(super) payload: Json,
    pub(super) actor: Actor,
    pub(super) attempts: u32,
    pub(super) max_attempts: u32,
    pub(super) fence: i64,
}

/// A job row about to be written.
pub(crate) struct NewJob<'a> {
    pub(crate) name: &'a str,
    pub(crate) queue: &'a str,
    pub(crate) payload: Json,
    pub(crate) attempts: u32,
    pub(crate) run_at: Time,
    pub(crate) dedup_key: Option<&'a str>,
}

/// Puts `job` into the transaction, to run at `when` (now when `None`). With `dedup`, a waiting or running twin is kept instead.
///
/// # Errors
/// `Internal` when the payload cannot be written as JSON, else the database's.
pub async fn enqueue<J: Job>(
    backends: &Backends,
    tx: &mut Tx,
    actor: &Actor,
    job: &J,
    when: Option<Time>,
    dedup: Option<&str>,
) -> Result<JobId> {
    let payload = serde_json::to_value(job).map_err(|cause| base::Error::internal("a job cannot be written as JSON").because(cause))?;
    let run_at = when.unwrap_or_else(|| backends.clock.now());
    let new = NewJob { name: J::NAME, queue: J::QUEUE, payload, attempts: J::ATTEMPTS, run_at, dedup_key: dedup };
    insert(backends, tx, actor, new).await
}

/// Puts the job that listens to an event into the event's transaction.
pub(crate) async fn queue_for_event(
    backends: &Backends,
    tx: &mut Tx,
    actor: &Actor,
    name: &str,
    queue: &str,
    attempts: u32,
    payload: Json,
) -> Result<()> {
    let new = NewJob { name, queue, payload, attempts, run_at: backends.clock.now(), dedup_key: None };
    insert(backends, tx, actor, new).await.map(drop)
}

pub(crate) async fn insert(backends: &Backends, tx: &mut Tx, actor: &Actor, new: NewJob<'_>) -> Result<JobId> {
    let id: JobId = backends.ids.next();
    let actor_json =
        serde_json::to_string(actor).map_err(|cause| base::Error::internal("an actor cannot be written as JSON").because(cause))?;
    tx.run(
        sql("INSERT INTO jobs (id, tenant_id, name, queue, payload, actor, state, dedup_key, max_attempts, run_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'ready', $7, $8, $9, $10)
             ON CONFLICT (name, dedup_key) WHERE dedup_key IS NOT NULL AND state IN ('ready', 'running') DO NOTHING")
        .bind(id)
        .bind(actor.tenant)
        .bind(new.name)
        .bind(new.queue)
        .bind(new.payload)
        .bind(actor_json)
        .bind(new.dedup_key)
        .bind(new.attempts)
        .bind(new.run_at)
        .bind(backends.clock.now()),
    )
    .await?;
    Ok(id)
}

/// Where a job stands: `ready`, `running`, `done`, `dead` or `cancelled`, with its last error.
///
/// # Errors
/// The database's.
pub async fn state(db: &Db, tenant: TenantId, job: JobId) -> Result<Option<(String, Option<String>)>> {
    let row = db.one(sql("SELECT state, error FROM jobs WHERE tenant_id = $1 AND id = $2").bind(tenant).bind(job)).await?;
    row.map(|row| Ok((row.get("state")?, row.get("error")?))).transpose()
}

/// Cancels a waiting job, asks a running one to stop.
///
/// # Errors
/// The database's.
pub async fn cancel(tx: &mut Tx, tenant: TenantId, job: JobId, now: Time) -> Result<()> {
    tx.run(
        sql("UPDATE jobs SET cancel_requested = TRUE,
                finished_at = CASE WHEN state = 'ready' THEN $3 ELSE finished_at END,
                state = CASE WHEN state = 'ready' THEN 'cancelled' ELSE state END
             WHERE tenant_id = $1 AND id = $2 AND state IN ('ready', 'running')")
        .bind(tenant)
        .bind(job)
        .bind(now),
    )
    .await
    .map(drop)
}

/// Claims the job of `queue` that has been due longest.
pub(super) async fn claim(db: &Db, queue: &str, worker: &str, now: Time, lease: Duration) -> Result<Option<Claimed>> {
    // A look on the read-only pool first: an idle queue costs no write lock.
    let due = sql("SELECT id FROM jobs WHERE queue = $1 AND state = 'ready' AND run_at <= $2 LIMIT 1").bind(queue).bind(now);
    if db.one(due).await?.is_none() {
        return Ok(None);
    }
    let mut tx = db.begin().await?;
    let statement = format!(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = $3, worker = $4
         WHERE id = (SELECT id FROM jobs WHERE queue = $1 AND state = 'ready' AND run_at <= $2 ORDER BY run_at, id LIMIT 1{})
         RETURNING id, name, payload, actor, attempts, max_attempts, fence",
        tx.skip_locked()
    );
    let row = tx.one(Sql::built(statement).bind(queue).bind(now).bind(now + lease).bind(worker)).await?;
    tx.commit().await?;
    row.map(|row| {
        let mut actor: Actor = row.json("actor")?;
        actor.origin.source = Source::Job;
        Ok(Claimed {
            id: row.get("id")?,
            name: row.get("name")?,
            payload: row.json("payload")?,
            actor,
            attempts: row.get("attempts")?,
            max_attempts: row.get("max_attempts")?,
            fence: row.get("fence")?,
        })
    })
    .transpose()
}

/// `None` when the lease is lost, else whether somebody asked to cancel.
pub(super) async fn standing(db: &Db, job: JobId, fence: i64) -> Result<Option<bool>> {
    let row =
        db.one(sql("SELECT cancel_requested FROM jobs WHERE id = $1 AND fence = $2 AND state = 'running'").bind(job).bind(fence)).await?;
    row.map(|row| row.get("cancel_requested")).transpose()
}

/// Renews the lease; answers as [`standing`].
pub(super) async fn renew(db: &Db, job: JobId, fence: i64, until: Time) -> Result<Option<bool>> {
    let mut tx = db.begin().await?;
    let row = tx
        .one(
            sql("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING cancel_requested")
                .bind(job)
                .bind(fence)
                .bind(until),
        )
        .await?;
    tx.commit().await?;
    row.map(|row| row.get("cancel_requested")).transpose()
}

pub(super) async fn report(tx: &mut Tx, job: JobId, fence: i64, fraction: f32, note: &str) -> Result<bool> {
    let touched = tx
        .run(
            sql("UPDATE jobs SET progress = $3, note = $4 WHERE id = $1 AND fence = $2 AND state = 'running'")
                .bind(job)
                .bind(fence)
                .bind(fraction)
                .bind(note),
        )
        .await?;
    Ok(touched == 1)
}

/// Takes the job's row lock, so that nobody can reclaim the lease before this transaction ends.
pub(super) async fn holds(tx: &mut Tx, job: JobId, fence: i64, now: Time) -> Result<bool> {
    let touched = tx
        .run(
            sql("UPDATE jobs SET worker = worker WHERE id = $1 AND fence = $2 AND state = 'running' AND lease_until >= $3")
                .bind(job)
                .bind(fence)
                .bind(now),
        )
        .await?;
    Ok(touched == 1)
}

/// How a try ended.
pub(super) enum Ending {
    Done,
    Retry {
        at: Time,
        error: String,
    },
    Dead {
        error: String,
    },
    Cancelled,
    /// Given back untouched, because the process stops.
    Released {
        at: Time,
    },
}

/// Writes how the try ended; `false` when the lease was lost and nothing was written.
pub(super) async fn finish(db: &Db, job: JobId, fence: i64, now: Time, ending: Ending) -> Result<bool> {
    let (state, run_at, error, finished, refund) = match ending {
        Ending::Done => ("done", now, None, Some(now), 0_i64),
        Ending::Retry { at, error } => ("ready", at, Some(error), None, 0),
        Ending::Dead { error } => ("dead", now, Some(error), Some(now), 0),
        Ending::Cancelled => ("cancelled", now, None, Some(now), 0),
        Ending::Released { at } => ("ready", at, None, None, 1),
    };
    let mut tx = db.begin().await?;
    let touched = tx
        .run(
            sql("UPDATE jobs SET state = $3, run_at = $4, error = $5, finished_at = $6, attempts = attempts - $7, lease_until = NULL, worker = NULL
                 WHERE id = $1 AND fence = $2 AND state = 'running'")
            .bind(job)
            .bind(fence)
            .bind(state)
            .bind(run_at)
            .bind(error)
            .bind(finished)
            .bind(refund),
        )
        .await?;
    tx.commit().await?;
    Ok(touched == 1)
}

/// Gives jobs whose lease ran out back to the queue. A worker's death is rarely the job's fault, so it may cost five times as many
/// tries as a failure before the job is buried. `everything` ignores leases: right at the start of the only process on an embedded database.
pub(super) async fn reclaim(db: &Db, now: Time, everything: bool) -> Result<u64> {
    let stale = sql("SELECT id FROM jobs WHERE state = 'running' AND (lease_until < $1 OR $2) LIMIT 1").bind(now).bind(everything);
    if db.one(stale).await?.is_none() {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    let touched = tx
        .run(
            sql("UPDATE jobs SET
                    finished_at = CASE WHEN attempts >= 5 * max_attempts THEN $1 ELSE NULL END,
                    error = CASE WHEN attempts >= 5 * max_attempts THEN 'the worker died in every try' ELSE error END,
                    state = CASE WHEN attempts >= 5 * max_attempts THEN 'dead' ELSE 'ready' END,
                    run_at = $1, lease_until = NULL, worker = NULL
                 WHERE state = 'running' AND (lease_until < $1 OR $2)")
            .bind(now)
            .bind(everything),
        )
        .await?;
    tx.commit().await?;
    Ok(touched)
}

/// Whether the schedule `name` looks due, without taking a write lock.
pub(super) async fn may_fire(db: &Db, name: &str, now: Time) -> Result<bool> {
    let waiting = sql("SELECT name FROM job_schedules WHERE name = $1 AND next_at > $2").bind(name).bind(now);
    db.one(waiting).await.map(|row| row.is_none())
}

/// Whether the schedule `name` fires now; true on one node only.
pub(super) async fn fires(tx: &mut Tx, name: &str, now: Time, every: Duration) -> Result<bool> {
    let touched = tx
        .run(sql("UPDATE job_schedules SET next_at = $2 WHERE name = $1 AND next_at <= $3").bind(name).bind(now + every).bind(now))
        .await?;
    if touched == 1 {
        return Ok(true);
    }
    let fresh = tx
        .run(sql("INSERT INTO job_schedules (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING").bind(name).bind(now + every))
        .await?;
    Ok(fresh == 1)
}

/// Forgets finished jobs and events older than `before`; dead jobs stay until somebody looks.
pub(super) async fn purge(db: &Db, before: Time) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.run(sql("DELETE FROM jobs WHERE finished_at < $1 AND state IN ('done', 'cancelled')").bind(before)).await?;
    tx.run(sql("DELETE FROM events WHERE created_at < $1").bind(before)).await?;
    tx.commit().await
}
