//! Permits: an authorisation as a running scan carries it, asked for every address and URL it is about to touch.
//! Invariant: exclusions win, and a name never opens the way to an address that is not public unless a rule lists it.

use std::net::{IpAddr, SocketAddr};

use base::{TenantId, Time};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::address::{Address, is_public, normal_name};
use crate::authorization::{Authorization, AuthorizationId};
use crate::model::Target;
use crate::rule::Rule;
use crate::vocabulary::Intrusiveness;

/// What a scan may touch, by whose authorisation and until when; obtained from `Targets::permit` only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// The target it was given for.
    pub target: Target,
    /// The tenant of target and authorisation.
    pub tenant: TenantId,
    /// The authorisation it stands on.
    pub authorization: AuthorizationId,
    /// From when on.
    pub valid_from: Time,
    /// Until when, this moment excluded.
    pub valid_until: Time,
    /// How far tests may go.
    pub intrusiveness: Intrusiveness,
    rules: Vec<Rule>,
    exclusions: Vec<Rule>,
}

impl Permit {
    pub(crate) fn new(target: Target, tenant: TenantId, authorization: &Authorization) -> Self {
        Self {
            target,
            tenant,
            authorization: authorization.id,
            valid_from: authorization.valid_from,
            valid_until: authorization.valid_until,
            intrusiveness: authorization.intrusiveness,
            rules: authorization.rules.clone(),
            exclusions: authorization.exclusions.clone(),
        }
    }

    /// Whether all ports of `ip` may be touched now; `names` are the host names being scanned that resolved to it.
    ///
    /// # Errors
    /// The reason, in words, why not.
    pub fn allows_address(&self, ip: IpAddr, names: &[String], now: Time) -> Result<(), String> {
        self.allows(ip, None, names, now)
    }

    /// Whether this address and port may be touched now; `names` as for [`Permit::allows_address`].
    ///
    /// # Errors
    /// The reason, in words, why not.
    pub fn allows_socket(&self, socket: SocketAddr, names: &[String], now: Time) -> Result<(), String> {
        self.allows(socket.ip(), Some(socket.port()), names, now)
    }

    /// Whether this URL may be requested now; the address behind it is asked for apart.
    ///
    /// # Errors
    /// The reason, in words, why not.
    pub fn allows_url(&self, url: &Url, now: Time) -> Result<(), String> {
        self.in_period(now)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("`{}` is not a scheme that may be tested", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with credentials is never requested".to_owned());
        }
        let Some(host) = url.host() else { return Err(format!("`{url}` names no host")) };
        let ip = crate::address::host_ip(&host);
        let name = match host {
            Host::Domain(name) => Some(normal_name(name).map_err(|error| error.detail().to_owned())?),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        };
        let touches = |rule: &Rule| {
            rule.port().is_none() && (name.as_deref().is_some_and(|name| rule.names(name)) || ip.is_some_and(|ip| rule.lists(ip)))
        };
        if self.exclusions.iter().any(|rule| touches(rule) || rule.excludes_url(url)) {
            return Err(format!("`{url}` is excluded by the authorisation"));
        }
        // The target's own name may be covered by the network it is in: the address decides then.
        let is_own_name = name.is_some()
            && name == self.target.endpoint().as_ref().and_then(Address::name)
            && self.rules.iter().any(|rule| matches!(rule, Rule::Ip(_) | Rule::Cidr(_)));
        if is_own_name || self.rules.iter().any(|rule| touches(rule) || rule.contains_url(url)) {
            return Ok(());
        }
        Err(format!("`{url}` is outside what the authorisation covers"))
    }

    /// The only ports any rule speaks of, or `None` when some rule speaks of all ports.
    #[must_use]
    pub fn ports(&self) -> Option<Vec<u16>> {
        let mut ports = self.rules.iter().map(Rule::port).collect::<Option<Vec<u16>>>()?;
        ports.sort_unstable();
        ports.dedup();
        Some(ports)
    }

    /// Whether anything may be touched now.
    ///
    /// # Errors
    /// The reason, in words, why not.
    pub fn in_period(&self, now: Time) -> Result<(), String> {
        if now < self.valid_from {
            return Err(format!("the authorisation begins at {}", self.valid_from));
        }
        if now >= self.valid_until {
            return Err(format!("the authorisation ended at {}", self.valid_until));
        }
        Ok(())
    }

    fn allows(&self, ip: IpAddr, port: Option<u16>, names: &[String], now: Time) -> Result<(), String> {
        self.in_period(now)?;
        let ip = ip.to_canonical();
        let names: Vec<String> = names.iter().filter_map(|name| normal_name(name).ok()).collect();
        let is_named = |rule: &Rule| names.iter().any(|name| rule.names(name));
        // An excluded URL closes its path, not its port: `allows_url` holds that part.
        if self.exclusions.iter().any(|rule| rule.port().is_none() && (rule.lists(ip) || is_named(rule))) {
            return Err(format!("{ip} is excluded by the authorisation"));
        }
        let fits = |rule: &&Rule| rule.port().is_none_or(|own| port == Some(own));
        if self.rules.iter().filter(fits).any(|rule| rule.lists(ip)) {
            return Ok(());
        }
        if !self.rules.iter().filter(fits).any(is_named) {
            let place = port.map_or_else(|| ip.to_string(), |port| SocketAddr::new(ip, port).to_string());
            return Err(format!("{place} is outside what the authorisation covers"));
        }
        if !is_public(ip) {
            return Err(format!(
                "`{}` resolved to {ip}, which is not a public address: the authorisation must list the address itself",
                names.join(", ")
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::NewAuthorization;
    use crate::model::{NewTarget, TargetId};
    use crate::rule::{RuleKind, RuleText};
    use crate::vocabulary::TargetKind;
    use proptest::prelude::*;

    fn permit(address: &str, rules: &[(RuleKind, &str)], exclusions: &[(RuleKind, &str)]) -> Permit {
        let id = uuid::Uuid::from_u128(1);
        let kind = if address.contains("://") { TargetKind::Web } else { TargetKind::Host };
        let target = NewTarget::named(address, kind).build(TargetId::from_uuid(id), Time::default()).unwrap();
        let texts =
            |rules: &[(RuleKind, &str)]| rules.iter().map(|(kind, value)| RuleText { kind: *kind, value: (*value).into() }).collect();
        let mut new = NewAuthorization::for_target(target.id, "Ana", "x", Time::from_seconds(200));
        new.valid_from = Some(Time::from_seconds(100));
        new.rules = texts(rules);
        new.exclusions = texts(exclusions);
        let granted = new.build(AuthorizationId::from_uuid(id), Some(&target), None, Time::default()).unwrap();
        Permit::new(target, TenantId::from_uuid(id), &granted)
    }

    fn now() -> Time {
        Time::from_seconds(150)
    }

    fn may(permit: &Permit, ip: &str, names: &[&str]) -> bool {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        permit.allows_address(ip.parse().unwrap(), &names, now()).is_ok()
    }

    fn may_url(permit: &Permit, url: &str) -> bool {
        permit.allows_url(&url.parse().unwrap(), now()).is_ok()
    }

    #[test]
    fn a_name_never_opens_the_way_inside() {
        let rules = [(RuleKind::Host, "shop.example")];
        let by_name = permit("shop.example", &rules, &[]);
        assert!(may(&by_name, "1.1.1.1", &["Shop.Example."]));
        assert!(!may(&by_name, "1.1.1.1", &["other.example"]) && !may(&by_name, "1.1.1.1", &[]));
        for inside in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "fd00::1"] {
            assert!(!may(&by_name, inside, &["shop.example"]), "{inside}");
        }
        let listed = permit("shop.example", &[rules[0], (RuleKind::Cidr, "10.0.0.0/24")], &[]);
        assert!(may(&listed, "10.0.0.9", &["shop.example"]) && !may(&listed, "10.0.1.9", &["shop.example"]));
    }

    #[test]
    fn loopback_is_touched_only_when_listed() {
        assert!(may(&permit("localhost", &[], &[]), "127.0.0.53", &["localhost"]));
        assert!(may(&permit("localhost", &[], &[]), "::1", &[]));
        let one = permit("127.0.0.1", &[], &[]);
        assert!(may(&one, "127.0.0.1", &[]) && may(&one, "::ffff:127.0.0.1", &[]));
        assert!(!may(&one, "127.0.0.2", &[]) && !may(&one, "::1", &[]));
    }

    #[test]
    fn the_period_holds_to_the_microsecond() {
        let one = permit("127.0.0.1", &[], &[]);
        let asked = |micros: i64| one.allows_address("127.0.0.1".parse().unwrap(), &[], Time::from_micros(micros));
        assert!(asked(99_999_999).unwrap_err().contains("begins"));
        assert!(asked(100_000_000).is_ok() && asked(199_999_999).is_ok());
        assert!(asked(200_000_000).unwrap_err().contains("ended at 1970-01-01T00:03:20Z"));
    }

    #[test]
    fn a_url_prefix_opens_its_port_only() {
        let web = permit("https://127.0.0.1:8443/app", &[], &[]);
        assert_eq!(web.ports(), Some(vec![8443]));
        let socket = |text: &str| web.allows_socket(text.parse().unwrap(), &[], now()).is_ok();
        assert!(socket("127.0.0.1:8443") && !socket("127.0.0.1:22") && !may(&web, "127.0.0.1", &[]));
        assert!(may_url(&web, "https://127.0.0.1:8443/app/x") && !may_url(&web, "https://127.0.0.1:8443/other"));
        assert_eq!(permit("https://127.0.0.1/", &[], &[]).ports(), None);
    }

    #[test]
    fn a_redirect_stays_inside() {
        let web = permit("https://shop.example/", &[], &[(RuleKind::UrlPrefix, "https://shop.example/logout")]);
        assert!(may_url(&web, "https://shop.example/a") && may_url(&web, "http://SHOP.example:8080/"));
        for outside in [
            "https://evil.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://user:pw@shop.example/",
            "ftp://shop.example/",
            "https://shop.example/logout",
            "http://127.0.0.1/",
            "https://shop.example/LOGOUT/x",
        ] {
            assert!(!may_url(&web, outside), "{outside}");
        }
        let by_network = permit("intranet.example", &[(RuleKind::Cidr, "10.0.0.0/8"), (RuleKind::Host, "intranet.example")], &[]);
        assert!(may_url(&by_network, "http://intranet.example/") && may_url(&by_network, "http://10.2.3.4/"));
        assert!(!may_url(&by_network, "http://other.example/"));
    }

    proptest! {
        #[test]
        fn an_exclusion_only_ever_takes_away(ip in any::<[u8; 4]>(), prefix in 0_u8..=32, excluded in any::<[u8; 4]>(), named in any::<bool>()) {
            let ip = IpAddr::from(ip);
            let excluded = format!("{}/{prefix}", IpAddr::from(excluded));
            let rules = [(RuleKind::Host, "a.example"), (RuleKind::Cidr, "0.0.0.0/1")];
            let names: Vec<String> = named.then(|| "a.example".to_owned()).into_iter().collect();
            let open = permit("a.example", &rules, &[]);
            let closed = permit("a.example", &rules, &[(RuleKind::Cidr, &excluded)]);
            let inside: ipnet::IpNet = excluded.parse().unwrap();
            prop_assert!(!(inside.contains(&ip) && closed.allows_address(ip, &names, now()).is_ok()));
            if closed.allows_address(ip, &names, now()).is_ok() {
                prop_assert!(open.allows_address(ip, &names, now()).is_ok());
            }
        }

        #[test]
        fn a_permit_reads_back_as_it_was_written(port in 1_u16..) {
            let url = format!("https://127.0.0.1:{port}/app");
            let permit = permit(&url, &[], &[(RuleKind::Host, "x.example")]);
            let json = serde_json::to_string(&permit).unwrap();
            prop_assert_eq!(serde_json::from_str::<Permit>(&json).unwrap(), permit);
        }
    }
}
