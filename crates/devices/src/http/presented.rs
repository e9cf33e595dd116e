//! What phones present with each request, and how they are refused: RFC 9449's words in the headers, our document in the body.

use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::{Error, Kind, Origin};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use web::Problem;

use crate::proof::Presented;
use crate::service::{Devices, Phone};
use crate::{Proof, errors};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const CODE: HeaderName = HeaderName::from_static("enrolment-code");

/// A refusal of a phone.
#[derive(Debug)]
pub(super) struct Refusal(Error);

/// What a handler for phones returns.
pub(super) type Answer<T> = std::result::Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = (self.0.kind() == Kind::Unauthenticated).then(|| match self.0.code() {
            "devices.use_dpop_nonce" => r#"DPoP error="use_dpop_nonce", algs="ES256""#,
            "devices.proof" | "devices.proof_used" => r#"DPoP error="invalid_dpop_proof", algs="ES256""#,
            _ => r#"DPoP error="invalid_token", algs="ES256""#,
        });
        let mut response = Problem::from(self.0).into_response();
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        // Two proofs are none: it could not be told which one was meant.
        (Some(value), None) => value.to_str().ok().map(str::to_owned),
        _ => None,
    }
}

pub(super) async fn presented(parts: &mut Parts, devices: &Devices) -> (Presented, Origin) {
    let OriginalUri(uri) = match OriginalUri::from_request_parts(parts, devices).await {
        Ok(uri) => uri,
        Err(never) => match never {},
    };
    let token = text(&parts.headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("dpop").then(|| token.trim().to_owned())
    });
    let host = text(&parts.headers, &header::HOST).or_else(|| uri.authority().map(ToString::to_string));
    let presented = Presented {
        proof: text(&parts.headers, &DPOP),
        token,
        method: parts.method.as_str().to_owned(),
        host,
        path: uri.path().to_owned(),
        is_direct: false,
    };
    (presented, parts.extensions.get::<Origin>().cloned().unwrap_or_default())
}

/// A phone with a good token that is served.
pub(super) struct Served(pub(super) Phone, pub(super) Origin);

impl FromRequestParts<Devices> for Served {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, devices: &Devices) -> Answer<Self> {
        let (presented, origin) = presented(parts, devices).await;
        Ok(Self(devices.serve(&presented, &origin).await?, origin))
    }
}

/// A phone known by its key, whatever it may do.
pub(super) struct Keyholder(pub(super) Phone, pub(super) Origin);

impl FromRequestParts<Devices> for Keyholder {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, devices: &Devices) -> Answer<Self> {
        let (presented, origin) = presented(parts, devices).await;
        Ok(Self(devices.recognise(&presented, &origin).await?, origin))
    }
}

/// Somebody with a key, known or not.
pub(super) struct Prover(pub(super) Proof, pub(super) Origin);

impl FromRequestParts<Devices> for Prover {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, devices: &Devices) -> Answer<Self> {
        let (presented, origin) = presented(parts, devices).await;
        Ok(Self(devices.prove(&presented, None).await?, origin))
    }
}

/// The enrolment code a phone brings.
pub(super) struct WithCode(pub(super) String);

impl FromRequestParts<Devices> for WithCode {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Devices) -> Answer<Self> {
        Ok(Self(text(&parts.headers, &CODE).ok_or_else(errors::code)?))
    }
}

/// Who may ask for an attestation nonce: a code before enrolment, a key after it.
pub(super) enum Applicant {
    Code(String),
    Phone(Box<Phone>),
}

impl FromRequestParts<Devices> for Applicant {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, devices: &Devices) -> Answer<Self> {
        if let Some(code) = text(&parts.headers, &CODE) {
            return Ok(Self::Code(code));
        }
        let Keyholder(phone, _) = Keyholder::from_request_parts(parts, devices).await?;
        Ok(Self::Phone(Box::new(phone)))
    }
}

/// Every answer carries the nonce for the next proof.
pub(super) async fn tell_nonce(State(devices): State<Devices>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(nonce) = devices.proof_nonce().await
        && let Ok(value) = HeaderValue::try_from(nonce)
    {
        response.headers_mut().insert(NONCE, value);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The language the phone's user reads.
pub(super) struct Spoken(pub(super) Option<String>);

impl FromRequestParts<Devices> for Spoken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Devices) -> std::result::Result<Self, Self::Rejection> {
        Ok(Self(text(&parts.headers, &header::ACCEPT_LANGUAGE)))
    }
}
