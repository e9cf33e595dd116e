//! The command line: every word a person can type.

mod attest;
mod devices;
mod findings;
mod mapping;
mod simulate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

pub(crate) use attest::{AttestCommand, AttestEnvironment, AttestKind, AttestLevel, AttestVerify};
pub(crate) use devices::{DevicesCommand, EnrolCode};
pub(crate) use findings::{Decide, Findings};
pub(crate) use mapping::MappingCommand;
pub(crate) use simulate::{Race, Simulate};

use crate::roles::Role;

/// Purple team platform: test what you own, prove what you caught.
#[derive(Debug, Parser)]
#[command(name = "tyrian", version, disable_help_subcommand = true, propagate_version = true)]
pub(crate) struct Cli {
    /// Configuration file; `tyrian.toml` of the working folder when not given
    #[arg(long, global = true, value_name = "FILE", env = "TYRIAN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Keep everything in this folder with embedded engines
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print one JSON document on stdout; progress and logs stay on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Work against a running server instead of local storage
    #[arg(long, global = true, value_name = "URL", env = "TYRIAN_SERVER")]
    pub(crate) server: Option<Url>,
    /// API token for --server
    #[arg(long, global = true, value_name = "TOKEN", env = "TYRIAN_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// PEM file of a certificate authority to trust for --server
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
    /// Log more: -v for info, -vv for debug
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Serve),
    /// Test one target and write a report
    Scan(Scan),
    /// Read the output of another scanner
    Import(Import),
    /// Say what a later output of a scanner would change after an earlier one; needs no server
    Diff(Diff),
    /// Mappings for the output of tools nobody else knows
    #[command(subcommand)]
    Mapping(MappingCommand),
    /// Findings: list, show, export, decide, note
    #[command(subcommand)]
    Findings(Findings),
    /// Score CVSS vectors of any version
    Cvss(Cvss),
    /// Likelihood of exploitation (EPSS) and known exploited vulnerabilities (KEV), from files
    #[command(subcommand)]
    Feeds(Feeds),
    /// Verify attestations of devices
    #[command(subcommand)]
    Attest(AttestCommand),
    /// The threat engine
    #[command(subcommand)]
    Threat(ThreatCommand),
    /// Phones: enrolment codes, locks and why
    #[command(subcommand)]
    Devices(DevicesCommand),
    /// A fleet of virtual phones against a running server, with attacks, and what became of them
    Simulate(Simulate),
    /// Race for tokens and nonces on several nodes and write the history; judged by tests/judges/linearizable.sh
    #[command(hide = true)]
    Race(Race),
    /// Search findings, observations, targets, the audit log and figures
    Search(Search),
    /// Check the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Users of this installation
    #[command(subcommand)]
    User(UserCommand),
    /// Signing keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check this machine and every backend, and say what is missing
    Doctor,
    /// Write or check the generated reference in docs/
    #[command(hide = true)]
    Docs(Docs),
    /// Set a document read from stdin as PDF; used by the report worker
    #[command(hide = true)]
    Typeset,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Run only these roles (comma separated)
    #[arg(long = "role", value_enum, value_delimiter = ',')]
    pub(crate) roles: Vec<Role>,
    /// Listen here instead
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Management listener (metrics, health) here instead
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) management: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Host, address, network or URL
    pub(crate) target: String,
    /// Declare that you own the target or hold written permission to test it, and why
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) i_own_this: Option<String>,
    /// How deep: quick, standard or deep
    #[arg(long, default_value = "quick")]
    pub(crate) profile: String,
    /// Where the report goes
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Language of the report: en, pt-BR or es
    #[arg(long, default_value = "en")]
    pub(crate) language: String,
    /// Exit with code 10 when an open finding is at least this grave
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Gravity>,
    /// Do not write report files
    #[arg(long)]
    pub(crate) no_report: bool,
}

/// Severity on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Gravity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Args)]
#[command(after_help = formats())]
pub(crate) struct Import {
    /// Files to read; `-` for stdin
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Say what would be taken and store nothing; needs no server
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Format instead of guessing, such as nmap or sarif; or mapping:NAME for a saved mapping
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// Attach the findings to this target (id)
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    /// Service of the target; findings of different services are never compared
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// What becomes of findings that are not in the file: covered (close what was looked for again), never, or complete (close all)
    #[arg(long, value_name = "WHICH", default_value = "covered")]
    pub(crate) close_old: String,
    /// Leave out what is less grave
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) minimum_severity: Option<Gravity>,
    /// What was fixed stays fixed although the tool sees it again
    #[arg(long)]
    pub(crate) do_not_reactivate: bool,
    /// The file tells of the past: keep what nobody knows as fixed, leave what is known as it stands, close nothing
    #[arg(long)]
    pub(crate) inactive: bool,
    /// Somebody has checked what the file says: nothing in it is in doubt
    #[arg(long)]
    pub(crate) verified: bool,
    /// Label for every finding (may be repeated)
    #[arg(long = "tag", value_name = "LABEL")]
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier output
    pub(crate) old: PathBuf,
    /// The later output of the same tool
    pub(crate) new: PathBuf,
    /// Format instead of guessing
    #[arg(long)]
    pub(crate) format: Option<String>,
    /// What becomes of findings that are not in the later file: covered, never, or complete
    #[arg(long, value_name = "WHICH", default_value = "covered")]
    pub(crate) close_old: String,
    /// Exit with code 10 when anything is new, moved, reopened or closed
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Cvss {
    /// Vectors to score; one per line of stdin when none is given. One that is refused is listed with the reason, and the exit code is 3
    pub(crate) vectors: Vec<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Search {
    #[command(subcommand)]
    pub(crate) command: Option<SearchCommand>,
    /// What to look for: words, "a phrase", field:value, field:>=7, begin*, AND, OR, NOT; everything when not given
    pub(crate) query: Vec<String>,
    /// vulnerabilities, scan_results, audit_logs, system_metrics or assets
    #[arg(long, default_value = "vulnerabilities")]
    pub(crate) index: String,
    /// A sortable field, `-` before it for descending
    #[arg(long, allow_hyphen_values = true, default_value = "")]
    pub(crate) sort: String,
    /// Most hits shown, 1 to 500
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SearchCommand {
    /// Make the index anew from the database
    Rebuild {
        /// Only this index
        #[arg(long)]
        index: Option<String>,
    },
    /// List the indices and their fields
    Indices,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThreatCommand {
    /// Enrol on early sessions of sensor recordings, test on later ones, and give the figures
    Evaluate(Evaluate),
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// The file; or, with the file after it, the columns: subject,session,activity,t,ax,ay,az,gx,gy,gz
    #[arg(long, value_name = "FILE|COLUMNS")]
    pub(crate) csv: Option<String>,
    /// Recordings as CSV, with a header unless --csv names the columns; gzip is fine; `-` for stdin
    pub(crate) file: Option<PathBuf>,
    /// Share of each subject's sessions that is enrolled, the earliest ones
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub(crate) enrolment: f64,
    /// Seconds over which scores are accumulated
    #[arg(long, default_value_t = 60.0)]
    pub(crate) seconds: f64,
    /// Device-days to draw for the rate of false locks
    #[arg(long, default_value_t = 40_000)]
    pub(crate) device_days: u32,
    /// Seed of all draws
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Feeds {
    /// Take a file in, whole or not at all; findings are assessed anew
    Update {
        /// The file as its publisher offers it: CSV or JSON, plain or gzip
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Which feed it must be; the file says so itself when not given
        #[arg(long, value_enum)]
        kind: Option<FeedName>,
    },
    /// Say how old each feed is
    List,
}

/// A feed on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FeedName {
    Epss,
    Kev,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the audit log: an export offline, or the local database
    Verify {
        /// Export made by `tyrian audit export`; the local database when not given
        file: Option<PathBuf>,
        /// Checkpoint kept elsewhere; proves that nothing before it was changed
        #[arg(long, value_name = "FILE")]
        known_checkpoint: Option<PathBuf>,
    },
    /// Write the audit log with its proofs to a file
    Export { file: PathBuf },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user; the password is read from the terminal or stdin
    Create {
        username: String,
        #[arg(long)]
        email: String,
        /// admin, security_analyst, red_team, blue_team or viewer (comma separated)
        #[arg(long = "role", value_delimiter = ',', default_value = "viewer")]
        roles: Vec<String>,
        /// Business units to bind the user to, such as retail/payments (comma separated); the whole organisation when not given
        #[arg(long = "unit", value_delimiter = ',')]
        units: Vec<base::Unit>,
        /// Found a new organisation of this name for the user; the first one when not given
        #[arg(long)]
        organisation: Option<String>,
    },
    /// List users
    List,
    /// Create an API token for a user
    Token {
        username: String,
        /// What the token is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// Permissions (comma separated); all of the user's when not given
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Publish a new signing key, use it after a while, retire the old one later
    Rotate {
        /// jwt (access tokens), ssf (event tokens) or audit (checkpoints)
        #[arg(default_value = "jwt")]
        purpose: String,
    },
    /// List keys and their states
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration and say what it means
    Check,
    /// Print every key with its default
    Reference,
}

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// Fail when a file is not what it should be, and write nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// Folder of the generated files
    #[arg(long, default_value = "docs")]
    pub(crate) folder: PathBuf,
}

/// What `--format` takes.
fn formats() -> String {
    let mut names: Vec<&str> = importers::Format::all().map(importers::Format::id).collect();
    names.sort_unstable();
    let mut text = "Formats:".to_owned();
    let mut width = usize::MAX;
    for name in names {
        if width > 90 {
            text.push_str("\n ");
            width = 1;
        }
        text.push(' ');
        text.push_str(name);
        width += 1 + name.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
