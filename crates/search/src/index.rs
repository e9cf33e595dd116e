//! Which index holds what: its schema, who may read it, and whose things it is made of.

use base::{Action, Result};
use query::{Card, Portion, Schema};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions;
use crate::service::Search;

/// An index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexName {
    /// Findings.
    #[default]
    Vulnerabilities,
    /// Observations: what tools said.
    ScanResults,
    /// The audit log.
    AuditLogs,
    /// Figures the platform measured.
    SystemMetrics,
    /// Targets.
    Assets,
}

impl IndexName {
    /// Every index.
    pub const ALL: &'static [Self] = &[Self::Vulnerabilities, Self::ScanResults, Self::AuditLogs, Self::SystemMetrics, Self::Assets];

    /// Its fields.
    #[must_use]
    pub fn schema(self) -> &'static Schema {
        match self {
            Self::Vulnerabilities => &results::FINDINGS,
            Self::ScanResults => &results::OBSERVATIONS,
            Self::AuditLogs => &audit::ENTRIES,
            Self::SystemMetrics => &scans::METRICS,
            Self::Assets => &targets::ASSETS,
        }
    }

    /// What reading it is called, and needs.
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Vulnerabilities | Self::ScanResults => actions::READ_FINDINGS,
            Self::AuditLogs => actions::READ_AUDIT,
            Self::SystemMetrics => actions::READ_METRICS,
            Self::Assets => actions::READ_TARGETS,
        }
    }

    /// What it is made of, from the database.
    pub(crate) async fn cards(self, search: &Search, wanted: Portion<'_>) -> Result<Vec<Card>> {
        match self {
            Self::Vulnerabilities => search.results.finding_cards(wanted).await,
            Self::ScanResults => search.results.observation_cards(wanted).await,
            Self::AuditLogs => search.audit.entry_cards(wanted).await,
            Self::SystemMetrics => search.scans.metric_cards(wanted).await,
            Self::Assets => search.targets.asset_cards(wanted).await,
        }
    }
}
