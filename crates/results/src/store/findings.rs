//! SQL of reading findings.

use backends::{Db, Row, Sql, Value, sql};
use base::{Error, Result, Scope, Time};
use importers::{Observation, Severity};
use targets::TargetId;

use super::query::{STATUS, Where};
use crate::errors;
use crate::model::{
    ClusterRef, Decision, DecisionKind, Filter, Finding, FindingId, Happening, HappeningKind, Position, Seen, SeenEvidence, Sort, Status,
};

const COLUMNS: &str = "v.id, v.target_id, v.source, v.check_id, v.title, v.description, v.remediation, v.severity, v.cvss, v.cvss_score, v.cwes, v.cves, \
     v.refs, v.tags, v.location, v.confidence, v.state, v.ambiguous, v.first_seen, s.last_seen, s.last_scan, s.times_seen, v.risk, v.due_at, \
     v.service, v.fixed_at, v.cluster, v.cluster_reason, v.cluster_fixed, \
     d.id AS decided_id, d.kind AS decided_kind, d.reason AS decided_reason, d.valid_until AS decided_until, d.decided_by, d.decided_by_name, d.decided_at, \
     d.finding_id AS decided_finding, d.scope AS decided_scope, d.state AS decided_state, d.approved_by_name, d.batch_id";

/// Findings, each with when it was seen last. A CROSS JOIN is the order in which one engine joins; to the other it is any join.
const FOUND: &str = "vulnerabilities v CROSS JOIN finding_sightings s";
/// The same in the order of when they were seen.
const SEEN: &str = "finding_sightings s CROSS JOIN vulnerabilities v";
const DECIDED: &str = "LEFT JOIN decisions d ON d.id = v.decision_id WHERE s.id = v.id";

/// Findings a filter may leave to be sorted by themselves.
const FEW: u32 = 5000;

pub(crate) fn severity(rank: i64) -> Result<Severity> {
    match rank {
        0 => Ok(Severity::Info),
        1 => Ok(Severity::Low),
        2 => Ok(Severity::Medium),
        3 => Ok(Severity::High),
        4 => Ok(Severity::Critical),
        other => Err(Error::internal(format!("{other} is no severity"))),
    }
}

fn finding(row: &Row, now: Time) -> Result<Finding> {
    let target: String = row.get("target_id")?;
    let target_id = if target.is_empty() { None } else { Some(target.parse::<TargetId>()?) };
    let decision = match row.get::<Option<_>>("decided_id")? {
        Some(id) => Some(Decision {
            id,
            kind: row.parse("decided_kind")?,
            reason: row.get("decided_reason")?,
            valid_until: row.get("decided_until")?,
            decided_by: row.get("decided_by")?,
            decided_by_name: row.get("decided_by_name")?,
            decided_at: row.get("decided_at")?,
            finding_id: row.get("decided_finding")?,
            scope: row.parse("decided_scope")?,
            state: row.parse("decided_state")?,
            approved_by_name: row.get("approved_by_name")?,
            batch_id: row.get("batch_id")?,
        }),
        None => None,
    };
    let (status, risk, due_at) = (row.parse("status_now")?, row.get::<i64>("risk")?, row.get::<Option<Time>>("due_at")?);
    let is_open = matches!(status, Status::Open | Status::NotRetested);
    Ok(Finding {
        id: row.get("id")?,
        target_id,
        title: row.get("title")?,
        description: row.get("description")?,
        remediation: row.get("remediation")?,
        severity: severity(row.get("severity")?)?,
        cvss: row.get("cvss")?,
        cvss_score: row.get("cvss_score")?,
        cwes: row.json("cwes")?,
        cves: row.json("cves")?,
        references: row.json("refs")?,
        tags: row.json("tags")?,
        source: row.get("source")?,
        check: row.get("check_id")?,
        location: row.json("location")?,
        status,
        ambiguous: row.get("ambiguous")?,
        first_seen: row.get("first_seen")?,
        last_seen: row.get("last_seen")?,
        last_scan: row.get("last_scan")?,
        times_seen: row.get("times_seen")?,
        confidence: row.get("confidence")?,
        service: Some(row.get::<String>("service")?).filter(|service| !service.is_empty()),
        fixed_at: row.get("fixed_at")?,
        cluster: match row.get::<Option<String>>("cluster")? {
            Some(id) => Some(ClusterRef {
                id,
                reason: row.get::<Option<String>>("cluster_reason")?.unwrap_or_default(),
                by_hand: row.get("cluster_fixed")?,
            }),
            None => None,
        },
        // A decision that ended is history, not in force.
        decision: decision.filter(|decision| decision.valid_until.is_none_or(|until| until > now) && decision.kind != DecisionKind::Reopen),
        risk: score(risk),
        due_at,
        overdue: is_open && due_at.is_some_and(|due| due < now),
        state: row.parse("state")?,
        risk_fine: risk,
    })
}

/// A risk as people read it; nothing while it is not assessed.
fn score(fine: i64) -> Option<f64> {
    let tenths = i32::try_from((fine + 500) / 1000).unwrap_or_default();
    (fine >= 0).then_some(f64::from(tenths) / 10.0)
}

/// A rare value and a frequent one want different plans.
pub(crate) fn asked(statement: String, conditions: Where) -> Sql {
    Sql::built(statement).bind_all(conditions.values).planned_anew()
}

/// A page of findings.
pub(crate) async fn list(
    db: &Db,
    scope: &Scope,
    now: Time,
    filter: &Filter,
    sort: Sort,
    after: Option<Position>,
    rows: u32,
) -> Result<Vec<Finding>> {
    walk(db, scope, now, filter, order(sort), after, rows).await
}

/// The first finding of a list after a place in its order, or the last one before it. Nothing has to stand at the place itself.
pub(crate) async fn neighbour(
    db: &Db,
    scope: &Scope,
    now: Time,
    filter: &Filter,
    place: Position,
    is_before: bool,
) -> Result<Option<Finding>> {
    let order = order(place.sort);
    let order = if is_before { order.reversed() } else { order };
    Ok(walk(db, scope, now, filter, order, Some(place), 0).await?.into_iter().next())
}

/// Findings along an order from behind a place in it, one more than `rows`.
async fn walk(
    db: &Db,
    scope: &Scope,
    now: Time,
    filter: &Filter,
    order: Order,
    after: Option<Position>,
    rows: u32,
) -> Result<Vec<Finding>> {
    let mut conditions = Where::new(scope, now, filter)?;
    let Order { sort, column, direction, id, within } = order;
    conditions.clauses.extend(within.map(str::to_owned));
    let matching = conditions.text();
    let mut beyond: Option<String> = None;
    if let Some(position) = after {
        let value = if sort == Sort::Title { Value::from(position.text) } else { Value::from(position.number) };
        let (value, id) = (conditions.bind(value), conditions.bind(position.id.into()));
        beyond = Some(format!("{} ({value}, {id})", if direction == "DESC" { "<" } else { ">" }));
    }
    let shown = format!("SELECT {COLUMNS}, {STATUS} AS status_now FROM");
    let walked = |also: &str| {
        let beyond = beyond.as_ref().map(|beyond| format!(" AND ({column}, {id}) {beyond}")).unwrap_or_default();
        let along = if sort == Sort::LastSeen { SEEN } else { FOUND };
        format!("{shown} {along} {DECIDED} AND {matching}{beyond}{also} ORDER BY {column} {direction}, {id} {direction} LIMIT {}", rows + 1)
    };
    let statement = if filter.is_narrow() {
        // Where a filter leaves few, they are sorted by themselves: walking along the order, one might meet none of them for long.
        // No statistics tell which it is, so the database counts; of the two ways, only one is gone. Which one the second learns by
        // nobody being the tenant: both engines then end before the first row, where one of them would ask a mere condition of every row.
        let beyond = beyond.as_ref().map(|beyond| format!(" AND (place, id) {beyond}")).unwrap_or_default();
        let bare = column.split_once('.').map_or(column, |(_, bare)| bare);
        let counted = if sort == Sort::LastSeen { format!("{FOUND} WHERE s.id = v.id AND") } else { "vulnerabilities v WHERE".to_owned() };
        format!(
            "WITH few AS MATERIALIZED (SELECT v.id AS id, {column} AS place FROM {counted} {matching} LIMIT {}),
                 picked AS (SELECT id FROM few WHERE (SELECT COUNT(*) FROM few) <= {FEW}{beyond} ORDER BY place {direction}, id {direction} LIMIT {})
             SELECT * FROM ({shown} {FOUND} {DECIDED} AND v.tenant_id = $1 AND v.id IN (SELECT id FROM picked)
                 UNION ALL SELECT * FROM ({}) AS walked) AS shown ORDER BY {bare} {direction}, id {direction}",
            FEW + 1,
            rows + 1,
            walked(&format!(" AND v.tenant_id = CASE WHEN (SELECT COUNT(*) FROM few) > {FEW} THEN $1 END"))
        )
    } else {
        walked("")
    };
    db.all(asked(statement, conditions)).await?.iter().map(|row| finding(row, now)).collect()
}

/// By what a list is ordered, and what its index is limited to.
struct Order {
    sort: Sort,
    column: &'static str,
    direction: &'static str,
    id: &'static str,
    within: Option<&'static str>,
}

impl Order {
    /// The same from its end; an index is walked in both directions.
    fn reversed(self) -> Self {
        Self { direction: if self.direction == "DESC" { "ASC" } else { "DESC" }, ..self }
    }
}

const fn order(sort: Sort) -> Order {
    let (column, direction, id, within) = match sort {
        Sort::Severity => ("v.severity", "DESC", "v.id", None),
        Sort::Newest => ("v.first_seen", "DESC", "v.id", None),
        Sort::LastSeen => ("s.last_seen", "DESC", "s.id", Some("s.tenant_id = $1")),
        Sort::Title => ("v.title", "ASC", "v.id", None),
        Sort::Risk => ("v.risk", "DESC", "v.id", None),
        Sort::Due => ("v.due_at", "ASC", "v.id", Some("v.due_at IS NOT NULL")),
    };
    Order { sort, column, direction, id, within }
}

/// Where a page that ends with this finding ends.
pub(crate) fn position(finding: &Finding, sort: Sort) -> Position {
    let number = match sort {
        Sort::Severity => crate::model::rank(finding.severity),
        Sort::Newest => finding.first_seen.micros(),
        Sort::LastSeen => finding.last_seen.micros(),
        Sort::Title => 0,
        Sort::Risk => finding.risk_fine,
        Sort::Due => finding.due_at.map_or(i64::MAX, Time::micros),
    };
    let text = if sort == Sort::Title { finding.title.clone() } else { String::new() };
    Position { sort, number, text, id: finding.id }
}

/// One finding.
pub(crate) async fn get(db: &Db, scope: &Scope, now: Time, id: FindingId) -> Result<Option<Finding>> {
    Ok(of(db, scope, now, &[id]).await?.pop())
}

/// Those of some findings that the reader may see, in no order.
pub(crate) async fn of(db: &Db, scope: &Scope, now: Time, ids: &[FindingId]) -> Result<Vec<Finding>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<Value> = vec![scope.tenant().into(), now.into()];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    let within = targets::within(scope, "v.target_id", &mut values);
    let statement = format!(
        "SELECT {COLUMNS}, {STATUS} AS status_now FROM {FOUND} {DECIDED}
           AND v.tenant_id = $1 AND CAST($2 AS BIGINT) IS NOT NULL AND v.id IN ({}){within}",
        Sql::list(ids.len(), 2)
    );
    db.all(Sql::built(statement).bind_all(values)).await?.iter().map(|row| finding(row, now)).collect()
}

/// Where a finding stands within a change.
pub(crate) async fn status_now(change: &mut audit::Change, id: FindingId) -> Result<Status> {
    let statement = sql("SELECT status FROM vulnerabilities WHERE tenant_id = $1 AND id = $2");
    let row = change.one(statement.bind(change.scope().tenant()).bind(id)).await?;
    row.ok_or_else(|| Error::internal("a finding is gone in the middle of a change"))?.parse("status")
}

/// The target of a finding as a change sees it, when whoever changes may see the finding.
pub(crate) async fn target_now(change: &mut audit::Change, id: FindingId) -> Result<Option<TargetId>> {
    let scope = change.scope();
    let mut values: Vec<Value> = vec![scope.tenant().into(), id.into()];
    let within = targets::within(&scope, "target_id", &mut values);
    let statement = format!("SELECT target_id FROM vulnerabilities WHERE tenant_id = $1 AND id = $2{within}");
    let row = change.one(Sql::built(statement).bind_all(values)).await?.ok_or_else(|| errors::finding_not_found(id))?;
    let target: String = row.get("target_id")?;
    if target.is_empty() { Ok(None) } else { target.parse().map(Some) }
}

/// Where a part of an export ends.
#[derive(Debug, Clone)]
pub(crate) struct Exported {
    source: String,
    check: String,
    id: FindingId,
}

impl Exported {
    pub(crate) fn of(finding: &Finding) -> Self {
        Self { source: finding.source.clone(), check: finding.check.clone(), id: finding.id }
    }
}

/// A part of an export, by tool and check.
pub(crate) async fn export(
    db: &Db,
    scope: &Scope,
    now: Time,
    filter: &Filter,
    after: Option<&Exported>,
    rows: u32,
) -> Result<Vec<Finding>> {
    let mut conditions = Where::new(scope, now, filter)?;
    if let Some(after) = after {
        let (source, check, id) =
            (conditions.bind((&after.source).into()), conditions.bind((&after.check).into()), conditions.bind(after.id.into()));
        conditions.clauses.push(format!("(v.source, v.check_id, v.id) > ({source}, {check}, {id})"));
    }
    let statement = format!(
        "SELECT {COLUMNS}, {STATUS} AS status_now FROM {FOUND} {DECIDED} AND {} ORDER BY v.source, v.check_id, v.id LIMIT {rows}",
        conditions.text()
    );
    db.all(asked(statement, conditions)).await?.iter().map(|row| finding(row, now)).collect()
}

/// Findings with these conditions, in the order of their ids.
pub(crate) async fn some(db: &Db, now: Time, conditions: Where, limit: u32) -> Result<Vec<Finding>> {
    let statement =
        format!("SELECT {COLUMNS}, {STATUS} AS status_now FROM {FOUND} {DECIDED} AND {} ORDER BY v.id LIMIT {limit}", conditions.text());
    db.all(asked(statement, conditions)).await?.iter().map(|row| finding(row, now)).collect()
}

/// What tools said about a finding, newest first.
pub(crate) async fn observations(db: &Db, scope: &Scope, id: FindingId, limit: u32) -> Result<Vec<Seen>> {
    let statement = format!(
        "SELECT import_id, scan_id, body, observed_at, created_at FROM observations
         WHERE tenant_id = $1 AND finding_id = $2 AND body <> '' ORDER BY id DESC LIMIT {limit}"
    );
    let rows = db.all(Sql::built(statement).bind(scope.tenant()).bind(id)).await?;
    rows.iter()
        .map(|row| {
            let body: Observation = row.json("body")?;
            let evidence =
                body.evidence.into_iter().map(|piece| SeenEvidence { label: piece.label, body: piece.body, truncated: piece.truncated });
            Ok(Seen {
                at: row.get("created_at")?,
                observed_at: row.get::<Option<String>>("observed_at")?.or(body.observed_at),
                import_id: row.get("import_id")?,
                scan_id: row.get("scan_id")?,
                title: body.title,
                severity: body.severity,
                location: body.location,
                evidence: evidence.collect(),
            })
        })
        .collect()
}

/// A finding's life, newest first.
pub(crate) async fn history(db: &Db, scope: &Scope, id: FindingId, limit: u32) -> Result<Vec<Happening>> {
    let statement = format!(
        "SELECT kind, scan_id, import_id, note, created_at FROM finding_history WHERE tenant_id = $1 AND finding_id = $2 ORDER BY id DESC LIMIT {limit}"
    );
    let rows = db.all(Sql::built(statement).bind(scope.tenant()).bind(id)).await?;
    rows.iter()
        .map(|row| {
            Ok(Happening {
                at: row.get("created_at")?,
                kind: row.parse("kind")?,
                scan_id: row.get("scan_id")?,
                import_id: row.get("import_id")?,
                note: row.get("note")?,
            })
        })
        .collect()
}

/// The first turn in a finding's life.
pub(crate) async fn birth(db: &Db, scope: &Scope, finding: &Finding) -> Result<Option<Happening>> {
    let statement = sql("SELECT i.id, i.scan_id, r.reason FROM vulnerabilities v JOIN imports i ON i.id = v.first_import
         LEFT JOIN finding_reviews r ON r.tenant_id = v.tenant_id AND r.finding_id = v.id WHERE v.tenant_id = $1 AND v.id = $2");
    let row = db.one(statement.bind(scope.tenant()).bind(finding.id)).await?;
    row.map(|row| {
        Ok(Happening {
            at: finding.first_seen,
            kind: HappeningKind::New,
            scan_id: row.get("scan_id")?,
            import_id: row.get("id")?,
            note: row.get("reason")?,
        })
    })
    .transpose()
}

/// Ids of the findings a filter shows, at most `limit`.
pub(crate) async fn ids(db: &Db, scope: &Scope, now: Time, filter: &Filter, limit: usize) -> Result<Vec<FindingId>> {
    let conditions = Where::new(scope, now, filter)?;
    let statement = format!("SELECT v.id FROM vulnerabilities v WHERE {} ORDER BY v.id LIMIT {limit}", conditions.text());
    db.all(asked(statement, conditions)).await?.iter().map(|row| row.get("id")).collect()
}

/// Tenants in which acceptances have ended.
pub(crate) async fn tenants_with_ended(db: &Db, now: Time) -> Result<Vec<base::TenantId>> {
    let statement = sql("SELECT DISTINCT tenant_id FROM vulnerabilities WHERE status_until IS NOT NULL AND status_until <= $1");
    db.all(statement.bind(now)).await?.iter().map(|row| row.get("tenant_id")).collect()
}
