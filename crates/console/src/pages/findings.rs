//! Findings: a list that is narrowed, kept under a name, exported, and decided about many at a time.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use base::Result;
use http::StatusCode;
use importers::{CoverageStatus, Location};
use results::{Batch, BulkDecision, DecisionState, Filter, Finding, Matching, NewFilter, SavedFilter, Sort};

use super::narrowing::{self, Condition};
use super::{Shown, page_of, refused, walk};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared, errors};

pub(crate) const SEVERITIES: &str = "critical high medium low info";
const STATUSES: &str = "open not_retested accepted out_of_scope mitigated false_positive fixed";
const SORTS: &str = "risk severity due newest last_seen title";
const EXPORTS: [&str; 4] = ["sarif", "csv", "json", "vex"];
/// What narrows the list, as it stands in its address.
const NARROWING: [&str; 13] =
    ["severity", "status", "target", "unit", "scan", "source", "q", "cve", "cwe", "check", "service", "cluster", "import"];
/// Of those, what the form has no field for; it stays until the filter is cleared.
pub(super) const HIDDEN: [&str; 8] = ["target", "scan", "source", "cwe", "check", "service", "cluster", "import"];
/// What is said once about decisions just made.
pub(super) const SAID: [&str; 5] = ["done", "batch", "decided", "skipped", "language"];

#[derive(Template)]
#[template(path = "findings/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    /// The decision about many, when it was refused.
    bulk: Form,
    findings: Vec<Finding>,
    /// Counted for the first page only.
    matching: Option<Matching>,
    saved: Vec<SavedFilter>,
    /// What stands in the address without the page and what is said once.
    narrowed: String,
    is_narrowed: bool,
    /// How many filters are set, in the form or by a link.
    set: u64,
    /// What narrows it that the form has no field for.
    conditions: Vec<Condition>,
    sort: Sort,
    /// What stands in the address without the order and the page.
    unsorted: String,
    /// What links to findings carry, so that their pages lead on through this list.
    walk: String,
    query: Fields,
    next: Option<String>,
    undo: Option<Undo>,
}

/// Whether the list is in this order.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn is_sorted(sort: &Sort, order: &Sort) -> bool {
    sort == order
}

/// How an order runs.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
fn direction(sort: &Sort) -> &'static str {
    match sort {
        Sort::Title | Sort::Due => "ascending",
        Sort::Severity | Sort::Risk | Sort::Newest | Sort::LastSeen => "descending",
    }
}

/// Decisions just made together, which can be taken back together.
struct Undo {
    batch: results::BatchId,
    decided: u64,
    skipped: u64,
}

/// Where a finding is, in one line.
pub(crate) fn place(location: &Location) -> String {
    if let Some(url) = &location.url {
        return url.clone();
    }
    if let Some(file) = &location.file {
        return location.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
    }
    let host = location.host.as_deref().or(location.ip.as_deref()).unwrap_or_default();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match (host.is_empty(), location.port) {
        (false, Some(port)) => format!("{host}:{port}"),
        (false, None) => host,
        (true, _) => {
            location.component.as_ref().map(|component| component.name.clone()).or_else(|| location.logical.clone()).unwrap_or_default()
        }
    }
}

/// The parts of a place that are there, by the key of their name.
pub(crate) fn parts(location: &Location) -> Vec<(&'static str, String)> {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    [
        ("host", location.host.clone()),
        ("ip", location.ip.clone()),
        ("port", location.port.map(|port| format!("{port}/{}", location.protocol.as_deref().unwrap_or("tcp")))),
        ("service", location.service.clone()),
        ("url", location.url.clone()),
        ("method", location.method.clone()),
        ("parameter", location.parameter.clone()),
        (
            "component",
            location.component.as_ref().map(|component| format!("{} {}", component.name, component.version.as_deref().unwrap_or_default())),
        ),
        ("file", location.file.clone()),
        ("line", number(location.line)),
        ("logical", location.logical.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// The word for how a test ended.
pub(crate) fn coverage(status: &CoverageStatus) -> &'static str {
    match status {
        CoverageStatus::Done => "done",
        CoverageStatus::Partial => "partial",
        CoverageStatus::Skipped => "skipped",
        CoverageStatus::Error => "error",
        CoverageStatus::Timeout => "timeout",
        CoverageStatus::AuthLost => "auth_lost",
    }
}

/// Only addresses a browser opens safely become links.
pub(crate) fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The filter that an address names.
pub(super) fn filter(query: &Fields) -> Result<Filter> {
    Ok(Filter {
        severity: query.all("severity"),
        status: query.all("status"),
        target: query.word("target")?,
        unit: query.word("unit")?,
        scan: query.word("scan")?,
        source: query.text("source"),
        q: query.text("q"),
        cve: query.text("cve"),
        cwe: query.get("cwe").parse().ok(),
        check: query.text("check"),
        service: query.text("service"),
        cluster: query.text("cluster"),
        import: query.word("import")?,
    })
}

/// The address of the list that a filter makes.
pub(crate) fn address(filter: &Filter) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let words = |name: &'static str, words: &[String]| words.iter().map(|word| (name, word.clone())).collect::<Vec<_>>();
    let single = [
        ("target", filter.target.map(|id| id.to_string()).unwrap_or_default()),
        ("unit", filter.unit.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("scan", filter.scan.map(|id| id.to_string()).unwrap_or_default()),
        ("source", text(&filter.source)),
        ("q", text(&filter.q)),
        ("cve", text(&filter.cve)),
        ("cwe", filter.cwe.map(|cwe| cwe.to_string()).unwrap_or_default()),
        ("check", text(&filter.check)),
        ("service", text(&filter.service)),
        ("cluster", text(&filter.cluster)),
        ("import", filter.import.map(|id| id.to_string()).unwrap_or_default()),
    ];
    let all = words("severity", &filter.severity).into_iter().chain(words("status", &filter.status)).chain(single);
    all.fold(Fields::default(), |fields, (name, value)| fields.set(name, value)).query(&[])
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let number = |name| query.number(name).ok().flatten().unwrap_or_default();
    let undo = query.word("batch").ok().flatten().map(|batch| Undo { batch, decided: number("decided"), skipped: number("skipped") });
    listed(&services, viewer, query, undo, Form::of(Fields::default().set("of", "chosen")), StatusCode::OK).await
}

async fn listed(services: &Services, mut viewer: Viewer, query: Fields, undo: Option<Undo>, bulk: Form, status: StatusCode) -> Shown {
    let query = query.without(&SAID);
    let filter = filter(&query)?;
    let sort = query.word("sort")?.unwrap_or(Sort::Risk);
    let page = services.results.findings(&viewer.actor, &filter, sort, &page_of(&query)).await?;
    let matching = match query.get("cursor") {
        "" => Some(services.results.matching(&viewer.actor, &filter).await?),
        _ => None,
    };
    let saved = services.results.filters(&viewer.actor).await?;
    let conditions = narrowing::conditions(services, &viewer, &query, &page.items).await;
    viewer.frame.path = "/findings".to_owned();
    let page = ListPage {
        frame: viewer.frame,
        bulk,
        findings: page.items,
        matching,
        saved,
        narrowed: query.query(&["cursor"]),
        unsorted: query.query(&["cursor", "sort"]),
        walk: walk::through(&query),
        set: query.count(&NARROWING),
        sort,
        conditions,
        is_narrowed: query.any(&NARROWING) || query.any(&["cursor"]),
        next: query.next("/findings", page.next_cursor),
        form: Form::of(query.clone()),
        query,
        undo,
    };
    show_as(status, &page)
}

/// The list somebody came from: its address went with the form.
fn came_from(fields: &Fields) -> Fields {
    Fields::parse(fields.raw("narrowed").as_bytes()).without(&SAID)
}

/// Back to that list, with a word about what was done.
fn back(from: &Fields, what: &str, more: &str) -> Shown {
    let kept = from.query(&["cursor"]);
    let separator = if kept.is_empty() { "" } else { "&" };
    Ok(Redirect::to(&format!("/findings?{kept}{separator}done={what}{more}")).into_response())
}

pub(crate) async fn decide(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let from = came_from(&fields);
    let outcome = match bulk(&fields, &from) {
        Ok(bulk) => services.results.decide_all(&viewer.actor, bulk).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(outcome) => {
            let more = format!("&batch={}&decided={}&skipped={}", outcome.batch_id, outcome.decided, outcome.skipped);
            back(&from, if outcome.state == DecisionState::Proposed { "proposed_many" } else { "decided_many" }, &more)
        }
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            listed(&services, viewer, from, None, form, status).await
        }
    }
}

fn bulk(fields: &Fields, from: &Fields) -> Result<BulkDecision> {
    let is_all = fields.get("of") == "all";
    let ids = fields.all("id").iter().map(|id| id.parse()).collect::<Result<Vec<_>>>()?;
    if !is_all && ids.is_empty() {
        return Err(errors::no_choice("of"));
    }
    Ok(BulkDecision {
        ids: if is_all { Vec::new() } else { ids },
        filter: if is_all { Some(filter(from)?) } else { None },
        kind: fields.word("kind")?.ok_or_else(|| errors::no_choice("kind"))?,
        reason: fields.get("reason").to_owned(),
        valid_until: fields.moment("valid_until")?,
    })
}

pub(crate) async fn undo(State(services): State<Shared>, viewer: Viewer, Named(batch): Named<Batch>, fields: Fields) -> Shown {
    services.results.undo_decisions(&viewer.actor, batch).await?;
    back(&came_from(&fields), "batch_undone", "")
}

pub(crate) async fn save(State(services): State<Shared>, viewer: Viewer, fields: Fields) -> Shown {
    let from = came_from(&fields);
    let new = NewFilter { name: fields.get("name").to_owned(), filter: filter(&from)?, is_shared: fields.get("is_shared") == "true" };
    match services.results.save_filter(&viewer.actor, new).await {
        Ok(_) => back(&from, "filter_saved", ""),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            listed(&services, viewer, from, None, form, status).await
        }
    }
}

pub(crate) async fn drop_saved(State(services): State<Shared>, viewer: Viewer, Named(id): Named<SavedFilter>, fields: Fields) -> Shown {
    match services.results.drop_filter(&viewer.actor, id).await {
        Err(error) if error.kind() == base::Kind::NotFound => Err(errors::foreign_filter().into()),
        Err(error) => Err(error.into()),
        Ok(()) => back(&came_from(&fields), "filter_dropped", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_filter_leads_to_the_list_it_was_saved_from() {
        let address_of = "severity=high&severity=critical&status=open&q=a+%26+b&cve=CVE-2021-44228&cwe=79";
        let query = Fields::parse(format!("{address_of}&sort=risk&cursor=x").as_bytes());
        assert_eq!(address(&filter(&query).unwrap()), address_of);
        assert_eq!(address(&Filter::default()), "");
    }
}
