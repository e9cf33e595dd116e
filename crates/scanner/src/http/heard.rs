//! Which answers decide nothing: whoever limits, is out of order or stands before the site answers for none of its pages.

use std::collections::BTreeMap;

use url::Url;

use super::active::unlikely;
use super::client::{Client, Page};
use crate::catalogue::Check;
use crate::report::CoverageStatus;
use crate::session::{Endpoint, Session};

/// Pages told one by one; where more of them stay unknown, the whole site does.
const PAGES: usize = 4;

/// Why an answer may not be that of the page that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Forbidden: by the page, or by a wall that read the request.
    Forbidden,
    /// Too many requests, or an error of the server (RFC 9110, 15.6; RFC 6585, 4).
    Outage(u16),
    /// The body ended before it should.
    Cut,
}

/// An application that fell over its request: no answer to the question, but a page of its own.
pub(crate) const ERROR: Flaw = Flaw::Outage(500);

impl Flaw {
    pub(crate) fn of(status: u16, cut: bool) -> Option<Self> {
        match status {
            403 => Some(Self::Forbidden),
            // Not Implemented is the answer to a method that the server does not know.
            501 => None,
            429 | 500..=599 => Some(Self::Outage(status)),
            _ => cut.then_some(Self::Cut),
        }
    }

    /// What the flaw is, for people.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Forbidden => "the server answered 403".to_owned(),
            Self::Outage(status) => format!("the server answered {status}"),
            Self::Cut => "the page broke off".to_owned(),
        }
    }
}

/// An answer that may not be that of its page.
#[derive(Debug, Clone)]
pub(crate) struct Doubtful {
    pub(crate) url: Url,
    pub(crate) flaw: Flaw,
}

impl Doubtful {
    pub(crate) fn of(page: &Page) -> Option<Self> {
        Flaw::of(page.status, page.is_cut).map(|flaw| Self { url: page.url.clone(), flaw })
    }
}

/// What a refusal says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// That strangers do not get it: the request was one of a browser, or a refusal is the repair.
    Decides,
    /// Nothing: a wall may have read the request, or refuses everything.
    LeavesOpen,
}

/// What answers for every page of a site, asked for one that nobody has named; nothing where the site answers for itself.
/// An error says why there was no answer at all.
pub(crate) async fn wall(session: &Session, client: &Client<'_>) -> Result<Option<Flaw>, String> {
    let page = client.get(&format!("/{}", unlikely(session, client, "wall"))).await?;
    Ok(Flaw::of(page.status, false))
}

/// Checks without a deciding answer: at which paths, and why.
#[derive(Default)]
pub(crate) struct Doubts(BTreeMap<&'static str, BTreeMap<String, (Url, Flaw)>>);

impl Doubts {
    /// Notes for these checks the answers that decide nothing.
    pub(crate) fn note(&mut self, checks: &[&'static Check], answers: &[Doubtful], refusal: Refusal) {
        for doubtful in answers.iter().filter(|doubtful| doubtful.flaw != Flaw::Forbidden || refusal == Refusal::LeavesOpen) {
            let mut page = doubtful.url.clone();
            page.set_query(None);
            for check in checks {
                let pages = self.0.entry(check.id).or_default();
                pages.entry(page.path().to_owned()).or_insert_with(|| (page.clone(), doubtful.flaw));
            }
        }
    }

    /// Tells which checks were left undecided, and where.
    pub(crate) async fn tell(self, session: &Session, endpoint: &Endpoint) {
        for (check, pages) in self.0 {
            let is_anywhere = pages.len() > PAGES;
            for (url, flaw) in pages.into_values().take(if is_anywhere { 1 } else { PAGES }) {
                let url = (!is_anywhere).then_some(url);
                session.undecided(check, endpoint, url, CoverageStatus::Error, flaw.reason()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_an_outage_and_half_a_page_are_no_answers() {
        for status in [200, 302, 401, 404, 405, 410, 501] {
            assert_eq!(Flaw::of(status, false), None, "{status}");
        }
        for status in [429, 500, 502, 503] {
            assert_eq!(Flaw::of(status, false), Some(Flaw::Outage(status)));
        }
        assert_eq!((Flaw::of(403, false), Flaw::of(200, true)), (Some(Flaw::Forbidden), Some(Flaw::Cut)));
    }
}
