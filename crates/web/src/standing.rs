//! Whether the caller of an exchange that goes on, a stream or a socket, is still who opened it. The credential was checked when it was
//! opened; it can end, be revoked, or lose rights while nothing new is asked.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use base::{Actor, Kind, Result};
use futures::future::BoxFuture;
use http::request::Parts;

/// How often a caller is asked for again: as long as the auth layer believes a credential it has checked.
const AGAIN: Duration = Duration::from_secs(5);

/// Turns the credential of a request into an actor once more; the auth layer puts it beside the `Actor`.
#[derive(Clone)]
pub struct Recheck(Arc<dyn Fn() -> BoxFuture<'static, Result<Actor>> + Send + Sync>);

impl Recheck {
    /// Asks `again`, which answers `Unauthenticated` once the credential is good no more.
    pub fn new(again: impl Fn() -> BoxFuture<'static, Result<Actor>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(again))
    }
}

impl fmt::Debug for Recheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recheck(..)")
    }
}

/// The caller of an exchange that goes on. Where no [`Recheck`] came with the request, the caller stands.
#[derive(Debug, Clone)]
pub struct Standing(Option<(Actor, Recheck)>);

impl Standing {
    /// Whether the credential is still good for the same rights. While that cannot be found out, it is believed: what cannot ask
    /// cannot read anything new either.
    pub async fn holds(&self) -> bool {
        let Some((opened, recheck)) = &self.0 else { return true };
        match (recheck.0)().await {
            Ok(now) => is_same(opened, &now),
            Err(error) => {
                tracing::debug!(%error, "the caller of an open exchange was asked for again");
                error.kind() != Kind::Unauthenticated
            }
        }
    }

    /// Returns as soon as the caller no longer stands; looked at every five seconds.
    pub async fn lost(self) {
        if self.0.is_none() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(AGAIN).await;
            if !self.holds().await {
                return;
            }
        }
    }
}

fn is_same(opened: &Actor, now: &Actor) -> bool {
    (opened.tenant, opened.user, &opened.permissions, &opened.units) == (now.tenant, now.user, &now.permissions, &now.units)
}

impl<S: Sync> FromRequestParts<S> for Standing {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let (actor, recheck) = (parts.extensions.get::<Actor>(), parts.extensions.get::<Recheck>());
        Ok(Self(actor.cloned().zip(recheck.cloned())))
    }
}
