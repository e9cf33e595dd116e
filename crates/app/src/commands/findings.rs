//! `tyrian findings`: the list and the detail, as a table or JSON, and notes.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use base::Result;
use futures::StreamExt;
use serde_json::{Value as Json, json};

use super::session::Session;
use super::{correlation, decide};
use crate::cli::{Cli, Findings};
use crate::config::Settings;
use crate::{errors, output};

/// Runs the command.
pub(super) async fn run(command: &Findings, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    // Before anything is opened: somebody may still be typing.
    let typed = match command {
        Findings::Note { text, .. } if text == "-" => Some(typed()?),
        _ => None,
    };
    let session = Session::open(cli, settings).await?;
    let mut code = ExitCode::SUCCESS;
    let outcome = match command {
        Findings::List { severity, status, query, target, source } => {
            let words = [("status", status), ("q", query), ("target", target), ("source", source)];
            list(&session, &filter(severity, &words), cli.json).await
        }
        Findings::Show { id } => show(&session, id, cli.json).await,
        Findings::Decide(order) => decide::run(&session, order, cli.json).await.map(|told| code = told),
        Findings::Note { id, text } => note(&session, id, typed.as_deref().unwrap_or(text), cli.json).await,
        Findings::Causes { kind, target } => {
            correlation::causes(&session, &filter(&[], &[("kind", kind), ("target", target)]), cli.json).await
        }
        Findings::Paths => correlation::paths(&session, cli.json).await,
        Findings::Patterns { days } => correlation::patterns(&session, *days, cli.json).await,
        Findings::Export { format, output, severity, status, target, source } => {
            let words = [("status", status), ("target", target), ("source", source)];
            export(&session, format, output.as_deref(), &filter(severity, &words), cli.json).await
        }
    };
    session.close().await;
    outcome.map(|()| code)
}

/// What comes on stdin, to its end.
fn typed() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|cause| errors::file(Path::new("-"), &cause))?;
    Ok(text)
}

/// A filter as the API takes it.
fn filter(severity: &[String], words: &[(&str, &Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for word in severity {
        query.append_pair("severity", word);
    }
    for (name, value) in words {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

async fn export(session: &Session, format: &str, file: Option<&Path>, filter: &str, as_json: bool) -> Result<()> {
    let format: String = url::form_urlencoded::byte_serialize(format.as_bytes()).collect();
    let mut parts = session.client.download(&format!("findings/export?format={format}&{filter}")).await?;
    let unwritten = |cause: std::io::Error| errors::file(file.unwrap_or_else(|| Path::new("-")), &cause);
    let mut out: Box<dyn Write + Send> = match file {
        Some(path) => Box::new(std::fs::File::create(path).map_err(unwritten)?),
        None => Box::new(std::io::stdout()),
    };
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        let part = part?;
        bytes += part.len();
        out.write_all(&part).map_err(unwritten)?;
    }
    out.flush().map_err(unwritten)?;
    match file {
        Some(file) if as_json => output::document(&json!({ "file": file.display().to_string(), "bytes": bytes })),
        _ => Ok(()),
    }
}

async fn list(session: &Session, filter: &str, as_json: bool) -> Result<()> {
    let findings = session.client.all(&format!("findings?limit=500&{filter}")).await?;
    if as_json {
        output::document(&json!({ "findings": findings }))?;
    } else {
        table(&findings);
    }
    Ok(())
}

async fn show(session: &Session, id: &str, as_json: bool) -> Result<()> {
    let mut detail: Json = session.client.get(&format!("findings/{id}")).await?;
    let notes = session.client.all(&format!("findings/{id}/notes?limit=500")).await?;
    if as_json {
        if let Json::Object(members) = &mut detail {
            members.insert("notes".to_owned(), Json::Array(notes));
        }
        return output::document(&detail);
    }
    let finding = &detail["finding"];
    let text = |key: &str| finding[key].as_str().unwrap_or("-").to_owned();
    output::line(&format!("{} [{}, {}]\n", text("title"), text("severity"), text("status")));
    for (label, key) in [
        ("Description", "description"),
        ("Remediation", "remediation"),
        ("CVSS", "cvss"),
        ("First seen", "first_seen"),
        ("Last seen", "last_seen"),
    ] {
        if let Some(value) = finding[key].as_str().filter(|value| !value.is_empty()) {
            output::line(&format!("{label}: {value}"));
        }
    }
    output::line(&format!("Where: {}", place(finding)));
    if let Some(probability) = detail["false_positive"]["probability"].as_f64() {
        let reason = detail["false_positive"]["reasons"][0]["message"].as_str().unwrap_or("past decisions");
        output::line(&format!("False positive: {:.0} % likely ({reason})", probability * 100.0));
    }
    for evidence in
        detail["observations"].as_array().into_iter().flatten().flat_map(|seen| seen["evidence"].as_array().into_iter().flatten()).take(5)
    {
        output::line(&format!("\n{}:\n{}", evidence["label"].as_str().unwrap_or_default(), evidence["body"].as_str().unwrap_or_default()));
    }
    for note in &notes {
        let text = |key: &str| note[key].as_str().unwrap_or("-");
        output::line(&format!("\nNote of {}, {}:\n{}", text("written_by_name"), text("created_at"), text("text")));
    }
    Ok(())
}

async fn note(session: &Session, id: &str, text: &str, as_json: bool) -> Result<()> {
    let note: Json = session.client.post(&format!("findings/{id}/notes"), &json!({ "text": text })).await?;
    if as_json {
        return output::document(&note);
    }
    output::line(&format!("noted at {}", note["created_at"].as_str().unwrap_or("-")));
    Ok(())
}

/// Prints findings as a table, gravest first as the API sorts them.
pub(super) fn table(findings: &[Json]) {
    if findings.is_empty() {
        output::line("no findings");
        return;
    }
    output::line(&format!("{:<36}  {:<9} {:<14} {:<34} {}", "ID", "SEVERITY", "STATUS", "WHERE", "TITLE"));
    for finding in findings {
        let text = |key: &str| finding[key].as_str().unwrap_or("-");
        let [id, severity, status, title] = ["id", "severity", "status", "title"].map(text);
        output::line(&format!("{id:<36}  {severity:<9} {status:<14} {:<34} {title}", place(finding)));
    }
}

/// Where a finding is, in one word.
fn place(finding: &Json) -> String {
    let location = &finding["location"];
    let text = |key: &str| location[key].as_str();
    if let Some(url) = text("url") {
        return url.to_owned();
    }
    if let Some(file) = text("file") {
        return location["line"].as_u64().map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    }
    match (text("host").or_else(|| text("ip")), location["port"].as_u64()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => location["component"]["name"].as_str().unwrap_or("-").to_owned(),
    }
}
