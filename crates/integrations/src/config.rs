//! Who the transmitter says it is, and how patient it is.

use std::time::Duration;

use base::Result;
use serde::Deserialize;
use url::Url;

use crate::errors;

/// The `[integrations]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `iss` of event tokens and the base of every address told to receivers; the program fills in how people reach it.
    pub issuer: String,
    /// Seconds a poll waits for an event when there is none.
    pub poll_seconds: u64,
    /// Days delivered events are remembered.
    pub keep_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { issuer: String::new(), poll_seconds: 20, keep_days: 7 }
    }
}

impl Config {
    /// The checked issuer, without a slash at its end.
    ///
    /// # Errors
    /// `Invalid`, naming the key.
    pub fn checked(&self) -> Result<String> {
        let url = Url::parse(&self.issuer).map_err(|cause| errors::setting("issuer", format!("`{}`: {cause}", self.issuer)))?;
        let is_plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        if !is_plain || url.host_str().is_none() {
            return Err(errors::setting("issuer", format!("`{}` is no http or https address without query and fragment", self.issuer)));
        }
        if self.poll_seconds > 25 {
            return Err(errors::setting("poll_seconds", "at most 25, or requests end before their answer"));
        }
        Ok(self.issuer.trim_end_matches('/').to_owned())
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }

    pub(crate) fn memory(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_days) * 24 * 3_600)
    }
}
