//! Parts every kind of row shares: moments, severities, ids and pages.

use async_graphql::{Enum, ID, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use base::{Id, PageRequest, Time};

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
    end_cursor: Option<String>,
}

impl PageEnd {
    pub(crate) fn of(next_cursor: Option<String>) -> Self {
        Self { has_next_page: next_cursor.is_some(), end_cursor: next_cursor }
    }
}

/// The page asked for; at most 500 rows, 50 when not said.
pub(crate) fn page(first: Option<u32>, after: Option<String>) -> PageRequest {
    PageRequest { cursor: after, limit: first }
}

/// An id as our own.
pub(crate) fn id<T>(pointer: &'static str, given: &ID) -> async_graphql::Result<Id<T>> {
    given
        .parse()
        .map_err(|_| errors::field(&errors::request(&format!("`{}` is not an id", given.chars().take(64).collect::<String>())).at(pointer)))
}
