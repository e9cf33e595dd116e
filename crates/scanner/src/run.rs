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
use crate::{dns, exposures, http, ports, services, ssh, tls, udp};

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
    let pinned = resolve(session).await?;
    session.outcome().resolved = pinned.iter().map(|host| host.address).collect();
    session.outcome().tried = ports.to_vec();
    let ports::Scanned { open, closed } = ports::scan(session, &pinned, ports).await;
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
    // Refusals are the host's own word where it took another connection after all of them: something on the way that had shut
    // the scanner out would have refused that too.
    for (host, closed) in pinned.iter().zip(&closed) {
        if reports.iter().any(|(endpoint, _)| endpoint.address.ip() == host.address) {
            session.outcome().closed.push((host.address, closed.ports()));
        }
    }
    let mut servers = Vec::new();
    if wanted.exposures {
        servers = udp::survey(session, &pinned, ports).await;
        // A name server is asked by UDP first; one that was met by TCP is not audited twice.
        servers.retain(|server| !reports.iter().any(|(endpoint, report)| endpoint == server && report.service == "dns"));
    }
    audit(session, reports, servers).await;
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
    Ssh,
    NameServer,
}

/// Words in greetings that look like names of hosts: a name server may hold their zones.
fn names_told(reports: &[(Endpoint, ServiceReport)]) -> Vec<String> {
    let is_name = |word: &&str| {
        word.split('.').count() > 1
            && word.split('.').all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
            && word.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_alphabetic()))
    };
    let banners = reports.iter().filter_map(|(_, report)| report.banner.as_deref());
    let mut names: Vec<String> = banners.flat_map(str::split_whitespace).filter(is_name).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(20);
    names
}

async fn audit(session: &Session, reports: Vec<(Endpoint, ServiceReport)>, servers: Vec<Endpoint>) {
    let wanted = session.plan.stages;
    let resolver = dns::resolver(session).filter(|_| wanted.exposures);
    let names = names_told(&reports);
    let mut reports = reports;
    reports.extend(servers.into_iter().map(|endpoint| {
        let report = services::unidentified(&endpoint);
        (endpoint, ServiceReport { service: "dns", ..report })
    }));
    let secure_hosts: HashSet<IpAddr> =
        reports.iter().filter(|(_, report)| report.tls && report.service == "http").map(|(endpoint, _)| endpoint.address.ip()).collect();
    // One after the other per service: some serve one client at a time, and would seem to refuse what they only keep waiting.
    let mut due = Vec::new();
    for (endpoint, report) in &reports {
        let mut audits = Vec::new();
        let starttls = StartTls::of(report.service);
        if wanted.tls && (report.tls || starttls.is_some()) {
            // An upgrade that is not on offer is no failure, so it is not promised as coverage.
            if report.tls {
                session.begin(tls::CHECK_SET, endpoint);
            }
            audits.push(Audit::Tls(starttls.filter(|_| !report.tls)));
        }
        if wanted.http && report.service == "http" {
            for set in http::SETS {
                session.begin(set, endpoint);
            }
            audits.push(Audit::Web);
        }
        if wanted.exposures && exposures::concerns(report.service) {
            for set in exposures::sets(report.service) {
                session.begin(set, endpoint);
            }
            audits.push(Audit::Exposures);
        }
        if wanted.exposures && report.service == "ssh" {
            session.begin(ssh::CHECK_SET, endpoint);
            audits.push(Audit::Ssh);
        }
        if wanted.exposures && report.service == "dns" && !report.tls {
            session.begin(dns::SERVER_SET, endpoint);
            session.begin(dns::RECORDS_SET, endpoint);
            audits.push(Audit::NameServer);
        }
        due.push((endpoint, report, audits));
    }
    let total = due.iter().map(|(_, _, audits)| audits.len()).sum::<usize>() + usize::from(resolver.is_some());
    session.stage(AUDITS, total).await;
    let done = &AtomicUsize::new(0);
    let (secure_hosts, names) = (&secure_hosts, &names);
    let mut work: Vec<BoxFuture<'_, ()>> = Vec::new();
    for (endpoint, report, audits) in due {
        work.push(Box::pin(async move {
            for audit in audits {
                match audit {
                    Audit::Tls(starttls) => tls::audit(session, endpoint, starttls).await,
                    Audit::Web => {
                        let elsewhere = !report.tls && secure_hosts.contains(&endpoint.address.ip());
                        http::audit(session, endpoint, report, elsewhere).await;
                    }
                    Audit::Exposures => exposures::probe(session, endpoint, report).await,
                    Audit::Ssh => ssh::audit(session, endpoint).await,
                    Audit::NameServer => dns::audit(session, endpoint, names).await,
                }
                session.progress(AUDITS, done.fetch_add(1, Ordering::Relaxed) + 1, total);
            }
        }));
    }
    if let Some(resolver) = &resolver {
        session.begin(dns::RECORDS_SET, resolver);
        work.push(Box::pin(async move {
            dns::domain_audit(session, resolver).await;
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
