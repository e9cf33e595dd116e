//! The edge. What every request passes before a context sees it, and the listeners it arrives on.

mod config;
mod docs;
mod edge;
mod errors;
mod forward;
mod headers;
mod limit;
mod listen;
mod management;
mod origin;

pub use config::{Config, RateConfig, TlsConfig, Upstreams};
pub use docs::docs;
pub use edge::{Door, edge};
pub use forward::forward;
pub use listen::{Listener, bind};
pub use management::{install_recorder, management};
