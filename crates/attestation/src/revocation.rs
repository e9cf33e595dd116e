//! Google's list of revoked attestation certificates, as published in JSON: serial number to status.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::errors::Unreadable;

/// Bytes of a list that are read.
const LIST_BYTES: usize = 32 << 20;

/// A list as of some moment.
#[derive(Clone, Debug, Default)]
pub struct RevocationList {
    entries: BTreeMap<String, Entry>,
    /// When it was fetched, when that is known.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Age over which it is not believed any more.
    pub longest_age: Option<TimeDelta>,
}

#[derive(Clone, Debug, Deserialize)]
struct Entry {
    status: String,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    entries: BTreeMap<String, Entry>,
}

impl RevocationList {
    /// Reads the JSON document; a list that cannot be read is an error, never an empty list.
    pub fn read(input: &[u8]) -> Result<Self, Unreadable> {
        if input.len() > LIST_BYTES {
            return Err(Unreadable::TooLarge { what: "bytes of a revocation list", limit: LIST_BYTES });
        }
        let document: Document =
            serde_json::from_slice(input).map_err(|cause| Unreadable::malformed("revocation list", cause.to_string()))?;
        let entries = document.entries.into_iter().map(|(serial, entry)| (normal(&serial), entry)).collect();
        Ok(Self { entries, fetched_at: None, longest_age: None })
    }

    /// How many certificates are listed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Why a certificate with this serial number is not to be trusted; any listed status counts, also unknown ones.
    pub(crate) fn complaint(&self, serial: &str) -> Option<String> {
        let entry = self.entries.get(&normal(serial))?;
        Some(match &entry.reason {
            Some(reason) => format!("{} ({reason})", entry.status),
            None => entry.status.clone(),
        })
    }

    /// Why the list itself is too old at this moment. That is no fault of any certificate: who holds the list may ask this first.
    pub fn staleness(&self, at: DateTime<Utc>) -> Option<String> {
        let longest = self.longest_age?;
        match self.fetched_at {
            Some(fetched) if at - fetched <= longest => None,
            Some(fetched) => Some(format!("the list was fetched {fetched}, longer ago than allowed")),
            None => Some("the age of the list is unknown".to_owned()),
        }
    }
}

fn normal(serial: &str) -> String {
    let text = serial.trim().to_ascii_lowercase();
    let text = text.strip_prefix("0x").unwrap_or(&text).trim_start_matches('0');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}
