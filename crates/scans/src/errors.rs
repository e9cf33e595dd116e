//! Every error a caller of this context can get.

use base::Error;

use crate::model::{Profile, ScanState};

/// There is no such scan.
pub(crate) fn not_found() -> Error {
    Error::not_found("scans.not_found", "there is no such scan")
}

/// There is no such artifact of a scan.
pub(crate) fn artifact_not_found() -> Error {
    Error::not_found("scans.artifact_not_found", "there is no such artifact")
}

/// What a stage brought is recorded but cannot be read back.
pub(crate) fn artifact_unreadable(why: impl Into<String>) -> Error {
    Error::unavailable("scans.artifact_unreadable", why)
}

/// The scan is over and cannot be stopped.
pub(crate) fn already_over(state: ScanState) -> Error {
    Error::conflict("scans.already_over", format!("the scan is already {state}"))
}

/// A word that is none of the known ones.
pub(crate) fn word(pointer: &str, given: &str, known: &[&str]) -> Error {
    let shown: String = given.chars().take(40).collect();
    Error::invalid("scans.word", format!("`{shown}` is not one of {}", known.join(", "))).at(pointer)
}

/// The list of ports cannot be read.
pub(crate) fn ports(why: impl std::fmt::Display) -> Error {
    Error::invalid("scans.ports", format!("ports: {why}")).at("/ports")
}

/// The rate is zero.
pub(crate) fn rate() -> Error {
    Error::invalid("scans.rate", "the rate must be at least one connection a second").at("/rate_per_second")
}

/// The target is not given under a known profile's needs.
pub(crate) fn not_scannable(profile: Profile) -> Error {
    Error::invalid("scans.not_scannable", format!("the target has no address that profile {profile} can scan")).at("/target_id")
}

/// The process stops, or another worker took the scan over.
pub(crate) fn interrupted() -> Error {
    Error::unavailable("scans.interrupted", "the worker stops; the scan goes on elsewhere or after a restart")
}

/// A WebSocket asked for with a token in its address, which would end up in logs.
pub(crate) fn token_in_address() -> Error {
    Error::invalid("scans.token_in_address", "credentials are never taken from the address: use the Authorization header or a session")
        .at("token")
}

/// A WebSocket asked for by a page of another origin.
pub(crate) fn foreign_origin() -> Error {
    Error::forbidden("scans.foreign_origin", "this origin may not open a socket here")
}

/// A program of others could not be run.
pub(crate) fn tool_failed(what: &str, cause: std::io::Error) -> Error {
    Error::unavailable("scans.tool_failed", format!("{what}: {cause}")).because(cause)
}

/// A WebSocket route asked for without the upgrade it needs.
pub(crate) fn no_upgrade(why: &str) -> Error {
    Error::invalid("scans.no_upgrade", format!("this is a WebSocket: {why}"))
}
