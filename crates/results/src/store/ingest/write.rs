//! SQL that writes what a run brought, many rows per statement; what all rows share is one parameter.

use std::collections::{HashMap, HashSet};

use audit::Change;
use backends::{Row, Sql, Value};
use base::{Result, Time};
use importers::{Coverage, Extent, Location, Observation};
use scans::ScanId;

use super::super::decisions::in_force;
use super::super::{clean, columns, json, text_of};
use crate::ingest::{CERTAIN, FindingRow, NewKey, Origin, Read, Review, Ruling, Seen};
use crate::model::{Derived, FindingId, HappeningKind, ImportId, InForce, State, rank};

/// Ids named in one statement.
const IDS: usize = 10_000;

/// What a statement that writes a status gives back: the decisions in force, which nobody changes any more until the import ends.
const IN_FORCE: &str = "RETURNING id, decision_kind, decision_until, decision_at";

/// Findings written with a status that follows from a decision which is not the one in force: people decide between reading and writing.
fn decided_since(written: &[Row], read: impl Iterator<Item = Read>) -> Result<Vec<FindingId>> {
    let read: HashMap<FindingId, Option<InForce>> = read.collect();
    let mut since = Vec::new();
    for row in written {
        let id = row.get("id")?;
        if read.get(&id).copied().flatten() != in_force(row)? {
            since.push(id);
        }
    }
    Ok(since)
}

/// Writes findings, new and seen again, in one statement; returns those somebody decided about since they were read.
pub(crate) async fn upsert(change: &mut Change, origin: &Origin, rows: &[FindingRow]) -> Result<Vec<FindingId>> {
    let mut updates: Vec<String> = columns::seen_again()
        .map(|name| match name {
            // What somebody was certain of once does not come into doubt by a tool that is less so.
            "confidence" => format!("{name} = CASE WHEN vulnerabilities.{name} = {CERTAIN} THEN {CERTAIN} ELSE excluded.{name} END"),
            // What is gone already has been since then.
            "fixed_at" => format!(
                "{name} = CASE WHEN vulnerabilities.state = 'absent' AND excluded.state = 'absent' THEN vulnerabilities.{name} ELSE excluded.{name} END"
            ),
            _ => format!("{name} = excluded.{name}"),
        })
        .collect();
    for name in ["cluster", "cluster_reason"] {
        updates.push(format!("{name} = CASE WHEN vulnerabilities.cluster_fixed THEN vulnerabilities.{name} ELSE excluded.{name} END"));
    }
    let statement = format!(
        "INSERT INTO vulnerabilities ({}) {} ON CONFLICT (id) DO UPDATE SET {} {IN_FORCE}",
        columns::all(),
        Sql::rows_sharing(rows.len(), columns::SHARED, columns::OWN),
        updates.join(", ")
    );
    let mut insert =
        Sql::built(statement).bind(change.scope().tenant()).bind(text_of(origin.target)).bind(&origin.options.service).bind(false);
    for row in rows {
        let observation = &row.observation;
        let title = clean(&observation.title);
        let values: [Value; columns::OWN] = [
            row.id.into(),
            clean(&observation.source).into(),
            clean(&observation.check).into(),
            (&title).into(),
            clean(&observation.description).into(),
            observation.remediation.as_deref().map(clean).into(),
            rank(observation.severity).into(),
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
            row.state.as_str().into(),
            row.derived.status.as_str().into(),
            row.derived.until.into(),
            row.derived.base.as_str().into(),
            row.ambiguous.into(),
            row.first_seen.into(),
            (&row.asset).into(),
            (&row.content).into(),
            (&row.first_import).into(),
            row.fixed_at.into(),
            row.cluster.as_ref().map(|(name, _)| name.clone()).into(),
            row.cluster.as_ref().map(|(_, reason)| clean(reason)).into(),
        ];
        insert = insert.bind_all(values);
    }
    decided_since(&change.all(insert).await?, rows.iter().map(|row| (row.id, row.decision)))
}

/// Puts decisions about rules in force on findings that were just born under them.
pub(crate) async fn rule(change: &mut Change, ruling: &Ruling, ids: &[FindingId]) -> Result<()> {
    for some in ids.chunks(IDS) {
        let statement = format!(
            "UPDATE vulnerabilities SET decision_id = $2, decision_kind = $3, decision_until = $4, decision_at = $5
             WHERE tenant_id = $1 AND id IN ({})",
            Sql::list(some.len(), 5)
        );
        let statement = Sql::built(statement)
            .bind(change.scope().tenant())
            .bind(ruling.id)
            .bind(ruling.kind.as_str())
            .bind(ruling.until)
            .bind(ruling.decided_at)
            .bind_all(some.iter().map(|id| Value::from(*id)));
        change.run(statement).await?;
    }
    Ok(())
}

fn labels(observation: &Observation) -> String {
    let names = observation.cves.iter().chain(&observation.aliases).map(|name| clean(&name.to_uppercase()));
    let words: Vec<String> = names.chain(observation.cwes.iter().map(|cwe| format!("CWE-{cwe}"))).collect();
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

/// Columns of `finding_before`, beside the import.
const BEFORE: &str = "tenant_id, id, check_id, title, description, remediation, severity, cvss, cvss_score, cwes, cves, refs, tags, location, confidence, \
     labels, search, state, ambiguous, last_seen, last_scan, last_import, times_seen, asset, content, fixed_at, cluster, cluster_reason";

/// Keeps rows as they are, for undoing this import.
pub(crate) async fn keep_before(change: &mut Change, import: ImportId, ids: &[FindingId]) -> Result<()> {
    for some in ids.chunks(IDS) {
        let statement = format!(
            "INSERT INTO finding_before (import_id, {BEFORE}) SELECT CAST($2 AS TEXT), {BEFORE} FROM vulnerabilities JOIN finding_sightings USING (tenant_id, id)
             WHERE tenant_id = $1 AND id IN ({}) ON CONFLICT (import_id, id) DO NOTHING",
            Sql::list(some.len(), 2)
        );
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind(import).bind_all(some.iter().map(|id| Value::from(*id)));
        change.run(statement).await?;
    }
    Ok(())
}

/// Puts the names of findings out of use; they get others.
pub(crate) async fn retire_keys(change: &mut Change, import: ImportId, ids: &[FindingId]) -> Result<()> {
    for some in ids.chunks(IDS) {
        let statement = format!(
            "UPDATE finding_keys SET retired_by = $2 WHERE tenant_id = $1 AND retired_by IS NULL AND finding_id IN ({})",
            Sql::list(some.len(), 2)
        );
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind(import).bind_all(some.iter().map(|id| Value::from(*id)));
        change.run(statement).await?;
    }
    Ok(())
}

/// Adds names the findings do not hold yet.
pub(crate) async fn add_keys(change: &mut Change, keys: &[NewKey]) -> Result<()> {
    let mut once = HashSet::new();
    let keys: Vec<_> = keys.iter().filter(|new| once.insert((new.finding, new.key.digest.as_str()))).collect();
    for some in keys.chunks(5000) {
        let statement = format!(
            "INSERT INTO finding_keys (tenant_id, added_by, finding_id, position, scheme, version, digest) {}
             ON CONFLICT (finding_id, digest) DO UPDATE SET retired_by = NULL, position = excluded.position",
            Sql::rows_sharing(some.len(), 1, 6)
        );
        let mut insert = Sql::built(statement).bind(change.scope().tenant());
        for NewKey { finding, added_by, position, key } in some {
            insert = insert.bind(*added_by).bind(*finding).bind(*position as i64).bind(&key.scheme).bind(key.version).bind(&key.digest);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Keeps what the tool said; the database keeps by it when each finding was seen last.
pub(crate) async fn add_observations(change: &mut Change, origin: &Origin, rows: &[Seen]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO observations (tenant_id, import_id, scan_id, created_at, id, finding_id, body, observed_at) {}",
        Sql::rows_sharing(rows.len(), 4, 4)
    );
    let mut insert = Sql::built(statement).bind(change.scope().tenant()).bind(origin.import).bind(origin.scan).bind(change.now());
    for seen in rows {
        let id = change.id::<Observation>();
        insert = insert.bind(id).bind(seen.finding).bind(&seen.body).bind(seen.observed_at.as_deref().map(clean));
    }
    change.run(insert).await.map(drop)
}

/// Sets when and how often findings were seen elsewhere: what came over with an export was not seen by taking it in.
pub(crate) async fn carry_over(change: &mut Change, rows: &[(FindingId, Time, i64)]) -> Result<()> {
    for some in rows.chunks(IDS) {
        let statement = format!(
            "UPDATE finding_sightings SET last_seen = past.column2, times_seen = past.column3
             FROM (VALUES {}) AS past WHERE finding_sightings.tenant_id = $1 AND finding_sightings.id = past.column1",
            Sql::rows(some.len(), 3, 1)
        );
        let mut update = Sql::built(statement).bind(change.scope().tenant());
        for (id, last_seen, times_seen) in some {
            update = update.bind(*id).bind(*last_seen).bind(*times_seen);
        }
        change.run(update).await?;
    }
    Ok(())
}

/// Keeps what was tested.
pub(crate) async fn add_coverage(change: &mut Change, origin: &Origin, rows: &[Coverage]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "INSERT INTO coverage (tenant_id, import_id, scan_id, target_id, created_at, id, source, check_set, location, extent, status, reason) {}",
        Sql::rows_sharing(rows.len(), 5, 7)
    );
    let mut insert = Sql::built(statement)
        .bind(change.scope().tenant())
        .bind(origin.import)
        .bind(origin.scan)
        .bind(text_of(origin.target))
        .bind(change.now());
    for coverage in rows {
        let status = serde_json::to_value(coverage.status).ok().and_then(|status| status.as_str().map(str::to_owned));
        insert = insert
            .bind(change.id::<Coverage>())
            .bind(clean(&coverage.source))
            .bind(clean(&coverage.check_set))
            .bind(json::<Location>(&coverage.location)?)
            .bind(json::<Extent>(&coverage.extent)?)
            .bind(status.unwrap_or_default())
            .bind(coverage.reason.as_deref().map(clean));
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
    for some in rows.chunks(5000) {
        let statement = format!(
            "INSERT INTO finding_history (tenant_id, scan_id, import_id, created_at, id, finding_id, kind, note) {}",
            Sql::rows_sharing(some.len(), 4, 4)
        );
        let mut insert = Sql::built(statement).bind(change.scope().tenant()).bind(scan).bind(import).bind(change.now());
        for (finding, kind, note) in some {
            insert = insert.bind(change.id::<HappeningKind>()).bind(*finding).bind(kind.as_str()).bind(note.as_deref().map(clean));
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Keeps questions for people.
pub(crate) async fn add_reviews(change: &mut Change, import: ImportId, reviews: &[Review]) -> Result<()> {
    for some in reviews.chunks(2000) {
        let statement = format!(
            "INSERT INTO finding_reviews (id, tenant_id, finding_id, import_id, candidates, reason, created_at) VALUES {}",
            Sql::rows(some.len(), 7, 0)
        );
        let (tenant, now) = (change.scope().tenant(), change.now());
        let mut insert = Sql::built(statement);
        for review in some {
            insert = insert
                .bind(change.id::<Review>())
                .bind(tenant)
                .bind(review.finding)
                .bind(import)
                .bind(json(&review.candidates)?)
                .bind(clean(&review.reason))
                .bind(now);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Sets state and derived status of findings that come out alike; what is gone already has been since then. Each comes with the decision
/// that was read of it; returns those somebody decided about since.
pub(crate) async fn set_state(change: &mut Change, findings: &[Read], state: State, derived: Derived) -> Result<Vec<FindingId>> {
    let mut since = Vec::new();
    for some in findings.chunks(IDS) {
        let statement = format!(
            "UPDATE vulnerabilities SET state = $2, status = $3, status_until = $4, base_status = $5,
                 fixed_at = CASE WHEN $2 <> 'absent' THEN NULL WHEN state = 'absent' THEN fixed_at ELSE CAST($6 AS BIGINT) END
             WHERE tenant_id = $1 AND id IN ({}) {IN_FORCE}",
            Sql::list(some.len(), 6)
        );
        let statement = Sql::built(statement)
            .bind(change.scope().tenant())
            .bind(state.as_str())
            .bind(derived.status.as_str())
            .bind(derived.until)
            .bind(derived.base.as_str())
            .bind(change.now())
            .bind_all(some.iter().map(|(id, _)| Value::from(*id)));
        since.extend(decided_since(&change.all(statement).await?, some.iter().copied())?);
    }
    Ok(since)
}
