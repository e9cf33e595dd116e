//! nmap XML (`-oX`): an asset per host, an observation per open port and per CVE that the
//! `vulners` script names, coverage for what was and was not answered.

mod port;

use std::io::Read;

use crate::errors::ParseError;
use crate::identity;
use crate::model::{Asset, Coverage, CoverageStatus, Extent, IdentityKey, Location, Observation, Service, Severity};
use crate::output::Output;
use crate::ports::PortList;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

const SOURCE: &str = "nmap";
const OPEN_PORT: &str = "nmap:open-port";
/// Scan types of a run.
const SCANS: usize = 16;
/// Length of a host name in the DNS.
const NAME: usize = 255;
const NAMES: usize = 64;
/// Every port of two protocols.
const SERVICES: usize = 2 << 16;

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Nmap, id: "nmap", source: SOURCE, label: "nmap XML", schemes: &["network", "network.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    (head.root() == Some("nmaprun")).then_some(Confidence::Certain)
}

/// What the run says before its hosts.
#[derive(Default)]
struct Run {
    started: Option<String>,
    /// Protocol and port list of every scan type.
    scans: Vec<(String, PortList)>,
}

/// What is known of the host being read.
#[derive(Default)]
struct Host {
    ip: Option<String>,
    mac: Option<String>,
    /// Name the user gave, if the target was named.
    asked: Option<String>,
    /// Other names, the resolved ones first.
    names: Vec<String>,
    up: bool,
    reason: Option<String>,
    timed_out: bool,
    observed_at: Option<String>,
    system: Option<String>,
    services: Vec<Service>,
}

impl Host {
    fn name(&self) -> Option<String> {
        self.asked.clone().or_else(|| self.names.first().cloned())
    }

    fn location(&self) -> Location {
        Location { host: self.name(), ip: self.ip.clone(), ..Location::default() }
    }

    /// Names the host is known again by: address, then the name asked for, else any other.
    fn assets(&self) -> Vec<&str> {
        let firm: Vec<&str> = [self.ip.as_deref(), self.asked.as_deref()].into_iter().flatten().collect();
        if firm.is_empty() { self.names.first().map(String::as_str).into_iter().collect() } else { firm }
    }

    fn keys(&self, protocol: &str, port: Option<u16>, check: &str) -> Vec<IdentityKey> {
        let assets = self.assets();
        let exact = assets.iter().map(|asset| identity::network(asset, protocol, port, check));
        let moved = assets.iter().map(|asset| identity::network_moved(asset, protocol, check));
        exact.chain(moved).collect()
    }

    fn serve(&mut self, service: Service) {
        if self.services.len() < SERVICES {
            self.services.push(service);
        }
    }

    /// An observation about this host with everything but its own text.
    fn observation(&self, check: &str, protocol: &str, port: Option<u16>) -> Observation {
        Observation {
            source: SOURCE.to_owned(),
            check: check.to_owned(),
            location: Location { port, protocol: Some(protocol.to_owned()), ..self.location() },
            keys: self.keys(protocol, port, check),
            observed_at: self.observed_at.clone(),
            ..Observation::default()
        }
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let mut next = Some(xml.root(&["nmaprun"], "nmap XML")?);
    // `--append-output` writes one document behind the other.
    while let Some(root) = next {
        scan(&mut xml, &root, out)?;
        next = xml.further(&["nmaprun"])?;
    }
    Ok(())
}

fn scan(xml: &mut Xml<'_>, root: &Tag, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut run = Run { started: root.get("start").and_then(vocabulary::epoch), scans: Vec::new() };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "scaninfo" => {
                if run.scans.len() < SCANS {
                    let ports = tag.get("services").map_or_else(PortList::unknown, PortList::from);
                    run.scans.push((tag.get("protocol").unwrap_or("tcp").to_owned(), ports));
                }
                xml.skip()?;
            }
            "host" => host(xml, &tag, &run, out)?,
            "runstats" => finish(&xml.node(tag)?, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn finish(stats: &Node, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(finished) = stats.first("finished") else {
        return Ok(());
    };
    if finished.get("exit").is_none_or(|exit| exit == "success") {
        return Ok(());
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: OPEN_PORT.to_owned(),
        location: Location::default(),
        extent: Extent::Whole,
        status: CoverageStatus::Error,
        reason: finished.get("errormsg").or(finished.get("summary")).map(str::to_owned),
    })
}

fn host(xml: &mut Xml<'_>, tag: &Tag, run: &Run, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    let mut host = Host {
        up: true,
        timed_out: tag.is("timedout", "true"),
        observed_at: tag.get("endtime").or(tag.get("starttime")).and_then(vocabulary::epoch).or_else(|| run.started.clone()),
        ..Host::default()
    };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "status" => {
                host.up = !tag.is("state", "down");
                host.reason = tag.get("reason").map(str::to_owned);
                xml.skip()?;
            }
            "address" => {
                let address = tag.get("addr").map(identity::asset);
                match tag.get("addrtype") {
                    Some("mac") => host.mac = address,
                    Some("ipv4") => host.ip = address,
                    _ => host.ip = host.ip.take().or(address),
                }
                xml.skip()?;
            }
            "hostnames" => names(xml, &mut host)?,
            "ports" => ports(xml, &mut host, out)?,
            "os" => host.system = system(&xml.node(tag)?),
            "hostscript" => {
                let scripts = xml.node(tag)?;
                if out.judges() && !host.assets().is_empty() {
                    port::vulnerable_scripts(&scripts, &host, "host", None, out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    leave(host, run, out)
}

fn names(xml: &mut Xml<'_>, host: &mut Host) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        if let Some(name) = tag.get("name").filter(|name| name.len() <= NAME).map(identity::asset) {
            if tag.is("type", "user") && host.asked.is_none() {
                host.asked = Some(name);
            } else if host.names.len() < NAMES && !host.names.contains(&name) {
                host.names.push(name);
            }
        }
        xml.skip()?;
    }
    Ok(())
}

fn ports(xml: &mut Xml<'_>, host: &mut Host, out: &mut Output<'_>) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "port" => port::read(&xml.node(tag)?, host, out)?,
            "extraports" => unanswered(&xml.node(tag)?, host, out)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

/// Ports nmap only counts, once for each reason; those that never answered were not really tested.
fn unanswered(extra: &Node, host: &Host, out: &mut Output<'_>) -> Result<(), ParseError> {
    let state = extra.get("state").unwrap_or_default();
    if !state.contains("filtered") {
        return Ok(());
    }
    let mut told = |why: Option<&Node>| {
        let detail = |name| why.and_then(|why| why.get(name));
        let count = detail("count").or(extra.get("count")).unwrap_or("some");
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: OPEN_PORT.to_owned(),
            location: Location { protocol: detail("proto").map(str::to_owned), ..host.location() },
            // Older versions name no ports here.
            extent: Extent::Ports(detail("ports").filter(|ports| !ports.is_empty()).map_or_else(PortList::unknown, PortList::from)),
            status: CoverageStatus::Skipped,
            reason: Some(match detail("reason") {
                Some(why) => format!("{count} ports {state} ({why})"),
                None => format!("{count} ports {state}"),
            }),
        })
    };
    let mut reasons = extra.all("extrareasons").peekable();
    match reasons.peek() {
        Some(_) => reasons.try_for_each(|why| told(Some(why))),
        None => told(None),
    }
}

fn system(os: &Node) -> Option<String> {
    let best = os.all("osmatch").next()?;
    Some(match best.get("accuracy") {
        Some(accuracy) => format!("{} ({accuracy} %)", best.get("name")?),
        None => best.get("name")?.to_owned(),
    })
}

/// What can be said once the host is complete: its asset and what was covered on it.
fn leave(host: Host, run: &Run, out: &mut Output<'_>) -> Result<(), ParseError> {
    if host.assets().is_empty() {
        return out.skip(out.position(), "host without address and name");
    }
    let location = host.location();
    if let Some(system) = host.system.as_deref().filter(|_| out.judges()) {
        let check = "nmap:operating-system";
        let mut observation = host.observation(check, "ip", None);
        observation.title = format!("Operating system: {system}");
        observation.description = "Guessed from how the host answers on the network.".to_owned();
        observation.severity = Severity::Info;
        observation.confidence = 50;
        out.observation(observation, &[check, system])?;
    }
    let (status, reason) = if !host.up {
        let reason = host.reason.as_deref().unwrap_or("no answer");
        (CoverageStatus::Skipped, Some(format!("host down: {reason}")))
    } else if host.timed_out {
        (CoverageStatus::Timeout, Some("host time-out".to_owned()))
    } else {
        (CoverageStatus::Done, None)
    };
    for (protocol, ports) in &run.scans {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: OPEN_PORT.to_owned(),
            location: Location { protocol: Some(protocol.clone()), ..location.clone() },
            extent: Extent::Ports(ports.clone()),
            status,
            reason: reason.clone(),
        })?;
    }
    if !host.up {
        return Ok(());
    }
    let mut identifiers = Vec::new();
    let mut identify = |kind: &str, value: Option<String>| {
        if let Some(value) = value {
            identifiers.push((kind.to_owned(), value));
        }
    };
    identify("ip", host.ip);
    identify("hostname", host.asked);
    for name in host.names {
        identify("hostname", Some(name));
    }
    identify("mac", host.mac);
    identifiers.dedup();
    out.asset(Asset { kind: "host".to_owned(), identifiers, services: host.services })
}
