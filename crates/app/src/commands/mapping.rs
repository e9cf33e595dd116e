//! `tyrian mapping`: try a mapping offline; save, list, show and drop mappings.

use std::path::Path;
use std::process::ExitCode;

use base::Result;
use importers::{Limits, Mapping, Record};
use serde_json::{Value as Json, json};

use super::session::Session;
use crate::cli::{Cli, MappingCommand};
use crate::config::Settings;
use crate::{errors, output};

/// Tries a mapping and stores nothing.
pub(super) fn attempt(mapping: &Path, sample: &Path, as_json: bool) -> Result<ExitCode> {
    let (mapping, _) = read(mapping)?;
    let bytes = std::fs::read(sample).map_err(|cause| errors::file(sample, &cause))?;
    let (fits, trial) = (mapping.fits(&bytes, true), mapping.attempt(&bytes, &Limits::default()));
    let failure = trial.failure.map(|failure| failure.to_string());
    if as_json {
        let (totals, unused) = (trial.totals, trial.unused);
        output::document(&json!({
            "name": mapping.name(), "fits": fits, "totals": totals, "unused": unused, "failure": failure, "records": trial.records,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for record in &trial.records {
        match record {
            Record::Observation(seen) => output::line(&format!("{:<9} {}: {}", seen.severity, seen.check, seen.title)),
            Record::Warning(warning) => {
                let place = warning.position.map_or_else(String::new, |position| format!("{position}: "));
                output::note(&format!("  warning: {place}{}", warning.message));
            }
            _ => {}
        }
    }
    output::line(&format!("{} observations, {} records skipped", trial.totals.observations, trial.totals.skipped));
    if !trial.unused.is_empty() {
        output::note(&format!("never found: {}", trial.unused.join(", ")));
    }
    if let Some(failure) = failure {
        output::note(&failure);
    }
    output::line(if fits { "it fits exactly" } else { "it does not fit exactly" });
    Ok(ExitCode::SUCCESS)
}

/// Reads and checks a mapping; its text as it was written comes with it.
fn read(path: &Path) -> Result<(Mapping, String)> {
    let text = std::fs::read_to_string(path).map_err(|cause| errors::file(path, &cause))?;
    let mapping = Mapping::from_json(&text).map_err(|failure| errors::mapping(path, &failure))?;
    Ok((mapping, text))
}

/// Runs what needs the API.
pub(super) async fn run(command: &MappingCommand, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    // Read before anything is opened: a wrong mapping is told with its place.
    let given = match command {
        MappingCommand::Save { mapping } => Some(read(mapping)?),
        _ => None,
    };
    let session = Session::open(cli, settings).await?;
    let outcome = ask(command, given, &session).await;
    session.close().await;
    let answer = outcome?;
    if cli.json {
        output::document(&answer)?;
    } else {
        match (command, answer.as_array()) {
            (MappingCommand::Show { .. }, _) => output::document(&answer["mapping"])?,
            (_, Some(all)) if all.is_empty() => output::line("no mappings"),
            (_, Some(all)) => all.iter().for_each(print),
            (MappingCommand::Delete { name }, _) => output::line(&format!("{name} is gone")),
            _ => print(&answer),
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn ask(command: &MappingCommand, given: Option<(Mapping, String)>, session: &Session) -> Result<Json> {
    let at = |name: &str| format!("imports/mappings/{}", url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>());
    match (command, given) {
        (_, Some((mapping, text))) => session.client.put(&at(mapping.name()), text.into_bytes(), "application/json").await,
        (MappingCommand::Show { name }, None) => session.client.get(&at(name)).await,
        (MappingCommand::Delete { name }, None) => session.client.delete(&at(name)).await.map(|()| json!({ "deleted": name })),
        _ => session.client.get("imports/mappings").await,
    }
}

fn print(mapping: &Json) {
    let text = |name: &str| mapping[name].as_str().unwrap_or("-").to_owned();
    output::line(&format!("{:<24} saved {} by {}; --format mapping:{}", text("name"), text("updated_at"), text("saved_by"), text("name")));
}
