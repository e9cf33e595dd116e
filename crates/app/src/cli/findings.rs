//! The words of `tyrian findings`.

use std::path::PathBuf;

use base::Time;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use results::{DecisionKind, DecisionScope};

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
    /// Show one finding with evidence and what people wrote down about it
    Show { id: String },
    /// Decide about findings: their status follows, what tools said stays
    Decide(Decide),
    /// Write a note on a finding; nothing follows from it
    Note {
        /// The finding
        #[arg(value_name = "ID")]
        id: String,
        /// The words, at most 4000 characters; `-` reads them from stdin
        #[arg(value_name = "TEXT")]
        text: String,
    },
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

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The findings; all get the same decision
    #[arg(value_name = "ID", required = true, num_args = 1..)]
    pub(crate) ids: Vec<String>,
    /// What is decided; `reopen` takes the decision in force back
    #[arg(value_name = "DECISION", value_parser = words(DecisionKind::ALL, DecisionKind::as_str))]
    pub(crate) kind: DecisionKind,
    /// Why; people will ask
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When the decision ends by itself, such as 2026-01-31T12:00:00Z; not for confirmed, fixed and reopen
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Time>,
    /// What it holds for: this finding, its check on this asset, or its check everywhere; the latter two from one finding, findings yet to come included
    #[arg(long, default_value_t, value_parser = words(DecisionScope::ALL, DecisionScope::as_str))]
    pub(crate) scope: DecisionScope,
}

/// Takes the words of the API, and lists them.
fn words<T>(all: &'static [T], word: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + std::str::FromStr<Err = base::Error> + 'static,
{
    PossibleValuesParser::new(all.iter().map(|one| word(*one))).try_map(|text| text.parse::<T>())
}
