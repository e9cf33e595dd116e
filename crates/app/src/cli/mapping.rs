//! The words of `tyrian mapping`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum MappingCommand {
    /// Try a mapping on a file and store nothing; needs no server
    Try {
        /// The mapping (JSON)
        mapping: PathBuf,
        /// A file of the tool, or the beginning of one
        sample: PathBuf,
    },
    /// Save a mapping under the name in it, in place of an older one; imports name it with --format mapping:NAME
    Save { mapping: PathBuf },
    /// List saved mappings
    List,
    /// Print a saved mapping
    Show { name: String },
    /// Drop a saved mapping; what was taken in by it stays
    Delete { name: String },
}
