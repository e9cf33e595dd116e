//! The checks of what an SSH server offers; a table.

use super::checks;

checks! { ALL in "ssh";
    WEAK_EXCHANGE = "ssh.weak-key-exchange" Medium M59 326 "Weak SSH key exchanges are offered",
        "https://www.rfc-editor.org/rfc/rfc9142",
        "Groups of 1024 bits can be broken, and exchanges that hash with SHA-1 are deprecated.",
        "Offer curve25519, ECDH and groups of 2048 bits and more with SHA-2.";
    WEAK_CIPHER = "ssh.weak-cipher" Medium M59 327 "Weak SSH ciphers are offered",
        "https://www.rfc-editor.org/rfc/rfc8758",
        "RC4, DES and ciphers in CBC mode leak parts of what they protect.",
        "Offer chacha20-poly1305, AES-GCM and AES-CTR.";
    WEAK_MAC = "ssh.weak-mac" Low L37I 328 "Weak SSH message authentication is offered",
        "https://www.rfc-editor.org/rfc/rfc6151",
        "MD5 and codes cut to 96 bits are no longer considered safe.",
        "Offer codes with SHA-2 or UMAC-128, encrypt-then-MAC first.";
    WEAK_HOST_KEY = "ssh.weak-host-key" Medium M48 327 "Weak SSH host key algorithms are offered",
        "https://www.rfc-editor.org/rfc/rfc8332",
        "DSA keys have 1024 bits, and ssh-rsa signs with SHA-1: the server can be impersonated.",
        "Offer Ed25519, ECDSA and RSA with SHA-2.";
    TERRAPIN = "ssh.prefix-truncation" Medium M59I 354 "SSH messages can be cut off unnoticed",
        "https://www.cve.org/CVERecord?id=CVE-2023-48795",
        "The server offers a cipher open to prefix truncation (Terrapin) and does not know the strict key exchange.",
        "Update the SSH server, or remove chacha20-poly1305 and CBC with encrypt-then-MAC.";
}
