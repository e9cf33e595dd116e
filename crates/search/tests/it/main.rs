//! Stories of search: what is found, that it follows the database, and what happens while the index is away.
#![cfg(test)]

mod away;
mod following;
mod routes;
mod stage;
