//! What people say about clusters: that two are one, and that a finding may be placed automatically again.

use audit::Change;
use base::{Actor, Result};
use serde_json::json;

use super::{Groups, automatic, names};
use crate::model::{ClusterJoin, Finding, FindingId, check_reason};
use crate::service::Results;
use crate::store::links;
use crate::{actions, errors, store};

impl Results {
    /// Makes one cluster of two, for findings yet to come too.
    ///
    /// # Errors
    /// `NotFound` for either; `Invalid` for a bad reason or a cluster joined with itself; `Forbidden`.
    pub async fn join_clusters(&self, actor: &Actor, name: &str, join: ClusterJoin) -> Result<Vec<Finding>> {
        check_reason(&join.reason)?;
        if name == join.into {
            return Err(errors::same_cluster());
        }
        let mut change = Change::begin(&self.backends, actor, actions::CLUSTER).await?;
        let reason = links::reason_of(&mut change, &join.into).await?.ok_or_else(errors::cluster_not_found)?;
        let moved = links::join(&mut change, name, &join.into, &reason).await?;
        if moved == 0 {
            return Err(errors::cluster_not_found());
        }
        change.subject("cluster", name);
        change.reason(join.reason.trim());
        change.detail(json!({ "into": join.into, "findings": moved }));
        change.commit().await?;
        self.cluster(actor, &join.into).await
    }

    /// Takes back where a person put a finding: it goes where it belongs by itself.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`.
    pub async fn release_from_cluster(&self, actor: &Actor, id: FindingId) -> Result<Finding> {
        let mut change = Change::begin(&self.backends, actor, actions::CLUSTER).await?;
        let scope = change.scope();
        let one = links::one(&mut change, id).await?.ok_or_else(|| errors::finding_not_found(id))?;
        let groups = Groups::known(links::groups_now(&mut change, &names(&one.labels)).await?);
        let joins = links::joins_now(&mut change).await?;
        let cluster = automatic(&one, &groups, &joins);
        links::release(&mut change, id, cluster.as_ref()).await?;
        change.subject("finding", id);
        change.detail(json!({ "cluster": cluster.map(|(name, _)| name), "by_hand": false }));
        let now = change.now();
        change.commit().await?;
        store::findings::get(&self.backends.db, &scope, now, id).await?.ok_or_else(|| errors::finding_not_found(id))
    }
}
