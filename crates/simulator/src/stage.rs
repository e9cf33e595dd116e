//! What all phones of a simulation share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backends::Clock;
use base::Result;
use threat::evaluate::Track;

use crate::line::Opener;
use crate::plan::{Activity, Carrier, Plan};
use crate::server::Server;
use crate::tally::Tally;

/// The world of a fleet.
pub(crate) struct Stage {
    /// At least one.
    nodes: Vec<Server>,
    pub(crate) carrier: Carrier,
    pub(crate) opener: Opener,
    /// Phones say nothing unasked.
    pub(crate) is_silent: bool,
    /// Somebody locks phones meanwhile, and these do not take that for an answer.
    pub(crate) is_defiant: bool,
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
        let nodes = std::iter::once(&plan.server).chain(&plan.nodes);
        let nodes = nodes.map(|node| Server::new(node, plan.authority.as_deref(), plan.bind)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            nodes,
            carrier: plan.carrier,
            opener: Opener::new(plan)?,
            is_silent: plan.is_silent,
            is_defiant: plan.locking.is_some(),
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

    /// A node; numbers beyond the last begin anew.
    pub(crate) fn node(&self, number: usize) -> &Server {
        &self.nodes[number % self.nodes.len()]
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
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
        if self.stormed.swap(true, Ordering::Relaxed) { Ok(()) } else { self.nodes.iter().try_for_each(Server::reconnect) }
    }
}
