//! SQL of taking a run in: known findings by their keys, and rows written many at a time.

use audit::Change;
use backends::{Row, Sql, Value, sql};
use base::{Result, Time};
use importers::{Coverage, Location, Observation};
use scans::ScanId;
use targets::TargetId;

use super::{clean, json, list, placeholders};
use crate::ingest::{FindingRow, Key, KnownFinding};
use crate::model::{DecisionKind, Derived, FindingId, HappeningKind, ImportId, State};

/// Digests asked for in one statement.
const DIGESTS: usize = 10_000;

const KNOWN: &str = "v.id, v.source, v.check_id, v.location, v.state, v.first_seen, v.last_seen, v.last_scan, v.times_seen, \
     v.decision_kind, v.decision_until, v.decision_at";

fn target_text(target: Option<TargetId>) -> String {
    target.map(|id| id.to_string()).unwrap_or_default()
}

fn known(row: &Row) -> Result<KnownFinding> {
    let kind: Option<String> = row.get("decision_kind")?;
    let decision = match kind {
        Some(kind) => {
            Some((kind.parse::<DecisionKind>()?, row.get("decision_until")?, row.get::<Option<Time>>("decision_at")?.unwrap_or_default()))
        }
        None => None,
    };
    Ok(KnownFinding {
        id: row.get("id")?,
        source: row.get("source")?,
        check: row.get("check_id")?,
        location: row.json("location")?,
        state: row.parse("state")?,
        first_seen: row.get("first_seen")?,
        last_seen: row.get("last_seen")?,
        last_scan: row.get("last_scan")?,
        times_seen: row.get("times_seen")?,
        decision,
        digests: Vec::new(),
    })
}

/// Findings of this target that hold one of the digests, with those they hold.
pub(crate) async fn by_digests(change: &mut Change, target: Option<TargetId>, digests: &[&str]) -> Result<Vec<KnownFinding>> {
    let mut found: std::collections::BTreeMap<FindingId, KnownFinding> = std::collections::BTreeMap::new();
    for some in digests.chunks(DIGESTS) {
        let statement = format!(
            "SELECT {KNOWN}, k.digest FROM finding_keys k JOIN vulnerabilities v ON v.id = k.finding_id
             WHERE k.tenant_id = $1 AND v.target_id = $2 AND k.digest IN ({})",
            list(some.len(), 2)
        );
        let statement = Sql::built(statement)
            .bind(change.scope().tenant())
            .bind(target_text(target))
            .bind_all(some.iter().map(|digest| Value::from(*digest)));
        for row in change.all(statement).await? {
            let id: FindingId = row.get("id")?;
            let digest: String = row.get("digest")?;
            match found.entry(id) {
                std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().digests.push(digest),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(known(&row)?).digests.push(digest),
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Findings of these tools believed to be there that this import did not see, a page at a time.
pub(crate) async fn unseen(
    change: &mut Change,
    target: Option<TargetId>,
    source: &str,
    import: ImportId,
    after: Option<FindingId>,
    rows: usize,
) -> Result<Vec<KnownFinding>> {
    let statement = format!(
        "SELECT {KNOWN} FROM vulnerabilities v
         WHERE v.tenant_id = $1 AND v.target_id = $2 AND v.source = $3 AND v.state <> 'absent' AND v.last_import <> $4 AND v.id > $5
         ORDER BY v.id LIMIT {rows}"
    );
    let statement = Sql::built(statement)
        .bind(change.scope().tenant())
        .bind(target_text(target))
        .bind(source)
        .bind(import)
        .bind(after.map(|id| id.to_string()).unwrap_or_default());
    change.all(statement).await?.iter().map(known).collect()
}

const FINDING: &[&str] = &[
    "id",
    "tenant_id",
    "target_id",
    "source",
    "check_id",
    "title",
    "description",
    "remediation",
    "severity",
    "cvss",
    "cvss_score",
    "cwes",
    "cves",
    "refs",
    "tags",
    "location",
    "confidence",
    "labels",
    "search",
    "state",
    "status",
    "status_until",
    "base_status",
    "ambiguous",
    "first_seen",
    "last_seen",
    "last_scan",
    "last_import",
    "times_seen",
];
/// Columns that a repeated sighting does not touch.
const FOR_GOOD: [&str; 6] = ["id", "tenant_id", "target_id", "source", "first_seen", "ambiguous"];

/// Writes findings, new and seen again, in one statement.
pub(crate) async fn upsert(change: &mut Change, rows: &[FindingRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let updates: Vec<String> =
        FINDING.iter().filter(|column| !FOR_GOOD.contains(column)).map(|column| format!("{column} = excluded.{column}")).collect();
    let statement = format!(
        "INSERT INTO vulnerabilities ({}) VALUES {} ON CONFLICT (id) DO UPDATE SET {}",
        FINDING.join(", "),
        placeholders(rows.len(), FINDING.len(), 0),
        updates.join(", ")
    );
    let tenant = change.scope().tenant();
    let mut insert = Sql::built(statement);
    for row in rows {
        let observation = &row.observation;
        let title = clean(&observation.title);
        let values: [Value; 29] = [
            row.id.into(),
            tenant.into(),
            target_text(row.target).into(),
            clean(&observation.source).into(),
            clean(&observation.check).into(),
            (&title).into(),
            clean(&observation.description).into(),
            observation.remediation.as_deref().map(clean).into(),
            crate::model::rank(observation.severity).into(),
            observation.cvss.as_deref().map(clean).into(),
            row.cvss_score.into(),
            json(&observation.cwes)?.into(),
            json(&observation.cves)?.into(),
            json(&observation.references)?.into(),
            json(&observation.tags)?.into(),
            json(&observation.location)?.into(),
            observation.confidence.into(),
            labels(observation).into(),
            search(&title, observation).into(),
            State::Present.as_str().into(),
            row.derived.status.as_str().into(),
            row.derived.until.into(),
            row.derived.base.as_str().into(),
            row.ambiguous.into(),
            row.first_seen.into(),
            row.seen.into(),
            row.scan.into(),
            row.import.into(),
            row.times_seen.into(),
        ];
        insert = insert.bind_all(values);
    }
    change.run(insert).await.map(drop)
}

fn labels(observation: &Observation) -> String {
    let cves = observation.cves.iter().map(|cve| clean(&cve.to_uppercase()));
    let words: Vec<String> = cves.chain(observation.cwes.iter().map(|cwe| format!("CWE-{cwe}"))).collect();
    format!(" {} ", words.join(" "))
}

fn search(title: &str, observation: &Observation) -> String {
    let place = &observation.location;
    let component = place.component.as_ref().map(|component| component.name.as_str());
    let parts = [
        Some(title),
        Some(&observation.check),
        place.host.as_deref(),
        place.ip.as_deref(),
        place.url.as_deref(),
        place.file.as_deref(),
        component,
    ];
    let port = place.port.map(|port| format!(":{port}")).unwrap_or_default();
    clean(&format!("{}\n{port}", parts.into_iter().flatten().collect::<Vec<_>>().join("\n")).to_lowercase())
}

/// Forgets the keys of findings that moved; they get those of their new place.
pub(crate) async fn forget_keys(change: &mut Change, ids: &[FindingId]) -> Result<()> {
    for some in ids.chunks(DIGESTS) {
        let statement = format!("DELETE FROM finding_keys WHERE tenant_id = $1 AND finding_id IN ({})", list(some.len(), 1));
        change.run(Sql::built(statement).bind(change.scope().tenant()).bind_all(some.iter().map(|id| Value::from(*id)))).await?;
    }
    Ok(())
}

/// Adds keys the findings do not hold yet.
pub(crate) async fn add_keys(change: &mut Change, keys: &[(FindingId, usize, &Key)]) -> Result<()> {
    for some in keys.chunks(5000) {
        let statement = format!(
            "INSERT INTO finding_keys (tenant_id, finding_id, position, scheme, version, digest) VALUES {} ON CONFLICT (finding_id, digest) DO NOTHING",
            placeholders(some.len(), 6, 0)
        );
        let tenant = change.scope().tenant();
        let mut insert = Sql::built(statement);
        for (finding, position, key) in some {
            insert = insert.bind(tenant).bind(*finding).bind(*position as i64).bind(&key.scheme).bind(key.version).bind(&key.digest);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Keeps what the tool said.
pub(crate) async fn add_observations(
    change: &mut Change,
    import: ImportId,
    scan: Option<ScanId>,
    rows: &[(FindingId, Observation)],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO observations (id, tenant_id, finding_id, import_id, scan_id, body, created_at) VALUES {}",
        placeholders(rows.len(), 7, 0)
    );
    let (tenant, now) = (change.scope().tenant(), change.now());
    let mut insert = Sql::built(statement);
    for (finding, observation) in rows {
        let id = change.id::<Observation>();
        insert = insert.bind(id).bind(tenant).bind(*finding).bind(import).bind(scan).bind(json(observation)?).bind(now);
    }
    change.run(insert).await.map(drop)
}

/// Keeps what was tested.
pub(crate) async fn add_coverage(
    change: &mut Change,
    import: ImportId,
    scan: Option<ScanId>,
    target: Option<TargetId>,
    rows: &[Coverage],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO coverage (id, tenant_id, import_id, scan_id, target_id, source, check_set, location, status, reason, created_at) VALUES {}",
        placeholders(rows.len(), 11, 0)
    );
    let (tenant, now) = (change.scope().tenant(), change.now());
    let mut insert = Sql::built(statement);
    for coverage in rows {
        let status = serde_json::to_value(coverage.status).ok().and_then(|status| status.as_str().map(str::to_owned));
        insert = insert
            .bind(change.id::<Coverage>())
            .bind(tenant)
            .bind(import)
            .bind(scan)
            .bind(target_text(target))
            .bind(clean(&coverage.source))
            .bind(clean(&coverage.check_set))
            .bind(json::<Location>(&coverage.location)?)
            .bind(status.unwrap_or_default())
            .bind(coverage.reason.as_deref().map(clean))
            .bind(now);
    }
    change.run(insert).await.map(drop)
}

/// Keeps turns in the lives of findings.
pub(crate) async fn add_history(
    change: &mut Change,
    import: Option<ImportId>,
    scan: Option<ScanId>,
    rows: &[(FindingId, HappeningKind, Option<String>)],
) -> Result<()> {
    for some in rows.chunks(3000) {
        let statement = format!(
            "INSERT INTO finding_history (id, tenant_id, finding_id, kind, scan_id, import_id, note, created_at) VALUES {}",
            placeholders(some.len(), 8, 0)
        );
        let (tenant, now) = (change.scope().tenant(), change.now());
        let mut insert = Sql::built(statement);
        for (finding, kind, note) in some {
            let id = change.id::<HappeningKind>();
            insert = insert
                .bind(id)
                .bind(tenant)
                .bind(*finding)
                .bind(kind.as_str())
                .bind(scan)
                .bind(import)
                .bind(note.as_deref().map(clean))
                .bind(now);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Sets state and derived status of findings that come out alike.
pub(crate) async fn set_state(change: &mut Change, ids: &[FindingId], state: State, derived: Derived) -> Result<()> {
    for some in ids.chunks(DIGESTS) {
        let statement = format!(
            "UPDATE vulnerabilities SET state = $2, status = $3, status_until = $4, base_status = $5 WHERE tenant_id = $1 AND id IN ({})",
            list(some.len(), 5)
        );
        let statement = Sql::built(statement)
            .bind(change.scope().tenant())
            .bind(state.as_str())
            .bind(derived.status.as_str())
            .bind(derived.until)
            .bind(derived.base.as_str())
            .bind_all(some.iter().map(|id| Value::from(*id)));
        change.run(statement).await?;
    }
    Ok(())
}

/// Tools that took part in a scan.
pub(crate) async fn sources_of_scan(change: &mut Change, scan: ScanId) -> Result<Vec<String>> {
    let statement = sql("SELECT DISTINCT source FROM coverage WHERE tenant_id = $1 AND scan_id = $2 AND status <> 'skipped'");
    change.all(statement.bind(change.scope().tenant()).bind(scan)).await?.iter().map(|row| row.get("source")).collect()
}
