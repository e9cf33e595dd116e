//! The nouns of this context.

use query::{Field, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::{IntoParams, ToSchema};

use crate::index::IndexName;

/// What is looked for.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Question {
    /// The query: words, `"a phrase"`, `field:value`, `field:>=7`, `field:[7 TO 9]`, `begin*`, `AND`, `OR`, `NOT`, parentheses. Everything when
    /// empty. The list of indices names their fields.
    #[param(max_length = 4096)]
    pub q: String,
    /// Where to look.
    #[param(inline)]
    pub index: IndexName,
    /// A sortable field or `id`, `-` before it for descending; the order of the index when empty.
    #[param(max_length = 64)]
    pub sort: String,
    /// `next_cursor` of the page before; absent for the first page.
    #[param(max_length = 1024)]
    pub cursor: Option<String>,
    /// Hits per page, 1 to 500; 50 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// One thing that was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hit {
    /// Its id.
    #[schema(max_length = 64)]
    pub id: String,
    /// What it is now; which fields there are depends on the index.
    #[schema(value_type = Object)]
    pub fields: Json,
    /// Whose words its title is.
    #[serde(skip)]
    #[schema(ignore)]
    pub voice: results::Voice,
}

/// A page of what was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer {
    /// The hits, in order.
    #[schema(max_items = 500)]
    pub items: Vec<Hit>,
    /// Give this back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
    /// How many there are in all; counted up to 10,000.
    #[schema(minimum = 0, maximum = 10000)]
    pub total: i64,
    /// Whether `total` is all of them.
    pub total_is_exact: bool,
}

/// An index and what may be asked of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IndexState {
    /// Its name.
    pub name: IndexName,
    /// Whether it answers; if not, it is being made.
    pub ready: bool,
    /// Changes it does not show yet, of every organisation.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub pending: i64,
    /// How answers are sorted when nobody says.
    #[schema(max_length = 64)]
    pub sort: &'static str,
    /// Its fields.
    #[schema(max_items = 100)]
    pub fields: Vec<IndexField>,
}

/// A field that can be asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IndexField {
    /// Its name.
    #[schema(max_length = 64)]
    pub name: &'static str,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The values of a rank, lowest first.
    #[schema(max_items = 20)]
    pub values: &'static [&'static str],
    /// Whether words without a field look into it.
    pub free: bool,
    /// Whether answers may be sorted by it.
    pub sortable: bool,
    /// What it means.
    #[schema(max_length = 200)]
    pub about: &'static str,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Prose, found by its words.
    Text,
    /// Exact terms.
    Keyword,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// Moments.
    Time,
    /// True or false.
    Flag,
    /// Ordered names.
    Rank,
}

/// Which indices are made anew.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRebuild {
    /// One index; all of them when absent.
    #[schema(inline)]
    pub index: Option<IndexName>,
}

/// Which indices will be made anew.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rebuilding {
    /// Their names.
    #[schema(inline, max_items = 20)]
    pub indices: Vec<IndexName>,
}

impl From<&Field> for IndexField {
    fn from(field: &Field) -> Self {
        let (kind, values): (_, &[_]) = match field.kind {
            Kind::Text => (FieldKind::Text, &[]),
            Kind::Keyword => (FieldKind::Keyword, &[]),
            Kind::Integer => (FieldKind::Integer, &[]),
            Kind::Number => (FieldKind::Number, &[]),
            Kind::Time => (FieldKind::Time, &[]),
            Kind::Flag => (FieldKind::Flag, &[]),
            Kind::Rank(ranks) => (FieldKind::Rank, ranks),
        };
        Self { name: field.name, kind, values, free: field.free, sortable: field.sortable, about: field.about }
    }
}
