//! The edge. What every request passes before a context sees it, and the listeners it arrives on.

mod certificates;
mod config;
mod docs;
mod edge;
mod errors;
mod forward;
mod headers;
mod limit;
mod listen;
mod management;
mod opening;
mod origin;
mod places;

pub use config::{Config, MutualTls, RateConfig, TlsConfig, Upstreams};
pub use docs::docs;
pub use edge::{Door, calls, edge};
pub use forward::forward;
pub use listen::{Listener, bind, bind_mutual};
pub use management::{install_recorder, management};
