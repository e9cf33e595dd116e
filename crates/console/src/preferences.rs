//! Language and light: chosen by a link, kept in a cookie, guessed from what the browser says until then.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use base::Language;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::catalogue::Speech;
use crate::fields::Fields;

const LANGUAGE: &str = "tyrian-language";
const THEME: &str = "tyrian-theme";
const YEAR: u32 = 31_536_000;

/// Light on dark or dark on light.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the browser prefers.
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The visitor's language.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    cookie(headers, LANGUAGE).and_then(Language::of).unwrap_or_else(|| {
        let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        header.map_or(Language::English, Language::accepted)
    })
}

/// The visitor's light.
pub(crate) fn theme(headers: &HeaderMap) -> Theme {
    cookie(headers, THEME).and_then(Theme::of).unwrap_or(Theme::Auto)
}

/// Keeps what a link such as `?language=es` chooses, and goes on to the page itself.
pub(crate) async fn keep(request: Request, next: Next) -> Response {
    let query = Fields::parse(request.uri().query().unwrap_or_default().as_bytes());
    let language = Language::of(query.get("language")).map(|language| (LANGUAGE, language.as_str()));
    let theme = Theme::of(query.get("theme")).map(|theme| (THEME, theme.as_str()));
    let chosen: Vec<_> = language.into_iter().chain(theme).collect();
    if chosen.is_empty() || request.method() != Method::GET {
        return next.run(request).await;
    }
    let kept = query.query(&["language", "theme"]);
    // A path of two slashes would lead to another host.
    let path = format!("/{}", request.uri().path().trim_start_matches('/'));
    let place = if kept.is_empty() { path } else { format!("{path}?{kept}") };
    let mut response = Redirect::to(&place).into_response();
    for (name, value) in chosen {
        if let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={YEAR}; SameSite=Lax; HttpOnly")) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}
