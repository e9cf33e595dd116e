//! The outside world behind URLs. Only this crate knows one engine from another; everybody else holds [`Backends`].

mod blobs;
mod bus;
mod clock;
mod config;
mod connect;
mod db;
mod errors;
pub mod events;
mod folder;
mod hot;
mod ids;
pub mod jobs;
mod keys;
mod link;
mod mail;
mod outbound;
mod search;
mod tasks;
mod tls;

pub use blobs::Blobs;
pub use bus::{Bus, Message, Subscription};
pub use clock::Clock;
pub use config::{Config, OutboundConfig};
pub use connect::{Backends, Engines, Health};
pub use db::{Column, Db, Row, Sql, Tx, Value, sql};
pub use events::{Event, EventId};
pub use hot::{Count, Hot, Quota, Verdict};
pub use ids::Ids;
pub use jobs::{Handlers, Job, JobId, Run, Schedule};
pub use keys::{Algorithm, Keys, PublicKey, Rotation, Signer, State};
pub use mail::{Letter, Mail};
pub use outbound::{Limits, Outbound, Request, Response, Zone};
pub use search::{COUNTED, Entry, Found, Inquiry, Place, Position, Search, portion};
pub use tasks::Tasks;
pub use tls::Authorities;
