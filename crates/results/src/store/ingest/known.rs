//! SQL of what is known: findings by their names, findings a run has not shown, decisions that hold for rules.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use audit::Change;
use backends::{Row, Sql, Value, sql};
use base::Result;
use scans::ScanId;

use super::super::decisions::in_force;
use super::super::findings::severity;
use super::super::{rulings, text_of};
use crate::ingest::{KnownFinding, Origin, Ruling, Rulings, Unseen};
use crate::model::{Derived, FindingId};

/// Digests asked for in one statement.
const DIGESTS: usize = 10_000;

const KNOWN: &str = "v.id, v.source, v.state, v.status, v.status_until, v.base_status, v.first_seen, s.last_seen, s.last_scan, v.first_import, \
     v.content, v.decision_kind, v.decision_until, v.decision_at";
const UNSEEN: &str = "v.title, v.severity, v.check_id, v.location, v.remediation";
/// Within this tenant, target and service.
const HERE: &str = "v.tenant_id = $1 AND v.target_id = $2 AND v.service = $3";

fn here(statement: String, change: &Change, origin: &Origin) -> Sql {
    Sql::built(statement).bind(change.scope().tenant()).bind(text_of(origin.target)).bind(&origin.options.service)
}

fn known(row: &Row) -> Result<KnownFinding> {
    Ok(KnownFinding {
        id: row.get("id")?,
        source: row.get("source")?,
        state: row.parse("state")?,
        stands: Derived { status: row.parse("status")?, until: row.get("status_until")?, base: row.parse("base_status")? },
        first_seen: row.get("first_seen")?,
        last_seen: row.get("last_seen")?,
        last_scan: row.get("last_scan")?,
        first_import: row.get("first_import")?,
        content: row.get("content")?,
        decision: in_force(row)?,
    })
}

fn unseen_of(row: &Row) -> Result<Unseen> {
    Ok(Unseen {
        known: known(row)?,
        title: row.get("title")?,
        severity: severity(row.get("severity")?)?,
        check: row.get("check_id")?,
        location: row.json("location")?,
        is_fixable: row.get::<Option<String>>("remediation")?.is_some(),
        digests: Vec::new(),
    })
}

/// What a run begins with.
#[derive(Default)]
pub(crate) struct Opening {
    /// Whether there is anything that what comes in could be compared with.
    pub(crate) has_known: bool,
    /// Decisions in force that hold for rules of its tools.
    pub(crate) rulings: Rulings,
    /// Known findings of its first names, as [`by_first_key`] gives them.
    pub(crate) known: ByName,
}

/// Findings by tool and strongest name.
pub(crate) type ByName = HashMap<(String, String), KnownFinding>;

/// `$4, $5`, or what nothing is equal to: an empty list is no SQL.
fn among(count: usize, after: usize) -> String {
    if count == 0 { "NULL".to_owned() } else { Sql::list(count, after) }
}

/// Names lead to findings, never the other way: with ten thousand names asked for, one engine's planner would try each of them on each
/// finding of the target. A CROSS JOIN is the order in which it joins; to the other one it is any join.
const NAMED: &str = "finding_keys k CROSS JOIN vulnerabilities v CROSS JOIN finding_sightings s WHERE v.id = k.finding_id AND s.id = v.id";

fn by_first(count: usize, after: usize) -> String {
    format!(
        "FROM {NAMED} AND {HERE} AND k.tenant_id = $1 AND k.position = 0 AND k.retired_by IS NULL AND k.digest IN ({})",
        among(count, after)
    )
}

/// Of several with the same name, the oldest.
fn keep_oldest(found: &mut ByName, row: &Row) -> Result<()> {
    let finding = known(row)?;
    let name = (finding.source.clone(), row.get("digest")?);
    let is_older = found.get(&name).is_none_or(|other| (finding.first_seen, finding.id) < (other.first_seen, other.id));
    if is_older {
        found.insert(name, finding);
    }
    Ok(())
}

/// Everything a run has to know before its first observation finds its place: one question.
pub(crate) async fn opening(change: &mut Change, origin: &Origin, sources: &[String], digests: &[&str]) -> Result<Opening> {
    let mut opening = Opening::default();
    if sources.is_empty() {
        return Ok(opening);
    }
    let tools = Sql::list(sources.len(), 4);
    let ruled = rulings::holds("", 4);
    let statement = format!(
        "SELECT {KNOWN}, k.digest AS digest, NULL AS check_id, NULL AS asset, 'known' AS part {}
         UNION ALL
         SELECT id, source, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, kind, valid_until, decided_at, NULL, check_id, asset, 'ruling' FROM decisions
         WHERE tenant_id = $1 AND {ruled} AND source IN ({tools})
         UNION ALL
         SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'any'
         FROM (SELECT 1 AS one FROM vulnerabilities v WHERE {HERE} AND v.source IN ({tools}) LIMIT 1) AS found",
        by_first(digests.len(), 4 + sources.len())
    );
    let statement = here(statement, change, origin).bind(change.now()).bind_all(sources.iter().map(Value::from));
    let statement = statement.bind_all(digests.iter().map(|digest| Value::from(*digest)));
    let mut rulings = Vec::new();
    for row in change.all(statement).await? {
        match row.get::<String>("part")?.as_str() {
            "known" => keep_oldest(&mut opening.known, &row)?,
            "any" => opening.has_known = true,
            _ => {
                let ruling = Ruling {
                    id: row.get("id")?,
                    kind: row.parse("decision_kind")?,
                    until: row.get("decision_until")?,
                    decided_at: row.get("decision_at")?,
                };
                rulings.push((ruling, (row.get("source")?, row.get("check_id")?, row.get("asset")?)));
            }
        }
    }
    // The last word holds.
    rulings.sort_by_key(|(ruling, _)| (ruling.decided_at, ruling.id));
    opening.rulings.by_rule = rulings.into_iter().map(|(ruling, rule)| (rule, ruling)).collect();
    Ok(opening)
}

/// Known findings by their strongest names; of several with the same, the oldest.
pub(crate) async fn by_first_key(change: &mut Change, origin: &Origin, digests: &[&str]) -> Result<ByName> {
    let mut found = ByName::new();
    for some in digests.chunks(DIGESTS) {
        let statement = format!("SELECT {KNOWN}, k.digest {}", by_first(some.len(), 3));
        let statement = here(statement, change, origin).bind_all(some.iter().map(|digest| Value::from(*digest)));
        for row in change.all(statement).await? {
            keep_oldest(&mut found, &row)?;
        }
    }
    Ok(found)
}

fn by_any(count: usize) -> String {
    format!(
        "SELECT {KNOWN}, {UNSEEN}, k.digest AS digest FROM {NAMED} AND {HERE} AND k.tenant_id = $1 AND k.retired_by IS NULL AND s.last_import <> $4 AND k.digest IN ({})",
        among(count, 6)
    )
}

fn page_of(rows: usize) -> String {
    format!(
        "SELECT {KNOWN}, {UNSEEN}, CAST(NULL AS TEXT) AS digest FROM vulnerabilities v CROSS JOIN finding_sightings s
         WHERE s.id = v.id AND {HERE} AND v.source = $5 AND v.state <> 'absent' AND s.last_import <> $4 AND v.id > $6 ORDER BY v.id LIMIT {rows}"
    )
}

/// Known findings that this import has not seen: a page of those of one tool believed to be there, and those of any tool and
/// state that hold any of these names, with those they hold. Names are asked for with the first page.
pub(crate) async fn unseen(
    change: &mut Change,
    origin: &Origin,
    source: &str,
    after: Option<FindingId>,
    rows: usize,
    digests: &[&str],
) -> Result<(Vec<Unseen>, Vec<Unseen>)> {
    let mut named: BTreeMap<FindingId, Unseen> = BTreeMap::new();
    let mut page = Vec::new();
    let (with_page, rest) = digests.split_at(digests.len().min(DIGESTS));
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let bound = |text: String, some: &[&str], change: &Change| {
        let statement = here(text, change, origin).bind(origin.import).bind(source).bind(&after);
        statement.bind_all(some.iter().map(|digest| Value::from(*digest)))
    };
    // Every part names each of the first six, so that no engine has to guess at what it never sees.
    let text = match with_page.len() {
        0 => page_of(rows),
        count => format!("{} UNION ALL SELECT * FROM ({}) AS page", by_any(count), page_of(rows)),
    };
    let statement = bound(text, with_page, change);
    let mut found = change.all(statement).await?;
    for some in rest.chunks(DIGESTS) {
        let text = format!("{} AND $5 <> '' AND $6 IS NOT NULL", by_any(some.len()));
        let statement = bound(text, some, change);
        found.extend(change.all(statement).await?);
    }
    for row in found {
        let Some(digest) = row.get::<Option<String>>("digest")? else {
            page.push(unseen_of(&row)?);
            continue;
        };
        match named.entry(row.get("id")?) {
            Entry::Occupied(mut entry) => entry.get_mut().digests.push(digest),
            Entry::Vacant(entry) => entry.insert(unseen_of(&row)?).digests.push(digest),
        }
    }
    Ok((page, named.into_values().collect()))
}

/// Tools that took part in a scan.
pub(crate) async fn sources_of_scan(change: &mut Change, scan: ScanId) -> Result<Vec<String>> {
    let statement = sql("SELECT DISTINCT source FROM coverage WHERE tenant_id = $1 AND scan_id = $2 AND status <> 'skipped'");
    change.all(statement.bind(change.scope().tenant()).bind(scan)).await?.iter().map(|row| row.get("source")).collect()
}
