//! Puts the `Actor` into the request. A bad Authorization header is refused at once; a session that has ended leaves the
//! request anonymous, so that the sign-in page still opens. What a session changes needs proof that our page asked.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use base::{Actor, Kind, Origin};
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, header};
use tower::{Layer, Service};
use web::{Problem, Recheck};

use crate::model::Credentials;
use crate::{Auth, digest, errors};

/// Largest form whose hidden field is looked for; larger ones send the header.
const LARGEST_FORM: usize = 64 * 1024;
/// A form with files carries the token in its first part, and that part within so many bytes.
const BEGINNING: usize = 4 * 1024;

/// The CSRF token of the session a request came with, for pages to put into their forms.
#[derive(Debug, Clone)]
pub struct Csrf(pub String);

/// The middleware; goes outside the routes and inside whatever sets `Origin`.
pub fn layer(
    auth: Auth,
) -> impl Layer<Route, Service: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    from_fn_with_state(auth, identify)
}

/// The same as a function for `axum::middleware::from_fn_with_state`.
pub async fn identify(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    match known(&auth, request).await {
        Ok((request, forgetting)) => {
            let mut response = next.run(request).await;
            let sets_own = response.headers().contains_key(header::SET_COOKIE);
            if !sets_own && let Some(cookie) = forgetting {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// The request with its actor, and what makes a browser forget a session that has ended.
async fn known(auth: &Auth, mut request: Request) -> Result<(Request, Option<HeaderValue>), Problem> {
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        if is_bound(value) {
            // Bound to a phone's key: the routes for phones check it themselves, for all others nobody is asking.
            return Ok((request, None));
        }
        let token = bearer(value)?.to_owned();
        let actor = auth.authenticate(Credentials::Bearer(&token), &origin).await?;
        stand(auth, &mut request, actor, Owned::Bearer(token));
        return Ok((request, None));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if changes && is_cross_site(request.headers()) {
        return Err(errors::cross_site().into());
    }
    let Some(session) = auth.cookie_in(request.headers()) else {
        return Ok((request, None));
    };
    let actor = match auth.authenticate(Credentials::Session(&session), &origin).await {
        Ok(actor) => actor,
        Err(error) if error.kind() == Kind::Unauthenticated => {
            let forgetting = auth.no_cookie(request.headers());
            return Ok((request, forgetting));
        }
        Err(error) => return Err(error.into()),
    };
    if changes {
        request = prove_page(auth, &session, request).await?;
    }
    request.extensions_mut().insert(Csrf(digest::csrf(&session)));
    stand(auth, &mut request, actor, Owned::Session(session));
    Ok((request, None))
}

/// What a request came with, for exchanges that outlive it.
enum Owned {
    Session(String),
    Bearer(String),
}

/// Puts the actor into the request, and into one that can become a stream or a socket the way to ask for the actor again.
fn stand(auth: &Auth, request: &mut Request, actor: Actor, credential: Owned) {
    if request.method() == Method::GET {
        let (auth, origin, credential) = (auth.clone(), actor.origin.clone(), Arc::new(credential));
        request.extensions_mut().insert(Recheck::new(move || {
            let (auth, origin, credential) = (auth.clone(), origin.clone(), credential.clone());
            Box::pin(async move {
                let credential = match &*credential {
                    Owned::Session(secret) => Credentials::Session(secret),
                    Owned::Bearer(secret) => Credentials::Bearer(secret),
                };
                auth.authenticate(credential, &origin).await
            })
        }));
    }
    request.extensions_mut().insert(actor);
}

/// Whether the token is one that only its key's holder can use (RFC 9449).
fn is_bound(value: &HeaderValue) -> bool {
    value.as_bytes().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "))
}

fn bearer(value: &HeaderValue) -> Result<&str, Problem> {
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(errors::scheme)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() { Ok(token) } else { Err(errors::scheme().into()) }
}

/// What browsers say about who started a request (Fetch Metadata); programs say nothing.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// The header, or the hidden field of a form.
async fn prove_page(auth: &Auth, session: &str, request: Request) -> Result<Request, Problem> {
    if let Some(given) = request.headers().get("x-csrf-token") {
        let is_right = given.to_str().is_ok_and(|given| auth.csrf_ok(session, given));
        return if is_right { Ok(request) } else { Err(errors::csrf().into()) };
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.trim_start().to_ascii_lowercase();
    if kind.starts_with("multipart/form-data") {
        return prove_first_part(auth, session, request).await;
    }
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(errors::csrf().into());
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, LARGEST_FORM).await.map_err(|_| Problem::from(errors::csrf()))?;
    let is_right = url::form_urlencoded::parse(&bytes).any(|(name, value)| name == "csrf" && auth.csrf_ok(session, &value));
    if is_right { Ok(Request::from_parts(parts, Body::from(bytes))) } else { Err(errors::csrf().into()) }
}

/// A form with files is not held in memory: only its beginning is read, and given back in front of the rest.
async fn prove_first_part(auth: &Auth, session: &str, request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let mut rest = body.into_data_stream();
    let mut beginning = Vec::new();
    while beginning.len() < BEGINNING {
        match rest.next().await {
            Some(Ok(chunk)) => beginning.extend_from_slice(&chunk),
            Some(Err(_)) => return Err(errors::csrf().into()),
            None => break,
        }
    }
    let beginning = Bytes::from(beginning);
    let mut request = Request::new(Body::from(beginning.slice(..beginning.len().min(BEGINNING))));
    request.headers_mut().extend(parts.headers.get(header::CONTENT_TYPE).map(|kind| (header::CONTENT_TYPE, kind.clone())));
    if !names_token(auth, session, request).await {
        return Err(errors::csrf().into());
    }
    let whole = stream::iter([Ok(beginning)]).chain(rest);
    Ok(Request::from_parts(parts, Body::from_stream(whole)))
}

async fn names_token(auth: &Auth, session: &str, beginning: Request) -> bool {
    let Ok(mut parts) = Multipart::from_request(beginning, &()).await else { return false };
    let Ok(Some(first)) = parts.next_field().await else { return false };
    first.name() == Some("csrf") && first.text().await.is_ok_and(|given| auth.csrf_ok(session, &given))
}
