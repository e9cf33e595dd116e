//! Stories of the audit log, on both engines.

mod change;
mod log;
mod routes;
mod tamper;
mod thing;
