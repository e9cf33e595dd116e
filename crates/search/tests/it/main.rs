//! Stories of search: what is found, that it follows the database, and what happens while the index is away.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "tests take names nobody else has")]

mod away;
mod following;
mod routes;
mod stage;
mod units;
