//! Stories of signing in, through service and routes, on both engines.
#![expect(clippy::unwrap_used, reason = "functions beside the tests may fail them too")]

mod access_tokens;
mod api_tokens;
mod first_run;
mod letters;
mod routes;
mod sessions;
mod sign_in;
mod stage;
mod users;
