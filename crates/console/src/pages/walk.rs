//! The way through a list of findings: the address of a finding names the list it was reached from, and nothing of it is kept here.

use base::{Kind, Result};
use results::{Finding, FindingId, Sort};

use super::findings::{SAID, filter};
use crate::Services;
use crate::fields::Fields;
use crate::page::Frame;
use crate::request::Viewer;

/// The list, as it stands in the address of a finding.
const FROM: &str = "from";

/// What stands beside a finding in the list it was reached from.
pub(super) struct Walk {
    /// The list itself, at this finding where it still shows it.
    pub(super) list: String,
    /// What the address of every finding of the list carries.
    pub(super) query: String,
    pub(super) before: Option<Finding>,
    pub(super) after: Option<Finding>,
}

/// What the address of a finding carries so that its page leads through this list: its filter, its order, its page.
pub(super) fn through(list: &Fields) -> String {
    let list = list.clone().without(&SAID);
    // A list without any filter has to be named too.
    let list = if list.get("sort").is_empty() { list.without(&["sort"]).set("sort", Sort::Risk.as_str()) } else { list };
    Fields::default().set(FROM, list.query(&[])).query(&[])
}

/// The page of a finding within the list it was reached from, if it was.
pub(super) fn here(frame: &Frame, id: FindingId) -> String {
    format!("/findings/{id}{}", carried(frame))
}

/// What forms on the page of a finding take along.
pub(super) fn carried(frame: &Frame) -> String {
    match frame.query.raw(FROM) {
        "" => String::new(),
        from => format!("?{}", Fields::default().set(FROM, from).query(&[])),
    }
}

impl Walk {
    /// The list named in the address; an address that names none, or something that is no list, leads nowhere.
    pub(super) async fn of(services: &Services, viewer: &Viewer, finding: &Finding) -> Result<Option<Self>> {
        let list = Fields::parse(viewer.query.raw(FROM).as_bytes()).without(&SAID);
        let (Ok(filter), Ok(Some(sort))) = (filter(&list), list.word("sort")) else { return Ok(None) };
        let beside = match services.results.beside(&viewer.actor, &filter, sort, finding).await {
            Err(error) if error.kind() == Kind::Invalid => return Ok(None),
            beside => beside?,
        };
        Ok(Some(Self {
            list: format!("/findings?{}#finding-{}", list.query(&[]), finding.id),
            query: through(&list),
            before: beside.before,
            after: beside.after,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_whole_and_without_what_is_said_once() {
        let list = Fields::parse(b"severity=high&severity=low&q=a+%26+b&sort=&cursor=x&done=decided_many&decided=3");
        let named = Fields::parse(through(&list).as_bytes());
        assert_eq!(named.raw(FROM), "severity=high&severity=low&q=a+%26+b&cursor=x&sort=risk");
        assert_eq!(through(&Fields::default()), "from=sort%3Drisk");
    }
}
