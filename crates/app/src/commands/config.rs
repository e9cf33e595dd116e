//! `tyrian config`: check what is configured, print what can be.

use std::process::ExitCode;

use base::Result;
use serde_json::json;

use crate::cli::ConfigCommand;
use crate::config::{DEFAULT, Settings, Sources};
use crate::output;

/// Runs the command.
pub(super) fn run(command: &ConfigCommand, sources: &Sources, json: bool) -> Result<ExitCode> {
    match command {
        ConfigCommand::Reference if json => output::document(&json!({ "toml": DEFAULT }))?,
        ConfigCommand::Reference => output::line(DEFAULT.trim_end()),
        ConfigCommand::Check => {
            let settings = Settings::load(sources)?;
            crate::serve::refuse_what_cannot_work(&settings)?;
            settings.auth.check()?;
            settings.devices.check()?;
            settings.integrations().checked()?;
            let addresses = crate::serve::places(&settings);
            let roles: Vec<&str> = settings.roles.iter().map(|role| role.name()).collect();
            if json {
                output::document(
                    &json!({ "valid": true, "roles": roles, "listen": settings.server.listen, "addresses": addresses, "management": settings.server.management }),
                )?;
            } else {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                output::line(&format!("the configuration is valid: roles {}, listening on {}", roles.join(", "), addresses.join(", ")));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
