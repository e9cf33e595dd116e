//! The fleet: every phone with what it may do and what it said last, live.

use askama::Template;
use axum::extract::State;
use base::{Page, Result};
use devices::{Device, Filter, Overload, Plight, Policy, Seen, Simplified, Switch};

use super::{Shown, first, page_of, readable};
use crate::fields::{Fields, Form};
use crate::gauge::{Gauge, written};
use crate::live::{digest, follow};
use crate::page::{Frame, show as render};
use crate::pages::switches;
use crate::request::Viewer;
use crate::{Services, Shared};

pub(crate) const POSTURES: &str = "observe step_up restrict lock quarantine";
const PLATFORMS: &str = "android-key app-attest play-integrity none";
/// What narrows the list, as it stands in its address.
const FILTERS: [&str; 3] = ["posture", "platform", "user"];

#[derive(Template)]
#[template(path = "devices/list.html")]
struct FleetPage {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    policy: Policy,
    /// Kill switches that stop somebody now.
    thrown: Vec<Switch>,
    plight: Plight,
    is_narrowed: bool,
    /// How many filters are set.
    set: u64,
    next: Option<String>,
    /// The stream that says when to read again.
    news: String,
}

/// One phone in the list.
struct Row {
    device: Device,
    platform: String,
    score: Gauge,
    trust: String,
    /// What it said last, and when.
    seen: Option<base::Time>,
}

/// A platform as a key of the catalogue.
pub(crate) fn platform(frame: &Frame, device: &Device) -> String {
    frame.word("platform", device.platform.as_str().replace('-', "_"))
}

/// Why scores are simplified, in words.
fn overload(frame: &Frame, simplified: &Simplified) -> String {
    let word = match simplified.because {
        Overload::QueueLatency => "queue_latency",
        Overload::Runtime => "runtime",
        Overload::Throughput => "throughput",
    };
    frame.word("overload", word)
}

fn platforms(frame: &Frame) -> Vec<crate::page::Choice> {
    let choice = |word: &str| crate::page::Choice { value: word.to_owned(), label: frame.word("platform", word.replace('-', "_")) };
    PLATFORMS.split_whitespace().map(choice).collect()
}

fn row(frame: &Frame, seen: Seen) -> Row {
    let last = seen.last.as_ref();
    Row {
        platform: platform(frame, &seen.device),
        score: Gauge::of(frame, last.and_then(|last| last.score), last.map(|last| last.threshold)),
        trust: written(frame, last.map(|last| last.trust)),
        seen: last.map(|last| last.at),
        device: seen.device,
    }
}

async fn found(services: &Services, viewer: &Viewer, query: &Fields) -> Result<Page<Seen>> {
    let filter = Filter { posture: query.word("posture")?, platform: query.word("platform")?, user_id: query.word("user")? };
    services.devices.list(&viewer.actor, &filter, &page_of(query)).await
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let page = found(&services, &viewer, &query).await?;
    let policy = services.devices.policy(&viewer.actor).await?;
    let thrown = switches::on(&services, &viewer).await?;
    let plight = services.devices.plight(&viewer.actor).await?;
    let kept = query.query(&["done"]);
    let news = format!("/devices/live?{kept}{}seen={}", if kept.is_empty() { "" } else { "&" }, digest(&(&page.items, &thrown, &plight)));
    let rows = page.items.into_iter().map(|seen| row(&viewer.frame, seen)).collect();
    render(&FleetPage {
        frame: viewer.frame,
        rows,
        policy,
        thrown,
        plight,
        is_narrowed: query.any(&FILTERS) || query.any(&["cursor"]),
        set: query.count(&FILTERS),
        next: query.next("/devices", page.next_cursor),
        form: Form::of(query),
        news,
    })
}

/// Says when the list is another than the one shown.
pub(crate) async fn live(State(services): State<Shared>, viewer: Viewer, standing: web::Standing) -> Shown {
    let query = viewer.query.clone().without(&["seen"]);
    let news = services.devices.news(&viewer.actor).await?;
    let seen = viewer.query.get("seen").parse().ok();
    let read = {
        let (services, viewer) = (services.clone(), std::sync::Arc::new(viewer));
        move || {
            let (services, viewer, query) = (services.clone(), viewer.clone(), query.clone());
            async move {
                let (items, thrown) = (found(&services, &viewer, &query).await?.items, switches::on(&services, &viewer).await?);
                Ok(digest(&(items, thrown, services.devices.plight(&viewer.actor).await?)))
            }
        }
    };
    Ok(follow(&services, standing, news, seen, read))
}

/// People by id, for those who may see them.
pub(crate) async fn people(services: &Services, viewer: &Viewer) -> Result<Vec<auth::User>, crate::failure::Failure> {
    Ok(readable(services.auth.users(&viewer.actor, &first(500)).await)?.map(|page| page.items).unwrap_or_default())
}
