//! HTTP to the outside. Every address is checked at the moment of connecting, every redirect is a new
//! request with the same checks, and time and size are limited.

mod address;
mod resolver;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base::Result;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use tokio::time::timeout;
use url::{Host, Url};

use self::address::Policy;
use self::resolver::{Refused, Resolver};
use crate::tls::Authorities;
use crate::{OutboundConfig, errors};

pub use self::address::Zone;

const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
const BYTES: u64 = 10 * 1024 * 1024;
const REDIRECTS: u32 = 5;

/// The guarded HTTP client.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    policy: Arc<Policy>,
    limits: Limits,
}

/// What one exchange may cost, redirects included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first lookup to the last byte.
    pub timeout: Duration,
    /// Of the body.
    pub bytes: u64,
    /// How many to follow; with none left the redirect itself is the response.
    pub redirects: u32,
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// `http` or `https`, without user and password.
    pub url: Url,
    /// Headers; none but the harmless ones follow a redirect to another origin.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The status code; an error status is an answer, not an error.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Request {
    /// Asks for a document.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Sends a body of the given content type.
    #[must_use]
    pub fn post(url: Url, content_type: &'static str, body: Vec<u8>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static(content_type))]);
        Self { method: Method::POST, url, headers, body }
    }
}

impl Outbound {
    /// A client that may reach what the configuration allows.
    ///
    /// # Errors
    /// `Invalid` when an entry of the allow-list is neither a host nor a network.
    #[expect(clippy::disallowed_methods, reason = "this is the replacement the lint points at")]
    pub fn new(config: &OutboundConfig, authorities: &Authorities) -> Result<Self> {
        let policy = Arc::new(Policy::new(&config.allow)?);
        let or = |value: u64, default: u64| if value == 0 { default } else { value };
        let limits = Limits {
            timeout: Duration::from_secs(or(config.timeout_seconds, TIMEOUT.as_secs())),
            bytes: or(config.maximum_bytes, BYTES),
            redirects: REDIRECTS,
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(authorities.client()?)
            .dns_resolver(Resolver::new(Arc::clone(&policy)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .user_agent(concat!("tyrian/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| base::Error::internal("the HTTP client cannot be built").because(cause))?;
        Ok(Self { client, policy, limits })
    }

    /// The limits of the configuration.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Makes the request within the limits of the configuration.
    ///
    /// # Errors
    /// `Forbidden` when URL, address or redirect is not allowed, `Unavailable` when the host cannot be
    /// reached, `Timeout`, and `Invalid` when the body is too large.
    pub async fn fetch(&self, request: Request) -> Result<Response> {
        self.fetch_within(request, self.limits).await
    }

    /// Makes the request within other limits.
    ///
    /// # Errors
    /// As [`Outbound::fetch`].
    pub async fn fetch_within(&self, request: Request, limits: Limits) -> Result<Response> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        match timeout(limits.timeout, self.follow(request, limits)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(errors::outbound_timeout(&host, limits.timeout)),
        }
    }

    async fn follow(&self, mut request: Request, limits: Limits) -> Result<Response> {
        let mut left = limits.redirects;
        loop {
            self.check(&request.url)?;
            let response = self.exchange(&request, limits).await?;
            let Some(location) = redirect(&response) else { return Ok(response) };
            if left == 0 {
                return Ok(response);
            }
            left -= 1;
            let refused = |cause| errors::outbound_refused(format!("`{}` redirects to something that is no URL: {cause}", request.url));
            let next = request.url.join(location).map_err(refused)?;
            request = redirected(request, next, response.status)?;
        }
    }

    /// What can be told from the URL alone; names are checked when they are resolved.
    fn check(&self, url: &Url) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(errors::outbound_refused(format!("`{}:` is not http or https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(errors::outbound_refused("the URL contains a user or password"));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(errors::outbound_refused("the URL has no host")),
        };
        self.policy.permits(url.host_str().unwrap_or_default(), address).map_err(errors::outbound_refused)
    }

    async fn exchange(&self, request: &Request, limits: Limits) -> Result<Response> {
        let host = request.url.host_str().unwrap_or_default();
        let mut builder = self.client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        let failed = |cause: reqwest::Error| match refusal(&cause) {
            Some(reason) => errors::outbound_refused(reason),
            None if cause.is_timeout() => errors::outbound_timeout(host, CONNECT),
            None => errors::outbound_unreachable(host, cause.without_url()),
        };
        let mut answer = builder.send().await.map_err(failed)?;
        if answer.content_length().is_some_and(|length| length > limits.bytes) && request.method != Method::HEAD {
            return Err(errors::outbound_too_large(host, limits.bytes));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            let length = body.len().saturating_add(chunk.len());
            if u64::try_from(length).is_ok_and(|length| length > limits.bytes) {
                return Err(errors::outbound_too_large(host, limits.bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { url: request.url.clone(), status: answer.status(), headers: answer.headers().clone(), body })
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Outbound({:?})", self.limits)
    }
}

fn redirect(response: &Response) -> Option<&str> {
    matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308).then(|| response.headers.get(LOCATION)?.to_str().ok()).flatten()
}

/// The request to make after a redirect: what RFC 9110 §15.4 says, and nothing confidential to strangers.
fn redirected(mut request: Request, next: Url, status: StatusCode) -> Result<Request> {
    if request.url.scheme() == "https" && next.scheme() != "https" {
        return Err(errors::outbound_refused(format!("`{}` redirects away from https", request.url)));
    }
    let becomes_get = match status.as_u16() {
        303 => request.method != Method::HEAD,
        301 | 302 => request.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body.clear();
        request.headers.remove(CONTENT_TYPE);
        request.headers.remove(CONTENT_LENGTH);
    }
    if request.url.origin() != next.origin() {
        let harmless = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT];
        let kept = request.headers.iter().filter(|(name, _)| harmless.contains(name));
        request.headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
    }
    request.url = next;
    Ok(request)
}

fn refusal(cause: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(cause);
    while let Some(current) = next {
        if let Some(refused) = current.downcast_ref::<Refused>() {
            return Some(refused.to_string());
        }
        next = current.source();
    }
    None
}
