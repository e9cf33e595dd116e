//! Why a query, a sort or a document is refused.

use thiserror::Error;

/// A refused query and where in it the mistake is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault} (character {position})")]
pub struct QueryError {
    /// What is wrong.
    pub fault: Fault,
    /// Where, counted in characters from 1.
    pub position: usize,
}

/// What is wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// More bytes than allowed.
    #[error("the query is longer than {0} bytes")]
    TooLong(usize),
    /// More nested parentheses and negations than allowed.
    #[error("parentheses and negations nest deeper than {0}")]
    TooDeep(usize),
    /// More conditions than allowed.
    #[error("the query has more than {0} conditions")]
    TooMany(usize),
    /// A field that the index does not have.
    #[error("there is no field `{name}`; {}", suggest(.suggestions))]
    UnknownField {
        /// As written.
        name: String,
        /// Fields of a similar name, or all of them.
        suggestions: Vec<&'static str>,
    },
    /// A value of the wrong kind.
    #[error("`{value}` is not {expected}, which `{field}` needs")]
    WrongValue {
        /// The field.
        field: &'static str,
        /// As written.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A range on a field without order.
    #[error("`{0}` has no order: ranges work on numbers, times and ranks")]
    NoOrder(&'static str),
    /// A sort by a field that keeps no order.
    #[error("nothing is sorted by `{name}`; sort by {}", .allowed.join(", "))]
    NotSortable {
        /// As written.
        name: String,
        /// What works.
        allowed: Vec<&'static str>,
    },
    /// A `*` elsewhere than at the end of one word.
    #[error("`*` may only end one word")]
    Wildcard,
    /// A value without letters or digits.
    #[error("`{0}` holds no letter or digit to look for")]
    NoWord(String),
    /// Something that has no place here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
}

fn suggest(names: &[&'static str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("did you mean {}?", quoted.join(", "))
}
