//! Findings: list, look at, decide.

use askama::Template;
use axum::extract::State;
use base::Result;
use importers::{CoverageStatus, Location};
use results::{Counts, Filter, Finding, FindingDetail, NewDecision, Sort};
use targets::Target;

use super::{Shown, done, page_of, readable, refused};
use crate::Services;
use crate::fields::{Fields, Form};
use crate::page::{Frame, show as render, show_as};
use crate::request::{Named, Viewer};

const SEVERITIES: &str = "critical high medium low info";
const STATUSES: &str = "open not_retested accepted out_of_scope mitigated false_positive fixed";
const SORTS: &str = "severity risk due newest last_seen title";
const DECISIONS: &str = "false_positive accepted out_of_scope mitigated confirmed fixed";
const DECISIONS_AGAIN: &str = "false_positive accepted out_of_scope mitigated confirmed fixed reopen";

#[derive(Template)]
#[template(path = "findings/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    findings: Vec<Finding>,
    counts: Counts,
    is_narrowed: bool,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "findings/show.html")]
struct FindingPage {
    frame: Frame,
    form: Form,
    detail: FindingDetail,
    target: Option<Target>,
    choices: &'static str,
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

pub(crate) async fn list(State(services): State<Services>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let filter = Filter {
        severity: query.all("severity"),
        status: query.all("status"),
        target: query.word("target")?,
        scan: query.word("scan")?,
        source: query.text("source"),
        q: query.text("q"),
        cve: query.text("cve"),
        cwe: query.get("cwe").parse().ok(),
        check: query.text("check"),
        service: query.text("service"),
        cluster: query.text("cluster"),
        import: query.word("import")?,
    };
    let sort = query.word("sort")?.unwrap_or(Sort::Severity);
    let page = services.results.findings(&viewer.actor, &filter, sort, &page_of(&query)).await?;
    let counts = services.results.summary(&viewer.actor, &filter).await?;
    render(&ListPage {
        frame: viewer.frame,
        findings: page.items,
        counts,
        is_narrowed: query
            .any(&["severity", "status", "target", "scan", "source", "q", "cve", "cwe", "check", "service", "cluster", "import", "cursor"]),
        next: query.next("/findings", page.next_cursor),
        form: Form::of(query),
    })
}

pub(crate) async fn show(State(services): State<Services>, viewer: Viewer, Named(id): Named<Finding>) -> Shown {
    let page = looked_at(&services, viewer, id, Form::of(Fields::default().set("kind", "false_positive"))).await?;
    render(&page)
}

async fn looked_at(
    services: &Services,
    viewer: Viewer,
    id: results::FindingId,
    form: Form,
) -> Result<FindingPage, crate::failure::Failure> {
    let detail = services.results.finding(&viewer.actor, id).await?;
    let target = match detail.finding.target_id {
        // A removed target leaves its findings behind.
        Some(target) => readable(services.targets.get(&viewer.actor, target).await).ok().flatten(),
        None => None,
    };
    let choices = if detail.finding.decision.is_some() { DECISIONS_AGAIN } else { DECISIONS };
    Ok(FindingPage { frame: viewer.frame, form, detail, target, choices })
}

pub(crate) async fn decide(State(services): State<Services>, viewer: Viewer, Named(id): Named<Finding>, fields: Fields) -> Shown {
    let outcome = match built(&fields) {
        Ok(new) => services.results.decide(&viewer.actor, id, new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done(&format!("/findings/{id}"), "decided")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = refused(&viewer, fields, error)?;
            let page = looked_at(&services, viewer, id, form).await?;
            show_as(status, &page)
        }
    }
}

fn built(fields: &Fields) -> Result<NewDecision> {
    Ok(NewDecision {
        kind: fields.word("kind")?.ok_or_else(|| crate::errors::no_choice("kind"))?,
        reason: fields.get("reason").to_owned(),
        valid_until: fields.moment("valid_until")?,
        scope: results::DecisionScope::Finding,
    })
}
