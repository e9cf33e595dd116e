//! Stories of signing in, through service and routes, on both engines.

mod access_tokens;
mod api_tokens;
mod first_run;
mod routes;
mod sessions;
mod sign_in;
mod stage;
mod users;
