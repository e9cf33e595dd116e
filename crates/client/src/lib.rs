//! A client of the public API: what a program outside can do, and nothing more. Failures come back as `base::Error`
//! with the server's code and detail.

mod errors;
mod events;
mod request;
mod transport;

use std::path::Path;

use axum::Router;
use backends::Authorities;
use base::{Error, Result, Secret};
use serde_json::{Value as Json, json};
use url::Url;

pub use events::Update;
use transport::Transport;

/// Talks to one server.
#[derive(Clone)]
pub struct Client {
    base: Url,
    token: Option<Secret<String>>,
    transport: Transport,
}

impl Client {
    /// A client of the server at `base`, with an API token or access token; `authority` is a PEM file to trust besides the public ones.
    ///
    /// # Errors
    /// `Invalid` when the authority file cannot be used.
    #[expect(clippy::disallowed_methods, reason = "the server is named by the person at the keyboard, not by data")]
    pub fn new(base: &Url, token: Option<Secret<String>>, authority: Option<&Path>) -> Result<Self> {
        let tls = Authorities::load(authority)?.client()?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .connect_timeout(std::time::Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tyrian/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal("the HTTP client cannot be built").because(cause))?;
        Ok(Self { base: base.clone(), token, transport: Transport::Remote(http) })
    }

    /// A client of an API in this process: the same requests without a socket. `router` knows who is asking.
    ///
    /// # Errors
    /// `Internal`, never in practice.
    pub fn local(router: Router) -> Result<Self> {
        let base = Url::parse("http://localhost/").map_err(|cause| Error::internal("the local base is no URL").because(cause))?;
        Ok(Self { base, token: None, transport: Transport::Local(router) })
    }

    /// Signs in with a password; the answer carries an access token.
    ///
    /// # Errors
    /// `Unauthenticated` for a wrong name or password, `TooMany` while locked out.
    pub async fn sign_in(&self, username: &str, password: &Secret<String>) -> Result<Self> {
        let answer: Json = self.post("auth/login", &json!({ "username": username, "password": password.expose() })).await?;
        let token = answer["access_token"].as_str().ok_or_else(|| errors::answer("auth/login", "no access token"))?;
        Ok(Self { token: Some(Secret::new(token.to_owned())), ..self.clone() })
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// The server's.
    pub async fn all(&self, path: &str) -> Result<Vec<Json>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = match &cursor {
                None => path.to_owned(),
                Some(cursor) => format!("{path}{separator}cursor={cursor}"),
            };
            let mut page: Json = self.get(&page).await?;
            if let Json::Array(more) = page["items"].take() {
                items.extend(more);
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }
}
