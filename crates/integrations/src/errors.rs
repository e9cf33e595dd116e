//! Every error a caller of this context can get.

use std::time::Duration;

use base::Error;

/// A setting of the `[integrations]` section cannot work.
pub(crate) fn setting(key: &str, why: impl std::fmt::Display) -> Error {
    Error::invalid("integrations.setting", format!("integrations.{key}: {why}"))
}

/// There is no such stream.
pub(crate) fn no_stream() -> Error {
    Error::not_found("integrations.no_stream", "there is no such stream")
}

/// The receiver's address cannot be used: it must be https, or plain http on this machine.
pub(crate) fn endpoint(why: impl std::fmt::Display) -> Error {
    Error::invalid("integrations.endpoint", format!("the endpoint of the receiver cannot be used: {why}")).at("/delivery/endpoint_url")
}

/// The header the receiver wants cannot stand in a request.
pub(crate) fn authorization() -> Error {
    Error::invalid("integrations.authorization", "the authorization header must be 1 to 4096 visible characters")
        .at("/delivery/authorization_header")
}

/// A text is too long or has control characters.
pub(crate) fn text(pointer: &str, most: usize) -> Error {
    Error::invalid("integrations.text", format!("it must be one line of at most {most} characters")).at(pointer)
}

/// A field only the transmitter sets was given with another value.
pub(crate) fn read_only(name: &str) -> Error {
    Error::invalid("integrations.read_only", format!("`{name}` is set by the transmitter: leave it out or repeat its value"))
        .at(format!("/{name}"))
}

/// The subject is not one of RFC 9493.
pub(crate) fn subject(why: impl std::fmt::Display) -> Error {
    Error::invalid("integrations.subject", format!("the subject is not one of RFC 9493: {why}")).at("/subject")
}

/// The organisation has as many streams as it can have.
pub(crate) fn too_many_streams(most: i64) -> Error {
    Error::conflict("integrations.too_many_streams", format!("an organisation has at most {most} streams: delete one first"))
}

/// The stream leaves out as many subjects as it can.
pub(crate) fn too_many_subjects(most: i64) -> Error {
    Error::conflict("integrations.too_many_subjects", format!("a stream leaves out at most {most} subjects"))
}

/// A receiver says of more events than are taken at once that it has them, or cannot take them.
pub(crate) fn too_many_answers(most: usize) -> Error {
    Error::invalid("integrations.too_many_answers", format!("at most {most} events are acknowledged or refused at once")).at("/ack")
}

/// Events of this stream are pushed; there is nothing to poll.
pub(crate) fn not_polled() -> Error {
    Error::conflict("integrations.not_polled", "the events of this stream are pushed to its receiver")
}

/// Verification was asked for a moment ago.
pub(crate) fn verified_lately(wait: Duration) -> Error {
    Error::too_many("integrations.verified_lately", "verification was asked for a moment ago").retry_after(wait)
}

/// The receiver did not take an event; it is tried again.
pub(crate) fn receiver(why: &str) -> Error {
    Error::unavailable("integrations.receiver", format!("the receiver did not take an event: {why}"))
}
