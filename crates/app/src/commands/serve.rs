//! `tyrian serve`.

use std::process::ExitCode;

use base::Result;

use crate::cli::Serve;
use crate::config::Settings;

/// Applies the command line's wishes and serves.
pub(super) async fn run(serve: &Serve, mut settings: Settings) -> Result<ExitCode> {
    if !serve.roles.is_empty() {
        settings.roles.clone_from(&serve.roles);
    }
    if let Some(listen) = serve.listen {
        settings.server.listen = listen;
    }
    if let Some(management) = serve.management {
        settings.server.management = management;
    }
    crate::serve::serve(settings).await?;
    Ok(ExitCode::SUCCESS)
}
