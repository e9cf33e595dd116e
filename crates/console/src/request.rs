//! Who asks for a page, and for which thing.

use std::ops::Deref;

use axum::extract::{FromRequestParts, Path};
use base::{Actor, Error, Id};
use http::Method;
use http::request::Parts;
use url::form_urlencoded::byte_serialize;

use crate::Shared;
use crate::failure::Failure;
use crate::page::Frame;

/// Anybody.
pub(crate) struct Visitor(pub(crate) Frame);

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, services: &Shared) -> Result<Self, Failure> {
        Ok(Self(Frame::of(parts, services)))
    }
}

/// Somebody who signed in; others are sent to where they can.
pub(crate) struct Viewer {
    pub(crate) actor: Actor,
    pub(crate) frame: Frame,
}

impl Deref for Viewer {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl FromRequestParts<Shared> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, services: &Shared) -> Result<Self, Failure> {
        let frame = Frame::of(parts, services);
        if let Some(actor) = frame.actor.clone() {
            return Ok(Self { actor, frame });
        }
        if services.auth.first_admin_token().await?.is_some() {
            return Err(Failure::Elsewhere("/first-run".to_owned()));
        }
        let place = match (&parts.method, parts.uri.path_and_query()) {
            (&Method::GET, Some(place)) if place.as_str() != "/" => {
                format!("/sign-in?next={}", byte_serialize(place.as_str().as_bytes()).collect::<String>())
            }
            _ => "/sign-in".to_owned(),
        };
        Err(Failure::Elsewhere(place))
    }
}

/// The one id in the path; what is no id names nothing.
pub(crate) struct Named<T>(pub(crate) Id<T>);

impl<T: 'static> FromRequestParts<Shared> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, services: &Shared) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, services).await.ok();
        let id = text.and_then(|Path(text)| text.parse().ok());
        Ok(Self(id.ok_or_else(crate::errors::no_such_page)?))
    }
}

/// Where to go after signing in: a place here, never another host. Browsers leave out tabs and line breaks, and take a backslash for a
/// slash (WHATWG URL), before they look for the host.
pub(crate) fn own_place(text: &str) -> &str {
    let is_own = text.starts_with('/') && !text.starts_with("//") && !text.contains(|letter: char| letter == '\\' || letter.is_control());
    if is_own { text } else { "/" }
}

/// A form handler's way out: the error goes back into the form when its sender can do something about it.
pub(crate) fn correctable(error: Error) -> Result<Error, Failure> {
    use base::Kind;
    match error.kind() {
        Kind::Invalid | Kind::Forbidden | Kind::Conflict | Kind::TooMany | Kind::Unauthenticated => Ok(error),
        Kind::NotFound | Kind::Timeout | Kind::Unavailable | Kind::Internal => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_never_leads_to_another_host() {
        for foreign in [
            "https://example.org",
            "//example.org",
            "/\\example.org",
            "/\t/example.org",
            "/\n/example.org",
            "/x\0y",
            "",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_place(foreign), "/", "{foreign}");
        }
        assert_eq!(own_place("/findings?severity=high"), "/findings?severity=high");
    }
}
