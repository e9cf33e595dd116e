//! Clusters, and what a finding has to do with one.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use results::{Cluster, ClusterRef};

use super::{FindingNode, PageEnd, SeverityWord, cost};
use crate::errors;
use crate::query::asking;

/// Findings of several tools, or at several places, about the same weakness.
#[derive(SimpleObject)]
#[graphql(name = "Cluster", complex)]
pub(crate) struct ClusterNode {
    /// Its id; give it as `cluster` in a filter to page through its members.
    id: String,
    /// What its members have in common.
    reason: String,
    /// Findings in it.
    members: u64,
    /// Tools that found them.
    sources: u64,
    /// Members that count as being there.
    standing: u64,
    /// The gravest member's severity.
    severity: SeverityWord,
}

impl From<Cluster> for ClusterNode {
    fn from(cluster: Cluster) -> Self {
        Self {
            id: cluster.id,
            reason: cluster.reason,
            members: cluster.members,
            sources: cluster.sources,
            standing: cluster.standing,
            severity: cluster.severity.into(),
        }
    }
}

#[ComplexObject]
impl ClusterNode {
    /// Its first members, the one known longest first; at most fifty.
    #[graphql(complexity = "cost(1, Some(first.unwrap_or(50).min(50)), child_complexity)")]
    async fn findings(&self, context: &Context<'_>, first: Option<i32>) -> Result<Vec<FindingNode>> {
        let found = asking(context)?.members.load_one(self.id.clone()).await.map_err(|error| errors::field(&error))?;
        let most = usize::try_from(first.unwrap_or(50)).unwrap_or(1).max(1);
        Ok(found.unwrap_or_default().into_iter().take(most).map(Into::into).collect())
    }
}

/// What a finding shares with findings of other tools about the same weakness.
#[derive(SimpleObject)]
#[graphql(name = "ClusterMembership", complex)]
pub(crate) struct MembershipNode {
    /// Id of the cluster.
    id: String,
    /// What its members have in common.
    reason: String,
    /// Whether a person put the finding there.
    by_hand: bool,
}

impl From<ClusterRef> for MembershipNode {
    fn from(of: ClusterRef) -> Self {
        Self { id: of.id, reason: of.reason, by_hand: of.by_hand }
    }
}

#[ComplexObject]
impl MembershipNode {
    /// The cluster itself.
    async fn cluster(&self, context: &Context<'_>) -> Result<Option<ClusterNode>> {
        let found = asking(context)?.clusters.load_one(self.id.clone()).await.map_err(|error| errors::field(&error))?;
        Ok(found.map(Into::into))
    }
}

/// One page of clusters.
#[derive(SimpleObject)]
pub(crate) struct ClusterPage {
    /// The rows.
    nodes: Vec<ClusterNode>,
    /// Where the page ends.
    page_info: PageEnd,
}

impl From<base::Page<Cluster>> for ClusterPage {
    fn from(found: base::Page<Cluster>) -> Self {
        Self { nodes: found.items.into_iter().map(Into::into).collect(), page_info: PageEnd::of(found.next_cursor) }
    }
}
