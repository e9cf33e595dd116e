//! What findings have to do with each other: causes they share, ways they may open together, what repeats over time, and
//! whether past decisions tell anything about false positives.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use results::{
    AttackPaths, CauseFilter, CauseKind, FalsePositiveLearning, Finding, FindingId, Pattern, PatternFilter, RootCause, RootCauses,
};
use targets::Target;

use super::{Shown, first, readable};
use crate::Shared;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render};
use crate::request::Viewer;

const KINDS: &str = "package image configuration asset";
const PERIODS: &str = "30 90 180 365";
/// What a word that is looked for may have at most.
const LONGEST: usize = 256;
/// Findings named beside a cause.
const EXAMPLES: usize = 3;

#[derive(Template)]
#[template(path = "insight/causes.html")]
struct CausesPage {
    frame: Frame,
    form: Form,
    targets: Vec<Target>,
    found: RootCauses,
    /// The gravest findings of each.
    examples: HashMap<FindingId, Finding>,
}

#[derive(Template)]
#[template(path = "insight/paths.html")]
struct PathsPage {
    frame: Frame,
    found: AttackPaths,
}

#[derive(Template)]
#[template(path = "insight/patterns.html")]
struct PatternsPage {
    frame: Frame,
    form: Form,
    patterns: Vec<Pattern>,
}

#[derive(Template)]
#[template(path = "insight/estimates.html")]
struct EstimatesPage {
    frame: Frame,
    learning: FalsePositiveLearning,
}

pub(crate) async fn causes(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let kind = KINDS.split(' ').find(|kind| *kind == viewer.query.get("kind"));
    let filter = CauseFilter { target: viewer.query.word("target")?, kind: kind.map(str::to_owned) };
    let found = Box::pin(services.results.causes(&viewer.actor, &filter)).await?;
    let targets = readable(services.targets.list(&viewer.actor, targets::Filter::default(), first(500)).await)?;
    let form = Form::of(Fields::default().set("kind", kind.unwrap_or_default()).set("target", viewer.query.get("target")));
    let shown: Vec<FindingId> = found.causes.iter().flat_map(|cause| cause.examples.iter().take(EXAMPLES).copied()).collect();
    let examples = services.results.named(&viewer.actor, &shown).await?;
    render(&CausesPage { frame: viewer.frame, form, targets: targets.map(|page| page.items).unwrap_or_default(), found, examples })
}

/// The gravest severity among the findings of a cause.
fn gravest(cause: &RootCause) -> &'static str {
    let by = &cause.by_severity;
    let counted = [("critical", by.critical), ("high", by.high), ("medium", by.medium), ("low", by.low)];
    counted.into_iter().find(|(_, count)| *count > 0).map_or("info", |(word, _)| word)
}

/// The list that shows the findings of a cause, where words can ask for it.
fn list(cause: &RootCause) -> Option<String> {
    let is_asked = cause.kind != CauseKind::Image && cause.name.chars().count() <= LONGEST;
    let standing = || Fields::default().set("q", &cause.name).set("status", "open").set("status", "not_retested");
    is_asked.then(|| format!("/findings?{}", standing().query(&[])))
}

pub(crate) async fn paths(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let found = Box::pin(services.results.paths(&viewer.actor)).await?;
    render(&PathsPage { frame: viewer.frame, found })
}

pub(crate) async fn patterns(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let days = PERIODS.split(' ').find(|days| *days == viewer.query.get("days")).unwrap_or("90");
    let patterns = services.results.patterns(&viewer.actor, &PatternFilter { days: days.parse().ok() }).await?;
    render(&PatternsPage { frame: viewer.frame, form: Form::of(Fields::default().set("days", days)), patterns })
}

/// The list of findings of a rule.
fn of_rule(pattern: &Pattern) -> String {
    format!("/findings?{}", Fields::default().set("check", &pattern.check).set("source", &pattern.source).query(&[]))
}

pub(crate) async fn estimates(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let learning = services.results.false_positive_learning(&viewer.actor).await?;
    render(&EstimatesPage { frame: viewer.frame, learning })
}
