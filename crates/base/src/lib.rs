//! Words shared by every floor. No I/O: nothing here reads a clock, a file, a socket or an environment variable.
//! A word enters only when three crates need it.

mod action;
mod actor;
mod error;
mod errors;
mod id;
mod language;
mod page;
mod permission;
mod secret;
mod time;
mod unit;
mod words;

pub use action::Action;
pub use actor::{Actor, ActorKind, Origin, Scope, Source};
pub use error::{Error, Kind, Result};
pub use id::{Id, Tenant, TenantId, User, UserId};
pub use language::{Language, fill};
pub use page::{Cursor, Page, PageRequest};
pub use permission::{Permission, Role};
pub use secret::Secret;
pub use time::Time;
pub use unit::Unit;
