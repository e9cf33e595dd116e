//! Which page may open a socket: browsers say where a page is from, programs do not.

use http::{HeaderMap, header};

/// Whether the request comes from a program, or from a page of the host it is sent to (RFC 6455 §10.2). WebSockets know no
/// same-origin policy: without this any page could use the session of whoever looks at it.
#[must_use]
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    host.is_some_and(|host| origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_sockets_of_its_own_host_only() {
        let headers = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "tyrian.example:8000".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            headers
        };
        assert!(is_own_origin(&headers(None)) && is_own_origin(&headers(Some("https://Tyrian.example:8000"))));
        for foreign in ["https://evil.example", "null", "https://tyrian.example", "https://tyrian.example:8000.evil.example"] {
            assert!(!is_own_origin(&headers(Some(foreign))), "{foreign}");
        }
    }
}
