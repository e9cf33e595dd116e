//! Stories of the scanner against real servers.
