//! Every error the edge can cause, with its stable code.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base::Error;
use url::Url;

/// Too many requests from one address or user.
pub(crate) fn too_often(wait: Duration) -> Error {
    Error::too_many("gateway.rate_limited", "too many requests; wait as long as Retry-After says").retry_after(wait)
}

/// The role's upstream does not answer.
pub(crate) fn upstream_down(role: &str) -> Error {
    Error::unavailable("gateway.upstream_down", format!("the role `{role}` does not answer; retry in a moment"))
}

/// The listening address cannot be taken.
pub(crate) fn address_taken(address: SocketAddr, cause: &std::io::Error) -> Error {
    let advice = match cause.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there; stop it or choose another address in the configuration",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose a higher one",
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "see the cause",
    };
    Error::unavailable("gateway.address", format!("cannot listen on {address}: {cause}; {advice}"))
}

/// A certificate or key file cannot be used.
pub(crate) fn tls_file(path: &Path, cause: impl std::fmt::Display) -> Error {
    Error::invalid("gateway.tls", format!("`{}` cannot be used for TLS: {cause}", path.display()))
}

/// The URL of a role's upstream cannot be used.
pub(crate) fn upstream_url(role: &str, base: &Url) -> Error {
    Error::invalid("config.upstream", format!("gateway.upstreams.{role} = \"{base}\" is not http://HOST:PORT"))
}
