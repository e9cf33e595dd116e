//! Every error a caller of this context can get.

use std::time::Duration;

use base::{Error, Time};

/// A field is empty, too long, or none of its words.
pub(crate) fn field(pointer: &str, why: impl Into<String>) -> Error {
    Error::invalid("devices.field", why).at(pointer)
}

/// A word that is none of the known ones.
pub(crate) fn word(pointer: &str, given: &str, known: &[&str]) -> Error {
    let shown: String = given.chars().take(40).collect();
    field(pointer, format!("`{shown}` is not one of {}", known.join(", ")))
}

/// A setting of the `[devices]` section cannot work.
pub(crate) fn setting(key: &str, why: impl std::fmt::Display) -> Error {
    Error::invalid("devices.setting", format!("devices.{key}: {why}"))
}

/// There is no such phone.
pub(crate) fn not_found() -> Error {
    Error::not_found("devices.not_found", "there is no such device")
}

/// The phone is not locked or restricted.
pub(crate) fn not_locked() -> Error {
    Error::conflict("devices.not_locked", "the device is neither locked nor restricted")
}

/// There is no such command.
pub(crate) fn no_command(sequence: i64) -> Error {
    Error::not_found("devices.no_command", format!("there is no command {sequence} for this device"))
}

/// A phone that belongs to a person is never harmed: only what our application holds may be touched.
pub(crate) fn byod() -> Error {
    Error::forbidden("devices.byod", "the device belongs to its user: only the application's own reach is allowed").at("/reach")
}

/// The enrolment code is missing, wrong, used or over.
pub(crate) fn code() -> Error {
    Error::unauthenticated("devices.code", "the enrolment code is missing, wrong, used or over")
}

/// The proof of possession is missing or about something else.
pub(crate) fn proof(why: impl std::fmt::Display) -> Error {
    Error::unauthenticated("devices.proof", format!("the DPoP proof is not accepted: {why}"))
}

/// The proof must carry the nonce of the `DPoP-Nonce` header.
pub(crate) fn use_nonce() -> Error {
    Error::unauthenticated("devices.use_dpop_nonce", "repeat the request with a proof that carries the nonce of the DPoP-Nonce header")
}

/// The same proof came before.
pub(crate) fn proof_used() -> Error {
    Error::unauthenticated("devices.proof_used", "this DPoP proof was used before")
}

/// The access token is malformed, forged, expired or bound to another key.
pub(crate) fn token() -> Error {
    Error::unauthenticated("devices.token", "the access token is not valid: malformed, expired or bound to another key")
}

/// The tokens of this phone were revoked.
pub(crate) fn revoked() -> Error {
    Error::unauthenticated("devices.revoked", "the tokens of this device were revoked; attest again to get new ones")
}

/// Whoever carries the phone, or is to carry it, was never there, was locked out or removed.
pub(crate) fn user_barred() -> Error {
    Error::forbidden("devices.user_barred", "whoever the device is for is unknown to the organisation or kept out, and so is the device")
}

/// No phone is enrolled with this key.
pub(crate) fn unknown_key() -> Error {
    Error::unauthenticated("devices.unknown_key", "no device is enrolled with this key")
}

/// The refresh token is not one that can be exchanged.
pub(crate) fn grant() -> Error {
    Error::unauthenticated("devices.grant", "the refresh token is not valid: unknown, expired, revoked or used before")
}

/// The phone is locked; `/device/why` tells why.
pub(crate) fn locked(until: Option<Time>) -> Error {
    let until = until.map_or_else(|| "until a person releases it".to_owned(), |until| format!("until {until}"));
    Error::forbidden("devices.locked", format!("the device is locked {until}; GET /device/why tells the reason"))
}

/// A kill switch stops this phone.
pub(crate) fn stopped(until: Time) -> Error {
    Error::forbidden("devices.stopped", format!("a kill switch stops this device until {until}"))
}

/// Too many requests of this phone.
pub(crate) fn too_often(wait: Duration) -> Error {
    Error::too_many("devices.too_often", "this device asks too often").retry_after(wait)
}

/// The attestation nonce is unknown, over, or was used before.
pub(crate) fn nonce() -> Error {
    Error::forbidden("devices.nonce", "the attestation nonce is unknown, over, or was used before: ask for a new one").at("/nonce")
}

/// The attestation was refused; the failed checks are named.
pub(crate) fn attestation(failed: &[&'static str]) -> Error {
    Error::forbidden("devices.attestation", format!("the attestation is refused: {}", failed.join(", "))).at("/evidence")
}

/// The operator's list of revoked certificates is too old to judge by, which is no fault of the phone.
pub(crate) fn revocations_old(why: String) -> Error {
    Error::unavailable("devices.revocations_old", "the list of revoked certificates here is too old to judge by: try again later")
        .because(why)
}

/// The organisation does not take phones without attestation.
pub(crate) fn attestation_required() -> Error {
    Error::forbidden("devices.attestation_required", "this organisation takes only devices that can attest").at("/platform")
}

/// The operator has not configured this kind of attestation.
pub(crate) fn not_configured(platform: &str) -> Error {
    Error::forbidden("devices.not_configured", format!("attestation by {platform} is not configured here")).at("/platform")
}

/// The public key cannot be used or is not the one of the proof.
pub(crate) fn key(why: impl std::fmt::Display) -> Error {
    Error::invalid("devices.key", format!("the public key is not accepted: {why}")).at("/key")
}

/// The key belongs to another enrolled phone.
pub(crate) fn key_taken() -> Error {
    Error::conflict("devices.key_taken", "a device is enrolled with this key already: make a new key").at("/key")
}

/// A batch holds more than is taken at once.
pub(crate) fn batch(pointer: &str, most: usize) -> Error {
    Error::invalid("devices.batch", format!("at most {most} entries are taken at once")).at(pointer)
}

/// There is no such kill switch.
pub(crate) fn no_switch() -> Error {
    Error::not_found("devices.no_switch", "there is no such kill switch")
}

/// The kill switch was thrown, released, or its time is over.
pub(crate) fn switch_over() -> Error {
    Error::conflict("devices.switch_over", "the kill switch was thrown or released before, or its time is over")
}

/// The global kill switch belongs to the operators of the installation.
pub(crate) fn global_switch() -> Error {
    Error::forbidden(
        "devices.global_switch",
        "the global kill switch belongs to those of the first organisation who are named in devices.global_operators",
    )
    .at("/scope")
}

/// The one who proposed a global kill switch cannot throw it too.
pub(crate) fn second_person() -> Error {
    Error::forbidden("devices.second_person", "a global kill switch needs a second person to confirm it")
}

/// A dangerous action needs the password again.
pub(crate) fn step_up() -> Error {
    Error::forbidden("devices.step_up", "this needs your password again").at("/password")
}

/// What is known of locks is too old to let anybody in.
pub(crate) fn stale(cause: Error) -> Error {
    Error::unavailable("devices.stale", "it cannot be told at the moment whether this device is locked").because(cause)
}

/// The bytes are no message of the contract with devices.
pub(crate) fn undecodable(cause: &prost::DecodeError) -> Error {
    Error::invalid("devices.undecodable", format!("this is no message of the contract: {cause}"))
}

/// The columns of a sensor's readings have different lengths.
pub(crate) fn columns(pointer: &str) -> Error {
    Error::invalid("devices.columns", "t, x, y and z must hold the same number of values").at(pointer)
}

/// A message on an open line says nothing, or several things at once.
pub(crate) fn message() -> Error {
    Error::invalid("devices.message", "a message says one of: readings, acknowledgement, renewal, challenge")
}

/// A line asked for with a token in its address, which would end up in logs.
pub(crate) fn token_in_address() -> Error {
    Error::invalid(
        "devices.token_in_address",
        "credentials are never taken from the address: use the Authorization header or a subprotocol",
    )
    .at("token")
}

/// A line asked for by a page of another origin.
pub(crate) fn foreign_origin() -> Error {
    Error::forbidden("devices.foreign_origin", "this origin may not open a line here")
}

/// A line asked for without the upgrade or the subprotocol it needs.
pub(crate) fn no_upgrade(why: &str) -> Error {
    Error::invalid("devices.no_upgrade", format!("this is a WebSocket: {why}"))
}

/// This process holds as many lines as it may, or is about to stop.
pub(crate) fn no_room(wait: Duration) -> Error {
    Error::unavailable("devices.no_room", "no more lines can be opened here at the moment").retry_after(wait)
}

/// The connection has shown no certificate a token could be bound to.
pub(crate) fn no_certificate() -> Error {
    Error::unauthenticated("devices.no_certificate", "the connection has shown no client certificate")
}
