//! What findings of different tools have in common when they are about the same weakness. It links rows and changes none.

use importers::identity::{self, Field};
use importers::{Location, Observation};
use url::Url;

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

/// The name a finding shares with those of other tools about the same weakness of this target, and why.
pub(crate) fn cluster(target: &str, service: &str, observation: &Observation) -> Option<(String, String)> {
    let place = &observation.location;
    let vulnerability = observation.cves.iter().chain(&observation.aliases).min();
    let name = |scheme: &str, fields: &[Field<'_>]| {
        let mut all = vec![Field::Text(target), Field::Text(service)];
        all.extend_from_slice(fields);
        identity::key(scheme, 1, &all).digest
    };
    if let (Some(cve), Some(component)) = (vulnerability, &place.component) {
        let component = component.name.to_lowercase();
        let name = name("cluster.component", &[cve.as_str().into(), component.as_str().into()]);
        return Some((name, format!("{cve} in {component}")));
    }
    let asset = asset_of(place);
    if let (Some(cve), false) = (vulnerability, asset.is_empty()) {
        return Some((name("cluster.vulnerability", &[cve.as_str().into(), asset.as_str().into()]), format!("{cve} on {asset}")));
    }
    if let Some(canonical) = canonical(observation).filter(|_| !asset.is_empty()) {
        let port = port(place);
        let name = name("cluster.check", &[asset.as_str().into(), port.into(), canonical.into()]);
        return Some((name, format!("{canonical} on {asset}{}", port.map(|port| format!(":{port}")).unwrap_or_default())));
    }
    if let (Some(url), Some(cwe)) = (place.url.as_deref().and_then(|url| Url::parse(url).ok()), observation.cwes.first()) {
        let (site, path) = (identity::asset(&url.origin().ascii_serialization()), identity::path_template(url.path()));
        let parameter = place.parameter.as_deref();
        let fields = [site.as_str().into(), path.as_str().into(), parameter.into(), Field::Number(u64::from(*cwe))];
        return Some((name("cluster.endpoint", &fields), format!("CWE-{cwe} at {site}{path}")));
    }
    if let (Some(file), Some(line), Some(cwe)) = (&place.file, place.line, observation.cwes.first()) {
        let fields = [file.as_str().into(), Field::Number(u64::from(line)), Field::Number(u64::from(*cwe))];
        return Some((name("cluster.line", &fields), format!("CWE-{cwe} at {file}:{line}")));
    }
    None
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
}
