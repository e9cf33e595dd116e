//! Tables of Nessus, Tenable.io and Tenable.sc. Rows that repeat a report for every CVE are one.

use std::io::Read;

use super::{EXPECTED, SOURCE, describe, exploited, lost_access, severity};
use crate::csv::Table;
use crate::dialects;
use crate::errors::{ParseError, Position};
use crate::hosts::{Host, Introduced};
use crate::identity;
use crate::model::{Coverage, CoverageStatus, Extent, Gone, Observation};
use crate::output::Output;
use crate::vocabulary;

const NAMES: [&str; 3] = ["name", "plugin name", "definition.name"];
const SYNOPSES: [&str; 2] = ["synopsis", "definition.synopsis"];
const VECTORS: [&str; 9] = [
    "cvss v4 vector",
    "cvss4 vector",
    "definition.cvss4.base_vector",
    "cvss v3 vector",
    "cvss3 vector",
    "definition.cvss3.base_vector",
    "cvss v2 vector",
    "cvss vector",
    "definition.cvss2.base_vector",
];
const TIMES: [&str; 3] = ["%b %d, %Y %H:%M:%S %Z", "%b %d, %Y %H:%M:%S UTC", "%m/%d/%Y %H:%M:%S"];

/// A report that the next row may go on with.
struct Pending {
    observation: Observation,
    issue: [String; 5],
}

pub(super) fn read(source: &mut dyn Read, out: &mut Output<'_>) -> Result<(), ParseError> {
    let mut table = Table::open(source, out)?;
    let any = |names: &[String], wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    let ids = ["plugin id", "plugin", "definition.id", "plugin output", "synopsis", "definition.synopsis"];
    table.header(|names| any(names, &ids) && (any(names, &NAMES) || any(names, &["asset.name"])), EXPECTED)?;
    let mut seen = Introduced::default();
    let mut pending: Option<Pending> = None;
    while let Some(position) = table.next(out)? {
        let Some(next) = row(&table, position, &mut seen, out)? else {
            continue;
        };
        match &mut pending {
            Some(last) if goes_on(&last.observation, &next.observation) => {
                last.observation.cves.extend(next.observation.cves);
                last.observation.cves.dedup();
            }
            _ => {
                if let Some(last) = pending.replace(next) {
                    hand(last, out)?;
                }
            }
        }
    }
    pending.map_or(Ok(()), |last| hand(last, out))
}

fn hand(pending: Pending, out: &mut Output<'_>) -> Result<(), ParseError> {
    let issue: Vec<&str> = pending.issue.iter().map(String::as_str).collect();
    out.observation(pending.observation, &issue)
}

fn goes_on(last: &Observation, next: &Observation) -> bool {
    last.check == next.check
        && last.location == next.location
        && last.severity == next.severity
        && last.evidence == next.evidence
        && last.description == next.description
        && next.cves.iter().any(|cve| !last.cves.contains(cve))
}

fn row(table: &Table<'_>, position: Position, seen: &mut Introduced, out: &mut Output<'_>) -> Result<Option<Pending>, ParseError> {
    let Some(title) = table.any(&NAMES).or_else(|| table.get("asset.name").filter(|_| !table.has("definition.name"))) else {
        return Ok(None);
    };
    let plugin = table.any(&["plugin id", "plugin", "definition.id"]);
    let host_text = table.any(&["host", "asset.host_name"]);
    let names = ["asset.name", "dns name", "fqdn", "ip address", "asset.ipv4_addresses", "asset.display_ipv4_address", "netbios name"];
    let host = Host::new(std::iter::once(host_text).chain(names.iter().map(|name| table.get(name).filter(|name| !name.contains(',')))));
    if host.is_unknown() {
        out.skip(position, "row of no host")?;
        return Ok(None);
    }
    introduce(&host, plugin, seen, out)?;
    let protocol = table.get("protocol").map(str::to_ascii_lowercase);
    let is_transport = protocol.as_deref().is_some_and(|name| matches!(name, "tcp" | "udp" | "icmp" | "sctp"));
    let port_text = table.any(&["port", "asset.port"]);
    let mut location = host.at(protocol.as_deref().filter(|_| is_transport), port_text.and_then(|port| port.parse().ok()));
    location.service = table.get("service").map(str::to_owned).or_else(|| protocol.filter(|_| !is_transport));
    location.component = table.any(&["cpe", "definition.cpe"]).and_then(|cpe| cpe.split([' ', '\n', ',']).find_map(dialects::product));
    let check = format!("tenable:{}", plugin.unwrap_or(title));
    let mut keys = host.keys(&location, &check);
    let output = table.any(&["plugin output", "plugin text", "output"]);
    let (exploited_url, parameter) = output.map(exploited).unwrap_or_default();
    if let Some(url) = exploited_url.or_else(|| host_text.filter(|text| text.contains("://"))) {
        let path = url::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        keys.insert(0, identity::web(url, &check, None, &path, parameter));
        location.url = Some(url.to_owned());
        location.parameter = parameter.map(str::to_owned);
    }
    let moment = |names: &[&str]| {
        let time = table.any(names)?;
        dialects::moment(time, &TIMES).or_else(|| dialects::day(time, &["%Y/%m/%d"])).or_else(|| vocabulary::epoch(time))
    };
    let mut observation = Observation {
        source: SOURCE.to_owned(),
        check,
        title: title.to_owned(),
        remediation: table
            .any(&["solution", "definition.solution", "steps to remediate"])
            .filter(|text| !text.eq_ignore_ascii_case("n/a"))
            .map(str::to_owned),
        severity: severity(table.any(&["risk", "severity"]).unwrap_or_default()),
        cvss: VECTORS.iter().filter_map(|name| table.get(name)).find_map(dialects::vector),
        cwes: table.any(&["cwe", "definition.cwe"]).map(vocabulary::cwes).unwrap_or_default(),
        cves: table.any(&["cve", "definition.cve"]).map(vocabulary::cves).unwrap_or_default(),
        references: table.any(&["see also", "definition.see_also"]).map(dialects::addresses).unwrap_or_default(),
        tags: table.any(&["plugin family", "family", "definition.family"]).map(str::to_owned).into_iter().collect(),
        location,
        keys,
        observed_at: moment(&["last found", "last observed", "last_seen", "host end"]),
        gone: vocabulary::is_fixed(table.any(&["vulnerability state", "state"])).then(|| Gone {
            first_seen: moment(&["first found", "first observed", "first discovered", "first_observed"]),
            at: moment(&["last fixed", "date fixed", "fixed date", "last_fixed"]),
        }),
        ..Observation::default()
    };
    describe(&mut observation, table.any(&SYNOPSES), table.any(&["description", "definition.description"]));
    if let Some(output) = output {
        observation.evidence.push(out.evidence("plugin output", output));
    }
    let issue = [
        observation.severity.as_str().to_owned(),
        title.to_owned(),
        host_text.unwrap_or_default().to_owned(),
        port_text.unwrap_or_default().to_owned(),
        table.any(&SYNOPSES).unwrap_or_default().to_owned(),
    ];
    Ok(Some(Pending { observation, issue }))
}

fn introduce(host: &Host, plugin: Option<&str>, seen: &mut Introduced, out: &mut Output<'_>) -> Result<(), ParseError> {
    let told = |check_set: &str, status, reason: Option<&str>| Coverage {
        source: SOURCE.to_owned(),
        check_set: check_set.to_owned(),
        location: host.location(),
        extent: Extent::Whole,
        status,
        reason: reason.map(str::to_owned),
    };
    if seen.host(host, out)? {
        out.coverage(told(SOURCE, CoverageStatus::Skipped, Some("a table does not tell which plugins ran")))?;
    }
    if plugin.is_some_and(lost_access) && seen.is_new((host, "access")) {
        out.coverage(told("tenable:local", CoverageStatus::AuthLost, Some("a plugin reports that credentials did not work")))?;
    }
    Ok(())
}
