//! Clusters, and putting findings into or out of them by hand.

use audit::Change;
use base::{Actor, Page, PageRequest, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{Cluster, ClusterMove, Finding, FindingId, check_reason};
use crate::service::Results;
use crate::{actions, errors, store};

/// Members of one cluster that are shown.
const MEMBERS: u32 = 500;
/// Clusters asked for together, and members of each.
const NAMES: usize = 500;
const EACH: u32 = 50;

#[derive(Serialize, Deserialize)]
struct After(String);

impl Results {
    /// Clusters of at least two findings, by name.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a foreign cursor.
    pub async fn clusters(&self, actor: &Actor, page: &PageRequest) -> Result<Page<Cluster>> {
        let scope = actor.scope(actions::SURVEY)?;
        let rows = page.rows()?;
        let after: Option<After> = page.after()?;
        let clusters = store::clusters::list(&self.backends.db, &scope, after.map(|after| after.0), rows).await?;
        Page::cut(clusters, rows, |cluster| After(cluster.id.clone()))
    }

    /// The findings of a cluster.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn cluster(&self, actor: &Actor, name: &str) -> Result<Vec<Finding>> {
        let scope = actor.scope(actions::SURVEY)?;
        let members = store::clusters::members(&self.backends.db, &scope, self.backends.clock.now(), name, MEMBERS).await?;
        if members.is_empty() { Err(errors::cluster_not_found()) } else { Ok(members) }
    }

    /// The clusters of these names, of one member too, in one statement; at most five hundred names.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn clusters_of(&self, actor: &Actor, names: &[String]) -> Result<Vec<Cluster>> {
        let scope = actor.scope(actions::SURVEY)?;
        match names.get(..names.len().min(NAMES)) {
            Some(names) if !names.is_empty() => store::clusters::of_names(&self.backends.db, &scope, names).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The first members of each of these clusters, in one statement; at most five hundred names, fifty members of each.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn cluster_members(&self, actor: &Actor, names: &[String], each: u32) -> Result<Vec<Finding>> {
        let scope = actor.scope(actions::SURVEY)?;
        let now = self.backends.clock.now();
        match names.get(..names.len().min(NAMES)) {
            Some(names) if !names.is_empty() => store::clusters::members_of(&self.backends.db, &scope, now, names, each.min(EACH)).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Puts a finding into the cluster of another one, or into one of its own. Later runs leave it there.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a bad reason; `Forbidden`.
    pub async fn move_to_cluster(&self, actor: &Actor, id: FindingId, to: ClusterMove) -> Result<Finding> {
        check_reason(&to.reason)?;
        let mut change = Change::begin(&self.backends, actor, actions::CLUSTER).await?;
        let (name, reason) = match to.join {
            // A name no importer gives: the finding's own id.
            None => (id.to_string(), format!("split by hand: {}", to.reason.trim())),
            Some(other) => {
                let found = store::clusters::of_finding(&mut change, other).await?.ok_or_else(|| errors::finding_not_found(other))?;
                let (name, _) = found.unwrap_or_else(|| (other.to_string(), String::new()));
                let reason = format!("joined by hand: {}", to.reason.trim());
                store::clusters::put(&mut change, other, &name, &reason).await?;
                (name, reason)
            }
        };
        if !store::clusters::put(&mut change, id, &name, &reason).await? {
            return Err(errors::finding_not_found(id));
        }
        change.subject("finding", id);
        change.reason(to.reason.trim());
        change.detail(json!({ "cluster": name, "join": to.join }));
        let (scope, now) = (change.scope(), change.now());
        change.commit().await?;
        store::findings::get(&self.backends.db, &scope, now, id).await?.ok_or_else(|| errors::finding_not_found(id))
    }
}
