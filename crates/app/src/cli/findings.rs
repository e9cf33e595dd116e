//! The words of `tyrian findings`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Findings {
    /// List findings, gravest first
    List {
        /// Only these severities (comma separated)
        #[arg(long, value_delimiter = ',')]
        severity: Vec<String>,
        /// Only this status: open, fixed, false_positive, accepted, out_of_scope, mitigated, not_retested
        #[arg(long)]
        status: Option<String>,
        /// Words to look for
        #[arg(long)]
        query: Option<String>,
        /// Only findings of this target (id)
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// Only findings of this tool
        #[arg(long)]
        source: Option<String>,
    },
    /// Write findings to a file or stdout
    Export {
        /// sarif, csv, json or vex (CycloneDX)
        #[arg(long, default_value = "json")]
        format: String,
        /// Where to; stdout when not given
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Only these severities (comma separated)
        #[arg(long, value_delimiter = ',')]
        severity: Vec<String>,
        /// Only this status
        #[arg(long)]
        status: Option<String>,
        /// Only findings of this target (id)
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// Only findings of this tool
        #[arg(long)]
        source: Option<String>,
    },
    /// Show one finding with evidence and history
    Show { id: String },
    /// List what many findings have in common, the piece of work worth most first
    Causes {
        /// Only this kind: package, image, configuration or asset
        #[arg(long)]
        kind: Option<String>,
        /// Only findings of this target (id)
        #[arg(long, value_name = "ID")]
        target: Option<String>,
    },
    /// List ways that findings may open together; hints from what is recorded, none was tried
    Paths,
    /// List rules whose findings come back, or that suddenly say much more than they used to
    Patterns {
        /// How many days back, 14 to 366
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
}
