//! Which cipher suites are recommended: BSI TR-02102-2 for reports in JSON; for the older XML
//! whatever lacks forward secrecy or authenticated encryption is weak.

/// Key exchanges of BSI TR-02102-2 §3.3.1 for TLS 1.2.
const EXCHANGES: [&str; 11] =
    ["ECDHE_ECDSA", "ECDHE_RSA", "DHE_DSS", "DHE_RSA", "ECDH_ECDSA", "ECDH_RSA", "DH_DSS", "DH_RSA", "ECDHE_PSK", "DHE_PSK", "RSA_PSK"];
const CIPHERS: [&str; 8] = [
    "AES_128_CBC_SHA256",
    "AES_256_CBC_SHA256",
    "AES_256_CBC_SHA384",
    "AES_128_GCM_SHA256",
    "AES_256_GCM_SHA384",
    "AES_128_CCM",
    "AES_256_CCM",
    "AES_128_CCM_SHA256",
];
/// BSI TR-02102-2 §3.4.4.
const TLS_1_3: [&str; 3] = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256"];

/// Whether a suite of TLS 1.2 or 1.3 is recommended.
pub(super) fn recommended(name: &str) -> bool {
    match name.strip_prefix("TLS_").and_then(|rest| rest.split_once("_WITH_")) {
        Some((exchange, cipher)) => EXCHANGES.contains(&exchange) && CIPHERS.contains(&cipher),
        None => TLS_1_3.contains(&name),
    }
}

/// Whether a suite lacks forward secrecy or authenticated encryption.
pub(super) fn weak(name: &str) -> bool {
    let Some((exchange, cipher)) = name.strip_prefix("TLS_").and_then(|rest| rest.split_once("_WITH_")) else {
        return false;
    };
    let broken = ["RC4", "NULL", "DES", "EXPORT", "anon", "MD5"].into_iter().any(|part| name.contains(part));
    exchange == "RSA" || broken || cipher.contains("_CBC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recommendations_follow_the_tables() {
        assert!(recommended("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
        assert!(recommended("TLS_AES_256_GCM_SHA384"));
        assert!(!recommended("TLS_RSA_WITH_AES_256_GCM_SHA384"));
        assert!(!recommended("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"));
        assert!(!recommended("TLS_CHACHA20_POLY1305_SHA256"));
        assert!(weak("TLS_RSA_WITH_AES_128_GCM_SHA256") && weak("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
        assert!(!weak("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") && !weak("TLS_AES_128_GCM_SHA256"));
    }
}
