//! `tyrian audit`: prove that nobody changed the log.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use audit::verify::{self, Report, Trust};
use base::{Error, Result};
use serde_json::json;

use super::session::Session;
use crate::cli::{AuditCommand, Cli};
use crate::config::Settings;
use crate::{errors, output};

/// Verifies an export; needs nothing but the file.
pub(super) fn verify_file(file: &Path, known_checkpoint: Option<&Path>, json: bool) -> Result<ExitCode> {
    let trust = trust(known_checkpoint)?;
    let reader = BufReader::new(File::open(file).map_err(|cause| errors::file(file, &cause))?);
    let report = verify::export(reader, trust).map_err(|cause| errors::file(file, &cause))?;
    tell(&report, json)
}

fn trust(known_checkpoint: Option<&Path>) -> Result<Trust> {
    let known_checkpoint =
        known_checkpoint.map(|path| std::fs::read_to_string(path).map_err(|cause| errors::file(path, &cause))).transpose()?;
    Ok(Trust { known_checkpoint, ..Trust::default() })
}

/// Runs the commands that need the log itself.
pub(super) async fn run(command: &AuditCommand, cli: &Cli, settings: &Settings) -> Result<ExitCode> {
    let session = Session::open(cli, settings).await?;
    let outcome = match command {
        AuditCommand::Verify { known_checkpoint, .. } => verify_log(&session, known_checkpoint.as_deref(), cli.json).await,
        AuditCommand::Export { file } => export(&session, file, cli.json).await,
    };
    session.close().await;
    outcome
}

async fn verify_log(session: &Session, known_checkpoint: Option<&Path>, json: bool) -> Result<ExitCode> {
    let export = session.client.bytes("audit/export").await?;
    let report = verify::export(export.as_slice(), trust(known_checkpoint)?)
        .map_err(|cause| Error::internal("an export in memory cannot be read").because(cause))?;
    tell(&report, json)
}

async fn export(session: &Session, file: &Path, json: bool) -> Result<ExitCode> {
    let export = session.client.bytes("audit/export").await?;
    let write = || -> std::io::Result<()> {
        let mut writer = BufWriter::new(File::create(file)?);
        writer.write_all(&export)?;
        writer.into_inner()?.sync_all()
    };
    write().map_err(|cause| errors::file(file, &cause))?;
    if json {
        output::document(&json!({ "file": file.display().to_string(), "bytes": export.len() }))?;
    } else {
        output::note(&format!("wrote {} bytes to {}", export.len(), file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(report: &Report, json: bool) -> Result<ExitCode> {
    if json {
        output::document(report)?;
    } else {
        print(report);
    }
    Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::from(output::TAMPERED) })
}

fn print(report: &Report) {
    let word = if report.is_intact() { "intact" } else { "NOT INTACT" };
    output::line(&format!("{}: {word}", report.origin));
    output::line(&format!(
        "  {} entries checked, {} waiting for their place, {} leaves, {} checkpoints",
        report.entries, report.waiting, report.size, report.checkpoints
    ));
    if let Some(time) = report.checkpoint_time {
        output::line(&format!("  last checkpoint {time}, root {}", report.root));
    }
    if let Some(confirmed) = report.known_checkpoint_confirmed {
        output::line(if confirmed {
            "  the known checkpoint is part of this history"
        } else {
            "  the known checkpoint is NOT part of this history"
        });
    }
    if !report.keys_trusted {
        output::note("  the keys are those of the export itself; compare them, or give --known-checkpoint, to rule out a forged export");
    }
    for problem in &report.problems {
        output::line(&format!("  {}: {}", problem.entry.as_deref().unwrap_or("log"), problem.message));
    }
    let listed = u64::try_from(report.problems.len()).unwrap_or(u64::MAX);
    if report.problem_count > listed {
        output::line(&format!("  and {} more", report.problem_count - listed));
    }
}
