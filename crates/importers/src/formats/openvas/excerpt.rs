//! How much of a task's results a report holds: filters leave results out, and pages end.

use crate::xml::{Node, Tag};

/// How much of the results a report says it shows.
#[derive(Default)]
pub(super) struct Excerpt {
    /// Why the task itself did not run to its end.
    pub(super) broken: Option<String>,
    /// Whether the terms of the filter leave results out, whichever there were.
    narrowed: bool,
    /// Results of the task, and those of the report.
    full: Option<u64>,
    filtered: Option<u64>,
    /// Results of one page; no limit is none.
    page: Option<u64>,
    later: bool,
}

/// A term of a filter that leaves results out: a least quality of detection, some of the four levels.
fn narrows(term: &str) -> bool {
    let value = |name: &str| term.strip_prefix(name)?.strip_prefix(['=', '>']).map(str::trim);
    let some = |name| value(name).and_then(|number| number.parse::<u64>().ok()).is_some_and(|number| number > 0);
    some("min_qod")
        || some("qod")
        || value("levels").is_some_and(|levels| !['h', 'm', 'l', 'g'].iter().all(|level| levels.contains(*level)))
}

impl Excerpt {
    /// Reads `filters`, with its `term` and, in newer reports, `keywords`.
    pub(super) fn filters(&mut self, filters: &Node) {
        let term = filters.child_text("term").unwrap_or_default();
        self.narrowed |= term.split_whitespace().any(narrows);
        for keyword in filters.first("keywords").into_iter().flat_map(|keywords| keywords.all("keyword")) {
            let part = |name| keyword.child_text(name).unwrap_or_default();
            self.narrowed |= narrows(&format!("{}={}", part("column"), part("value")));
        }
    }

    /// Reads `result_count` of a report; that of a host has other members.
    pub(super) fn counts(&mut self, counts: &Node) {
        let number = |name| counts.child_text(name).and_then(|text| text.parse().ok());
        self.full = number("full").or(self.full);
        self.filtered = number("filtered").or(self.filtered);
    }

    /// Reads the page that `results` is.
    pub(super) fn page(&mut self, results: &Tag) {
        let number = |name| results.get(name).and_then(|text| text.parse::<i64>().ok());
        self.later |= number("start").is_some_and(|start| start > 1);
        self.page = number("max").and_then(|most| u64::try_from(most).ok()).or(self.page);
    }

    /// Why results may be missing, where that may be.
    pub(super) fn partial(&self) -> Option<&'static str> {
        let is_filtered = match (self.full, self.filtered) {
            // The counts tell whether the filter left anything out at all.
            (Some(full), Some(filtered)) => filtered < full,
            _ => self.narrowed,
        };
        let is_cut = self.later || self.page.is_some_and(|page| self.filtered.is_none_or(|filtered| filtered > page));
        match (is_filtered, is_cut) {
            (true, _) => Some("the report was filtered"),
            (_, true) => Some("the report is one page of several"),
            _ => None,
        }
    }
}
