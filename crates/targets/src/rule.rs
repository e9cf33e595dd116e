//! Rules: one line of an authorisation, saying what is inside or outside. Parsed means valid.

use std::net::IpAddr;

use base::{Error, Result, words};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use utoipa::ToSchema;

use crate::address::{self, Address};
use crate::errors;

words! {
    errors::word;
    /// What a rule names.
    RuleKind, "/kind" {
        /// A host name, `*.` and a domain, or an IP address.
        Host = "host",
        /// A network in CIDR notation.
        Cidr = "cidr",
        /// A URL and everything below it.
        UrlPrefix = "url_prefix",
    }
}

/// A rule as it is written: its kind and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// What the rule names.
    pub kind: RuleKind,
    /// The host, network or URL.
    #[schema(min_length = 1, max_length = 2048)]
    pub value: String,
}

/// One thing that is inside or outside of what may be tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RuleText", into = "RuleText")]
pub enum Rule {
    /// A host by its exact name.
    Name(String),
    /// Every host below a domain, not the domain itself.
    Below(String),
    /// One address.
    Ip(IpAddr),
    /// A network.
    Cidr(IpNet),
    /// A URL and everything below it.
    UrlPrefix(Url),
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// `Invalid` when the text does not fit the kind.
    pub fn parse(kind: RuleKind, value: &str) -> Result<Self> {
        match kind {
            RuleKind::Host => match value.trim().strip_prefix("*.") {
                Some(domain) => match address::host(domain)? {
                    Host::Domain(domain) if domain.contains('.') => Ok(Self::Below(domain)),
                    _ => Err(errors::address(value, "a wildcard needs a domain of at least two labels")),
                },
                None => {
                    let host = address::host(value)?;
                    Ok(match (address::host_ip(&host), host) {
                        (Some(ip), _) => Self::Ip(ip),
                        (None, host) => Self::Name(host.to_string()),
                    })
                }
            },
            RuleKind::Cidr => address::network(value).map(Self::Cidr),
            RuleKind::UrlPrefix => {
                let mut url = address::web_url(value)?;
                url.set_query(None);
                if plain_path(&url).is_none() {
                    return Err(errors::address(value, "the path hides slashes or dots"));
                }
                Ok(Self::UrlPrefix(url))
            }
        }
    }

    /// The narrowest rule that covers an address.
    #[must_use]
    pub fn covering(address: &Address) -> Self {
        match address {
            Address::Host { host: Host::Domain(name), .. } => Self::Name(name.clone()),
            Address::Host { host: Host::Ipv4(ip), .. } => Self::Ip(IpAddr::V4(*ip)),
            Address::Host { host: Host::Ipv6(ip), .. } => Self::Ip(IpAddr::V6(*ip)),
            Address::Network(network) => Self::Cidr(*network),
            // A bare origin means the whole host, whose ports and TLS are tested too; a path means that part only.
            Address::Url(url) => match (url.path(), address.name(), address.ip()) {
                ("/", Some(name), _) => Self::Name(name),
                ("/", None, Some(ip)) => Self::Ip(ip),
                _ => {
                    let mut prefix = url.clone();
                    prefix.set_query(None);
                    Self::UrlPrefix(prefix)
                }
            },
        }
    }

    /// Whether the rule names this host.
    pub(crate) fn names(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Below(domain) => name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            Self::UrlPrefix(url) => matches!(url.host(), Some(Host::Domain(own)) if own == name),
            Self::Ip(_) | Self::Cidr(_) => false,
        }
    }

    /// Whether the rule lists this very address; `localhost` lists all of loopback.
    pub(crate) fn lists(&self, ip: IpAddr) -> bool {
        match self {
            Self::Ip(own) => *own == ip,
            Self::Cidr(network) => network.contains(&ip),
            Self::Name(name) => name == "localhost" && ip.is_loopback(),
            Self::UrlPrefix(url) => match url.host() {
                Some(Host::Domain(name)) => name == "localhost" && ip.is_loopback(),
                Some(host) => address::host_ip(&host) == Some(ip),
                None => false,
            },
            Self::Below(_) => false,
        }
    }

    /// The only port the rule speaks of, or `None` when it speaks of all.
    pub(crate) fn port(&self) -> Option<u16> {
        match self {
            Self::UrlPrefix(url) => url.port_or_known_default(),
            _ => None,
        }
    }

    /// Whether a URL lies at or below this rule's URL; segments count, not characters.
    pub(crate) fn contains_url(&self, url: &Url) -> bool {
        let Self::UrlPrefix(prefix) = self else { return false };
        let same_origin =
            prefix.scheme() == url.scheme() && prefix.host() == url.host() && prefix.port_or_known_default() == url.port_or_known_default();
        same_origin && plain_path(url).zip(plain_path(prefix)).is_some_and(|(path, prefix)| is_below(&path, &prefix))
    }

    /// Whether an exclusion's URL touches this URL: compared loosely, since a server may be loose.
    pub(crate) fn excludes_url(&self, url: &Url) -> bool {
        let Self::UrlPrefix(prefix) = self else { return false };
        if prefix.host() != url.host() || prefix.port_or_known_default() != url.port_or_known_default() {
            return false;
        }
        match (plain_path(url), plain_path(prefix)) {
            (Some(path), Some(prefix)) => is_below(&path.to_lowercase(), &prefix.to_lowercase()),
            // What cannot be read plainly may mean anything on the server.
            _ => true,
        }
    }
}

/// The path decoded with empty segments dropped; `None` when decoding yields separators or dots that could climb.
fn plain_path(url: &Url) -> Option<String> {
    let mut plain = String::new();
    for segment in url.path().split('/').filter(|segment| !segment.is_empty()) {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        let is_hidden = decoded.contains(['/', '\\', ';', '%', '\0']) || decoded == "." || decoded == "..";
        if is_hidden {
            return None;
        }
        plain.push('/');
        plain.push_str(&decoded);
    }
    Some(plain)
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl TryFrom<RuleText> for Rule {
    type Error = Error;

    fn try_from(text: RuleText) -> Result<Self> {
        Self::parse(text.kind, &text.value)
    }
}

impl From<Rule> for RuleText {
    fn from(rule: Rule) -> Self {
        let (kind, value) = match rule {
            Rule::Name(name) => (RuleKind::Host, name),
            Rule::Below(domain) => (RuleKind::Host, format!("*.{domain}")),
            Rule::Ip(ip) => (RuleKind::Host, ip.to_string()),
            Rule::Cidr(network) => (RuleKind::Cidr, network.to_string()),
            Rule::UrlPrefix(url) => (RuleKind::UrlPrefix, url.to_string()),
        };
        Self { kind, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Rule {
        Rule::parse(RuleKind::UrlPrefix, text).unwrap()
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_prefix_ends_at_a_segment() {
        let rule = prefix("https://a.example/app");
        for inside in ["https://a.example/app", "https://a.example/app/", "https://a.example/app/x?y", "https://a.example/%61pp/x"] {
            assert!(rule.contains_url(&url(inside)), "{inside}");
        }
        for outside in [
            "https://a.example/apple",
            "http://a.example/app",
            "https://a.example:8443/app",
            "https://b.example/app",
            "https://a.example/app/../admin",
            "https://a.example/app/..%2fadmin",
            "https://a.example/app/%252e%252e/x",
            "https://a.example/app/..;/admin",
            "https://a.example/APP",
        ] {
            assert!(!rule.contains_url(&url(outside)), "{outside}");
        }
        assert!(prefix("https://a.example").contains_url(&url("https://a.example/anything")));
    }

    #[test]
    fn an_excluded_url_is_excluded_in_every_spelling() {
        let rule = prefix("https://a.example/admin");
        for touched in [
            "https://a.example/admin",
            "https://a.example/ADMIN/x",
            "https://a.example//admin/",
            "https://a.example/%61dmin",
            "https://a.example/x/..%2fadmin",
            "http://a.example:443/admin",
        ] {
            assert!(rule.excludes_url(&url(touched)), "{touched}");
        }
        assert!(!rule.excludes_url(&url("https://a.example/administration")));
    }

    #[test]
    fn a_wildcard_names_what_is_below_a_domain_only() {
        let rule = Rule::parse(RuleKind::Host, "*.Example.com").unwrap();
        assert!(rule.names("a.example.com") && rule.names("a.b.example.com"));
        assert!(!rule.names("example.com") && !rule.names("badexample.com") && !rule.names(".example.com"));
        assert!(Rule::parse(RuleKind::Host, "*.com").is_err());
        assert!(Rule::parse(RuleKind::Host, "*").is_err());
    }

    #[test]
    fn a_rule_reads_back_from_its_text() {
        for (kind, value) in [
            (RuleKind::Host, "a.example"),
            (RuleKind::Host, "*.a.example"),
            (RuleKind::Host, "::1"),
            (RuleKind::Host, "10.0.0.1"),
            (RuleKind::Cidr, "10.0.0.0/8"),
            (RuleKind::UrlPrefix, "https://a.example/x"),
        ] {
            let rule = Rule::parse(kind, value).unwrap();
            let json = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule);
            assert!(json.contains(value), "{json}");
        }
        assert!(serde_json::from_str::<Rule>(r#"{"kind":"cidr","value":"nonsense"}"#).is_err());
    }
}
