//! What findings of different tools have in common when they are about the same weakness. It links rows and changes none.

use importers::identity::{self, Field};
use importers::{Location, Observation};
use url::Url;

use crate::link::is_single;
use crate::model::asset_of;

/// Weaknesses of a service under the many names tools give them: the words of check or title, all of one list, and our name.
const CANONICAL: &[(&[&[&str]], &str)] = &[
    (&[&["cert", "expired"], &["ssl", "expired"]], "certificate-expired"),
    (&[&["self", "signed"]], "certificate-self-signed"),
    (&[&["cert", "mismatch"], &["hostname", "mismatch"], &["cert", "wrong", "host"]], "certificate-name-mismatch"),
    (&[&["sslv2"], &["ssl", "version", "2"]], "protocol-ssl2"),
    (&[&["sslv3"], &["ssl3"], &["poodle"]], "protocol-ssl3"),
    (&[&["tlsv1.0"], &["tls1.0"], &["tls", "1.0"], &["tls1_0"]], "protocol-tls10"),
    (&[&["tlsv1.1"], &["tls1.1"], &["tls", "1.1"], &["tls1_1"]], "protocol-tls11"),
    (&[&["heartbleed"]], "heartbleed"),
    (&[&["sweet32"], &["3des"]], "cipher-3des"),
    (&[&["rc4"]], "cipher-rc4"),
    (&[&["null", "cipher"]], "cipher-null"),
    (&[&["anonymous", "ftp"]], "ftp-anonymous"),
    (&[&["strict-transport-security"], &["hsts"]], "header-hsts"),
    (&[&["content-security-policy"], &["csp", "header"]], "header-csp"),
    (&[&["x-frame-options"], &["clickjacking"]], "header-frame-options"),
    (&[&["x-content-type-options"]], "header-content-type-options"),
];

/// Weakness classes that say so little that two findings of one need not have anything to do with each other.
const VAGUE: &[u32] = &[
    16, 17, 18, 19, 20, 74, 199, 200, 254, 255, 264, 265, 284, 310, 388, 389, 399, 485, 664, 682, 691, 693, 697, 703, 707, 710, 829, 933,
    937, 1035, 1104,
];

/// Weakness classes that tools use for one another: the one in use, and the one meant.
const MEANT: &[(u32, u32)] = &[
    (23, 22),
    (24, 22),
    (25, 22),
    (35, 22),
    (36, 22),
    (77, 78),
    (80, 79),
    (81, 79),
    (83, 79),
    (84, 79),
    (85, 79),
    (86, 79),
    (87, 79),
    (88, 78),
    (95, 94),
    (96, 94),
    (321, 798),
    (259, 798),
    (564, 89),
];

/// A vulnerability by the name its group goes by, and what else it is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) name: String,
    pub(crate) also: Vec<String>,
}

impl Flaw {
    /// What an observation says by itself: its first CVE, else the first name that means one vulnerability, else any.
    fn of(observation: &Observation) -> Option<Self> {
        let aliases = || observation.aliases.iter().map(|name| name.to_uppercase());
        let cve = observation.cves.iter().map(|name| name.to_uppercase()).min();
        let name = cve.or_else(|| aliases().filter(|name| is_single(name)).min()).or_else(|| aliases().min())?;
        Some(Self { name, also: Vec::new() })
    }
}

/// The name a finding shares with those of other tools about the same weakness of this target, and why.
pub(crate) fn cluster(target: &str, service: &str, observation: &Observation) -> Option<(String, String)> {
    cluster_of(target, service, observation, Flaw::of(observation).as_ref())
}

/// The same, for a vulnerability whose group is known.
pub(crate) fn cluster_of(target: &str, service: &str, observation: &Observation, flaw: Option<&Flaw>) -> Option<(String, String)> {
    let place = &observation.location;
    let name = |scheme: &str, fields: &[Field<'_>]| {
        let mut all = vec![Field::Text(target), Field::Text(service)];
        all.extend_from_slice(fields);
        identity::key(scheme, 1, &all).digest
    };
    let called = |flaw: &Flaw| if flaw.also.is_empty() { flaw.name.clone() } else { format!("{} ({})", flaw.name, flaw.also.join(", ")) };
    if let (Some(flaw), Some(component)) = (flaw, &place.component) {
        let component = component.short_name();
        let name = name("cluster.component", &[flaw.name.as_str().into(), component.as_str().into()]);
        return Some((name, format!("{} in {component}", called(flaw))));
    }
    let asset = asset_of(place);
    if let (Some(flaw), false) = (flaw, asset.is_empty()) {
        let name = name("cluster.vulnerability", &[flaw.name.as_str().into(), asset.as_str().into()]);
        return Some((name, format!("{} on {asset}", called(flaw))));
    }
    if let Some(canonical) = canonical(observation).filter(|_| !asset.is_empty()) {
        let port = port(place);
        let name = name("cluster.check", &[asset.as_str().into(), port.into(), canonical.into()]);
        return Some((name, format!("{canonical} on {asset}{}", port.map(|port| format!(":{port}")).unwrap_or_default())));
    }
    let weakness = weakness(&observation.cwes)?;
    if let Some(url) = place.url.as_deref().and_then(|url| Url::parse(url).ok()) {
        let (site, path) = (identity::asset(&url.origin().ascii_serialization()), identity::path_template(url.path()));
        let parameter = place.parameter.as_deref();
        let fields = [site.as_str().into(), path.as_str().into(), parameter.into(), Field::Number(u64::from(weakness))];
        let of = parameter.map(|parameter| format!(", parameter {parameter}")).unwrap_or_default();
        return Some((name("cluster.endpoint", &fields), format!("CWE-{weakness} at {site}{path}{of}")));
    }
    if let (Some(file), Some(line)) = (&place.file, place.line) {
        let fields = [file.as_str().into(), Field::Number(u64::from(line)), Field::Number(u64::from(weakness))];
        return Some((name("cluster.line", &fields), format!("CWE-{weakness} at {file}:{line}")));
    }
    None
}

/// The weakness class that is meant; none when all that is said is vague.
fn weakness(cwes: &[u32]) -> Option<u32> {
    let meant = |cwe: u32| MEANT.iter().find(|(used, _)| *used == cwe).map_or(cwe, |(_, meant)| *meant);
    cwes.iter().filter(|cwe| !VAGUE.contains(cwe)).map(|cwe| meant(*cwe)).min()
}

fn canonical(observation: &Observation) -> Option<&'static str> {
    let words = format!("{} {}", observation.check, observation.title).to_lowercase();
    let is_meant = |lists: &[&[&str]]| lists.iter().any(|list| list.iter().all(|word| words.contains(word)));
    CANONICAL.iter().find(|(lists, _)| is_meant(lists)).map(|(_, name)| *name)
}

fn port(place: &Location) -> Option<u16> {
    place.port.or_else(|| Url::parse(place.url.as_deref()?).ok()?.port_or_known_default())
}

#[cfg(test)]
mod tests {
    use importers::Component;

    use super::*;

    #[test]
    fn two_tools_with_the_same_weakness_meet_and_other_weaknesses_do_not() {
        let package = |tool: &str, cve: &str| Observation {
            source: tool.into(),
            cves: vec![cve.into()],
            location: Location { component: Some(Component { name: "Log4j-core".into(), ..Component::default() }), ..Location::default() },
            ..Observation::default()
        };
        let name = |observation: &Observation| cluster("t", "", observation).map(|(name, _)| name);
        assert_eq!(name(&package("trivy", "CVE-2021-44228")), name(&package("grype", "CVE-2021-44228")));
        assert_ne!(name(&package("trivy", "CVE-2021-44228")), name(&package("grype", "CVE-2021-45046")));
        let tls = |check: &str, title: &str, port: u16| Observation {
            check: check.into(),
            title: title.into(),
            location: Location { ip: Some("192.0.2.1".into()), port: Some(port), ..Location::default() },
            ..Observation::default()
        };
        assert_eq!(name(&tls("ssl-cert:expired", "x", 443)), name(&tls("tls.expired", "Certificate has expired", 443)));
        assert_ne!(name(&tls("ssl-cert:expired", "x", 443)), name(&tls("ssl-cert:expired", "x", 8443)));
    }

    #[test]
    fn the_same_endpoint_and_class_meet_and_a_vague_class_makes_nobody_meet() {
        let page = |cwes: &[u32], url: &str, parameter: &str| Observation {
            cwes: cwes.to_vec(),
            location: Location { url: Some(url.into()), parameter: Some(parameter.into()), ..Location::default() },
            ..Observation::default()
        };
        let name = |observation: &Observation| cluster("t", "", observation);
        let one = name(&page(&[79], "https://shop.example/item/7?q=1", "q")).unwrap();
        assert_eq!(one.1, "CWE-79 at https://shop.example/item/{number}, parameter q");
        assert_eq!(name(&page(&[20, 80], "https://shop.example/item/8", "q")), Some(one.clone()));
        assert_ne!(name(&page(&[79], "https://shop.example/item/8", "r")), Some(one.clone()));
        assert_ne!(name(&page(&[89], "https://shop.example/item/8", "q")), Some(one));
        assert_eq!(name(&page(&[200, 693], "https://shop.example/", "q")), None);
    }
}
