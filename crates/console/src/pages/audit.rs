//! The audit log: entries, one entry with its proof, the checkpoint, and a check of the whole.

use askama::Template;
use audit::{Entry, Filter, Proven, verify};
use axum::extract::State;

use super::{Shown, page_of, readable};
use crate::Shared;
use crate::fields::Form;
use crate::page::{Frame, show as render};
use crate::request::{Named, Viewer};

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    entries: Vec<Entry>,
    checkpoint: Option<String>,
    is_narrowed: bool,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "audit/show.html")]
struct EntryPage {
    frame: Frame,
    proven: Proven,
    /// What more there is to say, if anything.
    detail: Option<String>,
}

#[derive(Template)]
#[template(path = "audit/verify.html")]
struct VerifyPage {
    frame: Frame,
    report: verify::Report,
}

pub(crate) async fn list(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let query = viewer.query.clone();
    let filter = Filter {
        user: query.word("user")?,
        action: query.text("action"),
        subject_kind: query.text("subject_kind"),
        subject_id: query.text("subject_id"),
        from: query.moment("from")?,
        to: query.moment("to")?,
    };
    let page = services.audit.entries(&viewer.actor, &filter, &page_of(&query)).await?;
    // There is none in the first second of an installation.
    let checkpoint = readable(services.audit.checkpoint(&viewer.actor).await).ok().flatten();
    render(&ListPage {
        frame: viewer.frame,
        entries: page.items,
        checkpoint,
        is_narrowed: query.any(&["user", "action", "subject_kind", "subject_id", "from", "to", "cursor"]),
        next: query.next("/audit", page.next_cursor),
        form: Form::of(query),
    })
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer, Named(id): Named<audit::AuditEntry>) -> Shown {
    let proven = services.audit.entry(&viewer.actor, id).await?;
    let detail = (!proven.entry.detail.is_null()).then(|| serde_json::to_string_pretty(&proven.entry.detail).unwrap_or_default());
    render(&EntryPage { frame: viewer.frame, proven, detail })
}

pub(crate) async fn verify(State(services): State<Shared>, viewer: Viewer) -> Shown {
    let report = services.audit.verify(&viewer.actor, verify::Trust::default()).await?;
    render(&VerifyPage { frame: viewer.frame, report })
}
