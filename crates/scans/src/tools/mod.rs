//! Tools: what brings observations back, our own probes and programs of others, each declared in its own file.

mod adapter;
mod native;
mod nmap;
mod process;
mod runner;
mod sslscan;

pub use native::NATIVE;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backends::Backends;
use base::Result;
use importers::{CoverageStatus, Location};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use targets::Permit;

use crate::artifact::Sheet;
use crate::model::{OpenPort, Scan, StageState};
use crate::profile::Tool;
use crate::progress::{Reporter, Share};
use crate::watch::{Halt, PermitGuard};

pub(crate) use adapter::Adapter;

/// The `[scans]` section: limits of scans and of the programs they run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folders in which programs are looked for, in order.
    pub tool_folders: Vec<PathBuf>,
    /// Most connections one scan holds open at once.
    pub concurrency: usize,
    /// Most connections one scan opens per second; 0 means no limit.
    pub rate_per_second: u32,
    /// Most addresses one target may stand for.
    pub addresses: usize,
    /// The DNS server asked for a domain's addresses and records, where a permit covers it; written empty for none.
    #[serde(deserialize_with = "address_or_empty")]
    pub resolver: Option<SocketAddr>,
    /// Longest run of one program, in seconds.
    pub tool_seconds: u64,
    /// Most memory of one program, in mebibytes.
    pub tool_memory_mebibytes: u64,
    /// Most output of one program, in mebibytes.
    pub tool_output_mebibytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tool_folders: ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from).to_vec(),
            concurrency: 1024,
            rate_per_second: 0,
            addresses: 1024,
            resolver: None,
            tool_seconds: 2 * 3600,
            tool_memory_mebibytes: 2048,
            tool_output_mebibytes: 64,
        }
    }
}

fn address_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(D::Error::custom),
    }
}

impl Config {
    /// The program's file, if it is installed in one of the folders.
    pub(crate) fn find(&self, program: &str) -> Option<PathBuf> {
        self.tool_folders.iter().map(|folder| folder.join(program)).find(|file| is_executable(file))
    }

    /// The rate that holds for a scan: the lower of what it asks for and what is set.
    pub(crate) fn rate(&self, asked: Option<u32>) -> Option<u32> {
        let set = (self.rate_per_second > 0).then_some(self.rate_per_second);
        match (asked, set) {
            (Some(asked), Some(set)) => Some(asked.min(set)),
            (one, other) => one.or(other),
        }
    }
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// A program this context can make use of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Name of the program.
    pub name: &'static str,
    /// The Debian package that brings it.
    pub package: &'static str,
    /// Where it is, when it is installed.
    pub file: Option<PathBuf>,
}

/// The programs of others this context can make use of, for `doctor`.
#[must_use]
pub fn installed(config: &Config) -> Vec<Installed> {
    [&nmap::ADAPTER, &sslscan::ADAPTER]
        .map(|adapter| Installed { name: adapter.name, package: adapter.package, file: config.find(adapter.name) })
        .to_vec()
}

/// All a stage needs.
pub(crate) struct Stage<'a> {
    pub(crate) backends: &'a Backends,
    pub(crate) config: &'a Config,
    pub(crate) scan: &'a Scan,
    pub(crate) permit: &'a Permit,
    pub(crate) guard: Arc<PermitGuard>,
    pub(crate) halt: &'a Arc<Halt>,
    pub(crate) reporter: &'a Reporter,
    pub(crate) share: Share,
    /// What the native stage found open.
    pub(crate) surface: &'a [OpenPort],
}

/// What a stage brought back and how it ended.
pub(crate) struct Brought {
    pub(crate) state: StageState,
    pub(crate) reason: Option<String>,
    pub(crate) tool_version: Option<String>,
    pub(crate) argv: Vec<Vec<String>>,
    pub(crate) sheet: Sheet,
    /// The tool's own words, compressed.
    pub(crate) raw: Option<Vec<u8>>,
    /// Set by the native stage only.
    pub(crate) surface: Option<Vec<OpenPort>>,
}

impl Brought {
    /// A stage that was left out, with a coverage record that says so.
    pub(crate) fn skipped(tool: &str, place: Location, reason: String) -> Result<Self> {
        let mut sheet = Sheet::new()?;
        sheet.covered(tool, tool, place, CoverageStatus::Skipped, Some(reason.clone()));
        Ok(Self { state: StageState::Skipped, reason: Some(reason), tool_version: None, argv: Vec::new(), sheet, raw: None, surface: None })
    }
}

/// What went wrong, and what a tool was asked for but cannot do, in one line.
fn reason(troubles: Vec<String>, remarks: BTreeSet<&'static str>) -> Option<String> {
    let words: Vec<String> = troubles.into_iter().chain(remarks.into_iter().map(str::to_owned)).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

impl Stage<'_> {
    /// Runs the tool to its end, its limit or the halt; errors are ours, the tool's are in what it brought.
    pub(crate) async fn run(&self, tool: Tool) -> Result<Brought> {
        match tool {
            Tool::Native => native::run(self).await,
            Tool::Nmap => Box::pin(nmap::run(self)).await,
            Tool::Sslscan => Box::pin(sslscan::run(self)).await,
        }
    }

    /// The target as a place, for coverage of what was not looked at.
    fn place(&self) -> Location {
        let address = self.permit.target.endpoint();
        Location {
            host: address.as_ref().and_then(targets::Address::name),
            ip: address.as_ref().and_then(targets::Address::ip).map(|ip| ip.to_string()),
            ..Location::default()
        }
    }
}
