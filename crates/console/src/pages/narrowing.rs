//! What narrows a list of findings although its form has no field for it: told by name, and taken away one by one.

use base::{Error, Id, Kind};
use results::Finding;

use super::findings::HIDDEN;
use crate::Services;
use crate::fields::Fields;
use crate::page::Frame;
use crate::request::Viewer;

/// One condition that came with a link.
pub(super) struct Condition {
    /// What is asked, such as the tool.
    pub(super) what: String,
    pub(super) value: String,
    /// The page about it, where it has one.
    pub(super) page: Option<String>,
    /// The list without it.
    pub(super) without: String,
}

/// The conditions in a list's address, in the order of their names; `shown` is what the list shows.
pub(super) async fn conditions(services: &Services, viewer: &Viewer, query: &Fields, shown: &[Finding]) -> Vec<Condition> {
    let mut told = Vec::new();
    for name in HIDDEN {
        let Some(value) = query.text(name) else { continue };
        let (title, page) = match name {
            "target" => (target(services, viewer, &value).await, Some(format!("/targets/{value}"))),
            "scan" => (scan(services, viewer, &value).await, Some(format!("/scans/{value}"))),
            "import" => (import(services, viewer, &value).await, Some(format!("/imports/{value}"))),
            "cluster" => {
                let of = shown.iter().filter_map(|finding| finding.cluster.as_ref()).find(|cluster| cluster.id == value);
                (of.map(|cluster| cluster.reason.clone()), None)
            }
            "cwe" => (Some(format!("CWE-{value}")), None),
            _ => (None, None),
        };
        told.push(Condition {
            what: label(viewer, name),
            // What is gone or out of reach has no page to lead to.
            page: page.filter(|_| title.is_some()),
            value: title.unwrap_or(value),
            without: format!("/findings?{}", query.query(&["cursor", name])),
        });
    }
    told
}

fn label(frame: &Frame, name: &str) -> String {
    let text = match name {
        "target" => frame.say("scans.target"),
        "scan" => frame.say("findings.scan"),
        "source" => frame.say("findings.source"),
        "check" => frame.say("findings.check"),
        "service" => frame.say("imports.service"),
        "cluster" => frame.say("findings.cluster"),
        "import" => frame.say("findings.import"),
        _ => "CWE",
    };
    text.to_owned()
}

/// What has an id has a name only for whom may read it.
fn named<T>(outcome: Result<T, Error>) -> Option<T> {
    match outcome {
        Ok(thing) => Some(thing),
        Err(error) => {
            if !matches!(error.kind(), Kind::NotFound | Kind::Forbidden) {
                tracing::warn!(%error, "the name of a condition cannot be read");
            }
            None
        }
    }
}

async fn target(services: &Services, viewer: &Viewer, id: &str) -> Option<String> {
    named(services.targets.get(&viewer.actor, id.parse::<Id<_>>().ok()?).await).map(|target| target.name)
}

async fn scan(services: &Services, viewer: &Viewer, id: &str) -> Option<String> {
    let scan = named(services.scans.get(&viewer.actor, id.parse::<Id<_>>().ok()?).await)?;
    Some(format!("{}, {}", scan.target_name, viewer.plain(&scan.created_at)))
}

async fn import(services: &Services, viewer: &Viewer, id: &str) -> Option<String> {
    let import = named(services.results.import_of(&viewer.actor, id.parse::<Id<_>>().ok()?).await)?;
    Some(import.filename.unwrap_or_else(|| viewer.plain(&import.created_at)))
}
