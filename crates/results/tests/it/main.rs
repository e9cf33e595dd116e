//! Stories of findings, on both engines.

mod decisions;
mod identity;
mod imports;
mod routes;
mod scanned;
mod story;
