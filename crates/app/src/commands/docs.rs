//! `tyrian docs`: the generated part of `docs/`, written or checked.

use std::process::ExitCode;

use backends::Backends;
use base::{Error, Result};

use crate::cli::Docs;
use crate::config::Settings;
use crate::services::Services;
use crate::{api, errors, output, reference};

/// Writes every generated file, or with `--check` says which differ.
pub(super) async fn run(docs: &Docs, settings: &Settings) -> Result<ExitCode> {
    let scratch = std::env::temp_dir().join(format!("tyrian-docs-{}", std::process::id()));
    let files = generate(settings, &scratch).await;
    // The scratch storage holds nothing of value.
    drop(std::fs::remove_dir_all(&scratch));
    let mut stale = Vec::new();
    for (name, text) in files? {
        let path = docs.folder.join(name);
        if std::fs::read_to_string(&path).ok().as_deref() == Some(&text) {
            continue;
        }
        if docs.check {
            stale.push(path.display().to_string());
        } else {
            std::fs::create_dir_all(&docs.folder)
                .and_then(|()| std::fs::write(&path, text))
                .map_err(|cause| errors::file(&path, &cause))?;
            output::note(&format!("wrote {}", path.display()));
        }
    }
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(errors::docs_stale(&stale))
}

async fn generate(settings: &Settings, scratch: &std::path::Path) -> Result<Vec<(&'static str, String)>> {
    let backends = Backends::connect(&backends::Config::embedded(scratch)).await?;
    let services = Services::build(backends.clone(), settings).await?;
    let mut openapi = serde_json::to_string_pretty(&api::document(&services))
        .map_err(|cause| Error::internal("the API document cannot be written").because(cause))?;
    openapi.push('\n');
    let schema = backends.db.schema().await?;
    backends.close(std::time::Duration::from_secs(5)).await;
    Ok(vec![
        ("openapi.json", openapi),
        ("config.md", reference::config()),
        ("cli.md", reference::cli()),
        ("errors.md", reference::errors()?),
        ("schema.sql", schema),
    ])
}
