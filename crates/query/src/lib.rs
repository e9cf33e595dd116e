//! The query language of every list and index: `severity:>=high AND title:"weak cipher" NOT status:fixed`. A query is parsed
//! once against a [`Schema`] into a checked [`Expression`]; what a word, a term and an order are is defined here, so that
//! every engine that evaluates an expression gives the same answer.

pub mod analysis;
mod document;
mod errors;
mod expression;
mod leaf;
mod literal;
mod parser;
mod schema;

pub use document::{Card, Document, Portion, Value};
pub use errors::{Fault, QueryError};
pub use expression::{Expression, Key, Leaf, Sort, Test, end_of_prefix, joined};
pub use parser::{MAXIMUM_CLAUSES, MAXIMUM_DEPTH, MAXIMUM_LENGTH, parse};
pub use schema::{Field, Kind, Schema};
