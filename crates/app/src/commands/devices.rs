//! `tyrian devices`: phones as the API shows them, and what a person may do about them.

use std::process::ExitCode;

use base::Result;
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::{Cli, DevicesCommand, EnrolCode};
use crate::config::Settings;
use crate::output;

/// Runs the command.
pub(super) async fn run(command: &DevicesCommand, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = act(command, &session, cli.json).await;
    session.close().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(command: &DevicesCommand, session: &Session, as_json: bool) -> Result<()> {
    let client = &session.client;
    match command {
        DevicesCommand::List { posture, platform } => {
            let mut query = url::form_urlencoded::Serializer::new("limit=500".to_owned());
            for (name, value) in [("posture", posture), ("platform", platform)] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            let found = client.all(&format!("devices?{}", query.finish())).await?;
            if as_json { output::document(&json!({ "devices": found })) } else { table(&found) }
        }
        DevicesCommand::Show { id } => {
            let (seen, timeline): (Json, Json) =
                (client.get(&format!("devices/{id}")).await?, client.get(&format!("devices/{id}/timeline?limit=20")).await?);
            if as_json {
                return output::document(&json!({ "device": seen["device"], "last": seen["last"], "timeline": timeline["items"] }));
            }
            show(&seen);
            for moment in timeline["items"].as_array().into_iter().flatten() {
                output::line(&format!("{}  {:<20} {}", word(moment, "created_at"), word(moment, "kind"), moment["detail"]));
            }
            Ok(())
        }
        DevicesCommand::Why { id } => {
            let why: Json = client.get(&format!("devices/{id}/why")).await?;
            if as_json { output::document(&why) } else { explain(&why) }
        }
        DevicesCommand::Lock { id, reason, quarantine, seconds } => {
            let order = json!({ "reason": reason, "quarantine": quarantine, "seconds": seconds });
            let lock: Json = client.post(&format!("devices/{id}/lock"), &order).await?;
            told(&lock, as_json, &format!("{} until {}", word(&lock, "posture"), word(&lock, "expires_at")))
        }
        DevicesCommand::Unlock { id, reason } => {
            let device: Json = client.post(&format!("devices/{id}/unlock"), &json!({ "reason": reason })).await?;
            told(&device, as_json, &format!("released; it may now: {}", word(&device, "posture")))
        }
        DevicesCommand::EnrolCode(new) => enrol_code(new, session, as_json).await,
    }
}

async fn enrol_code(new: &EnrolCode, session: &Session, as_json: bool) -> Result<()> {
    let body = json!({
        "name": new.name, "user_id": new.user, "plan": new.plan.word(), "ownership": new.ownership.word(), "expires_at": new.expires,
    });
    let code: Json = session.client.post("devices/codes", &body).await?;
    if as_json {
        return output::document(&code);
    }
    output::line(word(&code, "code"));
    output::note(&format!("one phone can enrol with it until {}; it is shown only now", word(&code, "expires_at")));
    Ok(())
}

fn told(answer: &Json, as_json: bool, line: &str) -> Result<()> {
    if as_json {
        return output::document(answer);
    }
    output::line(line);
    Ok(())
}

fn word<'a>(value: &'a Json, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("-")
}

fn score(value: &Json) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"))
}

fn table(found: &[Json]) -> Result<()> {
    if found.is_empty() {
        output::line("no devices");
        return Ok(());
    }
    output::line(&format!("{:<36}  {:<11} {:<15} {:<8} {:<6} {}", "ID", "POSTURE", "PLATFORM", "ATTESTED", "SCORE", "NAME"));
    for seen in found {
        let device = &seen["device"];
        output::line(&format!(
            "{:<36}  {:<11} {:<15} {:<8} {:<6} {}",
            word(device, "id"),
            word(device, "posture"),
            word(device, "platform"),
            word(device, "attestation_state"),
            score(&seen["last"]["score"]),
            word(device, "name"),
        ));
    }
    Ok(())
}

fn show(seen: &Json) {
    let device = &seen["device"];
    for (label, key) in [
        ("Name", "name"),
        ("Posture", "posture"),
        ("Locked until", "locked_until"),
        ("Platform", "platform"),
        ("Ownership", "ownership"),
        ("Plan", "plan"),
        ("Model", "model"),
        ("System", "os_version"),
        ("Application", "app_version"),
        ("Attestation", "attestation_state"),
        ("Worth", "attestation_level"),
        ("Attested at", "attested_at"),
        ("Enrolled at", "enrolled_at"),
    ] {
        if let Some(value) = device[key].as_str() {
            output::line(&format!("{label:<13} {value}"));
        }
    }
    if seen["last"].is_object() {
        let last = &seen["last"];
        output::line(&format!("{:<13} {} of {} at {}", "Score", score(&last["score"]), score(&last["threshold"]), word(last, "at")));
    }
    output::line("");
}

fn explain(why: &Json) -> Result<()> {
    output::line(&format!("{}: {}", word(&why["device"], "name"), word(&why["device"], "posture")));
    let lock = &why["lock"];
    if lock.is_object() {
        let until = lock["expires_at"].as_str().unwrap_or("a person releases it");
        output::line(&format!(
            "locked at {} because of {} until {until}: {}",
            word(lock, "created_at"),
            word(lock, "cause"),
            word(lock, "reason")
        ));
    }
    output::line(&format!("attestation is worth {} now", score(&why["attestation_score"])));
    let explanation = &why["explanation"];
    if !explanation.is_object() {
        output::line("no window of readings was scored yet");
        return Ok(());
    }
    output::line(&format!(
        "score {} of {} ({}), added up to {} standard deviations",
        score(&explanation["global_score"]),
        score(&why["threshold"]["value"]),
        word(explanation, "context"),
        score(&why["accumulated"]),
    ));
    for part in explanation["parts"].as_array().into_iter().flatten() {
        output::line(&format!("  {:<20} {:>6} x {}", word(part, "name"), score(&part["value"]), score(&part["weight"])));
    }
    for feature in explanation["features"].as_array().into_iter().flatten().take(5) {
        output::line(&format!(
            "  {:<36} {:>9} usually {:>9} ({} deviations)",
            word(feature, "name"),
            score(&feature["value"]),
            score(&feature["usual"]),
            score(&feature["z"]),
        ));
    }
    Ok(())
}
