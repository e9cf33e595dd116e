//! The review queue: a finding that could be an older one stands beside those it could be, until a person says which.

use askama::Template;
use axum::extract::State;
use base::{Kind, PageRequest};
use results::{FindingDetail, Resolution, Review};

use super::{Shown, done};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::{Named, Viewer};
use crate::{Services, Shared, errors};

/// Reviews whose titles are listed.
const LISTED: u32 = 25;

#[derive(Template)]
#[template(path = "reviews/queue.html")]
struct QueuePage {
    frame: Frame,
    form: Form,
    /// What is asked now; none when nothing waits.
    asked: Option<Asked>,
    /// What waits, in order.
    waiting: Vec<Waiting>,
    /// Whether more waits than is listed.
    is_more: bool,
    /// Where the question after this one is.
    later: Option<String>,
}

/// One question with everything needed to answer it.
struct Asked {
    review: Review,
    newer: FindingDetail,
    candidates: Vec<FindingDetail>,
    rows: Vec<Row>,
}

/// One thing compared: of the new finding first, then of each candidate with whether it is the same.
struct Row {
    word: &'static str,
    is_mono: bool,
    newer: String,
    candidates: Vec<(String, bool)>,
}

struct Waiting {
    title: String,
    link: String,
    is_asked: bool,
}

pub(crate) async fn queue(State(services): State<Shared>, viewer: Viewer) -> Shown {
    shown(&services, viewer, Form::default(), http::StatusCode::OK).await
}

async fn shown(services: &Services, viewer: Viewer, form: Form, status: http::StatusCode) -> Shown {
    let query = viewer.query.clone();
    let cursor = query.text("cursor");
    let page = services.results.reviews(&viewer.actor, &PageRequest { cursor: cursor.clone(), limit: Some(LISTED) }).await?;
    let skip: usize = query.get("skip").parse().unwrap_or_default();
    let link = |number: usize| {
        let fields = cursor.iter().fold(Fields::default(), |fields, cursor| fields.set("cursor", cursor));
        format!("/reviews?{}", fields.set("skip", number.to_string()).query(&[]))
    };
    let later = match (&page.next_cursor, skip + 1 < page.items.len()) {
        (_, true) => Some(link(skip + 1)),
        (Some(cursor), false) => Some(format!("/reviews?{}", Fields::default().set("cursor", cursor).query(&[]))),
        (None, false) if skip > 0 || cursor.is_some() => Some("/reviews".to_owned()),
        (None, false) => None,
    };
    let waiting = page.items.iter().enumerate().map(|(number, review)| Waiting {
        title: viewer.titled(&review.voice, &review.title).into_owned(),
        link: link(number),
        is_asked: number == skip,
    });
    let waiting = waiting.collect();
    // A queue that grew shorter meanwhile is begun again.
    let review = page.items.get(skip).or(page.items.first()).cloned();
    let asked = match review {
        Some(review) => Some(asked(services, &viewer, review).await?),
        None => None,
    };
    let page = QueuePage { frame: viewer.frame, form, asked, waiting, is_more: page.next_cursor.is_some(), later };
    show_as(status, &page)
}

async fn asked(services: &Services, viewer: &Viewer, review: Review) -> base::Result<Asked> {
    let newer = services.results.finding(&viewer.actor, review.finding_id).await?;
    let mut candidates = Vec::new();
    for id in &review.candidates {
        match services.results.finding(&viewer.actor, *id).await {
            Ok(candidate) => candidates.push(candidate),
            // It was made part of another one since.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let rows = compared(viewer, &newer, &candidates);
    Ok(Asked { review, newer, candidates, rows })
}

/// What tells findings apart, thing by thing.
fn compared(frame: &Frame, newer: &FindingDetail, candidates: &[FindingDetail]) -> Vec<Row> {
    type Part = fn(&Frame, &FindingDetail) -> String;
    let parts: [(&'static str, bool, Part); 9] = [
        ("title", false, |frame, detail| frame.title(&detail.finding).into_owned()),
        ("place", true, |_, detail| super::findings::place(&detail.finding.location)),
        ("check", true, |_, detail| detail.finding.check.clone()),
        ("vulnerability", true, |_, detail| {
            let cwes = detail.finding.cwes.iter().map(|cwe| format!("CWE-{cwe}"));
            detail.finding.cves.iter().cloned().chain(cwes).collect::<Vec<_>>().join(", ")
        }),
        ("severity", false, |frame, detail| frame.word("severity", detail.finding.severity.as_str())),
        ("status", false, |frame, detail| frame.word("status", detail.finding.status)),
        ("seen", false, |frame, detail| {
            format!("{} – {}", frame.plain(&detail.finding.first_seen), frame.plain(&detail.finding.last_seen))
        }),
        ("description", false, |frame, detail| frame.description(&detail.finding).chars().take(1200).collect()),
        ("evidence", true, |_, detail| {
            let piece = detail.observations.first().and_then(|seen| seen.evidence.first());
            piece.map(|piece| piece.body.chars().take(1200).collect()).unwrap_or_default()
        }),
    ];
    let rows = parts.into_iter().map(|(word, is_mono, part)| {
        let own = part(frame, newer);
        let candidates = candidates.iter().map(|candidate| part(frame, candidate)).map(|text| {
            let is_same = text == own;
            (text, is_same)
        });
        Row { word, is_mono, candidates: candidates.collect(), newer: own }
    });
    rows.filter(|row| !row.newer.is_empty() || row.candidates.iter().any(|(text, _)| !text.is_empty())).collect()
}

pub(crate) async fn resolve(State(services): State<Shared>, viewer: Viewer, Named(id): Named<Review>, fields: Fields) -> Shown {
    let resolution = match fields.get("answer") {
        "new" => Ok(Resolution { same_as: None }),
        _ => fields
            .word("same_as")
            .and_then(|same_as| Ok(Resolution { same_as: Some(same_as.ok_or_else(|| errors::no_choice("same_as"))?) })),
    };
    let what = if fields.get("answer") == "new" { "review_new" } else { "review_same" };
    let outcome = match resolution {
        Ok(resolution) => services.results.resolve(&viewer.actor, id, resolution).await.map(drop),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(done("/reviews", what)),
        // Somebody else was quicker: the queue goes on.
        Err(error) if error.kind() == Kind::NotFound => Ok(done("/reviews", "review_answered")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            let form = super::refused(&viewer, fields, error)?;
            shown(&services, viewer, form, status).await
        }
    }
}
