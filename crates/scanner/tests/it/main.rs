//! Stories of the scanner against real servers.
#![expect(clippy::disallowed_methods, reason = "tests start the judges, read the clock and run servers of their own")]

mod agreement;
mod hostile;
mod lab;
mod limits;
mod scene;
mod wrong_use;
