//! Findings and observations as the search index sees them: of every organisation, for the index alone.

use backends::{Backends, Row, portion};
use base::{Result, Unit};
use importers::{Location, Observation};
use query::{Card, Document, Field, Portion, Schema};
use serde_json::json;

use crate::service::Results;
use crate::store::documents as store;

const SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];

/// Findings.
pub static FINDINGS: Schema = Schema {
    name: "vulnerabilities",
    fields: &[
        Field::text("title", "one line").sortable(),
        Field::text("description", "what was found"),
        Field::text("remediation", "what to do about it"),
        Field::rank("severity", SEVERITIES, "how grave").sortable(),
        Field::number("cvss_score", "CVSS score, 0 to 10").sortable(),
        Field::keyword("status", "open, fixed, not_retested, false_positive, accepted, out_of_scope, mitigated"),
        Field::keyword("cve", "CVE ids").free(),
        Field::keyword("cwe", "CWE ids, such as CWE-79").free(),
        Field::keyword("source", "the tool").free(),
        Field::keyword("check", "the tool's check").free(),
        Field::keyword("tag", "labels of the tool").free(),
        Field::keyword("target", "id of the target"),
        Field::keyword("unit", "business units the target lies in"),
        Field::keyword("scan", "id of the scan that saw it last"),
        Field::keyword("host", "host name or address").free(),
        Field::integer("port", "port"),
        Field::keyword("service", "service name, such as http"),
        Field::keyword("url", "web address").free(),
        Field::keyword("parameter", "parameter or other insertion point"),
        Field::keyword("component", "package or product").free(),
        Field::keyword("version", "version of the package or product"),
        Field::keyword("file", "path in a repository or image").free(),
        Field::keyword("reference", "addresses to read on"),
        Field::integer("confidence", "how sure the detection is, 0 to 100"),
        Field::integer("times_seen", "how often it was seen").sortable(),
        Field::time("first_seen", "since when").sortable(),
        Field::time("last_seen", "seen last").sortable(),
    ],
    sort: "-severity",
};

/// Observations: what tools said.
pub static OBSERVATIONS: Schema = Schema {
    name: "scan_results",
    fields: &[
        Field::text("title", "one line"),
        Field::text("description", "what was found"),
        Field::text("evidence", "what proves it"),
        Field::rank("severity", SEVERITIES, "as the tool rates it").sortable(),
        Field::keyword("cve", "CVE ids").free(),
        Field::keyword("cwe", "CWE ids, such as CWE-79").free(),
        Field::keyword("source", "the tool").free(),
        Field::keyword("check", "the tool's check").free(),
        Field::keyword("finding", "id of the finding"),
        Field::keyword("unit", "business units its target lies in"),
        Field::keyword("import", "id of the import"),
        Field::keyword("scan", "id of the scan"),
        Field::keyword("host", "host name or address").free(),
        Field::integer("port", "port"),
        Field::keyword("url", "web address").free(),
        Field::keyword("component", "package or product").free(),
        Field::keyword("file", "path in a repository or image").free(),
        Field::time("created_at", "when it was taken in").sortable(),
    ],
    sort: "-created_at",
};

impl Results {
    /// Findings for the index.
    ///
    /// # Errors
    /// The database's.
    pub async fn finding_cards(&self, wanted: Portion<'_>) -> Result<Vec<Card>> {
        cards(&self.backends, store::FINDINGS, "v.id", wanted, finding).await
    }

    /// Observations for the index.
    ///
    /// # Errors
    /// The database's.
    pub async fn observation_cards(&self, wanted: Portion<'_>) -> Result<Vec<Card>> {
        cards(&self.backends, store::OBSERVATIONS, "o.id", wanted, observation).await
    }
}

async fn cards(backends: &Backends, select: &str, id: &str, wanted: Portion<'_>, card: fn(&Row) -> Result<Card>) -> Result<Vec<Card>> {
    backends.db.all(portion(select, id, wanted)).await?.iter().map(card).collect()
}

fn finding(row: &Row) -> Result<Card> {
    let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
    let location: Location = row.json("location")?;
    let (title, status, source): (String, String, String) = (row.get("title")?, row.get("status")?, row.get("source")?);
    let severity: i64 = row.get("severity")?;
    let (first_seen, last_seen): (base::Time, base::Time) = (row.get("first_seen")?, row.get("last_seen")?);
    let shown = json!({
        "title": title, "severity": severity_name(severity), "status": status, "source": source, "place": place(&location),
        "first_seen": first_seen, "last_seen": last_seen,
    });
    let (target, unit): (String, _) = (row.get("target_id")?, unit(row)?);
    let document = Document::new(&FINDINGS, tenant, id)
        .with("title", title)
        .with("description", row.get::<String>("description")?)
        .with_all("remediation", row.get::<Option<String>>("remediation")?)
        .with("severity", severity)
        .with_all("cvss_score", row.get::<Option<f64>>("cvss_score")?)
        .with("status", status)
        .with_all("cve", row.json::<Vec<String>>("cves")?)
        .with_all("cwe", row.json::<Vec<u32>>("cwes")?.into_iter().map(weakness))
        .with("source", source)
        .with("check", row.get::<String>("check_id")?)
        .with_all("tag", row.json::<Vec<String>>("tags")?)
        .with("target", target)
        .with_all("unit", unit.iter().flat_map(Unit::upwards).map(str::to_owned))
        .with_all("scan", row.get::<Option<String>>("last_scan")?)
        .with_all("reference", row.json::<Vec<String>>("refs")?)
        .with("confidence", row.get::<i64>("confidence")?)
        .with("times_seen", row.get::<i64>("times_seen")?)
        .with("first_seen", first_seen.micros())
        .with("last_seen", last_seen.micros());
    Ok(Card { document: located(document, location), shown, unit: unit.map(String::from) })
}

/// The business unit of the target.
fn unit(row: &Row) -> Result<Option<Unit>> {
    Ok(row.get::<Option<String>>("unit")?.and_then(|path| path.parse().ok()))
}

fn observation(row: &Row) -> Result<Card> {
    let (id, tenant): (String, String) = (row.get("id")?, row.get("tenant_id")?);
    let (finding, import): (String, String) = (row.get("finding_id")?, row.get("import_id")?);
    let body: String = row.get("body")?;
    // An observation like the one before is kept without a body.
    let said: Option<Observation> = if body.is_empty() { None } else { Some(row.json("body")?) };
    let created_at: base::Time = row.get("created_at")?;
    let unit = unit(row)?;
    let mut document = Document::new(&OBSERVATIONS, tenant, id)
        .with("finding", finding.as_str())
        .with_all("unit", unit.iter().flat_map(Unit::upwards).map(str::to_owned))
        .with("import", import)
        .with_all("scan", row.get::<Option<String>>("scan_id")?)
        .with("created_at", created_at.micros());
    let (title, severity, source, location) = match said {
        Some(said) => {
            document = document
                .with("description", said.description)
                .with_all("evidence", said.evidence.into_iter().map(|piece| piece.body))
                .with_all("cve", said.cves)
                .with_all("cwe", said.cwes.into_iter().map(weakness))
                .with("check", said.check);
            (said.title, said.severity.as_str(), said.source, said.location)
        }
        None => {
            document = document
                .with("description", row.get::<String>("description")?)
                .with_all("cve", row.json::<Vec<String>>("cves")?)
                .with_all("cwe", row.json::<Vec<u32>>("cwes")?.into_iter().map(weakness))
                .with("check", row.get::<String>("check_id")?);
            (row.get("title")?, severity_name(row.get("severity")?), row.get("source")?, row.json("location")?)
        }
    };
    let shown = json!({
        "title": title, "severity": severity, "source": source, "place": place(&location), "finding_id": finding, "created_at": created_at,
    });
    let document = document.with("title", title).with("severity", severity).with("source", source);
    Ok(Card { document: located(document, location), shown, unit: unit.map(String::from) })
}

fn located(document: Document, location: Location) -> Document {
    let document = document
        .with_all("host", location.host.into_iter().chain(location.ip))
        .with_all("port", location.port.map(i64::from))
        .with_all("service", location.service)
        .with_all("url", location.url)
        .with_all("parameter", location.parameter)
        .with_all("file", location.file);
    match location.component {
        None => document,
        Some(component) => {
            document.with_all("component", component.purl.into_iter().chain([component.name])).with_all("version", component.version)
        }
    }
}

/// Where something is, in one word.
fn place(location: &Location) -> Option<String> {
    let host = || {
        let host = location.host.as_ref().or(location.ip.as_ref())?;
        Some(location.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    };
    let file = || {
        let file = location.file.as_ref()?;
        Some(location.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
    };
    let component = || location.component.as_ref().map(|component| component.name.clone());
    location.url.clone().or_else(host).or_else(file).or_else(component)
}

fn weakness(number: u32) -> String {
    format!("CWE-{number}")
}

fn severity_name(rank: i64) -> &'static str {
    usize::try_from(rank).ok().and_then(|rank| SEVERITIES.get(rank)).copied().unwrap_or("info")
}
