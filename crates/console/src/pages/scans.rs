//! Scans: list, start, watch, stop.

use askama::Template;
use axum::extract::State;
use base::Result;
use results::{CoverageRow, Filter as FindingFilter, Finding, Sort};
use scans::{ActivityKind, Filter, NewScan, ProfileName, Scan, ScanState};
use targets::{Authorization, Intrusiveness, Target, TargetId};

use super::{Shown, done, first, page_of, readable, refused, walk};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared};

const PROFILES: &str = "quick standard deep";
const STATES: &str = "queued running importing completed failed cancelled";

#[derive(Template)]
#[template(path = "scans/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    scans: Vec<Scan>,
    is_narrowed: bool,
    is_moving: bool,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "scans/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    targets: Vec<Target>,
    /// The target that was chosen, and what covers it or why nothing does.
    chosen: Option<(Target, std::result::Result<Authorization, String>)>,
}

#[derive(Template)]
#[template(path = "scans/show.html")]
struct ScanPage {
    frame: Frame,
    scan: Scan,
    findings: Option<Vec<Finding>>,
    untested: Vec<CoverageRow>,
    /// What links to its findings carry.
    walk: String,
    /// Words for the script that follows the scan.
    words: String,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let filter = Filter { target_id: query.word("target")?, state: query.word("state")? };
    let page = services.scans.list(&viewer.actor, filter, page_of(&query)).await?;
    render(&ListPage {
        frame: viewer.frame,
        is_moving: page.items.iter().any(|scan| !scan.state.is_final()),
        scans: page.items,
        is_narrowed: query.any(&["target", "state", "cursor"]),
        next: query.next("/scans", page.next_cursor),
        form: Form::of(query),
    })
}

pub(crate) async fn new(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let fields = Fields::default().set("target_id", viewer.query.get("target")).set("scan_type", "quick");
    let page = offered(&services, viewer, Form::of(fields)).await?;
    render(&page)
}

/// The form with every target, and what stands behind the chosen one.
async fn offered(services: &Services, viewer: Viewer, form: Form) -> Result<NewPage> {
    let actor = &viewer.actor;
    let mut targets = services.targets.list(actor, targets::Filter::default(), first(500)).await?.items;
    targets.retain(|target| target.endpoint().is_some());
    targets.sort_by_key(|target| target.name.to_lowercase());
    let chosen = match form.value("target_id").parse::<TargetId>() {
        Ok(id) => Some(covered(services, &viewer, id).await?),
        Err(_) => None,
    };
    Ok(NewPage { frame: viewer.frame, form, targets, chosen })
}

async fn covered(services: &Services, viewer: &Viewer, id: TargetId) -> Result<(Target, std::result::Result<Authorization, String>)> {
    let target = services.targets.get(&viewer.actor, id).await?;
    let granted = match services.targets.permit(&viewer.actor, id, Intrusiveness::Safe).await {
        Ok(permit) => Ok(services.targets.authorization(&viewer.actor, permit.authorization).await?),
        Err(error) => Err(viewer.error(&error)),
    };
    Ok((target, granted))
}

pub(crate) async fn start(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => services.scans.start(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(scan) => Ok(done(&format!("/scans/{}", scan.id), "scan_started")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            let page = offered(&services, viewer, form).await?;
            show_as(status, &page)
        }
    }
}

fn built(fields: &Fields) -> Result<NewScan> {
    Ok(NewScan {
        target_id: fields.word("target_id")?.ok_or_else(|| crate::errors::no_choice("target_id"))?,
        profile: ProfileName(fields.get("scan_type").to_owned()),
        ports: fields.text("ports"),
        rate_per_second: match fields.text("rate_per_second") {
            Some(text) => Some(text.parse().map_err(|_| crate::errors::not_a_number("rate_per_second"))?),
            None => None,
        },
    })
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Scan>) -> Shown {
    let actor = &viewer.actor;
    let scan = services.scans.get(actor, id).await?;
    let findings = readable(services.results.findings(actor, &FindingFilter::of_scan(id), Sort::Severity, &first(100)).await)?;
    let coverage = readable(services.results.coverage(actor, id).await)?.unwrap_or_default();
    let mut untested: Vec<CoverageRow> = coverage.into_iter().filter(|row| row.status != importers::CoverageStatus::Done).collect();
    untested.truncate(100);
    let states = ScanState::ALL.iter().map(|state| (state.to_string(), viewer.word("scan_state", state).into()));
    let stages = scan.stages.iter().map(|stage| (stage.name.clone(), viewer.stage(&stage.name).into()));
    let activities = ActivityKind::ALL.iter().map(|kind| (kind.to_string(), viewer.word("activity", kind).into()));
    let words = serde_json::Value::Object(states.chain(stages).chain(activities).collect()).to_string();
    let walk = walk::through(&Fields::default().set("scan", id.to_string()).set("sort", Sort::Severity.as_str()));
    render(&ScanPage { frame: viewer.frame, scan, findings: findings.map(|page| page.items), untested, walk, words })
}

pub(crate) async fn cancel(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Scan>) -> Shown {
    services.scans.cancel(&viewer.actor, id).await?;
    Ok(done(&format!("/scans/{id}"), "scan_cancelled"))
}
