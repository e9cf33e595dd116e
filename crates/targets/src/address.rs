//! Addresses: text given by a person turned into a host, a network or a URL in one normal form.
//! Invariant: two spellings of one place (case, `0x7f.1`, trailing dot, default port) have the same text.

use std::fmt;
use std::net::IpAddr;

use backends::Zone;
use base::{Error, Result};
use ipnet::IpNet;
use url::{Host, Url};

use crate::errors;

/// Longest address kept.
pub const MAXIMUM_LENGTH: usize = 2048;

/// Where something can be reached over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host, with the one port that is meant if the person named it.
    Host {
        /// Name or IP address.
        host: Host<String>,
        /// The port written behind it.
        port: Option<u16>,
    },
    /// All addresses of a network.
    Network(IpNet),
    /// An `http` or `https` URL without credentials or fragment.
    Url(Url),
}

impl Address {
    /// Reads a URL, a network in CIDR notation, or a host with or without a port.
    ///
    /// # Errors
    /// `Invalid` when the text is none of them; the detail says what it was taken for.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAXIMUM_LENGTH {
            return Err(errors::address(text, "it must have 1 to 2048 characters"));
        }
        if text.contains("://") {
            return web_url(text).map(Self::Url);
        }
        if let Some((ip, prefix)) = text.split_once('/')
            && ip.parse::<IpAddr>().is_ok()
        {
            return match prefix.parse::<u8>() {
                Ok(_) => network(text).map(Self::Network),
                Err(_) => Err(errors::address(text, "what follows the slash is not a prefix length")),
            };
        }
        host_and_port(text)
    }

    /// Like [`Address::parse`], but only for text that plainly is an address: a word such as `intranet` stays a name.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        match Self::parse(text).ok()? {
            Self::Host { host: Host::Domain(name), .. } if !looks_like_a_domain(&name) => None,
            address => Some(address),
        }
    }

    /// The host's name when this is reached by name.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Host { host: Host::Domain(name), .. } => Some(name.clone()),
            Self::Url(url) => match url.host() {
                Some(Host::Domain(name)) => normal_name(name).ok(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The address when this is reached by a literal IP address.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Host { host, .. } => host_ip(host),
            Self::Url(url) => url.host().and_then(|host| host_ip(&host)),
            Self::Network(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host: Host::Ipv6(ip), port: None } => write!(formatter, "{ip}"),
            Self::Host { host, port: None } => write!(formatter, "{host}"),
            Self::Host { host, port: Some(port) } => write!(formatter, "{host}:{port}"),
            Self::Network(network) => write!(formatter, "{network}"),
            Self::Url(url) => write!(formatter, "{url}"),
        }
    }
}

/// Reads a host: an IP address in any spelling a resolver would take, or a name; never a port.
///
/// # Errors
/// `Invalid` when it is neither.
pub fn host(text: &str) -> Result<Host<String>> {
    let text = text.trim();
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(match ip.to_canonical() {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        });
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) => normal_name(&name).map(Host::Domain),
        Ok(Host::Ipv6(ip)) => Ok(match ip.to_canonical() {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        }),
        Ok(ip @ Host::Ipv4(_)) => Ok(ip),
        Err(cause) => Err(errors::address(text, &cause.to_string())),
    }
}

/// Reads a network in CIDR notation and clears its host bits.
///
/// # Errors
/// `Invalid` when it is not one.
pub fn network(text: &str) -> Result<IpNet> {
    text.trim()
        .parse::<IpNet>()
        .map(|network| network.trunc())
        .map_err(|_| errors::address(text, "it is not a network with a prefix length that fits, such as 192.0.2.0/24"))
}

/// Reads an `http` or `https` URL; a fragment is dropped, credentials are refused.
///
/// # Errors
/// `Invalid` when it is not one.
pub fn web_url(text: &str) -> Result<Url> {
    let mut url = Url::parse(text.trim()).map_err(|cause| errors::address(text, &cause.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(errors::address(text, "only http and https URLs can be tested"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(errors::address(text, "a URL must not carry a user name or password"));
    }
    let named = match url.host() {
        Some(Host::Domain(name)) => Some(normal_name(name)?),
        Some(_) => None,
        None => return Err(errors::address(text, "it names no host")),
    };
    if let Some(name) = named {
        url.set_host(Some(&name)).map_err(|cause| errors::address(text, &cause.to_string()))?;
    }
    url.set_fragment(None);
    Ok(url)
}

/// The IP address behind a host, IPv4-mapped IPv6 turned into the IPv4 address it reaches.
pub fn host_ip<T>(host: &Host<T>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(*ip).to_canonical()),
        Host::Domain(_) => None,
    }
}

/// Lower case without the root's dot; labels checked so that no option or path can pass for a name.
///
/// # Errors
/// `Invalid` when a label is empty, too long, or made of anything but letters, digits, `-` and `_`.
pub fn normal_name(text: &str) -> Result<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(errors::address(text, "it is neither a host name nor an IP address"));
    }
    Ok(name)
}

/// Whether packets to this address leave for the public internet: nothing private, local, reserved or known for
/// a cloud's metadata (IANA special-purpose registries; embedded IPv4 is looked through).
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    Zone::of(ip) == Zone::Public
}

fn looks_like_a_domain(name: &str) -> bool {
    let is_top_level =
        |label: &str| label.starts_with("xn--") || (label.len() >= 2 && label.bytes().all(|byte| byte.is_ascii_alphabetic()));
    name == "localhost" || name.rsplit_once('.').is_some_and(|(_, last)| is_top_level(last))
}

fn host_and_port(text: &str) -> Result<Address> {
    if text.parse::<IpAddr>().is_err()
        && let Some((name, port)) = text.rsplit_once(':')
        && (!name.starts_with('[') || name.ends_with(']'))
    {
        let port = match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err::<Address, Error>(errors::address(text, "what follows the colon is not a port")),
        };
        return Ok(Address::Host { host: host(name)?, port: Some(port) });
    }
    Ok(Address::Host { host: host(text)?, port: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> String {
        Address::parse(text).unwrap().to_string()
    }

    #[test]
    fn every_spelling_of_a_place_has_one_text() {
        assert_eq!(normal("Example.COM."), "example.com");
        assert_eq!(normal("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(normal("0x7f.1"), "127.0.0.1");
        assert_eq!(normal("2130706433"), "127.0.0.1");
        assert_eq!(normal("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(normal("[::1]"), "::1");
        assert_eq!(normal("[::1]:8080"), "[::1]:8080");
        assert_eq!(normal("localhost:80"), "localhost:80");
        assert_eq!(normal("10.1.2.3/8"), "10.0.0.0/8");
        assert_eq!(normal("HTTPS://Example.com.:443/a/../b#x"), "https://example.com/b");
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, why) in [
            ("", "1 to 2048"),
            ("ftp://example.com", "only http"),
            ("http://user:pw@example.com/", "user name or password"),
            ("10.0.0.0/99", "prefix"),
            ("10.0.0.0/x", "prefix length"),
            ("example.com:0", "port"),
            ("-oX", "neither"),
            ("a b", ""),
            ("a..b", "neither"),
            ("fe80::1%eth0", ""),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.code(), "targets.address");
            assert!(error.detail().contains(why), "{text}: {}", error.detail());
        }
    }

    #[test]
    fn a_plain_word_is_a_name_and_not_an_address() {
        for word in ["intranet", "Shop", "release-1.2.x", "two words", "v1.0"] {
            assert!(Address::recognise(word).is_none(), "{word}");
        }
        for address in ["localhost", "10.0.0.1", "10.0.0.0/24", "https://a/", "www.example.com"] {
            assert!(Address::recognise(address).is_some(), "{address}");
        }
    }

    #[test]
    fn only_the_public_internet_is_public() {
        for inside in [
            "10.0.0.1",
            "127.0.0.1",
            "0.0.0.0",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "192.168.1.1",
            "172.31.255.255",
            "203.0.113.5",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "::7f00:1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:8.8.8.8"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_text_of_an_address_reads_back_as_itself(text in "\\PC{0,40}") {
            if let Ok(address) = Address::parse(&text) {
                let normal = address.to_string();
                prop_assert!(!normal.starts_with('-'));
                prop_assert_eq!(Address::parse(&normal).unwrap(), address);
            }
        }
    }
}
