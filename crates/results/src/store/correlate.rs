//! SQL of correlation: the gravest findings that stand, and what rules did over time. Every statement reads a bounded number of rows.

use backends::{Db, Row, Sql, sql};
use base::{Result, Scope, Time};
use importers::{Location, Severity};
use targets::TargetId;

use super::findings::severity;
use super::query::STATUS;
use crate::model::{FindingId, Voice, rank};

/// Rows of one page.
const PAGE: usize = 5_000;
/// Newest findings whose days are counted.
const NEWEST: usize = 200_000;
/// Rules of an answer.
const RULES: usize = 100;

/// A finding that stands, as correlating needs it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) id: FindingId,
    pub(crate) target: Option<TargetId>,
    pub(crate) source: String,
    pub(crate) check: String,
    pub(crate) title: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: u8,
    pub(crate) asset: String,
    pub(crate) service: String,
    pub(crate) labels: String,
    pub(crate) cvss: Option<String>,
    pub(crate) cvss_score: Option<f64>,
    pub(crate) location: Location,
    pub(crate) remediation: Option<String>,
    pub(crate) cluster: Option<String>,
}

impl Standing {
    /// Whose words its texts are.
    pub(crate) fn voice(&self) -> Voice {
        Voice::of(&self.source, &self.check, &self.location)
    }
}

fn standing(row: &Row) -> Result<Standing> {
    let target: String = row.get("target_id")?;
    Ok(Standing {
        id: row.get("id")?,
        target: if target.is_empty() { None } else { Some(target.parse()?) },
        source: row.get("source")?,
        check: row.get("check_id")?,
        title: row.get("title")?,
        severity: severity(row.get("severity")?)?,
        confidence: row.get("confidence")?,
        asset: row.get("asset")?,
        service: row.get("service")?,
        labels: row.get("labels")?,
        cvss: row.get("cvss")?,
        cvss_score: row.get("cvss_score")?,
        location: row.json("location")?,
        remediation: row.get("remediation")?,
        cluster: row.get("cluster")?,
    })
}

/// The gravest findings that stand, at most this many; one more row says that there are more.
pub(crate) async fn gravest(db: &Db, scope: &Scope, now: Time, target: Option<TargetId>, most: usize) -> Result<Vec<Standing>> {
    let mut found: Vec<Standing> = Vec::new();
    loop {
        let rows = PAGE.min(most + 1 - found.len());
        let of_target = if target.is_some() { "v.target_id = $3" } else { "CAST($3 AS TEXT) IS NULL" };
        let after = if found.is_empty() { "" } else { "AND (v.severity, v.id) < ($4, $5)" };
        let statement = format!(
            "SELECT v.id, v.target_id, v.source, v.check_id, v.title, v.severity, v.confidence, v.asset, v.service, v.labels, v.cvss, v.cvss_score,
                 v.location, SUBSTR(v.remediation, 1, 300) AS remediation, v.cluster
             FROM vulnerabilities v WHERE v.tenant_id = $1 AND {of_target} AND {STATUS} IN ('open', 'not_retested') {after}
             ORDER BY v.severity DESC, v.id DESC LIMIT {rows}"
        );
        let mut statement = Sql::built(statement).bind(scope.tenant()).bind(now).bind(target);
        if let Some(last) = found.last() {
            statement = statement.bind(rank(last.severity)).bind(last.id);
        }
        let page = db.all(statement).await?;
        for row in &page {
            found.push(standing(row)?);
        }
        if page.len() < rows || found.len() > most {
            return Ok(found);
        }
    }
}

/// What a rule did.
#[derive(Debug)]
pub(crate) struct RuleCount {
    pub(crate) source: String,
    pub(crate) check: String,
    pub(crate) title: String,
    pub(crate) count: u64,
    pub(crate) findings: u64,
    pub(crate) last: Time,
}

/// Rules whose findings came back since a moment, most often first.
pub(crate) async fn recurring(db: &Db, scope: &Scope, since: Time) -> Result<Vec<RuleCount>> {
    let statement = format!(
        "SELECT v.source, v.check_id, MIN(v.title) AS title, COUNT(*) AS times, COUNT(DISTINCT h.finding_id) AS findings, MAX(h.created_at) AS latest
         FROM (SELECT finding_id, created_at FROM finding_history WHERE tenant_id = $1 AND kind = 'reopened' AND created_at >= $2
               ORDER BY created_at DESC LIMIT {NEWEST}) h
         JOIN vulnerabilities v ON v.id = h.finding_id WHERE v.tenant_id = $1
         GROUP BY v.source, v.check_id HAVING COUNT(*) > 1 ORDER BY times DESC, v.source, v.check_id LIMIT {RULES}"
    );
    let rows = db.all(Sql::built(statement).bind(scope.tenant()).bind(since)).await?;
    rows.iter()
        .map(|row| {
            Ok(RuleCount {
                source: row.get("source")?,
                check: row.get("check_id")?,
                title: row.get("title")?,
                count: row.get("times")?,
                findings: row.get("findings")?,
                last: row.get("latest")?,
            })
        })
        .collect()
}

/// How many new findings of a rule came lately, and how many before.
#[derive(Debug)]
pub(crate) struct Births {
    pub(crate) rule: RuleCount,
    pub(crate) before: u64,
}

/// Rules with at least this many new findings since `recent`, and what they brought between `since` and then.
pub(crate) async fn births(db: &Db, scope: &Scope, since: Time, recent: Time, least: u32) -> Result<Vec<Births>> {
    let statement = format!(
        "SELECT source, check_id, MIN(title) AS title, SUM(CASE WHEN first_seen >= $3 THEN 1 ELSE 0 END) AS lately,
             SUM(CASE WHEN first_seen < $3 THEN 1 ELSE 0 END) AS earlier, MAX(first_seen) AS latest
         FROM (SELECT source, check_id, title, first_seen FROM vulnerabilities WHERE tenant_id = $1 AND first_seen >= $2
               ORDER BY first_seen DESC, id DESC LIMIT {NEWEST}) v
         GROUP BY source, check_id HAVING SUM(CASE WHEN first_seen >= $3 THEN 1 ELSE 0 END) >= $4
         ORDER BY lately DESC, source, check_id LIMIT 1000"
    );
    let rows = db.all(Sql::built(statement).bind(scope.tenant()).bind(since).bind(recent).bind(least)).await?;
    rows.iter()
        .map(|row| {
            let lately: u64 = row.get("lately")?;
            let rule = RuleCount {
                source: row.get("source")?,
                check: row.get("check_id")?,
                title: row.get("title")?,
                count: lately,
                findings: lately,
                last: row.get("latest")?,
            };
            Ok(Births { rule, before: row.get("earlier")? })
        })
        .collect()
}

/// Whether anything was taken in before a moment: without a past there is nothing to compare with.
pub(crate) async fn has_past(db: &Db, scope: &Scope, before: Time) -> Result<bool> {
    let statement = sql("SELECT 1 FROM imports WHERE tenant_id = $1 AND created_at < $2 LIMIT 1");
    Ok(db.one(statement.bind(scope.tenant()).bind(before)).await?.is_some())
}
