//! SQL of feeds: what was loaded, and what it says about vulnerabilities.

use std::collections::HashMap;

use audit::Change;
use backends::{Db, Row, Sql, Value, sql};
use base::{Result, Scope};
use risk::feeds::{Epss, Kev};

use super::clean;
use crate::model::{Feed, FeedKind};

/// Parameters of one statement stay below SQLite's 32,766.
const ROWS: usize = 4000;
const IDS: usize = 10_000;

/// What the KEV catalogue says about one vulnerability, as far as risk needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exploited {
    pub(crate) due: Option<chrono::NaiveDate>,
    pub(crate) ransomware: bool,
}

const FEED: &str = "kind, revision, version, released, entries, sha256, filename, updated_by, updated_at";

fn feed(row: &Row) -> Result<Feed> {
    Ok(Feed {
        kind: row.parse::<FeedKind>("kind")?,
        revision: row.get("revision")?,
        version: row.get("version")?,
        released: row.get("released")?,
        entries: row.get("entries")?,
        sha256: row.get("sha256")?,
        filename: row.get("filename")?,
        updated_by: row.get("updated_by")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Feeds that were ever loaded.
pub(crate) async fn all(db: &Db, scope: &Scope) -> Result<Vec<Feed>> {
    let statement = format!("SELECT {FEED} FROM feeds WHERE tenant_id = $1 ORDER BY kind");
    db.all(Sql::built(statement).bind(scope.tenant())).await?.iter().map(feed).collect()
}

/// One feed, as the change sees it.
pub(crate) async fn current(change: &mut Change, kind: FeedKind) -> Result<Option<Feed>> {
    let statement = format!("SELECT {FEED} FROM feeds WHERE tenant_id = $1 AND kind = $2");
    let statement = Sql::built(statement).bind(change.scope().tenant()).bind(kind.as_str());
    change.one(statement).await?.as_ref().map(feed).transpose()
}

/// Keeps what a feed says about itself.
pub(crate) async fn put(change: &mut Change, feed: &Feed) -> Result<()> {
    let statement =
        sql("INSERT INTO feeds (tenant_id, kind, revision, version, released, entries, sha256, filename, updated_by, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant_id, kind) DO UPDATE SET
         revision = excluded.revision, version = excluded.version, released = excluded.released, entries = excluded.entries,
         sha256 = excluded.sha256, filename = excluded.filename, updated_by = excluded.updated_by, updated_at = excluded.updated_at");
    let statement = statement
        .bind(change.scope().tenant())
        .bind(feed.kind.as_str())
        .bind(feed.revision)
        .bind(feed.version.as_deref().map(clean))
        .bind(feed.released.as_deref())
        .bind(i64::try_from(feed.entries).unwrap_or(i64::MAX))
        .bind(feed.sha256.as_deref().unwrap_or_default())
        .bind(feed.filename.as_deref().map(clean))
        .bind(feed.updated_by.as_deref().unwrap_or_default())
        .bind(feed.updated_at);
    change.run(statement).await.map(drop)
}

/// Scores by name, a page at a time; the page after `after`.
pub(crate) async fn epss_page(change: &mut Change, after: &str, rows: usize) -> Result<Vec<Epss>> {
    let statement = format!("SELECT cve, probability, percentile FROM epss WHERE tenant_id = $1 AND cve > $2 ORDER BY cve LIMIT {rows}");
    let statement = Sql::built(statement).bind(change.scope().tenant()).bind(after);
    change
        .all(statement)
        .await?
        .iter()
        .map(|row| Ok(Epss { cve: row.get("cve")?, probability: row.get("probability")?, percentile: row.get("percentile")? }))
        .collect()
}

/// Keeps scores, new and changed.
pub(crate) async fn put_epss(change: &mut Change, rows: &[Epss]) -> Result<()> {
    for some in rows.chunks(ROWS) {
        let statement = format!(
            "INSERT INTO epss (tenant_id, cve, probability, percentile) {}
             ON CONFLICT (tenant_id, cve) DO UPDATE SET probability = excluded.probability, percentile = excluded.percentile",
            Sql::rows_sharing(some.len(), 1, 3)
        );
        let mut insert = Sql::built(statement).bind(change.scope().tenant());
        for row in some {
            insert = insert.bind(&row.cve).bind(row.probability).bind(row.percentile);
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Every entry of the catalogue.
pub(crate) async fn kev_all(change: &mut Change) -> Result<Vec<Kev>> {
    let statement = sql("SELECT cve, vendor, product, name, added, due, ransomware, action FROM kev WHERE tenant_id = $1");
    let statement = statement.bind(change.scope().tenant());
    change
        .all(statement)
        .await?
        .iter()
        .map(|row| {
            Ok(Kev {
                cve: row.get("cve")?,
                vendor: row.get("vendor")?,
                product: row.get("product")?,
                name: row.get("name")?,
                added: day(row, "added")?,
                due: day(row, "due")?,
                ransomware: row.get("ransomware")?,
                action: row.get("action")?,
            })
        })
        .collect()
}

/// Keeps entries of the catalogue, new and changed.
pub(crate) async fn put_kev(change: &mut Change, rows: &[Kev]) -> Result<()> {
    for some in rows.chunks(ROWS) {
        let statement = format!(
            "INSERT INTO kev (tenant_id, cve, vendor, product, name, added, due, ransomware, action) {}
             ON CONFLICT (tenant_id, cve) DO UPDATE SET vendor = excluded.vendor, product = excluded.product, name = excluded.name,
             added = excluded.added, due = excluded.due, ransomware = excluded.ransomware, action = excluded.action",
            Sql::rows_sharing(some.len(), 1, 8)
        );
        let mut insert = Sql::built(statement).bind(change.scope().tenant());
        for row in some {
            insert = insert
                .bind(&row.cve)
                .bind(clean(&row.vendor))
                .bind(clean(&row.product))
                .bind(clean(&row.name))
                .bind(row.added.map(|day| day.to_string()))
                .bind(row.due.map(|day| day.to_string()))
                .bind(row.ransomware)
                .bind(clean(&row.action));
        }
        change.run(insert).await?;
    }
    Ok(())
}

/// Forgets entries that a feed no longer has.
pub(crate) async fn forget(change: &mut Change, kind: FeedKind, cves: &[String]) -> Result<()> {
    let table = match kind {
        FeedKind::Epss => "epss",
        FeedKind::Kev => "kev",
    };
    for some in cves.chunks(IDS) {
        let statement = format!("DELETE FROM {table} WHERE tenant_id = $1 AND cve IN ({})", Sql::list(some.len(), 1));
        let statement = Sql::built(statement).bind(change.scope().tenant()).bind_all(some.iter().map(Value::from));
        change.run(statement).await?;
    }
    Ok(())
}

/// Probability and percentile of those vulnerabilities that have them.
pub(crate) async fn likelihoods(db: &Db, scope: &Scope, cves: &[String]) -> Result<HashMap<String, (f64, Option<f64>)>> {
    let mut found = HashMap::new();
    for some in cves.chunks(IDS) {
        let statement =
            format!("SELECT cve, probability, percentile FROM epss WHERE tenant_id = $1 AND cve IN ({})", Sql::list(some.len(), 1));
        for row in db.all(Sql::built(statement).bind(scope.tenant()).bind_all(some.iter().map(Value::from))).await? {
            found.insert(row.get("cve")?, (row.get("probability")?, row.get("percentile")?));
        }
    }
    Ok(found)
}

/// What the catalogue says about those vulnerabilities that it lists.
pub(crate) async fn exploited(db: &Db, scope: &Scope, cves: &[String]) -> Result<HashMap<String, Exploited>> {
    let mut found = HashMap::new();
    for some in cves.chunks(IDS) {
        let statement = format!("SELECT cve, due, ransomware FROM kev WHERE tenant_id = $1 AND cve IN ({})", Sql::list(some.len(), 1));
        for row in db.all(Sql::built(statement).bind(scope.tenant()).bind_all(some.iter().map(Value::from))).await? {
            found.insert(row.get("cve")?, Exploited { due: day(&row, "due")?, ransomware: row.get("ransomware")? });
        }
    }
    Ok(found)
}

fn day(row: &Row, column: &str) -> Result<Option<chrono::NaiveDate>> {
    Ok(row.get::<Option<String>>(column)?.and_then(|text| text.parse().ok()))
}
