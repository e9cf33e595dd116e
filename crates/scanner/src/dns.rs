//! DNS: what a server gives away or lets strangers do, and what the records of a domain lack.
//! Invariant: only addresses the guard permits are asked, and no question changes anything.

mod ask;
mod mail;
mod records;
mod server;
mod signatures;

use std::net::IpAddr;

use hickory_proto::rr::Name;

use crate::plan::{Intrusiveness, Target};
use crate::report::{CoverageStatus, Issue};
use crate::session::{Endpoint, Session};
use ask::Asker;

pub(crate) const SERVER_SET: &str = "dns.nameserver";
pub(crate) const RECORDS_SET: &str = "dns.records";
/// Zones of one server whose records are looked at.
const ZONES: usize = 5;

/// Audits one DNS server, and the records of the zones it is known to hold.
pub(crate) async fn audit(session: &Session, endpoint: &Endpoint, hints: &[String]) {
    if !session.may(Intrusiveness::Safe) {
        session.unplanned(SERVER_SET, endpoint).await;
        return session.unplanned(RECORDS_SET, endpoint).await;
    }
    let asker = Asker::new(session, endpoint.address);
    let mut found = Vec::new();
    let survey = server::survey(&asker, endpoint, hints, &mut found).await;
    tell(session, &mut found).await;
    let holds = match survey {
        Ok(holds) => {
            session.covered(SERVER_SET, endpoint, CoverageStatus::Done, None).await;
            holds
        }
        Err(error) => {
            session.covered(SERVER_SET, endpoint, CoverageStatus::Error, Some(error.clone())).await;
            return session.covered(RECORDS_SET, endpoint, CoverageStatus::Error, Some(error)).await;
        }
    };
    if session.plan.resolver.is_some() && domain(&session.plan.target).is_some() {
        return session.covered(RECORDS_SET, endpoint, CoverageStatus::Skipped, Some("asked of the named resolver".to_owned())).await;
    }
    let mut failure = None;
    let mut looked_at = Vec::new();
    for zone in holds.zones.iter().filter(|zone| is_public(zone)).take(ZONES) {
        let names: Vec<Name> = holds.aliases.iter().filter(|name| zone.zone_of(name)).cloned().collect();
        if let Err(error) = records::judge(&asker, endpoint, zone, &names, &mut found).await {
            failure.get_or_insert(error);
        }
        looked_at.push(zone.to_ascii());
        tell(session, &mut found).await;
    }
    let (status, reason) = match (failure, looked_at.is_empty()) {
        (Some(error), _) => (CoverageStatus::Error, Some(error)),
        (None, true) => (CoverageStatus::Skipped, Some("no zone of the server is known".to_owned())),
        (None, false) => (CoverageStatus::Done, Some(format!("zones {}", looked_at.join(", ")))),
    };
    session.covered(RECORDS_SET, endpoint, status, reason).await;
}

/// The resolver to ask about the target's domain, when the plan names one and the target has one.
pub(crate) fn resolver(session: &Session) -> Option<Endpoint> {
    let address = session.plan.resolver?;
    domain(&session.plan.target).map(|host| Endpoint { address, host })
}

/// The addresses of the target's domain, as the plan's resolver gives them.
pub(crate) async fn addresses(session: &Session, resolver: &Endpoint) -> Result<Vec<IpAddr>, String> {
    let name = fully(&resolver.host).ok_or_else(|| format!("{} is no domain name", resolver.host))?;
    records::addresses(&Asker::resolving(session, resolver.address), &name).await
}

/// Looks at the records of the target's domain through the plan's resolver.
pub(crate) async fn domain_audit(session: &Session, endpoint: &Endpoint) {
    if !session.may(Intrusiveness::Safe) {
        return session.unplanned(RECORDS_SET, endpoint).await;
    }
    if let Err(refusal) = session.dialer.permit(endpoint.address) {
        let reason = format!("the resolver is refused by the guard: {}", refusal.reason);
        return session.covered(RECORDS_SET, endpoint, CoverageStatus::Skipped, Some(reason)).await;
    }
    let asker = Asker::resolving(session, endpoint.address);
    let mut found = Vec::new();
    let result = through(&asker, endpoint, &mut found).await;
    tell(session, &mut found).await;
    let (status, reason) = match result {
        Ok(zone) => (CoverageStatus::Done, Some(format!("zones {zone}"))),
        Err(error) => (CoverageStatus::Error, Some(error)),
    };
    session.covered(RECORDS_SET, endpoint, status, reason).await;
}

async fn through(asker: &Asker<'_>, endpoint: &Endpoint, found: &mut Vec<Issue>) -> Result<String, String> {
    let name = fully(&endpoint.host).ok_or_else(|| format!("{} is no domain name", endpoint.host))?;
    let zone = asker.zone_of(&name).await?.ok_or_else(|| format!("the resolver knows no zone of {}", endpoint.host))?;
    records::judge(asker, endpoint, &zone, &[name], found).await?;
    Ok(zone.to_ascii())
}

async fn tell(session: &Session, found: &mut Vec<Issue>) {
    for issue in found.drain(..) {
        session.issue(issue).await;
    }
}

/// The domain name a target is written with.
pub(crate) fn domain(target: &Target) -> Option<String> {
    let host = match target {
        Target::Host(host) => host.trim().trim_end_matches('.').to_owned(),
        Target::Url(url) => url.domain()?.to_owned(),
        Target::Network(_) => return None,
    };
    let is_name = host.parse::<std::net::IpAddr>().is_err() && host.contains('.') && !host.ends_with(".localhost");
    is_name.then_some(host)
}

/// A name that ends at the root, whatever it was written like.
fn fully(text: &str) -> Option<Name> {
    let mut name = Name::from_utf8(text.trim()).ok()?;
    name.set_fqdn(true);
    Some(name.to_lowercase())
}

/// Zones that every resolver answers for itself (RFC 6303, RFC 6761).
const OWN: &[&str] = &["localhost", "test", "local", "invalid", "onion", "home.arpa", "localdomain"];

/// Whether the records of a zone are meant for others than this host.
fn is_public(zone: &Name) -> bool {
    let text = zone.to_ascii();
    let name = text.trim_end_matches('.');
    !(zone.is_root() || name.ends_with(".arpa") || name.ends_with(".localhost") || OWN.contains(&name))
}
