//! The database: one SQL text, SQLite or PostgreSQL underneath. Reads run on a read-only pool; writes only in a transaction.

mod connect;
mod failure;
mod limited;
mod migrate;
mod observe;
mod readers;
mod row;
mod unnamed;
mod value;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{Error, Result};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

pub use row::{Column, Row};
pub use value::{Sql, Value, sql};

use failure::failed;
use readers::Readers;

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    pools: Pools,
    statements: AtomicU64,
    /// Rows committed since the planner last had a look at how large tables are.
    written: AtomicU64,
    /// Keeps the lock that marks the SQLite file as ours.
    _lock: Option<std::fs::File>,
}

enum Pools {
    Sqlite { write: SqlitePool, read: Box<Readers> },
    Postgres { write: PgPool, read: PgPool },
}

/// A transaction; dropped without [`Tx::commit`] it leaves nothing.
pub struct Tx {
    engine: Engine,
    db: Db,
    /// Rows written so far.
    written: u64,
}

enum Engine {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Statements with more parameters are not kept prepared: each would hold megabytes on either side, and few are asked for twice.
const MOST_KEPT: usize = 500;

fn sqlite_query(sql: Sql) -> Query<'static, Sqlite, SqliteArguments> {
    let sql = unnamed::unnamed(limited::limited(sql));
    let is_kept = sql.is_kept && sql.values.len() <= MOST_KEPT;
    let mut query = match sql.text {
        std::borrow::Cow::Borrowed(text) => sqlx::query(text),
        std::borrow::Cow::Owned(text) => sqlx::query(AssertSqlSafe(text)),
    };
    for value in sql.values {
        query = match value {
            Value::Text(value) => query.bind(value),
            Value::Int(value) => query.bind(value),
            Value::Real(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query.persistent(is_kept)
}

fn postgres_query(sql: Sql) -> Query<'static, Postgres, sqlx::postgres::PgArguments> {
    let is_kept = sql.is_kept && sql.values.len() <= MOST_KEPT;
    let mut query = match sql.text {
        std::borrow::Cow::Borrowed(text) => sqlx::query(text),
        std::borrow::Cow::Owned(text) => sqlx::query(AssertSqlSafe(text)),
    };
    for value in sql.values {
        query = match value {
            Value::Text(value) => query.bind(value),
            Value::Int(value) => query.bind(value),
            Value::Real(value) => query.bind(value),
            Value::Bool(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query.persistent(is_kept)
}

impl Db {
    /// How many statements this handle and its clones have sent, transaction brackets included; tests pin it.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.inner.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// Every row of a read.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer, `Internal` for a statement it does not understand.
    pub async fn all(&self, sql: Sql) -> Result<Vec<Row>> {
        self.count();
        match &self.inner.pools {
            Pools::Sqlite { read, .. } => {
                let mut reader = read.lend().await.map_err(failed)?;
                let rows = sqlite_query(sql).fetch_all(reader.connection().map_err(failed)?).await.map_err(failed)?;
                read.give_back(reader);
                Ok(rows.into_iter().map(|row| Row(row::Engine::Sqlite(row))).collect())
            }
            Pools::Postgres { read, .. } => {
                let rows = postgres_query(sql).fetch_all(read).await.map_err(failed)?;
                Ok(rows.into_iter().map(|row| Row(row::Engine::Postgres(row))).collect())
            }
        }
    }

    /// The first row of a read, if there is one.
    ///
    /// # Errors
    /// As [`Db::all`].
    pub async fn one(&self, sql: Sql) -> Result<Option<Row>> {
        self.count();
        match &self.inner.pools {
            Pools::Sqlite { read, .. } => {
                let mut reader = read.lend().await.map_err(failed)?;
                let row = sqlite_query(sql).fetch_optional(reader.connection().map_err(failed)?).await.map_err(failed)?;
                read.give_back(reader);
                Ok(row.map(|row| Row(row::Engine::Sqlite(row))))
            }
            Pools::Postgres { read, .. } => {
                let row = postgres_query(sql).fetch_optional(read).await.map_err(failed)?;
                Ok(row.map(|row| Row(row::Engine::Postgres(row))))
            }
        }
    }

    /// Begins a write transaction. Contexts go through `audit::Change`; only this floor and the audit call it.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "a begin() cancelled half way poisons a pooled connection (sqlx#4393), so it runs to its end in its own task"
    )]
    pub async fn begin(&self) -> Result<Tx> {
        self.count();
        let db = self.clone();
        tokio::spawn(async move {
            let engine = match &db.inner.pools {
                Pools::Sqlite { write, .. } => Engine::Sqlite(write.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?),
                Pools::Postgres { write, .. } => Engine::Postgres(write.begin().await.map_err(failed)?),
            };
            Ok(Tx { engine, db, written: 0 })
        })
        .await
        .map_err(|cause| Error::internal("beginning a transaction panicked").because(cause))?
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.one(sql("SELECT 1")).await.map(drop)
    }

    /// The engine's name and version, for `doctor` and reports of trouble.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn version(&self) -> Result<String> {
        let (name, statement) = match &self.inner.pools {
            Pools::Sqlite { .. } => ("SQLite", "SELECT sqlite_version() AS version"),
            Pools::Postgres { .. } => ("PostgreSQL", "SELECT current_setting('server_version') AS version"),
        };
        let row = self.one(sql(statement)).await?.ok_or_else(|| Error::internal("the database told no version"))?;
        Ok(format!("{name} {}", row.get::<String>("version")?))
    }

    /// The schema as the embedded engine keeps it, for the generated reference; empty elsewhere.
    ///
    /// # Errors
    /// As [`Db::all`].
    pub async fn schema(&self) -> Result<String> {
        if self.is_shared() {
            return Ok(String::new());
        }
        let rows = self
            .all(sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name"))
            .await?;
        let statements = rows.iter().map(|row| row.get::<String>("sql")).collect::<Result<Vec<_>>>()?;
        Ok(format!("-- Generated by `tyrian docs`; edit the migrations instead.\n\n{};\n", statements.join(";\n\n")))
    }

    /// Whether several processes may share this database.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.inner.pools, Pools::Postgres { .. })
    }

    /// Closes every connection; SQLite folds its log into the file.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres { write, read } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

impl Tx {
    /// Every row the statement gives back.
    ///
    /// # Errors
    /// `Conflict` `db.duplicate` on a unique violation, else as [`Db::all`].
    pub async fn all(&mut self, sql: Sql) -> Result<Vec<Row>> {
        self.db.count();
        match &mut self.engine {
            Engine::Sqlite(tx) => {
                let rows = sqlite_query(sql).fetch_all(&mut **tx).await.map_err(failed)?;
                Ok(rows.into_iter().map(|row| Row(row::Engine::Sqlite(row))).collect())
            }
            Engine::Postgres(tx) => {
                let rows = postgres_query(sql).fetch_all(&mut **tx).await.map_err(failed)?;
                Ok(rows.into_iter().map(|row| Row(row::Engine::Postgres(row))).collect())
            }
        }
    }

    /// The first row the statement gives back, if there is one.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn one(&mut self, sql: Sql) -> Result<Option<Row>> {
        Ok(self.all(sql).await?.into_iter().next())
    }

    /// Runs the statement and tells how many rows it touched.
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn run(&mut self, sql: Sql) -> Result<u64> {
        self.db.count();
        let rows = match &mut self.engine {
            Engine::Sqlite(tx) => sqlite_query(sql).execute(&mut **tx).await.map(|done| done.rows_affected()),
            Engine::Postgres(tx) => postgres_query(sql).execute(&mut **tx).await.map(|done| done.rows_affected()),
        }
        .map_err(failed)?;
        self.written += rows;
        Ok(rows)
    }

    /// Locks `name` against other processes until the transaction ends (SQLite's writer is alone already).
    ///
    /// # Errors
    /// As [`Tx::all`].
    pub async fn lock(&mut self, name: i64) -> Result<()> {
        if matches!(self.engine, Engine::Postgres(_)) {
            self.all(sql("SELECT pg_advisory_xact_lock($1)").bind(name)).await?;
        }
        Ok(())
    }

    /// Skips rows that another worker holds, where the engine lets several write at once.
    pub(crate) fn skip_locked(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "",
            Engine::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// `Unavailable` when the database went away; whether the commit took place is then unknown.
    #[expect(clippy::disallowed_methods, reason = "a commit runs to its end even when the caller goes away")]
    pub async fn commit(self) -> Result<()> {
        self.db.count();
        let (db, written) = (self.db, self.written);
        let committed = tokio::spawn(async move {
            match self.engine {
                Engine::Sqlite(tx) => tx.commit().await,
                Engine::Postgres(tx) => tx.commit().await,
            }
        });
        committed.await.map_err(|cause| Error::internal("committing panicked").because(cause))?.map_err(failed)?;
        if observe::is_due(&db.inner, written) {
            // It waits for its turn behind other writers; whoever committed does not.
            tokio::spawn(async move { observe::observe(&db.inner).await });
        }
        Ok(())
    }
}
