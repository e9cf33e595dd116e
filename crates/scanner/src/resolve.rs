//! Turns a target into pinned addresses, once; nothing later asks the resolver again.

use std::net::IpAddr;

use crate::dns;
use crate::plan::Target;
use crate::report::ScanError;
use crate::session::Session;

/// An address and the name it is asked by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) address: IpAddr,
    pub(crate) host: String,
}

pub(crate) async fn resolve(session: &Session) -> Result<Vec<Pinned>, ScanError> {
    let plan = &session.plan;
    let limit = plan.limits.addresses;
    let pinned = match &plan.target {
        Target::Host(host) => lookup(session, host).await?,
        Target::Url(url) => lookup(session, &url_host(&plan.target, url)?).await?,
        Target::Network(network) => {
            network.hosts().take(limit.saturating_add(1)).map(|address| Pinned { address, host: address.to_string() }).collect()
        }
    };
    if pinned.len() > limit {
        return Err(ScanError::TooManyAddresses { target: plan.target.to_string(), limit });
    }
    Ok(pinned)
}

fn url_host(target: &Target, url: &url::Url) -> Result<String, ScanError> {
    let invalid = |reason: &str| ScanError::InvalidTarget { target: target.to_string(), reason: reason.to_owned() };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("only http and https can be scanned"));
    }
    match url.host() {
        Some(url::Host::Domain(name)) => Ok(name.to_owned()),
        Some(url::Host::Ipv4(address)) => Ok(address.to_string()),
        Some(url::Host::Ipv6(address)) => Ok(address.to_string()),
        None => Err(invalid("it names no host")),
    }
}

async fn lookup(session: &Session, text: &str) -> Result<Vec<Pinned>, ScanError> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(literal(address));
    }
    let host = match url::Host::parse(text) {
        Ok(url::Host::Ipv4(address)) => return Ok(literal(address.into())),
        Ok(url::Host::Ipv6(address)) => return Ok(literal(address.into())),
        Ok(url::Host::Domain(name)) => name,
        Err(error) => {
            return Err(ScanError::InvalidTarget {
                target: text.to_owned(),
                reason: format!("it is neither a host name nor an address: {error}"),
            });
        }
    };
    let unresolvable = |reason: String| ScanError::Unresolvable { host: host.clone(), reason };
    // A resolver outside the authorisation is not asked; the system's own knows the name or does not.
    let permitted = dns::resolver(session).filter(|resolver| session.dialer.permit(resolver.address).is_ok());
    let found: Vec<IpAddr> = match permitted {
        Some(resolver) => dns::addresses(session, &resolver).await.map_err(unresolvable)?,
        None => {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await.map_err(|error| unresolvable(error.to_string()))?;
            found.map(|socket| socket.ip()).collect()
        }
    };
    let mut pinned: Vec<Pinned> = Vec::new();
    for address in found {
        if pinned.iter().all(|known| known.address != address) {
            pinned.push(Pinned { address, host: host.clone() });
        }
    }
    if pinned.is_empty() {
        return Err(unresolvable("it has no address".to_owned()));
    }
    Ok(pinned)
}

fn literal(address: IpAddr) -> Vec<Pinned> {
    vec![Pinned { address, host: address.to_string() }]
}
