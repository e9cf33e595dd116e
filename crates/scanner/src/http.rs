//! The audit of a web server: the page a browser would load, and requests a browser would not make.
//! Invariant: a set of checks is done where the answers were those of the site. A limit, an outage, a wall in front and half a
//! page leave the checks that wanted the answer undecided, at that page.

mod active;
pub(crate) mod client;
mod cookies;
mod discover;
mod files;
pub(crate) mod heard;
mod inputs;
mod intrusive;
mod page;

use url::Url;

use crate::plan::{Intrusiveness, Target};
use crate::report::{CoverageStatus, ServiceReport};
use crate::session::{Endpoint, Session};
use client::{Client, Fetch, Page};
use heard::Doubts;

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
    let flaw = match heard::Flaw::of(landing.page.status, landing.page.is_cut) {
        // A folder that may not be listed, or a wall: another page tells.
        Some(heard::Flaw::Forbidden) if session.may(Intrusiveness::Safe) => {
            heard::wall(session, &client).await.unwrap_or(Some(heard::Flaw::Forbidden))
        }
        flaw => flaw,
    };
    let (status, reason) = conclude(flaw.map_or(Ok(()), |flaw| Err(flaw.reason())));
    // Whatever ends the run, what a set leaves open is told no later than the set.
    if status == CoverageStatus::Done {
        for (check, reason) in page::undecided(&landing.page) {
            session.undecided(check.id, endpoint, None, CoverageStatus::Error, reason.to_owned()).await;
        }
    }
    for check in page::ANYWHERE {
        session.begin(check.id, endpoint);
    }
    session.covered(PASSIVE_SET, endpoint, status, reason).await;
    // What came so far was judged.
    client.doubtful();
    let directories = match session.may(Intrusiveness::Safe) {
        true => discover::directories(&client, &landing.page).await,
        false => Vec::new(),
    };
    let mut is_searched = false;
    for (set, level) in [(ACTIVE_SET, Intrusiveness::Safe), (INTRUSIVE_SET, Intrusiveness::Intrusive)] {
        if !session.may(level) {
            session.unplanned(set, endpoint).await;
            continue;
        }
        let mut doubts = Doubts::default();
        let (status, reason) = match level {
            Intrusiveness::Intrusive => conclude(intrusive::probe(session, &client, &directories, &mut doubts).await),
            _ => conclude(active::probe(session, &client, &landing, &directories, &mut doubts).await),
        };
        is_searched |= set == ACTIVE_SET && status == CoverageStatus::Done;
        doubts.tell(session, endpoint).await;
        session.covered(set, endpoint, status, reason).await;
    }
    for check in page::ANYWHERE {
        match is_searched {
            true => session.settle(check.id, endpoint),
            false => {
                let reason = "only the first page was looked at".to_owned();
                session.covered(check.id, endpoint, CoverageStatus::Skipped, Some(reason)).await;
            }
        }
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
