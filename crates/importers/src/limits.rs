//! Bounds on what an untrusted file may cost, and how much is read out of it.

use serde::{Deserialize, Serialize};

/// Upper bounds for one file; passing one ends the import with an error that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes read from the source.
    pub bytes: u64,
    /// Records handed to the sink.
    pub records: u64,
    /// Nesting of elements, arrays and objects (JSON never deeper than 127).
    pub depth: u32,
    /// Bytes of one text node, JSON string, line or record.
    pub text: usize,
    /// Bytes kept of one piece of evidence; longer ones are cut and marked.
    pub evidence: usize,
    /// Warnings handed to the sink; further ones are only counted.
    pub warnings: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, records: 5_000_000, depth: 128, text: 16 << 20, evidence: 64 << 10, warnings: 1_000 }
    }
}

/// How much an importer concludes from what the tool wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// What the tool reports as findings, with the severity it gives (the usual counts).
    #[default]
    Reported,
    /// Also the weaknesses its bare facts imply, rated by us (expired certificate, old TLS).
    Judged,
}

/// Everything a caller can choose about one import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Bounds.
    pub limits: Limits,
    /// How much is concluded.
    pub detail: Detail,
}
