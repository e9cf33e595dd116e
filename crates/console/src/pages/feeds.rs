//! Feeds: how fresh what is known about exploitation is, and the files that bring it up to date. Nothing is fetched.

use askama::Template;
use axum::extract::{Path, State};
use base::Time;
use results::{Feed, FeedKind, actions};

use super::{Shown, done, refused};
use crate::fields::{Fields, Form};
use crate::page::{Frame, show_as};
use crate::request::Viewer;
use crate::upload::{Parts, Received};
use crate::{Services, Shared, errors};

/// Largest feed.
const LARGEST: u64 = 128 << 20;
/// Days after which a feed is called old; both are published daily.
const FRESH: u64 = 7;

#[derive(Template)]
#[template(path = "settings/feeds.html")]
struct FeedsPage {
    frame: Frame,
    form: Form,
    /// The feed whose form was refused.
    at_fault: Option<FeedKind>,
    feeds: Vec<Feed>,
}

pub(crate) async fn show(State(services): State<Shared>, viewer: Viewer) -> Shown {
    shown(&services, viewer, Form::default(), None, http::StatusCode::OK).await
}

async fn shown(services: &Services, mut viewer: Viewer, form: Form, at_fault: Option<FeedKind>, status: http::StatusCode) -> Shown {
    let feeds = services.results.feeds(&viewer.actor).await?;
    viewer.frame.path = "/settings/feeds".to_owned();
    show_as(status, &FeedsPage { frame: viewer.frame, form, at_fault, feeds })
}

/// How a feed stands: never brought, fresh or old.
fn freshness(feed: &Feed, now: &Time) -> &'static str {
    match age(feed, now) {
        None => "never",
        Some(days) if days > FRESH => "old",
        Some(_) => "fresh",
    }
}

/// How many days old a feed's entries are.
fn age(feed: &Feed, now: &Time) -> Option<u64> {
    let updated = feed.updated_at?;
    let today = now.to_chrono().date_naive();
    let released = feed.released.as_deref().and_then(|day| day.parse::<chrono::NaiveDate>().ok());
    let released = released.unwrap_or_else(|| updated.to_chrono().date_naive());
    Some((today - released).num_days().try_into().unwrap_or_default())
}

pub(crate) async fn update(State(services): State<Shared>, viewer: Viewer, Path(kind): Path<String>, parts: Parts) -> Shown {
    // Checked before a byte is read: nobody may fill the disk without the permission.
    viewer.actor.scope(actions::UPDATE_FEED)?;
    let kind: FeedKind = kind.parse().map_err(|_| errors::no_such_page())?;
    let outcome = match parts.read(LARGEST).await.and_then(|upload| upload.file.ok_or_else(errors::no_file)) {
        Ok(Received { name, file, .. }) => Box::pin(services.results.update_feed(&viewer.actor, kind, name, file)).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(done("/settings/feeds", "feed_updated")),
        Err(error) => {
            let status = crate::failure::status(error.kind());
            // The detail names the line at fault.
            let form = if error.code() == "results.feed_unreadable" {
                Form::refused(Fields::default(), Some("file".to_owned()), error.detail().to_owned())
            } else {
                refused(&viewer, Fields::default(), error)?
            };
            shown(&services, viewer, form, Some(kind), status).await
        }
    }
}
