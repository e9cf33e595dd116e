//! Targets.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Result, SimpleObject};
use results::{Filter, Sort};
use targets::Target;

use super::{Cursor, FindingFilter, FindingPage, FindingSort, Moment, PageEnd, ScanPage, cost, listed, nothing, page};
use crate::query::{asking, services};

/// What sort of thing a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "TargetType", remote = "targets::TargetKind")]
pub(crate) enum TypeWord {
    /// A web site or application.
    Web,
    /// A programming interface over HTTP.
    Api,
    /// One machine.
    Host,
    /// A range of addresses.
    Network,
    /// An app for phones.
    Mobile,
    /// Source code.
    Repository,
    /// A cloud account.
    Cloud,
}

/// How much depends on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Criticality", remote = "targets::Criticality")]
pub(crate) enum CriticalityWord {
    /// Little.
    Low,
    /// Something.
    Medium,
    /// Much.
    High,
    /// Everything.
    Critical,
}

/// Which targets.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "TargetFilter")]
pub(crate) struct TargetFilter {
    /// Name or address contains this.
    q: Option<String>,
    /// Of this type.
    r#type: Option<TypeWord>,
    /// With this label.
    tag: Option<String>,
    /// Of this business unit and those within it, such as `retail/payments`.
    unit: Option<String>,
    /// Of this criticality.
    criticality: Option<CriticalityWord>,
}

impl TargetFilter {
    /// The filter; none when it names something that cannot exist.
    pub(crate) fn build(self) -> Option<targets::Filter> {
        let (kind, criticality) = (self.r#type.map(Into::into), self.criticality.map(Into::into));
        let unit = self.unit.map(|path| path.parse()).transpose().ok()?;
        Some(targets::Filter { q: self.q, kind, tag: self.tag, unit, criticality }).filter(targets::Filter::is_possible)
    }
}

/// Something the organisation owns and wants tested.
#[derive(SimpleObject)]
#[graphql(name = "Target", complex)]
pub(crate) struct TargetNode {
    /// Its id.
    id: ID,
    /// What people call it.
    name: String,
    /// What sort of thing it is.
    r#type: TypeWord,
    /// Where it is.
    address: Option<String>,
    /// Free text.
    description: String,
    /// Labels.
    tags: Vec<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// Where it runs.
    environment: Option<String>,
    /// The business unit it belongs to.
    unit: Option<String>,
    /// How much depends on it.
    criticality: CriticalityWord,
    /// When it was recorded.
    created_at: Moment,
    /// When it was last changed.
    updated_at: Moment,
    #[graphql(skip)]
    own: targets::TargetId,
}

impl From<Target> for TargetNode {
    fn from(target: Target) -> Self {
        Self {
            id: target.id.to_string().into(),
            name: target.name,
            r#type: target.kind.into(),
            address: target.address,
            description: target.description,
            tags: target.tags,
            owner: target.owner,
            environment: target.environment,
            unit: target.unit.map(String::from),
            criticality: target.criticality.into(),
            created_at: Moment(target.created_at),
            updated_at: Moment(target.updated_at),
            own: target.id,
        }
    }
}

#[ComplexObject]
impl TargetNode {
    /// Its findings. Every target asked this way costs a question of its own.
    #[graphql(complexity = "cost(10, first, child_complexity)")]
    async fn findings(
        &self,
        context: &Context<'_>,
        filter: Option<FindingFilter>,
        #[graphql(default)] sort: FindingSort,
        first: Option<i32>,
        after: Option<Cursor>,
    ) -> Result<FindingPage> {
        let Some(filter) = filter.unwrap_or_default().build() else { return Ok(nothing()) };
        let filter = Filter { target: Some(self.own), ..filter };
        listed(services(context)?.results.findings(&asking(context)?.actor, &filter, Sort::from(sort), &page(first, after)).await)
    }

    /// Its scans, newest first. Every target asked this way costs a question of its own.
    #[graphql(complexity = "cost(10, first, child_complexity)")]
    async fn scans(&self, context: &Context<'_>, first: Option<i32>, after: Option<Cursor>) -> Result<ScanPage> {
        let filter = scans::Filter { target_id: Some(self.own), ..scans::Filter::default() };
        listed(services(context)?.scans.list(&asking(context)?.actor, filter, page(first, after)).await)
    }
}

/// One page of targets.
#[derive(SimpleObject)]
pub(crate) struct TargetPage {
    /// The rows.
    nodes: Vec<TargetNode>,
    /// Where the page ends.
    page_info: PageEnd,
}

impl From<base::Page<Target>> for TargetPage {
    fn from(found: base::Page<Target>) -> Self {
        Self { nodes: found.items.into_iter().map(Into::into).collect(), page_info: PageEnd::of(found.next_cursor) }
    }
}
