//! Dastardly's JUnit XML: a suite per address, a failure per issue, whose text names severity, confidence and place.

use std::io::Read;

use super::issue::{Count, Issue, SOURCE, method};
use crate::endpoint::{Endpoint, Sites};
use crate::errors::ParseError;
use crate::model::{Coverage, CoverageStatus, Extent};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::xml::{Node, Tag, Xml};

const EXPECTED: &str = "Dastardly XML";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::BurpDastardly,
    id: "burp_dastardly",
    source: SOURCE,
    label: "Dastardly XML",
    schemes: &["web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.root() != Some("testsuites") {
        return None;
    }
    if head.has("Dastardly") { Some(Confidence::Certain) } else { head.has("No issues were identified").then_some(Confidence::Likely) }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut xml = Xml::open(source, out)?;
    let root = xml.root(&["testsuites"], EXPECTED)?;
    let mut sites = Sites::default();
    let mut ours = root.get("name").is_some_and(|name| name.contains("Dastardly"));
    while let Some(tag) = xml.child()? {
        if tag.name() != "testsuite" {
            xml.skip()?;
            continue;
        }
        ours |= tag.get("name").is_some_and(|name| name.contains("://"));
        suite(&mut xml, &tag, &mut sites, out)?;
    }
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "<testsuites> of another tool".to_owned() });
    }
    Ok(())
}

fn suite(xml: &mut Xml<'_>, tag: &Tag, sites: &mut Sites, out: &mut Output<'_>) -> Result<(), ParseError> {
    let address = tag.get("name").unwrap_or_default().to_owned();
    let endpoint = Endpoint::new(&address);
    if let Some(endpoint) = &endpoint {
        sites.introduce(endpoint, out)?;
    }
    while let Some(tag) = xml.child()? {
        out.gauge().next_record();
        let position = out.position();
        let case = xml.node(tag)?;
        for failure in case.all("failure") {
            match issue(&case, failure, &address, out) {
                Some(issue) => issue.give(&Count::Each, sites, out)?,
                None => out.skip(position, "failure without a message")?,
            }
        }
    }
    out.coverage(Coverage {
        source: SOURCE.to_owned(),
        check_set: SOURCE.to_owned(),
        location: endpoint.map(|endpoint| endpoint.location()).unwrap_or_default(),
        extent: Extent::Whole,
        status: CoverageStatus::Done,
        reason: None,
    })
}

fn issue(case: &Node, failure: &Node, address: &str, out: &Output<'_>) -> Option<Issue> {
    let message = failure.get("message")?;
    let name = case.get("name").unwrap_or_else(|| message.split(" found at ").next().unwrap_or(message));
    let text = failure.text.trim();
    let line = |label: &str| text.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim).filter(|value| !value.is_empty());
    let place = line("Host:").zip(line("Path:"));
    let (origin, path) = place.unwrap_or((address, ""));
    let evidence = section(text, "Evidence").unwrap_or_default();
    let (request, response) = evidence.split_once("\nResponse:").unwrap_or((&evidence, ""));
    let request = request.trim_start_matches("Request:").trim();
    let parts = [("request", request), ("response", response.trim())];
    Some(Issue {
        name: name.to_owned(),
        origin: origin.to_owned(),
        path: path.to_owned(),
        severity: failure.get("type").or_else(|| line("Severity:")).map(str::to_owned),
        confidence: line("Confidence:").map(str::to_owned),
        detail: [section(text, "Issue Detail")].into_iter().flatten().collect(),
        background: section(text, "Issue Background"),
        remediation: ["Remediation Detail", "Issue Remediation", "Remediation Background"]
            .into_iter()
            .filter_map(|title| section(text, title))
            .collect(),
        references: section(text, "References"),
        classifications: section(text, "Vulnerability Classifications"),
        method: method(request),
        evidence: parts.into_iter().filter(|(_, body)| !body.is_empty()).map(|(label, body)| out.evidence(label, body)).collect(),
        ..Issue::default()
    })
}

/// What stands under a title, up to the next one; titles stand alone on their lines.
fn section(text: &str, title: &str) -> Option<String> {
    const TITLES: [&str; 8] = [
        "Issue Detail",
        "Issue Background",
        "Issue Remediation",
        "Remediation Detail",
        "Remediation Background",
        "References",
        "Vulnerability Classifications",
        "Evidence",
    ];
    let mut lines = text.lines().skip_while(|line| line.trim().trim_end_matches(':') != title);
    lines.next()?;
    let kept: Vec<&str> = lines.take_while(|line| !TITLES.contains(&line.trim().trim_end_matches(':'))).collect();
    let kept = kept.join("\n");
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}
