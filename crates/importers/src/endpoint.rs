//! A web place taken apart once: for the location, the keys and the asset of what was found there.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use url::{Host, Url};

use crate::errors::ParseError;
use crate::identity;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location};
use crate::output::Output;

const ASSETS_REMEMBERED: usize = 1_000_000;
/// Origins told as covered at the end of a file.
const COVERED: usize = 10_000;
/// Longer addresses exist only to hurt.
const ADDRESS: usize = 64 << 10;

/// Why a report closes nothing by itself: what is not in it may have been left out by a filter, by a scan that only listened, or
/// by one that was stopped. Who knows better imports it as complete.
pub(crate) const ISSUES_ONLY: &str = "the report lists what was found, not what was tested";

/// An address by its parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Endpoint {
    address: Option<String>,
    scheme: Option<String>,
    host: String,
    ip: bool,
    port: Option<u16>,
    origin: String,
    path: String,
}

impl Endpoint {
    /// Of a full address, or of `host[:port][/path]` when no scheme is given.
    pub(crate) fn new(address: &str) -> Option<Self> {
        let address = address.trim();
        if address.is_empty() || address.len() > ADDRESS {
            return None;
        }
        let web = address.contains("://");
        let url = if web { Url::parse(address) } else { Url::parse(&format!("tcp://{}", address.trim_start_matches('/'))) }.ok()?;
        // A host of an unknown scheme is opaque to the URL standard and keeps its case.
        let host = match url.host()? {
            Host::Domain(name) => identity::asset(name),
            host => identity::asset(&host.to_string()),
        };
        if host.is_empty() {
            return None;
        }
        let bare = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        Some(Self {
            address: web.then(|| address.to_owned()),
            scheme: web.then(|| url.scheme().to_owned()),
            ip: host.parse::<IpAddr>().is_ok(),
            host,
            port: url.port_or_known_default(),
            origin: if web { identity::origin(&url)? } else { bare },
            path: url.path().to_owned(),
        })
    }

    /// Of a path on a site, or of a full address where a tool writes one instead.
    pub(crate) fn under(base: &str, path: &str) -> Option<Self> {
        let path = path.trim();
        if path.contains("://") && !path.starts_with('/') {
            return Self::new(path).or_else(|| Self::new(base));
        }
        let base = base.trim().trim_end_matches('/');
        if path.is_empty() {
            return Self::new(base);
        }
        let site = base.find("://").map_or(0, |start| start + 3);
        let site = base[site..].find(['/', '?', '#']).map_or(base, |end| &base[..site + end]);
        Self::new(&format!("{site}/{}", path.trim_start_matches('/'))).or_else(|| Self::new(base))
    }

    pub(crate) fn location(&self) -> Location {
        Location {
            host: (!self.ip).then(|| self.host.clone()),
            ip: self.ip.then(|| self.host.clone()),
            port: self.port,
            protocol: Some("tcp".to_owned()),
            service: self.scheme.clone(),
            url: self.address.clone(),
            ..Location::default()
        }
    }

    /// The whole site.
    pub(crate) fn site(&self) -> Location {
        Location { url: self.scheme.is_some().then(|| self.origin.clone()), ..self.location() }
    }

    /// Whether this is the front of a site rather than a part of it.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self.path.as_str(), "" | "/")
    }

    /// The exact name, then the one that survives another scheme or port.
    pub(crate) fn keys(&self, check: &str, method: Option<&str>, parameter: Option<&str>) -> Vec<IdentityKey> {
        vec![
            identity::web_at(&self.origin, check, method, &self.path, parameter),
            identity::web_moved(&self.host, check, method, &self.path, parameter),
        ]
    }
}

/// Keys of a web finding whose place is not told or not readable.
pub(crate) fn placeless(check: &str, place: &str) -> Vec<IdentityKey> {
    vec![identity::web(place, check, None, "", None)]
}

/// The sites of one file.
#[derive(Default)]
pub(crate) struct Sites {
    known: HashSet<u64>,
    covered: Vec<Location>,
}

impl Sites {
    /// Hands a site on as an asset, once.
    pub(crate) fn introduce(&mut self, endpoint: &Endpoint, out: &mut Output<'_>) -> Result<(), ParseError> {
        let mut hasher = DefaultHasher::new();
        endpoint.origin.hash(&mut hasher);
        if self.known.len() >= ASSETS_REMEMBERED || !self.known.insert(hasher.finish()) {
            return Ok(());
        }
        if self.covered.len() < COVERED {
            self.covered.push(endpoint.site());
        }
        let mut identifiers = Vec::new();
        if endpoint.scheme.is_some() {
            identifiers.push(("url".to_owned(), endpoint.origin.clone()));
        }
        identifiers.push((if endpoint.ip { "ip" } else { "hostname" }.to_owned(), endpoint.host.clone()));
        out.asset(Asset { kind: "web".to_owned(), identifiers, services: Vec::new() })
    }

    /// Whether no more than one site was met.
    pub(crate) fn is_one(&self) -> bool {
        self.known.len() < 2
    }

    /// Says of every site met that nobody knows how testing it ended.
    pub(crate) fn leave_open(&mut self, source: &str, version: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
        let reason = version.map_or_else(|| ISSUES_ONLY.to_owned(), |version| format!("{version}: {ISSUES_ONLY}"));
        self.cover(source, CoverageStatus::Skipped, Some(&reason), out)
    }

    /// Says of one site how testing it ended, and leaves the others open.
    pub(crate) fn cover_only(
        &mut self,
        site: &Endpoint,
        source: &str,
        status: CoverageStatus,
        reason: Option<&str>,
        out: &mut Output<'_>,
    ) -> Result<(), ParseError> {
        let own = site.site();
        let (own, others) = std::mem::take(&mut self.covered).into_iter().partition(|location| *location == own);
        self.covered = own;
        self.cover(source, status, reason, out)?;
        self.covered = others;
        self.leave_open(source, None, out)
    }

    /// Says of every site met how testing it ended.
    pub(crate) fn cover(
        &mut self,
        source: &str,
        status: CoverageStatus,
        reason: Option<&str>,
        out: &mut Output<'_>,
    ) -> Result<(), ParseError> {
        for location in std::mem::take(&mut self.covered) {
            out.coverage(Coverage {
                source: source.to_owned(),
                check_set: source.to_owned(),
                location,
                extent: Extent::Whole,
                status,
                reason: reason.map(str::to_owned),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_put_on_its_site() {
        let url = |base, path| Endpoint::under(base, path).and_then(|endpoint| endpoint.location().url);
        assert_eq!(url("https://a.example/start?x=1", "/b/c").as_deref(), Some("https://a.example/b/c"));
        assert_eq!(url("https://a.example", "").as_deref(), Some("https://a.example"));
        assert_eq!(url("https://a.example", "http://b.example/x").as_deref(), Some("http://b.example/x"));
        let bare = Endpoint::under("WWW.example.com:8080", "/x").expect("host");
        assert_eq!((bare.origin.as_str(), bare.location().port, bare.location().url), ("www.example.com:8080", Some(8080), None));
        assert_eq!(Endpoint::new("/only/a/path").map(|endpoint| endpoint.host), Some("only".to_owned()));
        assert_eq!(Endpoint::new("  "), None);
    }
}
