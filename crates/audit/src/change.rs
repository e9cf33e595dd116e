//! `Change`: the only way to write. Rows, jobs, events and the audit entry commit together or not at all.

use backends::{Backends, Event, Job, JobId, Row, Run, Sql, Tx, events, jobs};
use base::{Action, Actor, Error, Id, Result, Scope, Time};
use serde_json::Value as Json;

use crate::prepare::{self, What};
use crate::store;

/// One change in the making. Dropped without [`Change::commit`] it leaves nothing.
pub struct Change {
    backends: Backends,
    tx: Tx,
    actor: Actor,
    action: Action,
    scope: Scope,
    now: Time,
    subject: Option<(String, String)>,
    detail: Json,
    reason: Option<String>,
    threat_score: Option<f64>,
    attestation_state: Option<String>,
    hints: Vec<events::Hint>,
    has_work: bool,
}

impl Change {
    /// Opens a change by `actor`, in the actor's tenant.
    ///
    /// # Errors
    /// `Forbidden` when the actor may not take `action`, else the database's.
    pub async fn begin(backends: &Backends, actor: &Actor, action: Action) -> Result<Self> {
        let scope = actor.scope(action)?;
        let tx = backends.db.begin().await?;
        Ok(Self {
            backends: backends.clone(),
            tx,
            actor: actor.clone(),
            action,
            scope,
            now: backends.clock.now(),
            subject: None,
            detail: Json::Null,
            reason: None,
            threat_score: None,
            attestation_state: None,
            hints: Vec::new(),
            has_work: false,
        })
    }

    /// The rows this change may touch.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// The moment of the change, the same for all its rows.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Who changes.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// A new id.
    #[must_use]
    pub fn id<T>(&self) -> Id<T> {
        self.backends.ids.next()
    }

    /// Every row a statement gives back.
    ///
    /// # Errors
    /// The database's.
    pub async fn all(&mut self, sql: Sql) -> Result<Vec<Row>> {
        self.tx.all(sql).await
    }

    /// The first row a statement gives back.
    ///
    /// # Errors
    /// The database's.
    pub async fn one(&mut self, sql: Sql) -> Result<Option<Row>> {
        self.tx.one(sql).await
    }

    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    /// The database's.
    pub async fn run(&mut self, sql: Sql) -> Result<u64> {
        self.tx.run(sql).await
    }

    /// Locks `name` against other changes until this one ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn lock(&mut self, name: i64) -> Result<()> {
        self.tx.lock(name).await
    }

    /// Ties the change to a job's lease: it commits only while this try still owns the job.
    ///
    /// # Errors
    /// `Conflict` when the lease was lost.
    pub async fn hold(&mut self, run: &Run) -> Result<()> {
        run.hold(&mut self.tx).await
    }

    /// What the change is about; required.
    pub fn subject(&mut self, kind: &str, id: impl ToString) {
        self.subject = Some((kind.to_owned(), id.to_string()));
    }

    /// What changed; never a secret.
    pub fn detail(&mut self, detail: Json) {
        self.detail = detail;
    }

    /// Why the decision fell as it did.
    pub fn reason(&mut self, reason: impl Into<String>) {
        self.reason = Some(reason.into());
    }

    /// Threat score and attestation state the decision rested on.
    pub fn threat(&mut self, score: f64, attestation_state: Option<String>) {
        self.threat_score = Some(score);
        self.attestation_state = attestation_state;
    }

    /// Queues a job that exists exactly if the change commits.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue<J: Job>(&mut self, job: &J) -> Result<JobId> {
        self.has_work = true;
        jobs::enqueue(&self.backends, &mut self.tx, &self.actor, job, None, None).await
    }

    /// As [`Change::enqueue`], for later; with a key, a waiting or running twin is kept instead.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue_at<J: Job>(&mut self, job: &J, when: Time, dedup: Option<&str>) -> Result<JobId> {
        self.has_work = true;
        jobs::enqueue(&self.backends, &mut self.tx, &self.actor, job, Some(when), dedup).await
    }

    /// Cancels a waiting job, asks a running one to stop.
    ///
    /// # Errors
    /// The database's.
    pub async fn cancel_job(&mut self, job: JobId) -> Result<()> {
        jobs::cancel(&mut self.tx, self.scope.tenant(), job, self.now).await
    }

    /// Writes an event that exists exactly if the change commits.
    ///
    /// # Errors
    /// The database's.
    pub async fn publish<E: Event>(&mut self, event: &E) -> Result<()> {
        let hint = events::publish(&self.backends, &mut self.tx, &self.actor, event).await?;
        self.has_work |= hint.has_listeners();
        self.hints.push(hint);
        Ok(())
    }

    /// Makes rows, jobs, events and the audit entry durable together, then tells the other nodes.
    ///
    /// # Errors
    /// `Internal` without a subject, else the database's; after `Unavailable` it is unknown whether the commit took place.
    pub async fn commit(mut self) -> Result<()> {
        let Some((subject_kind, subject_id)) = self.subject.take() else {
            return Err(Error::internal(format!("the change {} has no subject", self.action.name)));
        };
        let what = What {
            action: self.action.name,
            subject_kind,
            subject_id,
            detail: self.detail,
            reason: self.reason,
            threat_score: self.threat_score,
            attestation_state: self.attestation_state,
        };
        let prepared = prepare::entry(&self.backends, &self.actor, self.now, what)?;
        store::insert(&mut self.tx, std::slice::from_ref(&prepared)).await?;
        self.tx.commit().await?;
        if self.has_work {
            jobs::wake(&self.backends);
        }
        events::announce(&self.backends, &self.hints).await;
        Ok(())
    }
}
