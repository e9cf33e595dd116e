//! What findings have to do with each other. Reads at most a fixed number of the gravest findings, and says so when there are more.

mod causes;
mod paths;
mod patterns;
mod places;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base::{Actor, Error, Result, Source, Time};
use targets::TargetId;

use crate::link::names;
use crate::model::{AttackPaths, CauseFilter, Pattern, PatternFilter, RootCauses};
use crate::service::Results;
use crate::store::correlate::{self as store, Standing};
use crate::{actions, store as tables};
use places::Known;

/// Findings looked at, gravest first.
const LOOKED_AT: usize = 50_000;
/// Targets whose labels are read.
const TARGETS: usize = 500;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Results {
    /// What many findings have in common, the piece of work worth most first.
    ///
    /// # Errors
    /// `Invalid` naming an unknown kind; `Forbidden`.
    pub async fn causes(&self, actor: &Actor, filter: &CauseFilter) -> Result<RootCauses> {
        let scope = actor.scope(actions::SURVEY)?;
        let kind = filter.wanted()?;
        let now = self.backends.clock.now();
        let (findings, is_complete) = cut(store::gravest(&self.backends.db, &scope, now, filter.target, LOOKED_AT).await?);
        let looked_at = findings.len() as u64;
        let causes = apart(move || causes::causes(&findings, kind)).await?;
        Ok(RootCauses { causes, looked_at, is_complete })
    }

    /// Ways that findings may open together: hints from what is recorded, none was tried.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn paths(&self, actor: &Actor) -> Result<AttackPaths> {
        let scope = actor.scope(actions::SURVEY)?;
        let now = self.backends.clock.now();
        let (findings, is_complete) = cut(store::gravest(&self.backends.db, &scope, now, None, LOOKED_AT).await?);
        let looked_at = findings.len() as u64;
        let db = &self.backends.db;
        let all: HashSet<&str> =
            findings.iter().flat_map(|finding| names(&finding.labels)).filter(|name| name.starts_with("CVE-")).collect();
        let cves: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let mut feeds: HashMap<String, Known> = HashMap::new();
        for (cve, (probability, _)) in tables::feeds::likelihoods(db, &scope, &cves).await? {
            feeds.entry(cve).or_default().probability = probability;
        }
        for cve in tables::feeds::exploited(db, &scope, &cves).await?.into_keys() {
            feeds.entry(cve).or_default().is_exploited = true;
        }
        let mut seen = HashSet::new();
        let ids: Vec<TargetId> = findings.iter().filter_map(|finding| finding.target).filter(|id| seen.insert(*id)).take(TARGETS).collect();
        // Who may see findings sees what their targets do to them, whether or not they may list targets.
        let reader = Actor { tenant: actor.tenant, origin: actor.origin.clone(), ..Actor::system(actor.tenant, Source::Job) };
        let targets = if ids.is_empty() { Vec::new() } else { self.targets.of_ids(&reader, &ids).await? };
        let targets: HashMap<_, _> = targets.into_iter().map(|target| (target.id, target)).collect();
        let paths = apart(move || paths::paths(&findings, &targets, &feeds)).await?;
        Ok(AttackPaths { paths, looked_at, is_complete })
    }

    /// What rules do over time: findings that come back, and far more new ones than usual.
    ///
    /// # Errors
    /// `Invalid` naming the parameter; `Forbidden`.
    pub async fn patterns(&self, actor: &Actor, filter: &PatternFilter) -> Result<Vec<Pattern>> {
        let scope = actor.scope(actions::SURVEY)?;
        let days = filter.span()?;
        let (db, now) = (&self.backends.db, self.backends.clock.now());
        let ago = |days: u32| Time::from_micros(now.micros() - i64::from(days) * DAY.as_micros() as i64);
        let recurring = store::recurring(db, &scope, ago(days)).await?;
        let recent = ago(patterns::LATELY);
        let births = match store::has_past(db, &scope, recent).await? {
            true => store::births(db, &scope, ago(days), recent, patterns::LEAST).await?,
            false => Vec::new(),
        };
        Ok(patterns::patterns(recurring, births, days))
    }
}

/// The findings looked at, and whether those are all.
fn cut(mut findings: Vec<Standing>) -> (Vec<Standing>, bool) {
    let is_complete = findings.len() <= LOOKED_AT;
    findings.truncate(LOOKED_AT);
    (findings, is_complete)
}

/// Fifty thousand findings are more than a thread that answers requests should think about.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|cause| Error::internal("correlating panicked").because(cause))
}
