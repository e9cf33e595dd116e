//! Gathers what a report says from the contexts that know it, with the rights of whoever asks.

mod finding;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use base::{Actor, Page, PageRequest, Result, Time};
use futures::{StreamExt, TryStreamExt, stream};
use results::Sort;
use scans::Scan;
use targets::{Target, TargetId};

use crate::errors;
use crate::model::NewReport;
use crate::service::Reports;
use crate::snapshot::{self, Frozen, Part, Period, Person, Scope, Snapshot, Tool, VERSION};

/// Most findings one report holds.
const MOST_FINDINGS: usize = 10_000;
/// Most scans and imports listed, newest first.
const MOST_RUNS: usize = 200;
/// Finding details read at once.
const ABREAST: usize = 8;

/// Reads a list to its end, or to `most` rows.
macro_rules! pages {
    ($most:expr, |$page:ident| $call:expr) => {{
        let mut items = Vec::new();
        let mut $page = PageRequest { cursor: None, limit: Some(PageRequest::MAXIMUM) };
        loop {
            let Page { items: found, next_cursor } = $call.await?;
            items.extend(found);
            if next_cursor.is_none() || items.len() >= $most {
                break;
            }
            $page.cursor = next_cursor;
        }
        items.truncate($most);
        items
    }};
}

impl Reports {
    /// The content of `new` as of now.
    pub(crate) async fn gather(&self, actor: &Actor, new: &NewReport) -> Result<Frozen> {
        let now = self.backends.clock.now();
        let scan = match new.scan_id {
            Some(id) => Some(self.scans.get(actor, id).await?),
            None => None,
        };
        let targets = self.targets_of(actor, new, scan.as_ref()).await?;
        let findings = self.findings_of(actor, new).await?;
        let scans = self.scans_of(actor, new, scan).await?;
        let imports = self.imports_of(actor, new).await?;
        let runs: Vec<_> = scans.iter().map(scope::scan).chain(imports.iter().map(scope::import)).collect();
        let period = period(&runs, &findings, now);
        let authorizations = self.authorizations_of(actor, new, &scans, period).await?;
        let newest = newest_per_target(&scans);
        let coverage = self.coverage_of(actor, &newest).await?;
        let tools = tools(&newest, &findings);
        let not_tested = scope::gaps(&targets, &scans, &authorizations);
        let snapshot = Snapshot {
            version: VERSION,
            title: new.title.clone(),
            tenant: new.prepared_for.clone().unwrap_or_else(|| actor.username.clone()),
            language: new.language,
            marking: new.marking,
            people: vec![Person { name: actor.username.clone(), part: Part::Author }],
            generated_at: now,
            period,
            scope: Scope {
                targets: targets.iter().map(scope::target).collect(),
                authorizations: authorizations.iter().map(scope::authorization).collect(),
            },
            counts: snapshot::Counts::default(),
            findings,
            coverage,
            not_tested,
            tools,
            runs,
        };
        Ok(snapshot.freeze()?)
    }

    async fn targets_of(&self, actor: &Actor, new: &NewReport, scan: Option<&Scan>) -> Result<Vec<Target>> {
        let mut named = new.target_ids.clone();
        named.extend(scan.map(|scan| scan.target_id));
        if named.is_empty() {
            return Ok(pages!(usize::MAX, |page| self.targets.list(actor, targets::Filter::default(), page.clone())));
        }
        named.sort_unstable();
        named.dedup();
        let mut targets = Vec::with_capacity(named.len());
        for id in named {
            targets.push(self.targets.get(actor, id).await?);
        }
        Ok(targets)
    }

    async fn findings_of(&self, actor: &Actor, new: &NewReport) -> Result<Vec<snapshot::Finding>> {
        let every = results::Filter { scan: new.scan_id, ..results::Filter::default() };
        let filters: Vec<results::Filter> = if new.target_ids.is_empty() {
            vec![every]
        } else {
            new.target_ids.iter().map(|target| results::Filter { target: Some(*target), ..every.clone() }).collect()
        };
        let mut chosen = Vec::new();
        for filter in filters {
            let found = pages!(MOST_FINDINGS * 4, |page| self.results.findings(actor, &filter, Sort::Severity, &page));
            let held = |finding: &results::Finding| new.filter.holds(finding::severity(finding.severity), finding::status(finding.status));
            chosen.extend(found.into_iter().filter(held).map(|finding| finding.id));
            if chosen.len() > MOST_FINDINGS {
                return Err(errors::too_large(MOST_FINDINGS));
            }
        }
        stream::iter(chosen)
            .map(|id| async move { self.results.finding(actor, id).await.map(finding::finding) })
            .buffered(ABREAST)
            .try_collect()
            .await
    }

    async fn scans_of(&self, actor: &Actor, new: &NewReport, scan: Option<Scan>) -> Result<Vec<Scan>> {
        if let Some(scan) = scan {
            return Ok(vec![scan]);
        }
        let mut filters = vec![scans::Filter::default()];
        if !new.target_ids.is_empty() {
            filters = new.target_ids.iter().map(|id| scans::Filter { target_id: Some(*id), state: None }).collect();
        }
        let mut found: Vec<Scan> = Vec::new();
        for filter in filters {
            found.extend(pages!(MOST_RUNS, |page| self.scans.list(actor, filter.clone(), page.clone())));
        }
        found.retain(|scan| scan.state.is_final());
        found.sort_by_key(|scan| std::cmp::Reverse(scan.id));
        found.truncate(MOST_RUNS);
        Ok(found)
    }

    async fn imports_of(&self, actor: &Actor, new: &NewReport) -> Result<Vec<results::Import>> {
        if new.scan_id.is_some() {
            return Ok(Vec::new());
        }
        let mut imports = pages!(MOST_RUNS, |page| self.results.imports(actor, &page));
        // The imports of scans are in the scans already.
        imports.retain(|import| {
            let is_wanted = import.target_id.is_none_or(|target| new.target_ids.contains(&target));
            import.scan_id.is_none() && (new.target_ids.is_empty() || is_wanted)
        });
        Ok(imports)
    }

    /// The authorisations the scans stood on, and those of the targets that held within the period.
    async fn authorizations_of(
        &self,
        actor: &Actor,
        new: &NewReport,
        scans: &[Scan],
        period: Period,
    ) -> Result<Vec<targets::Authorization>> {
        let used: BTreeSet<_> = scans.iter().map(|scan| scan.authorization_id).collect();
        let mut found = pages!(usize::MAX, |page| self.targets.authorizations(actor, None, page.clone()));
        found.retain(|granted| {
            let is_of_targets = granted.target.is_none_or(|target| new.target_ids.is_empty() || new.target_ids.contains(&target));
            let held = granted.valid_from <= period.to && granted.valid_until >= period.from && granted.created_at <= period.to;
            used.contains(&granted.id) || (new.scan_id.is_none() && is_of_targets && held)
        });
        found.sort_by_key(|granted| granted.id);
        Ok(found)
    }

    async fn coverage_of(&self, actor: &Actor, scans: &[&Scan]) -> Result<Vec<snapshot::Coverage>> {
        let mut coverage: Vec<_> = scans.iter().flat_map(|scan| scope::stages(scan)).collect();
        for scan in scans {
            coverage.extend(scope::broken(scan, &self.results.coverage(actor, scan.id).await?));
        }
        Ok(coverage)
    }
}

/// The newest scan of each target: what an older one covered says nothing about today.
fn newest_per_target(scans: &[Scan]) -> Vec<&Scan> {
    let mut newest: BTreeMap<TargetId, &Scan> = BTreeMap::new();
    for scan in scans {
        let kept = newest.entry(scan.target_id).or_insert(scan);
        if scan.id > kept.id {
            *kept = scan;
        }
    }
    newest.into_values().collect()
}

/// From the first run to the last; without runs, from the first sight of a finding to now.
fn period(runs: &[snapshot::Run], findings: &[snapshot::Finding], now: Time) -> Period {
    let moments = || runs.iter().flat_map(|run| [run.started_at, run.finished_at]).flatten();
    let from = moments().min().or_else(|| findings.iter().map(|finding| finding.first_seen).min());
    Period { from: from.unwrap_or(now), to: moments().max().unwrap_or(now) }
}

fn tools(scans: &[&Scan], findings: &[snapshot::Finding]) -> Vec<Tool> {
    let stages = scans.iter().flat_map(|scan| &scan.stages);
    let ran = stages.filter(|stage| stage.started_at.is_some());
    let mut tools: BTreeSet<Tool> = ran.map(|stage| Tool { name: stage.tool.clone(), version: stage.tool_version.clone() }).collect();
    for source in findings.iter().flat_map(|finding| &finding.sources) {
        if !tools.iter().any(|tool| tool.name == *source) {
            tools.insert(Tool { name: source.clone(), version: None });
        }
    }
    tools.into_iter().collect()
}
