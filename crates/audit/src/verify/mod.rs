//! Offline verification of an export: pure, streaming, needs nothing but the file and (better) keys or a checkpoint kept elsewhere.

mod report;
mod verifier;

use std::io::{BufRead, Read};

use base::{TenantId, Time};
use serde::{Deserialize, Serialize};

use crate::entry::Record;
use crate::note::VerifierKey;

pub use report::{Problem, ProblemKind, Report};
pub use verifier::Verifier;

/// Version of the export's format.
pub const FORMAT: u32 = 1;
/// Longest line read; an entry is far shorter.
const MAXIMUM_LINE: u64 = 4 * 1024 * 1024;

/// One line of an export, in file order: the log, its leaves with checkpoints between them, entries still waiting, the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// What this file is.
    Log {
        /// [`FORMAT`].
        format: u32,
        /// The log's unique name.
        origin: String,
        /// Whose entries are included; all when absent.
        tenant: Option<TenantId>,
        /// When the export was made.
        exported_at: Time,
        /// Keys the exporting installation knows, newest first.
        keys: Vec<VerifierKey>,
    },
    /// One leaf of the tree, with its entry when the export may show it.
    Leaf {
        /// Position.
        index: u64,
        /// The leaf's bytes, base64.
        leaf: String,
        /// The entry's salt, base64.
        salt: Option<String>,
        /// The entry.
        record: Option<Record>,
    },
    /// A checkpoint signed when the tree had as many leaves as stand above this line.
    Checkpoint {
        /// The signed note.
        note: String,
    },
    /// An entry written but not yet in the tree.
    Waiting {
        /// The entry.
        record: Record,
    },
    /// The last line.
    End {
        /// Leaves the installation says it has.
        size: u64,
    },
}

/// What the verifier believes before it reads the first line.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys obtained elsewhere; when empty, those in the export are taken on its own word.
    pub keys: Vec<VerifierKey>,
    /// An older checkpoint (signed note) kept elsewhere: the export must contain that history.
    pub known_checkpoint: Option<String>,
}

/// Verifies an export line by line; memory does not grow with its length.
///
/// # Errors
/// Only when the reader fails; everything wrong with the content is in the report.
pub fn export(mut reader: impl BufRead, trust: Trust) -> std::io::Result<Report> {
    let mut verifier = Verifier::new(trust);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(MAXIMUM_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(parsed) => verifier.line(parsed),
            Err(cause) => verifier.unreadable(number, &cause.to_string()),
        }
    }
    Ok(verifier.finish())
}
