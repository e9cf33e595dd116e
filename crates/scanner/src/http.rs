//! The audit of a web server: the page a browser would load, and requests a browser would not make.

mod active;
pub(crate) mod client;
mod cookies;
mod discover;
mod files;
mod inputs;
mod intrusive;
mod page;

use url::Url;

use crate::plan::{Intrusiveness, Target};
use crate::report::{CoverageStatus, ServiceReport};
use crate::session::{Endpoint, Session};
use client::{Client, Fetch, Page};

pub(crate) const USER_AGENT: &str = "Mozilla/5.0 (compatible; Tyrian scanner)";
pub(crate) const PASSIVE_SET: &str = "http.passive";
pub(crate) const ACTIVE_SET: &str = "http.active";
pub(crate) const INTRUSIVE_SET: &str = "http.intrusive";
/// Every set, in the order in which they run.
pub(crate) const SETS: [&str; 3] = [PASSIVE_SET, ACTIVE_SET, INTRUSIVE_SET];
/// Redirects followed within the origin.
const HOPS: usize = 5;

/// Audits one web server.
pub(crate) async fn audit(session: &Session, endpoint: &Endpoint, service: &ServiceReport, https_elsewhere: bool) {
    let client = Client::new(session, endpoint, service.tls);
    let start = match start_of(session, &client) {
        Ok(url) => url,
        Err(reason) => return ended(session, endpoint, reason).await,
    };
    let landing = match land(session, &client, &start).await {
        Ok(landing) => landing,
        Err(reason) => return ended(session, endpoint, reason).await,
    };
    for issue in page::judge(&client, &landing, https_elsewhere) {
        session.issue(issue).await;
    }
    session.covered(PASSIVE_SET, endpoint, CoverageStatus::Done, None).await;
    let directories = match session.may(Intrusiveness::Safe) {
        true => discover::directories(&client, &landing.page).await,
        false => Vec::new(),
    };
    for (set, level) in [(ACTIVE_SET, Intrusiveness::Safe), (INTRUSIVE_SET, Intrusiveness::Intrusive)] {
        if !session.may(level) {
            session.unplanned(set, endpoint).await;
            continue;
        }
        let (status, reason) = match level {
            Intrusiveness::Intrusive => conclude(intrusive::probe(session, &client, &directories).await),
            _ => conclude(active::probe(session, &client, &landing, &directories).await),
        };
        session.covered(set, endpoint, status, reason).await;
    }
}

fn conclude(result: Result<(), String>) -> (CoverageStatus, Option<String>) {
    match result {
        Ok(()) => (CoverageStatus::Done, None),
        Err(reason) => (CoverageStatus::Error, Some(reason)),
    }
}

/// The page an origin leads to, and how it got there.
pub(crate) struct Landing {
    pub(crate) page: Page,
    /// Addresses outside the origin that a redirect named.
    pub(crate) leaves_to: Option<Url>,
    /// Pages passed on the way, for their cookies.
    pub(crate) hops: Vec<Page>,
}

fn start_of(session: &Session, client: &Client<'_>) -> Result<Url, String> {
    match &session.plan.target {
        Target::Url(url) if client.is_origin_of(url) => Ok(url.clone()),
        _ => client.url("/"),
    }
}

async fn land(session: &Session, client: &Client<'_>, start: &Url) -> Result<Landing, String> {
    let mut url = start.clone();
    let mut hops = Vec::new();
    loop {
        let page = client.fetch(Fetch::get(&url)).await?;
        let next = page.is_redirect().then(|| page.header("location")).flatten().and_then(|location| url.join(location).ok());
        let Some(next) = next else {
            return Ok(Landing { page, leaves_to: None, hops });
        };
        if session.dialer.permit_url(&next).is_err() {
            session.note(format!("redirect to {next} was not followed: refused by the guard")).await;
            return Ok(Landing { page, leaves_to: Some(next), hops });
        }
        if !client.is_origin_of(&next) || hops.len() >= HOPS {
            return Ok(Landing { page, leaves_to: Some(next), hops });
        }
        hops.push(page);
        url = next;
    }
}

async fn ended(session: &Session, endpoint: &Endpoint, reason: String) {
    for set in SETS {
        session.covered(set, endpoint, CoverageStatus::Error, Some(reason.clone())).await;
    }
}
