//! Brings the schema forward: one ordered list, one text for both engines, each migration whole or not at all.

use aws_lc_rs::digest::{SHA256, digest};
use base::{Error, Result, Time};
use sqlx::{AssertSqlSafe, Connection, Postgres, Row, Sqlite};

use super::Pools;
use super::failure::failed;
use crate::errors;

/// Every migration in order; version is the position, counted from one.
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_backends", include_str!("../../../../migrations/0001_backends.sql")),
    ("0002_audit", include_str!("../../../../migrations/0002_audit.sql")),
    ("0003_auth", include_str!("../../../../migrations/0003_auth.sql")),
    ("0004_targets", include_str!("../../../../migrations/0004_targets.sql")),
    ("0005_scans", include_str!("../../../../migrations/0005_scans.sql")),
    ("0006_results", include_str!("../../../../migrations/0006_results.sql")),
    ("0007_reports", include_str!("../../../../migrations/0007_reports.sql")),
    ("0008_results", include_str!("../../../../migrations/0008_results.sql")),
    ("0009_risk", include_str!("../../../../migrations/0009_risk.sql")),
    ("0010_search", include_str!("../../../../migrations/0010_search.sql")),
    ("0011_devices", include_str!("../../../../migrations/0011_devices.sql")),
    ("0012_results", include_str!("../../../../migrations/0012_results.sql")),
    ("0013_insight", include_str!("../../../../migrations/0013_insight.sql")),
    ("0014_units", include_str!("../../../../migrations/0014_units.sql")),
    ("0015_integrations", include_str!("../../../../migrations/0015_integrations.sql")),
    ("0016_search", include_str!("../../../../migrations/0016_search.sql")),
    ("0017_results", include_str!("../../../../migrations/0017_results.sql")),
    ("0018_results", include_str!("../../../../migrations/0018_results.sql")),
    ("0019_results", include_str!("../../../../migrations/0019_results.sql")),
    ("0020_results", include_str!("../../../../migrations/0020_results.sql")),
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// Text is compared byte by byte, as SQLite does it: lists have the same order on both engines, and an index costs half of what a language's order costs.
/// What is compared so already is not touched.
const BYTEWISE: &str = r#"DO $$
DECLARE part record;
BEGIN
    FOR part IN
        SELECT c.table_name, string_agg(format('ALTER COLUMN %I TYPE TEXT COLLATE "C"', c.column_name), ', ') AS columns
        FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.data_type = 'text' AND c.collation_name IS NULL
        GROUP BY c.table_name ORDER BY c.table_name
    LOOP
        EXECUTE format('ALTER TABLE %I %s', part.table_name, part.columns);
    END LOOP;
END $$"#;

/// Held while migrating, so that several processes may start at once.
const ADVISORY_LOCK: &str = "SELECT pg_advisory_lock(8390044011)";
const ADVISORY_UNLOCK: &str = "SELECT pg_advisory_unlock(8390044011)";

pub(super) async fn up(pools: &Pools, now: Time) -> Result<()> {
    match pools {
        Pools::Sqlite { write, .. } => {
            let mut connection = write.acquire().await.map_err(failed)?;
            sqlite(&mut connection, now).await
        }
        Pools::Postgres { write, .. } => {
            let mut connection = write.acquire().await.map_err(failed)?.detach();
            sqlx::raw_sql(ADVISORY_LOCK).execute(&mut connection).await.map_err(failed)?;
            let outcome = match postgres(&mut connection, now).await {
                Ok(()) => sqlx::raw_sql(BYTEWISE).execute(&mut connection).await.map(drop).map_err(failed),
                Err(error) => Err(error),
            };
            sqlx::raw_sql(ADVISORY_UNLOCK).execute(&mut connection).await.map_err(failed)?;
            connection.close().await.map_err(failed)?;
            outcome
        }
    }
}

macro_rules! runner {
    ($name:ident, $database:ty, $engine:literal) => {
        async fn $name(connection: &mut <$database as sqlx::Database>::Connection, now: Time) -> Result<()> {
            sqlx::raw_sql(TABLE).execute(&mut *connection).await.map_err(failed)?;
            let applied = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
                .fetch_all(&mut *connection)
                .await
                .map_err(failed)?
                .into_iter()
                .map(|row| Ok((row.try_get::<i64, _>("version")?, row.try_get::<String, _>("checksum")?)))
                .collect::<Result<Vec<_>, sqlx::Error>>()
                .map_err(failed)?;
            let todo = pending(&applied)?;
            for (version, name, text) in todo {
                let mut transaction = connection.begin().await.map_err(failed)?;
                sqlx::raw_sql(AssertSqlSafe(for_engine(text, $engine)))
                    .execute(&mut *transaction)
                    .await
                    .map_err(|cause| Error::internal(format!("migration {name} failed: {cause}")).because(cause))?;
                sqlx::query("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
                    .bind(version)
                    .bind(name)
                    .bind(checksum(text))
                    .bind(now.micros())
                    .execute(&mut *transaction)
                    .await
                    .map_err(failed)?;
                transaction.commit().await.map_err(failed)?;
                tracing::info!(migration = name, "schema migrated");
            }
            Ok(())
        }
    };
}

runner!(sqlite, Sqlite, "sqlite");
runner!(postgres, Postgres, "postgres");

/// The migrations still to run, or why they must not.
fn pending(applied: &[(i64, String)]) -> Result<Vec<(i64, &'static str, &'static str)>> {
    let mut todo = Vec::new();
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if let Some((newest, _)) = applied.last().filter(|(version, _)| *version > known) {
        return Err(errors::db_newer(*newest, known));
    }
    for (version, (name, text)) in (1_i64..).zip(MIGRATIONS) {
        match applied.iter().find(|(done, _)| *done == version) {
            None => todo.push((version, *name, *text)),
            Some((_, recorded)) if *recorded != checksum(text) => return Err(errors::db_migration_changed(name)),
            Some(_) => {}
        }
    }
    Ok(todo)
}

fn checksum(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// Drops the parts between `-- only: other-engine` and `-- end`.
fn for_engine(text: &str, engine: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut keep = true;
    for line in text.lines() {
        if let Some(only) = line.trim().strip_prefix("-- only:") {
            keep = only.trim() == engine;
        } else if line.trim() == "-- end" {
            keep = true;
        } else if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_for_one_engine_is_not_run_on_the_other() {
        let text = "CREATE A;\n-- only: sqlite\nTRIGGER;\n-- end\nCREATE B;";
        assert_eq!(for_engine(text, "sqlite"), "CREATE A;\nTRIGGER;\nCREATE B;\n");
        assert_eq!(for_engine(text, "postgres"), "CREATE A;\nCREATE B;\n");
    }

    /// Runs what changes the schema from one version on up to another.
    async fn migrate(connection: &mut sqlx::SqliteConnection, from: &str, to: &str) {
        for (_, text) in MIGRATIONS.iter().filter(|(name, _)| (from..to).contains(name)) {
            sqlx::raw_sql(AssertSqlSafe(for_engine(text, "sqlite"))).execute(&mut *connection).await.unwrap();
        }
    }

    #[tokio::test]
    async fn when_a_finding_was_seen_is_kept_as_it_moves() {
        let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, "0", "0018").await;
        let finding = "INSERT INTO vulnerabilities (id, tenant_id, target_id, source, check_id, title, description, severity, cwes, cves, refs, tags,
                location, confidence, labels, search, state, status, base_status, ambiguous, first_seen, last_seen, last_scan, last_import, times_seen)
            VALUES ('f', 't', '', 's', 'c', 'Weak', '', 2, '[]', '[]', '[]', '[]', '{}', 80, '', '', 'present', 'open', 'open', FALSE, 3, 4, 'scan', 'import', 7)";
        sqlx::raw_sql(finding).execute(&mut connection).await.unwrap();
        migrate(&mut connection, "0018", "0019").await;
        let row = sqlx::query(
            "SELECT title, last_seen, last_scan, last_import, times_seen FROM vulnerabilities JOIN finding_sightings USING (tenant_id, id)",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let seen: (i64, i64) = (row.get("last_seen"), row.get("times_seen"));
        let by: [String; 3] = ["title", "last_scan", "last_import"].map(|name| row.get(name));
        assert_eq!((seen, by), ((4, 7), ["Weak", "scan", "import"].map(str::to_owned)));
    }

    #[tokio::test]
    async fn how_much_was_covered_leaves_the_words_and_the_places_that_held_it() {
        let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrate(&mut connection, "0", "0019").await;
        let at = |port: &str, url: &str| {
            format!(r#"{{"ip":"192.0.2.1","port":{port},"protocol":null,"service":null,"url":{url},"method":null}}"#)
        };
        let (none, page) = (at("null", "null"), at("443", r#""https://a.example/""#));
        let told = [
            (none.clone(), Some("closed ports 1-3,443"), r#"{"kind":"closed","ports":"1-3,443"}"#, None),
            (none.clone(), Some("ports 1-1024"), r#"{"kind":"ports","ports":"1-1024"}"#, None),
            (none.clone(), Some("ports 1\"}"), r#"{"kind":"untold"}"#, Some("ports 1\"}")),
            (none.clone(), Some("ports 1-9; 3 without an answer"), r#"{"kind":"untold"}"#, Some("ports 1-9; 3 without an answer")),
            (at("0", "null"), Some("no login"), r#"{"kind":"itself"}"#, Some("no login")),
            (at("443", r#""https://a.example/#""#), None, r#"{"kind":"itself"}"#, None),
            (page.clone(), None, r#"{"kind":"untold"}"#, None),
        ];
        for (number, (location, reason, ..)) in told.iter().enumerate() {
            sqlx::query(
                "INSERT INTO coverage (id, tenant_id, import_id, target_id, source, check_set, location, status, reason, created_at)
                    VALUES ($1, 't', 'i', '', 's', 'c', $2, 'done', $3, 1)",
            )
            .bind(number.to_string())
            .bind(location)
            .bind(reason)
            .execute(&mut connection)
            .await
            .unwrap();
        }
        migrate(&mut connection, "0019", "0020").await;
        let rows = sqlx::query("SELECT location, reason, extent FROM coverage ORDER BY id").fetch_all(&mut connection).await.unwrap();
        let is: Vec<(String, Option<String>, String)> =
            rows.iter().map(|row| (row.get("location"), row.get("reason"), row.get("extent"))).collect();
        let places = [&none, &none, &none, &none, &none, &page, &page];
        let expected: Vec<(String, Option<String>, String)> = told
            .iter()
            .zip(places)
            .map(|((_, _, extent, reason), place)| (place.clone(), reason.map(str::to_owned), (*extent).to_owned()))
            .collect();
        assert_eq!(is, expected);
    }

    #[test]
    fn a_changed_or_newer_schema_is_refused() {
        assert_eq!(pending(&[]).unwrap().len(), MIGRATIONS.len());
        assert_eq!(pending(&[(1, "other".into())]).unwrap_err().code(), "db.migration_changed");
        assert_eq!(pending(&[(9_999, "x".into())]).unwrap_err().code(), "db.newer");
    }
}
