//! What tests need from the outside world: real servers as child processes, a lab with planted
//! weaknesses, test data and waits with a deadline. Panics are the error type here: a missing
//! server is a failed test, never a skipped one.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "this crate exists only inside tests: it starts processes, reads the clock and fails loudly"
)]

mod data;
mod eventually;
mod lab;
mod ports;
mod process;
mod scratch;
pub mod servers;
mod serving;
mod sources;
mod world;

pub use data::data;
pub use eventually::eventually;
pub use lab::{Lab, Planted};
pub use ports::free_port;
pub use serving::serve;
pub use sources::sources;
pub use world::{Engine, World, engines};
