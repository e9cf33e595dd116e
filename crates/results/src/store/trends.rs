//! SQL of figures over time and of saved filters.

use std::collections::BTreeMap;

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope, TenantId, Time, UserId};

use super::findings::severity;
use super::{clean, json};
use crate::model::{Analytics, Cause, FilterId, NewFilter, Period, SavedFilter, TrendDay};

const STANDING: &str = "status IN ('open', 'not_retested')";

/// Tenants that ever took anything in.
pub(crate) async fn tenants(db: &Db) -> Result<Vec<TenantId>> {
    db.all(sql("SELECT DISTINCT tenant_id FROM imports")).await?.iter().map(|row| row.get("tenant_id")).collect()
}

/// Whether a day's figures are written.
pub(crate) async fn has_day(db: &Db, tenant: TenantId, day: &str) -> Result<bool> {
    let statement = sql("SELECT 1 FROM vulnerability_trends WHERE tenant_id = $1 AND day = $2 LIMIT 1");
    Ok(db.one(statement.bind(tenant).bind(day)).await?.is_some())
}

/// Turns of findings within a time, by finding: how often each came back and was gone, the last time it was gone and the sum of those times.
fn turned(within: &str) -> String {
    format!(
        "(SELECT h.finding_id, SUM(CASE WHEN h.kind = 'reopened' THEN 1 ELSE 0 END) AS back, SUM(CASE WHEN h.kind = 'fixed' THEN 1 ELSE 0 END) AS gone,
              MAX(CASE WHEN h.kind = 'fixed' THEN h.created_at END) AS last_gone, SUM(CASE WHEN h.kind = 'fixed' THEN h.created_at ELSE 0 END) AS all_gone
          FROM finding_history h WHERE h.tenant_id = $1 AND h.kind IN ('reopened', 'fixed') AND {within} GROUP BY h.finding_id)"
    )
}

/// What went on within a time, of findings `v` with their turns in it as `t`: how many began to be there, how many ended, and how many
/// seconds those had been known. What is known from a report of the past as gone has no turn that says so.
fn flows(within: impl Fn(&str) -> String) -> String {
    let (seen, gone) = (within("v.first_seen"), within("v.fixed_at"));
    let untold = format!("({gone} AND (t.last_gone IS NULL OR t.last_gone <> v.fixed_at))");
    format!(
        "CAST(SUM(CASE WHEN {seen} THEN 1 ELSE 0 END + COALESCE(t.back, 0)) AS BIGINT) AS opened,
         CAST(SUM(CASE WHEN {untold} THEN 1 ELSE 0 END + COALESCE(t.gone, 0)) AS BIGINT) AS fixed,
         CAST(SUM((CASE WHEN {untold} THEN v.fixed_at - v.first_seen ELSE 0 END
             + COALESCE(t.all_gone - t.gone * v.first_seen, 0)) / 1000000) AS BIGINT) AS seconds"
    )
}

/// Writes a day's figures, once: by target and severity, and by format of the imports. What happened since the day's end, before
/// anybody came to write them, is of the next day.
pub(crate) async fn record(change: &mut Change, day: &str, from: Time, to: Time) -> Result<u64> {
    let tenant = change.scope().tenant();
    let flows = flows(|column| format!("{column} >= $3 AND {column} < $4"));
    let (within, since) = (turned("h.created_at >= $3 AND h.created_at < $4"), turned("h.created_at >= $4"));
    let standing = format!(
        "v.first_seen < $4 AND CASE WHEN v.status = 'fixed' THEN COALESCE(s.gone - s.back, 0) > 0 ELSE {STANDING} AND COALESCE(s.back - s.gone, 0) <= 0 END"
    );
    let statement = format!(
        "INSERT INTO vulnerability_trends (tenant_id, day, target_id, severity, opened, fixed, seconds_to_fix, standing, accepted, false_positive,
             overdue, created_at)
         SELECT v.tenant_id, CAST($2 AS TEXT), v.target_id, v.severity, {flows},
             SUM(CASE WHEN {standing} THEN 1 ELSE 0 END),
             SUM(CASE WHEN v.status = 'accepted' THEN 1 ELSE 0 END),
             SUM(CASE WHEN v.status = 'false_positive' THEN 1 ELSE 0 END),
             SUM(CASE WHEN {standing} AND v.due_at < $4 THEN 1 ELSE 0 END),
             CAST($5 AS BIGINT)
         FROM vulnerabilities v LEFT JOIN {within} t ON t.finding_id = v.id LEFT JOIN {since} s ON s.finding_id = v.id
         WHERE v.tenant_id = $1 GROUP BY v.tenant_id, v.target_id, v.severity
         ON CONFLICT (tenant_id, day, target_id, severity) DO NOTHING",
    );
    let statement = Sql::built(statement).bind(tenant).bind(day).bind(from).bind(to).bind(change.now());
    change.run(statement).await
}

/// Sums up the figures that are kept of findings: writers add to them row by row.
pub(crate) async fn fold_tallies(change: &mut Change) -> Result<()> {
    let tenant = change.scope().tenant();
    let taken = sql("DELETE FROM finding_tallies WHERE tenant_id = $1 RETURNING target_id, severity, status, findings").bind(tenant);
    let mut sums: BTreeMap<(String, i64, String), i64> = BTreeMap::new();
    for row in change.all(taken).await? {
        *sums.entry((row.get("target_id")?, row.get("severity")?, row.get("status")?)).or_default() += row.get::<i64>("findings")?;
    }
    let sums: Vec<_> = sums.into_iter().filter(|(_, findings)| *findings != 0).collect();
    for some in sums.chunks(5000) {
        let statement = format!(
            "INSERT INTO finding_tallies (tenant_id, target_id, severity, status, findings) {}",
            Sql::rows_sharing(some.len(), 1, 4)
        );
        let mut insert = Sql::built(statement).bind(tenant);
        for ((target, severity, status), findings) in some {
            insert = insert.bind(target).bind(*severity).bind(status).bind(*findings);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// What imports of a day brought, by format.
pub(crate) async fn imports_of(change: &mut Change, from: Time, to: Time) -> Result<Vec<(String, crate::model::ImportSummary)>> {
    let statement =
        sql("SELECT format, summary FROM imports WHERE tenant_id = $1 AND state = 'done' AND created_at >= $2 AND created_at < $3");
    let rows = change.all(statement.bind(change.scope().tenant()).bind(from).bind(to)).await?;
    rows.iter().map(|row| Ok((row.get("format")?, row.json("summary")?))).collect()
}

/// Writes what imports of one format brought on a day.
pub(crate) async fn record_imports(change: &mut Change, day: &str, format: &str, figures: [i64; 6]) -> Result<()> {
    let statement = sql(
        "INSERT INTO import_metrics (tenant_id, day, source, imports, observations, created, reopened, closed, not_retested, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant_id, day, source) DO NOTHING",
    );
    let statement =
        statement.bind(change.scope().tenant()).bind(day).bind(format).bind_all(figures.into_iter().map(Value::from)).bind(change.now());
    change.run(statement).await.map(drop)
}

/// Of which targets, led by ` AND `; the parameters are added to those there are.
fn narrowed(scope: &Scope, of: &Period, values: &mut Vec<Value>) -> String {
    let mut text = targets::within(scope, "target_id", values);
    if let Some(target) = of.target {
        values.push(target.into());
        text.push_str(&format!(" AND target_id = ${}", values.len()));
    }
    if let Some(unit) = &of.unit {
        text.push_str(&targets::of_unit(unit, "target_id", values));
    }
    text
}

/// What stands and what went in a period, counted now.
pub(crate) async fn figures(db: &Db, scope: &Scope, of: &Period, from: Time, now: Time) -> Result<Analytics> {
    let mut values: Vec<Value> = vec![scope.tenant().into(), from.into(), now.into()];
    let narrowed = narrowed(scope, of, &mut values);
    let flows = flows(|column| format!("{column} >= $2"));
    let turned = turned("h.created_at >= $2");
    let statement = format!(
        "SELECT v.severity, SUM(CASE WHEN {STANDING} THEN 1 ELSE 0 END) AS standing,
             SUM(CASE WHEN {STANDING} AND v.due_at < $3 THEN 1 ELSE 0 END) AS overdue, {flows}
         FROM vulnerabilities v LEFT JOIN {turned} t ON t.finding_id = v.id WHERE v.tenant_id = $1{narrowed} GROUP BY v.severity"
    );
    let statement = Sql::built(statement).bind_all(values);
    let (mut analytics, mut seconds) = (Analytics::default(), 0_u64);
    for row in db.all(statement).await? {
        let severity = severity(row.get("severity")?)?;
        add(&mut analytics.standing, severity, row.get("standing")?);
        add(&mut analytics.overdue, severity, row.get("overdue")?);
        analytics.opened += row.get::<u64>("opened")?;
        analytics.fixed += row.get::<u64>("fixed")?;
        seconds += row.get::<u64>("seconds")?;
    }
    analytics.seconds_to_fix = seconds.checked_div(analytics.fixed);
    Ok(analytics)
}

fn add(to: &mut scans::BySeverity, severity: importers::Severity, count: u64) {
    let slot = match severity {
        importers::Severity::Critical => &mut to.critical,
        importers::Severity::High => &mut to.high,
        importers::Severity::Medium => &mut to.medium,
        importers::Severity::Low => &mut to.low,
        importers::Severity::Info => &mut to.info,
    };
    *slot += count;
}

/// The days that are written, oldest first.
pub(crate) async fn days(db: &Db, scope: &Scope, period: &Period, from: &str) -> Result<Vec<TrendDay>> {
    let mut values: Vec<Value> = vec![scope.tenant().into(), from.into()];
    let narrowed = narrowed(scope, period, &mut values);
    let of = |rank: usize| format!("CAST(SUM(CASE WHEN severity = {rank} THEN standing ELSE 0 END) AS BIGINT)");
    let statement = format!(
        "SELECT day, {} AS info, {} AS low, {} AS medium, {} AS high, {} AS critical, CAST(SUM(seconds_to_fix) AS BIGINT) AS seconds,
              CAST(SUM(opened) AS BIGINT) AS opened, CAST(SUM(fixed) AS BIGINT) AS fixed, CAST(SUM(standing) AS BIGINT) AS standing,
             CAST(SUM(overdue) AS BIGINT) AS overdue
         FROM vulnerability_trends WHERE tenant_id = $1 AND day >= $2{narrowed} GROUP BY day ORDER BY day",
        of(0),
        of(1),
        of(2),
        of(3),
        of(4),
    );
    let rows = db.all(Sql::built(statement).bind_all(values)).await?;
    rows.iter()
        .map(|row| {
            let fixed: u64 = row.get("fixed")?;
            Ok(TrendDay {
                day: row.get("day")?,
                opened: row.get("opened")?,
                fixed,
                standing: row.get("standing")?,
                overdue: row.get("overdue")?,
                by_severity: scans::BySeverity {
                    critical: row.get("critical")?,
                    high: row.get("high")?,
                    medium: row.get("medium")?,
                    low: row.get("low")?,
                    info: row.get("info")?,
                },
                seconds_to_fix: row.get::<u64>("seconds")?.checked_div(fixed),
            })
        })
        .collect()
}

/// What occurs most among findings that stand: the ten most frequent values of a column.
pub(crate) async fn causes(db: &Db, scope: &Scope, of: &Period, column: &'static str) -> Result<Vec<Cause>> {
    let mut values: Vec<Value> = vec![scope.tenant().into()];
    let narrowed = narrowed(scope, of, &mut values);
    let statement = format!(
        "SELECT {column} AS name, COUNT(*) AS findings FROM vulnerabilities
         WHERE tenant_id = $1{narrowed} AND {STANDING} AND {column} <> '' GROUP BY {column} ORDER BY findings DESC, name LIMIT 10"
    );
    let rows = db.all(Sql::built(statement).bind_all(values)).await?;
    rows.iter().map(|row| Ok(Cause { name: row.get("name")?, findings: row.get("findings")? })).collect()
}

fn saved(row: &Row) -> Result<SavedFilter> {
    Ok(SavedFilter {
        id: row.get("id")?,
        name: row.get("name")?,
        filter: row.json("filter")?,
        is_shared: row.get("is_shared")?,
        created_at: row.get("created_at")?,
    })
}

/// Filters a user sees, by name.
pub(crate) async fn filters(db: &Db, scope: &Scope, user: Option<UserId>) -> Result<Vec<SavedFilter>> {
    let statement = sql("SELECT id, name, filter, is_shared, created_at FROM finding_filters
         WHERE tenant_id = $1 AND (is_shared OR user_id = $2) ORDER BY name, id LIMIT 500");
    db.all(statement.bind(scope.tenant()).bind(user)).await?.iter().map(saved).collect()
}

/// Keeps a filter.
pub(crate) async fn save_filter(change: &mut Change, id: FilterId, new: &NewFilter) -> Result<()> {
    let user = change.actor().user;
    let statement = sql(
        "INSERT INTO finding_filters (id, tenant_id, user_id, name, filter, is_shared, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let statement = statement
        .bind(id)
        .bind(change.scope().tenant())
        .bind(user)
        .bind(clean(&new.name))
        .bind(json(&new.filter)?)
        .bind(new.is_shared)
        .bind(change.now());
    change.run(statement).await.map(drop)
}

/// Drops a filter of the user; tells whether there was one.
pub(crate) async fn drop_filter(change: &mut Change, id: FilterId) -> Result<bool> {
    let user = change.actor().user;
    let statement = sql("DELETE FROM finding_filters WHERE tenant_id = $1 AND id = $2 AND user_id = $3");
    Ok(change.run(statement.bind(change.scope().tenant()).bind(id).bind(user)).await? > 0)
}
