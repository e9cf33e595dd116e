//! What all phones of a simulation share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backends::Clock;
use base::Result;
use threat::evaluate::Track;

use crate::plan::{Activity, Plan};
use crate::server::Server;
use crate::tally::Tally;

/// The world of a fleet.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
    pub(crate) tally: Tally,
    pub(crate) tracks: Vec<Arc<Track>>,
    pub(crate) activity: Activity,
    pub(crate) rate: f64,
    pub(crate) speed: f64,
    pub(crate) every: Duration,
    pub(crate) life: Duration,
    pub(crate) refresh_every: Option<Duration>,
    pub(crate) storm: Option<Duration>,
    pub(crate) seed: u64,
    reached: AtomicBool,
    stormed: AtomicBool,
}

impl Stage {
    pub(crate) fn new(plan: &Plan, storm: Option<Duration>, clock: Clock) -> Result<Self> {
        Ok(Self {
            server: Server::new(&plan.server, plan.authority.as_deref())?,
            clock,
            tally: Tally::default(),
            tracks: plan.tracks.iter().cloned().map(Arc::new).collect(),
            activity: plan.activity,
            rate: plan.rate,
            speed: plan.speed,
            every: plan.every,
            life: plan.life,
            refresh_every: plan.refresh_every,
            storm,
            seed: plan.seed,
            reached: AtomicBool::new(false),
            stormed: AtomicBool::new(false),
        })
    }

    /// The first phone is enrolled.
    pub(crate) fn reached(&self) {
        self.reached.store(true, Ordering::Relaxed);
    }

    /// Whether no phone ever had an answer.
    pub(crate) fn is_unreached(&self) -> bool {
        !self.reached.load(Ordering::Relaxed)
    }

    /// Drops the connections of all phones, once.
    pub(crate) fn drop_connections(&self) -> Result<()> {
        if self.stormed.swap(true, Ordering::Relaxed) { Ok(()) } else { self.server.reconnect() }
    }
}
