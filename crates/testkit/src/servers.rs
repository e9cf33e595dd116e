//! Real servers on free loopback ports. What `./test` started for the whole run is shared; what a
//! test wants to kill, freeze or configure, it starts for itself.

mod named;
mod openssl;
mod postgres;
mod redis;
mod search;
mod smtp;
mod upgrades;

pub use named::NameServer;
pub use openssl::OneAtATime;
pub use postgres::{Database, Durability, Postgres, fresh_database};
pub use redis::{Redis, fresh_redis};
pub use search::{SearchProduct, SearchServer, shared_search};
pub use smtp::Smtp;
pub use upgrades::Upgrading;
