//! `.nessus`: hosts with their properties, and under each what plugins reported.

use super::policy::{Policy, SCAN_INFORMATION, is_remote, logged_in, tried_all_ports};
use super::{EXPECTED, SOURCE, describe, exploited, lost_access, severity};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::identity;
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Service, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

const TIMES: [&str; 2] = ["%a %b %d %H:%M:%S %Y", "%a %b %e %H:%M:%S %Y"];
const SERVICES: usize = 2 << 16;

/// The host being read.
#[derive(Default)]
struct Scanned {
    host: Host,
    /// Address of a web application.
    url: Option<String>,
    observed_at: Option<String>,
    finished: bool,
    policy: Policy,
    /// Whether the scan says that it logged in.
    logged_in: bool,
    /// Whether it says that it tried every port.
    tried_all_ports: bool,
    lost_access: bool,
    services: Vec<Service>,
}

pub(super) fn read(source: &mut dyn std::io::Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["NessusClientData_v2", "NessusClientData"], EXPECTED)?;
    let old = root.name() == "NessusClientData";
    let mut policy = Policy::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "Report" => {}
            "Policy" => {
                policy = Policy::read(&mut xml)?;
                continue;
            }
            _ => {
                xml.skip()?;
                continue;
            }
        }
        while let Some(tag) = xml.child()? {
            match tag.name() {
                "ReportHost" => host(&mut xml, &tag, (old, policy), out)?,
                _ => xml.skip()?,
            }
        }
    }
    Ok(())
}

fn host(xml: &mut Xml<'_>, tag: &Tag, (old, policy): (bool, Policy), out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut scanned = Scanned { finished: old, policy, ..Scanned::default() };
    if let Some(name) = tag.get("name") {
        meet(&mut scanned, name);
    }
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "HostProperties" => properties(&xml.node(tag)?, &mut scanned),
            "HostName" => meet(&mut scanned, xml.node(tag)?.text.trim()),
            "stopTime" => scanned.observed_at = dialects::moment(&xml.node(tag)?.text, &TIMES),
            "ReportItem" => {
                out.gauge().next_record();
                let node = xml.node(tag)?;
                item(&node, &mut scanned, out)?;
            }
            _ => xml.skip()?,
        }
    }
    leave(scanned, out)
}

fn meet(scanned: &mut Scanned, name: &str) {
    scanned.host.add(name);
    if name.contains("://") {
        scanned.url.get_or_insert_with(|| name.to_owned());
    }
}

fn properties(node: &Node, scanned: &mut Scanned) {
    for tag in node.all("tag") {
        let value = tag.text.trim();
        match tag.get("name") {
            Some("host-ip" | "host-fqdn" | "host-rdns") => meet(scanned, value),
            Some("HOST_END") => {
                scanned.finished = true;
                scanned.observed_at = dialects::moment(value, &TIMES).or_else(|| scanned.observed_at.take());
            }
            Some("HOST_END_TIMESTAMP") => {
                scanned.finished = true;
                scanned.observed_at = vocabulary::epoch(value).or_else(|| scanned.observed_at.take());
            }
            Some("HOST_START") => scanned.observed_at = scanned.observed_at.take().or_else(|| dialects::moment(value, &TIMES)),
            _ => {}
        }
    }
}

/// Port and protocol of the first generation: `www (80/tcp)`, `general/tcp`.
fn spoken(text: &str) -> (Option<u16>, Option<&str>, Option<&str>) {
    let (service, rest) = text.split_once('(').map_or((None, text), |(service, rest)| (Some(service.trim()), rest));
    let (port, protocol) = rest.trim_end_matches(')').split_once('/').unwrap_or((rest, "tcp"));
    (port.trim().parse().ok(), Some(protocol.trim()), service)
}

fn item(node: &Node, scanned: &mut Scanned, out: &mut Output<'_>) -> Result<(), ParseError> {
    let text = |name: &str| node.get(name).or_else(|| node.child_text(name));
    let Some(plugin) = text("pluginID").filter(|_| !scanned.host.is_unknown()) else {
        return out.skip(out.position(), "report item without plugin or of no host");
    };
    let (port, protocol, service) = match node.get("port") {
        Some(port) => (port.parse().ok(), node.get("protocol"), node.get("svc_name")),
        None => spoken(node.child_text("port").unwrap_or_default()),
    };
    scanned.lost_access |= lost_access(plugin);
    let service = service.map(|name| name.trim_end_matches('?')).filter(|name| !matches!(*name, "" | "general" | "unknown"));
    let mut location = Location { service: service.map(str::to_owned), ..scanned.host.at(protocol, port) };
    let check = format!("tenable:{plugin}");
    let mut keys = scanned.host.keys(&location, &check);
    let output = node.child_text("plugin_output").or_else(|| node.child_text("data"));
    if let Some(output) = output.filter(|_| plugin == SCAN_INFORMATION) {
        scanned.logged_in |= logged_in(output);
        scanned.tried_all_ports |= tried_all_ports(output);
    }
    if let Some(origin) = &scanned.url {
        let (url, parameter) = output.map(exploited).unwrap_or_default();
        let url = url.unwrap_or(origin);
        let path = url::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        keys = vec![identity::web(url, &check, None, &path, parameter)];
        location.url = Some(url.to_owned());
        location.parameter = parameter.map(str::to_owned);
    }
    serve(scanned, &location);
    let rated = severity(text("severity").unwrap_or_default());
    let scored = node.child_text("cvss3_base_score").and_then(|score| score.parse().ok()).map(Severity::from_score);
    let all = |name: &'static str| node.all(name).map(|child| child.text.trim()).filter(|text| !text.is_empty());
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        check,
        title: text("pluginName").unwrap_or(plugin).to_owned(),
        remediation: node.child_text("solution").filter(|text| !text.eq_ignore_ascii_case("n/a")).map(str::to_owned),
        severity: scored.unwrap_or(rated),
        cvss: ["cvss4_vector", "cvss3_vector", "cvss_vector"]
            .into_iter()
            .filter_map(|name| node.child_text(name))
            .find_map(dialects::vector),
        cwes: all("cwe").chain(all("xref").filter_map(|text| text.strip_prefix("CWE:"))).filter_map(number).collect(),
        cves: all("cve").flat_map(vocabulary::cves).collect(),
        references: all("see_also").flat_map(dialects::addresses).chain(all("xref").map(str::to_owned)).collect(),
        tags: node.get("pluginFamily").map(str::to_owned).into_iter().collect(),
        keys,
        observed_at: scanned.observed_at.clone(),
        ..Observation::default()
    };
    location.component = node.child_text("cpe").and_then(|cpe| cpe.split_whitespace().find_map(dialects::product));
    observation.location = location;
    if node.child_text("exploit_available") == Some("true") {
        observation.tags.push("exploit".to_owned());
    }
    describe(&mut observation, node.child_text("synopsis"), node.child_text("description"));
    if let Some(output) = output {
        observation.evidence.push(out.evidence("plugin output", output));
    }
    let issue = [observation.severity.as_str().to_owned(), observation.title.clone()];
    out.observation(observation, &[&issue[0], &issue[1]])
}

fn number(text: &str) -> Option<u32> {
    text.trim_start_matches("CWE-").parse().ok()
}

fn serve(scanned: &mut Scanned, location: &Location) {
    let Some(port) = location.port else {
        return;
    };
    let protocol = location.protocol.clone().unwrap_or_else(|| "tcp".to_owned());
    let known = scanned.services.iter().rev().take(64).any(|service| service.port == port && service.protocol == protocol);
    if !known && scanned.services.len() < SERVICES {
        let name = location.service.clone();
        scanned.services.push(Service { port, protocol, state: "open".to_owned(), name, ..Service::default() });
    }
}

fn leave(scanned: Scanned, out: &mut Output<'_>) -> Result<(), ParseError> {
    if scanned.host.is_unknown() {
        return out.warn(out.position(), "host without address and name");
    }
    let mut told = |location, extent, status, reason: Option<&str>| {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location,
            extent,
            status,
            reason: reason.map(str::to_owned),
        })
    };
    let mut services = scanned.services;
    services.sort_by(|one, two| (one.port, &one.protocol).cmp(&(two.port, &two.protocol)));
    services.dedup_by(|one, two| one.port == two.port && one.protocol == two.protocol);
    // The policy of a web application has no logins to hosts.
    let has_login = scanned.logged_in && !scanned.lost_access;
    let is_whole = scanned.url.is_some() || has_login && scanned.tried_all_ports;
    let place = Location { url: scanned.url.clone(), ..scanned.host.location() };
    match (scanned.finished, scanned.policy.gap()) {
        (false, _) => told(place.clone(), Extent::Whole, CoverageStatus::Error, Some("no end of the host's scan is recorded"))?,
        (true, Some(gap)) => told(place.clone(), Extent::Whole, CoverageStatus::Skipped, Some(gap))?,
        (true, None) if is_whole => told(place.clone(), Extent::Whole, CoverageStatus::Done, None)?,
        (true, None) => {
            let reason = if has_login { "the scan did not try every port" } else { "the scan did not log in" };
            if has_login {
                told(place.clone(), Extent::Itself, CoverageStatus::Done, Some(reason))?;
            }
            for service in services.iter().filter(|service| has_login || is_remote(service)) {
                let place = scanned.host.at(Some(&service.protocol), Some(service.port));
                told(place, Extent::Whole, CoverageStatus::Done, Some(reason))?;
            }
        }
    }
    if scanned.lost_access {
        let reason = Some("a plugin reports that credentials did not work".to_owned());
        let (check_set, status) = ("tenable:local".to_owned(), CoverageStatus::AuthLost);
        out.coverage(Coverage { source: SOURCE.to_owned(), check_set, location: place, extent: Extent::Whole, status, reason })?;
    }
    let mut asset = scanned.host.asset(services);
    if let Some(url) = scanned.url {
        asset.kind = "web".to_owned();
        asset.identifiers.insert(0, ("url".to_owned(), identity::asset(&url)));
    }
    out.asset(asset)
}
