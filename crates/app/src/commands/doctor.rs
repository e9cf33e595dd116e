//! `tyrian doctor`: what works on this machine, what does not, and what to do about it.

use std::process::ExitCode;

use base::Result;
use serde_json::json;

use super::session::Session;
use crate::cli::Cli;
use crate::config::Settings;
use crate::output;

/// One thing looked at.
struct Check {
    name: String,
    ok: bool,
    /// Whether the platform works without it.
    optional: bool,
    detail: String,
}

/// Looks at everything; the exit code is 6 when something needed does not work.
pub(super) async fn run(cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = look(&session, settings).await;
    session.close().await;
    let checks = outcome?;
    let healthy = checks.iter().all(|check| check.ok || check.optional);
    if cli.json {
        let rows: Vec<_> = checks
            .iter()
            .map(|check| json!({ "name": check.name, "ok": check.ok, "optional": check.optional, "detail": check.detail }))
            .collect();
        output::document(&json!({ "ok": healthy, "checks": rows }))?;
    } else {
        for check in &checks {
            let word = if check.ok {
                "ok"
            } else if check.optional {
                "missing"
            } else {
                "FAILED"
            };
            output::line(&format!("{word:<8} {:<12} {}", check.name, check.detail));
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::from(output::exit_code(base::Kind::Unavailable)) })
}

async fn look(session: &Session, settings: &Settings) -> Result<Vec<Check>> {
    let services = session.services()?;
    let version = services.backends.db.version().await?;
    let mut checks = Vec::new();
    for health in services.backends.health().await {
        let detail = health.detail.unwrap_or_else(|| if health.name == "db" { version.clone() } else { "answers".to_owned() });
        checks.push(Check { name: health.name.to_owned(), ok: health.ok, optional: !health.required, detail });
    }
    for tool in scans::installed(&settings.scans) {
        let detail = match &tool.file {
            Some(file) => file.display().to_string(),
            None => format!("install the package `{}` to use it; scans go on without", tool.package),
        };
        checks.push(Check { name: tool.name.to_owned(), ok: tool.file.is_some(), optional: true, detail });
    }
    Ok(checks)
}
