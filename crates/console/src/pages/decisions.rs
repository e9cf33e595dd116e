//! Decisions over all findings: those that wait for a second person, and rules that hold for findings to come.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use base::PageRequest;
use results::{Cluster, Decision, DecisionKind, DecisionScope, DecisionState, Finding, FindingId, NewDecision};

use super::{Shown, done, page_of, walk};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer, correctable};
use crate::{Services, Shared};

const SHOWN: &str = "waiting rules all";

#[derive(Template)]
#[template(path = "decisions/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    decisions: Vec<Decision>,
    /// The findings they were made from, where the viewer may see them.
    findings: HashMap<FindingId, Finding>,
    show: &'static str,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "clusters/list.html")]
struct ClustersPage {
    frame: Frame,
    clusters: Vec<Cluster>,
    next: Option<String>,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    listed(&services, viewer, Form::default(), http::StatusCode::OK).await
}

async fn listed(services: &Services, mut viewer: Viewer, form: Form, status: http::StatusCode) -> Shown {
    let query = viewer.query.clone();
    let show = SHOWN.split(' ').find(|word| *word == query.get("show")).unwrap_or("waiting");
    let page = page_of(&query);
    let page = match show {
        "waiting" => services.results.decisions(&viewer.actor, Some(DecisionState::Proposed), None, &page).await?,
        "rules" => rules(services, &viewer, &page).await?,
        _ => services.results.decisions(&viewer.actor, None, None, &page).await?,
    };
    let about: Vec<FindingId> = page.items.iter().filter_map(|decision| decision.finding_id).collect();
    let findings = services.results.named(&viewer.actor, &about).await?;
    viewer.frame.path = "/decisions".to_owned();
    let next = query.next("/decisions", page.next_cursor);
    show_as(status, &ListPage { frame: viewer.frame, form, decisions: page.items, findings, show, next })
}

/// Rules in force: the wider ones on the first page, before those of one asset.
async fn rules(services: &Services, viewer: &Viewer, page: &PageRequest) -> base::Result<base::Page<Decision>> {
    let state = Some(DecisionState::InForce);
    let mut narrow = services.results.decisions(&viewer.actor, state, Some(DecisionScope::RuleOnAsset), page).await?;
    if page.cursor.is_none() {
        let wide = services.results.decisions(&viewer.actor, state, Some(DecisionScope::Rule), &super::first(500)).await?;
        narrow.items.splice(0..0, wide.items);
    }
    narrow.items.retain(|decision| decision.kind != DecisionKind::Reopen);
    Ok(narrow)
}

/// The finding a decision was made from.
fn about<'f>(decision: &Decision, findings: &'f HashMap<FindingId, Finding>) -> Option<&'f Finding> {
    findings.get(&decision.finding_id?)
}

/// Whether a rule can be taken back here.
fn is_rule(decision: &Decision) -> bool {
    decision.state == DecisionState::InForce && decision.scope != DecisionScope::Finding && decision.kind != DecisionKind::Reopen
}

pub(crate) async fn answer(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Decision>, fields: Fields) -> Shown {
    let approve = fields.get("approve") == "true";
    match services.results.approve(&viewer.actor, id, approve).await {
        Ok(finding) => Ok(done(&walk::here(&viewer, finding.id), if approve { "approved" } else { "rejected" })),
        Err(error) => {
            let error = correctable(error)?;
            let status = crate::failure::status(error.kind());
            let form = Form::refused(Fields::default(), None, viewer.error(&error));
            listed(&services, viewer, form, status).await
        }
    }
}

/// Takes a rule back by way of the finding it was made from.
pub(crate) async fn withdraw(
    State(services): State<Shared>,
    viewer: Viewer,
    Named(finding): Named<results::Finding>,
    fields: Fields,
) -> Shown {
    let scope = fields.word("scope")?.unwrap_or(DecisionScope::Rule);
    let new = NewDecision { kind: DecisionKind::Reopen, reason: fields.get("reason").to_owned(), valid_until: None, scope };
    match services.results.decide(&viewer.actor, finding, new).await {
        Ok(_) => Ok(done("/decisions", "rule_withdrawn")),
        Err(error) => {
            let error = correctable(error)?;
            let status = crate::failure::status(error.kind());
            let form = Form::refused(Fields::default(), None, viewer.error(&error));
            listed(&services, viewer, form, status).await
        }
    }
}

pub(crate) async fn clusters(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let page = services.results.clusters(&viewer.actor, &page_of(&viewer.query)).await?;
    let next = viewer.query.next("/clusters", page.next_cursor);
    render(&ClustersPage { frame: viewer.frame, clusters: page.items, next })
}
