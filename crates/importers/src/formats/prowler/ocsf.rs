//! Prowler's OCSF: detection findings since version 4, security findings of version 3; an array of them, or one after the other.

use std::io::Read;

use serde_json::Value;

use super::{Check, EXPECTED, Outcome, Seen, present, severity};
use crate::errors::{ParseError, Position};
use crate::json;
use crate::model::CoverageStatus;
use crate::output::Output;
use crate::vocabulary;
use crate::walk::{self, Bounds, Plan, Route};

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let bounds = Bounds::of(out);
    let mut events = Events { out, recognised: false, touched: false, seen: Seen::default() };
    walk::through(source, &bounds, EXPECTED, &mut events)?;
    if events.recognised || !events.touched {
        return Ok(());
    }
    Err(ParseError::NotThisFormat { expected: EXPECTED, found: "JSON without findings in OCSF".to_owned() })
}

struct Events<'l, 'o> {
    out: &'l mut Output<'o>,
    recognised: bool,
    /// Whether there is any event at all.
    touched: bool,
    seen: Seen,
}

impl Route for Events<'_, '_> {
    fn plan(&mut self, path: &[&str]) -> Plan {
        if path.is_empty() { Plan::Each } else { Plan::Pass }
    }

    fn take(&mut self, _: &[&str], raw: &str, position: Position) -> Result<(), ParseError> {
        self.touched = true;
        let Some(value) = walk::value(raw, position, self.out)? else {
            return Ok(());
        };
        let feature = ["uid", "name"].into_iter().find_map(|name| json::text(&value, &["metadata", "product", "feature", name]));
        let id = json::text(&value, &["metadata", "event_code"]).or(json::text(&value, &["finding_info", "check_id"])).or(feature);
        let (Some(status), Some(finding)) = (status(&value), finding(&value)) else {
            return self.out.skip(position, "event without finding or status code");
        };
        self.recognised = true;
        let muted = json::text(&value, &["status"]) == Some("Suppressed");
        let Some(outcome) = Outcome::of(status, muted) else {
            return self.out.skip(position, format!("event with the status code {:?}", vocabulary::shorten(status, 40)));
        };
        let mut check = check(&value, finding, id);
        match outcome {
            Outcome::Passed => check.cover(CoverageStatus::Done, None, self.out),
            Outcome::Muted => check.cover(CoverageStatus::Skipped, Some("muted".to_owned()), self.out),
            Outcome::Failed | Outcome::Manual => {
                if outcome == Outcome::Manual {
                    check.tags.push("manual".to_owned());
                }
                let uid = json::text(finding, &["uid"]).unwrap_or_default();
                let (region, detail, id) =
                    (check.region.clone().unwrap_or_default(), check.detail.clone().unwrap_or_default(), check.id.clone());
                check.tell(&[&id, uid, &detail, &region], &mut self.seen, self.out)
            }
        }
    }
}

/// What was found, under the name it has in either class of events.
fn finding(value: &Value) -> Option<&Value> {
    value.get("finding_info").or(value.get("finding")).filter(|finding| finding.is_object())
}

/// How the check ended; the events of version 3 say it in the words of OCSF.
fn status(value: &Value) -> Option<&str> {
    json::text(value, &["status_code"]).or_else(|| {
        match json::text(value, &["compliance", "status"]).or(json::text(value, &["status"]))? {
            "Failure" => Some("FAIL"),
            "Success" => Some("PASS"),
            "Other" | "Unknown" => Some("MANUAL"),
            _ => None,
        }
    })
}

fn check(value: &Value, finding: &Value, id: Option<&str>) -> Check {
    let resource = value.get("resources").and_then(|resources| resources.get(0)).unwrap_or(&Value::Null);
    let title = json::text(finding, &["title"]);
    let text = |path: &[&str]| json::text(value, path).map(str::to_owned);
    let told = |path: &[&str]| json::text(finding, path).map(str::to_owned);
    let compliance = value.pointer("/unmapped/compliance").and_then(Value::as_object).into_iter().flatten();
    let compliance = compliance.map(|(standard, controls)| {
        let controls: Vec<&str> = controls.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        format!("{standard}: {}", controls.join(", "))
    });
    let requirements = json::texts(value, &["compliance", "requirements"]).into_iter().map(str::to_owned);
    let detail = text(&["status_detail"]).or_else(|| text(&["message"]));
    let kind = json::text(resource, &["type"]);
    let namespace = json::text(resource, &["data", "metadata", "namespace"]).or(json::text(resource, &["namespace"]));
    let name = json::text(resource, &["uid"]).or(json::text(resource, &["name"]));
    let provider = json::text(value, &["cloud", "provider"]).or(namespace.map(|_| "kubernetes"));
    let mut references = json::texts(value, &["remediation", "references"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    references.extend(json::texts(finding, &["remediation", "kb_articles"]).into_iter().map(str::to_owned));
    references.extend(present([json::text(value, &["unmapped", "related_url"]), json::text(finding, &["src_url"])]));
    references.retain(|reference| reference.contains("://"));
    Check {
        provider: provider.unwrap_or("unknown").to_ascii_lowercase(),
        account: text(&["cloud", "account", "uid"]),
        region: json::text(resource, &["region"]).or(json::text(value, &["cloud", "region"])).map(str::to_owned),
        service: json::text(resource, &["group", "name"]).map(str::to_owned),
        id: id.or(title).unwrap_or("unknown").to_owned(),
        title: title.or(detail.as_deref()).unwrap_or("failed check").to_owned(),
        severity: severity(json::text(value, &["severity"])),
        detail,
        description: told(&["desc"]),
        risk: text(&["risk_details"]).or_else(|| told(&["supporting_data", "Risk"])),
        remediation: text(&["remediation", "desc"]).or_else(|| told(&["remediation", "desc"])),
        references,
        tags: json::texts(value, &["unmapped", "categories"]).into_iter().filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        resource: name.map(|name| namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))),
        resource_kind: kind.map(str::to_owned),
        compliance: compliance.chain(requirements).collect(),
        observed_at: ["time_dt", "event_time"]
            .into_iter()
            .find_map(|member| json::text(value, &[member]).and_then(vocabulary::instant))
            .or_else(|| {
                let times = [told(&["created_time_dt"]), told(&["created_time"]), text(&["metadata", "original_time"]), text(&["time"])];
                times.into_iter().flatten().find_map(|time| vocabulary::instant(&time))
            }),
    }
}
