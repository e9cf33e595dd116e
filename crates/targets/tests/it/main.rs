//! Stories of targets and authorisations, on both engines.

mod authorizing;
mod exchange;
mod recording;
mod routes;
