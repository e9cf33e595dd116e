//! The answer of Burp's REST API to a scan: an event per issue, and how far the scan came.

use std::io::Read;

use serde_json::Value;

use super::issue::{Count, EVIDENCE, Issue, SOURCE, decoded, method};
use crate::endpoint::Sites;
use crate::errors::{ParseError, Position};
use crate::html;
use crate::json;
use crate::model::{CoverageStatus, Evidence};
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const EXPECTED: &str = "answer of the Burp REST API";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::BurpApi, id: "burp_api", source: SOURCE, label: "Burp REST API", schemes: &["web", "web.moved"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    match (has("issue_events"), has("scan_status") || has("scan_metrics") || has("task_id") || head.has("\"issue_found\"")) {
        (true, true) => Some(Confidence::Certain),
        (true, false) => Some(Confidence::Likely),
        (false, true) if has("scan_metrics") && head.has("crawl_and_audit") => Some(Confidence::Likely),
        _ => None,
    }
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut scan = Scan { out, sites: Sites::default(), ours: false, status: None, caption: None };
    walk::through(source, &bounds, EXPECTED, &mut scan)?;
    let Scan { mut sites, ours, status, caption, .. } = scan;
    if !ours {
        return Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without issue events".to_owned() });
    }
    let ended = match status.as_deref() {
        // A list of events tells nothing of the end of the scan.
        None => return sites.leave_open(SOURCE, None, out),
        // The answer does not name where the scan began: of several sites, all but one were met by the way.
        Some("succeeded") if !sites.is_one() => return sites.leave_open(SOURCE, None, out),
        Some("succeeded") => CoverageStatus::Done,
        Some("failed") => CoverageStatus::Error,
        Some(_) => CoverageStatus::Skipped,
    };
    let reason: Vec<&str> = [status.as_deref(), caption.as_deref()].into_iter().flatten().collect();
    let reason = (!reason.is_empty()).then(|| vocabulary::shorten(&reason.join(": "), 200));
    sites.cover(SOURCE, ended, reason.as_deref(), out)
}

struct Scan<'l, 'o> {
    out: &'l mut Output<'o>,
    sites: Sites,
    ours: bool,
    status: Option<String>,
    caption: Option<String>,
}

impl Route for Scan<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        match walk::element(path) {
            [] => Plan::Enter,
            ["issue_events"] => {
                self.ours = true;
                Plan::Each
            }
            ["scan_status" | "scan_metrics"] => Plan::Take,
            _ => Plan::Pass,
        }
    }

    fn take(&mut self, path: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        match walk::element(path) {
            ["scan_status"] => self.status = walk::text(raw),
            ["scan_metrics"] => {
                let metrics = walk::part(raw);
                self.ours |= metrics.get("crawl_requests_made").is_some();
                self.caption = json::text(&metrics, &["crawl_and_audit_caption"]).map(str::to_owned);
            }
            _ => {
                if let Some(value) = walk::value(raw, position, self.out)? {
                    return event(&value, position, &mut self.sites, self.out);
                }
            }
        }
        Ok(())
    }
}

fn event(value: &Value, position: Position, sites: &mut Sites, out: &mut Output<'_>) -> Result<(), ParseError> {
    let Some(issue) = value.get("issue").filter(|issue| issue.is_object()) else {
        return match json::text(value, &["type"]) {
            Some("issue_found") | None => out.skip(position, "event without an issue"),
            Some(_) => Ok(()),
        };
    };
    if json::text(value, &["type"]).is_some_and(|kind| kind != "issue_found") {
        return Ok(());
    }
    let text = |name| json::text(issue, &[name]).map(str::to_owned);
    let prose = |name| json::text(issue, &[name]).map(html::plain);
    let evidence = evidence(issue, out);
    let request = evidence.iter().find(|evidence| evidence.label == "request");
    let issue = Issue {
        kind: issue.get("type_index").and_then(Value::as_u64).map(|kind| kind.to_string()),
        name: text("name").unwrap_or_else(|| "Burp issue".to_owned()),
        origin: text("origin").unwrap_or_default(),
        path: text("path").unwrap_or_default(),
        spot: text("caption"),
        method: request.and_then(|request| method(&request.body)),
        severity: text("severity"),
        confidence: text("confidence"),
        detail: prose("description").into_iter().collect(),
        background: prose("issue_background"),
        remediation: [prose("remediation"), prose("remediation_background")].into_iter().flatten().collect(),
        references: text("references"),
        classifications: text("vulnerability_classifications"),
        evidence,
        ..Issue::default()
    };
    issue.give(&Count::Each, sites, out)
}

fn evidence(issue: &Value, out: &Output<'_>) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    for one in json::items(issue, &["evidence"]) {
        let direct = one.get("request_response");
        let list = json::items(one, &["request_responses"]);
        for exchange in direct.into_iter().chain(list) {
            for label in ["request", "response"] {
                let body: String = json::items(exchange, &[label]).map(segment).collect();
                if !body.is_empty() && evidence.len() < EVIDENCE {
                    evidence.push(out.evidence(label, body.trim_end()));
                }
            }
        }
    }
    evidence
}

/// A piece of a message, or how much of it was left out.
fn segment(segment: &Value) -> String {
    match json::text(segment, &["data"]) {
        Some(data) => decoded(data),
        None => match segment.get("length").and_then(Value::as_u64) {
            Some(length) => format!("[{length} bytes left out]"),
            None => String::new(),
        },
    }
}
