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
    let mut checks = Vec::new();
    let mut code = ExitCode::SUCCESS;
    match backends(cli, settings).await {
        Ok(found) => checks.extend(found),
        // What stands in the way of starting is an answer too: the rest is still looked at.
        Err(error) => {
            code = ExitCode::from(output::exit_code(error.kind()));
            let (name, _) = error.code().split_once('.').unwrap_or((error.code(), ""));
            checks.push(Check { name: name.to_owned(), ok: false, optional: false, detail: error.detail().to_owned() });
        }
    }
    checks.extend(tools(settings));
    let healthy = checks.iter().all(|check| check.ok || check.optional);
    if !healthy && code == ExitCode::SUCCESS {
        code = ExitCode::from(output::exit_code(base::Kind::Unavailable));
    }
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
    Ok(code)
}

async fn backends(cli: &Cli, settings: &Settings) -> Result<Vec<Check>> {
    let session = Session::open(cli, settings).await?;
    let outcome = health(&session).await;
    session.close().await;
    outcome
}

async fn health(session: &Session) -> Result<Vec<Check>> {
    let services = session.services()?;
    let version = services.backends.db.version().await?;
    let check = |health: backends::Health| {
        let detail = health.detail.unwrap_or_else(|| if health.name == "db" { version.clone() } else { "answers".to_owned() });
        Check { name: health.name.to_owned(), ok: health.ok, optional: !health.required, detail }
    };
    Ok(services.backends.health().await.into_iter().map(check).collect())
}

fn tools(settings: &Settings) -> Vec<Check> {
    let check = |tool: scans::Installed| {
        let detail = match &tool.file {
            Some(file) => file.display().to_string(),
            None => format!("install the package `{}` to use it; scans go on without", tool.package),
        };
        Check { name: tool.name.to_owned(), ok: tool.file.is_some(), optional: true, detail }
    };
    scans::installed(&settings.scans).into_iter().map(check).collect()
}
