//! Entries without a change beside them (a refusal, a failed sign-in): many callers share one commit.

use std::sync::Arc;
use std::time::Duration;

use backends::{Backends, Tasks};
use base::{Error, Result};
use tokio::sync::{mpsc, oneshot};

use crate::prepare::Prepared;
use crate::store;

/// Entries per commit.
const BATCH: usize = 256;
/// Entries that may wait; callers beyond that wait themselves.
const WAITING: usize = 1024;
/// How long a batch waits for the callers the last commit let go; without it the first of them would commit alone.
const GATHER: Duration = Duration::from_millis(1);

struct Append {
    entry: Prepared,
    done: oneshot::Sender<Result<()>>,
}

/// Writes entries in shared commits: while one commit is under way, the next batch gathers.
#[derive(Clone)]
pub(crate) struct Appender {
    sender: mpsc::Sender<Append>,
}

impl Appender {
    pub(crate) fn start(backends: &Backends) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let tasks: &Tasks = &backends.tasks;
        tasks.spawn("audit.append", run(backends.clone(), receiver));
        Self { sender }
    }

    /// Returns once the entry is durable.
    pub(crate) async fn append(&self, entry: Prepared) -> Result<()> {
        let (done, outcome) = oneshot::channel();
        self.sender.send(Append { entry, done }).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }
}

fn stopped() -> Error {
    crate::errors::stopping()
}

async fn run(backends: Backends, mut receiver: mpsc::Receiver<Append>) {
    let stop = backends.tasks.stop();
    let mut batch = Vec::with_capacity(BATCH);
    let mut expected = 1;
    loop {
        let taken = tokio::select! {
            biased;
            taken = receiver.recv_many(&mut batch, BATCH) => taken,
            () = stop.cancelled() => {
                // What was sent before the end is still written; nothing new is taken.
                receiver.close();
                receiver.recv_many(&mut batch, BATCH).await
            }
        };
        if taken == 0 {
            return;
        }
        gather(&mut receiver, &mut batch, expected).await;
        expected = batch.len();
        write(&backends, std::mem::take(&mut batch)).await;
    }
}

/// Waits a moment until the batch is as large as the one before.
async fn gather(receiver: &mut mpsc::Receiver<Append>, batch: &mut Vec<Append>, expected: usize) {
    let more = async {
        while batch.len() < expected {
            if receiver.recv_many(batch, BATCH - batch.len()).await == 0 {
                return;
            }
        }
    };
    // A batch that stays smaller is written as it is.
    let _ = tokio::time::timeout(GATHER, more).await;
}

async fn write(backends: &Backends, batch: Vec<Append>) {
    let (entries, waiting): (Vec<_>, Vec<_>) = batch.into_iter().map(|append| (append.entry, append.done)).unzip();
    if let Err(cause) = commit(backends, &entries).await {
        metrics::counter!("audit_append_failures_total").increment(1);
        tracing::error!(entries = entries.len(), cause = %cause, "audit entries could not be written");
        // The callers learn the same; one `Error` cannot be cloned, so they share the text and the kind.
        let cause = Arc::new(cause);
        for done in waiting {
            let told = Error::new(cause.kind(), cause.code(), cause.detail().to_owned()).because(cause.to_string());
            // A caller that went away needs no answer.
            let _ = done.send(Err(told));
        }
        return;
    }
    for done in waiting {
        let _ = done.send(Ok(()));
    }
}

async fn commit(backends: &Backends, entries: &[Prepared]) -> Result<()> {
    let mut tx = backends.db.begin().await?;
    store::insert(&mut tx, entries).await?;
    tx.commit().await
}
