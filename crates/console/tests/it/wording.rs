//! What our own scanner found, on the pages of readers of other languages; and what others said, left as it is.

use http::StatusCode;
use serde_json::{Value, json};

use crate::findings::ids;
use crate::stage::{Seen, Stage};

const ENGLISH: &str = "Certificate is self-signed";

/// A finding as an instance exports it.
fn told(id: &str, source: &str, check: &str, address: &str, port: u16, texts: [&str; 3]) -> Value {
    let [title, description, remediation] = texts;
    json!({
        "id": id, "source": source, "check": check, "title": title, "description": description, "remediation": remediation,
        "severity": if check == "ports.open" { "info" } else { "medium" }, "confidence": 95, "state": "present",
        "location": { "ip": address, "port": port, "protocol": "tcp", "service": "http" },
        "evidence": [{ "label": "issuer", "body": "CN=box", "truncated": false }],
    })
}

/// What our scanner says at two addresses, and another tool at one, of which it says the same title by chance.
fn export() -> String {
    let own = [
        ENGLISH,
        "Nobody vouches for the certificate: a client cannot tell the server from an attacker who made another one.",
        "Use a certificate of an authority that the clients trust.",
    ];
    let open = [
        "Open port 18080/tcp (http)",
        "A service answers on port 18080/tcp.",
        "Close the port or limit who can reach it, if nobody outside needs the service.",
    ];
    let findings = [
        told("1", "tyrian", "tls.certificate-self-signed", "192.0.2.8", 443, own),
        told("2", "tyrian", "tls.certificate-self-signed", "192.0.2.9", 443, own),
        told("3", "tyrian", "ports.open", "192.0.2.8", 18080, open),
        told("4", "nuclei", "tls.certificate-self-signed", "192.0.2.10", 443, own),
    ];
    json!({ "format": "tyrian-findings/1", "exported_at": "2026-01-02T00:00:00Z", "findings": findings }).to_string()
}

/// The page of the only finding that a filter shows.
async fn only(stage: &Stage, cookie: &str, filter: &str) -> Seen {
    let list = stage.get(&format!("/findings?{filter}"), Some(cookie)).await;
    let found = ids(&list, "href=\"/findings/");
    assert_eq!(found.len(), 1, "{filter}: {}", list.body);
    stage.get(&format!("/findings/{}", found[0]), Some(cookie)).await
}

#[tokio::test]
async fn what_our_scanner_found_is_told_in_the_language_of_the_page_and_what_others_say_is_not() {
    let stage = Stage::new().await;
    let english = stage.first_admin().await;
    let speaks = |tag: &str| format!("{english}; tyrian-language={tag}");
    let preview = stage.upload("/imports/preview", &speaks("es"), &[("go", "preview")], Some(("all.json", &export()))).await;
    assert!(preview.body.contains("Certificado autofirmado") && preview.body.contains(ENGLISH), "{}", preview.body);
    let taken = stage.upload("/imports/preview", &english, &[("go", "take")], Some(("all.json", &export()))).await;
    assert!(taken.location.starts_with("/imports/"), "{} {}", taken.status, taken.body);

    let readers = [
        ("pt-BR", "Certificado autoassinado", "Ninguém atesta o certificado", "Use um certificado de uma autoridade", "emissor"),
        ("es", "Certificado autofirmado", "Nadie avala el certificado", "Use un certificado de una autoridad", "emisor"),
    ];
    for (tag, title, description, remediation, label) in readers {
        let cookie = speaks(tag);
        let page = only(&stage, &cookie, "source=tyrian&q=192.0.2.9").await;
        for words in [format!("<h1>{title}</h1>"), description.to_owned(), remediation.to_owned(), format!("<figcaption>{label}")] {
            assert!(page.body.contains(&words), "{tag} {words}: {}", page.body);
        }
        assert!(!page.body.contains("Nobody vouches"), "{tag} {}", page.body);
        for path in ["/", "/findings", "/causes?kind=configuration"] {
            let seen = stage.get(path, Some(&cookie)).await;
            assert!(seen.status == StatusCode::OK && seen.body.contains(title), "{tag} {path}: {}", seen.body);
        }
        let other = only(&stage, &cookie, "source=nuclei").await;
        assert!(other.body.contains(&format!("<h1>{ENGLISH}</h1>")) && other.body.contains("<figcaption>issuer"), "{}", other.body);
        assert!(other.body.contains("Nobody vouches for the certificate"), "another tool keeps its words: {}", other.body);
    }

    let port = only(&stage, &speaks("pt-BR"), "check=ports.open").await;
    assert!(port.body.contains("<h1>Porta 18080/tcp aberta (http)</h1>"), "{}", port.body);
    assert!(port.body.contains("Um serviço responde na porta 18080/tcp."), "{}", port.body);
    let own = only(&stage, &english, "check=ports.open").await;
    assert!(own.body.contains("<h1>Open port 18080/tcp (http)</h1>"), "{}", own.body);
    stage.search.prepare().await.unwrap();
    let hit = stage.get("/search?q=port%3A18080", Some(&speaks("es"))).await;
    assert!(hit.body.contains("Puerto 18080/tcp abierto (http)"), "{}", hit.body);
    let stored = stage.get("/findings?q=self-signed", Some(&speaks("pt-BR"))).await;
    assert_eq!(ids(&stored, "href=\"/findings/").len(), 3, "what is stored, and searched, is what was observed");
}
