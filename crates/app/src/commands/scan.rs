//! `tyrian scan`: from a name to findings and a report, in one command.

use std::io::{IsTerminal, Write, stderr, stdin};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base::{Error, Kind, Result};
use client::Client;
use futures::StreamExt;
use importers::Severity;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value as Json, json};

use super::findings::table;
use super::session::Session;
use crate::cli::{Cli, Gravity, Scan};
use crate::config::Settings;
use crate::{errors, output};

/// How long a declaration on the command line allows scans.
const ALLOWANCE: Duration = Duration::from_secs(24 * 3600);
/// Files a report is written as.
const FORMATS: &[&str] = &["html", "pdf", "json"];

/// Runs the command.
pub(super) async fn run(scan: &Scan, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = tokio::select! {
        outcome = whole(scan, &session.client, cli.json) => outcome,
        _ = tokio::signal::ctrl_c() => Err(errors::interrupted()),
    };
    session.close().await;
    outcome
}

async fn whole(scan: &Scan, client: &Client, as_json: bool) -> Result<ExitCode> {
    let target = target(client, &scan.target).await?;
    let started = start(scan, client, &target).await?;
    let id = started["id"].as_str().unwrap_or_default().to_owned();
    let ended = follow(client, &id, &scan.target).await?;
    let findings = client.all(&format!("findings?scan={id}&limit=500")).await?;
    let files = if scan.no_report { Vec::new() } else { report(scan, client, &id).await? };
    if as_json {
        output::document(&json!({ "scan": ended, "target": target, "findings": findings, "files": files }))?;
    } else {
        table(&findings);
        if findings.is_empty() && ended["error"].is_null() {
            output::note(&format!(
                "the {} profile found nothing on {}; the report says what was and was not tested",
                scan.profile, scan.target
            ));
        }
        stages(&ended);
        for file in &files {
            output::note(&format!("wrote {file}"));
        }
    }
    if let Some(error) = ended["error"].as_str() {
        return Err(errors::scan_failed(error));
    }
    Ok(verdict(scan.fail_on, &findings))
}

/// The recorded target with this address, or a new one.
async fn target(client: &Client, address: &str) -> Result<Json> {
    let kind = if address.contains("://") {
        "web"
    } else if address.contains('/') {
        "network"
    } else {
        "host"
    };
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", address).finish();
    let known = client.all(&format!("targets?{query}")).await?;
    let same = known.into_iter().find(|target| target["address"] == address || target["name"] == address);
    match same {
        Some(target) => Ok(target),
        None => client.post("targets", &json!({ "name": address, "type": kind, "address": address })).await,
    }
}

/// Starts the scan; where no authorisation covers the target, the person may declare one.
async fn start(scan: &Scan, client: &Client, target: &Json) -> Result<Json> {
    let order = json!({ "target_id": target["id"], "scan_type": scan.profile });
    if let Some(reason) = &scan.i_own_this {
        authorize(scan, client, target, reason).await?;
        return client.post("scans", &order).await;
    }
    match client.post("scans", &order).await {
        Err(refused) if refused.kind() == Kind::Forbidden => {
            let reason = ask(&scan.target, &refused)?;
            authorize(scan, client, target, &reason).await?;
            client.post("scans", &order).await
        }
        started => started,
    }
}

async fn authorize(scan: &Scan, client: &Client, target: &Json, reason: &str) -> Result<()> {
    let until = base::Time::from(chrono::Utc::now()) + ALLOWANCE;
    let intrusiveness = if scan.profile == "deep" { "intrusive" } else { "safe" };
    let who = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "the person at the command line".to_owned());
    let authorization = json!({
        "target": target["id"],
        "valid_until": until,
        "intrusiveness": intrusiveness,
        "granted_by": who,
        "evidence": reason,
    });
    client.post::<Json>("authorizations", &authorization).await.map(drop)
}

/// Asks at a terminal; a script has to say it in words.
fn ask(target: &str, refused: &Error) -> Result<String> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(errors::not_authorized(format!(
            "{}. If you own {target} or hold written permission to test it, say so: --i-own-this \"REASON\"",
            refused.detail()
        )));
    }
    output::note(&format!("No authorisation covers {target}. Scanning what you may not test is a crime in many countries."));
    let mut screen = stderr();
    drop(
        write!(screen, "If you own it or hold written permission, say why you may test it (empty to stop): ").and_then(|()| screen.flush()),
    );
    let mut reason = String::new();
    stdin().read_line(&mut reason).map_err(|cause| errors::usage(format!("no answer: {cause}")))?;
    match reason.trim() {
        "" => Err(errors::not_authorized(format!("{target} was not scanned: no authorisation"))),
        reason => Ok(reason.to_owned()),
    }
}

/// Shows a bar until the scan has ended; gives the scan as it ended.
async fn follow(client: &Client, id: &str, target: &str) -> Result<Json> {
    let bar = ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {elapsed} {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(target.to_owned());
    let mut updates = Box::pin(client.follow(&format!("scans/{id}/events")).await?);
    while let Some(update) = updates.next().await {
        let body = update?.body;
        if let Some(fraction) = body["fraction"].as_f64() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a thousand")]
            bar.set_position((fraction.clamp(0.0, 1.0) * 1000.0) as u64);
        }
        let stage = body["stage"].as_str().unwrap_or_default();
        let message = body["message"].as_str().unwrap_or_default();
        bar.set_message(if stage.is_empty() { message.to_owned() } else { format!("{stage}: {message}") });
    }
    bar.finish_and_clear();
    client.get(&format!("scans/{id}")).await
}

/// Says which stages were left out and why: silence would read as "tested".
fn stages(scan: &Json) {
    for stage in scan["stages"].as_array().into_iter().flatten() {
        if let Some(reason) = stage["reason"].as_str().filter(|reason| !reason.is_empty()) {
            output::note(&format!(
                "{} {}: {reason}",
                stage["name"].as_str().unwrap_or_default(),
                stage["state"].as_str().unwrap_or_default()
            ));
        }
    }
}

/// Makes the report and writes it in every format.
async fn report(scan: &Scan, client: &Client, id: &str) -> Result<Vec<String>> {
    // The cover says above it, in its language, what kind of report this is.
    let wanted = json!({ "title": scan.target, "scan_id": id, "language": scan.language });
    let mut report: Json = client.post("reports", &wanted).await?;
    let path = format!("reports/{}", report["id"].as_str().unwrap_or_default());
    while matches!(report["state"].as_str(), Some("queued" | "rendering")) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        report = client.get(&path).await?;
    }
    if report["state"] == "failed" {
        return Err(errors::report_failed(report["error"].as_str().unwrap_or("no reason given")));
    }
    let mut files = Vec::new();
    for format in FORMATS {
        let content = client.bytes(&format!("{path}/files/{format}")).await?;
        files.push(write(&scan.output, format, &content)?);
    }
    Ok(files)
}

fn write(folder: &Path, format: &str, content: &[u8]) -> Result<String> {
    let file = folder.join(format!("report.{format}"));
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, content)).map_err(|cause| errors::file(&file, &cause))?;
    Ok(file.display().to_string())
}

fn verdict(fail_on: Option<Gravity>, findings: &[Json]) -> ExitCode {
    let Some(least) = fail_on else { return ExitCode::SUCCESS };
    let least = match least {
        Gravity::Info => Severity::Info,
        Gravity::Low => Severity::Low,
        Gravity::Medium => Severity::Medium,
        Gravity::High => Severity::High,
        Gravity::Critical => Severity::Critical,
    };
    let is_grave = |finding: &&Json| {
        finding["status"] == "open"
            && finding["severity"].as_str().and_then(|text| text.parse::<Severity>().ok()).is_some_and(|severity| severity >= least)
    };
    if findings.iter().any(|finding| is_grave(&finding)) { ExitCode::from(output::FINDINGS) } else { ExitCode::SUCCESS }
}
