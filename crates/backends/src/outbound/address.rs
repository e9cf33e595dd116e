//! Which addresses may be reached. Public ones always; others only when the operator listed them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base::Result;
use ipnet::IpNet;

use crate::errors;

/// What kind of place an address leads to (IANA special-purpose registries); the only such table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The internet.
    Public,
    /// This machine, private networks, carrier-grade NAT.
    Private,
    /// The local link, and where clouds serve machine credentials.
    Link,
    /// Nowhere a request can go: unspecified, multicast, reserved, documentation.
    Nowhere,
}

impl Zone {
    /// The zone of an address; IPv4 inside IPv6 is looked through.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let [a, b, c, _] = address.octets();
        match (a, b, c) {
            (0 | 224..=255, ..) | (192, 0, 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => Self::Nowhere,
            // The second is where one large cloud serves credentials, inside carrier-grade NAT.
            (169, 254, _) | (100, 100, 100) => Self::Link,
            _ if address == AZURE_PLATFORM => Self::Link,
            (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (192, 0, 0) | (198, 18..=19, _) => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if let Some(inner) = embedded(address) {
            return Self::of_v4(inner);
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Private,
            // Credentials of one large cloud, inside the private range.
            [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] | [0xfe80..=0xfebf, ..] => Self::Link,
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Self::Private,
            // Tunnels (Teredo, 6to4), ORCHID, documentation, discard: none is a place to ask.
            [0x2001, 0x0000..=0x01ff | 0x0db8, ..] | [0x2002 | 0x3fff, ..] => Self::Nowhere,
            [0x2000..=0x3ffe, ..] => Self::Public,
            _ => Self::Nowhere,
        }
    }
}

/// Azure's platform endpoint: a public number that answers only inside, with the machine's secrets.
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// The IPv4 address a mapped (`::ffff:0:0/96`) or NAT64 (`64:ff9b::/96`) address stands for.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// The operator's exceptions.
#[derive(Debug, Default)]
pub(super) struct Policy {
    networks: Vec<IpNet>,
    /// Exact names, or suffixes that begin with a dot.
    names: Vec<String>,
}

impl Policy {
    pub(super) fn new(allow: &[String]) -> Result<Self> {
        let mut policy = Self::default();
        for entry in allow {
            let entry = entry.trim().trim_end_matches('.').to_ascii_lowercase();
            let network = entry.parse().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
            let is_name = !entry.is_empty() && entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
            match network {
                Some(network) => policy.networks.push(network),
                None if is_name => policy.names.push(entry),
                None => return Err(errors::outbound_settings(format!("outbound.allow: `{entry}` is neither a host nor a network"))),
            }
        }
        Ok(policy)
    }

    /// Whether a request to `host` may connect to `address`; otherwise why not.
    pub(super) fn permits(&self, host: &str, address: IpAddr) -> std::result::Result<(), String> {
        let address = address.to_canonical();
        let is_permitted = match Zone::of(address) {
            Zone::Public => true,
            // A listed name vouches for private networks. Credentials of the machine need the address itself listed.
            Zone::Private => self.lists_name(host) || self.lists(address),
            Zone::Link => self.lists(address),
            Zone::Nowhere => false,
        };
        if is_permitted {
            return Ok(());
        }
        // Whoever names the host may not learn from us where it is: for the operator that stands in the log.
        tracing::info!(host, %address, "an outbound request was refused: the address is not public");
        Err(format!("`{host}` is not at a public address; add it to backends.outbound.allow if that is intended"))
    }

    fn lists(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    fn lists_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.names.iter().any(|name| if name.starts_with('.') { host.ends_with(name) } else { host == *name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(text: &str) -> Zone {
        Zone::of(text.parse().unwrap())
    }

    #[test]
    fn only_the_internet_is_public() {
        for public in ["8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert_eq!(zone(public), Zone::Public, "{public}");
        }
        for private in
            ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1"]
        {
            assert_eq!(zone(private), Zone::Private, "{private}");
        }
        for link in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "::ffff:169.254.169.254"] {
            assert_eq!(zone(link), Zone::Link, "{link}");
        }
        for nowhere in [
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "::",
            "ff02::1",
            "2002:7f00:1::",
            "2001:0:1::",
            "::7f00:1",
            "2001:db8::1",
        ] {
            assert_eq!(zone(nowhere), Zone::Nowhere, "{nowhere}");
        }
    }

    #[test]
    fn a_listed_name_does_not_open_the_way_to_machine_credentials() {
        let policy = Policy::new(&["jira.corp".to_owned(), ".lab.example".to_owned(), "10.9.0.0/16".to_owned()]).unwrap();
        let may = |host: &str, address: &str| policy.permits(host, address.parse().unwrap()).is_ok();
        assert!(may("jira.corp", "10.0.0.1"));
        assert!(may("JIRA.corp.", "10.0.0.1"));
        assert!(may("a.lab.example", "192.168.0.1"));
        assert!(may("other.example", "10.9.3.4"));
        assert!(may("other.example", "::ffff:10.9.3.4"));
        assert!(!may("lab.example.evil", "192.168.0.1"));
        assert!(!may("other.example", "10.0.0.1"));
        assert!(!may("jira.corp", "169.254.169.254"));
        assert!(!may("jira.corp", "0.0.0.0"));
        let told = policy.permits("internal.example", "10.0.0.1".parse().unwrap()).unwrap_err();
        assert!(told.contains("internal.example") && !told.contains("10.0.0.1"), "{told}");
        assert!(Policy::new(&["http://x".to_owned()]).is_err());
    }
}
