//! `tyrian feeds`: bring likelihoods of exploitation and known exploited vulnerabilities from files, offline.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use base::Result;
use risk::feeds::{Kind, Limits, read};
use serde_json::Value as Json;

use super::session::Session;
use crate::cli::{Cli, FeedName, Feeds};
use crate::config::Settings;
use crate::{errors, output};

/// Runs one of the commands on feeds.
pub(super) async fn run(feeds: &Feeds, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    // Read before anything is opened: a broken file is told with its line, and a whole one says what it is.
    let file = match feeds {
        Feeds::Update { file, kind } => Some((file, check(file, *kind)?)),
        Feeds::List => None,
    };
    let session = Session::open(cli, settings).await?;
    let outcome = match file {
        Some((file, kind)) => update(&session, file, kind).await,
        None => session.client.get::<Json>("feeds").await,
    };
    session.close().await;
    let answer = outcome?;
    if cli.json {
        output::document(&answer)?;
    } else {
        match answer.as_array() {
            Some(feeds) => feeds.iter().for_each(print),
            None => {
                print(&answer["feed"]);
                output::line(&format!("{} entries changed, {} are gone", answer["changed"], answer["removed"]));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(path: &Path, kind: Option<FeedName>) -> Result<Kind> {
    let file = File::open(path).map_err(|cause| errors::file(path, &cause))?;
    let kind = kind.map(|name| match name {
        FeedName::Epss => Kind::Epss,
        FeedName::Kev => Kind::Kev,
    });
    let release = read(file, kind, &Limits::default(), |_| Ok(())).map_err(|failure| errors::feed_unreadable(path, &failure))?;
    Ok(release.kind)
}

async fn update(session: &Session, path: &Path, kind: Kind) -> Result<Json> {
    let content = std::fs::read(path).map_err(|cause| errors::file(path, &cause))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("filename", &name).finish();
    session.client.upload(&format!("feeds/{}?{query}", kind.as_str()), content, "application/octet-stream").await
}

fn print(feed: &Json) {
    let text = |name: &str| feed[name].as_str().unwrap_or("-").to_owned();
    if feed["updated_at"].is_null() {
        output::line(&format!("{:<4}  never loaded", text("kind")));
        return;
    }
    output::line(&format!(
        "{:<4}  {} entries of {}, version {}, brought {} by {}",
        text("kind"),
        feed["entries"],
        text("released"),
        text("version"),
        text("updated_at"),
        text("updated_by")
    ));
}
