//! `OWASPZAPReport`: sites, their alerts, their instances; only one instance is in memory as a tree.

use std::io::Read;

use super::alert::{Alert, Instance, Report};
use super::{EXPECTED, SOURCE};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::ParseError;
use crate::output::Output;
use crate::vocabulary;
use crate::xml::{Node, Tag, Xml};

/// Tags of one alert.
const TAGS: usize = 100;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["OWASPZAPReport"], EXPECTED)?;
    let mut sites = Sites::default();
    let mut report = Report { generated: root.get("generated").and_then(vocabulary::moment), sites: &mut sites, alerts: 0 };
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "site" => site(&mut xml, &tag, &mut report, out)?,
            _ => xml.skip()?,
        }
    }
    let version = root.get("version").map(|version| format!("ZAP {}", vocabulary::shorten(version, 40)));
    sites.leave_open(SOURCE, version.as_deref(), out)
}

fn site(xml: &mut Xml<'_>, tag: &Tag, report: &mut Report<'_>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let name = tag.get("name").map(str::to_owned);
    if let Some(endpoint) = name.as_deref().and_then(Endpoint::new) {
        report.sites.introduce(&endpoint, out)?;
    }
    while let Some(tag) = xml.child()? {
        if tag.name() != "alerts" {
            xml.skip()?;
            continue;
        }
        while let Some(tag) = xml.child()? {
            if tag.name() == "alertitem" {
                out.gauge().next_record();
                let position = out.position();
                let alert = alert(xml, out)?;
                report.take(alert, name.as_deref(), position, out)?;
            } else {
                xml.skip()?;
            }
        }
    }
    Ok(())
}

fn alert(xml: &mut Xml<'_>, out: &Output<'_>) -> Result<Alert, ParseError> {
    let mut alert = Alert::default();
    // Reports of before 2015 write the one place of an alert beside its texts.
    let mut own = Node::default();
    while let Some(tag) = xml.child()? {
        if tag.name() == "instances" {
            while let Some(tag) = xml.child()? {
                let node = xml.node(tag)?;
                alert.add(instance(&node, out));
            }
            continue;
        }
        let node = xml.node(tag)?;
        let text = Some(node.text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        match node.name() {
            "pluginid" => alert.plugin = text,
            "alertRef" => alert.reference = text,
            "alert" => alert.name = text,
            "name" => alert.name = alert.name.or(text),
            "riskcode" => alert.risk = text,
            "confidence" => alert.confidence = text,
            "desc" => alert.description = text,
            "otherinfo" => alert.other = text,
            "solution" => alert.solution = text,
            "reference" => alert.references = text,
            "cweid" => alert.cwe = text,
            "tags" => {
                let tags = node.all("tag").take(TAGS);
                let part = |tag: &Node, name| tag.child_text(name).unwrap_or_default().to_owned();
                alert.tags = tags.map(|tag| (part(tag, "tag"), part(tag, "link"))).filter(|(tag, _)| !tag.is_empty()).collect();
            }
            "uri" | "method" | "param" | "attack" | "evidence" => own.children.push(node),
            _ => {}
        }
    }
    if alert.instances.is_empty() && own.first("uri").is_some() {
        alert.add(instance(&own, out));
    }
    Ok(alert)
}

fn instance(node: &Node, out: &Output<'_>) -> Instance {
    let text = |name| node.child_text(name).map(str::to_owned);
    let mut evidence = Vec::new();
    for (label, name) in [("attack", "attack"), ("evidence", "evidence"), ("other", "otherinfo")] {
        if let Some(text) = node.child_text(name) {
            evidence.push(out.evidence(label, text));
        }
    }
    for (label, head, body) in [("request", "requestheader", "requestbody"), ("response", "responseheader", "responsebody")] {
        let parts: Vec<&str> = [node.child_text(head), node.child_text(body)].into_iter().flatten().collect();
        if !parts.is_empty() {
            evidence.push(out.evidence(label, &parts.join("\n\n")));
        }
    }
    Instance { uri: text("uri"), method: text("method"), parameter: text("param"), evidence }
}
