//! The schema and its limits: a question that costs too much is refused before any of it is answered.

use async_graphql::EmptyMutation;

use crate::Services;
use crate::query::Query;
use crate::subscription::Subscription;

/// The whole schema.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, Subscription>;

/// Levels of fields; the introspection query of common tools needs 15.
const DEPTH: usize = 16;
/// Fields, each counted as often as it can be answered.
const COMPLEXITY: usize = 20_000;
/// Levels of braces and brackets the parser follows.
const NESTING: usize = 32;
/// Directives on one field.
const DIRECTIVES: usize = 8;

/// The schema over these services.
#[must_use]
pub fn schema(services: Services) -> Schema {
    Schema::build(Query, EmptyMutation, Subscription)
        .data(services)
        .limit_depth(DEPTH)
        .limit_complexity(COMPLEXITY)
        .limit_recursive_depth(NESTING)
        .limit_directives(DIRECTIVES)
        .finish()
}
