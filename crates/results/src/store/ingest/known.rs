//! SQL of what is known: findings by their names, findings a run has not shown, decisions that hold for rules.

use std::collections::{BTreeMap, HashMap};

use audit::Change;
use backends::{Row, Sql, Value, sql};
use base::{Result, Time};
use scans::ScanId;

use super::super::findings::severity;
use super::super::{list, text_of};
use crate::ingest::{KnownFinding, Origin, Ruling, Rulings, Unseen};
use crate::model::{DecisionKind, FindingId};

/// Digests asked for in one statement.
const DIGESTS: usize = 10_000;

const KNOWN: &str = "v.id, v.source, v.state, v.first_seen, v.last_seen, v.last_scan, v.times_seen, v.first_import, v.content, \
     v.decision_kind, v.decision_until, v.decision_at";
const UNSEEN: &str = "v.title, v.severity, v.check_id, v.location";
/// Within this tenant, target and service.
const HERE: &str = "v.tenant_id = $1 AND v.target_id = $2 AND v.service = $3";

fn here(statement: String, change: &Change, origin: &Origin) -> Sql {
    Sql::built(statement).bind(change.scope().tenant()).bind(text_of(origin.target)).bind(&origin.options.service)
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
        state: row.parse("state")?,
        first_seen: row.get("first_seen")?,
        last_seen: row.get("last_seen")?,
        last_scan: row.get("last_scan")?,
        times_seen: row.get("times_seen")?,
        first_import: row.get("first_import")?,
        content: row.get("content")?,
        decision,
    })
}

fn unseen_of(row: &Row) -> Result<Unseen> {
    Ok(Unseen {
        known: known(row)?,
        title: row.get("title")?,
        severity: severity(row.get("severity")?)?,
        check: row.get("check_id")?,
        location: row.json("location")?,
        digests: Vec::new(),
    })
}

/// Whether there is anything that what comes in could be compared with, and the decisions in force that hold for rules of
/// these tools: one question.
pub(crate) async fn known_before(change: &mut Change, origin: &Origin, sources: &[String]) -> Result<(bool, Rulings)> {
    let (mut has_known, mut rulings) = (false, Rulings::default());
    if sources.is_empty() {
        return Ok((has_known, rulings));
    }
    let among = list(sources.len(), 4);
    let statement = format!(
        "SELECT NULL AS id, NULL AS kind, NULL AS source, NULL AS check_id, NULL AS asset, CAST(NULL AS BIGINT) AS valid_until,
                CAST(NULL AS BIGINT) AS decided_at
         FROM (SELECT 1 AS one FROM vulnerabilities v WHERE {HERE} AND v.source IN ({among}) LIMIT 1) AS known
         UNION ALL
         SELECT id, kind, source, check_id, asset, valid_until, decided_at FROM decisions
         WHERE tenant_id = $1 AND scope <> 'finding' AND state = 'in_force' AND (valid_until IS NULL OR valid_until > $4) AND source IN ({among})
         ORDER BY decided_at, id"
    );
    let statement = here(statement, change, origin).bind(change.now()).bind_all(sources.iter().map(Value::from));
    for row in change.all(statement).await? {
        let Some(id) = row.get("id")? else {
            has_known = true;
            continue;
        };
        let ruling = Ruling { id, kind: row.parse("kind")?, until: row.get("valid_until")?, decided_at: row.get("decided_at")? };
        rulings.by_rule.insert((row.get("source")?, row.get("check_id")?, row.get("asset")?), ruling);
    }
    Ok((has_known, rulings))
}

/// Known findings by their strongest names; of several with the same, the oldest.
pub(crate) async fn by_first_key(
    change: &mut Change,
    origin: &Origin,
    digests: &[&str],
) -> Result<HashMap<(String, String), KnownFinding>> {
    let mut found: HashMap<(String, String), KnownFinding> = HashMap::new();
    for some in digests.chunks(DIGESTS) {
        let statement = format!(
            "SELECT {KNOWN}, k.digest FROM finding_keys k JOIN vulnerabilities v ON v.id = k.finding_id
             WHERE {HERE} AND k.tenant_id = $1 AND k.position = 0 AND k.retired_by IS NULL AND k.digest IN ({})
             ORDER BY v.first_seen DESC, v.id DESC",
            list(some.len(), 3)
        );
        let statement = here(statement, change, origin).bind_all(some.iter().map(|digest| Value::from(*digest)));
        for row in change.all(statement).await? {
            let finding = known(&row)?;
            found.insert((finding.source.clone(), row.get("digest")?), finding);
        }
    }
    Ok(found)
}

/// Known findings that hold any of these names and were not seen by this import, with those they hold.
pub(crate) async fn by_any_key(change: &mut Change, origin: &Origin, digests: &[&str]) -> Result<Vec<Unseen>> {
    let mut found: BTreeMap<FindingId, Unseen> = BTreeMap::new();
    for some in digests.chunks(DIGESTS) {
        let statement = format!(
            "SELECT {KNOWN}, {UNSEEN}, k.digest FROM finding_keys k JOIN vulnerabilities v ON v.id = k.finding_id
             WHERE {HERE} AND k.tenant_id = $1 AND k.retired_by IS NULL AND v.last_import <> $4 AND k.digest IN ({})",
            list(some.len(), 4)
        );
        let statement = here(statement, change, origin).bind(origin.import).bind_all(some.iter().map(|digest| Value::from(*digest)));
        for row in change.all(statement).await? {
            let id: FindingId = row.get("id")?;
            let digest: String = row.get("digest")?;
            match found.entry(id) {
                std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().digests.push(digest),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(unseen_of(&row)?).digests.push(digest),
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Findings of this tool believed to be there that this import did not see, a page at a time.
pub(crate) async fn unseen(
    change: &mut Change,
    origin: &Origin,
    source: &str,
    after: Option<FindingId>,
    rows: usize,
) -> Result<Vec<Unseen>> {
    let statement = format!(
        "SELECT {KNOWN}, {UNSEEN} FROM vulnerabilities v
         WHERE {HERE} AND v.source = $4 AND v.state <> 'absent' AND v.last_import <> $5 AND v.id > $6 ORDER BY v.id LIMIT {rows}"
    );
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let statement = here(statement, change, origin).bind(source).bind(origin.import).bind(after);
    change.all(statement).await?.iter().map(unseen_of).collect()
}

/// Tools that took part in a scan.
pub(crate) async fn sources_of_scan(change: &mut Change, scan: ScanId) -> Result<Vec<String>> {
    let statement = sql("SELECT DISTINCT source FROM coverage WHERE tenant_id = $1 AND scan_id = $2 AND status <> 'skipped'");
    change.all(statement.bind(change.scope().tenant()).bind(scan)).await?.iter().map(|row| row.get("source")).collect()
}
