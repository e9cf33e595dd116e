//! The audit log: entries, one entry with its proof, the checkpoint, and a check of the whole.

use askama::Template;
use audit::{Entry, Filter, Proven, verify};
use axum::extract::State;
use base::Id;

use super::{Shown, page_of, readable};
use crate::Shared;
use crate::fields::Form;
use crate::page::{Frame, show as render};
use crate::request::{Named, Viewer};

/// What narrows the list, as it stands in its address.
const FILTERS: [&str; 6] = ["user", "action", "subject_kind", "subject_id", "from", "to"];

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    form: Form,
    entries: Vec<Entry>,
    checkpoint: Option<String>,
    is_narrowed: bool,
    /// How many filters are set.
    set: u64,
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

/// The page about what an entry is about, for what has one. It may be gone by now.
fn subject(entry: &Entry) -> Option<String> {
    let id: Id<()> = entry.subject_id.parse().ok()?;
    let folder = match entry.subject_kind.as_str() {
        "device" => "devices",
        "finding" => "findings",
        "import" => "imports",
        "kill_switch" => "devices/switches",
        "scan" => "scans",
        "target" => "targets",
        "user" => "settings/users",
        _ => return None,
    };
    Some(format!("/{folder}/{id}"))
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
        is_narrowed: query.any(&FILTERS) || query.any(&["cursor"]),
        set: query.count(&FILTERS),
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
