//! `tyrian findings decide`: about one finding by its own route, about several in one batch.

use std::process::ExitCode;

use base::{Kind, Result};
use results::{BulkDecision, DecisionKind, DecisionScope, FindingId, NewDecision};
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::Decide;
use crate::{errors, output};

/// Runs the command; the exit code tells whether it reached every finding.
pub(super) async fn run(session: &Session, order: &Decide, as_json: bool) -> Result<ExitCode> {
    let mut ids = order.ids.iter().map(|id| id.parse()).collect::<Result<Vec<FindingId>>>()?;
    // Named twice, a finding is still one.
    ids.sort();
    ids.dedup();
    match ids.as_slice() {
        [id] => one(session, *id, order, as_json).await.map(|()| ExitCode::SUCCESS),
        _ if order.scope == DecisionScope::Finding => several(session, ids, order, as_json).await,
        _ => Err(errors::usage("a decision that holds for a rule is made from one finding: name one, or leave --scope out")),
    }
}

async fn one(session: &Session, id: FindingId, order: &Decide, as_json: bool) -> Result<()> {
    let new = NewDecision { kind: order.kind, reason: order.reason.clone(), valid_until: order.until, scope: order.scope };
    let finding: Json = session.client.post(&format!("findings/{id}/decisions"), &new).await?;
    // The finding tells what is in force, not what waits. A token may decide without reading: what was decided stands all the same.
    let decision = match session.client.get::<Json>(&format!("findings/{id}")).await {
        Ok(mut detail) => detail.pointer_mut("/decisions/0").map(Json::take).unwrap_or_default(),
        Err(error) if error.kind() == Kind::Forbidden => Json::Null,
        Err(error) => return Err(error),
    };
    if as_json {
        output::document(&json!({ "finding": finding, "decision": decision }))?;
    } else {
        let text = |key: &str| finding[key].as_str().unwrap_or("-");
        output::line(&format!("{} [{}, {}]", text("title"), text("severity"), text("status")));
    }
    if decision["state"] == "proposed" {
        waits(&format!("decision {}", decision["id"].as_str().unwrap_or("-")));
    }
    Ok(())
}

async fn several(session: &Session, ids: Vec<FindingId>, order: &Decide, as_json: bool) -> Result<ExitCode> {
    let bulk = BulkDecision { ids, filter: None, kind: order.kind, reason: order.reason.clone(), valid_until: order.until };
    let outcome: Json = session.client.post("findings/decisions", &bulk).await?;
    let (batch, skipped) = (outcome["batch_id"].as_str().unwrap_or("-"), outcome["skipped"].as_u64().unwrap_or_default());
    if as_json {
        output::document(&outcome)?;
    } else {
        output::line(&format!("{} for {} findings, batch {batch}", order.kind, outcome["decided"]));
    }
    if outcome["state"] == "proposed" {
        waits(&format!("batch {batch}"));
    }
    if skipped == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    // As if each had been named alone.
    let (why, kind) = match order.kind {
        DecisionKind::Reopen => ("do not exist or have no decision to take back", Kind::Conflict),
        _ => ("do not exist", Kind::NotFound),
    };
    output::note(&format!("{skipped} of those named {why}"));
    Ok(ExitCode::from(output::exit_code(kind)))
}

fn waits(what: &str) {
    output::note(&format!("{what} waits for a second person, and until then nothing changes: Findings → Decisions in the console"));
}
