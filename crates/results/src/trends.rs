//! How it goes over time: figures written once a day, what stands now, and filters kept under a name.

use std::collections::BTreeMap;
use std::time::Duration;

use audit::Change;
use base::{Actor, Result, Source, Time};
use serde_json::json;

use crate::model::{Analytics, FilterId, NewFilter, Period, SavedFilter, TrendDay};
use crate::service::Results;
use crate::{actions, errors, store};

const DAY: Duration = Duration::from_secs(24 * 3600);
const LONGEST_PERIOD: u32 = 366;

/// The day a moment belongs to, UTC, and its beginning.
fn day_of(at: Time) -> (String, Time) {
    let seconds = at.micros().div_euclid(1_000_000);
    let begin = Time::from_seconds(seconds - seconds.rem_euclid(24 * 3600));
    (begin.to_chrono().format("%Y-%m-%d").to_string(), begin)
}

impl Results {
    /// Writes yesterday's figures of every tenant that has none yet; returns for how many tenants.
    ///
    /// # Errors
    /// The database's.
    pub async fn record_trends(&self) -> Result<usize> {
        let (_, today) = day_of(self.backends.clock.now());
        let (day, yesterday) = day_of(Time::from_micros(today.micros() - 1));
        let mut recorded = 0;
        for tenant in store::trends::tenants(&self.backends.db).await? {
            if store::trends::has_day(&self.backends.db, tenant, &day).await? {
                continue;
            }
            let mut change = Change::begin(&self.backends, &Actor::system(tenant, Source::Job), actions::RECORD).await?;
            let rows = store::trends::record(&mut change, &day, yesterday, today).await?;
            let mut formats: BTreeMap<String, [i64; 6]> = BTreeMap::new();
            for (format, summary) in store::trends::imports_of(&mut change, yesterday, today).await? {
                let figures = formats.entry(format).or_default();
                let brought = [1, summary.observations, summary.created, summary.reopened, summary.closed, summary.not_retested];
                figures.iter_mut().zip(brought).for_each(|(sum, one)| *sum += i64::try_from(one).unwrap_or(i64::MAX));
            }
            for (format, figures) in &formats {
                store::trends::record_imports(&mut change, &day, format, *figures).await?;
            }
            let old = Time::from_micros(change.now().micros() - crate::undo::KEPT.as_micros() as i64);
            store::undo::forget(&mut change, old).await?;
            store::trends::fold_tallies(&mut change).await?;
            if rows > 0 || !formats.is_empty() {
                change.subject("trends", &day);
                change.detail(json!({ "rows": rows, "formats": formats.len() }));
                change.commit().await?;
                recorded += 1;
            }
        }
        Ok(recorded)
    }

    /// What stands, how fast it goes away, and where it comes from.
    ///
    /// # Errors
    /// `Invalid` naming the parameter; `Forbidden`.
    pub async fn analytics(&self, actor: &Actor, period: &Period) -> Result<Analytics> {
        let scope = actor.scope(actions::READ)?;
        let days = period.days.unwrap_or(90);
        if !(1..=LONGEST_PERIOD).contains(&days) {
            return Err(errors::filter("days", &format!("it must be 1 to {LONGEST_PERIOD}")));
        }
        let (db, now) = (&self.backends.db, self.backends.clock.now());
        let (today, _) = day_of(now);
        let (first, from) = day_of(Time::from_micros(now.micros() - i64::from(days - 1) * DAY.as_micros() as i64));
        let mut analytics = store::trends::figures(db, &scope, period, from, now).await?;
        analytics.days = store::trends::days(db, &scope, period, &first).await?;
        let standing = &analytics.standing;
        let all = |by: &scans::BySeverity| by.critical + by.high + by.medium + by.low + by.info;
        let (_, midnight) = day_of(now);
        let live = store::trends::figures(db, &scope, period, midnight, now).await?;
        analytics.days.push(TrendDay {
            day: today,
            opened: live.opened,
            fixed: live.fixed,
            standing: all(standing),
            overdue: all(&analytics.overdue),
            by_severity: *standing,
            seconds_to_fix: live.seconds_to_fix,
        });
        analytics.checks = store::trends::causes(db, &scope, period, "check_id").await?;
        analytics.assets = store::trends::causes(db, &scope, period, "asset").await?;
        analytics.sources = store::trends::causes(db, &scope, period, "source").await?;
        Ok(analytics)
    }

    /// Saved filters of the caller and those shared with everybody, by name.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn filters(&self, actor: &Actor) -> Result<Vec<SavedFilter>> {
        store::trends::filters(&self.backends.db, &actor.scope(actions::READ)?, actor.user).await
    }

    /// Keeps a filter under a name.
    ///
    /// # Errors
    /// `Invalid` naming the field; `Forbidden`.
    pub async fn save_filter(&self, actor: &Actor, new: NewFilter) -> Result<SavedFilter> {
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(errors::filter("/name", "it must have 1 to 100 characters, all of them visible"));
        }
        new.filter.check()?;
        new.filter.severities()?;
        new.filter.statuses()?;
        let new = NewFilter { name, ..new };
        let mut change = Change::begin(&self.backends, actor, actions::SAVE_FILTER).await?;
        let id: FilterId = change.id();
        store::trends::save_filter(&mut change, id, &new).await?;
        change.subject("filter", id);
        change.detail(json!({ "name": new.name, "is_shared": new.is_shared }));
        let created_at = change.now();
        change.commit().await?;
        Ok(SavedFilter { id, name: new.name, filter: new.filter, is_shared: new.is_shared, created_at })
    }

    /// Drops a saved filter of the caller.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn drop_filter(&self, actor: &Actor, id: FilterId) -> Result<()> {
        let mut change = Change::begin(&self.backends, actor, actions::SAVE_FILTER).await?;
        if !store::trends::drop_filter(&mut change, id).await? {
            return Err(errors::filter_not_found());
        }
        change.subject("filter", id);
        change.commit().await
    }
}
