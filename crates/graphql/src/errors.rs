//! Every error a caller can get from the endpoint itself; what a field may not show comes from the contexts.

use async_graphql::ErrorExtensions;
use base::{Error, Kind};

/// The body is not a GraphQL request.
pub(crate) fn request(detail: &str) -> Error {
    Error::invalid("graphql.request", format!("the request is not GraphQL over HTTP: {detail}"))
}

/// Only questions are asked with GET. Answered with 405.
pub(crate) fn only_queries_by_get() -> Error {
    Error::invalid("graphql.method", "only queries can be sent with GET; use POST")
}

/// The hash of a persisted query does not belong to the query.
pub(crate) fn persisted_hash() -> Error {
    Error::invalid("graphql.persisted_hash", "`sha256Hash` is not the SHA-256 of the query")
}

/// The socket was asked for by a page of another host.
pub(crate) fn foreign_origin() -> Error {
    Error::forbidden("graphql.foreign_origin", "a page of another host may not open this socket")
}

/// The request cannot become a WebSocket of the right protocol.
pub(crate) fn no_upgrade(detail: &str) -> Error {
    Error::invalid("graphql.no_upgrade", format!("the request cannot become a `graphql-transport-ws` WebSocket: {detail}"))
}

/// One user has as many sockets open as one may.
pub(crate) fn too_many_sockets(most: usize) -> Error {
    Error::too_many("graphql.too_many_sockets", format!("you have {most} of these sockets open; close one"))
}

/// A context's error as the error of a field: its words and its stable code, and nothing internal.
pub(crate) fn field(error: &Error) -> async_graphql::Error {
    let mut message = error.detail();
    if error.kind() == Kind::Internal {
        tracing::error!(error = ?error, "a GraphQL field failed");
        message = "an internal error; the log has the details";
    }
    let code = error.code();
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}
