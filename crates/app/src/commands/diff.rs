//! `tyrian diff`: what taking in a later output would change after an earlier one. The whole platform runs on storage that
//! vanishes, so that the answer is exactly what a server would do.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use backends::{Backends, Config};
use base::{Actor, Result, Source};
use importers::Format;
use results::{Closing, Import, ImportOptions, ImportRequest};
use serde_json::json;
use targets::{NewTarget, TargetKind};

use crate::cli::{Cli, Diff};
use crate::config::Settings;
use crate::services::Services;
use crate::{errors, output};

/// Runs the command.
pub(super) async fn run(diff: &Diff, cli: &Cli, mut settings: Settings) -> Result<ExitCode> {
    let folder = tempfile::tempdir().map_err(|cause| errors::file(&std::env::temp_dir(), &cause))?;
    settings.backends = Config::embedded(folder.path());
    let backends = Backends::connect(&settings.backends).await?;
    let services = Services::build(backends, &settings).await?;
    let outcome = compare(diff, &services).await;
    services.backends.close(Duration::from_secs(5)).await;
    let (old, new) = outcome?;
    let summary = &new.summary;
    if cli.json {
        output::document(&json!({
            "old": { "file": diff.old.display().to_string(), "format": old.format, "findings": old.summary.findings },
            "new": { "file": diff.new.display().to_string(), "format": new.format, "findings": summary.findings },
            "created": summary.created,
            "unchanged": summary.unchanged,
            "moved": summary.moved,
            "reopened": summary.reopened,
            "would_close": summary.closed,
            "not_covered": summary.not_retested,
            "ambiguous": summary.ambiguous,
            "differences": new.differences,
            "warnings": summary.warnings,
        }))?;
    } else {
        for difference in &new.differences {
            let note = difference.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            output::line(&format!("{:<12} {:<9} {}: {}{note}", difference.change, difference.severity, difference.place, difference.title));
        }
        output::line(&format!(
            "{} new, {} known, {} moved, {} reopened, {} would be closed, {} not looked for",
            summary.created, summary.unchanged, summary.moved, summary.reopened, summary.closed, summary.not_retested
        ));
        output::left_open(summary.not_retested, &diff.close_old);
    }
    let differs = summary.created + summary.moved + summary.reopened + summary.closed > 0;
    Ok(if diff.exit_code && differs { ExitCode::from(output::FINDINGS) } else { ExitCode::SUCCESS })
}

async fn compare(diff: &Diff, services: &Services) -> Result<(Import, Import)> {
    let actor = Actor::system(services.auth.home_tenant().await?, Source::Cli);
    let closing: Closing = diff.close_old.parse()?;
    let format =
        diff.format.as_deref().map(|name| name.parse().map_err(|failure: importers::UnknownFormat| errors::usage(failure.to_string())));
    let format: Option<Format> = format.transpose()?;
    // Both are about one thing, whatever it is: what lies in a file or a package belongs to it.
    let target = services.targets.create(&actor, NewTarget::named("compared", TargetKind::Repository)).await?;
    let request = |path: &Path, dry_run| -> Result<ImportRequest> {
        Ok(ImportRequest {
            format,
            filename: path.file_name().map(|name| name.to_string_lossy().into_owned()),
            target_id: Some(target.id),
            idempotency_key: None,
            dry_run,
            options: ImportOptions { close_old: closing, ..ImportOptions::default() },
            file: File::open(path).map_err(|cause| errors::file(path, &cause))?,
        })
    };
    let old = Box::pin(services.results.import(&actor, request(&diff.old, false)?)).await?;
    let new = Box::pin(services.results.import(&actor, request(&diff.new, true)?)).await?;
    Ok((old, new))
}
