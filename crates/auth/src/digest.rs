//! Hashes of secrets that are long and random (a plain SHA-256 is enough for those), compared in constant time.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SHA-256 in lower-case hexadecimal, as tables and hot keys hold it.
pub(crate) fn sha256(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// Equality that takes the same time wherever the difference is.
pub(crate) fn equal(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// The token that proves a page was ours: it follows from the session's secret and needs no storage.
pub(crate) fn csrf(session: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"tyrian csrf v1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csrf_token_belongs_to_one_session_and_does_not_show_it() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(csrf("one"), csrf("one"));
        assert!(!equal(&csrf("one"), &csrf("two")));
        assert!(!equal("short", "longer"));
    }
}
