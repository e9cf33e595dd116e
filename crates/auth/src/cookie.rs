//! The session cookie. `__Host-` binds it to this very host and asks for `Secure`. Over plain HTTP Chromium and curl take
//! that from loopback, Safari does not, so there, and only there, the plain name stands. A proxy on the same machine that says the browser
//! speaks HTTPS gets the safe one whoever it is: what it says makes a cookie safer and never less safe.

use std::time::Duration;

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderMap, HeaderValue};

use crate::Auth;
use crate::model::Session;

/// The cookie's name where HTTPS is used.
pub const SECURE_NAME: &str = "__Host-tyrian";
/// The cookie's name on plain HTTP on loopback.
pub const PLAIN_NAME: &str = "tyrian";

const fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { PLAIN_NAME }
}

fn written(secure: bool, value: &str, life: Duration) -> Option<HeaderValue> {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
    let mut cookie = Cookie::new(name(secure), value.to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(secure);
    // `Cookie` measures lives in the types of another date library; the attribute is a plain number of seconds.
    HeaderValue::try_from(format!("{cookie}; Max-Age={seconds}")).ok()
}

/// Whether a proxy says that the browser speaks HTTPS with it; what proxies behind that one speak does not matter to the browser.
fn is_forwarded_https(headers: &HeaderMap) -> bool {
    let said = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    said.and_then(|value| value.split(',').next()).is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

impl Auth {
    /// The `Set-Cookie` value of a new session, for whoever asked with these headers.
    #[must_use]
    pub fn cookie(&self, asked: &HeaderMap, session: &Session) -> Option<HeaderValue> {
        written(self.is_secure(asked), session.token.expose(), self.session_ttl())
    }

    /// The `Set-Cookie` value that makes the browser that asked with these headers forget its session.
    #[must_use]
    pub fn no_cookie(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        written(self.is_secure(asked), "", Duration::ZERO)
    }

    fn is_secure(&self, asked: &HeaderMap) -> bool {
        self.has_secure_cookies() || is_forwarded_https(asked)
    }

    /// The session cookie's value in a request.
    pub(crate) fn cookie_in(&self, headers: &HeaderMap) -> Option<String> {
        let jar = CookieJar::from_headers(headers);
        jar.get(name(self.is_secure(headers))).map(|cookie| cookie.value().to_owned()).filter(|value| !value.is_empty())
    }
}
