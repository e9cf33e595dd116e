//! Who counts as one where addresses are counted: a host of IPv4, a site of IPv6.

use std::net::{IpAddr, Ipv6Addr};

/// The address under which `ip` is counted: itself for IPv4, also where it was written as IPv6 (`::ffff:a.b.c.d`); the first address of
/// its /64 for IPv6, because one subscriber holds all of them (RFC 6177).
#[must_use]
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        host @ IpAddr::V4(_) => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_of_ipv6_counts_as_one_and_a_host_of_ipv4_as_itself() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
    }
}
