//! `tyrian keys`: list and rotate signing keys.

use std::process::ExitCode;
use std::time::Duration;

use base::Result;
use serde_json::json;

use super::session::Session;
use crate::cli::{Cli, KeysCommand};
use crate::config::Settings;
use crate::output;

/// How long an old audit key stays listed as current after its successor signs.
const AUDIT_RETIREMENT: Duration = Duration::from_secs(24 * 3600);

/// Runs the command.
pub(super) async fn run(command: &KeysCommand, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = match command {
        KeysCommand::List => list(&session, cli.json).await,
        KeysCommand::Rotate { purpose } => rotate(&session, purpose, cli.json).await,
    };
    session.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn list(session: &Session, as_json: bool) -> Result<()> {
    let keys = &session.services()?.backends.keys;
    let mut rows = Vec::new();
    for purpose in ["jwt", "ssf", "audit"] {
        for key in keys.public(purpose).await? {
            rows.push(json!({ "purpose": purpose, "key": key }));
        }
    }
    if as_json {
        return output::document(&json!({ "keys": rows }));
    }
    for row in rows {
        output::line(&format!("{:<6} {}", row["purpose"].as_str().unwrap_or_default(), row["key"]));
    }
    Ok(())
}

async fn rotate(session: &Session, purpose: &str, as_json: bool) -> Result<()> {
    let services = session.services()?;
    let told = match purpose {
        "jwt" => {
            let actor = base::Actor::system(services.auth.home_tenant().await?, base::Source::Cli);
            json!(services.auth.rotate_keys(&actor).await?)
        }
        "ssf" => {
            let actor = base::Actor::system(services.auth.home_tenant().await?, base::Source::Cli);
            json!(services.integrations.rotate_keys(&actor).await?)
        }
        "audit" => json!(services.backends.keys.rotate(purpose, Duration::ZERO, AUDIT_RETIREMENT).await?),
        other => return Err(crate::errors::usage(format!("`{other}` is not a purpose; keys exist for jwt, ssf and audit"))),
    };
    if as_json {
        output::document(&told)
    } else {
        output::line(&format!("rotated: {told}"));
        Ok(())
    }
}
