//! One finding: what it is, what proves it, how risky it is and why, what belongs to it, what people decided.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use base::{Error, Result, UserId};
use results::{
    ClusterMove, Decision, DecisionKind, DecisionScope, DecisionState, FalsePositiveReason, Filter, Finding, FindingDetail, FindingId,
    FindingNote, Happening, HappeningKind, NewDecision, NewNote, RiskFactor, Seen, Sort, Voice,
};
use targets::Target;

use super::walk::{self, Walk};
use super::{Shown, done, first, readable, refused};
use crate::catalogue::Speech;
use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared, errors};

const DECISIONS: &str = "false_positive accepted out_of_scope mitigated confirmed fixed";
pub(crate) const DECISIONS_AGAIN: &str = "false_positive accepted out_of_scope mitigated confirmed fixed reopen";
const SCOPES: &str = "finding rule_on_asset rule";
/// Notes shown.
const NOTES: u32 = 100;
/// Findings offered as being about the same weakness.
const OFFERED: usize = 12;

#[derive(Template)]
#[template(path = "findings/show.html")]
struct FindingPage {
    frame: Frame,
    /// The form of a decision.
    form: Form,
    /// The form that puts it into a cluster or out of it.
    cluster: Form,
    /// The form of a note.
    note: Form,
    detail: FindingDetail,
    notes: Vec<FindingNote>,
    /// Who reads: notes of one's own can be taken away.
    reader: Option<UserId>,
    target: Option<Target>,
    /// What might be the same weakness and is not yet said to be.
    offered: Vec<Finding>,
    choices: &'static str,
    /// The list it was reached from.
    walk: Option<Walk>,
    /// What forms take along, so that the way through the list goes on.
    carried: String,
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>) -> Shown {
    let page = looked_at(&services, viewer, id, Forms::default()).await?;
    render(&page)
}

/// The forms of the page, one of which may have been refused.
struct Forms {
    decision: Form,
    cluster: Form,
    note: Form,
}

impl Default for Forms {
    fn default() -> Self {
        Self { decision: Form::of(Fields::default().set("scope", "finding")), cluster: Form::default(), note: Form::default() }
    }
}

async fn looked_at(services: &Services, viewer: Viewer, id: FindingId, forms: Forms) -> Result<FindingPage, Failure> {
    let detail = services.results.finding(&viewer.actor, id).await?;
    let target = match detail.finding.target_id {
        // A removed target leaves its findings behind.
        Some(target) => readable(services.targets.get(&viewer.actor, target).await).ok().flatten(),
        None => None,
    };
    let choices = if detail.finding.decision.is_some() { DECISIONS_AGAIN } else { DECISIONS };
    let offered = offered(services, &viewer, &detail).await?;
    let notes = services.results.notes(&viewer.actor, id, &first(NOTES)).await?.items;
    let walk = Walk::of(services, &viewer, &detail.finding).await?;
    let carried = walk::carried(&viewer);
    let Forms { decision: form, cluster, note } = forms;
    Ok(FindingPage {
        frame: viewer.frame,
        form,
        cluster,
        note,
        detail,
        notes,
        reader: viewer.actor.user,
        target,
        offered,
        choices,
        walk,
        carried,
    })
}

/// Findings of the same vulnerability, else of the same weakness class on the same target.
async fn offered(services: &Services, viewer: &Viewer, detail: &FindingDetail) -> Result<Vec<Finding>> {
    let finding = &detail.finding;
    let filter = match (finding.cves.first(), finding.cwes.first()) {
        (Some(cve), _) => Filter { cve: Some(cve.clone()), ..Filter::default() },
        (None, Some(cwe)) => Filter { cwe: Some(*cwe), target: finding.target_id, ..Filter::default() },
        (None, None) => return Ok(Vec::new()),
    };
    let rows = u32::try_from(OFFERED + detail.cluster.len() + 1).unwrap_or(50).min(100);
    let found = services.results.findings(&viewer.actor, &filter, Sort::Severity, &first(rows)).await?;
    let is_known = |other: &Finding| other.id == finding.id || detail.cluster.iter().any(|member| member.id == other.id);
    Ok(found.items.into_iter().filter(|other| !is_known(other)).take(OFFERED).collect())
}

/// What the tool called it at one time; it may have been at another place then.
fn seen_title<'s>(frame: &Frame, finding: &Finding, seen: &'s Seen) -> Cow<'s, str> {
    frame.titled(&Voice::of(&finding.source, &finding.check, &seen.location), &seen.title)
}

/// What moved the risk, in the viewer's language.
fn because(frame: &Frame, factor: &RiskFactor) -> String {
    let Some(text) = frame.language.find(&format!("risk.{}", factor.key)) else { return factor.message.clone() };
    let value = |name: &str, value: &str| match name {
        "severity" => frame.word("severity", value),
        "due" => frame.date(value),
        _ => value.to_owned(),
    };
    factor.arguments.iter().fold(text.to_owned(), |text, (name, given)| text.replace(&format!("{{{name}}}"), &value(name, given)))
}

/// Points with their sign.
fn points(frame: &Frame, factor: &RiskFactor) -> String {
    let sign = if factor.points > 0.0 { "+" } else { "" };
    format!("{sign}{}", frame.decimal(&factor.points, 2))
}

/// How far the bar of a factor reaches from the middle, in hundredths of ten points, and on which side it begins.
fn bar(factor: &RiskFactor) -> (f64, f64) {
    let width = (factor.points.abs() * 10.0).min(100.0);
    (if factor.points < 0.0 { 100.0 - width } else { 100.0 }, width)
}

/// A share in percent.
pub(super) fn percent(frame: &Frame, share: &f64) -> String {
    let percent = share * 100.0;
    format!("{} %", frame.decimal(&percent, if (10.0..99.5).contains(&percent) { 0 } else { 2 }))
}

/// How far a reason moves an estimate, with its sign.
fn moves(frame: &Frame, reason: &FalsePositiveReason) -> String {
    let sign = if reason.weight > 0.0 { "+" } else { "" };
    format!("{sign}{}", frame.decimal(&reason.weight, 1))
}

/// The value of a reason in the viewer's language, where it is a word of ours.
fn clue(frame: &Frame, reason: &FalsePositiveReason) -> String {
    if reason.feature == "severity" { frame.word("severity", &reason.value) } else { reason.value.clone() }
}

/// The word for where a finding stands against its due moment.
fn due_standing(due: &results::DueDate) -> Option<&'static str> {
    due.standing.map(|standing| match standing {
        results::Standing::Within => "within",
        results::Standing::DueSoon => "due_soon",
        results::Standing::Breached => "breached",
    })
}

fn due_ground(due: &results::DueDate) -> &'static str {
    match due.ground {
        results::DueGround::Severity => "severity",
        results::DueGround::Criticality => "criticality",
        results::DueGround::Kev => "kev",
    }
}

fn listing(listing: &results::Listing) -> &'static str {
    match listing {
        results::Listing::NoVulnerability => "no_vulnerability",
        results::Listing::NeverChecked => "never_checked",
        results::Listing::NotListed => "not_listed",
        results::Listing::Listed => "listed",
    }
}

/// What is said of a turn; what was decided in the viewer's language.
fn remark<'n>(frame: &Frame, event: &Happening, note: &'n str) -> Cow<'n, str> {
    let is_decision = matches!(event.kind, HappeningKind::Proposed | HappeningKind::Decided | HappeningKind::Rejected);
    match note.split_once(": ") {
        Some((kind, rest)) if is_decision && kind.parse::<DecisionKind>().is_ok() => {
            format!("{}: {rest}", frame.word("decision", kind)).into()
        }
        _ => note.into(),
    }
}

/// Whether a decision waits for a second person.
pub(crate) fn waits(decision: &Decision) -> bool {
    decision.state == DecisionState::Proposed
}

pub(crate) async fn decide(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => {
            let waits = new.kind == DecisionKind::Accepted && services.results.policy(&viewer.actor).await?.four_eyes;
            services.results.decide(&viewer.actor, id, new).await.map(|_| waits)
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(waits) => Ok(done(&walk::here(&viewer, id), if waits { "proposed" } else { "decided" })),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            let page = looked_at(&services, viewer, id, Forms { decision: form, ..Forms::default() }).await?;
            show_as(status, &page)
        }
    }
}

fn built(fields: &Fields) -> Result<NewDecision> {
    Ok(NewDecision {
        kind: fields.word("kind")?.ok_or_else(|| errors::no_choice("kind"))?,
        reason: fields.get("reason").to_owned(),
        valid_until: fields.moment("valid_until")?,
        scope: fields.word("scope")?.unwrap_or(DecisionScope::Finding),
    })
}

pub(crate) async fn write_note(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    let new = NewNote { text: fields.get("text").to_owned() };
    match services.results.note(&viewer.actor, id, &new).await {
        Ok(_) => Ok(done(&walk::here(&viewer, id), "noted")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            let page = looked_at(&services, viewer, id, Forms { note: form, ..Forms::default() }).await?;
            show_as(status, &page)
        }
    }
}

pub(crate) async fn drop_note(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    services.results.drop_note(&viewer.actor, id, fields.get("note").parse()?).await?;
    Ok(done(&walk::here(&viewer, id), "note_dropped"))
}

pub(crate) async fn join(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    let other = other(&fields);
    moved(&services, viewer, id, fields, other.map(Some)).await
}

pub(crate) async fn split(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    moved(&services, viewer, id, fields, Ok(None)).await
}

async fn moved(services: &Services, viewer: Viewer, id: FindingId, fields: Fields, to: Result<Option<FindingId>>) -> Shown {
    let is_split = matches!(to, Ok(None));
    let outcome = match to {
        Ok(Some(other)) if other == id => Err(errors::no_finding()),
        Ok(join) => {
            let reason = fields.get("reason").to_owned();
            let moved = services.results.move_to_cluster(&viewer.actor, id, ClusterMove { join, reason }).await;
            // A finding that is not there is a mistake in the form, not in the address of this page.
            moved.map_err(|error| if error.kind() == base::Kind::NotFound { errors::no_finding() } else { error })
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done(&walk::here(&viewer, id), if is_split { "split" } else { "joined" })),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            // The same field of the decision's form is not at fault.
            let error = if error.field() == Some("/reason") { Error::at(error, "/cluster_reason") } else { error };
            let form = refused(&viewer, fields, error)?;
            let page = looked_at(services, viewer, id, Forms { cluster: form, ..Forms::default() }).await?;
            show_as(status, &page)
        }
    }
}

/// The finding that was chosen, or whose address or id was pasted.
fn other(fields: &Fields) -> Result<FindingId> {
    let typed = fields.get("other");
    let text = if typed.is_empty() { fields.get("join") } else { typed };
    let id = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    id.parse().map_err(|_| errors::no_finding())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_address_names_the_finding_at_its_end() {
        let id = "0199c0de-0000-7000-8000-000000000001";
        for text in [id.to_owned(), format!("https://tyrian.example/findings/{id}/?done=decided"), format!(" /findings/{id}#history ")] {
            assert_eq!(other(&Fields::default().set("other", text)).unwrap().to_string(), id);
        }
        assert_eq!(other(&Fields::default().set("join", id)).unwrap().to_string(), id);
        assert!(other(&Fields::default().set("other", "CVE-2021-44228")).is_err());
    }
}
