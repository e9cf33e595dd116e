//! `tyrian search`: one query over an index; on local storage the index is brought up to date first.

use std::process::ExitCode;

use base::Result;
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::{Cli, Search, SearchCommand};
use crate::config::Settings;
use crate::output;

/// Runs the command.
pub(super) async fn run(command: &Search, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = act(command, cli, &session).await;
    session.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(command: &Search, cli: &Cli, session: &Session) -> Result<()> {
    match &command.command {
        Some(SearchCommand::Rebuild { index }) => rebuild(session, index.as_deref(), cli).await,
        Some(SearchCommand::Indices) => indices(session, cli.json).await,
        None => find(command, session, cli).await,
    }
}

async fn find(command: &Search, session: &Session, cli: &Cli) -> Result<()> {
    if cli.server.is_none() {
        session.services()?.search.prepare().await?;
    }
    let mut parameters = url::form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("q", &command.query.join(" ")).append_pair("index", &command.index);
    parameters.append_pair("sort", &command.sort).append_pair("limit", &command.limit.to_string());
    let answer: Json = session.client.get(&format!("search?{}", parameters.finish())).await?;
    if cli.json {
        return output::document(&answer);
    }
    for hit in answer["items"].as_array().into_iter().flatten() {
        let fields = hit["fields"].as_object().into_iter().flatten();
        let shown: Vec<String> = fields
            .filter_map(|(_, value)| match value {
                Json::Null => None,
                Json::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            })
            .collect();
        output::line(&format!("{}  {}", hit["id"].as_str().unwrap_or_default(), shown.join("  ")));
    }
    let more = if answer["total_is_exact"] == json!(false) { " or more" } else { "" };
    output::line(&format!("{}{more} found", answer["total"]));
    Ok(())
}

async fn rebuild(session: &Session, index: Option<&str>, cli: &Cli) -> Result<()> {
    if cli.server.is_some() {
        let asked: Json = index.map_or_else(|| json!({}), |index| json!({ "index": index }));
        let queued: Json = session.client.post("search/rebuild", &asked).await?;
        return report(cli, &queued, "the index is being made anew; it answers meanwhile");
    }
    let search = &session.services()?.search;
    let mut counts = serde_json::Map::new();
    for name in search::IndexName::ALL.iter().copied().filter(|name| index.is_none_or(|wanted| wanted == name.schema().name)) {
        counts.insert(name.schema().name.to_owned(), json!(search.rebuild_now(name).await?));
    }
    if counts.is_empty() {
        return Err(crate::errors::usage("there is no such index; `tyrian search indices` lists them"));
    }
    let text: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
    report(cli, &Json::Object(counts), &text.join("\n"))
}

async fn indices(session: &Session, as_json: bool) -> Result<()> {
    let indices: Json = session.client.get("search/indices").await?;
    if as_json {
        return output::document(&indices);
    }
    for index in indices.as_array().into_iter().flatten() {
        output::line(&format!("{} (sorted by {})", index["name"].as_str().unwrap_or_default(), index["sort"].as_str().unwrap_or_default()));
        for field in index["fields"].as_array().into_iter().flatten() {
            let text = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
            output::line(&format!("  {:<14} {:<8} {}", text("name"), text("type"), text("about")));
        }
    }
    Ok(())
}

fn report(cli: &Cli, document: &Json, text: &str) -> Result<()> {
    if cli.json {
        return output::document(document);
    }
    output::line(text);
    Ok(())
}
