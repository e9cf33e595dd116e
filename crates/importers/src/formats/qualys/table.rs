//! The table of an asset data report; rows before its header tell about the report.

use std::io::Read;

use super::{EXPECTED, SOURCE, TEMPLATE, known};
use crate::csv::Table;
use crate::dialects;
use crate::errors::ParseError;
use crate::hosts::{Host, Introduced};
use crate::model::{Coverage, CoverageStatus, Extent, Gone, Observation};
use crate::output::Output;
use crate::vocabulary;

const TIMES: [&str; 2] = ["%m/%d/%Y %H:%M:%S", "%m/%d/%Y at %H:%M:%S"];

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let needed = ["ip", "qid", "title"];
    table.header(|names| needed.iter().all(|name| names.iter().any(|found| found == name)), EXPECTED)?;
    let mut seen = Introduced::default();
    while let Some(position) = table.next(out)? {
        let host = Host::new([table.get("ip"), known(table.get("fqdn")).or_else(|| known(table.get("dns"))), known(table.get("dns"))]);
        if !host.is_unknown() && seen.host(&host, out)? {
            let state = table.get("ip status");
            out.coverage(Coverage {
                source: SOURCE.to_owned(),
                check_set: SOURCE.to_owned(),
                location: host.location(),
                extent: Extent::Whole,
                status: CoverageStatus::Skipped,
                reason: Some(state.map_or_else(|| TEMPLATE.to_owned(), |state| format!("{state}: {TEMPLATE}"))),
            })?;
        }
        let (Some(qid), Some(title)) = (table.get("qid"), table.get("title")) else {
            continue;
        };
        if host.is_unknown() {
            out.skip(position, "detection of no host")?;
            continue;
        }
        let observation = observation(&table, qid, title, &host, out);
        out.observation(observation, &[qid])?;
    }
    Ok(())
}

fn observation(table: &Table<'_>, qid: &str, title: &str, host: &Host, out: &Output<'_>) -> Observation {
    let check = format!("qualys:{qid}");
    let location = host.at(table.get("protocol"), table.get("port").and_then(|port| port.parse().ok()));
    let base = table.any(&["cvss3.1 base", "cvss3 base", "cvss base"]);
    let temporal = table.any(&["cvss3.1 temporal", "cvss3 temporal", "cvss temporal"]);
    let parts: Vec<&str> = [table.get("threat"), table.get("impact")].into_iter().flatten().collect();
    let listed = ["type", "vuln status", "category"].into_iter().filter_map(|name| known(table.get(name))).map(str::to_owned);
    let given = table.get("associated tags").into_iter().flat_map(|tags| tags.split(',')).map(|tag| tag.trim().to_owned());
    let moment = |name| table.get(name).and_then(|time| dialects::moment(time, &TIMES));
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        keys: host.keys(&location, &check),
        check,
        title: title.to_owned(),
        description: parts.join("\n\n"),
        remediation: table.get("solution").map(str::to_owned),
        severity: dialects::level(table.get("severity")),
        confidence: confidence(table.get("type")),
        cvss: base.and_then(|base| joined(base, temporal)),
        cves: table.any(&["cve id", "cveid"]).map(vocabulary::cves).unwrap_or_default(),
        references: table.get("solution").map(links).unwrap_or_default(),
        tags: listed.chain(given).filter(|tag| !tag.is_empty()).collect(),
        location,
        observed_at: moment("last detected"),
        gone: vocabulary::is_fixed(table.get("vuln status"))
            .then(|| Gone { first_seen: moment("first detected"), at: moment("date last fixed").or_else(|| moment("last fixed")) }),
        ..Observation::default()
    };
    if let Some(results) = table.any(&["results", "result"]) {
        observation.evidence.push(out.evidence("result", results));
    }
    observation
}

/// `Practice` is what might be there.
pub(super) fn confidence(kind: Option<&str>) -> u8 {
    match kind {
        Some("Practice" | "POTENTIAL" | "Potential") => 40,
        _ => 90,
    }
}

/// Base and temporal metrics of `8.1 (AV:…)` and `7.4 (E:…)` in one vector.
pub(super) fn joined(base: &str, temporal: Option<&str>) -> Option<String> {
    let inner = |text: &str| Some(text.split_once('(')?.1.trim_end_matches(')').to_owned());
    let both = temporal.and_then(inner).and_then(|temporal| dialects::vector(&format!("({}/{temporal})", inner(base)?)));
    both.or_else(|| dialects::vector(base))
}

/// Addresses inside running text.
pub(super) fn links(text: &str) -> Vec<String> {
    let marked = text.replace(['(', ')', '<', '>', '"', '\'', '='], " ");
    dialects::addresses(&marked)
}
