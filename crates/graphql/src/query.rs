//! What can be asked. Every field answers with the permissions of whoever asks; what belongs to others does not exist.

use async_graphql::{Context, ID, Object, Result};
use base::Kind;
use results::{Period, Sort};

use crate::loaders::Asking;
use crate::model::{
    ClusterNode, ClusterPage, Cursor, FindingFilter, FindingNode, FindingPage, FindingSort, ScanFilter, ScanNode, ScanPage, TargetFilter,
    TargetNode, TargetPage, TrendsNode, cost, id, listed, nothing, page, span, taken, wanted,
};
use crate::{Services, errors};

pub(crate) fn services<'a>(context: &'a Context<'_>) -> Result<&'a Services> {
    context.data()
}

pub(crate) fn asking<'a>(context: &'a Context<'_>) -> Result<&'a Asking> {
    context.data()
}

/// What does not exist is `null`; everything else that goes wrong is an error.
fn perhaps<T, N: From<T>>(found: base::Result<T>) -> Result<Option<N>> {
    match found {
        Ok(found) => Ok(Some(found.into())),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(errors::field(&error)),
    }
}

/// The questions.
pub struct Query;

#[Object]
impl Query {
    /// One target.
    async fn target(&self, context: &Context<'_>, #[graphql(name = "id")] given: ID) -> Result<Option<TargetNode>> {
        let Some(id) = id(&given) else { return Ok(None) };
        perhaps(services(context)?.targets.get(&asking(context)?.actor, id).await)
    }

    /// Targets, newest first.
    #[graphql(complexity = "cost(1, first, child_complexity)")]
    async fn targets(
        &self,
        context: &Context<'_>,
        filter: Option<TargetFilter>,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<TargetPage> {
        let Some(filter) = filter.unwrap_or_default().build() else { return Ok(nothing()) };
        listed(services(context)?.targets.list(&asking(context)?.actor, filter, page(first, after)).await)
    }

    /// One scan.
    async fn scan(&self, context: &Context<'_>, #[graphql(name = "id")] given: ID) -> Result<Option<ScanNode>> {
        let Some(id) = id(&given) else { return Ok(None) };
        perhaps(services(context)?.scans.get(&asking(context)?.actor, id).await)
    }

    /// Scans, newest first.
    #[graphql(complexity = "cost(1, first, child_complexity)")]
    async fn scans(
        &self,
        context: &Context<'_>,
        filter: Option<ScanFilter>,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<ScanPage> {
        let Some(filter) = filter.unwrap_or_default().build() else { return Ok(nothing()) };
        listed(services(context)?.scans.list(&asking(context)?.actor, filter, page(first, after)).await)
    }

    /// One finding.
    async fn finding(&self, context: &Context<'_>, #[graphql(name = "id")] given: ID) -> Result<Option<FindingNode>> {
        let Some(id) = id(&given) else { return Ok(None) };
        let found = services(context)?.results.finding(&asking(context)?.actor, id).await;
        perhaps(found.map(|detail| detail.finding))
    }

    /// Findings, gravest first unless said otherwise.
    #[graphql(complexity = "cost(1, first, child_complexity)")]
    async fn findings(
        &self,
        context: &Context<'_>,
        filter: Option<FindingFilter>,
        #[graphql(default)] sort: FindingSort,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<FindingPage> {
        let Some(filter) = filter.unwrap_or_default().build() else { return Ok(nothing()) };
        listed(services(context)?.results.findings(&asking(context)?.actor, &filter, Sort::from(sort), &page(first, after)).await)
    }

    /// One cluster: findings of several tools about the same weakness.
    async fn cluster(&self, context: &Context<'_>, #[graphql(name = "id")] given: ID) -> Result<Option<ClusterNode>> {
        let found = asking(context)?.clusters.load_one(given.0).await.map_err(|error| errors::field(&error))?;
        Ok(found.map(Into::into))
    }

    /// Clusters of at least two findings, by id.
    #[graphql(complexity = "cost(1, first, child_complexity)")]
    async fn clusters(&self, context: &Context<'_>, first: Option<i32>, after: Option<Cursor>) -> Result<ClusterPage> {
        listed(services(context)?.results.clusters(&asking(context)?.actor, &page(first, after)).await)
    }

    /// What stands, how fast it goes away, and where it comes from; of one target, or of all. `days` is 90 when not given, and at most 366.
    #[graphql(complexity = "span(days) + child_complexity")]
    async fn trends(&self, context: &Context<'_>, target: Option<ID>, days: Option<i32>) -> Result<Option<TrendsNode>> {
        let Some(target) = wanted(target) else { return Ok(None) };
        let period = Period { target, unit: None, days: days.map(taken) };
        perhaps(services(context)?.results.analytics(&asking(context)?.actor, &period).await)
    }
}
