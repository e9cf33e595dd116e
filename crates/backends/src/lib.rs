//! The outside world behind URLs. Only this crate knows one engine from another; everybody else holds [`Backends`].

mod clock;
mod config;
mod connect;
mod db;
mod errors;
pub mod events;
mod ids;
pub mod jobs;
mod tasks;

pub use clock::Clock;
pub use config::{Config, OutboundConfig};
pub use connect::{Backends, Health};
pub use db::{Column, Db, Row, Sql, Tx, Value, sql};
pub use events::{Event, EventId};
pub use ids::Ids;
pub use jobs::{Handlers, Job, JobId, Run, Schedule};
pub use tasks::Tasks;
