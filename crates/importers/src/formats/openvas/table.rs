//! Results of Greenbone as a table.

use std::io::Read;

use super::{EXPECTED, SOURCE, describe, hand, severity};
use crate::csv::Table;
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Observation};
use crate::output::Output;
use crate::vocabulary;

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    table.header(|names| names.iter().any(|name| name == "nvt name"), EXPECTED)?;
    let mut seen = Introduced::default();
    while let Some(position) = table.next(out)? {
        let host = Host::new([table.get("ip"), table.get("hostname")]);
        if host.is_unknown() {
            out.skip(position, "result of no host")?;
            continue;
        }
        if seen.host(&host, out)? {
            out.coverage(Coverage {
                source: SOURCE.to_owned(),
                check_set: SOURCE.to_owned(),
                location: host.location(),
                extent: Extent::Whole,
                status: CoverageStatus::Skipped,
                reason: Some("a table of results does not tell what was tested".to_owned()),
            })?;
        }
        let parts = [
            ("Summary", table.get("summary")),
            ("Insight", table.get("vulnerability insight")),
            ("Impact", table.get("impact")),
            ("Affected", table.get("affected software/os")),
        ];
        let mut observation = Observation {
            title: table.any(&["nvt name", "nvt oid"]).unwrap_or("unnamed").to_owned(),
            description: describe(parts),
            remediation: table.get("solution").map(str::to_owned),
            severity: severity(table.get("severity").unwrap_or_default()),
            confidence: table.get("qod").and_then(|qod| qod.parse().ok()).map_or(70, |qod: u8| qod.min(100)),
            cvss: table.any(&["cvss vector", "cvss base vector"]).and_then(dialects::vector),
            cwes: table.get("cweid").and_then(|number| number.trim_start_matches("CWE-").parse().ok()).into_iter().collect(),
            cves: table.get("cves").map(vocabulary::cves).unwrap_or_default(),
            references: table.get("other references").map(dialects::addresses).unwrap_or_default(),
            tags: table.get("solution type").map(str::to_owned).into_iter().collect(),
            location: host.at(table.get("port protocol"), table.get("port").and_then(|port| port.parse().ok())),
            observed_at: table.get("timestamp").and_then(vocabulary::instant),
            ..Observation::default()
        };
        if let Some(result) = table.get("specific result") {
            observation.evidence.push(out.evidence("result", result));
        }
        let oid = table.get("nvt oid").map(str::to_owned);
        hand(observation, oid.as_deref(), &host, out)?;
    }
    Ok(())
}
