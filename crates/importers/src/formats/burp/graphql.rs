//! Issues asked from the GraphQL API of Burp Enterprise, under the name `Issues` or as the API answers.

use std::io::Read;

use serde_json::Value;

use super::issue::{Count, EVIDENCE, Issue, SOURCE, method};
use crate::endpoint::Sites;
use crate::errors::{ParseError, Position};
use crate::html;
use crate::json;
use crate::model::Evidence;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{self, ANY, Bounds, Plan, Route};

const EXPECTED: &str = "answer of the Burp GraphQL API";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::BurpGraphql,
    id: "burp_graphql",
    source: SOURCE,
    label: "Burp GraphQL API",
    schemes: &["web", "web.moved"],
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let shape = head.has("\"issue_type\"");
    match (has("Issues"), has("data")) {
        (true, _) if shape || members.len() == 1 => Some(Confidence::Certain),
        (false, true) if shape && head.has("\"issues\"") => Some(Confidence::Certain),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut answer = Answer { out, sites: Sites::default(), listed: false, records: 0, taken: 0 };
    walk::through(source, &bounds, EXPECTED, &mut answer)?;
    let Answer { mut sites, listed, records, taken, .. } = answer;
    let wrong = |found: &str| ParseError::NotThisFormat { expected: EXPECTED, found: found.to_owned() };
    if !listed {
        return Err(wrong("JSON without issues"));
    }
    if records > 0 && taken == 0 {
        return Err(wrong("issues without a type and a name"));
    }
    sites.leave_open(SOURCE, None, out)
}

struct Answer<'l, 'o> {
    out: &'l mut Output<'o>,
    sites: Sites,
    listed: bool,
    records: u64,
    taken: u64,
}

impl Route for Answer<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match path.last() {
            Some(&"Issues") => {
                self.listed = true;
                Plan::Each
            }
            Some(&"issues") => Plan::Each,
            None | Some(&("data" | "scan" | "scan_issues" | "site" | ANY)) => Plan::Enter,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::value(raw, position, self.out)? {
            Some(value) => self.issue(&value, position),
            None => Ok(()),
        }
    }
}

impl Answer<'_, '_> {
    fn issue(&mut self, value: &Value, position: Position) -> Result<(), ParseError> {
        self.records += 1;
        let text = |path: &[&str]| json::text(value, path).map(str::to_owned);
        let prose = |path: &[&str]| json::text(value, path).map(html::plain);
        let Some(name) = text(&["issue_type", "name"]) else {
            return self.out.skip(position, "issue without a type and a name");
        };
        self.listed = true;
        self.taken += 1;
        let evidence = evidence(value, self.out);
        let request = evidence.iter().find(|evidence| evidence.label == "request");
        let kind = json::at(value, &["issue_type", "type_index"]);
        let issue = Issue {
            kind: kind.and_then(|kind| kind.as_u64().map(|kind| kind.to_string()).or_else(|| kind.as_str().map(str::to_owned))),
            name,
            origin: text(&["origin"]).unwrap_or_default(),
            path: text(&["path"]).unwrap_or_default(),
            spot: text(&["display_name"]),
            method: request.and_then(|request| method(&request.body)),
            severity: text(&["severity"]),
            confidence: text(&["confidence"]),
            detail: prose(&["description_html"]).into_iter().collect(),
            background: prose(&["issue_type", "description_html"]),
            remediation: [prose(&["remediation_html"]), prose(&["issue_type", "remediation_html"])].into_iter().flatten().collect(),
            references: text(&["issue_type", "references_html"]),
            classifications: text(&["issue_type", "vulnerability_classifications_html"]),
            evidence,
            ..Issue::default()
        };
        issue.give(&Count::ByName, &mut self.sites, self.out)
    }
}

fn evidence(value: &Value, out: &Output<'_>) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for part in json::items(value, &["evidence"]) {
        for (label, segments) in [("request", "request_segments"), ("response", "response_segments")] {
            let shown = |piece| json::text(piece, &["data_html"]).or_else(|| json::text(piece, &["highlight_html"]));
            let body: String = json::items(part, &[segments]).filter_map(shown).map(html::plain).collect();
            if !body.is_empty() && evidence.len() < EVIDENCE {
                evidence.push(out.evidence(label, &body));
            }
        }
    }
    evidence
}
