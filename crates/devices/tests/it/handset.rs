//! A phone that speaks the protocol: a key, proofs with the server's nonce, tokens.

use std::sync::Mutex;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::body::{Body, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use crate::stage::Stage;

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sha256(text: &str) -> String {
    encode(digest(&SHA256, text.as_bytes()))
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Json,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A phone.
pub(crate) struct Handset {
    pair: EcdsaKeyPair,
    pub(crate) jwk: Json,
    nonce: Mutex<String>,
    pub(crate) id: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// One request of a phone.
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) body: Option<Json>,
}

impl Handset {
    pub(crate) fn new() -> Self {
        Self::with(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// A phone whose key was made elsewhere, as PKCS #8.
    pub(crate) fn of(pkcs8: &[u8]) -> Self {
        Self::with(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap())
    }

    fn with(pair: EcdsaKeyPair) -> Self {
        let point = pair.public_key().as_ref().to_vec();
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) });
        Self { pair, jwk, nonce: Mutex::default(), id: String::new(), access: String::new(), refresh: String::new() }
    }

    pub(crate) fn thumbprint(&self) -> String {
        let text = |name: &str| self.jwk[name].as_str().unwrap();
        sha256(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text("x"), text("y")))
    }

    /// A signed token with this header and content.
    pub(crate) fn sign(&self, header: &Json, claims: &Json) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }

    /// A proof about a request, changed by `change`.
    pub(crate) fn proof(&self, method: &str, path: &str, token: Option<&str>, change: impl FnOnce(&mut Json)) -> String {
        let path = path.split('?').next().unwrap();
        let mut claims = json!({
            "jti": encode(aws_lc_rs::rand::generate::<[u8; 16]>(&SystemRandom::new()).unwrap().expose()),
            "htm": method, "htu": format!("https://phones.test{path}"), "iat": 1, "nonce": *self.nonce.lock().unwrap(),
        });
        if let Some(token) = token {
            claims["ath"] = json!(sha256(token));
        }
        change(&mut claims);
        self.sign(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk }), &claims)
    }

    /// Takes the nonce of an answer, wherever it stood.
    pub(crate) fn learn(&self, nonce: &str) {
        *self.nonce.lock().unwrap() = nonce.to_owned();
    }

    /// Sends one request, and again when the server asks for its nonce.
    pub(crate) async fn ask(&self, stage: &Stage, ask: Ask<'_>) -> Reply {
        let reply = self.once(stage, &ask, &self.proof(ask.method, ask.path, ask.token, |_| {})).await;
        if reply.code() != "devices.use_dpop_nonce" {
            return reply;
        }
        self.once(stage, &ask, &self.proof(ask.method, ask.path, ask.token, |_| {})).await
    }

    /// Sends one request with this proof.
    pub(crate) async fn once(&self, stage: &Stage, ask: &Ask<'_>, proof: &str) -> Reply {
        let mut request = Request::builder().method(ask.method).uri(ask.path).header("host", "phones.test").header("dpop", proof);
        if let Some(token) = ask.token {
            request = request.header("authorization", format!("DPoP {token}"));
        }
        if let Some(code) = ask.code {
            request = request.header("enrolment-code", code);
        }
        let body = match &ask.body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = stage.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        if let Some(nonce) = parts.headers.get("dpop-nonce") {
            *self.nonce.lock().unwrap() = nonce.to_str().unwrap().to_owned();
        }
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Json::Null) }
    }

    /// Sends readings as protobuf.
    pub(crate) async fn sends(&self, stage: &Stage, content_type: &str, body: Vec<u8>) -> Reply {
        self.knocks(stage).await;
        let (method, path) = ("POST", "/device/signals");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "phones.test")
            .header("dpop", self.proof(method, path, Some(&self.access), |_| {}))
            .header("authorization", format!("DPoP {}", self.access))
            .header("content-type", content_type);
        let response = stage.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        Reply { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap_or(Json::Null) }
    }

    /// A request with the access token.
    pub(crate) async fn served(&self, stage: &Stage, method: &str, path: &str, body: Option<Json>) -> Reply {
        self.ask(stage, Ask { method, path, token: Some(&self.access), code: None, body }).await
    }

    /// A request with the key alone.
    pub(crate) async fn keyed(&self, stage: &Stage, method: &str, path: &str, body: Option<Json>) -> Reply {
        self.ask(stage, Ask { method, path, token: None, code: None, body }).await
    }

    /// Whether the phone is served at all: an empty batch.
    pub(crate) async fn knocks(&self, stage: &Stage) -> Reply {
        self.served(stage, "POST", "/device/signals", Some(json!({}))).await
    }

    /// Brings a refresh token.
    pub(crate) async fn exchange(&self, stage: &Stage, token: &str) -> Reply {
        self.keyed(stage, "POST", "/device/token", Some(json!({ "refresh_token": token }))).await
    }

    /// With an enrolment code.
    pub(crate) async fn coded(&self, stage: &Stage, path: &str, code: &str, body: Option<Json>) -> Reply {
        self.ask(stage, Ask { method: "POST", path, token: None, code: Some(code), body }).await
    }

    /// Enrols without attestation hardware; the answer to what was refused first.
    pub(crate) async fn enrols(&self, stage: &Stage, code: &str) -> Reply {
        let nonce = self.coded(stage, "/device/nonce", code, None).await;
        if nonce.status != StatusCode::OK {
            return nonce;
        }
        let nonce = &nonce.body["nonce"];
        let body = json!({ "key": self.jwk, "platform": "none", "nonce": nonce, "os_version": "15", "app_version": "2.1" });
        self.coded(stage, "/device/enrol", code, Some(body)).await
    }

    /// A nonce to attest, by the phone's key.
    pub(crate) async fn challenge(&self, stage: &Stage) -> String {
        let reply = self.keyed(stage, "POST", "/device/nonce", None).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.body["nonce"].as_str().unwrap().to_owned()
    }

    /// Takes the tokens of an answer.
    pub(crate) fn take(&mut self, tokens: &Json) {
        self.access = tokens["access_token"].as_str().unwrap().to_owned();
        self.refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    }
}
