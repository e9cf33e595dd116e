//! `ASSET_DATA_REPORT`: detections wait for the glossary that says what they are.

use std::collections::HashMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::table::{confidence, joined, links};
use super::{EXPECTED, SOURCE, TEMPLATE, known};
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Gone, Observation, Severity};
use crate::output::Output;
use crate::spill::Spill;
use crate::vocabulary;
use crate::xml::{Node, Xml};

/// Bytes of the glossary that are kept.
const KEPT: usize = 48 << 20;

/// A detection before the glossary is known.
#[derive(Serialize, Deserialize)]
struct Draft {
    qid: String,
    informs: bool,
    score: Option<f64>,
    observation: Observation,
}

/// What the glossary says about a detection.
#[derive(Default)]
struct Details {
    title: String,
    level: Option<String>,
    score: Option<f64>,
    cvss: Option<String>,
    description: String,
    remediation: Option<String>,
    cves: Vec<String>,
    references: Vec<String>,
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    xml.root(&["ASSET_DATA_REPORT"], EXPECTED)?;
    let gauge = out.gauge();
    let mut spill = Spill::default();
    let mut glossary = HashMap::new();
    let result = body(&mut xml, &mut spill, &mut glossary, out);
    // What a truncated file said of its hosts is not lost.
    spill.drain(&gauge, |draft: Draft| finish(draft, &glossary, out))?;
    result
}

fn body(xml: &mut Xml<'_>, spill: &mut Spill, glossary: &mut HashMap<String, Details>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut kept = 0;
    let mut seen = Introduced::default();
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "HOST_LIST" => {
                while let Some(tag) = xml.child()? {
                    match tag.name() {
                        "HOST" => host(xml, spill, &mut seen, out)?,
                        _ => xml.skip()?,
                    }
                }
            }
            "GLOSSARY" => {
                while let Some(tag) = xml.child()? {
                    if tag.name() != "VULN_DETAILS_LIST" {
                        xml.skip()?;
                        continue;
                    }
                    while let Some(tag) = xml.child()? {
                        let node = xml.node(tag)?;
                        let (qid, details) = details(&node);
                        kept += details.description.len() + details.remediation.as_ref().map_or(0, String::len) + 500;
                        if kept > KEPT {
                            return Err(out.gauge().over("glossary", KEPT as u64));
                        }
                        glossary.insert(qid, details);
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn host(xml: &mut Xml<'_>, spill: &mut Spill, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut host = Host::default();
    let mut told = false;
    while let Some(tag) = xml.child()? {
        match tag.name() {
            "IP" | "DNS" => {
                if let Some(text) = known(Some(xml.node(tag)?.text.trim())) {
                    host.add(text);
                }
            }
            "VULN_INFO_LIST" => {
                told = introduce(&host, seen, out)?;
                while let Some(tag) = xml.child()? {
                    out.gauge().next_record();
                    let node = xml.node(tag)?;
                    if host.is_unknown() {
                        out.skip(out.position(), "detection of no host")?;
                    } else if let Some(draft) = draft(&node, &host, out) {
                        spill.push(&draft, &out.gauge())?;
                    } else {
                        out.skip(out.position(), "detection without QID")?;
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    if told {
        return Ok(());
    }
    introduce(&host, seen, out).map(drop)
}

fn introduce(host: &Host, seen: &mut Introduced, out: &mut Output<'_>) -> Result<bool, ParseError> {
    if seen.host(host, out)? {
        out.coverage(Coverage {
            source: SOURCE.to_owned(),
            check_set: SOURCE.to_owned(),
            location: host.location(),
            extent: Extent::Whole,
            status: CoverageStatus::Skipped,
            reason: Some(TEMPLATE.to_owned()),
        })?;
    }
    Ok(true)
}

/// Digits of `qid_105971`.
fn number(node: &Node) -> Option<String> {
    let text = node.get("id").or_else(|| Some(node.text.trim()))?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

fn draft(node: &Node, host: &Host, out: &Output<'_>) -> Option<Draft> {
    let qid = number(node.first("QID")?)?;
    let check = format!("qualys:{qid}");
    let text = |name: &str| known(node.child_text(name));
    let moment = |name| text(name).and_then(vocabulary::instant);
    let location = host.at(text("PROTOCOL"), text("PORT").and_then(|port| port.parse().ok()));
    let scored = text("CVSS3_FINAL").or_else(|| text("CVSS_FINAL"));
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        keys: host.keys(&location, &check),
        check,
        confidence: confidence(text("TYPE")),
        cvss: scored.and_then(dialects::vector),
        tags: ["TYPE", "VULN_STATUS", "CATEGORY"].into_iter().filter_map(text).map(str::to_owned).collect(),
        location,
        observed_at: moment("LAST_FOUND"),
        gone: vocabulary::is_fixed(text("VULN_STATUS")).then(|| Gone { first_seen: moment("FIRST_FOUND"), at: moment("LAST_FIXED") }),
        ..Observation::default()
    };
    observation.location.service = text("SERVICE").map(str::to_owned);
    if let Some(result) = node.child_text("RESULT") {
        observation.evidence.push(out.evidence("result", result));
    }
    Some(Draft { qid, informs: text("TYPE") == Some("Ig"), score: scored.and_then(dialects::score), observation })
}

fn details(node: &Node) -> (String, Details) {
    let qid = number(node).or_else(|| node.first("QID").and_then(number)).unwrap_or_default();
    let three = node.first("CVSS3_SCORE");
    let two = node.first("CVSS_SCORE");
    let base = |scores: Option<&Node>, name: &'static str| known(scores.and_then(|scores| scores.child_text(name))).map(str::to_owned);
    let best = base(three, "CVSS3_BASE").or_else(|| base(two, "CVSS_BASE"));
    let temporal = base(three, "CVSS3_TEMPORAL");
    let parts: Vec<&str> = [node.child_text("THREAT"), node.child_text("IMPACT")].into_iter().flatten().collect();
    let listed = |list: &'static str, entry: &'static str| node.first(list).into_iter().flat_map(move |list| list.all(entry));
    let mut references: Vec<String> = listed("VENDOR_REFERENCE_LIST", "VENDOR_REFERENCE")
        .chain(listed("CVE_ID_LIST", "CVE_ID"))
        .chain(listed("BUGTRAQ_ID_LIST", "BUGTRAQ_ID"))
        .filter_map(|entry| entry.child_text("URL"))
        .map(str::to_owned)
        .take(200)
        .collect();
    references.extend(node.child_text("SOLUTION").map(links).unwrap_or_default());
    let details = Details {
        title: node.child_text("TITLE").unwrap_or_default().to_owned(),
        level: node.child_text("SEVERITY").map(str::to_owned),
        score: best.as_deref().and_then(dialects::score),
        cvss: best.as_deref().and_then(|best| joined(best, temporal.as_deref())),
        description: parts.join("\n\n"),
        remediation: node.child_text("SOLUTION").map(str::to_owned),
        cves: listed("CVE_ID_LIST", "CVE_ID").filter_map(|entry| entry.child_text("ID")).flat_map(vocabulary::cves).collect(),
        references,
    };
    (qid, details)
}

fn finish(draft: Draft, glossary: &HashMap<String, Details>, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Draft { qid, informs, score, mut observation } = draft;
    let unknown = Details::default();
    let details = glossary.get(&qid).unwrap_or(&unknown);
    observation.title = if details.title.is_empty() { format!("QID-{qid}") } else { details.title.clone() };
    observation.description = details.description.clone();
    observation.remediation = details.remediation.clone();
    observation.cves = details.cves.clone();
    observation.references = details.references.clone();
    observation.cvss = observation.cvss.or_else(|| details.cvss.clone());
    observation.severity = match score.or(details.score).filter(|score| *score > 0.0) {
        Some(score) => Severity::from_score(score),
        None if informs => Severity::Info,
        None => dialects::level(details.level.as_deref()),
    };
    out.distinct(observation)
}
