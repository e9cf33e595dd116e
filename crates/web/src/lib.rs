//! HTTP habits every context shares: who calls, how input is read, how failures and live streams look on the wire.
//! It knows nothing of any context: the caller is whatever the auth layer put into the request.

mod answer;
mod caller;
mod errors;
pub mod idempotency;
mod input;
mod lingering;
pub mod live;
mod network;
pub mod openapi;
mod page_origin;
mod problem;
mod shares;
pub mod socket;
mod standing;
mod user_limit;

pub use answer::{created, no_content};
pub use caller::{Caller, Peer, PeerCertificate};
pub use input::{Body, Params, Path, PathId, read_body, read_json};
pub use lingering::{Linger, Lingering};
pub use network::network;
pub use openapi::ErrorResponses;
pub use page_origin::is_own_origin;
pub use problem::{Answer, Problem, problems};
pub use shares::{Share, Shares};
pub use standing::{Recheck, Standing};
pub use user_limit::UserLimit;
pub use utoipa_axum::router::OpenApiRouter;
pub use utoipa_axum::routes;
