//! Every error a simulation can end with.

use base::{Error, Kind};
use url::Url;

/// The server does not answer.
pub(crate) fn unreachable(server: &Url, cause: reqwest::Error) -> Error {
    let what = if cause.is_timeout() { "does not answer in time" } else { "cannot be reached" };
    Error::unavailable("simulator.unreachable", format!("the server at {server} {what}; is `tyrian serve` running there?")).because(cause)
}

/// The server answered something that is not its API.
pub(crate) fn answer(server: &Url, what: &str) -> Error {
    Error::unavailable("simulator.answer", format!("the server at {server} does not speak as phones expect: {what}"))
}

/// A phone could not enrol, so that there is nothing to simulate.
pub(crate) fn enrolment(status: u16, code: &str, detail: &str) -> Error {
    let hint = match code {
        "devices.attestation_required" => {
            "; virtual phones cannot attest: allow software keys in the organisation's device policy or with devices.software_keys"
        }
        "devices.proof" => "; name the server by the address phones use (devices.public_url)",
        _ => "",
    };
    let kind = match status {
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        409 => Kind::Conflict,
        429 => Kind::TooMany,
        400..=499 => Kind::Invalid,
        _ => Kind::Unavailable,
    };
    Error::new(kind, "simulator.enrolment", format!("a phone cannot enrol: {detail} [{code}]{hint}"))
}

/// A phone cannot be locked although that was asked for.
pub(crate) fn order(code: &str, detail: &str) -> Error {
    Error::forbidden("simulator.order", format!("a phone cannot be locked: {detail} [{code}]"))
}

/// An attack is not one that can be simulated.
pub(crate) fn attack(text: &str, why: &str) -> Error {
    Error::invalid("simulator.attack", format!("the attack `{text}` {why}"))
}

/// An option of a simulation makes no sense.
pub(crate) fn option(name: &str, why: impl std::fmt::Display) -> Error {
    Error::invalid("simulator.option", format!("{name}: {why}"))
}

/// The history of a race cannot be written.
pub(crate) fn history(cause: std::io::Error) -> Error {
    Error::unavailable("simulator.history", "the history cannot be written").because(cause)
}
