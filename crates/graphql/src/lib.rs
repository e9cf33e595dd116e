//! GraphQL at `/graphql`: one question over targets, scans, findings, clusters and trends instead of many requests. It only reads, with the
//! permissions of whoever asks, in a number of statements that does not grow with the answer.

mod errors;
mod http;
mod loaders;
mod model;
mod persisted;
mod query;
mod schema;
mod socket;
mod subscription;

pub use http::{PATH, routes};
pub use schema::{Schema, schema};

use backends::Backends;
use results::Results;
use scans::Scans;
use targets::Targets;

/// What questions are answered from.
#[derive(Clone)]
pub struct Services {
    /// Hot keys for persisted queries, tasks for loaders.
    pub backends: Backends,
    /// Targets.
    pub targets: Targets,
    /// Scans.
    pub scans: Scans,
    /// Findings.
    pub results: Results,
}
