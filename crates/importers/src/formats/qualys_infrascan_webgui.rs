//! Qualys scan results (`SCAN`): confirmed vulnerabilities as reported; with
//! [`Detail::Judged`](crate::Detail) also potential ones and what was only gathered.
//! Invariant: no host is told as tested. The options of a scan name its ports, but neither the checks that its profile was narrowed to
//! nor the hosts it could not log in to.

use std::io::Read;

use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::Host;
use crate::model::{Coverage, CoverageStatus, Extent, Observation, Severity};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

const SOURCE: &str = "qualys";
const EXPECTED: &str = "Qualys scan XML";
/// Why a host whose scan ended is not told as tested.
const UNTOLD: &str = "the report does not tell which checks ran, and with which logins";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::QualysInfrascanWebgui,
    id: "qualys_infrascan_webgui",
    source: SOURCE,
    label: "Qualys scan XML",
    schemes: &["network", "network.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let scan = head.root() == Some("SCAN");
    (scan && (head.has("scan-1.dtd") || head.has("<KEY value=") || head.has("<IP value="))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["SCAN"], EXPECTED)?;
    let (mut date, mut status) = (None, None);
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "HEADER" => {
                let header = xml.node(tag)?;
                let key = |name: &str| header.all("KEY").find(|key| key.get("value") == Some(name)).map(|key| key.text.trim().to_owned());
                date = key("DATE").as_deref().and_then(vocabulary::instant);
                status = key("STATUS").filter(|status| status != "FINISHED");
            }
            "IP" => host(&mut xml, &tag, date.as_deref(), status.as_deref(), out)?,
            "ERROR" => {
                let reason = xml.node(tag)?.text.trim().to_owned();
                cover(&Host::default(), CoverageStatus::Error, &reason, out)?;
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn cover(host: &Host, status: CoverageStatus, reason: &str, out: &mut Output<'_>) -> Result<(), ParseError> {
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: host.location(),
        extent: Extent::Whole,
        status,
        reason: Some(reason.to_owned()),
    })
}

fn host(xml: &mut Xml<'_>, tag: &Tag, date: Option<&str>, status: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = tag.get("name").filter(|name| !name.eq_ignore_ascii_case("no registered hostname"));
    let host = Host::new([tag.get("value"), name]);
    let is_down = tag.is("status", "down");
    if host.is_unknown() {
        out.skip(out.position(), "IP without address")?;
        return xml.skip();
    }
    while let Some(tag) = xml.child()? {
        let reported = tag.name() == "VULNS";
        if !(reported || out.judges() && matches!(tag.name(), "PRACTICES" | "INFOS" | "SERVICES")) {
            xml.skip()?;
            continue;
        }
        while let Some(category) = xml.child()? {
            while let Some(tag) = xml.child()? {
                out.gauge().next_record();
                let node = xml.node(tag)?;
                detection(&node, &category, &host, date, out)?;
            }
        }
    }
    if is_down {
        return cover(&host, CoverageStatus::Skipped, "the host is down", out);
    }
    out.asset(host.asset(Vec::new()))?;
    match status {
        Some(failure) => cover(&host, CoverageStatus::Error, failure, out),
        None => cover(&host, CoverageStatus::Skipped, UNTOLD, out),
    }
}

fn detection(node: &Node, category: &Tag, host: &Host, date: Option<&str>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(qid) = node.get("number") else {
        return out.skip(out.position(), "detection without number");
    };
    let confirmed = node.name() == "VULN";
    let check = format!("qualys:{qid}");
    let location = host.at(category.get("protocol"), category.number("port"));
    let listed = |list: &'static str, entry: &'static str| node.first(list).into_iter().flat_map(move |list| list.all(entry));
    let parts: Vec<&str> = [node.child_text("DIAGNOSIS"), node.child_text("CONSEQUENCE")].into_iter().flatten().collect();
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        keys: host.keys(&location, &check),
        check,
        title: node.child_text("TITLE").unwrap_or(qid).to_owned(),
        description: parts.join("\n\n"),
        remediation: node.child_text("SOLUTION").map(str::to_owned),
        severity: if matches!(node.name(), "INFO" | "SERVICE") { Severity::Info } else { dialects::level(node.get("severity")) },
        confidence: if confirmed { 90 } else { 40 },
        cvss: ["CVSS3_BASE", "CVSS_BASE"].into_iter().filter_map(|name| node.child_text(name)).find_map(dialects::vector),
        cves: listed("CVE_ID_LIST", "CVE_ID")
            .filter_map(|entry| entry.child_text("ID"))
            .chain(node.get("cveid"))
            .flat_map(vocabulary::cves)
            .collect(),
        references: listed("VENDOR_REFERENCE_LIST", "VENDOR_REFERENCE")
            .chain(listed("CVE_ID_LIST", "CVE_ID"))
            .chain(listed("BUGTRAQ_ID_LIST", "BUGTRAQ_ID"))
            .filter_map(|entry| entry.child_text("URL"))
            .map(str::to_owned)
            .collect(),
        tags: category.get("value").map(str::to_owned).into_iter().collect(),
        location,
        observed_at: date.map(str::to_owned),
        ..Observation::default()
    };
    if node.first("CORRELATION").is_some_and(|found| found.first("EXPLOITABILITY").is_some()) {
        observation.tags.push("exploit".to_owned());
    }
    if let Some(result) = node.child_text("RESULT") {
        observation.evidence.push(out.evidence("result", result));
    }
    out.distinct(observation)
}
