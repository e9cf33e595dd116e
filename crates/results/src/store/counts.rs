//! SQL of counting findings: from figures the database keeps, one by one, or no further than a limit.

use backends::{Db, Sql, Value};
use base::{Result, Scope, Time};
use importers::Severity;

use super::findings::{asked, severity};
use super::query::{STATUS, Where};
use crate::model::{ByStatus, Counts, Filter, Status};

/// Findings counted by severity and status: from the figures the database keeps where they tell, else one by one.
pub(crate) async fn counts(db: &Db, scope: &Scope, now: Time, filter: &Filter) -> Result<Counts> {
    let statement = if filter.is_by_kind() { tallied(scope, now, filter)? } else { counted(scope, now, filter)? };
    let statuses = filter.statuses()?;
    let mut counts = Counts::default();
    for row in db.all(statement).await? {
        let number: u64 = row.get("findings")?;
        let status: Status = row.parse("status_now")?;
        if !statuses.is_empty() && !statuses.contains(&status) {
            continue;
        }
        counts.total += number;
        *slot(&mut counts.by_status, status) += number;
        if matches!(status, Status::Open | Status::NotRetested) {
            let by_severity = &mut counts.by_severity;
            *match severity(row.get("severity")?)? {
                Severity::Critical => &mut by_severity.critical,
                Severity::High => &mut by_severity.high,
                Severity::Medium => &mut by_severity.medium,
                Severity::Low => &mut by_severity.low,
                Severity::Info => &mut by_severity.info,
            } += number;
        }
    }
    Ok(counts)
}

fn counted(scope: &Scope, now: Time, filter: &Filter) -> Result<Sql> {
    let conditions = Where::new(scope, now, filter)?;
    let statement = format!(
        "SELECT severity, status_now, COUNT(*) AS findings FROM (SELECT v.severity AS severity, {STATUS} AS status_now FROM vulnerabilities v WHERE {}) AS shown
         GROUP BY severity, status_now",
        conditions.text()
    );
    Ok(asked(statement, conditions))
}

/// The kept figures know statuses as they were written; what has ended since is counted and moved over.
fn tallied(scope: &Scope, now: Time, filter: &Filter) -> Result<Sql> {
    let mut values: Vec<Value> = vec![scope.tenant().into(), now.into()];
    let mut narrowed = format!("v.tenant_id = $1{}", targets::within(scope, "v.target_id", &mut values));
    if let Some(unit) = &filter.unit {
        narrowed.push_str(&targets::of_unit(unit, "v.target_id", &mut values));
    }
    if let Some(target) = filter.target {
        values.push(target.into());
        narrowed.push_str(&format!(" AND v.target_id = ${}", values.len()));
    }
    let severities = filter.severities()?;
    if !severities.is_empty() {
        narrowed.push_str(&format!(" AND v.severity IN ({})", Sql::list(severities.len(), values.len())));
        values.extend(severities.into_iter().map(Value::from));
    }
    let ended =
        format!("FROM vulnerabilities v WHERE {narrowed} AND v.status_until IS NOT NULL AND v.status_until <= $2 GROUP BY v.severity");
    let statement = format!(
        "SELECT severity, status_now, CAST(SUM(findings) AS BIGINT) AS findings FROM (
             SELECT v.severity AS severity, v.status AS status_now, SUM(v.findings) AS findings FROM finding_tallies v WHERE {narrowed} GROUP BY v.severity, v.status
             UNION ALL SELECT v.severity, v.status, -COUNT(*) {ended}, v.status
             UNION ALL SELECT v.severity, v.base_status, COUNT(*) {ended}, v.base_status) AS kinds
         GROUP BY severity, status_now HAVING SUM(findings) > 0"
    );
    Ok(Sql::built(statement).bind_all(values))
}

/// How many findings a filter shows, counted no further than `most`.
pub(crate) async fn matching(db: &Db, scope: &Scope, now: Time, filter: &Filter, most: u32) -> Result<u64> {
    let conditions = Where::new(scope, now, filter)?;
    let statement = format!(
        "SELECT COUNT(*) AS findings FROM (SELECT 1 AS one FROM vulnerabilities v WHERE {} LIMIT {most}) AS shown",
        conditions.text()
    );
    let row = db.one(asked(statement, conditions)).await?;
    row.map_or(Ok(0), |row| row.get("findings"))
}

fn slot(by_status: &mut ByStatus, status: Status) -> &mut u64 {
    match status {
        Status::Open => &mut by_status.open,
        Status::NotRetested => &mut by_status.not_retested,
        Status::Accepted => &mut by_status.accepted,
        Status::OutOfScope => &mut by_status.out_of_scope,
        Status::Mitigated => &mut by_status.mitigated,
        Status::FalsePositive => &mut by_status.false_positive,
        Status::Fixed => &mut by_status.fixed,
    }
}
