//! Findings as the vulnerabilities of a CycloneDX 1.6 document, each with what was decided about it.

use base::Time;
use serde_json::{Value as Json, json};

use crate::model::{DecisionKind, Finding, Status, words};

pub(super) fn begin(now: Time) -> String {
    format!(
        "{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"metadata\":{{\"timestamp\":\"{now}\"}},\"vulnerabilities\":["
    )
}

pub(super) fn vulnerability(finding: &Finding) -> Json {
    let component = finding.location.component.as_ref();
    let affected = component
        .map(|component| component.purl.clone().unwrap_or_else(|| component.name.clone()))
        .unwrap_or_else(|| words(&finding.location));
    let mut rating = json!({ "severity": finding.severity.as_str() });
    if let (Some(vector), Some(score)) = (&finding.cvss, finding.cvss_score) {
        rating["score"] = score.into();
        rating["vector"] = vector.as_str().into();
        rating["method"] = method(vector).into();
    }
    let mut document = json!({
        "bom-ref": finding.id.to_string(),
        "id": finding.cves.first().unwrap_or(&finding.check),
        "source": { "name": finding.source },
        "references": finding.cves.iter().skip(1).map(|cve| json!({ "id": cve, "source": { "name": finding.source } })).collect::<Vec<_>>(),
        "ratings": [rating],
        "cwes": finding.cwes,
        "description": finding.title,
        "detail": finding.description,
        "created": finding.first_seen.to_string(),
        "updated": finding.last_seen.to_string(),
        "analysis": analysis(finding),
        "affects": [{ "ref": affected }],
    });
    if let Some(remediation) = &finding.remediation {
        document["recommendation"] = remediation.as_str().into();
    }
    document
}

fn method(vector: &str) -> &'static str {
    match vector.split('/').next() {
        Some("CVSS:4.0") => "CVSSv4",
        Some("CVSS:3.1") => "CVSSv31",
        Some("CVSS:3.0") => "CVSSv3",
        _ => "CVSSv2",
    }
}

fn analysis(finding: &Finding) -> Json {
    let (state, justification, response) = match finding.status {
        Status::Fixed => ("resolved", None, None),
        Status::FalsePositive => ("false_positive", None, None),
        Status::Mitigated => ("not_affected", Some("protected_by_mitigating_control"), None),
        Status::Accepted | Status::OutOfScope => ("exploitable", None, Some("will_not_fix")),
        Status::Open | Status::NotRetested => {
            let is_confirmed = finding.decision.as_ref().is_some_and(|decision| decision.kind == DecisionKind::Confirmed);
            (if is_confirmed { "exploitable" } else { "in_triage" }, None, None)
        }
    };
    let mut analysis = json!({ "state": state });
    if let Some(justification) = justification {
        analysis["justification"] = justification.into();
    }
    if let Some(response) = response {
        analysis["response"] = json!([response]);
    }
    if let Some(decision) = &finding.decision {
        analysis["detail"] = decision.reason.as_str().into();
    }
    analysis
}
