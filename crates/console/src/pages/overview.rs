//! The first page: where things stand and what to do next.

use askama::Template;
use axum::extract::State;
use results::{Counts, Filter, Finding, Sort};
use scans::Scan;

use super::{Shown, findings, first, readable, walk};
use crate::Shared;
use crate::chart::{self, Piece};
use crate::fields::Fields;
use crate::page::{Frame, show as render};
use crate::request::Viewer;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    steps: Vec<Step>,
    counts: Option<Counts>,
    ring: Vec<Piece>,
    total: u64,
    running: Vec<Scan>,
    /// What is open, the highest risk first.
    gravest: Option<Vec<Finding>>,
    /// What links to those carry.
    walk: String,
}

/// One step of the way from nothing to a report.
struct Step {
    name: &'static str,
    link: &'static str,
    is_done: bool,
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let actor = &viewer.actor;
    let counts = readable(services.results.summary(actor, &Filter::default()).await)?;
    let open = Filter { status: vec!["open".to_owned(), "not_retested".to_owned()], ..Filter::default() };
    let gravest = readable(services.results.findings(actor, &open, Sort::Risk, &first(8)).await)?;
    let scans = readable(services.scans.list(actor, scans::Filter::default(), first(20)).await)?.map(|page| page.items).unwrap_or_default();
    let targets = readable(services.targets.list(actor, targets::Filter::default(), first(1)).await)?;
    let granted = readable(services.targets.authorizations(actor, None, first(20)).await)?;
    let reports = readable(services.reports.list(actor, first(1)).await)?;

    let is_decided = counts.as_ref().is_some_and(|counts| {
        let by = &counts.by_status;
        by.accepted + by.out_of_scope + by.mitigated + by.false_positive + by.fixed > 0
    });
    let step = |name, link, is_done| Step { name, link, is_done };
    let mut steps = vec![
        step("target", "/targets/new", targets.is_none_or(|page| !page.items.is_empty())),
        step("authorize", "/targets", granted.is_none_or(|page| page.items.iter().any(|granted| granted.is_active(viewer.now)))),
        step("scan", "/scans/new", !scans.is_empty()),
        step("decide", "/findings", is_decided),
        step("report", "/reports", reports.is_none_or(|page| !page.items.is_empty())),
    ];
    if steps.iter().all(|step| step.is_done) {
        steps.clear();
    }
    let running = scans.into_iter().filter(|scan| !scan.state.is_final()).collect();
    render(&OverviewPage {
        ring: counts.as_ref().map(|counts| chart::ring(&counts.by_severity)).unwrap_or_default(),
        total: counts.as_ref().map_or(0, |counts| chart::total(&counts.by_severity)),
        steps,
        counts,
        running,
        gravest: gravest.map(|page| page.items),
        walk: walk::through(&Fields::parse(findings::address(&open).as_bytes())),
        frame: viewer.frame,
    })
}

/// The counts with the words of their statuses.
fn statuses(counts: &Counts) -> [(&'static str, u64); 7] {
    let by = &counts.by_status;
    [
        ("open", by.open),
        ("not_retested", by.not_retested),
        ("accepted", by.accepted),
        ("out_of_scope", by.out_of_scope),
        ("mitigated", by.mitigated),
        ("false_positive", by.false_positive),
        ("fixed", by.fixed),
    ]
}
