//! The verbs of this context: look for, say what can be looked for, carry over, make anew.

use std::collections::HashMap;

use audit::{Audit, Change};
use backends::{Backends, COUNTED, Inquiry, Position};
use base::{Actor, Cursor, PageRequest, Result, Scope, Unit};
use query::{Expression, Portion, Schema, Sort};
use results::Results;
use scans::Scans;
use serde_json::json;
use targets::Targets;

use crate::index::IndexName;
use crate::jobs::RebuildIndex;
use crate::model::{Answer, Hit, IndexState, NewRebuild, Question};
use crate::{actions, errors, feed, rebuild, store};

/// Search.
#[derive(Clone)]
pub struct Search {
    pub(crate) backends: Backends,
    pub(crate) audit: Audit,
    pub(crate) targets: Targets,
    pub(crate) scans: Scans,
    pub(crate) results: Results,
}

impl Search {
    /// The service over these backends and contexts.
    #[must_use]
    pub fn new(backends: &Backends, audit: &Audit, targets: &Targets, scans: &Scans, results: &Results) -> Self {
        let (backends, audit, targets) = (backends.clone(), audit.clone(), targets.clone());
        Self { backends, audit, targets, scans: scans.clone(), results: results.clone() }
    }

    /// Starts the loop that carries changes over; every process of the role may run one.
    pub fn start(&self) {
        self.backends.tasks.spawn("search.feed", feed::forever(self.clone()));
    }

    /// Carries over what waits now; returns how many changes that were.
    ///
    /// # Errors
    /// `Unavailable` when the index is down; what waits goes on waiting.
    pub async fn catch_up(&self) -> Result<u64> {
        feed::all(self).await
    }

    /// Looks for things of the actor's organisation. What a hit shows is as the database has it now; a thing removed since is not among the hits.
    ///
    /// # Errors
    /// `Forbidden` without the permission for the index, `Invalid` naming the character of the query, `Unavailable` while the index is down.
    pub async fn find(&self, actor: &Actor, question: &Question) -> Result<Answer> {
        let scope = actor.scope(question.index.action())?;
        let tenant = scope.tenant().to_string();
        let schema = question.index.schema();
        let page = PageRequest { cursor: question.cursor.clone(), limit: question.limit };
        let limit = page.rows()?;
        let expression = query::parse(&question.q, schema, self.backends.clock.now().micros()).map_err(|cause| errors::query(&cause))?;
        let expression = within(&scope, schema, expression);
        let sort = Sort::parse(&question.sort, schema).map_err(|cause| errors::sort(&cause))?;
        let after: Option<Position> = page.after()?;
        if after.as_ref().is_some_and(|position| !sort.fits(position.key.as_ref())) {
            return Err(errors::cursor());
        }
        let inquiry = Inquiry { tenant: &tenant, expression: &expression, sort, after: after.as_ref(), limit };
        let found = self.backends.search.find(schema, &inquiry).await?;
        let next_cursor = match found.hits.last() {
            Some(last) if found.hits.len() >= limit as usize => Some(Cursor::encode(last)?),
            _ => None,
        };
        let ids: Vec<String> = found.hits.into_iter().map(|hit| hit.id).collect();
        let cards = question.index.cards(self, Portion::These(&ids)).await?;
        // The index says which; the database has the last word about whose.
        let unit = |path: &Option<String>| path.as_ref().and_then(|path| path.parse::<Unit>().ok());
        let own = cards.into_iter().filter(|card| card.document.tenant == tenant && scope.holds(unit(&card.unit).as_ref()));
        let shown = own.map(|card| {
            let voice = results::Voice::in_index(&card.document);
            (card.document.id, (card.shown, voice))
        });
        let mut shown: HashMap<String, _> = shown.collect();
        let items = ids.into_iter().filter_map(|id| shown.remove(&id).map(|(fields, voice)| Hit { id, fields, voice })).collect();
        let total = i64::try_from(found.total).unwrap_or(i64::MAX);
        Ok(Answer { items, next_cursor, total, total_is_exact: found.total < COUNTED })
    }

    /// The indices the actor may search, with their fields.
    ///
    /// # Errors
    /// The database's; an index that is down is told as not ready.
    pub async fn indices(&self, actor: &Actor) -> Result<Vec<IndexState>> {
        let mut states = Vec::new();
        for index in IndexName::ALL.iter().copied().filter(|index| actor.may(index.action())) {
            let schema = index.schema();
            states.push(IndexState {
                name: index,
                ready: self.backends.search.live(schema).await.is_ok_and(|live| live.is_some()),
                pending: store::waiting(&self.backends.db, index).await?,
                sort: schema.sort,
                fields: schema.fields.iter().map(Into::into).collect(),
            });
        }
        Ok(states)
    }

    /// Asks for indices to be made anew from the database; they go on answering meanwhile.
    ///
    /// # Errors
    /// `Forbidden` without the permission, else the database's.
    pub async fn rebuild(&self, actor: &Actor, new: &NewRebuild) -> Result<Vec<IndexName>> {
        let wanted = IndexName::ALL.iter().copied().filter(|index| new.index.is_none_or(|wanted| wanted == *index));
        let wanted: Vec<IndexName> = wanted.collect();
        for index in &wanted {
            self.ask_for(actor, *index).await?;
        }
        Ok(wanted)
    }

    /// Makes one index anew, now.
    ///
    /// # Errors
    /// `Unavailable` when the index is down, else the database's.
    pub async fn rebuild_now(&self, index: IndexName) -> Result<u64> {
        rebuild::run(self, index, None).await
    }

    /// Makes what is missing and carries over what waits, now: for a process that answers one question and ends.
    ///
    /// # Errors
    /// As [`Search::rebuild_now`].
    pub async fn prepare(&self) -> Result<()> {
        for index in IndexName::ALL.iter().copied() {
            if self.backends.search.live(index.schema()).await?.is_none() {
                self.rebuild_now(index).await?;
            }
        }
        self.catch_up().await.map(drop)
    }

    /// Queues the making of an index, once however often it is asked for.
    async fn ask_for(&self, actor: &Actor, index: IndexName) -> Result<()> {
        let name = index.schema().name;
        let mut change = Change::begin(&self.backends, actor, actions::REBUILD).await?;
        let now = change.now();
        change.enqueue_at(&RebuildIndex { index }, now, Some(name)).await?;
        change.subject("search_index", name);
        change.detail(json!({ "index": name }));
        change.commit().await
    }
}

/// The same, of the business units of the scope only; every thing is indexed under its unit and those that one lies in.
fn within(scope: &Scope, schema: &'static Schema, expression: Expression) -> Expression {
    if scope.units().is_empty() {
        return expression;
    }
    Expression::And(vec![expression, Expression::one_of(schema.field("unit"), scope.units().iter().map(Unit::as_str))])
}
