//! What a stage is doing, as facts: whoever shows it says it in the reader's language.

use std::fmt::{self, Display, Formatter};

use base::words;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors;

/// What a stage is doing; displayed in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScanActivity)]
pub struct Activity {
    /// What kind of work it is.
    pub kind: ActivityKind,
    /// How many ports, services or sets of checks it is about.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub count: u64,
    /// What it is about when that is not everything: an address, or which run of how many.
    #[schema(max_length = 100)]
    pub subject: String,
}

words! {
    errors::word;
    /// The kinds of work of a stage.
    ActivityKind, "kind" {
        /// Ports are tried.
        FindingPorts = "finding_ports",
        /// Open ports are asked what they are.
        NamingServices = "naming_services",
        /// Services are checked for weaknesses.
        RunningChecks = "running_checks",
        /// nmap looks at open ports.
        Nmap = "nmap",
        /// sslscan looks at one service.
        Sslscan = "sslscan",
    }
}

impl Activity {
    pub(crate) fn new(kind: ActivityKind, count: usize, subject: impl Into<String>) -> Self {
        Self { kind, count: count as u64, subject: subject.into() }
    }
}

impl Display for Activity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { kind, count, subject } = self;
        match kind {
            ActivityKind::FindingPorts => write!(f, "looking for open ports, {count} to try"),
            ActivityKind::NamingServices => write!(f, "asking what they are; open ports: {count}"),
            ActivityKind::RunningChecks => write!(f, "checking services; sets of checks: {count}"),
            ActivityKind::Nmap => write!(f, "nmap looks at open ports; ports: {count}, run {subject}"),
            ActivityKind::Sslscan => write!(f, "sslscan looks at {subject}"),
        }
    }
}
