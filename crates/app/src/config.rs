//! The configuration: defaults in the binary, a file, `.env` and the environment, in that order. Parsed means valid;
//! an unknown key is refused with the place it came from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base::{Error, Result};
use serde::Deserialize;
use toml::{Table, Value};

use crate::errors;

/// Every key, its default and a comment.
pub(crate) const DEFAULT: &str = include_str!("../../../config/default.toml");

/// The file looked for when none is named.
pub(crate) const FILE: &str = "tyrian.toml";

const PREFIX: &str = "TYRIAN__";

/// Everything configurable.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) roles: Vec<crate::roles::Role>,
    pub(crate) server: Server,
    pub(crate) backends: backends::Config,
    pub(crate) gateway: gateway::Config,
    pub(crate) auth: auth::Config,
    pub(crate) scans: scans::Config,
    pub(crate) devices: devices::Config,
    pub(crate) integrations: integrations::Config,
    pub(crate) jobs: Jobs,
    pub(crate) log: Log,
    pub(crate) traces: Traces,
}

/// The `[server]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) management: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) drain_seconds: u64,
}

/// The `[jobs]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jobs {
    pub(crate) concurrency: usize,
}

/// The `[log]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text where a person reads along, JSON elsewhere.
    Auto,
    Json,
    Text,
}

/// The `[traces]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traces {
    pub(crate) endpoint: String,
    pub(crate) sample: f64,
}

/// What may be said on the command line about the configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// `--config FILE`.
    pub(crate) file: Option<PathBuf>,
    /// `--data DIR`: everything embedded below it.
    pub(crate) data: Option<PathBuf>,
    /// The environment's `TYRIAN__…` variables.
    pub(crate) environment: Vec<(String, String)>,
}

impl Settings {
    /// How people reach the console; the address that is listened on where nobody says otherwise.
    fn base_url(&self) -> String {
        let scheme = if self.gateway.tls.is_some() { "https" } else { "http" };
        match self.server.base_url.trim_end_matches('/') {
            "" => format!("{scheme}://{}", self.server.listen),
            said => said.to_owned(),
        }
    }

    /// Where links in letters lead; empty when letters only reach the log, or when nobody can know where the console is: `0.0.0.0` is no
    /// place, and `127.0.0.1` is the reader's own machine, where something else may be waiting for the token.
    pub(crate) fn letters_link_to(&self) -> String {
        let listen = self.server.listen.ip();
        let is_known = !self.server.base_url.is_empty() || !(listen.is_unspecified() || listen.is_loopback());
        if self.sends_mail() && is_known { self.base_url() } else { String::new() }
    }

    /// Whether a mail server is named.
    pub(crate) fn sends_mail(&self) -> bool {
        self.backends.mail != "log:"
    }

    /// Who the transmitter of events says it is: how people reach us, unless somebody set it.
    pub(crate) fn integrations(&self) -> integrations::Config {
        let mut config = self.integrations.clone();
        if config.issuer.is_empty() {
            config.issuer = self.base_url();
        }
        config
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// `Invalid` naming the key and the file or variable it came from.
    pub(crate) fn load(sources: &Sources) -> Result<Self> {
        let mut merged: Table =
            DEFAULT.parse().map_err(|cause| Error::internal("the built-in configuration cannot be read").because(cause))?;
        let mut origins = Vec::new();
        if let Some((path, table)) = read_file(sources.file.as_deref())? {
            origins.push((format!("`{}`", path.display()), keys(&table, "")));
            merge(&mut merged, table);
        }
        if let Some(data) = &sources.data {
            embed(&mut merged, data);
        }
        for (name, text) in &sources.environment {
            let Some(key) = name.strip_prefix(PREFIX) else { continue };
            let path: Vec<String> = key.to_lowercase().split("__").map(str::to_owned).collect();
            origins.push((format!("the environment variable {name}"), vec![path.join(".")]));
            set(&mut merged, &path, text)
                .ok_or_else(|| errors::config_key(&path.join("."), "no such section", &format!("the environment variable {name}")))?;
        }
        serde_path_to_error::deserialize(Value::Table(merged)).map_err(|failure| {
            let mut path = failure.path().to_string();
            let cause = failure.inner().message().to_owned();
            // An unknown key is reported at its section; name the key itself.
            if let Some(unknown) = cause.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
                path = if path == "." {
                    unknown.to_owned()
                } else if path.ends_with(unknown) {
                    path
                } else {
                    format!("{path}.{unknown}")
                };
            }
            let origin = origins.iter().rev().find(|(_, keys)| {
                keys.iter().any(|key| *key == path || path.starts_with(&format!("{key}.")) || key.starts_with(&format!("{path}.")))
            });
            errors::config_key(&path, &cause, origin.map_or("the built-in defaults", |(origin, _)| origin))
        })
    }
}

fn read_file(named: Option<&Path>) -> Result<Option<(PathBuf, Table)>> {
    let path = named.unwrap_or(Path::new(FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let table = text.parse::<Table>().map_err(|cause| errors::config_file(path, &cause.to_string()))?;
            Ok(Some((path.to_path_buf(), table)))
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(cause) => Err(errors::config_file(path, &cause.to_string())),
    }
}

/// Dotted paths of every value in the table.
fn keys(table: &Table, prefix: &str) -> Vec<String> {
    table
        .iter()
        .flat_map(|(key, value)| {
            let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                Value::Table(inner) => keys(inner, &path),
                _ => vec![path],
            }
        })
        .collect()
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn embed(merged: &mut Table, data: &Path) {
    let embedded = backends::Config::embedded(data);
    if let Some(Value::Table(section)) = merged.get_mut("backends") {
        for (key, url) in [
            ("db", embedded.db),
            ("hot", embedded.hot),
            ("bus", embedded.bus),
            ("search", embedded.search),
            ("blobs", embedded.blobs),
            ("keys", embedded.keys),
        ] {
            section.insert(key.to_owned(), Value::String(url));
        }
    }
}

/// Puts the text where the path leads, as TOML when it reads as TOML and the place does not hold text.
fn set(table: &mut Table, path: &[String], text: &str) -> Option<()> {
    let (last, sections) = path.split_last()?;
    let mut here = table;
    for section in sections {
        here = here.entry(section.clone()).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
    }
    let value = match here.get(last) {
        Some(Value::String(_)) => Value::String(text.to_owned()),
        Some(Value::Array(_)) if !text.trim_start().starts_with('[') => Value::Array(
            text.split(',').map(|part| Value::String(part.trim().to_owned())).filter(|part| part.as_str() != Some("")).collect(),
        ),
        _ => format!("v = {text}")
            .parse::<Table>()
            .ok()
            .and_then(|mut parsed| parsed.remove("v"))
            .unwrap_or_else(|| Value::String(text.to_owned())),
    };
    here.insert(last.clone(), value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tyrian.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load(&Sources { file: Some(path), data: None, environment })
    }

    #[test]
    fn the_defaults_are_valid_and_the_environment_wins_over_the_file() {
        let settings = load(
            "[gateway]\nmaximum_connections = 5\n",
            &[
                ("TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS", "7"),
                ("TYRIAN__ROLES", "scans,results"),
                ("TYRIAN__BACKENDS__KEYS_PASSPHRASE", "0123"),
            ],
        )
        .unwrap();
        assert_eq!(settings.gateway.maximum_connections, 7);
        assert_eq!(settings.roles.len(), 2);
    }

    #[test]
    fn letters_lead_to_where_the_console_is_if_that_can_be_known() {
        let mail = ("TYRIAN__BACKENDS__MAIL", "smtp://mail.example.org");
        let link = |environment: &[(&str, &str)]| load("", environment).unwrap().letters_link_to();
        assert_eq!(link(&[]), "", "without a mail server nobody gets a letter");
        assert_eq!(link(&[mail, ("TYRIAN__SERVER__BASE_URL", "https://tyrian.example/")]), "https://tyrian.example");
        let listen = |address| link(&[mail, ("TYRIAN__SERVER__LISTEN", address)]);
        assert_eq!(listen("192.0.2.7:8000"), "http://192.0.2.7:8000");
        assert_eq!(link(&[mail]), "", "on the reader's machine something else may listen at 127.0.0.1");
        assert_eq!(listen("0.0.0.0:8000"), "");
    }

    #[test]
    fn a_wrong_key_is_named_with_its_place() {
        for (file, environment, expected) in [
            ("[gateway]\nmaximum_conections = 5\n", vec![], vec!["gateway.maximum_conections", "tyrian.toml"]),
            ("[gateway]\nmaximum_connections = \"many\"\n", vec![], vec!["gateway.maximum_connections", "tyrian.toml"]),
            ("", vec![("TYRIAN__SERVER__LISTEN", "nowhere")], vec!["server.listen", "TYRIAN__SERVER__LISTEN"]),
            ("roles = [\"everything\"]", vec![], vec!["roles", "everything"]),
            ("[gateway", vec![], vec!["tyrian.toml", "line 1"]),
        ] {
            let error = load(file, &environment).unwrap_err();
            for word in expected {
                assert!(error.detail().contains(word), "{word} not in: {}", error.detail());
            }
        }
    }
}
