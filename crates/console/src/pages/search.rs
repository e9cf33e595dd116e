//! Search: one line of query language over findings, observations, targets, the audit log and figures.

use std::borrow::Cow;

use askama::Template;
use axum::extract::State;
use base::{Error, Kind};
use search::{Answer, FieldKind, Hit, IndexName, IndexState, Question};
use serde_json::Value as Json;

use super::Shown;
use crate::Shared;
use crate::catalogue::Speech;
use crate::fields::{Fields, Form};
use crate::page::{Choice, Frame, Markup, show_as};
use crate::request::{Viewer, correctable};

const ROWS: u32 = 25;
/// The language in small, each piece with the key of what it means.
const GRAMMAR: [(&str, &str); 8] = [
    ("word", "word"),
    ("\"a phrase\"", "phrase"),
    ("field:value", "field"),
    ("begin*", "beginning"),
    ("field:*", "any"),
    (">=7, [1 TO 9]", "range"),
    ("AND, OR, NOT", "boolean"),
    ("(a OR b)", "group"),
];

#[derive(Template)]
#[template(path = "search/show.html")]
struct SearchPage {
    frame: Frame,
    form: Form,
    index: IndexName,
    indices: Vec<Choice>,
    /// The index that is searched: its fields, and whether it is up to date.
    state: IndexState,
    sorts: Vec<Choice>,
    answer: Option<Answer>,
    next: Option<String>,
    examples: &'static [&'static str],
}

/// The word of an index, as addresses have it.
fn word(index: IndexName) -> String {
    serde_json::to_value(index).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn named(text: &str) -> IndexName {
    IndexName::ALL.iter().copied().find(|index| word(*index) == text).unwrap_or_default()
}

/// Queries that show the language at work.
const fn examples(index: IndexName) -> &'static [&'static str] {
    match index {
        IndexName::Vulnerabilities => &[
            "severity:>=high AND status:open",
            "title:\"weak cipher\" NOT status:fixed",
            "cve:CVE-2021* OR cwe:CWE-79",
            "port:[1 TO 1024] host:10.*",
            "first_seen:>=2026-01-01 tag:(pci OR shop)",
        ],
        IndexName::ScanResults => &["source:nmap severity:>=medium", "evidence:password", "port:443 created_at:>=2026-01-01"],
        IndexName::AuditLogs => &["action:results.decide", "username:ada NOT source:job", "action:auth.* created_at:>=2026-01-01"],
        IndexName::SystemMetrics => &["name:scan*", "value:>100 recorded_at:>=2026-01-01"],
        IndexName::Assets => &["criticality:>=high", "type:web environment:production", "tag:pci OR owner:ada"],
    }
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let states = services.search.indices(&viewer.actor).await?;
    let wanted = named(query.get("index"));
    // Who may not read the first index searches what they may.
    let wanted = states.iter().find(|state| state.name == wanted).or(states.first()).cloned();
    let Some(state) = wanted else {
        return Err(crate::errors::no_such_page().into());
    };
    let asks = query.any(&["q", "cursor"]) || query.get("all") == "true";
    let question = Question {
        q: query.get("q").to_owned(),
        index: state.name,
        sort: query.get("sort").to_owned(),
        cursor: query.text("cursor"),
        limit: Some(ROWS),
    };
    let (mut answer, mut form, mut status) = (None, Form::of(query.clone()), http::StatusCode::OK);
    if asks {
        match services.search.find(&viewer.actor, &question).await {
            Ok(found) => answer = Some(found),
            Err(error) => {
                status = crate::failure::status(error.kind());
                form = refused(&viewer, query.clone(), error)?;
            }
        }
    }
    let next = answer.as_ref().and_then(|answer| query.next("/search", answer.next_cursor.clone()));
    let sorts = state.fields.iter().filter(|field| field.sortable).flat_map(|field| {
        let choice = |value: String, arrow: &str| Choice { label: format!("{} {arrow}", field.name), value };
        [choice(format!("-{}", field.name), "↓"), choice(field.name.to_owned(), "↑")]
    });
    let page = SearchPage {
        indices: states.iter().map(|state| Choice { value: word(state.name), label: viewer.word("index", word(state.name)) }).collect(),
        sorts: sorts.collect(),
        examples: examples(state.name),
        index: state.name,
        frame: viewer.frame,
        form,
        state,
        answer,
        next,
    };
    show_as(status, &page)
}

/// What is wrong with a query is said beside it, with the character; an index that is away is no fault of the query.
fn refused(frame: &Frame, query: Fields, error: Error) -> Result<Form, crate::failure::Failure> {
    if matches!(error.kind(), Kind::Unavailable | Kind::Timeout) {
        return Ok(Form::refused(query, None, frame.say("search.away").to_owned()));
    }
    let error = correctable(error)?;
    let field = error.field().map(str::to_owned);
    // The detail names the character, which no text of ours could.
    let message = if error.code() == "search.query" { error.detail().to_owned() } else { frame.error(&error) };
    Ok(Form::refused(query, field, message))
}

/// A text of a hit; empty when it is not there.
fn text<'h>(hit: &'h Hit, name: &str) -> &'h str {
    hit.fields.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// The line that stands for the hit.
fn title<'h>(frame: &Frame, hit: &'h Hit) -> Cow<'h, str> {
    let first = ["title", "name", "action_taken"].into_iter().map(|name| text(hit, name)).find(|text| !text.is_empty());
    frame.titled(&hit.voice, first.unwrap_or(&hit.id))
}

/// Where the hit leads to.
fn link(hit: &Hit, index: &IndexName) -> Option<String> {
    let id = |name| Some(text(hit, name)).filter(|id| !id.is_empty());
    match index {
        IndexName::Vulnerabilities => Some(format!("/findings/{}", hit.id)),
        IndexName::ScanResults => id("finding_id").map(|id| format!("/findings/{id}")),
        IndexName::AuditLogs => Some(format!("/audit/{}", hit.id)),
        IndexName::SystemMetrics => id("scan_id").map(|id| format!("/scans/{id}")),
        IndexName::Assets => Some(format!("/targets/{}", hit.id)),
    }
}

/// What stands below the line: places, tools, people, values.
fn facts(hit: &Hit) -> Vec<String> {
    let value = |name: &str| match hit.fields.get(name) {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    ["place", "address", "source", "username", "subject_kind", "subject_id", "value"].into_iter().filter_map(value).collect()
}

/// The newest moment the hit tells.
fn moment(frame: &Frame, hit: &Hit) -> Option<Markup> {
    let found = ["last_seen", "created_at", "recorded_at"].into_iter().find_map(|name| hit.fields.get(name));
    let time: Option<base::Time> = found.and_then(|value| serde_json::from_value(value.clone()).ok());
    time.map(|time| frame.time(&time))
}

const fn kind(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Keyword => "keyword",
        FieldKind::Integer => "integer",
        FieldKind::Number => "number",
        FieldKind::Time => "time",
        FieldKind::Flag => "flag",
        FieldKind::Rank => "rank",
    }
}

/// The address of a query on this index.
fn asking(index: &IndexName, q: &str) -> String {
    format!("/search?{}", Fields::default().set("index", word(*index)).set("q", q).query(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_query_of_its_index() {
        for index in IndexName::ALL {
            for example in examples(*index) {
                assert!(query::parse(example, index.schema(), 0).is_ok(), "{example}");
            }
            assert_eq!(named(&word(*index)), *index);
        }
    }
}
