//! What all stages of one run share: the dialer, the plan, the events and what was found so far.
//! Invariant: a find is in the outcome before it is told, so that a cancelled run loses nothing.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use url::Url;

use crate::catalogue::Check;
use crate::dial::Dialer;
use crate::plan::{Intrusiveness, Plan};
use crate::report::{CoverageStatus, Covered, Event, Issue, Outcome, ServiceReport};
use crate::tls::TlsReport;

/// A place the run works at, with the name it was asked by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
}

pub(crate) struct Session {
    pub(crate) plan: Plan,
    pub(crate) dialer: Dialer,
    events: mpsc::Sender<Event>,
    outcome: Mutex<Outcome>,
    /// Sets of checks that were begun and have not ended.
    pending: Mutex<Vec<(&'static str, Endpoint)>>,
}

impl Session {
    pub(crate) fn new(plan: Plan, dialer: Dialer, events: mpsc::Sender<Event>) -> Self {
        Self { plan, dialer, events, outcome: Mutex::new(Outcome::default()), pending: Mutex::new(Vec::new()) }
    }

    pub(crate) fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn may(&self, level: Intrusiveness) -> bool {
        self.plan.intrusiveness >= level
    }

    async fn tell(&self, event: Event) {
        // A receiver that went away only means that nobody watches.
        let _ = self.events.send(event).await;
    }

    pub(crate) async fn stage(&self, name: &'static str, total: usize) {
        self.tell(Event::Stage { name, total }).await;
    }

    pub(crate) fn progress(&self, stage: &'static str, done: usize, total: usize) {
        let _ = self.events.try_send(Event::Progress { stage, done, total });
    }

    pub(crate) async fn note(&self, message: impl Into<String>) {
        self.tell(Event::Note { message: message.into() }).await;
    }

    pub(crate) async fn open_port(&self, address: SocketAddr) {
        self.outcome().open.push(address);
        self.tell(Event::OpenPort { address }).await;
    }

    pub(crate) async fn service(&self, report: ServiceReport) {
        self.outcome().services.push(report.clone());
        self.tell(Event::Service(report)).await;
    }

    pub(crate) fn tls(&self, report: TlsReport) {
        self.outcome().tls.push(report);
    }

    pub(crate) async fn issue(&self, issue: Issue) {
        self.outcome().issues.push(issue.clone());
        self.tell(Event::Issue(issue)).await;
    }

    /// Notes that a set of checks is due here; what is due and never ends is reported as skipped.
    pub(crate) fn begin(&self, check_set: &'static str, endpoint: &Endpoint) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push((check_set, endpoint.clone()));
    }

    /// Notes that what was due here has ended, and that its own set says how.
    pub(crate) fn settle(&self, check_set: &'static str, endpoint: &Endpoint) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).retain(|(set, place)| *set != check_set || place != endpoint);
    }

    pub(crate) async fn covered(&self, check_set: &'static str, endpoint: &Endpoint, status: CoverageStatus, reason: Option<String>) {
        self.settle(check_set, endpoint);
        self.tell_covered(Covered { reason, ..Covered::at(check_set, endpoint, status) }).await;
    }

    /// A search for open ports that ended, with the ports of which nobody knows.
    pub(crate) async fn searched(
        &self,
        check_set: &'static str,
        host: &Endpoint,
        status: CoverageStatus,
        unanswered: usize,
        reason: Option<String>,
    ) {
        self.settle(check_set, host);
        self.tell_covered(Covered { unanswered, reason, ..Covered::at(check_set, host, status) }).await;
    }

    /// A check that was made at a port by a transport, about one thing where it is named.
    pub(crate) async fn answered(&self, check: &Check, endpoint: &Endpoint, transport: &'static str, about: &str) {
        let parameter = (!about.is_empty()).then(|| about.to_owned());
        self.tell_covered(Covered { transport, parameter, ..Covered::at(check.id, endpoint, CoverageStatus::Done) }).await;
    }

    /// A check that got no deciding answer, at one page or anywhere at the place: it overrules that its set is done.
    pub(crate) async fn undecided(
        &self,
        check: &'static str,
        endpoint: &Endpoint,
        url: Option<Url>,
        status: CoverageStatus,
        reason: String,
    ) {
        self.tell_covered(Covered { url, reason: Some(reason), ..Covered::at(check, endpoint, status) }).await;
    }

    pub(crate) async fn tell_covered(&self, covered: Covered) {
        self.outcome().coverage.push(covered.clone());
        self.tell(Event::Coverage(covered)).await;
    }

    /// A set that goes further than the plan allows.
    pub(crate) async fn unplanned(&self, check_set: &'static str, endpoint: &Endpoint) {
        let reason = "the plan does not allow probes of this kind".to_owned();
        self.covered(check_set, endpoint, CoverageStatus::Skipped, Some(reason)).await;
    }

    /// Ends the run: what was due and has not ended becomes coverage with this status and reason.
    pub(crate) fn finish(&self, status: CoverageStatus, reason: &str) -> Outcome {
        let left = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = std::mem::take(&mut *self.outcome());
        for (check_set, endpoint) in left {
            let covered = Covered { reason: Some(reason.to_owned()), ..Covered::at(check_set, &endpoint, status) };
            let _ = self.events.try_send(Event::Coverage(covered.clone()));
            outcome.coverage.push(covered);
        }
        outcome.refused = self.dialer.refused();
        outcome.connections = self.dialer.connections();
        outcome.open.sort_unstable();
        outcome.services.sort_by_key(|service| service.address);
        outcome.tls.sort_by_key(|report| report.address);
        outcome.issues.sort_by(|left, right| (left.address, left.check).cmp(&(right.address, right.check)));
        outcome
    }
}
