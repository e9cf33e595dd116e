//! Who is asking. The auth layer puts an `Actor`, the edge an `Origin` into the request; handlers take them from there.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use base::{Actor, Origin};
use http::request::Parts;

use crate::{Problem, errors};

/// The authenticated actor; a request without one is answered with 401.
#[derive(Debug, Clone)]
pub struct Caller(pub Actor);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Actor>().cloned().map(Self).ok_or_else(|| errors::unauthenticated().into())
    }
}

/// Where the request came from, known or not who sent it.
#[derive(Debug, Clone)]
pub struct Peer(pub Origin);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Origin>().cloned().unwrap_or_default()))
    }
}

/// The certificate (DER) a client has shown in its handshake and that was verified there; the listener puts it into the request.
#[derive(Debug, Clone)]
pub struct PeerCertificate(pub std::sync::Arc<[u8]>);
