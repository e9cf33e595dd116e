//! Freezing: order, counts, canonical JSON (RFC 8785 for the values used here) and its digest.

use aws_lc_rs::digest::{SHA256, digest};
use std::cmp::Reverse;

use super::{Counts, Snapshot, VERSION};

/// A snapshot with the canonical bytes and digest that can be checked by anyone.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    snapshot: Snapshot,
    json: Vec<u8>,
    digest: String,
}

/// Why bytes are not a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are not JSON of this shape.
    #[error("the snapshot is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The format is of another time.
    #[error("the snapshot has version {0}, only version {VERSION} is known")]
    Version(u32),
    /// The content does not have the digest it was stored with.
    #[error("the snapshot was changed after it was frozen")]
    Changed,
}

impl Frozen {
    /// The content.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The canonical JSON.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Lower-case hexadecimal SHA-256 of the canonical JSON.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Reads stored bytes back and refuses them when they do not have `digest`.
    pub fn read(json: &[u8], digest: &str) -> Result<Self, SnapshotError> {
        let snapshot: Snapshot = serde_json::from_slice(json)?;
        if snapshot.version != VERSION {
            return Err(SnapshotError::Version(snapshot.version));
        }
        if sha256(json) != digest {
            return Err(SnapshotError::Changed);
        }
        Ok(Self { snapshot, json: json.to_vec(), digest: digest.to_owned() })
    }
}

impl Snapshot {
    /// Sorts, counts and seals the content.
    pub fn freeze(mut self) -> Result<Frozen, SnapshotError> {
        self.version = VERSION;
        self.findings.sort_by_cached_key(|finding| {
            let score = finding.cvss.as_ref().map_or(0, |cvss| cvss.score_tenths);
            let order = (!finding.status.is_open(), Reverse(finding.severity), Reverse(score));
            (order, finding.title.clone(), finding.id.clone())
        });
        self.tools.sort();
        self.tools.dedup();
        self.counts = Counts::default();
        for finding in &self.findings {
            self.counts.status.add(finding.status);
            if finding.status.is_open() {
                self.counts.open.add(finding.severity);
            }
        }
        let mut value = serde_json::to_value(&self)?;
        value.sort_all_objects();
        let json = serde_json::to_vec(&value)?;
        let digest = sha256(&json);
        Ok(Frozen { snapshot: self, json, digest })
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}
