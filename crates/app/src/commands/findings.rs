//! `tyrian findings`: the list and the detail, as a table or JSON.

use std::process::ExitCode;

use base::Result;
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::{Cli, Findings};
use crate::config::Settings;
use crate::output;

/// Runs the command.
pub(super) async fn run(command: &Findings, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = match command {
        Findings::List { severity, status, query } => list(&session, severity, status.as_deref(), query.as_deref(), cli.json).await,
        Findings::Show { id } => show(&session, id, cli.json).await,
    };
    session.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn list(session: &Session, severity: &[String], status: Option<&str>, text: Option<&str>, as_json: bool) -> Result<()> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", "500");
    for word in severity {
        query.append_pair("severity", word);
    }
    if let Some(status) = status {
        query.append_pair("status", status);
    }
    if let Some(text) = text {
        query.append_pair("q", text);
    }
    let findings = session.client.all(&format!("findings?{}", query.finish())).await?;
    if as_json {
        output::document(&json!({ "findings": findings }))?;
    } else {
        table(&findings);
    }
    Ok(())
}

async fn show(session: &Session, id: &str, as_json: bool) -> Result<()> {
    let detail: Json = session.client.get(&format!("findings/{id}")).await?;
    if as_json {
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
    for evidence in
        detail["observations"].as_array().into_iter().flatten().flat_map(|seen| seen["evidence"].as_array().into_iter().flatten()).take(5)
    {
        output::line(&format!("\n{}:\n{}", evidence["label"].as_str().unwrap_or_default(), evidence["body"].as_str().unwrap_or_default()));
    }
    Ok(())
}

/// Prints findings as a table, gravest first as the API sorts them.
pub(super) fn table(findings: &[Json]) {
    if findings.is_empty() {
        output::line("no findings");
        return;
    }
    output::line(&format!("{:<9} {:<14} {:<34} {}", "SEVERITY", "STATUS", "WHERE", "TITLE"));
    for finding in findings {
        let text = |key: &str| finding[key].as_str().unwrap_or("-");
        output::line(&format!("{:<9} {:<14} {:<34} {}", text("severity"), text("status"), place(finding), text("title")));
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
