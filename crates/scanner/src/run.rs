//! The order of a run: resolve, ports, services, then TLS, web and exposures per service.
//! Invariant: one cancellation or one deadline ends everything, and what was found by then is returned.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::dial::{DialError, Dialer};
use crate::guard::Guard;
use crate::plan::{Plan, Target};
use crate::report::{CoverageStatus, Event, Outcome, ScanError, ServiceReport};
use crate::resolve::resolve;
use crate::session::{Endpoint, Session};
use crate::tls::StartTls;
use crate::{exposures, http, ports, services, tls};

const SERVICES: &str = "services";
const AUDITS: &str = "audits";
/// Conversations at once after the port scan; each may hold a few descriptors.
const CONVERSATIONS: usize = 32;

enum End {
    Complete,
    Cancelled,
    TimedOut,
}

/// Runs a plan; every connection is put to the guard, every find is told by event and kept in the outcome.
pub async fn run(plan: Plan, guard: Arc<dyn Guard>, events: mpsc::Sender<Event>, cancel: CancellationToken) -> Result<Outcome, ScanError> {
    let ports = ports_of(&plan)?;
    let total = plan.limits.total;
    let dialer = Dialer::new(guard, &plan.limits);
    let session = Session::new(plan, dialer, events);
    let work: BoxFuture<'_, Result<(), ScanError>> = Box::pin(stages(&session, &ports));
    let end = tokio::select! {
        biased;
        () = cancel.cancelled() => End::Cancelled,
        () = sleep(total) => End::TimedOut,
        result = work => {
            result?;
            End::Complete
        }
    };
    let mut outcome = match end {
        End::Complete => session.finish(CoverageStatus::Skipped, "not reached"),
        End::Cancelled => session.finish(CoverageStatus::Skipped, "the scan was cancelled"),
        End::TimedOut => session.finish(CoverageStatus::Timeout, "the total time of the scan ran out"),
    };
    outcome.cancelled = matches!(end, End::Cancelled);
    outcome.timed_out = matches!(end, End::TimedOut);
    Ok(outcome)
}

/// The ports to try: the set, a URL's own port first, or that port alone when no port scan is wanted.
fn ports_of(plan: &Plan) -> Result<Vec<u16>, ScanError> {
    let mut set = plan.ports.clone();
    if let Target::Url(url) = &plan.target {
        let own = url.port_or_known_default().unwrap_or(443);
        if !plan.stages.ports {
            return Ok(vec![own]);
        }
        set.put_first(own);
    }
    match set.is_empty() {
        true => Err(ScanError::EmptyPortSet),
        false => Ok(set.iter().collect()),
    }
}

async fn stages(session: &Session, ports: &[u16]) -> Result<(), ScanError> {
    let pinned = resolve(&session.plan).await?;
    session.outcome().resolved = pinned.iter().map(|host| host.address).collect();
    let open = ports::scan(session, &pinned, ports).await;
    if session.dialer.connections() == 0
        && let Some((_, reason)) = session.dialer.refused().into_iter().next()
    {
        return Err(ScanError::Refused { target: session.plan.target.to_string(), reason });
    }
    let wanted = session.plan.stages;
    if !(wanted.services || wanted.tls || wanted.http || wanted.exposures) {
        return Ok(());
    }
    let reports = identify(session, &open).await;
    audit(session, reports).await;
    Ok(())
}

async fn identify(session: &Session, open: &[Endpoint]) -> Vec<(Endpoint, ServiceReport)> {
    session.stage(SERVICES, open.len()).await;
    for endpoint in open {
        session.begin(SERVICES, endpoint);
    }
    let done = &AtomicUsize::new(0);
    let mut work: Vec<BoxFuture<'_, Option<(Endpoint, ServiceReport)>>> = Vec::new();
    for endpoint in open {
        work.push(Box::pin(async move {
            let result = services::identify(session, endpoint).await;
            session.progress(SERVICES, done.fetch_add(1, Ordering::Relaxed) + 1, open.len());
            match result {
                Ok(report) => {
                    session.service(report.clone()).await;
                    session.covered(SERVICES, endpoint, CoverageStatus::Done, None).await;
                    Some((endpoint.clone(), report))
                }
                Err(error) => {
                    let status = match &error {
                        DialError::Refused(_) => CoverageStatus::Skipped,
                        DialError::Timeout => CoverageStatus::Timeout,
                        DialError::Failed(_) => CoverageStatus::Error,
                    };
                    session.covered(SERVICES, endpoint, status, Some(error.to_string())).await;
                    None
                }
            }
        }));
    }
    each(session, work).await.into_iter().flatten().collect()
}

/// One audit of one service.
enum Audit {
    Tls(Option<StartTls>),
    Web,
    Exposures,
}

async fn audit(session: &Session, reports: Vec<(Endpoint, ServiceReport)>) {
    let wanted = session.plan.stages;
    let secure_hosts: HashSet<IpAddr> =
        reports.iter().filter(|(_, report)| report.tls && report.service == "http").map(|(endpoint, _)| endpoint.address.ip()).collect();
    let mut due = Vec::new();
    for (endpoint, report) in &reports {
        let starttls = StartTls::of(report.service);
        if wanted.tls && (report.tls || starttls.is_some()) {
            // An upgrade that is not on offer is no failure, so it is not promised as coverage.
            if report.tls {
                session.begin(tls::CHECK_SET, endpoint);
            }
            due.push((endpoint, report, Audit::Tls(starttls.filter(|_| !report.tls))));
        }
        if wanted.http && report.service == "http" {
            for set in http::SETS {
                session.begin(set, endpoint);
            }
            due.push((endpoint, report, Audit::Web));
        }
        if wanted.exposures && exposures::concerns(report.service) {
            for set in exposures::sets(report.service) {
                session.begin(set, endpoint);
            }
            due.push((endpoint, report, Audit::Exposures));
        }
    }
    let total = due.len();
    session.stage(AUDITS, total).await;
    let done = &AtomicUsize::new(0);
    let secure_hosts = &secure_hosts;
    let mut work: Vec<BoxFuture<'_, ()>> = Vec::new();
    for (endpoint, report, audit) in due {
        work.push(Box::pin(async move {
            match audit {
                Audit::Tls(starttls) => tls::audit(session, endpoint, starttls).await,
                Audit::Web => {
                    let elsewhere = !report.tls && secure_hosts.contains(&endpoint.address.ip());
                    http::audit(session, endpoint, report, elsewhere).await;
                }
                Audit::Exposures => exposures::probe(session, endpoint, report).await,
            }
            session.progress(AUDITS, done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }));
    }
    each(session, work).await;
}

/// Does all of it, many at once, within the plan's concurrency.
async fn each<R>(session: &Session, work: Vec<BoxFuture<'_, R>>) -> Vec<R> {
    let at_once = session.plan.limits.concurrency.clamp(1, CONVERSATIONS);
    futures::stream::iter(work).buffer_unordered(at_once).collect().await
}
