//! Targets: list, record, look at, change, remove.

use askama::Template;
use axum::extract::State;
use base::{Result, Time};
use results::{Counts, Filter as FindingFilter};
use scans::Scan;
use targets::{Authorization, Branch, Filter, Intrusiveness, NewTarget, Target, TargetPatch};

use super::{Shown, done, first, page_of, readable, refused};
use crate::Shared;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};

const KINDS: &str = "web api host network mobile repository cloud";
const CRITICALITIES: &str = "low medium high critical";
/// What narrows the list, as it stands in its address.
const FILTERS: [&str; 5] = ["q", "type", "tag", "unit", "criticality"];

#[derive(Template)]
#[template(path = "targets/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    targets: Vec<Target>,
    units: Vec<Branch>,
    /// What narrows the list, as it stands in its address.
    narrowed: String,
    is_narrowed: bool,
    /// How many filters are set.
    set: u64,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "targets/edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    /// The target that is changed; none when one is recorded.
    target: Option<Target>,
}

#[derive(Template)]
#[template(path = "targets/show.html")]
struct TargetPage {
    frame: Frame,
    target: Target,
    authorizations: Vec<Authorization>,
    scans: Vec<Scan>,
    counts: Option<Counts>,
    /// Why it cannot be scanned now.
    obstacle: Option<String>,
}

/// Where an authorisation stands now.
pub(crate) fn standing(granted: &Authorization, now: &Time) -> &'static str {
    match granted {
        granted if granted.revoked_at.is_some() => "revoked",
        granted if granted.is_active(*now) => "active",
        granted if granted.valid_from > *now => "upcoming",
        _ => "expired",
    }
}

/// The rules as they are written.
pub(crate) fn written(rules: &[targets::Rule]) -> Vec<String> {
    rules.iter().map(|rule| targets::RuleText::from(rule.clone()).value).collect()
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let filter = Filter {
        q: query.text("q"),
        kind: query.word("type")?,
        tag: query.text("tag"),
        unit: query.word("unit")?,
        criticality: query.word("criticality")?,
    };
    let page = services.targets.list(&viewer.actor, filter, page_of(&query)).await?;
    let units = services.targets.units(&viewer.actor).await?;
    render(&ListPage {
        frame: viewer.frame,
        targets: page.items,
        units,
        narrowed: query.query(&["cursor", "done"]),
        is_narrowed: query.any(&FILTERS) || query.any(&["cursor"]),
        set: query.count(&FILTERS),
        next: query.next("/targets", page.next_cursor),
        form: Form::of(query),
    })
}

pub(crate) async fn new(viewer: Viewer) -> Shown {
    let form = Form::of(Fields::default().set("type", "host").set("criticality", "medium"));
    render(&EditPage { frame: viewer.frame, form, target: None })
}

pub(crate) async fn create(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => services.targets.create(&viewer.actor, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(target) => Ok(done(&format!("/targets/{}", target.id), "target_created")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            show_as(status, &EditPage { frame: viewer.frame, form, target: None })
        }
    }
}

fn built(fields: &Fields) -> Result<NewTarget> {
    Ok(NewTarget {
        name: fields.get("name").to_owned(),
        kind: fields.word("type")?.unwrap_or(targets::TargetKind::Host),
        address: fields.text("address"),
        description: fields.text("description"),
        tags: tags(fields),
        owner: fields.text("owner"),
        environment: fields.text("environment"),
        unit: fields.word("unit")?,
        criticality: fields.word("criticality")?,
    })
}

pub(crate) fn tags(fields: &Fields) -> Vec<String> {
    fields.get("tags").split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>) -> Shown {
    let actor = &viewer.actor;
    let target = services.targets.get(actor, id).await?;
    let authorizations = services.targets.authorizations(actor, Some(id), first(50)).await?.items;
    let filter = scans::Filter { target_id: Some(id), state: None };
    let scans = readable(services.scans.list(actor, filter, first(10)).await)?.map(|page| page.items).unwrap_or_default();
    let counts = readable(services.results.summary(actor, &FindingFilter::of_target(id)).await)?;
    // Every profile needs at least this much.
    let obstacle = services.targets.permit(actor, id, Intrusiveness::Safe).await.err().map(|error| viewer.error(&error));
    render(&TargetPage { frame: viewer.frame, target, authorizations, scans, counts, obstacle })
}

pub(crate) async fn edit(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>) -> Shown {
    let target = services.targets.get(&viewer.actor, id).await?;
    let fields = Fields::default()
        .set("name", &target.name)
        .set("type", target.kind.as_str())
        .set("address", target.address.clone().unwrap_or_default())
        .set("description", &target.description)
        .set("tags", target.tags.join(", "))
        .set("owner", target.owner.clone().unwrap_or_default())
        .set("environment", target.environment.clone().unwrap_or_default())
        .set("unit", target.unit.as_ref().map(ToString::to_string).unwrap_or_default())
        .set("criticality", target.criticality.as_str())
        .set("version", target.version.to_string());
    render(&EditPage { frame: viewer.frame, form: Form::of(fields), target: Some(target) })
}

pub(crate) async fn update(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>, fields: Fields) -> Shown {
    let outcome = match patch(&fields) {
        Ok(patch) => services.targets.patch(&viewer.actor, id, patch).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done(&format!("/targets/{id}"), "saved")),
        Err(error) => {
            let target = services.targets.get(&viewer.actor, id).await?;
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            show_as(status, &EditPage { frame: viewer.frame, form, target: Some(target) })
        }
    }
}

fn patch(fields: &Fields) -> Result<TargetPatch> {
    Ok(TargetPatch {
        name: Some(fields.get("name").to_owned()),
        kind: fields.word("type")?,
        address: Some(fields.text("address")),
        description: Some(fields.get("description").to_owned()),
        tags: Some(tags(fields)),
        owner: Some(fields.text("owner")),
        environment: Some(fields.text("environment")),
        unit: Some(fields.word("unit")?),
        criticality: fields.word("criticality")?,
        version: fields.get("version").parse().ok(),
    })
}

pub(crate) async fn delete(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Target>) -> Shown {
    services.targets.delete(&viewer.actor, id).await?;
    Ok(done("/targets", "target_deleted"))
}
