//! The checks of the TLS audit; a table.

use super::checks;

checks! { ALL in "tls";
    SSL2 = "tls.ssl2" High H74 327 "SSL 2.0 is offered",
        "https://www.rfc-editor.org/rfc/rfc6176",
        "SSL 2.0 has no protection of its handshake, and a server that speaks it lets others decrypt newer sessions of the same key.",
        "Switch SSL 2.0 off.";
    SSL3 = "tls.ssl3" Medium M59 327 "SSL 3.0 is offered",
        "https://www.rfc-editor.org/rfc/rfc7568",
        "SSL 3.0 pads its blocks without protecting the padding, so that an active attacker can read parts of the traffic (POODLE).",
        "Switch SSL 3.0 off; offer TLS 1.2 and 1.3 only.";
    TLS10 = "tls.tls1.0" Medium M48 327 "TLS 1.0 is offered",
        "https://www.rfc-editor.org/rfc/rfc8996",
        "TLS 1.0 rests on MD5 and SHA-1 and was deprecated in 2021.",
        "Switch TLS 1.0 off; offer TLS 1.2 and 1.3 only.";
    TLS11 = "tls.tls1.1" Medium M48 327 "TLS 1.1 is offered",
        "https://www.rfc-editor.org/rfc/rfc8996",
        "TLS 1.1 rests on MD5 and SHA-1 and was deprecated in 2021.",
        "Switch TLS 1.1 off; offer TLS 1.2 and 1.3 only.";
    NO_MODERN_VERSION = "tls.no-modern-version" High H74 327 "Neither TLS 1.2 nor TLS 1.3 is offered",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "Every version on offer is deprecated; current clients refuse to connect or connect without protection.",
        "Offer TLS 1.2 with authenticated encryption and TLS 1.3.";
    NO_TLS13 = "tls.no-tls1.3" Info NONE 327 "TLS 1.3 is not offered",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "TLS 1.3 removes the weak parts of earlier versions and hides the certificate from onlookers.",
        "Offer TLS 1.3.";
    NULL_CIPHER = "tls.cipher-null" High H75 319 "Cipher suites without encryption are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "A NULL suite authenticates the traffic and leaves it readable.",
        "Remove NULL suites.";
    ANONYMOUS_CIPHER = "tls.cipher-anonymous" High H74 287 "Cipher suites without authentication are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "An anonymous suite presents no certificate: whoever sits on the path can pose as the server.",
        "Remove anonymous suites (aNULL, ADH, AECDH).";
    EXPORT_CIPHER = "tls.cipher-export" High H74 326 "Export cipher suites are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "Export suites use keys of 40 or 56 bits that can be searched in hours, and can be forced upon newer clients (FREAK, Logjam).",
        "Remove EXPORT suites.";
    RC4 = "tls.cipher-rc4" Medium M59 327 "RC4 cipher suites are accepted",
        "https://www.rfc-editor.org/rfc/rfc7465",
        "RC4 leaks plaintext through biases of its key stream; RFC 7465 forbids it.",
        "Remove RC4 suites.";
    SMALL_BLOCK = "tls.cipher-64-bit-block" Medium M59 327 "Cipher suites with 64-bit blocks are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "DES, 3DES, IDEA and RC2 use blocks of 64 bits: long sessions repeat blocks and reveal plaintext (Sweet32).",
        "Remove suites of DES, 3DES, IDEA and RC2.";
    NO_FORWARD_SECRECY = "tls.no-forward-secrecy" Low L37 326 "Cipher suites without forward secrecy are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "With static RSA, DH or ECDH key exchange, whoever obtains the private key later can read traffic recorded today.",
        "Accept only ECDHE (or DHE with large groups) and TLS 1.3 suites.";
    CBC = "tls.cipher-cbc" Info NONE 327 "CBC cipher suites are accepted",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "CBC suites are hard to implement without timing leaks; authenticated suites have no such history.",
        "Prefer AES-GCM and ChaCha20-Poly1305.";
    COMPRESSION = "tls.compression" Medium M59 310 "TLS compression is enabled",
        "https://www.rfc-editor.org/rfc/rfc7457",
        "Compression before encryption lets an attacker who can add text guess secrets from lengths (CRIME).",
        "Disable TLS compression.";
    NO_SECURE_RENEGOTIATION = "tls.no-secure-renegotiation" Medium M48 295 "Secure renegotiation is not supported",
        "https://www.rfc-editor.org/rfc/rfc5746",
        "Without the renegotiation indication an attacker can put text of its own before the first request of a victim.",
        "Update the TLS library, or switch renegotiation off.";
    WEAK_DH = "tls.dh-weak-group" Medium M59 326 "Diffie-Hellman group is smaller than 2048 bits",
        "https://weakdh.org",
        "Groups of 1024 bits and less are within reach of well-funded attackers, once per group for all its sessions (Logjam).",
        "Use ECDHE, or finite-field groups of at least 2048 bits (RFC 7919).";
    SERVER_ORDER = "tls.client-order" Info NONE 757 "The client decides the cipher suite",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "The server takes the client's first acceptable suite; with only strong suites on offer that is harmless.",
        "Prefer the server's order when weak suites must stay.";
    EXPIRED = "tls.certificate-expired" Medium M48 298 "Certificate has expired",
        "https://www.rfc-editor.org/rfc/rfc5280",
        "Clients refuse an expired certificate, or their users learn to ignore warnings.",
        "Renew the certificate and automate renewal.";
    NOT_YET_VALID = "tls.certificate-not-yet-valid" Medium M48 298 "Certificate is not valid yet",
        "https://www.rfc-editor.org/rfc/rfc5280",
        "The validity of the certificate begins in the future, or the clock of its issuer is wrong.",
        "Install a valid certificate; check the clocks.";
    EXPIRES_SOON = "tls.certificate-expires-soon" Info NONE 298 "Certificate expires within 21 days",
        "https://www.rfc-editor.org/rfc/rfc5280",
        "The certificate will soon be refused.",
        "Renew the certificate and automate renewal.";
    SELF_SIGNED = "tls.certificate-self-signed" Medium M48 295 "Certificate is self-signed",
        "https://www.rfc-editor.org/rfc/rfc5280",
        "Nobody vouches for the certificate: a client cannot tell the server from an attacker who made another one.",
        "Use a certificate of an authority that the clients trust.";
    NAME_MISMATCH = "tls.certificate-name-mismatch" Medium M48 297 "Certificate is for another name",
        "https://www.rfc-editor.org/rfc/rfc9525",
        "The certificate does not name the host it was asked for, so clients refuse it.",
        "Use a certificate whose subject alternative names contain the host.";
    ADDRESS_NOT_NAMED = "tls.certificate-address-not-named" Info NONE 297 "Certificate does not name the address",
        "https://www.rfc-editor.org/rfc/rfc9525",
        "The service was asked by address and its certificate is for names; clients that use the address refuse it.",
        "Nothing, when clients use one of the names.";
    WEAK_KEY = "tls.certificate-weak-key" High H74 326 "Certificate key is too short",
        "https://www.rfc-editor.org/rfc/rfc9325",
        "RSA keys under 2048 bits and curves under 224 bits can be broken with known means.",
        "Make a new key: RSA of 2048 bits or more, or P-256.";
    WEAK_SIGNATURE = "tls.certificate-weak-signature" High H74 328 "Certificate is signed with MD5 or SHA-1",
        "https://www.rfc-editor.org/rfc/rfc9155",
        "Collisions of MD5 and SHA-1 are practical: a second certificate with the same signature can be made.",
        "Have the certificate signed with SHA-256 or better.";
    WILDCARD = "tls.certificate-wildcard" Info NONE 295 "Wildcard certificate",
        "https://www.rfc-editor.org/rfc/rfc9525",
        "One key stands for every name of the domain; its loss concerns them all.",
        "Use one certificate per service where that is practical.";
    INCOMPLETE_CHAIN = "tls.chain-incomplete" Info NONE 296 "Certificate chain may be incomplete",
        "https://www.rfc-editor.org/rfc/rfc8446",
        "The server sends its own certificate only: unless a root of its clients signed it directly, they cannot build the chain.",
        "Send every intermediate certificate.";
    NO_ALTERNATIVE_NAMES = "tls.certificate-no-alternative-names" Low L31I 297 "Certificate has no subject alternative names",
        "https://www.rfc-editor.org/rfc/rfc9525",
        "Current clients ignore the common name; without alternative names they refuse the certificate.",
        "Issue the certificate with subject alternative names.";
}
