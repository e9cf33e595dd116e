//! A host by the names a report gives it, and what follows from them: its place, keys and asset.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use url::Url;

use crate::errors::ParseError;
use crate::identity;
use crate::model::{Asset, IdentityKey, Location, Service};
use crate::output::Output;

/// Length of a host name in the DNS.
const NAME: usize = 255;
const REMEMBERED: usize = 1_000_000;

/// An address and a name, at least one of them when the host is known at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) ip: Option<String>,
    pub(crate) name: Option<String>,
}

impl Host {
    /// Takes the first address and the first name among the texts; an URL gives its host.
    pub(crate) fn new<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> Self {
        let mut host = Self::default();
        for text in texts.into_iter().flatten() {
            host.add(text);
        }
        host
    }

    pub(crate) fn add(&mut self, text: &str) {
        let text = text.trim();
        let parsed = text.contains("://").then(|| Url::parse(text).ok()).flatten();
        let text = parsed.as_ref().and_then(Url::host_str).unwrap_or(text);
        let text = identity::asset(text);
        if text.is_empty() || text.len() > NAME {
            return;
        }
        if text.parse::<IpAddr>().is_ok() {
            self.ip.get_or_insert(text);
        } else {
            self.name.get_or_insert(text);
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.ip.is_none() && self.name.is_none()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        [self.ip.as_deref(), self.name.as_deref()].into_iter().flatten()
    }

    pub(crate) fn location(&self) -> Location {
        Location { host: self.name.clone(), ip: self.ip.clone(), ..Location::default() }
    }

    /// Place of a port, `0` being none.
    pub(crate) fn at(&self, protocol: Option<&str>, port: Option<u16>) -> Location {
        let protocol = protocol.map(str::to_ascii_lowercase).filter(|protocol| !protocol.is_empty());
        Location { port: port.filter(|port| *port > 0), protocol, ..self.location() }
    }

    /// Keys of a check on a port under every name, the weaker ones for a moved service last.
    pub(crate) fn keys(&self, place: &Location, check: &str) -> Vec<IdentityKey> {
        let protocol = place.protocol.as_deref().unwrap_or("tcp");
        let exact = self.names().map(|name| identity::network(name, protocol, place.port, check));
        let moved = self.names().map(|name| identity::network_moved(name, protocol, check));
        exact.chain(moved).collect()
    }

    /// Keys of a TLS check on a port under every name.
    pub(crate) fn tls_keys(&self, port: Option<u16>, check: &str) -> Vec<IdentityKey> {
        self.names().map(|name| identity::tls(name, port, check)).collect()
    }

    pub(crate) fn asset(&self, services: Vec<Service>) -> Asset {
        let pair = |kind: &str, name: &Option<String>| name.clone().map(|name| (kind.to_owned(), name));
        let identifiers = [pair("ip", &self.ip), pair("hostname", &self.name)].into_iter().flatten().collect();
        Asset { kind: "host".to_owned(), identifiers, services }
    }
}

/// Hands every asset on once, however often a table repeats it.
#[derive(Default)]
pub(crate) struct Introduced(HashSet<u64>);

impl Introduced {
    /// Whether this was not seen before; nothing is new once too much is remembered.
    pub(crate) fn is_new(&mut self, what: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.0.len() < REMEMBERED && self.0.insert(hasher.finish())
    }

    pub(crate) fn host(&mut self, host: &Host, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let new = !host.is_unknown() && self.is_new(host);
        if new {
            out.asset(host.asset(Vec::new()))?;
        }
        Ok(new)
    }
}
