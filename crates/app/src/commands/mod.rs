//! One file per command. Each does its work through the public API, whether the server is elsewhere or in this process.

mod attest;
mod audit;
mod config;
mod correlation;
mod cvss;
mod decide;
mod devices;
mod diff;
mod docs;
mod doctor;
mod feeds;
mod findings;
mod import;
mod keys;
mod mapping;
mod scan;
mod search;
mod serve;
mod session;
mod simulate;
mod threat;
mod user;

use std::process::ExitCode;

use base::Result;

use crate::cli::{Cli, Command};
use crate::config::{LogFormat, Settings, Sources};
use crate::telemetry::Telemetry;

/// Runs what was typed.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    let sources = sources(&cli)?;
    match &cli.command {
        Command::Config(command) => return config::run(command, &sources, cli.json),
        Command::Attest(command) => return attest::run(command, cli.json),
        Command::Threat(command) => return threat::run(command, cli.json),
        Command::Cvss(command) => return cvss::run(command, cli.json),
        Command::Import(import) if import.dry_run => return import::dry_run(import, cli.json),
        Command::Mapping(crate::cli::MappingCommand::Try { mapping, sample }) => return mapping::attempt(mapping, sample, cli.json),
        Command::Audit(crate::cli::AuditCommand::Verify { file: Some(file), known_checkpoint }) => {
            return audit::verify_file(file, known_checkpoint.as_deref(), cli.json);
        }
        _ => {}
    }
    let mut settings = Settings::load(&sources)?;
    if !matches!(cli.command, Command::Serve(_)) {
        // A person reads along: warnings in plain text, more when asked for.
        settings.log.format = LogFormat::Text;
        settings.log.level = ["error", "info", "debug"].get(usize::from(cli.verbose)).copied().unwrap_or("trace").to_owned();
    }
    let telemetry = Telemetry::start(&settings.log, &settings.traces, settings.backends.outbound.authorities.as_deref())?;
    let outcome = Box::pin(dispatch(&cli, settings)).await;
    telemetry.stop().await;
    outcome
}

/// Each command is boxed: their futures hold the whole platform, and the largest would set the size of all.
async fn dispatch(cli: &Cli, settings: Settings) -> Result<ExitCode> {
    match &cli.command {
        Command::Serve(serve) => Box::pin(serve::run(serve, settings)).await,
        Command::Scan(scan) => Box::pin(scan::run(scan, cli, &settings)).await,
        Command::Import(import) => Box::pin(import::run(import, cli, &settings)).await,
        Command::Diff(diff) => Box::pin(diff::run(diff, cli, settings)).await,
        Command::Findings(findings) => Box::pin(findings::run(findings, cli, &settings)).await,
        Command::Mapping(command) => Box::pin(mapping::run(command, cli, &settings)).await,
        Command::Feeds(feeds) => Box::pin(feeds::run(feeds, cli, &settings)).await,
        Command::Devices(devices) => Box::pin(devices::run(devices, cli, &settings)).await,
        Command::Simulate(arguments) => Box::pin(simulate::run(arguments, cli)).await,
        Command::Race(arguments) => Box::pin(simulate::race(arguments, cli)).await,
        Command::Search(search) => Box::pin(search::run(search, cli, &settings)).await,
        Command::Audit(audit) => Box::pin(audit::run(audit, cli, &settings)).await,
        Command::User(user) => Box::pin(user::run(user, cli, &settings)).await,
        Command::Keys(keys) => Box::pin(keys::run(keys, cli, &settings)).await,
        Command::Doctor => Box::pin(doctor::run(cli, &settings)).await,
        Command::Docs(docs) => Box::pin(docs::run(docs, &settings)).await,
        // These are answered before the runtime or the settings exist.
        Command::Attest(_) | Command::Config(_) | Command::Cvss(_) | Command::Threat(_) | Command::Typeset => Ok(ExitCode::SUCCESS),
    }
}

fn sources(cli: &Cli) -> Result<Sources> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(cause) if cause.not_found() => {}
        Err(cause) => return Err(crate::errors::config_file(std::path::Path::new(".env"), &cause.to_string())),
    }
    Ok(Sources { file: cli.config.clone(), data: cli.data.clone(), environment: std::env::vars().collect() })
}
