//! kube-bench `--json`: controls of the CIS benchmarks with their tests. What failed is a problem, what passed is coverage, and what
//! somebody has to look at is left out.

use std::io::Read;

use serde_json::Value;

use crate::errors::{ParseError, Position};
use crate::identity;
use crate::json;
use crate::listed::{self, Records};
use crate::model::{Coverage, CoverageStatus, Extent, Location, Observation, Severity};
use crate::occurrences::Occurrences;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::walk::{ANY, Plan};

const SOURCE: &str = "kube-bench";

pub(crate) static ENTRY: Entry =
    Entry { format: Format::Kubebench, id: "kubebench", source: SOURCE, label: "kube-bench JSON", schemes: &["cloud"], sniff, read };

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    let members = head.members();
    let has = |name: &str| members.iter().any(|member| member == name);
    let own = head.has("\"test_number\"") || head.has("\"node_type\"") || head.has("\"total_pass\"");
    (own && (has("Controls") || has("tests") || has("Totals"))).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    listed::read(source, out, Benchmark::default())
}

#[derive(Default)]
struct Benchmark(Occurrences);

/// The part of a path that is inside a control.
fn inside<'p, 'k>(path: &'p [&'k str]) -> Option<&'p [&'k str]> {
    match path {
        ["Controls", ANY, rest @ ..] | [ANY, rest @ ..] => Some(rest),
        ["Controls"] => None,
        rest => Some(rest),
    }
}

impl Records for Benchmark {
    const SOURCE: &'static str = SOURCE;
    const EXPECTED: &'static str = "kube-bench JSON";

    fn plan(&mut self, path: &[&str]) -> Plan {
        match inside(path) {
            None | Some([] | ["tests"] | ["tests", ANY]) => Plan::Enter,
            Some(["tests", ANY, "results"]) => Plan::Each,
            _ => Plan::Pass,
        }
    }

    fn marks(&self, path: &[&str]) -> bool {
        matches!(inside(path), Some(["node_type" | "total_pass" | "Totals"])) || matches!(path, ["Controls"])
    }

    fn take(&mut self, _: &[&str], value: &Value, _: Position, out: &mut Output<'_>) -> Result<bool, ParseError> {
        let text = |name: &str| json::text(value, &[name]);
        let (Some(number), Some(status)) = (text("test_number"), text("status")) else {
            return Ok(false);
        };
        let check = format!("kube-bench:{number}");
        let manual = text("reason") == Some("Test marked as a manual test") || text("type") == Some("manual");
        let (severity, ended) = match status.to_ascii_uppercase().as_str() {
            "FAIL" => (Severity::Medium, None),
            "WARN" if !manual => (Severity::Info, None),
            "PASS" => (Severity::Info, Some(CoverageStatus::Done)),
            _ => (Severity::Info, Some(CoverageStatus::Skipped)),
        };
        let reason = text("reason").map(|reason| crate::vocabulary::shorten(reason, 300));
        if let Some(status) = ended {
            let (source, location) = (SOURCE.to_owned(), Location::default());
            out.coverage(Coverage { source, check_set: check, location, extent: Extent::Whole, status, reason })?;
            return Ok(true);
        }
        let title = text("test_desc").unwrap_or(number);
        let mut evidence = Vec::new();
        for (label, name) in [("audit", "audit"), ("expected", "expected_result"), ("found", "actual_value")] {
            evidence.extend(text(name).map(|said| out.evidence(label, said)));
        }
        let nth = self.0.of(number);
        let observation = Observation {
            source: SOURCE.to_owned(),
            title: format!("{number} {title}"),
            description: [Some(title), text("reason"), text("test_info")].into_iter().flatten().collect::<Vec<_>>().join("\n\n"),
            remediation: text("remediation").map(|advice| advice.trim().to_owned()),
            severity,
            confidence: 80,
            tags: vec!["cis".to_owned(), status.to_ascii_lowercase()],
            keys: vec![identity::cloud("kubernetes", None, None, "", &check, nth)],
            check,
            evidence,
            ..Observation::default()
        };
        out.distinct(observation)?;
        Ok(true)
    }
}
