//! Links findings after they were taken in: by what all imports together know of the names of vulnerabilities, and by what people
//! joined. It moves findings between clusters and changes nothing else.

mod alias;
mod hand;

use std::collections::{BTreeSet, HashMap};

use audit::Change;
use base::{Actor, Result, Scope, Source};
use serde_json::json;

pub(crate) use alias::{Groups, is_single, names};

use crate::ingest::cluster_of;
use crate::jobs::{AssessFindings, RelinkNames};
use crate::model::{FindingId, ImportId};
use crate::service::Results;
use crate::store::links::{self, Linked};
use crate::{actions, store};

/// Findings linked at a time.
const PAGE: usize = 1000;
/// Names a job looks for.
const NAMES: usize = 50;

/// Where a finding belongs: the finding, the cluster, and why.
pub(crate) type Placement = (FindingId, String, String);

impl Results {
    /// Links the findings of an import; tells how many changed their cluster.
    ///
    /// # Errors
    /// The database's.
    pub async fn link(&self, actor: &Actor, import: ImportId) -> Result<usize> {
        let (system, scope) = self.linker(actor)?;
        let joins = links::joins(&self.backends.db, &scope).await?;
        let (mut after, mut moved) = (None, 0);
        loop {
            let page = links::of_import(&self.backends.db, &scope, import, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let mut wanted: BTreeSet<&str> = BTreeSet::new();
            page.iter().for_each(|one| wanted.extend(names(&one.labels)));
            let wanted: Vec<&str> = wanted.into_iter().collect();
            let learned = learn(&page, links::groups(&self.backends.db, &scope, &wanted).await?);
            let placements = place(&page, &learned, &joins);
            if !learned.changed().is_empty() || !placements.is_empty() {
                moved += self.keep(&system, import, &page, &wanted, &joins).await?;
            }
            if page.len() < PAGE {
                break;
            }
        }
        Ok(moved)
    }

    /// The same again in a change, where nobody else learns.
    async fn keep(
        &self,
        system: &Actor,
        import: ImportId,
        page: &[Linked],
        wanted: &[&str],
        joins: &HashMap<String, (String, String)>,
    ) -> Result<usize> {
        let mut change = Change::begin(&self.backends, system, actions::LINK).await?;
        change.lock(lock(system)).await?;
        let groups = learn(page, links::groups_now(&mut change, wanted).await?);
        let placements = place(page, &groups, joins);
        let changed = groups.changed();
        links::add_names(&mut change, &changed).await?;
        links::put(&mut change, &placements).await?;
        for some in groups.outdated().chunks(NAMES) {
            change.enqueue(&RelinkNames { names: some.to_vec() }).await?;
        }
        let told: BTreeSet<&str> = changed.iter().map(|(name, _)| *name).collect();
        assess_again(&mut change, page, |one| names(&one.labels).iter().any(|name| told.contains(name))).await?;
        change.subject("import", import);
        change.detail(json!({ "linked": placements.len(), "names": changed.len() }));
        change.commit().await?;
        Ok(placements.len())
    }

    /// Links findings of before again, because some of these names turned out to mean what others mean.
    ///
    /// # Errors
    /// The database's.
    pub async fn relink(&self, actor: &Actor, wanted: &[String]) -> Result<usize> {
        let (system, scope) = self.linker(actor)?;
        let joins = links::joins(&self.backends.db, &scope).await?;
        let (mut after, mut moved) = (None, 0);
        loop {
            let page = links::with_names(&self.backends.db, &scope, wanted, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let mut all: BTreeSet<&str> = BTreeSet::new();
            page.iter().for_each(|one| all.extend(names(&one.labels)));
            let all: Vec<&str> = all.into_iter().collect();
            let groups = Groups::known(links::groups(&self.backends.db, &scope, &all).await?);
            let placements = place(&page, &groups, &joins);
            if !placements.is_empty() {
                let mut change = Change::begin(&self.backends, &system, actions::LINK).await?;
                store::links::put(&mut change, &placements).await?;
                assess_again(&mut change, &page, |_| true).await?;
                change.subject("organisation", system.tenant);
                change.detail(json!({ "linked": placements.len() }));
                change.commit().await?;
                moved += placements.len();
            }
            if page.len() < PAGE {
                break;
            }
        }
        Ok(moved)
    }

    /// Whoever brought the import was allowed to; linking needs no more than that.
    fn linker(&self, actor: &Actor) -> Result<(Actor, Scope)> {
        let system = Actor { tenant: actor.tenant, origin: actor.origin.clone(), ..Actor::system(actor.tenant, Source::Job) };
        let scope = system.scope(actions::LINK)?;
        Ok((system, scope))
    }
}

/// What feeds say is looked up by CVE: findings without one may have come to one by their other names.
async fn assess_again(change: &mut Change, page: &[Linked], is_concerned: impl Fn(&Linked) -> bool) -> Result<()> {
    let nameless = page.iter().filter(|one| one.observation.cves.is_empty() && is_concerned(one));
    AssessFindings::enqueue(change, &nameless.map(|one| one.id).collect::<Vec<_>>()).await
}

fn learn(page: &[Linked], known: Vec<(String, String)>) -> Groups {
    let mut groups = Groups::known(known);
    for one in page.iter().filter(|one| one.observation.location.component.is_some()) {
        groups.tell(&names(&one.labels));
    }
    groups
}

/// Findings that belong elsewhere; those a person placed stay.
fn place(page: &[Linked], groups: &Groups, joins: &HashMap<String, (String, String)>) -> Vec<Placement> {
    let free = page.iter().filter(|one| !one.is_fixed);
    free.filter_map(|one| {
        automatic(one, groups, joins).filter(|(name, reason)| !one.is_in(name, reason)).map(|(name, why)| (one.id, name, why))
    })
    .collect()
}

/// The cluster of a finding that nobody placed by hand.
pub(crate) fn automatic(one: &Linked, groups: &Groups, joins: &HashMap<String, (String, String)>) -> Option<(String, String)> {
    let named = names(&one.labels);
    // Advisories and rules that are no names of one vulnerability still are the same in two tools.
    let other = one.observation.cves.iter().chain(&one.observation.aliases).min();
    let flaw = groups.flaw(&named).or_else(|| other.map(|name| crate::ingest::Flaw { name: name.clone(), also: Vec::new() }));
    let (name, reason) = cluster_of(&one.target, &one.service, &one.observation, flaw.as_ref())?;
    Some(joins.get(&name).cloned().unwrap_or((name, reason)))
}

/// One lock per tenant: two imports at once must not learn past each other.
fn lock(actor: &Actor) -> i64 {
    let mixed = actor.tenant.uuid().as_u128() ^ 0x616c_6961_7365_7300;
    (mixed as u64 ^ (mixed >> 64) as u64) as i64
}
