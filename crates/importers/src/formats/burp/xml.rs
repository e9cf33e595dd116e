//! Issues exported from Burp as XML; with an internal DTD, requests and responses mostly in base64.

use std::io::Read;

use super::issue::{Count, EVIDENCE, Issue, SOURCE, decoded, method};
use crate::endpoint::Sites;
use crate::errors::ParseError;
use crate::html;
use crate::model::Evidence;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::xml::{Node, Xml};

const EXPECTED: &str = "Burp XML";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Burp, id: "burp", source: SOURCE, label: "Burp issues as XML", schemes: &["web", "web.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    // The declarations before the issues may be all that the head holds.
    if head.root() != Some("issues") && !(head.has("<!DOCTYPE issues") && head.has("<!ELEMENT issue ")) {
        return None;
    }
    Some(if head.has("burpVersion") { Confidence::Certain } else { Confidence::Possible })
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["issues"], EXPECTED)?;
    if root.get("burpVersion").is_none() {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<issues> without the version of Burp".to_owned() });
    }
    let exported = root.get("exportTime").and_then(vocabulary::moment);
    let mut sites = Sites::default();
    while let Some(tag) = xml.child()? {
        if tag.name() != "issue" {
            xml.skip()?;
            continue;
        }
        out.gauge().next_record();
        let position = out.position();
        let node = xml.node(tag)?;
        match issue(&node, out) {
            Some(issue) => Issue { observed_at: exported.clone(), ..issue }.give(&Count::ByNameAndSeverity, &mut sites, out)?,
            None => out.skip(position, "issue without name and host")?,
        }
    }
    let version = root.get("burpVersion").map(|version| format!("issues exported from Burp {}", vocabulary::shorten(version, 40)));
    sites.leave_open(SOURCE, version.as_deref(), out)
}

fn issue(node: &Node, out: &Output<'_>) -> Option<Issue> {
    let text = |name| node.child_text(name).map(str::to_owned);
    let prose = |name| node.child_text(name).map(html::plain);
    let mut issue = Issue {
        kind: text("type"),
        name: text("name")?,
        origin: text("host")?,
        path: text("path").unwrap_or_default(),
        spot: text("location"),
        ip: node.first("host").and_then(|host| host.get("ip")).map(str::to_owned),
        severity: text("severity"),
        confidence: text("confidence"),
        background: prose("issueBackground"),
        remediation: [prose("remediationDetail"), prose("remediationBackground")].into_iter().flatten().collect(),
        references: text("references"),
        classifications: text("vulnerabilityClassifications"),
        ..Issue::default()
    };
    issue.detail.extend(prose("issueDetail"));
    let items = node.first("issueDetailItems").into_iter().flat_map(|items| items.all("issueDetailItem"));
    issue.detail.extend(items.map(|item| format!("- {}", html::plain(&item.text))));
    for exchange in node.all("requestresponse") {
        for part in exchange.children.iter().filter(|part| matches!(part.name(), "request" | "response")) {
            if let Some(evidence) = body(part, out).filter(|_| issue.evidence.len() < EVIDENCE) {
                if issue.method.is_none() && part.name() == "request" {
                    issue.method = part.get("method").map(str::to_owned).or_else(|| method(&evidence.body));
                }
                issue.evidence.push(evidence);
            }
        }
    }
    Some(issue)
}

fn body(part: &Node, out: &Output<'_>) -> Option<Evidence> {
    let text = Some(part.text.trim()).filter(|text| !text.is_empty())?;
    let body = if part.get("base64") == Some("true") { decoded(text) } else { text.to_owned() };
    Some(out.evidence(part.name(), body.trim_end()))
}
