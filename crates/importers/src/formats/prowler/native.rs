//! Prowler 3: its own JSON, and the table of that version.

use std::io::Read;

use serde_json::Value;

use super::{Check, Outcome, SCHEMES, SOURCE, Seen, opening, present, severity, table};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::registry::{Confidence, Entry, Format, Head};
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

const EXPECTED: &str = "Prowler 3 JSON or CSV";

pub(crate) static ENTRY: Entry = Entry {
    format: Format::AwsProwlerV3Plus,
    id: "aws_prowler_v3plus",
    source: SOURCE,
    label: "Prowler 3 JSON and CSV",
    schemes: &SCHEMES,
    sniff,
    read,
};

fn sniff(head: &Head<'_>) -> Option<Confidence> {
    if head.opens(&['{', '[']) {
        return (head.has("\"FindingUniqueId\"") || (head.has("\"CheckID\"") && head.has("\"StatusExtended\"")))
            .then_some(Confidence::Certain);
    }
    head.titled(&["finding_unique_id", "check_id", "status"]).then_some(Confidence::Certain)
}

fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let (is_json, mut source) = opening(source, &out.gauge())?;
    if !is_json {
        return table::read(&mut source, EXPECTED, &["finding_unique_id", "check_id", "status"], out);
    }
    let bounds = Bounds::of(out);
    let mut list = List { out, recognised: false, touched: false, seen: Seen::default() };
    walk::through(&mut source, &bounds, EXPECTED, &mut list)?;
    if list.recognised || !list.touched {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without checks of Prowler".to_owned() })
}

struct List<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    touched: bool,
    seen: Seen,
}

impl Route for List<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.touched = true;
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let (Some(id), Some(status)) = (json::text(&value, &["CheckID"]), json::text(&value, &["Status"])) else {
            return self.out.skip(position, "record without check or status");
        };
        self.recognised = true;
        let Some(outcome) = Outcome::of(status, false) else {
            return self.out.skip(position, format!("record with the status {:?}", vocabulary::shorten(status, 40)));
        };
        let check = check(&value, id);
        match outcome {
            Outcome::Failed => {
                let fallback =
                    format!("{id} {} {}", check.resource.as_deref().unwrap_or_default(), check.detail.as_deref().unwrap_or_default());
                let issue = json::text(&value, &["FindingUniqueId"]).unwrap_or(&fallback);
                check.tell(&[issue], &mut self.seen, self.out)
            }
            Outcome::Passed => check.cover(CoverageStatus::Done, None, self.out),
            Outcome::Manual | Outcome::Muted => check.cover(CoverageStatus::Skipped, Some(status.to_ascii_lowercase()), self.out),
        }
    }
}

fn check(value: &Value, id: &str) -> Check {
    let text = |path: &[&str]| json::text(value, path).map(str::to_owned);
    let codes = ["CLI", "Terraform", "NativeIaC", "Other"].into_iter().filter_map(|code| json::text(value, &["Remediation", "Code", code]));
    let advice: Vec<&str> = json::text(value, &["Remediation", "Recommendation", "Text"]).into_iter().chain(codes).collect();
    let compliance = value.get("Compliance").and_then(Value::as_object).into_iter().flatten();
    let compliance = compliance.map(|(standard, controls)| {
        let controls: Vec<&str> = controls.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        format!("{standard}: {}", controls.join(", "))
    });
    Check {
        provider: json::text(value, &["Provider"]).unwrap_or("aws").to_ascii_lowercase(),
        account: ["AccountId", "SubscriptionId", "ProjectId", "Subscription"].into_iter().find_map(|member| text(&[member])),
        region: text(&["Region"]).or_else(|| text(&["Location"])),
        service: text(&["ServiceName"]),
        id: id.to_owned(),
        title: json::text(value, &["CheckTitle"]).unwrap_or(id).to_owned(),
        severity: severity(json::text(value, &["Severity"])),
        detail: text(&["StatusExtended"]),
        description: text(&["Description"]),
        risk: text(&["Risk"]),
        remediation: (!advice.is_empty()).then(|| advice.join("\n")),
        references: present([json::text(value, &["Remediation", "Recommendation", "Url"]), json::text(value, &["RelatedUrl"])]),
        tags: json::texts(value, &["Categories"]).into_iter().map(str::to_owned).collect(),
        resource: ["ResourceArn", "ResourceId", "ResourceName"].into_iter().find_map(|member| text(&[member])),
        resource_kind: text(&["ResourceType"]),
        compliance: compliance.collect(),
        observed_at: json::text(value, &["AssessmentStartTime"]).and_then(vocabulary::instant),
    }
}
