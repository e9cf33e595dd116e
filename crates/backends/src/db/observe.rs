//! Statistics for SQLite's planner, which gathers none by itself: without them it walks a million rows in the order of a list where an
//! index knows the three that are asked for. Only tables that became ten times larger or smaller are looked at again, a thousand rows of
//! each index, so that this takes some ten milliseconds at worst. PostgreSQL does as much by itself.

use std::sync::atomic::Ordering;

use super::{Inner, Pools};

/// Rows written until tables may have grown enough to plan otherwise.
const MANY: u64 = 10_000;

/// `0x10000` also looks at tables this connection has not asked for anything: the lists are read by others.
const OBSERVE: &str = "PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002";

/// Whether it is time again, this many more rows having been committed: now and then. Never for PostgreSQL, whose
/// planner needs nobody to observe it.
pub(super) fn is_due(inner: &Inner, rows: u64) -> bool {
    if !matches!(inner.pools, Pools::Sqlite { .. }) {
        return false;
    }
    let written = inner.written.fetch_add(rows, Ordering::Relaxed) + rows;
    written >= MANY && inner.written.swap(0, Ordering::Relaxed) >= MANY
}

/// At once: for tables that grew before there were statistics, or in another life.
pub(super) async fn observe(inner: &Inner) {
    let Pools::Sqlite { write, .. } = &inner.pools else { return };
    // Worse plans are no reason to fail what is committed already.
    if let Err(error) = sqlx::raw_sql(OBSERVE).execute(write).await {
        tracing::debug!(%error, "the planner has no new statistics");
    }
}
