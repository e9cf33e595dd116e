//! The audit of a web server: the page a browser would load, and requests a browser would not make.
//! Invariant: a set of checks is done where the answers were those of the site. A limit, an outage, a wall in front and half a
//! page leave the checks that wanted the answer undecided, at that page. What depends on the pages a site names is told page by page.

mod active;
mod asked;
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
use asked::Asked;
use client::{Client, Fetch, Page};
use heard::Doubts;

pub(crate) const USER_AGENT: &str = "Mozilla/5.0 (compatible; Tyrian scanner)";
pub(crate) const PASSIVE_SET: &str = "http.passive";
/// Checks of the pages that a site names; told page by page where they were made.
pub(crate) const PAGES_SET: &str = "http.pages";
pub(crate) const ACTIVE_SET: &str = "http.active";
pub(crate) const INTRUSIVE_SET: &str = "http.intrusive";
/// Every set, in the order in which they run.
pub(crate) const SETS: [&str; 4] = [PASSIVE_SET, PAGES_SET, ACTIVE_SET, INTRUSIVE_SET];
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
    match flaw {
        None => passive(session, &client, &landing, https_elsewhere).await,
        Some(flaw) => session.covered(PASSIVE_SET, endpoint, CoverageStatus::Error, Some(flaw.reason())).await,
    }
    // What came so far was judged.
    client.doubtful();
    let directories = match session.may(Intrusiveness::Safe) {
        true => discover::directories(&client, &landing.page).await,
        false => Vec::new(),
    };
    for (paged, whole, level) in [(PAGES_SET, Some(ACTIVE_SET), Intrusiveness::Safe), (INTRUSIVE_SET, None, Intrusiveness::Intrusive)] {
        if !session.may(level) {
            for set in [Some(paged), whole].into_iter().flatten() {
                session.unplanned(set, endpoint).await;
            }
            continue;
        }
        let (mut doubts, mut asked) = (Doubts::default(), Asked::default());
        let result = match level {
            Intrusiveness::Intrusive => intrusive::probe(session, &client, &directories, &mut doubts, &mut asked).await,
            _ => active::probe(session, &client, &landing, &directories, &mut doubts, &mut asked).await,
        };
        let (status, reason) = match result {
            Ok(()) => (CoverageStatus::Done, None),
            Err(reason) => (CoverageStatus::Error, Some(reason)),
        };
        // Whatever ends the run, what a set leaves open is told no later than the set.
        doubts.tell(session, endpoint).await;
        if status == CoverageStatus::Done {
            asked.tell(session, endpoint).await;
            session.settle(paged, endpoint);
        } else {
            session.covered(paged, endpoint, status, reason.clone()).await;
        }
        if let Some(whole) = whole {
            session.covered(whole, endpoint, status, reason).await;
        }
    }
}

/// Tells for which pages the passive checks were made: the first one, and those passed on the way to it.
async fn passive(session: &Session, client: &Client<'_>, landing: &Landing, https_elsewhere: bool) {
    let first = &landing.page;
    for (check, reason) in page::undecided(first) {
        let url = Some(first.url.clone());
        session.undecided(check.id, client.endpoint, url, CoverageStatus::Error, reason.to_owned()).await;
    }
    let checks = page::made(landing, https_elsewhere);
    let mut asked = Asked::default();
    for hop in landing.hops.iter().filter(|hop| !hop.is_cut) {
        asked.judged(&checks, &hop.url, &page::untold(client, hop, https_elsewhere));
    }
    asked.page(&checks, &first.url);
    asked.tell(session, client.endpoint).await;
    session.settle(PASSIVE_SET, client.endpoint);
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
