//! `tyrian keys`: list and rotate signing keys.

use std::process::ExitCode;

use base::Result;
use serde_json::json;

use super::session::Session;
use crate::cli::{Cli, KeysCommand};
use crate::config::Settings;
use crate::output;

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
            rows.push(json!({ "purpose": purpose, "kid": key.kid, "algorithm": key.algorithm, "state": key.state,
                "signs_from": key.not_before, "retires_at": key.retire_at, "jwk": key.jwk }));
        }
    }
    if as_json {
        return output::document(&json!({ "keys": rows }));
    }
    if rows.is_empty() {
        output::line("no keys: the first is made when something has to be signed");
        return Ok(());
    }
    output::line(&format!("{:<8} {:<10} {:<10} {:<28} {:<28} {}", "PURPOSE", "STATE", "ALGORITHM", "SIGNS FROM", "RETIRES AT", "KEY"));
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let [purpose, state, algorithm] = ["purpose", "state", "algorithm"].map(text);
        let [from, until, kid] = ["signs_from", "retires_at", "kid"].map(text);
        output::line(&format!("{purpose:<8} {state:<10} {algorithm:<10} {from:<28} {until:<28} {kid}"));
    }
    Ok(())
}

async fn rotate(session: &Session, purpose: &str, as_json: bool) -> Result<()> {
    let services = session.services()?;
    let actor = base::Actor::system(services.auth.home_tenant().await?, base::Source::Cli);
    let [previous, next, signs_from] = match purpose {
        "jwt" => {
            let rotated = services.auth.rotate_keys(&actor).await?;
            [rotated.previous, rotated.next, rotated.signs_from.to_string()]
        }
        "ssf" => {
            let rotated = services.integrations.rotate_keys(&actor).await?;
            [rotated.previous, rotated.next, rotated.signs_from.to_string()]
        }
        "audit" => {
            let rotation = services.audit.rotate_keys(&actor).await?;
            [rotation.previous, rotation.kid, rotation.active_at.to_string()]
        }
        other => return Err(crate::errors::usage(format!("`{other}` is not a purpose; keys exist for jwt, ssf and audit"))),
    };
    if as_json {
        return output::document(&json!({ "purpose": purpose, "previous": previous, "next": next, "signs_from": signs_from }));
    }
    output::line(&format!("{next} signs from {signs_from}"));
    output::line(&format!("{previous} verifies for a while longer: `tyrian keys list` says until when"));
    Ok(())
}
