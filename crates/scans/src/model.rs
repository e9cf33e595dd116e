//! Scans: their states, stages and summaries, and the checks on what starts one.

use base::{Id, Result, Time, UserId, words};
use serde::{Deserialize, Serialize};
use targets::{AuthorizationId, TargetId};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::errors;

/// A scan's id.
pub type ScanId = Id<Scan>;
/// The id of what one stage brought back.
pub type ArtifactId = Id<crate::artifact::Artifact>;

words! {
    errors::word;
    /// How thorough a scan is.
    #[schema(as = ScanProfile)]
    Profile, "/scan_type" {
        /// The commonest ports, TLS and web checks: minutes.
        Quick = "quick",
        /// A thousand ports, services, TLS, web, exposures, and sslscan's second opinion.
        Standard = "standard",
        /// Every port, and nmap's service detection on top.
        Deep = "deep",
    }
    /// Where a scan stands.
    ScanState, "state" {
        /// Waiting for a worker.
        Queued = "queued",
        /// At work.
        Running = "running",
        /// All stages are over, their findings are being taken in.
        Importing = "importing",
        /// Over, everything taken in.
        Completed = "completed",
        /// Over before its end, see `error`.
        Failed = "failed",
        /// Stopped by somebody.
        Cancelled = "cancelled",
    }
}

impl ScanState {
    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

words! {
    errors::word;
    /// Where a stage stands.
    StageState, "state" {
        /// Not begun.
        Pending = "pending",
        /// At work; begun again from its start after a crash.
        Running = "running",
        /// Ran to its end.
        Done = "done",
        /// Left out, see `reason`.
        Skipped = "skipped",
        /// Went wrong, see `reason`; what it brought until then is kept.
        Failed = "failed",
        /// Ran out of time; what it brought until then is kept.
        TimedOut = "timed_out",
        /// Stopped with the scan; what it brought until then is kept.
        Stopped = "stopped",
    }
}

/// How often each severity occurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ScanSeverityCounts)]
pub struct BySeverity {
    /// CVSS 9.0 to 10.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub critical: u64,
    /// CVSS 7.0 to 8.9.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub high: u64,
    /// CVSS 4.0 to 6.9.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub medium: u64,
    /// CVSS 0.1 to 3.9.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub low: u64,
    /// Worth knowing.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub info: u64,
}

impl BySeverity {
    /// The counts with the names of their severities, gravest first.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 5] {
        [("critical", self.critical), ("high", self.high), ("medium", self.medium), ("low", self.low), ("info", self.info)]
    }

    /// One more of this severity.
    pub fn add(&mut self, severity: importers::Severity) {
        match severity {
            importers::Severity::Critical => self.critical += 1,
            importers::Severity::High => self.high += 1,
            importers::Severity::Medium => self.medium += 1,
            importers::Severity::Low => self.low += 1,
            importers::Severity::Info => self.info += 1,
        }
    }
}

/// What came out of a scan, or of one of its artifacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ScanSummary)]
pub struct Summary {
    /// Findings seen, by severity.
    pub by_severity: BySeverity,
    /// Observations taken in.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub observations: u64,
    /// Findings nobody knew before.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub findings_new: u64,
    /// Findings that are open.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, format = "int64")]
    pub findings_open: u64,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.by_severity.critical += other.by_severity.critical;
        self.by_severity.high += other.by_severity.high;
        self.by_severity.medium += other.by_severity.medium;
        self.by_severity.low += other.by_severity.low;
        self.by_severity.info += other.by_severity.info;
        self.observations += other.observations;
        self.findings_new += other.findings_new;
        self.findings_open += other.findings_open;
    }
}

/// One stage of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageRun {
    /// What it does.
    #[schema(max_length = 64)]
    pub name: String,
    /// The tool that does it.
    #[schema(max_length = 64)]
    pub tool: String,
    /// Its version, once known.
    #[schema(max_length = 64)]
    pub tool_version: Option<String>,
    /// Where it stands.
    pub state: StageState,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// Why it was left out or ended early.
    #[schema(max_length = 2000)]
    pub reason: Option<String>,
    /// The command lines, for tools that are programs.
    #[schema(schema_with = argv_schema)]
    pub argv: Vec<Vec<String>>,
}

/// Command lines as the API describes them.
fn argv_schema() -> RefOr<Schema> {
    let word = ObjectBuilder::new().schema_type(Type::String).max_length(Some(2048));
    let line = ArrayBuilder::new().items(word).max_items(Some(1024));
    ArrayBuilder::new().items(line).max_items(Some(1024)).into()
}

/// A test of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scan {
    /// Its id.
    pub id: ScanId,
    /// What is tested.
    #[schema(value_type = TargetId)]
    pub target_id: TargetId,
    /// Its name when the scan was started.
    #[schema(max_length = 200)]
    pub target_name: String,
    /// How thoroughly.
    #[serde(rename = "scan_type")]
    pub profile: Profile,
    /// What was asked for beyond the profile.
    pub options: ScanOptions,
    /// Where it stands.
    pub state: ScanState,
    /// How far it is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub progress: f32,
    /// The stage at work.
    #[schema(max_length = 64)]
    pub stage: Option<String>,
    /// All stages in order.
    #[schema(max_items = 20)]
    pub stages: Vec<StageRun>,
    /// The authorisation it stands on.
    #[schema(value_type = targets::AuthorizationId)]
    pub authorization_id: AuthorizationId,
    /// Who started it.
    pub requested_by: Option<UserId>,
    /// When it was asked for.
    pub created_at: Time,
    /// When a worker began.
    pub started_at: Option<Time>,
    /// When it was over.
    pub finished_at: Option<Time>,
    /// Why it failed.
    #[schema(max_length = 2000)]
    pub error: Option<String>,
    /// What came out.
    pub summary: Option<Summary>,
}

/// What may be asked for beyond a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScanOptions {
    /// Ports instead of the profile's, such as `1-1024,8080`.
    #[schema(max_length = 2000)]
    pub ports: Option<String>,
    /// Most connections opened per second.
    #[schema(minimum = 1, maximum = 1_000_000, format = "int32")]
    pub rate_per_second: Option<u32>,
}

impl ScanOptions {
    /// The ports, when the profile's are overridden.
    ///
    /// # Errors
    /// `Invalid` when the list cannot be read.
    pub(crate) fn port_set(&self) -> Result<Option<scanner::PortSet>> {
        self.ports.as_deref().map(|text| scanner::PortSet::parse(text).map_err(errors::ports)).transpose()
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.rate_per_second == Some(0) {
            return Err(errors::rate());
        }
        if self.ports.as_deref().is_some_and(|text| text.len() > 2000) {
            return Err(errors::ports("the list is longer than 2000 characters"));
        }
        self.port_set().map(drop)
    }
}

/// What is needed to start a scan.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScan {
    /// What to test.
    #[schema(value_type = TargetId)]
    pub target_id: TargetId,
    /// How thoroughly: `quick`, `standard` or `deep`.
    #[serde(rename = "scan_type", alias = "profile")]
    #[schema(value_type = Profile)]
    pub profile: ProfileName,
    /// Ports instead of the profile's, such as `1-1024,8080`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub ports: Option<String>,
    /// Most connections opened per second.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, format = "int32")]
    pub rate_per_second: Option<u32>,
}

impl NewScan {
    /// A scan of a target under a profile, nothing else asked for.
    #[must_use]
    pub fn of(target_id: TargetId, profile: Profile) -> Self {
        Self { target_id, profile: ProfileName(profile.as_str().to_owned()), ports: None, rate_per_second: None }
    }

    pub(crate) fn options(&self) -> ScanOptions {
        ScanOptions { ports: self.ports.clone(), rate_per_second: self.rate_per_second }
    }
}

/// A profile's name as given; read by the service, so that a wrong one is answered with the list of right ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileName(pub String);

impl From<Profile> for ProfileName {
    fn from(profile: Profile) -> Self {
        Self(profile.as_str().to_owned())
    }
}

/// Which scans a list shows.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Only of this target.
    #[param(value_type = Option<TargetId>)]
    pub target_id: Option<TargetId>,
    /// Only in this state.
    #[param(inline)]
    pub state: Option<ScanState>,
}

/// An open port and what answers there: what one stage leaves to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenPort {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) host: String,
    pub(crate) service: String,
    pub(crate) tls: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_test_of_the_documents_is_understood() {
        let id = "0199c0de-0000-7000-8000-000000000001";
        let new: NewScan = serde_json::from_str(&format!(r#"{{"target_id":"{id}","scan_type":"quick"}}"#)).unwrap();
        assert_eq!(new.profile.0.parse::<Profile>().unwrap(), Profile::Quick);
        let new: NewScan = serde_json::from_str(&format!(r#"{{"target_id":"{id}","profile":"deep"}}"#)).unwrap();
        assert_eq!(new.profile.0.parse::<Profile>().unwrap(), Profile::Deep);
        let error = "full".parse::<Profile>().unwrap_err();
        assert!(error.detail().contains("quick, standard, deep"));
        assert_eq!(error.field(), Some("/scan_type"));
    }

    #[test]
    fn wrong_ports_and_rates_are_named() {
        let check = |ports: Option<&str>, rate| ScanOptions { ports: ports.map(str::to_owned), rate_per_second: rate }.check();
        assert!(check(Some("1-3,8080"), Some(1)).is_ok());
        assert_eq!(check(Some("70000"), None).unwrap_err().field(), Some("/ports"));
        assert_eq!(check(None, Some(0)).unwrap_err().field(), Some("/rate_per_second"));
    }
}
