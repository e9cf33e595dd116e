//! Judges the cookies a page sets.

use crate::catalogue::{Check, http};

/// A cookie's name and the checks it fails.
pub(super) struct Verdict {
    pub(super) name: String,
    pub(super) line: String,
    pub(super) checks: Vec<&'static Check>,
}

/// Words in the names of cookies that carry a session or identity.
const SESSION_WORDS: &[&str] = &["sess", "sid", "auth", "token", "jwt", "login", "user", "identity", "remember"];
/// Cookies that scripts must read to do their work.
const FOR_SCRIPTS: &[&str] = &["csrf", "xsrf"];

pub(super) fn judge(line: &str, tls: bool) -> Verdict {
    let mut parts = line.split(';').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let (name, value) = first.split_once('=').unwrap_or((first, ""));
    let name = name.trim().to_owned();
    let attributes: Vec<(String, String)> = parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (key.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase())
        })
        .collect();
    let has = |key: &str| attributes.iter().any(|(name, _)| name == key);
    let same_site = attributes.iter().find(|(key, _)| key == "samesite").map(|(_, value)| value.as_str());
    let lower = name.to_ascii_lowercase();
    let session = SESSION_WORDS.iter().any(|word| lower.contains(word)) && !FOR_SCRIPTS.iter().any(|word| lower.contains(word));
    let deleting = value.is_empty() || has("max-age") && attributes.contains(&("max-age".to_owned(), "0".to_owned()));
    let mut checks: Vec<&'static Check> = Vec::new();
    if !deleting {
        if (tls || session) && !has("secure") {
            checks.push(&http::COOKIE_NOT_SECURE);
        }
        if session && !has("httponly") {
            checks.push(&http::COOKIE_NOT_HTTP_ONLY);
        }
        match same_site {
            None => checks.push(&http::COOKIE_NO_SAME_SITE),
            Some("none") if !has("secure") => checks.push(&http::COOKIE_SAME_SITE_NONE),
            Some(_) => {}
        }
    }
    let attributes_shown = line.split_once(';').map_or("", |(_, rest)| rest);
    Verdict {
        // The value of a cookie may be a secret and never becomes evidence.
        line: format!("{name}=…;{attributes_shown}"),
        name,
        checks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(line: &str) -> Vec<&'static str> {
        judge(line, true).checks.iter().map(|check| check.id).collect()
    }

    #[test]
    fn a_cookie_fails_exactly_what_it_lacks() {
        assert_eq!(failing("sessionid=abc; Path=/"), ["http.cookie-not-secure", "http.cookie-not-http-only", "http.cookie-no-same-site"]);
        assert!(failing("sessionid=abc; Secure; HttpOnly; SameSite=Lax").is_empty());
        assert!(failing("csrftoken=abc; Secure; SameSite=Strict").is_empty());
        assert!(failing("sessionid=; Max-Age=0").is_empty());
    }

    #[test]
    fn the_value_of_a_cookie_is_not_evidence() {
        assert!(!judge("sid=verysecret; Path=/", true).line.contains("verysecret"));
    }
}
