//! The way to one server: plain HTTP requests, timed. Nothing here knows phones.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use backends::Authorities;
use base::{Error, Result};
use bytes::Bytes;
use reqwest::Method;
use serde_json::Value as Json;
use url::Url;

use crate::errors;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) struct Letter<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) proof: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) body: Option<Bytes>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Json,
    pub(crate) nonce: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The code of a problem document; empty when there is none.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or("no reason is given")
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Silence {
    /// No connection came about: nothing can have happened.
    Unconnected(reqwest::Error),
    /// The connection broke or the answer was too late: anything can have happened.
    Broken(reqwest::Error),
}

impl Silence {
    pub(crate) fn error(self, server: &Url) -> Error {
        match self {
            Self::Unconnected(cause) | Self::Broken(cause) => errors::unreachable(server, cause),
        }
    }
}

/// One server.
pub(crate) struct Server {
    base: Url,
    authority: Option<PathBuf>,
    bind: Option<IpAddr>,
    http: RwLock<reqwest::Client>,
}

impl Server {
    /// `bind` is the address requests come from, any when there is none.
    pub(crate) fn new(base: &Url, authority: Option<&Path>, bind: Option<IpAddr>) -> Result<Self> {
        let http = RwLock::new(connect(authority, bind)?);
        Ok(Self { base: base.clone(), authority: authority.map(Path::to_path_buf), bind, http })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Where a path of the API is.
    pub(crate) fn url(&self, path: &str) -> Result<Url> {
        let root = self.base.join("/api/v1/");
        root.and_then(|root| root.join(path)).map_err(|cause| errors::option("--server", cause))
    }

    /// Drops every connection; the next requests make new ones.
    pub(crate) fn reconnect(&self) -> Result<()> {
        let fresh = connect(self.authority.as_deref(), self.bind)?;
        *self.http.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) async fn send(&self, letter: Letter<'_>) -> Result<Reply, Silence> {
        let http = self.http.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = http.request(letter.method, letter.url).header("dpop", letter.proof);
        if let Some(token) = letter.token {
            request = request.header("authorization", format!("DPoP {token}"));
        }
        if let Some(code) = letter.code {
            request = request.header("enrolment-code", code);
        }
        if let Some(body) = letter.body {
            request = request.header("content-type", "application/json").body(body);
        }
        answer(request).await
    }

    /// What a person asks, with an API token.
    pub(crate) async fn order(&self, method: Method, path: &str, token: &str, body: Option<&Json>) -> Result<Result<Reply, Silence>> {
        let http = self.http.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = http.request(method, self.url(path)?).header("authorization", format!("Bearer {token}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Ok(answer(request).await)
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Reply, Silence> {
    let silence = |cause: reqwest::Error| if cause.is_connect() { Silence::Unconnected(cause) } else { Silence::Broken(cause) };
    let response = request.send().await.map_err(silence)?;
    let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (status, nonce) = (response.status().as_u16(), text("dpop-nonce"));
    let retry_after = text("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let bytes = response.bytes().await.map_err(Silence::Broken)?;
    Ok(Reply { status, body: serde_json::from_slice(&bytes).unwrap_or_default(), nonce, retry_after })
}

#[expect(clippy::disallowed_methods, reason = "the server is named by the person at the keyboard, not by data")]
fn connect(authority: Option<&Path>, bind: Option<IpAddr>) -> Result<reqwest::Client> {
    let tls = Authorities::load(authority)?.client()?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .local_address(bind)
        .connect_timeout(Duration::from_secs(5))
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tyrian-simulator/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|cause| Error::internal("the HTTP client cannot be built").because(cause))
}
