//! What checks were made for: a run asks for the pages that the site names, and those of another run may be others.
//! Invariant: a page that was not asked, or whose weakness is told of elsewhere, is not among them.

use std::collections::BTreeSet;

use url::Url;

use crate::catalogue::Check;
use crate::report::{CoverageStatus, Covered, Issue};
use crate::session::{Endpoint, Session};

/// Checks, and the page or the place by its name that each was made for.
#[derive(Default)]
pub(super) struct Asked(BTreeSet<(&'static str, Option<Url>, Option<String>)>);

impl Asked {
    /// Notes that these checks were made for a page, whatever its query.
    pub(super) fn page(&mut self, checks: &[&'static Check], url: &Url) {
        let mut page = url.clone();
        page.set_query(None);
        page.set_fragment(None);
        self.0.extend(checks.iter().map(|check| (check.id, Some(page.clone()), None)));
    }

    /// Notes that these checks were made for a page. What was seen there and is told of another page only is still there.
    pub(super) fn judged(&mut self, checks: &[&'static Check], url: &Url, untold: &[Issue]) {
        let is_told = |check: &Check| untold.iter().all(|issue| issue.check != check.id);
        self.page(&checks.iter().copied().filter(|check| is_told(check)).collect::<Vec<_>>(), url);
    }

    /// Notes that a check was made for what its issues name as their parameter.
    pub(super) fn about(&mut self, check: &'static Check, name: &str) {
        self.0.insert((check.id, None, Some(name.to_owned())));
    }

    /// Tells what was made.
    pub(super) async fn tell(self, session: &Session, endpoint: &Endpoint) {
        for (check, url, parameter) in self.0 {
            session.tell_covered(Covered { url, parameter, ..Covered::at(check, endpoint, CoverageStatus::Done) }).await;
        }
    }
}
