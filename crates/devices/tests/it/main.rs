//! The stories of this context: through the service and its routes, on both kinds of engines.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests are clients and start tasks")]

mod agreeing;
mod android;
mod apple;
mod authorities;
mod calls;
mod enrolling;
mod evidence;
mod handset;
mod judging;
mod lines;
mod locking;
mod narrow;
mod racing;
mod reinforcing;
mod routes;
mod stage;
mod stealing;
mod switching;
mod wire;
mod written;
