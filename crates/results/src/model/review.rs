//! The review queue: new findings that could be one of several older ones, until a person says which.

use base::{Id, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::finding::FindingId;
use super::import::ImportId;
use super::voice::Voice;

/// A review's id.
pub type ReviewId = Id<Review>;

/// A question for a person: is this finding new, or one of these?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingReview)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The new finding.
    pub finding_id: FindingId,
    /// Its title.
    #[schema(max_length = 1000)]
    pub title: String,
    /// The import that brought it.
    pub import_id: ImportId,
    /// The older findings it could be.
    #[schema(max_items = 50)]
    pub candidates: Vec<FindingId>,
    /// Why nothing decided it.
    #[schema(max_length = 4096)]
    pub reason: String,
    /// When it came up.
    pub created_at: Time,
    /// Whose words the title is.
    #[serde(skip)]
    #[schema(ignore)]
    pub voice: Voice,
}

/// The answer to a review.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The older finding it is, one of the candidates; absent when it is a new one.
    #[serde(default)]
    pub same_as: Option<FindingId>,
}
