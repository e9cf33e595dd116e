//! Targets, authorisations, runs, coverage and gaps as a report freezes them.

use std::collections::BTreeSet;

use importers::{CoverageStatus, Extent};
use results::CoverageRow;
use scans::{Scan, ScanState, StageState};
use targets::{Rule, RuleText, TargetKind};

use super::finding::location;
use crate::snapshot::{Authorization, Cause, Coverage, Gap, Outcome, Run, Target};

/// Most single checks listed that did not run to their end, per scan.
const BROKEN: usize = 200;

pub(super) fn target(target: &targets::Target) -> Target {
    Target {
        id: target.id.to_string(),
        name: target.name.clone(),
        kind: target.kind.as_str().to_owned(),
        address: target.address.clone(),
        environment: target.environment.clone(),
        criticality: Some(target.criticality.as_str().to_owned()),
    }
}

pub(super) fn authorization(granted: &targets::Authorization) -> Authorization {
    Authorization {
        id: granted.id.to_string(),
        granted_by: granted.granted_by.clone(),
        evidence: Some(granted.evidence.clone()).filter(|text| !text.trim().is_empty()),
        covers: granted.rules.iter().map(rule).collect(),
        excludes: granted.exclusions.iter().map(rule).collect(),
        intrusiveness: granted.intrusiveness.as_str().to_owned(),
        valid_from: granted.valid_from,
        valid_until: granted.valid_until,
        revoked_at: granted.revoked_at,
    }
}

fn rule(rule: &Rule) -> String {
    RuleText::from(rule.clone()).value
}

pub(super) fn scan(scan: &Scan) -> Run {
    let is_whole = scan.stages.iter().all(|stage| stage.state == StageState::Done);
    Run {
        id: scan.id.to_string(),
        name: scan.profile.as_str().to_owned(),
        target: Some(scan.target_id.to_string()),
        outcome: match scan.state {
            ScanState::Completed if is_whole => Outcome::Done,
            ScanState::Failed => Outcome::Error,
            ScanState::Cancelled => Outcome::Cancelled,
            _ => Outcome::Partial,
        },
        started_at: scan.started_at,
        finished_at: scan.finished_at,
    }
}

pub(super) fn import(import: &results::Import) -> Run {
    Run {
        id: import.id.to_string(),
        name: import.filename.clone().unwrap_or_else(|| import.format.clone()),
        target: import.target_id.map(|id| id.to_string()),
        outcome: Outcome::Done,
        started_at: Some(import.created_at),
        finished_at: Some(import.created_at),
    }
}

/// The stages of a scan as steps.
pub(super) fn stages(scan: &Scan) -> impl Iterator<Item = Coverage> {
    scan.stages.iter().map(|stage| Coverage {
        target: scan.target_id.to_string(),
        stage: stage.name.clone(),
        tool: stage.tool.clone(),
        outcome: match stage.state {
            StageState::Done => Outcome::Done,
            StageState::Pending | StageState::Skipped => Outcome::Skipped,
            StageState::Running => Outcome::Partial,
            StageState::Failed => Outcome::Error,
            StageState::TimedOut => Outcome::Timeout,
            StageState::Stopped => Outcome::Cancelled,
        },
        reason: stage.reason.clone(),
        started_at: stage.started_at,
        finished_at: stage.finished_at,
    })
}

/// Where a check was to be made, with the ports of a host where it was about those: `192.0.2.1 tcp/1-1024,8080`.
fn place(row: &CoverageRow) -> String {
    let place = location(&row.location, None).place();
    match &row.extent {
        Extent::Untold | Extent::Whole | Extent::Itself => place,
        Extent::Ports(list) | Extent::Closed(list) => {
            format!("{place} {}/{}", row.location.protocol.as_deref().unwrap_or("tcp"), list.brief())
        }
    }
}

/// The single checks inside a scan that did not run to their end.
pub(super) fn broken(scan: &Scan, rows: &[CoverageRow]) -> Vec<Coverage> {
    let rows = rows.iter().filter(|row| !matches!(row.status, CoverageStatus::Done | CoverageStatus::Partial));
    rows.take(BROKEN)
        .map(|row| {
            let place = place(row);
            let outcome = match row.status {
                CoverageStatus::Done | CoverageStatus::Partial => Outcome::Done,
                CoverageStatus::Skipped => Outcome::Skipped,
                CoverageStatus::Error | CoverageStatus::AuthLost => Outcome::Error,
                CoverageStatus::Timeout => Outcome::Timeout,
            };
            Coverage {
                target: if place.is_empty() { scan.target_id.to_string() } else { place },
                stage: row.check_set.clone(),
                tool: row.source.clone(),
                outcome,
                reason: row.reason.clone(),
                started_at: None,
                finished_at: Some(row.at),
            }
        })
        .collect()
}

/// What no test touched: targets without a scan, what authorisations leave out, what lies behind a sign-in.
pub(super) fn gaps(targets: &[targets::Target], scans: &[Scan], authorizations: &[targets::Authorization]) -> Vec<Gap> {
    let scanned: BTreeSet<_> = scans.iter().filter(|scan| scan.started_at.is_some()).map(|scan| scan.target_id).collect();
    let mut gaps = Vec::new();
    for target in targets {
        let gap = |cause| Gap { what: target.name.clone(), cause, note: None };
        if !scanned.contains(&target.id) {
            gaps.push(gap(Cause::Untested));
        } else if matches!(target.kind, TargetKind::Web | TargetKind::Api) {
            gaps.push(gap(Cause::NoAccount));
        }
    }
    let excluded: BTreeSet<String> = authorizations.iter().flat_map(|granted| &granted.exclusions).map(rule).collect();
    gaps.extend(excluded.into_iter().map(|what| Gap { what, cause: Cause::Excluded, note: None }));
    gaps
}

#[cfg(test)]
mod tests {
    use importers::{Location, PortList};

    use super::*;

    #[test]
    fn what_was_not_tested_is_told_with_its_ports() {
        let at = |extent| {
            place(&CoverageRow {
                source: "nmap".into(),
                check_set: "nmap:open-port".into(),
                location: Location { ip: Some("192.0.2.1".into()), protocol: Some("udp".into()), ..Location::default() },
                extent,
                status: CoverageStatus::Skipped,
                reason: None,
                scan_id: None,
                at: base::Time::default(),
            })
        };
        assert_eq!(at(Extent::Ports(PortList::from("53,161-162"))), "192.0.2.1 udp/53,161-162");
        assert_eq!((at(Extent::Whole), at(Extent::Untold)), ("192.0.2.1".into(), "192.0.2.1".into()));
        let many = (0..100).map(|port| port * 2).collect();
        assert!(at(Extent::Ports(many)).len() < 80, "the whole list would fill the page");
    }
}
