//! What other systems are told. First of it: a transmitter of the OpenID Shared Signals Framework 1.0, which tells receivers of
//! locked phones, revoked tokens and changed risk as CAEP 1.0 events. It hears of them by the names of events and knows no other context.

pub mod actions;
mod config;
mod discovery;
mod errors;
mod http;
mod jobs;
mod model;
mod service;
mod signals;
mod store;
mod subject;
mod token;

pub use self::http::routes;
pub use config::Config;
pub use discovery::discovery;
pub use jobs::jobs;
pub use model::{
    Configuration, DeliveryOrder, DeliveryShown, Held, HeldState, Method, NewStream, PollAnswer, PollError, PollRequest, Status, Stream,
    StreamId, StreamPatch, StreamStatus, SubjectOrder, Tally,
};
pub use service::{Integrations, Rotated};
pub use signals::{SUPPORTED, name};
