//! Who people are and what they may do: organisations, users, roles, sessions, access tokens, API tokens.
//! Nobody but the edge asks this context anything: it puts the `Actor` into the request.

pub mod actions;
mod attempts;
mod cache;
mod config;
mod cookie;
mod digest;
mod errors;
pub mod events;
mod http;
mod jobs;
mod jwt;
mod layer;
mod letter;
mod lockout;
mod model;
mod password;
mod service;
mod store;
mod token;

pub use self::http::{internal_routes, routes};
pub use config::{Algorithm, Config};
pub use cookie::{PLAIN_NAME, SECURE_NAME};
pub use jobs::{Sweep, jobs};
pub use layer::{Csrf, identify, layer};
pub use model::{
    AccessToken, ApiToken, Credentials, Invitation, NewAdmin, NewToken, NewUser, Organisation, Session, SessionEntry, SessionId, SignIn,
    TokenId, User, UserPatch, UserState,
};
pub use service::{Auth, Created, Rotated};
