//! A finding of the results context as a report freezes it.

use results::FindingDetail;

use crate::snapshot::{Confidence, Cvss, Decision, DecisionKind, Evidence, Finding, Location, Reference, Severity, Status};

/// Most pieces of evidence kept per finding, newest first.
const PIECES: usize = 8;
/// Most places kept per finding.
const PLACES: usize = 100;

pub(super) const fn severity(severity: importers::Severity) -> Severity {
    match severity {
        importers::Severity::Critical => Severity::Critical,
        importers::Severity::High => Severity::High,
        importers::Severity::Medium => Severity::Medium,
        importers::Severity::Low => Severity::Low,
        importers::Severity::Info => Severity::Info,
    }
}

pub(super) const fn status(status: results::Status) -> Status {
    match status {
        results::Status::Open => Status::Open,
        results::Status::NotRetested => Status::NotRetested,
        results::Status::Accepted | results::Status::Mitigated | results::Status::OutOfScope => Status::Accepted,
        results::Status::FalsePositive => Status::FalsePositive,
        results::Status::Fixed => Status::Fixed,
    }
}

pub(super) fn finding(detail: FindingDetail) -> Finding {
    let FindingDetail { finding, observations, .. } = detail;
    let target = finding.target_id.map(|id| id.to_string());
    let mut locations = vec![location(&finding.location, target.as_ref())];
    let mut evidence = Vec::new();
    for seen in observations {
        let place = location(&seen.location, target.as_ref());
        if locations.len() < PLACES && !locations.iter().any(|known| known.is_at(&place)) {
            locations.push(place);
        }
        for piece in seen.evidence {
            let piece = Evidence { label: piece.label, body: piece.body, truncated: piece.truncated };
            if evidence.len() < PIECES && !evidence.contains(&piece) {
                evidence.push(piece);
            }
        }
    }
    Finding {
        id: finding.id.to_string(),
        title: finding.title,
        severity: severity(finding.severity),
        cvss: finding.cvss_score.map(|score| Cvss { vector: finding.cvss, score_tenths: tenths(score) }),
        cwes: finding.cwes,
        cves: finding.cves,
        known_exploited: None,
        status: status(finding.status),
        decision: finding.decision.map(decision),
        confidence: Confidence::from_percent(finding.confidence),
        locations,
        description: finding.description,
        remediation: finding.remediation,
        evidence,
        references: finding.references.into_iter().map(|url| Reference { title: None, url }).collect(),
        sources: vec![finding.source],
        check: Some(finding.check),
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
    }
}

fn decision(decision: results::Decision) -> Decision {
    Decision {
        kind: match decision.kind {
            results::DecisionKind::Accepted
            | results::DecisionKind::OutOfScope
            | results::DecisionKind::Mitigated
            | results::DecisionKind::Confirmed => DecisionKind::Accepted,
            results::DecisionKind::FalsePositive => DecisionKind::FalsePositive,
            results::DecisionKind::Fixed => DecisionKind::Fixed,
            results::DecisionKind::Reopen => DecisionKind::Reopened,
        },
        by: decision.decided_by_name,
        at: decision.decided_at,
        reason: decision.reason,
        until: decision.valid_until,
    }
}

pub(super) fn location(location: &importers::Location, target: Option<&String>) -> Location {
    let component = location.component.as_ref().map(|component| match &component.version {
        Some(version) => format!("{} {version}", component.name),
        None => component.name.clone(),
    });
    Location {
        target: target.cloned(),
        host: location.host.clone().or_else(|| location.ip.clone()),
        port: location.port,
        protocol: location.protocol.clone(),
        service: location.service.clone(),
        url: location.url.clone(),
        method: location.method.clone(),
        parameter: location.parameter.clone().or_else(|| location.logical.clone()),
        component,
        file: location.file.clone(),
        line: location.line,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100 before")]
fn tenths(score: f64) -> u16 {
    (score * 10.0).round().clamp(0.0, 100.0) as u16
}
