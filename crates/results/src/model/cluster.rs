//! Clusters: findings of several tools about the same weakness, shown as one and never merged.

use importers::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::FindingId;
use super::schema::SeveritySchema;

/// Findings that are about the same weakness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingCluster)]
pub struct Cluster {
    /// Its name.
    #[schema(max_length = 64)]
    pub id: String,
    /// What its members have in common.
    #[schema(max_length = 1024)]
    pub reason: String,
    /// Findings in it.
    #[schema(minimum = 2, format = "int64")]
    pub members: u64,
    /// Tools that found them.
    #[schema(minimum = 1, format = "int64")]
    pub sources: u64,
    /// Members that count as being there.
    #[schema(minimum = 0, format = "int64")]
    pub standing: u64,
    /// The gravest member's severity.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
}

/// Where a person puts a finding; remembered whatever later runs say.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterMove {
    /// Into the cluster of this finding; into one of its own when absent.
    #[serde(default)]
    pub join: Option<FindingId>,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: String,
}

/// That two clusters are one; remembered for findings yet to come.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterJoin {
    /// The cluster that stays.
    #[schema(min_length = 1, max_length = 64)]
    pub into: String,
    /// Why.
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: String,
}
