//! Nexpose Simple XML: devices with their services, vulnerabilities by id and result code, no definitions and no ratings.

use super::{Place, SOURCE, Scanned, cover, leave, open_port};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::model::{CoverageStatus, Observation, Severity};
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

pub(super) const ROOT: &str = "NeXposeSimpleXML";

/// The document behind its root element.
pub(super) fn read(xml: &mut Xml<'_>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut observed_at = None;
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "generated" => {
                let text = xml.node(tag)?.text;
                observed_at = dialects::moment(text.trim(), &["%Y%m%dT%H%M%S%3f"]);
            }
            "devices" => {
                while let Some(tag) = xml.child()? {
                    device(xml, &tag, observed_at.as_deref(), out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn device(xml: &mut Xml<'_>, tag: &Tag, observed_at: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.gauge().next_record();
    let mut scanned = Scanned { host: Host::new([tag.get("address")]), alive: true, ..Scanned::default() };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "names" => {
                for name in xml.node(tag)?.all("name") {
                    scanned.host.add(name.text.trim());
                }
            }
            "fingerprint" => {
                let fingerprint = xml.node(tag)?;
                scanned.system = fingerprint.first("description").map(|text| text.text.trim().to_owned()).filter(|text| !text.is_empty());
            }
            "vulnerabilities" => vulnerabilities(xml, &Place::default(), &scanned.host, observed_at, out)?,
            "services" => {
                while let Some(tag) = xml.child()? {
                    service(xml, &tag, &mut scanned, observed_at, out)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    leave(scanned, observed_at, out)
}

fn service(xml: &mut Xml<'_>, tag: &Tag, scanned: &mut Scanned, observed_at: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let place = Place {
        protocol: tag.get("protocol").map(str::to_ascii_lowercase),
        port: tag.number("port"),
        service: tag.get("name").filter(|name| *name != "<unknown>").map(str::to_lowercase),
    };
    let mut banner = None;
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "fingerprint" => banner = xml.node(tag)?.first("description").map(|text| text.text.trim().to_owned()),
            "vulnerabilities" => vulnerabilities(xml, &place, &scanned.host, observed_at, out)?,
            _ => xml.skip()?,
        }
    }
    open_port(&place, "open", banner, scanned, observed_at, out)
}

fn vulnerabilities(
    xml: &mut Xml<'_>,
    place: &Place,
    host: &Host,
    observed_at: Option<&str>,
    out: &mut Output<'_>,
) -> Result<(), ParseError> {
    while let Some(tag) = xml.child()? {
        out.gauge().next_record();
        let node = xml.node(tag)?;
        vulnerability(&node, place, host, observed_at, out)?;
    }
    Ok(())
}

fn vulnerability(node: &Node, place: &Place, host: &Host, observed_at: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (Some(id), false) = (node.get("id").map(str::to_ascii_lowercase), host.is_unknown()) else {
        return out.skip(out.position(), "vulnerability without id or of no device");
    };
    let check = format!("nexpose:{id}");
    let location = place.location(host);
    let code = node.get("resultCode").unwrap_or_default();
    let confidence = match code {
        "VE" => 95,
        "VV" => 75,
        "VP" | "" => 50,
        _ => {
            let (status, reason) = match code {
                "NV" | "NVV" => (CoverageStatus::Done, None),
                "ER" => (CoverageStatus::Error, Some("error".to_owned())),
                code => (CoverageStatus::Skipped, Some(format!("result {code}"))),
            };
            return cover(check, location, place.extent(), status, reason, out);
        }
    };
    let mut cves = Vec::new();
    let mut references = Vec::new();
    for (kind, text) in node.all("id").filter_map(|id| Some((id.get("type")?, id.text.trim()))).take(200) {
        match kind.to_ascii_lowercase().as_str() {
            "cve" => cves.extend(vocabulary::cves(text)),
            "url" => references.push(text.to_owned()),
            _ if text.is_empty() => {}
            kind => references.push(format!("{}:{text}", kind.to_uppercase())),
        }
    }
    let observation = Observation {
        source: SOURCE.to_owned(),
        check: check.clone(),
        title: id.clone(),
        // The format has no rating; nothing is made up.
        severity: Severity::Info,
        confidence,
        cves,
        references,
        keys: host.keys(&location, &check),
        location,
        observed_at: observed_at.map(str::to_owned),
        ..Observation::default()
    };
    out.observation(observation, &["info", &id])
}
