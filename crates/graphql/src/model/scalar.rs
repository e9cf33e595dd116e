//! Parts every kind of row shares: moments, severities, ids and pages.

use async_graphql::{Enum, ID, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use base::{Id, Page, PageRequest, Time};

use crate::errors;

/// A moment: RFC 3339 in UTC.
pub(crate) struct Moment(pub(crate) Time);

#[Scalar(name = "DateTime", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for Moment {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                text.parse().map(Self).map_err(|_| InputValueError::custom(format!("`{text}` is not an RFC 3339 moment")))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Severity", remote = "importers::Severity")]
pub(crate) enum SeverityWord {
    /// Worth knowing.
    Info,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 9.0 to 10.
    Critical,
}

/// Where a page ends.
#[derive(SimpleObject)]
#[graphql(name = "PageInfo")]
pub(crate) struct PageEnd {
    /// Whether another page follows.
    has_next_page: bool,
    /// Give this back as `after` for the next page.
    end_cursor: Option<Cursor>,
}

impl PageEnd {
    pub(crate) fn of(next_cursor: Option<String>) -> Self {
        Self { has_next_page: next_cursor.is_some(), end_cursor: next_cursor.map(Cursor) }
    }
}

/// Where to go on in a list: what `endCursor` of the page before said.
pub(crate) struct Cursor(String);

#[Scalar(name = "Cursor")]
impl ScalarType for Cursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// Rows of a page: 1 to 500, whatever is said; 50 when nothing is.
fn rows(first: Option<i32>) -> u32 {
    first.map_or(50, |rows| u32::try_from(rows).unwrap_or(1).clamp(1, PageRequest::MAXIMUM))
}

/// The page asked for.
pub(crate) fn page(first: Option<i32>, after: Option<Cursor>) -> PageRequest {
    PageRequest { cursor: after.map(|cursor| cursor.0), limit: Some(rows(first)) }
}

/// What a list costs: itself, and its rows as often as they come. Far above any limit it stays where it is, so that a sum of
/// many such lists cannot run over.
pub(crate) fn cost(own: usize, first: Option<i32>, row: usize) -> usize {
    const MOST: usize = 1 << 40;
    (rows(first) as usize).saturating_mul(row).saturating_add(own).min(MOST)
}

/// The days looked back over: like the rows of a page, at least one and at most what there is.
pub(crate) fn taken(days: i32) -> u32 {
    days.clamp(1, 366).unsigned_abs()
}

/// What a look over so many days costs.
pub(crate) fn span(days: Option<i32>) -> usize {
    const OWN: usize = 100;
    OWN + days.map_or(90, taken) as usize
}

/// An id as our own; what is none belongs to nothing.
pub(crate) fn id<T>(given: &ID) -> Option<Id<T>> {
    given.parse().ok()
}

/// Nothing, or an id; none when it is no id.
pub(crate) fn wanted<T>(given: Option<ID>) -> Option<Option<Id<T>>> {
    given.map_or(Some(None), |given| id(&given).map(Some))
}

/// A page as the question wants it.
pub(crate) fn listed<T, P: From<Page<T>>>(found: base::Result<Page<T>>) -> async_graphql::Result<P> {
    found.map(Into::into).map_err(|error| errors::field(&error))
}

/// A page without rows.
pub(crate) fn nothing<T, P: From<Page<T>>>() -> P {
    Page { items: Vec::new(), next_cursor: None }.into()
}
