//! Stories of the scanner against real servers.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start the judges, read the clock and fail loudly")]

mod agreement;
mod hostile;
mod lab;
mod limits;
mod names;
mod pages;
mod scene;
mod servers;
mod shares;
mod stories;
mod strangers;
mod udp;
mod unheard;
mod upgrades;
mod wrong_use;
