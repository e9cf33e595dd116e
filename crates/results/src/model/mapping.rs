//! Mappings that people write for tools nobody else knows: tried on a sample, saved under a name, used by imports.

use base::Time;
use importers::{Location, Severity};
use scans::BySeverity;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::schema::{LocationSchema, SeveritySchema};

/// A mapping that an import uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingUse {
    /// Its name.
    pub name: String,
    /// Digest of its text when it was used: the same file read in another way is another import.
    #[serde(default)]
    pub digest: String,
}

impl MappingUse {
    /// A mapping by its name, as it stands when the import begins.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.trim().to_owned(), digest: String::new() }
    }
}

/// A saved mapping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedMapping {
    /// Its name; imports name it as `format=mapping:<name>`.
    #[schema(max_length = 64)]
    pub name: String,
    /// The mapping as it was written.
    #[schema(value_type = Object)]
    pub mapping: Json,
    /// Who saved it last.
    #[schema(max_length = 256)]
    pub saved_by: String,
    /// When it was first saved.
    pub created_at: Time,
    /// When it was saved last.
    pub updated_at: Time,
}

/// A mapping and a piece of a file to try it on; nothing is stored.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryMapping {
    /// The text of the mapping, so that an error can name the place in it.
    #[schema(min_length = 2, max_length = 262144)]
    pub mapping: String,
    /// The beginning of a file, or all of it.
    #[schema(max_length = 1048576)]
    pub sample: String,
}

/// One observation a mapping made of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedObservation {
    /// Id of the check.
    #[schema(max_length = 2048)]
    pub check: String,
    /// One line.
    #[schema(max_length = 1000)]
    pub title: String,
    /// What was found.
    #[schema(max_length = 65536)]
    pub description: String,
    /// How grave.
    #[schema(value_type = SeveritySchema)]
    pub severity: Severity,
    /// Weakness classes.
    #[schema(max_items = 1000)]
    pub cwes: Vec<u32>,
    /// Vulnerability names.
    #[schema(max_items = 1000)]
    pub cves: Vec<String>,
    /// Where.
    #[schema(value_type = LocationSchema)]
    pub location: Location,
}

/// What a mapping made of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MappingTrial {
    /// The name in the mapping.
    #[schema(max_length = 80)]
    pub name: String,
    /// The first observations.
    #[schema(max_items = 20)]
    pub observations: Vec<TriedObservation>,
    /// Observations in all.
    #[schema(minimum = 0, format = "int64")]
    pub observation_count: u64,
    /// Those by severity.
    pub by_severity: BySeverity,
    /// Records that could not be taken.
    #[schema(minimum = 0, format = "int64")]
    pub skipped: u64,
    /// The first warnings, each with its place in the sample.
    #[schema(max_items = 20)]
    pub warnings: Vec<String>,
    /// Columns and paths of the mapping that never had anything.
    #[schema(max_items = 1000)]
    pub unused: Vec<String>,
    /// Why the sample could not be read to its end, with the place.
    #[schema(max_length = 4096)]
    pub failure: Option<String>,
    /// Whether it fits exactly: nothing skipped, warned about or unused.
    pub fits: bool,
}
