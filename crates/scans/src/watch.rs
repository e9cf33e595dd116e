//! The watch over a running scan: cancel orders, revoked or ended authorisations, the worker's own end.
//! Invariant: whatever stops a scan is noticed within two seconds, also without the bus.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use backends::{Backends, Clock, Run};
use base::{Kind, Scope, Time};
use scanner::{Guard, Refusal};
use targets::{Permit, Targets};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::model::ScanId;
use crate::progress::{self, Reporter};
use crate::store;

/// Ten words of progress a second are plenty.
const PACE: Duration = Duration::from_millis(100);
/// How often the database is asked, should the bus stay silent.
const POLL: Duration = Duration::from_secs(1);

/// Why a scan stops before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody cancelled it.
    Cancelled,
    /// The permission to test is gone, in these words.
    Forbidden(String),
    /// The worker ends or lost its lease: the scan goes on elsewhere.
    Interrupted,
}

impl Reason {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Cancelled => "the scan was cancelled".to_owned(),
            Self::Forbidden(words) => words.clone(),
            Self::Interrupted => "the worker stopped".to_owned(),
        }
    }
}

/// Shared by a run's stages: set once, by whoever sees the reason first.
#[derive(Default)]
pub(crate) struct Halt {
    pub(crate) token: CancellationToken,
    reason: OnceLock<Reason>,
}

impl Halt {
    pub(crate) fn set(&self, reason: Reason) {
        if self.reason.set(reason).is_ok() {
            self.token.cancel();
        }
    }

    pub(crate) fn reason(&self) -> Option<&Reason> {
        self.reason.get()
    }
}

/// Bus channel on which a cancel order for a scan travels.
pub(crate) fn cancel_channel(id: ScanId) -> String {
    format!("scan:cancel:{id}")
}

/// What the watch needs to know.
pub(crate) struct Watch {
    pub(crate) backends: Backends,
    pub(crate) targets: Targets,
    pub(crate) scope: Scope,
    pub(crate) scan: ScanId,
    pub(crate) permit: Permit,
    pub(crate) run: Run,
    pub(crate) halt: Arc<Halt>,
    pub(crate) reporter: Arc<Reporter>,
}

impl Watch {
    /// Watches until a reason to stop is found, telling progress meanwhile.
    pub(crate) async fn keep(self) {
        let mut orders = self.backends.bus.subscribe(&cancel_channel(self.scan)).await.ok();
        let mut pace = tokio::time::interval(PACE);
        let mut poll = tokio::time::interval(POLL);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let order = async {
                match &mut orders {
                    Some(orders) => orders.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.run.cancel.cancelled() => {
                    // Cancelling a scan cancels its job too: the row tells which of the two it was.
                    self.halt.set(if self.is_cancelled().await { Reason::Cancelled } else { Reason::Interrupted });
                    return;
                }
                message = order => {
                    if message.is_none() {
                        orders = None;
                    }
                    if self.look().await {
                        return;
                    }
                }
                _ = poll.tick() => {
                    if self.look().await {
                        return;
                    }
                }
                _ = pace.tick() => {
                    if let Some(word) = self.reporter.news(self.backends.clock.now()) {
                        progress::say(&self.backends, &word).await;
                    }
                }
            }
        }
    }

    async fn is_cancelled(&self) -> bool {
        matches!(store::cancel_requested(&self.backends.db, &self.scope, self.scan).await, Ok(true))
    }

    /// Whether there is a reason to stop; a database that is away is none, the lease sees to that.
    async fn look(&self) -> bool {
        if self.is_cancelled().await {
            self.halt.set(Reason::Cancelled);
            return true;
        }
        match self.targets.recheck(&self.permit).await {
            Err(error) if matches!(error.kind(), Kind::Forbidden | Kind::NotFound) => {
                self.halt.set(Reason::Forbidden(error.detail().to_owned()));
                true
            }
            _ => false,
        }
    }
}

/// Asks the permit for every address and URL a probe is about to touch.
pub(crate) struct PermitGuard {
    pub(crate) permit: Permit,
    pub(crate) names: Vec<String>,
    pub(crate) clock: Clock,
    pub(crate) halt: Arc<Halt>,
}

impl PermitGuard {
    pub(crate) fn new(permit: &Permit, clock: &Clock, halt: &Arc<Halt>) -> Self {
        let names = permit.target.endpoint().and_then(|address| address.name()).into_iter().collect();
        Self { permit: permit.clone(), names, clock: clock.clone(), halt: halt.clone() }
    }

    /// Refused one by one after the permit's time, all that is left would be over at once, and the scan would seem to have run to its end.
    fn goes_on(&self, now: Time) -> Result<(), Refusal> {
        if let Err(words) = self.permit.in_period(now) {
            self.halt.set(Reason::Forbidden(words));
        }
        match self.halt.reason() {
            Some(reason) => Err(Refusal::new(reason.words())),
            None => Ok(()),
        }
    }
}

impl Guard for PermitGuard {
    fn permit(&self, address: SocketAddr) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.goes_on(now)?;
        self.permit.allows_socket(address, &self.names, now).map_err(Refusal::new)
    }

    fn permit_url(&self, url: &Url) -> Result<(), Refusal> {
        let now = self.clock.now();
        self.goes_on(now)?;
        self.permit.allows_url(url, now).map_err(Refusal::new)
    }
}
